import asyncio
import contextlib
import gc
import inspect
import json
import os
import pickle
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import pytest
from answers import TRANSFER, answering, is_repair, misquoted, transfer, write_articles
from pydantic import Field

from extractor import api
from extractor.api import Extractor
from extractor.errors import ArticleError, CassetteMiss, EndpointError, LedgerError, ModelError, SettingsError, UsageError
from extractor.evidence.outcome import Grounded, Outcome
from extractor.facts.fact import Fact, Verbatim
from extractor.llm import transport as transport_module
from extractor.records import Article
from extractor.runs import folder
from extractor.runs.folder import RunOptions, arun, run
from extractor.runs.loop import PrivateLoop
from extractor.schemas import FundingSource, WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import Fault, LoopbackEndpoint, Raw, completion

TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."
REFUSED = Raw({"error": {"message": "Incorrect API key provided."}}, status=401)


pytestmark = [
    # anyio forgets a connection attempt that is cancelled before its first step: https://github.com/agronholm/anyio
    pytest.mark.filterwarnings("ignore:coroutine 'connect_tcp:RuntimeWarning"),
    # the endpoint of the tests complains when a cancelled request breaks off in the middle of its body
    pytest.mark.filterwarnings("ignore:Exception in thread loopback-connection:pytest.PytestUnhandledThreadExceptionWarning"),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Reading the certificates takes 30 ms a client, and no test here speaks TLS; waits before trying again are a hundredth."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)


class Rumour(Fact):
    """A rumour, as the article tells it.

    Only what is called one.
    """

    words: Verbatim = Field(description="What is rumoured, as written.")


def text_of(number):
    return f"Norway will give {number} tanks to Ukraine, the ministry in Oslo said."


def number_of(request):
    return int(re.findall(r"Norway will give (\d+) tanks", request["messages"][-1]["content"])[-1])


def fact_of(number):
    counted = {**TRANSFER["quantity"], "as_written": f"{number} tanks", "minimum": number, "maximum": number}
    return transfer(evidence=[f"Norway will give {number} tanks to Ukraine"], quantity=counted)


def numbered(request):
    """An answer that is right for the article asked about, and wrong for every other; a part of one may hold no fact."""
    is_told = "Norway will give" in request["messages"][-1]["content"]
    return {"weapons_transfer": [fact_of(number_of(request))] if is_told else []}


def numbers_in(outcome):
    return [int(fact.value.quantity.minimum) for fact in outcome.of(WeaponsTransfer)]


def extracting(endpoint, types=(WeaponsTransfer,), **options):
    return Extractor(types, base_url=endpoint.base_url, **options)


def wait_until(holds, seconds=10.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.005)


def threads():
    return {thread for thread in threading.enumerate() if not thread.name.startswith("loopback")}


def handles():
    """How many of each kind of file, socket and pipe this process has open."""
    found = Counter()
    for handle in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one that listed them
            found[re.sub(r"[0-9]+", "#", str(handle.readlink()))] += 1
    return found


class Holding:
    """An endpoint's answers: held until `let_go`, or until the client goes away, which is counted."""

    def __init__(self, answer=numbered, holds=lambda request: True):
        self.endpoint = None
        self.dropped = []
        self.under_way = self.most = 0
        self._answer, self._holds = answer, holds
        self._lock, self._released = threading.Lock(), threading.Event()

    def let_go(self):
        """Answer what is held, and everything after it."""
        self._released.set()

    def __call__(self, request):
        """One request's answer, when it may go."""
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            connection = self.endpoint._server._open[threading.current_thread()]
            while self._holds(request) and not self._released.is_set() and not self.endpoint._closing.is_set():
                if select.select([connection], [], [], 0.01)[0] and connection.recv(1, socket.MSG_PEEK) == b"":
                    self.dropped.append(request)
                    return Fault("drop")
            return self._answer(request)
        finally:
            with self._lock:
                self.under_way -= 1


@contextlib.contextmanager
def holding(**options):
    held = Holding(**options)
    with LoopbackEndpoint(held) as endpoint:
        held.endpoint = endpoint
        yield held


# --- one text ---------------------------------------------------------------------------------------------------------------------


def test_a_text_becomes_typed_facts():
    """`of` gives the facts of a type with their values as its class, and each quote stands at its span of the text."""
    with LoopbackEndpoint(answering(transfer())) as endpoint, extracting(endpoint, [WeaponsTransfer, FundingSource]) as extractor:
        outcome = extractor.extract(TEXT)
    (fact,) = outcome.of(WeaponsTransfer)
    assert isinstance(fact, Grounded)
    assert isinstance(fact.value, WeaponsTransfer)
    assert [span.of(outcome.text) for span in fact.evidence] == fact.value.evidence
    assert outcome.of(FundingSource) == []
    assert (outcome.status, outcome.reason, outcome.usage.attempts) == ("complete", None, 1)


def test_a_result_is_plain_data():
    """A result survives pickle unchanged, its dump is JSON alone, and the facts in it are read back by their class."""
    answer = answering(transfer(), misquoted(), misquoted(), repairs=[{"item": 1, "fact": transfer(status="agreed")}])
    with LoopbackEndpoint(answer) as endpoint, extracting(endpoint) as extractor:
        outcome = extractor.extract(TEXT, published="2026-03-04", title="Tanks")
    assert outcome.facts[1].verdict == "repaired"
    assert outcome.quarantined
    assert pickle.loads(pickle.dumps(outcome)) == outcome  # noqa: S301 - our own bytes
    dumped = outcome.model_dump(mode="json")
    assert json.loads(json.dumps(dumped)) == dumped == json.loads(outcome.model_dump_json())
    assert [Grounded[WeaponsTransfer].model_validate(fact) for fact in dumped["facts"]] == list(outcome.facts)


@pytest.mark.parametrize("published", ["2025-07-25", date(2025, 7, 25), datetime(2025, 7, 25, 23, 59)])  # noqa: DTZ001 - as callers write it
def test_the_publication_date_is_a_date_or_its_text(published):
    """A text and a date come to the same; a time of day is left out."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        outcome = extractor.extract(TEXT, published=published)
        assert "2025-07-25" in endpoint.requests[0]["messages"][-1]["content"]
    assert outcome.article.published == date(2025, 7, 25)
    assert type(outcome.article.published) is date


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"published": "yesterday"}, "YYYY-MM-DD"),
        ({"published": "2025-02-30"}, "YYYY-MM-DD"),
        ({"published": "2025-W30-5"}, "YYYY-MM-DD"),
        ({"published": 20250725}, "YYYY-MM-DD"),
        ({"article": None}, "article is of type NoneType"),
        ({"article": TEXT.encode()}, "article is of type bytes"),
        ({"title": 7}, "title is of type int"),
        ({"id": 7}, "id is of type int"),
        ({"id": ""}, "empty"),
        ({"id": "a\ud800"}, "not Unicode"),
        ({"article": Article(id="a", text=TEXT, source="\ud800")}, "lone surrogate"),
    ],
)
def test_a_wrong_argument_is_said_before_any_call(wrong, says):
    """What is of the wrong kind is a `UsageError` that names it, in both ways of calling; nothing is asked."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        arguments = {"article": TEXT, **wrong}
        with pytest.raises(UsageError, match=says):
            extractor.extract(**arguments)
        with pytest.raises(UsageError, match=says):
            asyncio.run(extractor.aextract(**arguments))
        assert endpoint.requests == []


@pytest.mark.parametrize("empty", ["", " \n\t", "\ufeff", Article(id="a", text="  ")])
def test_an_empty_text_is_no_article(empty):
    """A text in which nothing can be seen is an `ArticleError`, whether it comes as a text or as an `Article`."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        with pytest.raises(ArticleError, match="no text"):
            extractor.extract(empty)
        assert endpoint.requests == []


def test_title_and_id_are_the_callers():
    """The title stands before the text unless it opens it, the id names the result, and without one the same text has the same id."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        titled = extractor.extract(TEXT, title="Tanks", id="ap-1")
        assert titled.article.id == titled.facts[0].article_id == "ap-1"
        assert titled.text == f"Tanks\n\n{TEXT}"
        assert extractor.extract(titled.text, title="Tanks").text == titled.text
        assert extractor.extract(TEXT).article.id == extractor.extract(TEXT).article.id != extractor.extract(TEXT + " ").article.id


def test_an_article_is_taken_as_it_is():
    """An `Article`'s own fields hold, and the outcome has the very same article."""
    article = Article(id="ap-1", text=TEXT, title="Not in the text", published=date(2025, 7, 25), source="AP")
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        assert extractor.extract(article, title="Another", id="x").article == article


def test_a_lone_surrogate_costs_one_character(tmp_path):
    """A text that UTF-8 cannot carry is read with U+FFFD in its place, as a text or as an `Article`, and can be remembered."""
    broken = f"{TEXT} \ud800"
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint, ledger=tmp_path) as extractor:
        for given in (broken, Article(id="a", text=broken)):
            outcome = extractor.extract(given)
            assert outcome.text == f"{TEXT} \ufffd"
            assert outcome.model_dump_json()


