"""Whole runs against an endpoint that goes wrong: for one article once, for one article for ever, and for everything."""

import json
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
from answers import is_repair, transfer

from extractor.llm import transport as transport_module
from extractor.runs.flow import ASK_AGAIN_ALWAYS
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import Ledger
from extractor.settings import Settings
from extractor.testing import Fault, LoopbackEndpoint, Raw, completion

CONCURRENCY = 32
WHOLE = 200
FEW = 12
"""Articles of the quick half."""


def some(cases, quick):
    """Parameters of all `cases`; those not in `quick` run with the slow tests."""
    return [pytest.param(case, id=name, marks=() if name in quick else pytest.mark.slow) for name, case in cases.items()]


FIRST, MIDDLE = "first", "middle"
"""Which article the fault befalls: the first one also finds out the mode for all others."""

_SENTENCE = re.compile(r"(Norway|Denmark) will give ([0-9]+) (tanks|shells) to Ukraine")
_NUMBER = re.compile(r"report ([0-9]{3})")
_FILLER = "The depot has stood near Rena for many years, and people in the valley know it well. " * 7


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.01)
    monkeypatch.setattr(transport_module, "_BLIND_PAUSE_S", 0.05)
    monkeypatch.setattr(transport_module, "_AFTER_PAUSE_S", 0.02)
    # reading the certificates takes 30 ms a client, and no test here speaks TLS
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


# the articles, and a model that reads them


def article_id(number):
    return f"a{number:03}.txt"


def write(folder, count, long=()):
    """Articles with two facts each, numbers of their own; those in `long` have a fact in each of eight paragraphs."""
    folder.mkdir(parents=True)
    for number in range(count):
        facts = [f"Norway will give {1000 + number} tanks to Ukraine.", f"Denmark will give {2000 + number} shells to Ukraine."]
        if number in long:
            facts = [f"{_FILLER}Norway will give {(place + 3) * 1000 + number} tanks to Ukraine." for place in range(8)]
        body = "\n\n".join(facts)
        (folder / article_id(number)).write_text(f"date 2026-03-04 The report {number:03}\n\n{body}\n", encoding="utf-8")
    return folder


def facts_in(text):
    """A right answer about `text`: a transfer for each sentence that tells one."""
    found = []
    for sentence in _SENTENCE.finditer(text):
        giver, count, what = sentence.groups()
        quantity = {"as_written": f"{count} {what}", "minimum": int(count), "maximum": int(count), "approximate": False, "unit": what}
        supplier = {"name": giver, "kind": "state", "on_behalf_of": None}
        found.append(transfer(evidence=[sentence.group()], suppliers=[supplier], designation=what, quantity=quantity))
    return found


def said(request):
    """The article's words in a request."""
    return request["messages"][-1]["content"]


def number_of(request):
    return int(_NUMBER.search(said(request))[1])


def answer_of(request):
    """What a model without a fault answers, to extractions and repairs."""
    facts = facts_in(said(request).partition("\nRecord 1 ")[0])
    return {"weapons_transfer": [{"item": 1, "fact": facts[0]}] if is_repair(request) else facts}


def told(folder):
    """(article, number) of each fact in a folder of articles."""
    return sorted((path.name, int(found[2])) for path in folder.iterdir() for found in _SENTENCE.finditer(path.read_text(encoding="utf-8")))


