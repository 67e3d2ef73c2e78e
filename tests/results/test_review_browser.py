import json
import re
import time
from pathlib import Path

import pytest
from browser import MISSING, chromium, colours, resize
from review_data import SUMMARY, TYPES, article, deal, many, row

from extractor.cli import main
from extractor.results.evaluation.evaluate import evaluate
from extractor.results.evaluation.gold import read_gold
from extractor.results.review import page, page_data, review
from extractor.runs import folder as folders
from extractor.runs.ledger import Ledger
from extractor.settings import resolve

pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A fresh browser for this module."""
    folder = tmp_path_factory.mktemp("browser")
    with chromium(folder) as driver:
        driver.downloads = folder
        yield driver


class Page:
    """A review page in the browser."""

    def __init__(self, driver, path):
        self.driver, self.path = driver, path
        self.wide()
        driver.get("about:blank")
        self.logs("browser"), self.logs("performance")
        self.load()

    def load(self):
        """Open the page anew; gives the seconds until it can be used."""
        started = time.monotonic()
        self.driver.get(self.path.as_uri())
        self.until(lambda: self.js("return document.body.offsetHeight > 0 && document.documentElement.dataset.ready") == "yes")
        return time.monotonic() - started

    def wide(self, width=1440, height=900):
        """Set the size of the window."""
        resize(self.driver, width, height)

    def until(self, holds, seconds=20):
        """Wait until something holds; gives it."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, "it did not come about in time"
            time.sleep(0.02)
        return found

    def logs(self, kind):
        """The entries of a log since it was read last."""
        return self.driver.get_log(kind)

    def js(self, code, *arguments):
        """What a piece of script returns."""
        return self.driver.execute_script(code, *arguments)

    def all(self, selector):
        """The elements of a selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        """The only element of a selector."""
        (found,) = self.all(selector)
        return found

    def text(self, selector):
        """The text of the first element of a selector; None without one."""
        return self.js("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def click(self, selector):
        """Click an element wherever it is."""
        self.js("document.querySelector(arguments[0]).click()", selector)

    def keys(self, *keys):
        """Keys to the page itself, as they come when nothing is being typed."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def shown(self):
        """The facts that pass the filters, out of the count."""
        return int(re.match(r"[\d,]+", self.text("#count"))[0].replace(",", ""))

    def choose(self, selector, value):
        """Set a control to a value, as a person would."""
        self.js(
            "const box = document.querySelector(arguments[0]); box.value = arguments[1]; box.dispatchEvent(new Event(box.tagName === 'SELECT' ? 'change' : 'input'))",
            selector,
            value,
        )

    def marks(self):
        """For each fact of the open article: its segments of evidence, in order."""
        found = {}
        for facts, text in self.js(
            "return [...document.querySelectorAll('#text-body mark')].map((mark) => [mark.dataset.facts, mark.textContent])"
        ):
            for fact in facts.split():
                found.setdefault(int(fact), []).append(text)
        return found

    def export(self):
        """The file that the export gives."""
        target = self.driver.downloads / "decisions.jsonl"
        target.unlink(missing_ok=True)
        self.js("scrollTo(0, 0)")
        self.one("#export").click()  # a real one: a browser lets a script alone write one file, and asks before the second
        self.until(lambda: target.is_file() and target.stat().st_size)
        return target

    def forget(self):
        """Open the page as in a browser that never saw it."""
        self.js("localStorage.clear()")
        self.load()

    def assert_calm(self):
        """No error in the console, and no request but for the file itself."""
        assert [entry for entry in self.logs("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
        assert self.js("return performance.getEntriesByType('resource').map((entry) => entry.name)") == []
        sent = [json.loads(entry["message"])["message"] for entry in self.logs("performance")]
        urls = {event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"}
        # data: the browser's own icons in a date field
        assert all(url in (self.path.as_uri(), "about:blank") or url.startswith(("blob:", "data:")) for url in urls), urls


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """The demo's run, replayed."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    folders.run(folders.RunOptions(paths=(str(ROOT / "examples" / "articles"),), out=folder, replay=ROOT / "cassettes" / "demo"), resolve())
    return folder


@pytest.fixture
def demo(browser, run_dir, tmp_path):
    """The demo's page, nothing decided."""
    with Ledger(run_dir, read_only=True) as ledger:
        review(ledger, tmp_path / "review.html")
    opened = Page(browser, tmp_path / "review.html")
    opened.forget()
    yield opened
    opened.assert_calm()


@pytest.fixture
def of(browser, tmp_path):
    """Makes pages of articles and rows."""
    made = []

    def build(articles, rows, summary=SUMMARY):
        path = tmp_path / f"review{len(made)}.html"
        path.write_text(page(page_data(TYPES, articles, rows, summary)), encoding="utf-8")
        made.append(Page(browser, path))
        made[-1].forget()
        return made[-1]

    yield build
    for opened in made[-1:]:
        opened.assert_calm()


def rows_of(run_dir, *verdicts):
    with Ledger(run_dir, read_only=True) as ledger:
        return list(ledger.rows(verdicts or ("kept", "repaired", "quarantined", "merged")))


def test_page_opens_with_everything_counted(demo, run_dir):
    """The counts are the ledger's, and each article of the list opens with its text untouched."""
    rows = rows_of(run_dir)
    assert demo.text("#count") == f"{len(rows)} in 14 articles: 56 facts, 3 quarantined, 2 merged"
    assert demo.text("#counts tfoot tr").endswith(str(len(rows)))
    with Ledger(run_dir, read_only=True) as ledger:
        articles = list(ledger.articles())
    assert demo.text("#text-body") == articles[0]["record"]["text"]
    for number in range(1, len(articles)):
        demo.keys("J")
        assert demo.text("#text-body") == articles[number]["record"]["text"]


def test_marks_are_the_quotes(demo, run_dir):
    """In every article the highlighted words of each fact are its quotes, whatever overlaps them."""
    rows = rows_of(run_dir)
    checked = 0
    for article_id in sorted({one["article_id"] for one in rows}):
        demo.choose("#query", article_id)
        demo.until(lambda article_id=article_id: demo.text("#text-head span") == article_id)
        marks = demo.marks()
        for place, one in enumerate(rows):
            if one["article_id"] == article_id and one["evidence"]:
                quotes = "".join(quote["quote"] for quote in sorted(one["evidence"], key=lambda quote: quote["start"]))
                assert "".join(marks[place]) == quotes
                checked += 1
    assert checked > 50


def test_overlaps_and_emoji(of):
    """Offsets are code points: quotes behind emoji, inside each other, across each other and equal are cut where they should be."""
    text = "👩‍🚀🚀 One 🇺🇦 day\n\nA𝒳 sold tanks 💣 to B; later 🎉 C sold shells to D. Ende 🏁"
    source = article("a.txt", text, title="👩‍🚀🚀 One 🇺🇦 day")
    spans = [
        (text.index(words), text.index(words) + len(words))
        for words in ("A𝒳 sold tanks 💣 to B", "tanks 💣", "💣 to B; later 🎉 C", "🎉 C sold", "🏁", "🚀🚀")[:5]
    ]
    spans += [(5, 12), (0, len(text))]
    rows = [row(source, f"b2:{place}", spans=[span]) for place, span in enumerate([*spans, spans[0]])]
    opened = of([source], rows)
    marks = opened.marks()
    for place, one in enumerate(rows):
        assert "".join(marks[place]) == one["evidence"][0]["quote"]
    assert opened.text("#text-body") == text
    assert any("deep" in mark.get_attribute("class") for mark in opened.all("mark"))


def test_fact_and_evidence_lead_to_each_other(demo):
    """A click on evidence opens its fact; where several rest on the same words each click takes the next; a quote scrolls to its place."""
    demo.choose("#query", "donor-conference")
    last = demo.all("#facts .fact")[-1]
    demo.js("arguments[0].click()", last)
    demo.until(lambda: demo.one(".fact.on .quotes button"))
    demo.click(".fact.on .quotes button")
    demo.until(
        lambda: demo.js(
            "const box = document.querySelector('mark.on').getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight"
        )
    )
    fact = demo.js("const mark = document.querySelector('mark:not(.on)'); mark.click(); return mark.dataset.facts.split(' ')[0]")
    assert demo.one(".fact.on").get_attribute("data-fact") == fact
    assert {demo.js("return document.querySelector('mark[role=button]').tabIndex"), len(demo.all(".fact.on"))} == {0, 1}
    names = demo.js("return [...document.querySelectorAll('mark[role=button]')].map((mark) => mark.getAttribute('aria-label'))")
    assert all(name.startswith("Evidence for ") for name in names)


def test_filters_narrow_and_count(demo, run_dir):
    """Type, verdict, party, closed words, flags and search each leave the facts that they name, and together their intersection."""
    rows = rows_of(run_dir)

    def expected(holds):
        return sum(1 for one in rows if holds(one))

    demo.click("#chips-type [data-name=weapons_transfer]")
    assert demo.shown() == expected(lambda one: one["fact_type"] == "weapons_transfer")
    demo.click("#chips-verdict [data-name=repaired]")
    kept = sum(1 for one in rows if one["fact_type"] == "weapons_transfer" and one["verdict"] == "kept")
    assert demo.text("#chips-verdict [data-name=kept] b") == str(kept)  # what choosing it as well would add
    assert demo.shown() == expected(lambda one: one["fact_type"] == "weapons_transfer" and one["verdict"] == "repaired")
    demo.keys("c")
    assert demo.shown() == len(rows)
    demo.click("#more")
    demo.choose("#more-fields [data-path=status]", "delivered")
    assert demo.shown() == expected(lambda one: (one.get("value") or json.loads(one["raw"])).get("status") == "delivered")
    assert "(0)" not in demo.text("#more-fields [data-path=category]")
    demo.keys("c")
    demo.choose("#party", "Norway")
    assert demo.shown() == expected(lambda one: "NOR" in one.get("countries", {}).values() or '"Norway"' in one.get("raw", ""))
    demo.keys("c")
    demo.choose("#flag", "assumed")
    assert demo.shown() == expected(lambda one: any(issue["code"] == "assumed" for issue in one["issues"]))
    demo.keys("c", "/")
    assert demo.js("return document.activeElement.id") == "query"
    demo.one("#query").send_keys("Tomahawk 500", Keys.ENTER)
    assert demo.shown() == 1
    assert "quarantined" in demo.text(".fact.on")
    assert "quote_not_found" in demo.text(".fact.on .issues")
    demo.choose("#query", "no such words anywhere")
    assert (demo.shown(), demo.text("#articles")) == (0, "No article passes the filters.")


def test_decisions_come_back_as_gold(demo, run_dir, tmp_path, capsys):
    """Accepted, edited and rejected facts are read by the gold loader as such; the run is evaluated against them, and exported with them."""
    demo.click("#chips-type [data-name=weapons_transfer]")
    demo.click("#chips-verdict [data-name=kept]")
    rows = [one for one in rows_of(run_dir, "kept") if one["fact_type"] == "weapons_transfer"]
    demo.keys("j", "k", "a", "r", "e")
    form = demo.one("form.edit")
    designation = form.find_element(By.XPATH, ".//label[span='designation']/input")
    designation.clear()
    designation.send_keys("something else")
    designation.send_keys(Keys.CONTROL, Keys.ENTER)
    assert demo.text("#progress-words").startswith("3 of ")
    demo.keys("a")
    demo.keys("u")
    path = demo.export()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["decision"] for line in lines] == ["accept", "reject", "edit"]
    for line, one in zip(lines, rows, strict=False):
        assert {name: line[name] for name in line if name not in ("decision", "value")} == {
            name: one[name] for name in line if name not in ("decision", "value")
        }
    assert [lines[0]["value"], lines[1]["value"]] == [rows[0]["value"], rows[1]["value"]]
    assert lines[2]["value"] == {**rows[2]["value"], "designation": "something else"}
    gold = read_gold(path)
    assert [fact.value["designation"] for fact in gold.facts] == [rows[0]["value"]["designation"], "something else"]
    assert [fact.value["designation"] for fact in gold.rejected] == [rows[1]["value"]["designation"]]
    with Ledger(run_dir, read_only=True) as ledger:
        found = evaluate(ledger.rows(), list(ledger.articles()), gold)
    assert found.overall.strict.predicted == 3
    assert found.overall.strict.predicted_right == 1
    assert main(["export", str(run_dir), "-o", str(tmp_path / "facts.jsonl"), "--decisions", str(path)]) == 0
    exported = [json.loads(line) for line in (tmp_path / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    left = [one for one in rows_of(run_dir, "kept", "repaired") if one["id"] != rows[1]["id"]]
    assert [one["id"] for one in exported] == [one["id"] for one in left]
    assert {one["id"]: one["value"] for one in exported if "decision" in one} == {
        rows[0]["id"]: rows[0]["value"],
        rows[2]["id"]: lines[2]["value"],
    }
    assert main(["evaluate", str(run_dir), "--gold", str(path), "--html", str(tmp_path / "evaluation.html")]) == 0
    assert "1 accepted, 1 edited, 1 rejected and left out; 0 passed over\n" in capsys.readouterr().err


def test_decisions_outlive_the_page_and_can_be_read_back(demo):
    """What was decided is there when the page is opened again; elsewhere it is read out of the exported file, and undone in one step."""
    demo.keys("a", "r")
    demo.click("#complete")
    demo.export()
    assert "undecided facts: aid-package.txt" in demo.text("#notes")
    demo.keys("J", "J")
    assert demo.text("#text-head span") == "cup-final.txt"
    demo.click("#complete")
    demo.load()
    assert demo.text("#progress-words").startswith("2 of ")
    assert demo.js("return document.getElementById('complete').checked")
    kept = demo.driver.downloads / "kept.jsonl"
    kept.write_bytes(demo.export().read_bytes() + b'{"article_id": "elsewhere.txt", "complete": true}\nnonsense\n')
    demo.forget()
    assert demo.text("#progress-words").startswith("0 of ")
    demo.one("#import-file").send_keys(str(kept))
    demo.until(lambda: demo.text("#progress-words").startswith("2 of "))
    assert "3 decisions read; 2 lines passed over" in demo.text("#notes")
    assert read_gold(demo.export()).articles == {"aid-package.txt": False, "cup-final.txt": True}
    assert demo.export().read_bytes() == kept.read_bytes().split(b'{"article_id": "elsewhere')[0]
    demo.click("#undo")
    assert demo.text("#progress-words").startswith("0 of ")


def test_without_storage_the_page_works_and_says_so(demo):
    """Where the browser keeps nothing for a file, decisions live in the page, with a note and not an error."""
    added = demo.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"},
    )
    try:
        demo.load()
        assert "does not keep decisions" in demo.text("#notes")
        demo.keys("a")
        assert demo.text("#progress-words").startswith("1 of ")
        assert len(demo.export().read_text(encoding="utf-8").splitlines()) == 1
    finally:
        demo.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    demo.load()


def test_form_edits_every_kind_of_value(of):
    """Texts, numbers, choices, days, lists and absent parts are edited by their schema; what was not touched stays, wrong input is told."""
    source = article("a.txt", "Norway sold 7 tanks to Kenya.\r\nSo it did.")
    value = deal("Norway", "Kenya") | {"share": 1.0, "big": 2**60, "note": "two\r\nlines"}
    opened = of([source], [row(source, "b2:1", spans=[(0, 31)], value=value)])

    def control(label, within="form.edit"):
        return opened.one(within).find_element(By.XPATH, f".//label[span='{label}']/*[self::input or self::select or self::textarea]")

    opened.keys("e")
    opened.choose(f"#{control('status').get_attribute('id')}", "3")
    opened.click("[aria-label='Add to buyers']")
    opened.all("form.edit fieldset fieldset")[-1]
    opened.click("[aria-label='Add quantity']")
    for label, said in (("as written", "7"), ("minimum", "x")):
        control(label).send_keys(said)
    opened.one("form.edit .save").click()
    assert "is no whole number" in opened.text("form.edit .alert")
    minimum = control("minimum")
    minimum.clear()
    minimum.send_keys("7", Keys.CONTROL, Keys.ENTER)
    (line,) = opened.export().read_text(encoding="utf-8").splitlines()
    said = json.loads(line)["value"]
    assert said == {
        "evidence": ["Norway sold 7 tanks to Kenya.\r\n"], **value,
        "status": "delivered", "buyers": [{"name": "Kenya", "kind": "state"}, {"name": None, "kind": "state"}],
        "quantity": {"as_written": "7", "minimum": 7, "maximum": None},
    }  # fmt: skip
    assert '"share":1.0,"big":1152921504606846976,' in line
    assert json.loads(line)["evidence"] == [{"quote": "Norway sold 7 tanks to Kenya.\r\n", "start": 0, "end": 31}]
    opened.keys("e")
    opened.js("[...document.querySelectorAll('form.edit button')].find((one) => one.textContent === 'As JSON').click()")
    area = opened.one("textarea.json")
    area.clear()
    area.send_keys("[]", Keys.CONTROL, Keys.ENTER)
    assert "object" in opened.text("form.edit .alert")
    opened.keys(Keys.ESCAPE)
    assert opened.all("form.edit") == []


def test_quarantined_words_can_be_mended(of):
    """An item whose words are no object cannot be accepted; edited into a fact it is gold, its quote found in the article."""
    source = article("a.txt", "😀 Norway sold tanks.")
    opened = of(
        [source],
        [
            row(
                source,
                "b2:1",
                verdict="quarantined",
                raw="{broken",
                issues=[{"severity": "error", "code": "not_an_object", "path": "", "message": "no object"}],
            )
        ],
    )
    assert "{broken" in opened.text(".fact.on pre")
    opened.keys("a")
    assert "its words are no JSON object" in opened.text("#notes")
    opened.keys("e")
    opened.click("[aria-label='Add to evidence']")
    opened.one("form.edit textarea").send_keys("Norway sold")
    opened.one("form.edit").find_element(By.XPATH, ".//label[span='item']/input").send_keys("tanks", Keys.CONTROL, Keys.ENTER)
    gold = read_gold(opened.export())
    (fact,) = gold.facts
    assert [quote.model_dump() for quote in fact.evidence] == [{"quote": "Norway sold", "start": 2, "end": 13}]
    assert (fact.value["item"], fact.value["status"]) == ("tanks", "sought")


ISSUES = {
    code: [{"severity": "error", "code": code, "path": "", "message": "no"}]
    for code in ("quote_not_found", "schema", "doubled_key", "value_disagrees")
}


@pytest.mark.parametrize(
    ("code", "spans", "why"),
    [
        ("quote_not_found", [], "none of its quotes is in the article"),
        ("quote_not_found", [(0, 19)], "one of its quotes is not in the article"),
        ("schema", [(0, 19)], "it has not the form of its type"),
        ("doubled_key", [(0, 19)], "it has not the form of its type"),
        ("value_disagrees", [(0, 19)], None),
    ],
)
def test_what_cannot_count_cannot_be_accepted(of, code, spans, why):
    """The row says why, neither button, key, form nor import accepts it; Edit and Reject stay, and what else is quarantined can be vouched for."""
    source = article("a.txt", "Norway sold tanks. So it did.")
    value = {"evidence": ["Norway sold tanks."], **deal("Norway", "Kenya")}
    opened = of([source], [row(source, "b2:1", verdict="quarantined", raw=json.dumps(value), spans=spans, issues=ISSUES[code])])
    accept = opened.one(".acts .accept")
    if why is None:
        opened.keys("a")
        assert opened.text("#progress-words") == "1 of 1 decided"
        return
    assert opened.text(".refused") == f"It cannot be accepted as it stands: {why}. Edit it, or reject it."
    assert accept.get_attribute("aria-disabled") == "true"
    assert accept.get_attribute("aria-describedby") == opened.one(".refused").get_attribute("id")
    opened.keys("a")
    opened.click(".acts .accept")
    assert why in opened.text("#notes")
    file = opened.path.parent / "earlier.jsonl"
    line = {"id": "b2:1", "fact_type": "arms_deal", "article_id": "a.txt", "decision": "accept"}
    file.write_text(json.dumps(line), encoding="utf-8")
    opened.one("#import-file").send_keys(str(file))
    opened.until(lambda: f"accepted, but {why}" in opened.text("#notes"))
    key = "extractor-review/1/" + opened.js("return JSON.parse(document.getElementById('data').textContent).articles[0].key")
    opened.js("localStorage.setItem(arguments[0], JSON.stringify({decisions: {'b2:1': {decision: 'accept'}}}))", key)
    opened.load()
    assert "No longer accepted" in opened.text("#notes")
    opened.keys("e")
    assert "no" in opened.text(".fact.on .issues")  # what is to be mended stays in sight
    assert opened.js("return document.activeElement.getAttribute('aria-label')") == "evidence 1"
    opened.one("form.edit .save").click()
    assert opened.text("form.edit .alert") == f"Nothing is changed, and {why}."
    assert opened.text("#progress-words") == "0 of 1 decided"
    area = opened.one("form.edit textarea, form.edit [aria-label='evidence 1']")
    area.clear()
    area.send_keys("Nobody sold.", Keys.CONTROL, Keys.ENTER)
    assert "“Nobody sold.” is not in the article" in opened.text("form.edit .alert")
    area.clear()
    area.send_keys("So it did.", Keys.CONTROL, Keys.ENTER)
    assert opened.text("#progress-words") == "1 of 1 decided"
    opened.keys("r")
    assert opened.text("#progress-words") == "1 of 1 decided"


def test_edited_fact_keeps_quotes_that_stand_in_other_typography(of):
    """A quote that was found has the article's own words in the decisions, though the model wrote other quotation marks."""
    source = article("a.txt", "Norway “sold” tanks. So it did.")
    value = deal("Norway", "Kenya") | {"evidence": ['Norway "sold" tanks.']}
    opened = of([source], [row(source, "b2:1", spans=[(0, 20)], value=value)])
    opened.keys("e")
    assert opened.text("form.edit .hint") == ""
    item = opened.one("form.edit").find_element(By.XPATH, ".//label[span='item']/input")
    item.send_keys("!", Keys.CONTROL, Keys.ENTER)
    (line,) = opened.export().read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["evidence"] == [{"quote": "Norway “sold” tanks.", "start": 0, "end": 20}]


def test_same_fact_right_and_rejected_is_told(of):
    """Gold refuses a fact that is both right and wrong: a rejected item that only has other quotes is left out, and named."""
    source = article("a.txt", "Norway sold tanks to Kenya. Norway sold them.")
    value = deal("Norway", "Kenya")
    twin = row(source, "b2:2", verdict="quarantined", raw=json.dumps({**value, "evidence": ["It did."]}))
    merged = row(
        source,
        "b2:1",
        verdict="merged",
        raw="{}",
        issues=[{"severity": "warning", "code": "merged", "path": "", "message": "It says what fact b2:1 says."}],
    )
    opened = of([source], [row(source, "b2:1", spans=[(0, 26)], value=value), twin, merged])
    assert opened.text("#progress-words") == "0 of 2 decided"
    opened.keys("a", "r", "a")
    assert opened.text("#progress-words") == "2 of 2 decided"
    gold = read_gold(opened.export())
    assert (len(gold.facts), len(gold.rejected)) == (1, 0)
    assert "Left out: a.txt" in opened.text("#notes")


def test_hostile_articles_stay_text(of):
    """Markup, scripts and addresses in articles, values, reasons and names are shown as they are written; only web addresses are links."""
    bad = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1><!-- &amp; <svg onload=window.hit=1> \u202e \u2028 end"
    sources = [
        article(f"a{place}.txt", f"{bad}\n\n{bad} sold {bad}", title=bad, url=url, source=bad, language=bad)
        for place, url in enumerate(
            ["javascript:window.hit=1", " JaVaScRiPt:window.hit=1", "data:text/html,x", "https://example.org/?a=<b>"]
        )
    ]
    issues = [{"severity": "error", "code": bad, "path": bad, "message": bad}]
    rows = []
    for place, source in enumerate(sources):
        rows.append(
            row(
                source,
                f"b2:{place}{bad}",
                spans=[(0, len(bad))],
                value=deal(bad, bad, bad, status=bad),
                issues=issues,
                countries={"sellers[0]": bad},
            )
        )
        rows.append(
            row(
                source, f"b2:q{place}", fact_type=bad, verdict="quarantined", raw=bad, issues=issues, tries=[{"raw": bad, "issues": issues}]
            )
        )
    opened = of(sources, rows, {**SUMMARY, "unreadable": {bad: bad}})
    opened.click("#more")
    links = []
    for number in range(len(sources)):
        assert opened.text("#text-body") == sources[number]["record"]["text"]
        links += opened.js("return [...document.querySelectorAll('#text-head a')].map((link) => [link.href, link.rel])")
        opened.js("for (const box of document.querySelectorAll('details')) box.open = true")
        opened.keys("j")
        opened.js("for (const box of document.querySelectorAll('details')) box.open = true")
        opened.keys("e", Keys.ESCAPE, "J")
    assert links == [["https://example.org/?a=%3Cb%3E", "noopener noreferrer"]]
    assert opened.js("return [window.hit ?? null, document.scripts.length, document.images.length]") == [None, 2, 0]
    assert bad in opened.text("#notes")


def test_policy_refuses_what_a_script_might_try(of):
    """Even a script in the page could neither fetch, nor load, nor make markup out of a text."""
    source = article("a.txt", "text")
    opened = of([source], [row(source, "b2:1", spans=[(0, 4)])])
    tried = """
        const done = arguments[0]; const out = [];
        const attempt = async (act) => { try { await act(); out.push('done'); } catch { out.push('refused'); } };
        (async () => {
          await attempt(() => fetch('https://example.org/'));
          await attempt(() => { document.body.innerHTML = '<b>x</b>'; });
          await attempt(() => new Promise((good, bad) => { const image = new Image(); image.onload = good; image.onerror = bad; image.src = 'https://example.org/a.png'; }));
          done(out);
        })();"""
    assert opened.driver.execute_async_script(tried) == ["refused"] * 3
    opened.driver.get("about:blank")
    opened.logs("browser"), opened.logs("performance")  # the refusals are told there


def test_few_of_many_articles_are_in_the_page(of):
    """However many articles there are, only those in sight are drawn, and each is found by scrolling; bench/review.py has the times."""
    opened = of(*many(articles=500, facts=1_000))
    assert opened.shown() == 1_000
    assert len(opened.all("#articles li")) < 80
    opened.js("document.querySelector('#articles').scrollTop = 1e9")
    opened.until(lambda: "Headline 499" in opened.text("#articles"))


def test_article_with_thousands_of_facts_is_drawn_in_parts(of):
    """However many facts an article has, the first screens come at once and the rest when they are reached."""
    source = article("a.txt", "Norway sold tanks. " * 3_000)
    rows = [
        row(source, f"b2:{place}", spans=[(19 * place, 19 * place + 18)], value=deal("Norway", "Kenya", f"lot {place}"))
        for place in range(3_000)
    ]
    opened = of([source], rows)
    assert 0 < len(opened.all("#facts .fact")) < 500
    opened.js("document.querySelector('#facts').scrollTop = 1e9")
    before = len(opened.all("#facts .fact"))
    opened.until(lambda: len(opened.all("#facts .fact")) > before or len(opened.all("#facts .fact")) > 200)


def test_pictures_are_drawn_from_any_type(of):
    """The timeline and the picture of who deals with whom come from a type that no package ships; a click narrows to what was clicked."""
    sources, rows = many(articles=60, facts=600)
    old = article("old.txt", "Norway sold tanks to Kenya in 1944.", published="2025-05-05")
    rows.append(row(old, "b2:old", spans=[(0, 10)], value=deal("Norway", "Kenya", day="1944-05-06")))
    opened = of([*sources, old], rows)

    def drawn():
        said = opened.js("return document.querySelector('#timeline svg').getAttribute('aria-label')")
        return said.startswith(f"{believed} facts ")

    believed = sum(1 for one in rows if one["verdict"] != "quarantined")
    assert drawn()
    assert len(opened.all("#timeline .bar")) > 10
    assert "before" in opened.text("#timeline svg")
    names = opened.js("return [...document.querySelectorAll('#flows svg > text')].map((name) => name.firstChild.data)")
    assert len(names) == 20
    assert [sum("others" in name for name in side) for side in (names[:10], names[10:])] == [1, 1]
    # each has one seller and one buyer, and each is in the picture
    assert [sum(int(name.split()[-1]) for name in side) for side in (names[:10], names[10:])] == [believed, believed]
    assert "the 50 most frequent of " in opened.text("#flows summary")
    overlap = opened.js(
        """const boxes = [...document.querySelectorAll('#flows svg > text')].map((name) => name.getBoundingClientRect());
        return boxes.some((one, place) => boxes.some((other, later) => later > place && one.left < other.right && other.left < one.right && one.top + 2 < other.bottom - 2 && other.top + 2 < one.bottom - 2));"""
    )
    assert overlap is False
    opened.js("document.querySelector('#flows .band').dispatchEvent(new MouseEvent('click'))")
    assert " + " in opened.js("return document.getElementById('party').value")
    assert 0 < opened.shown() < 100
    opened.keys("c")
    opened.until(drawn)  # pictures come after the lists
    opened.js("document.querySelector('#timeline .hit').dispatchEvent(new MouseEvent('click'))")
    assert opened.shown() == 1
    opened.keys("c")
    opened.until(drawn)
    opened.one("#timeline summary").send_keys(Keys.ENTER)
    opened.all("#timeline td button")[0].send_keys(Keys.ENTER)
    assert opened.shown() == 1
    opened.until(lambda: len(opened.all("#timeline .bar")) == 1)
    assert opened.js(
        "return document.activeElement === document.querySelector('#timeline summary') && document.querySelector('#timeline details').open"
    )


@pytest.mark.parametrize("width", [400, 1000, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_layouts_fit_and_texts_stand_out(demo, width, scheme):
    """Narrow or wide, nothing runs out of the page sideways, and texts reach the contrast of WCAG AA in light and dark."""
    demo.wide(width)
    colours(demo.driver, scheme)
    demo.load()
    demo.keys("a", "r", "j")
    assert demo.js("return document.documentElement.scrollWidth") <= width
    assert demo.js(CONTRAST) == []
    colours(demo.driver, "")


CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (node) => { let below = [255, 255, 255]; const stack = []; for (let at = node; at; at = at.parentElement) stack.push(rgba(getComputedStyle(at).backgroundColor));
  for (const [r, g, b, a] of stack.reverse()) below = [r, g, b].map((v, i) => v * a / 255 + below[i] * (1 - a / 255)); return below; };
const poor = [];
for (const node of document.querySelectorAll('body *')) {
  if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()) || !node.checkVisibility() || node.disabled || node.closest('script, option, svg, :disabled')) continue;
  const [one, other] = [light(rgba(getComputedStyle(node).color)), light(ground(node))];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (ratio < 4.5) poor.push([node.tagName, node.className, node.textContent.slice(0, 30), ratio]);
}
return poor;
"""


def test_controls_have_names(demo):
    """Every control that can be reached has a name for a screen reader, and the focus is visible on it."""
    demo.click("#more")
    demo.keys("e")
    nameless = demo.js(
        """return [...document.querySelectorAll('button, input, select, textarea, summary')].filter((one) => one.checkVisibility()
        && !(one.textContent.trim() && one.tagName !== 'SELECT') && !one.getAttribute('aria-label') && ![...(one.labels ?? [])].some((label) => label.textContent.trim()))
        .map((one) => one.outerHTML.slice(0, 90))"""
    )
    assert nameless == []
    tree = demo.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {node["role"]["value"] for node in tree if "role" in node and not node["ignored"]}
    assert {"banner", "main", "navigation", "search", "article", "region", "list", "status"} <= roles
    demo.keys(Keys.ESCAPE)


def test_help_names_every_key(demo):
    """`?` shows the keys, Escape closes them, and keys do nothing beneath."""
    demo.keys("?")
    assert demo.js("return document.getElementById('help').open")
    assert {"accept", "reject", "undo", "search"} <= set(
        demo.js("return [...document.querySelectorAll('#help dd')].map((one) => one.textContent)")
    )
    demo.keys("a", Keys.ESCAPE)
    assert demo.text("#progress-words").startswith("0 of ")