def test_a_refusal_is_an_outcome():
    """What befell one article is its status with the model's words; `raise_for_status` raises it for those who prefer that."""
    answer = completion({}, "", refusal="I cannot discuss weapons.")
    with LoopbackEndpoint(lambda request: Raw(answer)) as endpoint, extracting(endpoint) as extractor:
        outcome = extractor.extract(TEXT, id="ap-1")
    assert (outcome.status, outcome.cause, outcome.facts) == ("failed", "refusal", ())
    with pytest.raises(ModelError, match=r"'ap-1' is failed.*I cannot discuss weapons") as raised:
        outcome.raise_for_status()
    assert raised.value.outcome == "refusal"


@pytest.mark.parametrize(
    "fault", [Fault("drop"), Fault("half"), Fault("reset"), Fault("hang"), Fault("drip", every_s=0.01), Raw(b"<html>", 200), Raw({}, 503)]
)
def test_a_broken_answer_fails_its_article_alone(fault):
    """Whatever the wire does to one article, it is an outcome with a reason, and the next article is answered."""
    settings = Settings(attempts=1, timeout_s=0.5)
    with (
        LoopbackEndpoint(lambda request: fault if number_of(request) == 7 else numbered(request)) as endpoint,
        extracting(endpoint, settings=settings) as extractor,
    ):
        assert numbers_in(extractor.extract(text_of(13))) == [13]
        outcome = extractor.extract(text_of(7))
        assert outcome.status == "failed"
        assert outcome.reason
        assert numbers_in(extractor.extract(text_of(14))) == [14]


LIES = [
    {"weapons_transfer": None},
    {"weapons_transfer": {"0": transfer()}},
    {"weapons_transfer": [None, 1, "x", [], {}, [[[]]]]},
    {"weapons_transfer": [transfer(evidence=[])]},
    {"weapons_transfer": [transfer(evidence=["", " ", "\u200b"])]},
    {"weapons_transfer": [transfer(evidence=["\ud800"])]},
    {"weapons_transfer": [transfer(designation="\x00")]},
    {"weapons_transfer": [transfer(quantity={**TRANSFER["quantity"], "minimum": 1e308, "maximum": -1e308})]},
    {"weapons_transfer": [transfer()] * 100},
    [transfer()],
    "null",
    '{"weapons_transfer": [' + "[" * 50_000,
    '{"weapons_transfer": [{"evidence": ' + "9" * 10_000 + "}]}",
    '{"weapons_transfer": [NaN, Infinity, {"quantity": NaN}]}',
    '{"weapons_transfer": [], "weapons_transfer": [' + json.dumps(transfer()) + "]}",
    json.dumps({"weapons_transfer": [transfer()], "__class__": "os.system", "x" * 10_000: 1}),
]


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_a_lying_model_never_breaks_a_call(lie, tmp_path):
    """Whatever a model says, the call ends in an outcome that can be remembered, dumped and pickled, and only true facts are in it."""

    def answer(request):
        return lie if isinstance(lie, str) else Raw(completion(request, json.dumps(lie)))

    with LoopbackEndpoint(answer) as endpoint, extracting(endpoint, ledger=tmp_path) as extractor:
        outcome = extractor.extract(TEXT)
    assert pickle.loads(pickle.dumps(outcome)) == outcome  # noqa: S301 - our own bytes
    assert outcome.model_dump_json()
    assert len(outcome.facts) <= 1
    assert all(fact.value == WeaponsTransfer.model_validate(transfer()) for fact in outcome.facts)
    assert len(endpoint.requests) < 30


def test_an_endpoint_that_refuses_everything_raises():
    """A refused key is no article's fault: it is raised, with the next move, from both ways of calling."""
    with LoopbackEndpoint(lambda request: REFUSED) as endpoint, extracting(endpoint) as extractor:
        with pytest.raises(EndpointError, match="OPENAI_API_KEY") as raised:
            extractor.extract(TEXT)
        assert raised.value.status == 401
        with pytest.raises(EndpointError):
            asyncio.run(extractor.aextract(TEXT))


def test_a_refused_part_stops_the_other_parts():
    """When the endpoint begins to refuse everything in the middle of a long article, no further part is sent."""
    long = "\n\n".join(f"{text_of(number)} {'Nobody else spoke. ' * 40}" for number in range(100))
    settings = Settings(part_chars=1000, concurrency=2)
    with (
        LoopbackEndpoint(lambda request: numbered(request) if len(endpoint.requests) == 1 else REFUSED) as endpoint,
        extracting(endpoint, settings=settings) as extractor,
    ):
        extractor.extract(TEXT)  # finds the mode
        with pytest.raises(EndpointError):
            extractor.extract(long)
        time.sleep(0.3)  # nor in the background
        assert len(endpoint.requests) <= 4