def exported(out):
    """(article, number) of each row of `facts.jsonl`, which must be the ledger's."""
    rows = [json.loads(line) for line in (out / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
    with Ledger(out, read_only=True) as ledger:
        assert rows == list(ledger.rows())
    return sorted((row["article_id"], row["value"]["quantity"]["minimum"]) for row in rows)


def summary(out):
    with Ledger(out, read_only=True) as ledger:
        return {**ledger.summary(), "failures": list(ledger.failures())}


def go(articles, endpoint, *, timeout_s=20.0, concurrency=CONCURRENCY, retry_failed=False, attempts=3):
    """One run over `articles` into the folder beside them."""
    options = RunOptions(paths=(str(articles),), out=articles.parent / "out", fact_types=("weapons_transfer",), retry_failed=retry_failed)
    base_url = endpoint if isinstance(endpoint, str) else endpoint.base_url
    return run(options, Settings(base_url=base_url, concurrency=concurrency, timeout_s=timeout_s, attempts=attempts))


# what may befall one article


def error(status, message="Something went wrong.", headers=None, **fields):
    return lambda request: Raw({"error": {"message": message, **fields}}, status, headers or {})


def raw(body, **headers):
    return lambda request: Raw(body, 200, headers)


def says(text, **options):
    return lambda request: Raw(completion(request, text, **options))


def no_choices(request):
    return Raw(completion(request, "") | {"choices": []})


def wrong_item(request):
    """The first fact with a number that its words do not have, in a repair too."""
    first, *others = facts_in(said(request).partition("\nRecord 1 ")[0])
    bad = first | {"quantity": first["quantity"] | {"minimum": 7, "maximum": 7}, "category": "spaceship"}
    return {"weapons_transfer": [{"item": 1, "fact": bad}] if is_repair(request) else [bad, *others]}


def cut(request):
    """An answer that ends in the middle of its second fact."""
    facts = facts_in(said(request))
    text = json.dumps({"weapons_transfer": facts})
    return Raw(completion(request, text[: text.index(json.dumps(facts[0])) + len(json.dumps(facts[0])) + 40], finish_reason="length"))


class Case(NamedTuple):
    """A fault, and what it comes to."""

    fault: Callable
    cause: str
    """Of the article's failure, when the fault never ends."""
    heals: bool = True
    """Whether the same run gets over it when it happens once."""
    asked: int = 2
    """Requests about the article when it happens once."""
    long: bool = False
    timeout_s: float = 20.0
    status: str = "failed"
    """Of the article, when the fault never ends."""

    def patience_s(self, count):
        """The timeout for a run over `count` articles: on a busy machine those without a fault must not meet it."""
        return self.timeout_s if count <= FEW else 4 * self.timeout_s


CASES = {
    "429 with Retry-After": Case(error(429, headers={"retry-after": "0.1"}), "rate_limited"),
    "429": Case(error(429), "rate_limited"),
    "500": Case(error(500), "server_error"),
    "503": Case(error(503), "server_error"),
    "503 with Retry-After": Case(error(503, headers={"retry-after": "0.1"}), "server_error"),
    "hang": Case(lambda request: Fault("hang"), "timeout", timeout_s=1.0),
    "slow drip": Case(lambda request: Fault("drip"), "timeout", timeout_s=1.0),
    "reset": Case(lambda request: Fault("reset"), "reset"),
    "half a body": Case(lambda request: Fault("half"), "reset"),
    "closed without a byte": Case(lambda request: Fault("drop"), "reset"),
    "HTML under 200": Case(raw("<html><body>Please log in</body></html>", **{"content-type": "text/html"}), "not_json"),
    "broken body under 200": Case(raw('{"id": "x", "choices": [{"ind'), "not_json"),
    "error under 200": Case(raw({"error": {"message": "upstream failed", "code": 502}}), "error_body"),
    "empty choices": Case(no_choices, "empty"),
    "no content": Case(says(""), "no_content"),
    "broken JSON": Case(says('{"weapons_transfer": [{"evidence": ["Norway wi'), "unparsable"),
    "prose": Case(says("I would rather talk about the weather."), "unparsable"),
    "another shape": Case(says('{"facts": []}'), "unparsable"),
    "an item that fails validation": Case(wrong_item, "", status="complete"),
    "refusal": Case(says("", refusal="I cannot help with weapons."), "refusal", heals=False, asked=1),
    "content filter": Case(says("", finish_reason="content_filter"), "content_filter", heals=False, asked=1),
    "400": Case(error(400, "This article is odd."), "bad_request", heals=False, asked=1),
    "cut at the output limit": Case(cut, "length", asked=3, long=True, status="partial"),
    "context overflow": Case(error(400, code="context_length_exceeded"), "context_overflow", asked=3, long=True),
}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
in_places = pytest.mark.parametrize(
    ("count", "place"), [(FEW, FIRST), pytest.param(WHOLE, MIDDLE, marks=pytest.mark.slow)], ids=["the first of few", "one of 200"]
)


class Faulty:
    """An endpoint's answers, with a fault for the article `number`: `times` times, then none."""

    def __init__(self, case, number, times):
        self.case = case
        self.number = number
        self.left = times

    def __call__(self, request):
        """The fault where it is due, else a right answer."""
        if number_of(request) == self.number and self.left > 0:
            self.left -= 1
            return self.case.fault(request)
        return answer_of(request)


FOR_EVER = 10**9


@every_case
@in_places
def test_a_fault_that_happens_once_costs_nothing(case, count, place, tmp_path):
    """The article is asked again, repaired or split in the same run; what no asking again would change is healed by `--retry-failed`."""
    number = 0 if place == FIRST else count // 2
    articles = write(tmp_path / "articles", count, {number} if case.long else ())
    with LoopbackEndpoint(Faulty(case, number, times=1)) as endpoint:
        report = go(articles, endpoint, timeout_s=case.patience_s(count))
        if not case.heals and (place == MIDDLE or case.cause != "bad_request"):  # the first one's 400 might be the mode's fault
            assert (report.exit_code, report.complete, report.failed) == (3, count - 1, 1)
            assert [(failed["id"], failed["cause"]) for failed in summary(tmp_path / "out")["failures"]] == [
                (article_id(number), case.cause)
            ]
            report = go(articles, endpoint, retry_failed=True)
            assert (report.complete, report.unchanged) == (1, count - 1)
        asked = Counter(map(number_of, endpoint.requests))
    assert report.exit_code == 0
    assert summary(tmp_path / "out")["articles"] == {"complete": count}
    assert exported(tmp_path / "out") == told(articles)
    if place == MIDDLE:
        assert asked[number] == (case.asked if case.heals else case.asked + 1)


@every_case
@in_places
def test_a_fault_that_never_ends_costs_one_article(case, count, place, tmp_path):
    """The others are complete, the one is named with its reason and can be asked again; no fact is lost or doubled."""
    number = 0 if place == FIRST else count // 2
    articles, out = write(tmp_path / "articles", count, {number} if case.long else ()), tmp_path / "out"
    others = [fact for fact in told(articles) if fact[0] != article_id(number)]
    faulty = Faulty(case, number, FOR_EVER)
    with LoopbackEndpoint(faulty) as endpoint:
        report = go(articles, endpoint, timeout_s=case.patience_s(count))
        found = summary(out)
        if case.status == "complete":
            # an item that is never right is no failure: it lies in quarantine with its reasons, its neighbours are kept
            assert (report.exit_code, report.complete, report.quarantined) == (0, count, 1)
            assert exported(out) == sorted([*others, *[fact for fact in told(articles) if fact[0] == article_id(number)][1:]])
            return
        assert (report.exit_code, report.complete, report.failed + report.partial) == (3, count - 1, 1)
        (failure,) = found["failures"]
        assert (failure["id"], failure["status"], failure["cause"]) == (article_id(number), case.status, case.cause)
        assert failure["reason"]
        kept = [fact for fact in exported(out) if fact[0] == article_id(number)]
        assert exported(out) == sorted([*others, *kept])
        salvaged = {
            (article_id(number), int(_SENTENCE.search(said(request))[2])) for request in endpoint.requests if number_of(request) == number
        }
        assert kept == (sorted(salvaged) if case.fault is cut else [])
        if count == WHOLE:
            before = len(endpoint.requests)
            assert go(articles, endpoint, timeout_s=case.patience_s(count)).exit_code == 3  # it is remembered as failed
            assert (len(endpoint.requests) > before) == (case.cause in ASK_AGAIN_ALWAYS)
        faulty.left = 0
        asked = len(endpoint.requests)
        healed = go(articles, endpoint, retry_failed=True)
        assert {number_of(request) for request in endpoint.requests[asked:]} <= {number}
    assert (healed.exit_code, healed.unchanged) == (0, count - 1)
    assert exported(out) == told(articles)


# what may befall everything


class Switch:
    """An endpoint's answers: right ones, and from the request number `good` on those of `fault`, until it is set to None."""

    def __init__(self, fault, good):
        self.fault = fault
        self.good = good
        self.answered = []

    def __call__(self, request):
        """A right answer, or what befalls everybody."""
        if self.fault and len(self.answered) >= self.good:
            return self.fault(request)
        self.answered.append(number_of(request))
        return answer_of(request)


REFUSALS = {
    "401": error(401, "Incorrect API key provided."),
    "402": error(402, "Payment required."),
    "403": error(403, "You may not use this model."),
    "404": error(404, "Not Found"),
    "insufficient_quota": error(429, "You exceeded your current quota.", code="insufficient_quota"),
}


@pytest.mark.parametrize("fault", some(REFUSALS, {"401", "insufficient_quota"}))
@pytest.mark.parametrize("good", [0, 60], ids=["from the start", "in the middle"])
def test_an_endpoint_that_refuses_everything_stops_the_run(fault, good, tmp_path):
    """At most what is in flight is refused; what was done is kept and never asked again, and a later run completes the rest."""
    articles, out = write(tmp_path / "articles", WHOLE if good else FEW), tmp_path / "out"
    count = len(list(articles.iterdir()))
    answers = Switch(fault, good)
    with LoopbackEndpoint(answers) as endpoint:
        report = go(articles, endpoint)
        assert report.exit_code == 4
        assert "127.0.0.1" in report.stopped
        assert report.failed == report.partial == 0
        assert report.complete == good == len(answers.answered)
        assert len(endpoint.requests) <= good + CONCURRENCY
        assert exported(out) == [fact for fact in told(articles) if int(fact[0][1:4]) in answers.answered]
        answers.fault = None
        assert go(articles, endpoint).exit_code == 0
    assert sorted(answers.answered) == list(range(count))
    assert exported(out) == told(articles)


def test_an_endpoint_that_goes_away_stops_the_run(tmp_path):
    """When nothing listens any more the run stops instead of failing every article that is left, and a later run completes the rest."""
    articles, out = write(tmp_path / "articles", WHOLE), tmp_path / "out"
    answers = Switch(None, 0)
    gone, closed = threading.Event(), threading.Event()

    def answer(request):
        if len(answers.answered) >= 60:
            gone.set()
            closed.wait(30)  # whoever asks again finds nobody
            return Fault("reset")
        return answers(request)

    with LoopbackEndpoint(answer) as endpoint:
        closing = threading.Thread(target=lambda: (gone.wait(30), endpoint._server.socket.close(), closed.set()))
        closing.start()
        report = go(articles, endpoint)
        closing.join()
        assert report.exit_code == 4
        assert "any more" in report.stopped
        assert report.failed == report.partial == 0
        assert report.complete == 60
    with LoopbackEndpoint(answers) as endpoint:
        assert go(articles, endpoint).exit_code == 0
    assert sorted(answers.answered) == list(range(WHOLE))
    assert exported(out) == told(articles)


OUTAGES = {name: CASES[name] for name in ("429", "500", "503", "hang", "reset", "HTML under 200", "broken body under 200", "empty choices")}


@pytest.mark.parametrize("case", some(OUTAGES, {"503", "reset"}))
def test_an_endpoint_that_fails_for_everybody_stops_the_run(case, tmp_path):
    """When no article gets an answer the run stops and fails none of those in flight; a later run completes the rest."""
    count, good = 90, 30
    articles, out = write(tmp_path / "articles", count), tmp_path / "out"
    answers = Switch(case.fault, good)
    with LoopbackEndpoint(answers) as endpoint:
        report = go(articles, endpoint, timeout_s=case.patience_s(count))
        assert (report.exit_code, report.complete, report.failed, report.partial) == (4, good, 0, 0)
        assert "no answer" in report.stopped
        assert len(endpoint.requests) <= good + 3 * CONCURRENCY
        assert exported(out) == [fact for fact in told(articles) if int(fact[0][1:4]) in answers.answered]
        answers.fault = None
        assert go(articles, endpoint).exit_code == 0
    assert sorted(answers.answered) == list(range(count))
    assert exported(out) == told(articles)


@pytest.mark.parametrize("case", some({name: CASES[name] for name in ("503", "500", "HTML under 200")}, {"503"}))
def test_an_endpoint_that_never_answers_costs_a_few_articles_not_all(case, tmp_path):
    """From the start, one article after the other asks; after a few without any answer the run stops, and `--retry-failed` asks those again."""
    articles, out = write(tmp_path / "articles", WHOLE), tmp_path / "out"
    answers = Switch(case.fault, 0)
    with LoopbackEndpoint(answers) as endpoint:
        report = go(articles, endpoint)
        assert (report.exit_code, report.complete) == (4, 0)
        assert report.failed < 5
        answers.fault = None
        assert go(articles, endpoint, retry_failed=True).exit_code == 0
    assert exported(out) == told(articles)


def test_many_articles_that_fail_for_ever_do_not_stop_the_run(tmp_path):
    """As long as others are answered, each failure is its article's own."""
    articles, out = write(tmp_path / "articles", 60), tmp_path / "out"
    fault = CASES["503"].fault
    with LoopbackEndpoint(lambda request: fault(request) if number_of(request) % 6 == 3 else answer_of(request)) as endpoint:
        report = go(articles, endpoint, concurrency=4)
    assert (report.exit_code, report.complete, report.failed) == (3, 50, 10)
    assert {failure["cause"] for failure in summary(out)["failures"]} == {"server_error"}
    assert exported(out) == [fact for fact in told(articles) if int(fact[0][1:4]) % 6 != 3]


def test_a_pause_that_is_asked_for_holds_the_whole_run(tmp_path):
    """After a 429 with Retry-After nobody sends until it is over, whoever was told; then all go on."""
    articles = write(tmp_path / "articles", 60)
    told_at = []

    def answer(request):
        if number_of(request) == 30 and not told_at:
            told_at.append(time.monotonic())
            return Raw({"error": {"message": "slow down"}}, 429, {"retry-after": "1"})
        return Raw(completion(request, answer_of(request)), delay_s=0.01)

    with LoopbackEndpoint(answer) as endpoint:
        report = go(articles, endpoint, concurrency=4)
    assert (report.exit_code, len(endpoint.requests)) == (0, 61)
    after = sorted(at - told_at[0] for at in endpoint.times)
    sent_already = [at for at in after if 0 < at < 1]
    assert len(sent_already) <= 3  # by the other three before the answer with the pause was read
    assert max(sent_already, default=0) < 0.5
    assert len([at for at in after if at >= 1]) >= 25
