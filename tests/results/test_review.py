import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_data import SUMMARY, TYPES, article, deal, many, row

from extractor.errors import LedgerError, UsageError
from extractor.results.review import _SCRIPTS, embedded, page, page_data, review, told
from extractor.runs import folder as folders
from extractor.runs.ledger import Ledger
from extractor.settings import resolve

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "extractor" / "results" / "review_page"
ALL = ("kept", "repaired", "quarantined", "merged")
HOSTILE = "</script><script>alert(1)</script><!-- <![CDATA[ --><img src=x onerror=alert(1)> javascript:alert(1) \u2028\u2029\x7f @@DATA@@ {{ 7*7 }}"


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """The demo's run, replayed."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    folders.run(folders.RunOptions(paths=(str(ROOT / "examples" / "articles"),), out=folder, replay=ROOT / "cassettes" / "demo"), resolve())
    return folder


def written(folder, path):
    with Ledger(folder, read_only=True) as ledger:
        return review(ledger, path), path.read_text(encoding="utf-8")


def hostile_page(text=HOSTILE):
    source = article("a.txt", f"Head\n\n{text}", title="Head", url="javascript:alert(1)", source=text)
    rows = [
        row(
            source,
            "b2:1",
            spans=[(6, 12)],
            value=deal(text, text, text),
            issues=[{"severity": "warning", "code": text, "path": text, "message": text}],
        ),
        row(source, "b2:2", verdict="quarantined", raw=text, tries=[{"raw": text, "issues": []}]),
        row(source, f"b2:{text}", fact_type=text, verdict="quarantined", raw=json.dumps({"x": text})),
    ]
    return page(page_data(TYPES, [source], rows, {**SUMMARY, "unreadable": {text: text}}))


class Elements(HTMLParser):
    """What a page is made of; fails on an element that is not closed in its order."""

    VOID = ("meta", "input", "br", "link", "img")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.data, self.doctypes = [], [], {}, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_decl(self, decl):
        """Keep a doctype."""
        self.doctypes.append(decl)

    def handle_starttag(self, tag, attrs):
        """Open an element; no attribute stands in it twice."""
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        """Close the element that was opened last, and no other."""
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data):
        """Keep the text of the open element."""
        if self.open:
            self.data[self.open[-1]] = self.data.get(self.open[-1], "") + data

    def handle_comment(self, data):
        """Fail: the page has no comments."""
        raise AssertionError(data)

    def texts(self, tag):
        """The texts of the elements of one name, in order."""
        return [self.data.get(place, "") for place, (name, _) in enumerate(self.elements) if name == tag]


def data_of(text):
    return json.loads(Elements(text).texts("script")[0])


def exact(value):
    """The numbers that travel as texts, as numbers again."""
    if isinstance(value, dict):
        return json.loads(value["\0number"]) if set(value) == {"\0number"} else {name: exact(inner) for name, inner in value.items()}
    return [exact(inner) for inner in value] if isinstance(value, list) else value


def rows_of(data):
    """The ledger's rows, put together again from a page's data."""
    for fact in data["rows"]:
        source = data["articles"][fact["article"]]
        model, prompt, schema = data["made"][fact["made"]]
        built = {"id": fact["id"], "fact_type": fact["type"], "verdict": fact["verdict"], "article_id": source["id"]}
        built |= {name: source[name] for name in ("title", "published", "source", "url")}
        built |= {name: exact(fact[name]) for name in ("value", "spans", "countries", "raw") if name in fact}
        built["evidence"] = [{"quote": source["text"][start:end], "start": start, "end": end} for start, end in fact["evidence"]]
        yield {**built, "issues": fact["issues"], "tries": fact["tries"], "model": model, "prompt": prompt, "schema": schema}


def test_every_row_of_the_ledger_is_on_the_page_whole(run_dir, tmp_path):
    """Nothing is lost: rows of every verdict and all articles can be put together again from the page."""
    counts, text = written(run_dir, tmp_path / "review.html")
    data = data_of(text)
    with Ledger(run_dir, read_only=True) as ledger:
        rows = list(ledger.rows(ALL))
        assert [one["text"] for one in data["articles"]] == [one["record"]["text"] for one in ledger.articles()]
    assert counts == Counter(one["verdict"] for one in rows)
    assert len(rows) == len(data["rows"]) > 50
    assert {one["verdict"] for one in rows} == set(ALL)
    assert list(rows_of(data)) == rows


def test_same_ledger_same_bytes(run_dir, tmp_path):
    """The page holds no time of its making, no path and no chance; a copy of the run gives it again."""
    shutil.copytree(run_dir, tmp_path / "copy")
    _, first = written(run_dir, tmp_path / "one.html")
    _, second = written(tmp_path / "copy", tmp_path / "two.html")
    assert first == second
    assert str(tmp_path) not in first


def test_page_is_well_formed(run_dir, tmp_path):
    """One doctype, elements closed in order, ids unique, and what labels and buttons point to is there."""
    _, text = written(run_dir, tmp_path / "review.html")
    found = Elements(text)
    assert [one.lower() for one in found.doctypes] == ["doctype html"]
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for _, attributes in found.elements:
        for name in ("for", "aria-labelledby", "aria-controls", "list"):
            assert name not in attributes or attributes[name] in ids
    landmarks = {tag for tag, _ in found.elements} & {"header", "main", "nav", "article", "section"}
    assert landmarks == {"header", "main", "nav", "article", "section"}


def test_page_stands_alone(run_dir, tmp_path):
    """No element names another file, the policy forbids every request, and it allows this script and style alone."""
    _, text = written(run_dir, tmp_path / "review.html")
    found = Elements(text)
    for tag, attributes in found.elements:
        assert "src" not in attributes
        assert tag not in ("link", "base", "iframe", "object", "embed", "img")
        assert attributes.get("href", "#").startswith("#")
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    (policy,) = (one["content"] for tag, one in found.elements if one.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    hashes = {
        kind: f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
        for kind, code in (("script-src", found.texts("script")[1]), ("style-src", found.texts("style")[0]))
    }
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert {kind: rules[kind] for kind in hashes} == hashes
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action", "require-trusted-types-for", "trusted-types"}


def test_own_script_and_style_reach_for_nothing():
    """The files that the page is made of fetch nothing, import nothing and turn no text into markup."""
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|EventSource|import\(|@import|url\(|https?://(?!www\.w3\.org/2000/svg)"
    sources = sorted(path for path in SOURCE.iterdir() if path.suffix in (".js", ".css", ".html"))
    assert {path.name for path in sources} == {*_SCRIPTS, "page.css", "page.html"}
    for path in sources:
        code = path.read_text(encoding="utf-8").replace(r"/^https?:\/\//i", "")
        assert re.search(forbidden, code) is None, path
        assert "</" not in code or path.suffix == ".html", path


def test_hostile_texts_end_no_element():
    """Texts that look like markup, comments or our own slots are data: the page has its two scripts and no more."""
    text = hostile_page()
    found = Elements(text)
    assert [tag for tag, _ in found.elements].count("script") == 2
    assert "img" not in [tag for tag, _ in found.elements]
    data = data_of(text)
    assert data["articles"][0]["text"].endswith(HOSTILE)
    assert data["rows"][1]["raw"] == HOSTILE
    assert HOSTILE in data["notes"][0]


texts = st.text(st.characters() | st.sampled_from('<>&"\\/!-\u2028\u2029\ud83d\ude00\x00\x7f'), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)


@given(value=values)
def test_embedded_data_is_inert_and_exact(value):
    """Any data comes back equal, and its text holds nothing that means something to HTML; lone surrogates are escapes."""
    text = embedded(value)
    assert not set("<\u2028\u2029\x7f") & set(text)
    assert json.loads(text.encode("utf-8")) == json.loads(json.dumps(value))


@pytest.mark.parametrize("number", [2**53, -(2**70), 1.0, -0.0, 1e22, 1e-7, 5e-324, 0.1, 0.00001, 123456789.25, 0, 2**53 - 1])
def test_numbers_keep_every_digit(number):
    """What JavaScript would round or write otherwise travels as its digits; other numbers are plain."""
    source = article("a.txt", "text")
    for made in (
        row(source, "b2:1", value={"share": [number]}),
        row(source, "b2:1", verdict="quarantined", raw=json.dumps({"share": [number]})),
    ):
        (fact,) = json.loads(embedded(page_data(TYPES, [source], [made], SUMMARY)))["rows"]
        (said,) = (fact["value"] if "value" in fact else fact["said"])["share"]
        assert repr(exact(said)) == repr(number)
        plain_in_javascript = number in (0.1, 123456789.25, 2**53 - 1) or repr(number) == "0"
        assert isinstance(said, dict) is not plain_in_javascript


@pytest.mark.parametrize("raw", ["", "no JSON", "[1]", '"text"', "7", "[" * 100_000, '{"a":' * 100_000, '{"a": NaN}'])
def test_words_of_any_shape_stand_on_the_page(raw):
    """A quarantined item may be of any shape: its words are there, and no value is made of them unless they are an object."""
    source = article("a.txt", "text")
    data = page_data(TYPES, [source], [row(source, "b2:1", verdict="quarantined", raw=raw)], SUMMARY)
    (fact,) = data_of(page(data))["rows"]
    assert fact["raw"] == raw
    assert ("said" in fact) is (raw == '{"a": NaN}')


def test_only_the_codes_in_use_are_named():
    """States are named by their first name in the table, and only those that a fact of the run knows."""
    source = article("a.txt", "text")
    made = row(source, "b2:1", value=deal("Oslo", "Mars"), countries={"sellers[0]": "NOR"})
    assert page_data(TYPES, [source], [made], SUMMARY)["countries"] == {"NOR": "Norway"}


def test_run_without_facts_has_a_page(tmp_path):
    """A run folder that holds nothing yet gives a page with nothing on it."""
    Ledger(tmp_path / "run").close()
    counts, text = written(tmp_path / "run", tmp_path / "review.html")
    assert not counts
    assert data_of(text)["rows"] == data_of(text)["articles"] == []


@pytest.mark.parametrize("name", ["review.txt", "review", "folder.html", "nowhere/review.html"])
def test_wrong_target_is_refused(run_dir, tmp_path, name):
    """A name that is no HTML file in a folder that exists is refused before anything is written."""
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UsageError, match=re.escape(name.split("/")[-1])):
        written(run_dir, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_failed_writing_leaves_what_was_there(run_dir, tmp_path, monkeypatch):
    """When the disk is full the old page stays, nothing half written is left, and the error says so."""
    target = tmp_path / "review.html"
    target.write_text("old", encoding="utf-8")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("extractor.results.review.os.fsync", full)
    with pytest.raises(LedgerError, match="No space left on device"):
        written(run_dir, target)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_size_of_a_large_page():
    """10,000 facts of 1,000 articles take about a kilobyte each: what an article's rows share stands there once."""
    sources, rows = many()
    text = page(page_data(TYPES, sources, rows, SUMMARY))
    assert len(text) < 1_500 * len(rows)


def test_what_is_on_a_page_is_told_as_the_run_counts_it():
    """A run that told of 56 facts has 56 on its page; what is quarantined or merged is more to look at."""
    assert told({"kept": 48, "repaired": 8, "quarantined": 3, "merged": 2}) == "56 facts and 5 more to look at (3 quarantined, 2 merged)"
    assert told({"kept": 1_000}) == "1,000 facts"
    assert told({"kept": 1, "merged": 1}) == "1 fact and 1 more to look at (1 merged)"
    assert told({}) == "0 facts"