def test_an_own_fact_type_is_a_class():
    """A class passed in is asked for, judged and given back typed, without another line."""
    answer = {"rumour": [{**{key: TRANSFER[key] for key in ("attribution", "is_background")}, "evidence": [TEXT], "words": "13 tanks"}]}
    with LoopbackEndpoint(lambda request: answer) as endpoint, extracting(endpoint, [Rumour]) as extractor:
        outcome = extractor.extract(TEXT)
        assert '"rumour"' in json.dumps(endpoint.requests[0])
    assert [fact.value.words for fact in outcome.of(Rumour)] == ["13 tanks"]
    assert type(outcome.of(Rumour)[0].value) is Rumour


# --- settings ---------------------------------------------------------------------------------------------------------------------


def test_arguments_win_over_settings_over_the_environment(monkeypatch):
    """A setting given as an argument wins over `settings`, which wins over the environment, which wins over the default."""
    with LoopbackEndpoint(numbered) as endpoint:
        monkeypatch.setenv("EXTRACTOR_MODEL", "from-environment")
        monkeypatch.setenv("EXTRACTOR_BASE_URL", endpoint.base_url)
        monkeypatch.setenv("EXTRACTOR_CONCURRENCY", "3")
        given = Settings(model="from-settings")
        with (
            Extractor([WeaponsTransfer]) as first,
            Extractor([WeaponsTransfer], settings=given) as second,
            Extractor([WeaponsTransfer], settings=given, model="from-argument", api_key="sk-argument") as third,
        ):
            for extractor in (first, second, third):
                extractor.extract(TEXT)
        assert [request["model"] for request in endpoint.requests] == ["from-environment", "from-settings", "from-argument"]
        assert endpoint.headers[2]["authorization"] == "Bearer sk-argument"
        assert (first.settings.concurrency, second.settings.concurrency, second.settings.timeout_s) == (3, 3, 120.0)


def test_a_run_takes_from_the_environment_what_its_settings_leave_out(tmp_path, monkeypatch):
    """`run` with a few settings still finds the endpoint in the environment, as an `Extractor` does."""
    articles = write_articles(tmp_path / "articles")
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        monkeypatch.setenv("EXTRACTOR_BASE_URL", endpoint.base_url)
        report = run(RunOptions(paths=(str(articles),), out=tmp_path / "out"), Settings(model="mine", concurrency=2))
        assert endpoint.requests[0]["model"] == "mine"
    assert report.complete == 1


def test_no_endpoint_is_said_before_anything():
    """Without key and base URL the constructor says so and starts no thread."""
    before = threads()
    with pytest.raises(SettingsError, match="--base-url"):
        Extractor([WeaponsTransfer])
    assert threads() == before


@pytest.mark.parametrize("one", ["weapons_transfer", WeaponsTransfer])
def test_one_fact_type_is_not_a_list_of_them(one):
    """A name is a sequence of letters to Python; the constructor says that brackets are missing."""
    with pytest.raises(UsageError, match="brackets"):
        Extractor(one, base_url="http://127.0.0.1:9/v1")


# --- sync and async ---------------------------------------------------------------------------------------------------------------

CASES = {
    "kept": (answering(transfer()), {"article": TEXT}),
    "with all arguments": (answering(transfer()), {"article": TEXT, "published": "2025-07-25", "title": "Tanks", "id": "a"}),
    "an article": (answering(transfer()), {"article": Article(id="a", text=TEXT)}),
    "repaired": (answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}]), {"article": TEXT}),
    "quarantined": (answering(transfer(), misquoted()), {"article": TEXT}),
    "refused": (lambda request: Raw(completion(request, "", refusal="No.")), {"article": TEXT}),
    "nonsense": (lambda request: "The weather is fine.", {"article": TEXT}),
    "no article": (answering(), {"article": " "}),
    "no date": (answering(), {"article": TEXT, "published": "soon"}),
    "refused key": (lambda request: REFUSED, {"article": TEXT}),
}


def ending(work):
    """What a call gives or raises, to be compared."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other way must raise the same
        return type(error), error.args, vars(error)


@pytest.mark.parametrize("case", CASES)
def test_sync_and_async_end_alike(case):
    """For the same input and answers every pair gives the same outcome or raises the same error."""
    answer, arguments = CASES[case]

    def fresh(work):  # a new endpoint at the same address would be too much to ask: messages name it, so its port is hidden
        with LoopbackEndpoint(answer) as endpoint, extracting(endpoint) as extractor:
            return re.sub(r":\d+/v1", ":0/v1", repr(ending(lambda: work(extractor))))

    def many(extractor):
        return list(extractor.extract_many([arguments["article"]]))

    async def amany(extractor):
        return [outcome async for outcome in extractor.aextract_many([arguments["article"]])]

    assert fresh(lambda extractor: extractor.extract(**arguments)) == fresh(lambda extractor: asyncio.run(extractor.aextract(**arguments)))
    assert fresh(many) == fresh(lambda extractor: asyncio.run(amany(extractor)))


def test_every_async_name_has_its_sync_twin():
    """`ax` and `x` come in pairs with the same arguments; a new one cannot be left out of the parity test unseen."""

    def pairs(owner):
        names = {name for name, value in vars(owner).items() if inspect.isfunction(value) and not name.startswith("_")}
        return {name for name in names if f"a{name}" in names}, names

    found, names = pairs(Extractor)
    assert found == {"extract", "extract_many"}
    assert names - found - {f"a{name}" for name in found} == {"close"}
    assert pairs(folder)[0] == {"run"}
    twins = [(Extractor.extract, Extractor.aextract), (Extractor.extract_many, Extractor.aextract_many), (run, arun)]
    for sync, awaited in twins:
        assert list(inspect.signature(sync).parameters) == list(inspect.signature(awaited).parameters)


def test_run_and_arun_end_alike(tmp_path):
    """The same folder gives the same report and the same facts, byte for byte."""
    articles = write_articles(tmp_path / "articles", 3)
    (articles / "empty.txt").write_text(" ")
    with LoopbackEndpoint(answering(transfer(), misquoted())) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        sync = run(RunOptions(paths=(str(articles),), out=tmp_path / "sync"), settings)
        awaited = asyncio.run(arun(RunOptions(paths=(str(articles),), out=tmp_path / "async"), settings))
    assert sync == awaited
    assert (sync.complete, sync.unreadable, sync.exit_code) == (3, 1, 3)
    assert (tmp_path / "sync/facts.jsonl").read_bytes() == (tmp_path / "async/facts.jsonl").read_bytes() != b""


# --- for one call -----------------------------------------------------------------------------------------------------------------


def asked_for(request):
    return list(request["response_format"]["json_schema"]["schema"]["properties"])


def one_by(way, extractor, article=TEXT, **options):
    """One article by each of the four ways."""
    if way == "extract":
        return extractor.extract(article, **options)
    if way == "aextract":
        return asyncio.run(extractor.aextract(article, **options))
    if way == "extract_many":
        return next(extractor.extract_many([article], **options))

    async def only():
        (outcome,) = [outcome async for outcome in extractor.aextract_many([article], **options)]
        return outcome

    return asyncio.run(only())


WAYS = pytest.mark.parametrize("way", ["extract", "aextract", "extract_many", "aextract_many"])


@WAYS
def test_one_call_may_ask_for_fewer_types(way):
    """By class or name, out of the extractor's own; the next call asks for all again."""
    with LoopbackEndpoint(answering(transfer())) as endpoint, extracting(endpoint, [WeaponsTransfer, FundingSource]) as extractor:
        assert one_by(way, extractor, fact_types=["funding_source"]).facts == ()
        assert len(one_by(way, extractor, fact_types=[WeaponsTransfer]).of(WeaponsTransfer)) == 1
        one_by(way, extractor)
    assert [asked_for(request) for request in endpoint.requests] == [
        ["funding_source"],
        ["weapons_transfer"],
        ["weapons_transfer", "funding_source"],
    ]


@WAYS
def test_one_call_may_repair_less(way):
    """`repairs=0` asks once; what is not believed is quarantined."""
    with LoopbackEndpoint(answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])) as endpoint, extracting(endpoint) as extractor:
        assert len(one_by(way, extractor, repairs=0).quarantined) == len(endpoint.requests) == 1
        assert [fact.verdict for fact in one_by(way, extractor).facts] == ["repaired"]


@WAYS
def test_one_call_may_wait_longer_or_less(way):
    """`timeout_s` bounds each attempt of this call, in place of the settings', in both directions."""
    settings = Settings(attempts=1, timeout_s=0.3, retry_budget_s=0)
    slow = lambda request: Raw(completion(request, numbered(request)), delay_s=0.8)  # noqa: E731
    with LoopbackEndpoint(slow) as endpoint, extracting(endpoint, settings=settings) as extractor:
        outcome = one_by(way, extractor)
        assert (outcome.cause, "0.3 s" in outcome.reason) == ("timeout", True)
        assert one_by(way, extractor, timeout_s=20).status == "complete"
        assert "0.1 s" in one_by(way, extractor, timeout_s=0.1).reason


@WAYS
@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"fact_types": [Rumour]}, UsageError, "'rumour' is not this Extractor's, which has 'weapons_transfer'"),
        ({"fact_types": ["weapons_transfers"]}, UsageError, "'weapons_transfers' is not this Extractor's"),
        ({"fact_types": "weapons_transfer"}, UsageError, "not a sequence"),
        ({"repairs": 11}, SettingsError, "'repairs'.*less than or equal to 10"),
        ({"timeout_s": 0}, SettingsError, "'timeout_s'.*greater than 0"),
    ],
)
def test_a_wrong_option_of_a_call_is_said_before_it(way, wrong, error, says):
    """As for the extractor itself; nothing is asked."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        with pytest.raises(error, match=says):
            one_by(way, extractor, **wrong)
        assert endpoint.requests == []


def test_fewer_types_are_refused_where_a_ledger_would_forget_the_others(tmp_path):
    """A ledger keeps one outcome for an article: asking for fewer types would put it in the place of what is remembered."""
    types = [WeaponsTransfer, FundingSource]
    with LoopbackEndpoint(answering(transfer())) as endpoint, extracting(endpoint, types, ledger=tmp_path) as extractor:
        with pytest.raises(UsageError, match=r"\['weapons_transfer'\] is not all that this Extractor remembers"):
            extractor.extract(TEXT, fact_types=[WeaponsTransfer])
        assert len(extractor.extract(TEXT, fact_types=types, repairs=0).facts) == 1


@pytest.mark.parametrize("way", ["extract_many", "aextract_many"])
def test_progress_is_told_of_each_outcome_with_the_sums(way):
    """Before an outcome is given, the callback has it with what all so far come to; what it raises ends the loop like any error."""
    told = []

    def collect(extractor, progress):
        texts = [text_of(1), " ", text_of(2)]
        if way == "extract_many":
            return list(extractor.extract_many(texts, progress=progress))

        async def all_of_them():
            return [outcome async for outcome in extractor.aextract_many(texts, progress=progress)]

        return asyncio.run(all_of_them())

    def full(report, outcome):
        raise OSError("disk full")

    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        outcomes = collect(extractor, lambda report, outcome: told.append((report, outcome)))
        with pytest.raises(OSError, match="disk full"):
            collect(extractor, full)
    assert [outcome for _, outcome in told] == outcomes
    assert [report.done for report, _ in told] == [1, 2, 3]
    last = told[-1][0]
    assert (last.complete, last.failed, last.kept, last.usage.attempts) == (2, 1, 2, 2)


# --- recorded answers -------------------------------------------------------------------------------------------------------------


def test_what_was_recorded_is_replayed_without_key_or_network(tmp_path):
    """The same outcomes, with the model, the types and the settings of the recording; what was not recorded is a miss that is raised."""
    with (
        LoopbackEndpoint(answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])) as endpoint,
        extracting(endpoint, record=tmp_path, model="some-model", settings=Settings(repairs=1)) as extractor,
    ):
        recorded = extractor.extract(TEXT, published="2026-03-04")
    with Extractor(replay=tmp_path) as extractor:
        assert extractor.settings.model == "some-model"
        replayed = extractor.extract(TEXT, published="2026-03-04")
        with pytest.raises(CassetteMiss, match="text-"):
            extractor.extract(TEXT, published="2026-03-05")
    assert (replayed.facts, replayed.quarantined, replayed.usage) == (recorded.facts, recorded.quarantined, recorded.usage)
    assert [fact.verdict for fact in replayed.facts] == ["repaired"]


def test_a_replay_warns_of_settings_that_it_does_not_follow(tmp_path, caplog):
    """What was given and is not as it was recorded is named with what is replayed; what is the same, or was not given, is no news."""
    with LoopbackEndpoint(answering(transfer())) as endpoint, extracting(endpoint, record=tmp_path, settings=Settings(repairs=1)) as made:
        made.extract(TEXT)
    with Extractor(replay=tmp_path, model="gpt-5-mini", settings=Settings(repairs=1, concurrency=2)):
        assert caplog.records == []
    with Extractor(replay=tmp_path, model="another", settings=Settings(repairs=0, temperature=0.5)) as extractor:
        assert (extractor.settings.model, extractor.settings.repairs, extractor.settings.temperature) == ("gpt-5-mini", 1, None)
    said = "A replay asks as it was recorded: model is 'gpt-5-mini' and not 'another', temperature is None and not 0.5, repairs is 1 and not 0."
    assert [(record.levelname, record.name, record.getMessage()) for record in caplog.records] == [("WARNING", "extractor.api", said)]


def test_recording_and_replaying_exclude_each_other(tmp_path):
    """The one asks, the other never does."""
    with pytest.raises(UsageError, match="exclude each other"):
        Extractor(record=tmp_path, replay=tmp_path)
    with pytest.raises(UsageError, match="No cassettes"):
        Extractor(replay=tmp_path)


# --- types ------------------------------------------------------------------------------------------------------------------------

TYPED = """
from collections.abc import AsyncIterator

from extractor import Article, Extractor, Fact, Grounded, Outcome, RunReport, Settings, Span, Usage, Verbatim
from extractor.schemas import FundingSource, WeaponsTransfer


class Rumour(Fact):
    "A rumour."

    words: Verbatim


def told(report: RunReport, outcome: object) -> None:
    print(report.done, outcome)


def read(text: str, article: Article) -> list[Grounded[WeaponsTransfer]]:
    with Extractor([WeaponsTransfer, FundingSource, Rumour, "negotiation_proposal"], settings=Settings(repairs=1)) as extractor:
        result = extractor.extract(text, published="2025-07-25", fact_types=[WeaponsTransfer], timeout_s=3)
        facts = result.of(WeaponsTransfer)
        reveal_type(facts)
        reveal_type(facts[0].value.designation)
        reveal_type(result.of(Rumour)[0].value.words)
        span: Span = facts[0].evidence[0]
        usage: Usage = result.raise_for_status().usage
        cost: float | None = result.cost_usd
        print(span, usage, cost)
        for one in extractor.extract_many([text, article], progress=told):
            reveal_type(one)
    return facts


async def stream(articles: AsyncIterator[Article]) -> Outcome:
    async with Extractor() as extractor:
        async for one in extractor.aextract_many(articles, repairs=0):
            reveal_type(one)
        return await extractor.aextract("text")
"""

REVEALED = ["list[Grounded[WeaponsTransfer]]", "str", "str", "Outcome", "Outcome"]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_results_are_typed_for_a_strict_checker(checker, tmp_path):
    """`result.of(WeaponsTransfer)` is a list of `Grounded[WeaponsTransfer]` for mypy and pyright in strict mode, and nothing is unknown."""
    if checker == "pyright" and not shutil.which("node"):
        pytest.skip("pyright needs node")
    (tmp_path / "service.py").write_text(TYPED)
    root = Path(__file__).parent.parent
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "extraPaths": [str(root)], "pythonVersion": "3.11"})
    )
    ours = [
        "--config-file",
        str(root / "pyproject.toml"),
        "--cache-dir",
        str(root / ".mypy_cache"),
    ]  # as `make check`, which warms the cache
    commands = {"mypy": ["-m", "mypy", "--strict", *ours, "service.py"], "pyright": ["-m", "pyright", "--pythonpath", sys.executable]}
    environment = {**os.environ, "MYPYPATH": str(root), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run([sys.executable, *commands[checker]], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    found = re.findall(r'(?:Revealed type is|Type of ".*?" is) "(.*)"', said)
    assert [re.sub(r"\w+\.", "", name) for name in found] == REVEALED, said


# --- loops and threads ------------------------------------------------------------------------------------------------------------


def test_both_ways_work_inside_a_running_loop():
    """In a notebook or a service a loop runs already: awaiting works there, and so does the blocking call."""

    async def service(extractor):
        assert numbers_in(extractor.extract(text_of(1))) == [1]
        assert numbers_in(await extractor.aextract(text_of(2))) == [2]
        assert [numbers_in(outcome) for outcome in extractor.extract_many([text_of(3)])] == [[3]]

    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        asyncio.run(service(extractor))


def test_arun_works_inside_a_running_loop(tmp_path):
    """`arun` is awaited like anything else; `run` would block the loop and says so."""
    articles = write_articles(tmp_path / "articles", 2)

    async def service(settings):
        options = RunOptions(paths=(str(articles),), out=tmp_path / "out")
        with pytest.raises(UsageError, match="await arun"):
            run(options, settings)
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        report = await arun(options, settings)
        ticking.cancel()
        return report, ticks

    with LoopbackEndpoint(lambda request: Raw(completion(request, answering(transfer())(request)), delay_s=0.1)) as endpoint:
        report, ticks = asyncio.run(service(Settings(base_url=endpoint.base_url)))
    assert report.complete == 2
    assert ticks > 10


def test_many_threads_share_one_extractor():
    """16 threads that extract at once each get the answer to their own text, and closing leaves no thread, socket or file."""
    with LoopbackEndpoint(numbered) as endpoint, ThreadPoolExecutor(16) as pool:
        together = threading.Barrier(16)
        list(pool.map(lambda _: together.wait(), range(16)))  # the pool's own threads are there from the start
        gc.collect()
        running, opened = threads(), handles()
        with extracting(endpoint) as extractor:
            outcomes = list(pool.map(lambda number: extractor.extract(text_of(number)), range(100, 164)))
        assert threads() == running
        wait_until(lambda: handles() == opened)
    assert [numbers_in(outcome) for outcome in outcomes] == [[number] for number in range(100, 164)]


def test_many_loops_share_one_extractor():
    """Loops in several threads, one after another and at once, share the client without sharing anything of theirs."""

    async def some(extractor, first):
        return [numbers_in(one) for one in await asyncio.gather(*(extractor.aextract(text_of(first + place)) for place in range(5)))]

    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor, ThreadPoolExecutor(4) as pool:
        starts = range(100, 180, 10)
        found = list(pool.map(lambda first: asyncio.run(some(extractor, first)), starts))
    assert found == [[[first + place] for place in range(5)] for first in starts]


def test_a_thousand_concurrent_calls_are_matched_and_nothing_leaks():
    """1,000 `aextract` calls at once each get the answer to their own text, and closing leaves no thread, socket, file or task."""

    async def all_at_once(extractor):
        outcomes = await asyncio.gather(*(extractor.aextract(text_of(number), id=f"a{number}") for number in range(1000, 2000)))
        return outcomes, asyncio.all_tasks() - {asyncio.current_task()}

    with LoopbackEndpoint(numbered) as endpoint:
        gc.collect()
        running, opened = threads(), handles()
        with extracting(endpoint, settings=Settings(concurrency=32)) as extractor:
            outcomes, left = asyncio.run(all_at_once(extractor))
            loop = extractor._loop._loop
        assert left == set()
        assert loop.is_closed()
        assert threads() == running
        wait_until(lambda: handles() == opened)
    assert [(one.article.id, numbers_in(one)) for one in outcomes] == [(f"a{number}", [number]) for number in range(1000, 2000)]


def test_no_more_is_in_flight_than_the_bound():
    """However many callers there are, and however many parts an article has, the endpoint sees `concurrency` requests at a time."""
    long = "\n\n".join(f"{text_of(13)} {'Nobody else spoke. ' * 40}" for _ in range(20))

    async def many(extractor):
        await asyncio.gather(
            *(extractor.aextract(text_of(number)) for number in range(30)), extractor.aextract(long), extractor.aextract(long)
        )

    with holding(holds=lambda request: time.sleep(0.01)) as held:
        with extracting(held.endpoint, settings=Settings(concurrency=3, part_chars=1000)) as extractor:
            extractor.extract(TEXT)  # finds the mode, alone
            asyncio.run(many(extractor))
        assert len(held.endpoint.requests) > 70
    assert held.most == 3


# --- many -------------------------------------------------------------------------------------------------------------------------


def many_of(extractor, source, taking=lambda outcome: None):
    """`extract_many` to its end."""
    outcomes = []
    for outcome in extractor.extract_many(source):
        taking(outcome)
        outcomes.append(outcome)
    return outcomes


def amany_of(extractor, source, taking=lambda outcome: None):
    """The same with `aextract_many`."""

    async def collect():
        outcomes = []
        async for outcome in extractor.aextract_many(source):
            taking(outcome)
            outcomes.append(outcome)
        return outcomes

    return asyncio.run(collect())


BOTH = pytest.mark.parametrize("all_of", [many_of, amany_of])


@BOTH
def test_articles_are_consumed_as_places_come_free(all_of):
    """No article is pulled further ahead than `concurrency` beyond what was taken, and all are answered."""
    pulled, ahead = 0, []

    def source():
        nonlocal pulled
        for number in range(100, 130):
            pulled += 1
            yield text_of(number)

    taken = 0

    def taking(outcome):
        nonlocal taken
        ahead.append(pulled - taken)
        taken += 1

    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint, settings=Settings(concurrency=4)) as extractor:
        outcomes = all_of(extractor, source(), taking)
    assert max(ahead) == 4
    assert sorted(numbers_in(outcome)[0] for outcome in outcomes) == list(range(100, 130))


@BOTH
def test_outcomes_come_in_order_of_completion(all_of):
    """A slow article does not hold back the others."""

    def answer(request):
        return Raw(completion(request, numbered(request)), delay_s=0.5 if number_of(request) == 100 else 0.0)

    with LoopbackEndpoint(answer) as endpoint, extracting(endpoint, settings=Settings(concurrency=2)) as extractor:
        extractor.extract(text_of(1))
        outcomes = all_of(extractor, [text_of(number) for number in range(100, 110)])
    assert [numbers_in(outcome)[0] for outcome in outcomes][-1] == 100


@BOTH
def test_a_slow_source_does_not_hold_back_outcomes(all_of):
    """Outcomes are given while the source still has more to come, also when not every place is taken."""
    pulled, seen = 0, []

    def source():
        nonlocal pulled
        for number in range(100, 125):
            pulled += 1
            yield text_of(number)
            time.sleep(0.02)

    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint, settings=Settings(concurrency=64)) as extractor:
        extractor.extract(TEXT)
        assert len(all_of(extractor, source(), lambda outcome: seen.append(pulled))) == 25
    assert seen[0] < 25


def test_a_source_may_wait_for_the_outcomes():
    """An async source that gives the next article only after the outcome of the last one does not wait for ever."""

    async def conversation(extractor):
        answered = asyncio.Queue()

        async def source():
            for number in range(100, 103):
                yield text_of(number)
                await answered.get()

        found = []
        async for outcome in extractor.aextract_many(source()):
            found += numbers_in(outcome)
            answered.put_nowait(None)
        return found

    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        assert asyncio.run(asyncio.wait_for(conversation(extractor), 10)) == [100, 101, 102]


@BOTH
def test_one_bad_article_does_not_end_the_others(all_of):
    """An empty text among many is a failed outcome with its reason, as it was given; the others are answered."""
    given = [text_of(100), " ", Article(id="blank", text=""), text_of(101)]
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        outcomes = all_of(extractor, given)
        assert len(endpoint.requests) == 2
    failed = {outcome.article.text: outcome for outcome in outcomes if outcome.status == "failed"}
    assert set(failed) == {" ", ""}
    assert all("no text" in outcome.reason and outcome.cause == "unreadable" for outcome in failed.values())
    with pytest.raises(ModelError, match=r"'blank' is failed: .* Leave it out, or see why it was written so\.$") as raised:
        failed[""].raise_for_status()
    assert raised.value.outcome == "unreadable"  # and not what a model's answer would be called


@BOTH
def test_an_element_of_the_wrong_kind_is_named_by_its_number(all_of):
    """Among many, the type alone says little: the first that is no text and no article is told by its place, counted from 1."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        for given in ([text_of(100), Article(id="a", text=text_of(101)), None], ["", " ", {"text": "words"}]):
            with pytest.raises(UsageError, match=f"^Element 3 of articles is of type {type(given[2]).__name__}; expected a text or an Art"):
                all_of(extractor, given)


@BOTH
@pytest.mark.parametrize("one", [TEXT, TEXT.encode(), Article(id="a", text=TEXT)])
def test_one_article_is_not_many(all_of, one):
    """A text would be taken letter by letter, an article field by field; it is said before anything is asked."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        with pytest.raises(UsageError, match="brackets"):
            all_of(extractor, one)
        assert endpoint.requests == []


@BOTH
def test_an_error_of_the_source_comes_through_and_ends_the_rest(all_of):
    """What the source raises is raised as it is, and what is under way is cancelled."""

    def source():
        yield text_of(100)
        yield text_of(101)
        wait_until(lambda: held.under_way == 2)
        raise RuntimeError("the feed broke")

    with holding(holds=lambda request: number_of(request) > 1) as held, extracting(held.endpoint) as extractor:
        extractor.extract(text_of(1))
        with pytest.raises(RuntimeError, match="the feed broke"):
            all_of(extractor, source())
        wait_until(lambda: len(held.dropped) == 2)
        assert held.under_way == 0


@BOTH
def test_a_refusing_endpoint_ends_many(all_of):
    """An endpoint that begins to refuse everything is raised, and what is under way is cancelled."""

    def answer(request):
        if number_of(request) == 103:
            wait_until(lambda: held.under_way == 4)
            return REFUSED
        return numbered(request)

    with (
        holding(answer=answer, holds=lambda request: number_of(request) in (100, 101, 102)) as held,
        extracting(held.endpoint, settings=Settings(concurrency=4)) as extractor,
    ):
        extractor.extract(text_of(1))
        with pytest.raises(EndpointError):
            all_of(extractor, (text_of(number) for number in range(100, 200)))
        wait_until(lambda: len(held.dropped) == 3)
        assert len(held.endpoint.requests) == 5


def test_closing_the_generator_cancels_what_is_under_way():
    """Leaving `extract_many` early drops the requests under way; the extractor stays usable."""
    with (
        holding(holds=lambda request: number_of(request) > 100) as held,
        extracting(held.endpoint, settings=Settings(concurrency=4)) as extractor,
    ):
        outcomes = extractor.extract_many(text_of(number) for number in range(100, 200))
        assert numbers_in(next(outcomes)) == [100]
        outcomes.close()
        wait_until(lambda: held.under_way == 0)
        assert numbers_in(extractor.extract(text_of(1))) == [1]
        assert len(held.endpoint.requests) <= 5


def test_closing_the_async_generator_cancels_what_is_under_way():
    """Leaving `aextract_many` early drops the requests under way and leaves no task; the source is ended."""
    ended = []

    async def source():
        try:
            for number in range(100, 200):
                yield text_of(number)
                await asyncio.sleep(0)
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def leaving(extractor):
        async with contextlib.aclosing(extractor.aextract_many(source())) as outcomes:
            async for outcome in outcomes:
                assert numbers_in(outcome) == [100]
                break
        return asyncio.all_tasks() - {asyncio.current_task()}

    with (
        holding(holds=lambda request: number_of(request) > 100) as held,
        extracting(held.endpoint, settings=Settings(concurrency=4)) as extractor,
    ):
        assert {task for task in asyncio.run(leaving(extractor)) if "feed" in repr(task)} == set()
        wait_until(lambda: held.under_way == 0)
        assert len(held.endpoint.requests) <= 5
    assert ended == [True]


# --- cancelling and closing -------------------------------------------------------------------------------------------------------


def test_cancelling_aextract_cancels_the_request():
    """The endpoint sees the connection dropped, and nothing is left running."""

    async def impatient(extractor):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(extractor.aextract(text_of(100)), 0.3)

    with holding(holds=lambda request: number_of(request) == 100) as held, extracting(held.endpoint) as extractor:
        extractor.extract(text_of(1))
        asyncio.run(impatient(extractor))
        wait_until(lambda: len(held.dropped) == 1)
        wait_until(lambda: not asyncio.all_tasks(extractor._loop._loop))
        assert numbers_in(extractor.extract(text_of(2))) == [2]


def test_a_call_cancelled_before_it_began_is_never_made():
    """Cancelling at once, or while waiting for a place, leaves no request, no task and no complaint."""

    async def fickle(extractor):
        extractor._loop._loop.call_soon_threadsafe(time.sleep, 0.3)  # it is busy: nothing of these has begun when it is cancelled
        for _ in range(50):
            task = asyncio.ensure_future(extractor.aextract(text_of(100)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with holding(holds=lambda request: number_of(request) == 7) as held:
        with extracting(held.endpoint, settings=Settings(concurrency=1)) as extractor, ThreadPoolExecutor(1) as pool:
            extractor.extract(text_of(1))
            waiting = pool.submit(extractor.extract, text_of(7))
            wait_until(lambda: held.under_way == 1)
            asyncio.run(fickle(extractor))
            held.let_go()
            waiting.result()
            wait_until(lambda: not asyncio.all_tasks(extractor._loop._loop))
        assert len(held.endpoint.requests) == 2
    gc.collect()


def test_an_interrupted_wait_cancels_the_request():
    """Ctrl-C, or any signal handler that raises, while `extract` waits leaves nothing under way."""

    class Interrupted(BaseException):
        pass

    def interrupt(*_):
        raise Interrupted

    def press():
        wait_until(lambda: held.under_way == 1)
        os.kill(os.getpid(), signal.SIGUSR1)

    with holding(holds=lambda request: number_of(request) == 7) as held, extracting(held.endpoint) as extractor:
        extractor.extract(text_of(1))
        before = signal.signal(signal.SIGUSR1, interrupt)
        try:
            pressing = threading.Thread(target=press)
            pressing.start()
            with pytest.raises(Interrupted):
                extractor.extract(text_of(7))
        finally:
            signal.signal(signal.SIGUSR1, before)
            pressing.join()
        wait_until(lambda: len(held.dropped) == 1)


def test_a_closed_extractor_says_so():
    """After `close`, which may be called again, every way of asking is a `UsageError`."""
    with LoopbackEndpoint(numbered) as endpoint:
        extractor = extracting(endpoint)
        extractor.extract(TEXT)
        extractor.close()
        extractor.close()
        for work in (
            lambda: extractor.extract(TEXT),
            lambda: asyncio.run(extractor.aextract(TEXT)),
            lambda: many_of(extractor, [TEXT]),
            lambda: amany_of(extractor, [TEXT]),
        ):
            with pytest.raises(UsageError, match="closed"):
                work()
        assert len(endpoint.requests) == 1


def test_closing_ends_the_calls_of_others():
    """Whoever waits while somebody else closes gets a `UsageError`, never a cancellation that is not theirs, and never waits for ever."""

    async def waiting(extractor, number):
        with pytest.raises(UsageError, match="closed while"):
            await extractor.aextract(text_of(number))
        assert asyncio.current_task().cancelling() == 0

    with holding() as held, ThreadPoolExecutor(8) as pool:
        # one mode is remembered by nobody: the first call walks and the others wait, in whatever state they are
        extractor = extracting(held.endpoint, settings=Settings(concurrency=4))
        blocked = [pool.submit(extractor.extract, text_of(number)) for number in range(4)]
        awaited = [pool.submit(asyncio.run, waiting(extractor, number)) for number in range(4, 8)]
        # all eight are on the loop: one that came after the close would be told something else
        wait_until(lambda: sum("_bounded" in repr(task) for task in asyncio.all_tasks(extractor._loop._loop)) == 8)
        wait_until(lambda: held.under_way >= 1)
        extractor.close()
        for future in blocked:
            with pytest.raises(UsageError, match="closed while"):
                future.result(10)
        for future in awaited:
            future.result(10)
        wait_until(lambda: held.under_way == 0)


def test_cancelling_and_closing_at_once_leaves_nothing_to_complain_about(caplog):
    """What was cancelled just before `close` has nobody who waits for it: asyncio logs no exception that was never retrieved."""

    async def last():
        pass

    for _ in range(20):
        loop = PrivateLoop(4, last=last)
        waiting, cancelled = (loop.submit(lambda: asyncio.sleep(10)) for _ in range(2))
        wait_until(lambda loop=loop: sum("_bounded" in repr(task) for task in asyncio.all_tasks(loop._loop)) == 2)
        cancelled.cancel()
        loop.close()
        with pytest.raises(UsageError, match="closed while"):
            waiting.result(10)
    gc.collect()
    assert not caplog.records


def test_calls_and_closing_may_race():
    """Threads that go on calling while another closes each end with an outcome or a `UsageError`; none hangs."""
    with LoopbackEndpoint(numbered) as endpoint:
        for _ in range(5):
            extractor = extracting(endpoint)

            def calling(extractor=extractor):
                with contextlib.suppress(UsageError):
                    while True:
                        extractor.extract(TEXT)

            with ThreadPoolExecutor(6) as pool:
                callers = [pool.submit(calling) for _ in range(4)]
                time.sleep(0.02)
                closers = [pool.submit(extractor.close) for _ in range(2)]
                for future in [*callers, *closers]:
                    future.result(10)


@pytest.mark.parametrize("way", ["with", "async with", "close", "raising", "garbage"])
def test_everything_is_closed_for_sure(way, tmp_path):
    """However an extractor ends, even by the garbage collector, its thread, its sockets, its files and its lock on the ledger are gone."""

    async def in_a_loop():
        async with extracting(endpoint, ledger=tmp_path) as extractor:
            await extractor.aextract(TEXT)

    def raising():
        with extracting(endpoint, ledger=tmp_path) as extractor:
            extractor.extract(TEXT)
            raise ZeroDivisionError

    def leave():
        if way == "with":
            with extracting(endpoint, ledger=tmp_path) as extractor:
                extractor.extract(TEXT)
        elif way == "async with":
            asyncio.run(in_a_loop())
        elif way == "raising":
            with pytest.raises(ZeroDivisionError):
                raising()
        else:
            extractor = extracting(endpoint, ledger=tmp_path)
            extractor.extract(TEXT)
            if way == "close":
                extractor.close()

    with LoopbackEndpoint(numbered) as endpoint:
        extracting(endpoint).close()  # what is opened once for all
        gc.collect()
        running, opened = threads(), handles()
        leave()
        gc.collect()
        if way != "garbage":  # which nobody waits for
            assert threads() == running
        wait_until(lambda: threads() == running and handles() == opened)
        with extracting(endpoint, ledger=tmp_path) as again:  # the lock is free
            again.extract(TEXT)
        assert len(endpoint.requests) == 1


def test_a_failing_constructor_leaves_nothing_open(tmp_path, monkeypatch):
    """When the ledger cannot be begun, its lock is let go and no thread stays."""
    with LoopbackEndpoint(numbered) as endpoint:
        extracting(endpoint, ledger=tmp_path).close()
        running, opened = threads(), handles()

        def full(*_):
            raise LedgerError("full")

        with monkeypatch.context() as patch:
            patch.setattr(api.Ledger, "start_run", full)
            with pytest.raises(LedgerError):
                extracting(endpoint, ledger=tmp_path)
        assert threads() == running
        wait_until(lambda: handles() == opened)
        extracting(endpoint, ledger=tmp_path).close()


def test_closing_closes_all_though_the_ledger_fails(tmp_path):
    """When the ledger cannot be ended, `close` raises it, and the thread, the client and the lock are gone all the same."""
    with LoopbackEndpoint(numbered) as endpoint:
        running = threads()
        extractor = extracting(endpoint, ledger=tmp_path)
        extractor.extract(TEXT)
        extractor._session.memory.ledger._db.execute("PRAGMA query_only = 1")
        with pytest.raises(LedgerError):
            extractor.close()
        assert threads() == running
        with extracting(endpoint, ledger=tmp_path) as again:
            assert numbers_in(again.extract(TEXT)) == [13]


SCRIPT = """
import sys
from extractor.api import Extractor
from extractor.schemas import WeaponsTransfer
extractor = Extractor([WeaponsTransfer], base_url=sys.argv[1], ledger=sys.argv[2])
print(extractor.extract("Norway will give 13 tanks to Ukraine, the ministry in Oslo said.").status)
"""


def scripted(endpoint, folder, more=""):
    command = [sys.executable, "-W", "error", "-c", SCRIPT + more, endpoint.base_url, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_a_process_ends_quietly_with_an_extractor_that_nobody_closed(tmp_path):
    """At the end of a process an open extractor neither holds it up nor says a word, and its ledger can be used again."""
    with LoopbackEndpoint(numbered) as endpoint:
        ended = scripted(endpoint, tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "complete\n", "")
        with extracting(endpoint, ledger=tmp_path) as extractor:
            assert numbers_in(extractor.extract(TEXT)) == [13]
        assert len(endpoint.requests) == 1


def test_a_forked_process_is_told_to_make_its_own(tmp_path):
    """After a fork the child has no thread to answer it: it is told so at once, and closing does not hang."""
    fork = """
import os, warnings
from extractor.errors import UsageError
warnings.simplefilter("ignore")
child = os.fork()
if child:
    print(os.waitpid(child, 0)[1], extractor.extract("Norway will give 14 tanks to Ukraine.").status)
else:
    try:
        extractor.extract("Norway will give 15 tanks to Ukraine.")
    except UsageError as told:
        extractor.close()
        os._exit("fork" not in str(told))
"""
    with LoopbackEndpoint(numbered) as endpoint:
        ended = scripted(endpoint, tmp_path, fork)
    assert ended.stdout.split() == ["complete", "0", "complete"], ended.stderr


# --- with a ledger ----------------------------------------------------------------------------------------------------------------


def test_a_second_extractor_over_the_same_ledger_asks_nothing(tmp_path):
    """What was answered is not paid for twice; the outcome is the same, at no usage."""
    answer = answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])
    with LoopbackEndpoint(answer) as endpoint:
        with extracting(endpoint, ledger=tmp_path) as extractor:
            first = extractor.extract(TEXT)
        asked = len(endpoint.requests)
        with extracting(endpoint, ledger=tmp_path) as extractor:
            second = extractor.extract(TEXT)
        assert [is_repair(request) for request in endpoint.requests] == [False, True]
        assert len(endpoint.requests) == asked
    assert first.facts == second.facts
    assert second.usage.attempts == 0
    assert [json.loads(line)["article_id"] for line in (tmp_path / "facts.jsonl").read_text().splitlines()] == [first.article.id]


def test_two_extractors_do_not_share_a_ledger(tmp_path):
    """The second is refused with the reason, and leaves no thread; the first goes on."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint, ledger=tmp_path) as extractor:
        running = threads()
        with pytest.raises(LedgerError, match="Another run"):
            extracting(endpoint, ledger=tmp_path)
        assert threads() == running
        assert numbers_in(extractor.extract(TEXT)) == [13]


def test_concurrent_calls_are_all_remembered(tmp_path):
    """Calls from many threads are rows of one ledger, each with its own facts."""
    with LoopbackEndpoint(numbered) as endpoint, ThreadPoolExecutor(16) as pool, extracting(endpoint, ledger=tmp_path) as extractor:
        list(pool.map(lambda number: extractor.extract(text_of(number), id=f"a{number}"), range(100, 148)))
    rows = [json.loads(line) for line in (tmp_path / "facts.jsonl").read_text().splitlines()]
    assert [(row["article_id"], row["value"]["quantity"]["minimum"]) for row in rows] == [(f"a{n}", n) for n in range(100, 148)]


def test_requests_shows_what_would_be_sent_and_sends_nothing(tmp_path):
    """What `requests` shows is, part by part, what `run` then sends, without a key; also where a loop runs."""
    articles = write_articles(tmp_path / "articles", 2)
    options = RunOptions(paths=(str(articles),), fact_types=("weapons_transfer",), out=tmp_path / "out")

    async def in_a_notebook():
        return list(folder.requests(options))

    shown = [request.body for request in folder.requests(options)]
    assert [request.body for request in asyncio.run(in_a_notebook())] == shown
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(options, Settings(base_url=endpoint.base_url, concurrency=1))
        assert endpoint.requests == shown


def test_outcomes_compare_and_hash_nothing_shared():
    """Two outcomes of the same text are equal and independent: neither can be edited."""
    with LoopbackEndpoint(numbered) as endpoint, extracting(endpoint) as extractor:
        first, second = extractor.extract(TEXT), extractor.extract(TEXT)
    assert first == second
    assert isinstance(first, Outcome)
    with pytest.raises(ValueError, match="frozen"):
        first.status = "failed"
