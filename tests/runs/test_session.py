import asyncio
import contextlib
import json
import ssl
import threading

import pytest
from answers import ARTICLE, answering, is_repair, misquoted, transfer, write_articles

from extractor.errors import CassetteMiss, EndpointError, SettingsError
from extractor.evidence.validate import Judge, NotBelieved
from extractor.llm import transport as transport_module
from extractor.llm.cassette import cassettes
from extractor.records import Article, Issue
from extractor.runs import session as session_module
from extractor.runs.flow import flow
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import Ledger
from extractor.runs.session import Memory, Session
from extractor.schemas import FundingSource, WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint, Raw, completion, mode_of

TYPES = {"weapons_transfer": WeaponsTransfer}
TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."
ONE = Article(id="one", text=TEXT)
REFUSED = Raw({"error": {"message": "Incorrect API key provided."}}, status=401)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are a hundredth, and no test here speaks TLS."""
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


@contextlib.contextmanager
def remembering(folder, endpoint, *, types=TYPES, retry_failed=False, **settings):
    """A session over the ledger of a folder, and a way to ask it: what a process has."""
    with Ledger(folder) as ledger:
        ledger.start_run({}, {name: ("b2:0", 1, {}) for name in types})
        memory = Memory(ledger=ledger, retry_failed=retry_failed)
        session = Session(types, Settings(base_url=endpoint.base_url, **settings), memory)

        def ask(*articles):
            async def all_of_them():
                try:
                    return [await session.outcome(article) for article in articles]
                finally:
                    await session.aclose()

            return asyncio.run(all_of_them())

        yield session, ask


def outcome_of(folder, endpoint, article=ONE, **options):
    with remembering(folder, endpoint, **options) as (_, ask):
        return ask(article)[0]


def kinds(endpoint):
    return ["repair" if is_repair(request) else "extract" for request in endpoint.requests]


def test_a_crash_between_extraction_and_repair_costs_the_repair_alone(tmp_path):
    """What was answered before a crash is read out of the ledger: the next process asks only what is missing."""

    async def crashing(session):
        task = asyncio.ensure_future(session.outcome(ONE))
        await asyncio.to_thread(repairing.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await session.aclose()

    alive, repairing = False, threading.Event()

    def answer(request):
        if is_repair(request):
            repairing.set()
        answered = completion(request, answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])(request))
        return Raw(answered, delay_s=60 if is_repair(request) and not alive else 0)

    with LoopbackEndpoint(answer) as endpoint:
        with remembering(tmp_path, endpoint) as (session, _):
            asyncio.run(crashing(session))
            assert session.memory.ledger.known(["one"]) == {}
        alive = True
        outcome = outcome_of(tmp_path, endpoint)
        assert kinds(endpoint) == ["extract", "repair", "repair"]
    assert [fact.verdict for fact in outcome.facts] == ["repaired"]


def test_a_refused_key_in_the_middle_loses_nothing(tmp_path):
    """An endpoint that begins to refuse everything leaves the article unknown and its answers stored."""
    refusing = True

    def answer(request):
        if refusing and is_repair(request):
            return REFUSED
        return answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])(request)

    with LoopbackEndpoint(answer) as endpoint:
        with pytest.raises(EndpointError):
            outcome_of(tmp_path, endpoint)
        refusing = False
        assert outcome_of(tmp_path, endpoint).facts[0].verdict == "repaired"
        assert kinds(endpoint) == ["extract", "repair", "repair"]


def test_a_newer_judge_judges_the_stored_replies(tmp_path, monkeypatch):
    """When the judging code has a new version, everything is judged again and nothing is asked."""
    with LoopbackEndpoint(answering(transfer(), misquoted(), repairs=[{"item": 1, "fact": transfer(status="agreed")}])) as endpoint:
        first = outcome_of(tmp_path, endpoint)
        asked = len(endpoint.requests)
        monkeypatch.setattr(session_module, "JUDGE_VERSION", session_module.JUDGE_VERSION + 1)
        with remembering(tmp_path, endpoint) as (session, ask):
            assert session.done([ONE]) == {}
            (again,) = ask(ONE)
            assert session.memory.ledger.known(["one"])["one"].judge_version == session_module.JUDGE_VERSION
            assert session.done([ONE])["one"].status == "complete"
        assert len(endpoint.requests) == asked
    assert again.facts == first.facts
    assert [fact.verdict for fact in again.facts] == ["kept", "repaired"]
    assert again.usage.attempts == 0


def test_a_stricter_judge_asks_nothing_either(tmp_path, monkeypatch):
    """What a newer judge no longer believes is quarantined with its reason; it is not sent to repair behind the user's back."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        assert outcome_of(tmp_path, endpoint).facts
        monkeypatch.setattr(session_module, "JUDGE_VERSION", session_module.JUDGE_VERSION + 1)
        strict = NotBelieved((Issue.error("too_good", "", "Nothing is believed any more."),), ())
        with remembering(tmp_path, endpoint) as (_, ask):
            monkeypatch.setattr(Judge, "judge", lambda *_: strict)
            (outcome,) = ask(ONE)
        assert len(endpoint.requests) == 1
    assert (outcome.status, outcome.facts) == ("complete", ())
    assert "too_good" in [issue.code for issue in outcome.quarantined[0].issues]


def test_a_newer_judge_asks_what_was_never_answered(tmp_path, monkeypatch):
    """Judging again finds no reply to an article whose requests all failed on the wire: that one is asked."""
    failing = True

    def answer(request):
        return Raw({"error": {"message": "busy"}}, 503) if failing else answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        assert outcome_of(tmp_path, endpoint, attempts=1).cause == "server_error"
        failing = False
        monkeypatch.setattr(session_module, "JUDGE_VERSION", session_module.JUDGE_VERSION + 1)
        assert outcome_of(tmp_path, endpoint).status == "complete"


LONG = Article(id="one", text="\n\n".join(f"{TEXT} {'Nobody else spoke. ' * 30}" for _ in range(4)))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another"},
        {"temperature": 0.5},
        {"max_output_tokens": 500},
        {"types": {"weapons_transfer": WeaponsTransfer, "funding_source": FundingSource}},
        {"article": ONE.model_copy(update={"text": TEXT + " It rained."})},
        {"article": ONE.model_copy(update={"title": "Tanks"})},
        {"article": Article(id="one", text=TEXT, published="2026-03-04")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_shapes_the_question_asks_again(change, tmp_path):
    """Another model, sampling, fact types or article is another question: the article is not done and is asked anew."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        outcome_of(tmp_path, endpoint)
        article = change.pop("article", ONE)
        with remembering(tmp_path, endpoint, **change) as (session, ask):
            assert session.done([article]) == {}
            ask(article)
            assert session.done([article])
        assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "change",
    [{"concurrency": 2}, {"timeout_s": 7}, {"attempts": 2}, {"retry_budget_s": 1}, {"repairs": 0}, {"rpm": 100}, {"part_chars": 1000}],
    ids=lambda change: next(iter(change)),
)
def test_what_does_not_shape_the_question_asks_nothing(change, tmp_path):
    """Speed, patience, limits and, for a short article, the size of parts leave what is known as it is."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        outcome_of(tmp_path, endpoint)
        with remembering(tmp_path, endpoint, **change) as (session, ask):
            assert session.done([ONE])
            ask(ONE)
        assert len(endpoint.requests) == 1


def test_another_size_of_parts_asks_a_long_article_again(tmp_path):
    """How a long article is cut is part of what is asked."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        outcome_of(tmp_path, endpoint, LONG)
        with remembering(tmp_path, endpoint, part_chars=1000) as (session, _):
            assert session.done([LONG]) == {}


def test_the_mode_is_remembered_for_the_next_process(tmp_path):
    """The walk through the modes is made once: another process over the same ledger begins with the one that worked."""

    def answer(request):
        if mode_of(request) != "json":
            return Raw({"error": {"message": "response_format or tools not supported"}}, 400)
        return answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        assert outcome_of(tmp_path, endpoint).status == "complete"
        assert [mode_of(request) for request in endpoint.requests] == ["json_schema/strict", "tools/strict", "json_schema", "tools", "json"]
        two = Article(id="two", text=TEXT + " It rained.")
        with remembering(tmp_path, endpoint) as (session, ask):
            assert session.client.mode == "json"
            ask(two, ONE)
        assert [mode_of(request) for request in endpoint.requests][5:] == ["json"]
        with remembering(tmp_path, endpoint, model="another") as (session, _):
            assert session.client.mode is None


def test_a_mode_that_no_longer_works_is_found_anew(tmp_path):
    """When the endpoint has changed, the remembered mode is given up for one that works, and that one is remembered."""
    takes = "json_schema/strict"

    def answer(request):
        return answering(transfer())(request) if mode_of(request) == takes else Raw({"error": {"message": "not supported"}}, 400)

    with LoopbackEndpoint(answer) as endpoint:
        outcome_of(tmp_path, endpoint)
        takes = "md_json"
        assert outcome_of(tmp_path, endpoint, Article(id="two", text=TEXT + " It rained.")).status == "complete"
        with remembering(tmp_path, endpoint) as (session, _):
            assert session.client.mode == "md_json"


def test_failed_articles_are_asked_again_when_told(tmp_path):
    """A refused article is done until `retry_failed`; its refusal is then no answer any more, and answers that were good still are."""
    refusing = True
    given = {"weapons_transfer": []}

    def answer(request):
        if refusing and "It rained" in request["messages"][-1]["content"]:
            return Raw(completion(request, "", refusal="No."))
        return given

    two = Article(id="two", text=TEXT + " It rained.")
    with LoopbackEndpoint(answer) as endpoint:
        with remembering(tmp_path, endpoint) as (session, ask):
            assert [outcome.status for outcome in ask(ONE, two)] == ["complete", "failed"]
            assert session.done([two])["two"].cause == "refusal"
        refusing = False
        assert outcome_of(tmp_path, endpoint, two).status == "failed"
        assert len(endpoint.requests) == 2
        with remembering(tmp_path, endpoint, retry_failed=True) as (session, ask):
            assert session.done([ONE])
            assert session.done([two]) == {}
            assert [outcome.status for outcome in ask(ONE, two)] == ["complete", "complete"]
        assert len(endpoint.requests) == 3


def test_retrying_asks_only_the_part_that_failed(tmp_path):
    """Of a long article with one refused part, `retry_failed` sends that part alone."""
    refusing = True
    text = "\n\n".join(f"Place {number}. {'Nobody else spoke. ' * 45}" for number in range(4))

    def answer(request):
        if refusing and "Place 2" in request["messages"][-1]["content"]:
            return Raw(completion(request, "", refusal="No."))
        return {"weapons_transfer": []}

    article = Article(id="long", text=text)
    with LoopbackEndpoint(answer) as endpoint:
        assert outcome_of(tmp_path, endpoint, article, part_chars=1000).status == "partial"
        asked, refusing = len(endpoint.requests), False
        assert outcome_of(tmp_path, endpoint, article, part_chars=1000, retry_failed=True).status == "complete"
        again = endpoint.requests[asked:]
    assert again
    assert all("Place 2" in request["messages"][-1]["content"] for request in again)
    assert len(again) < asked


def test_a_session_without_memory_asks_every_time():
    """Without a ledger nothing is remembered and nothing is written."""

    async def twice(session):
        try:
            return [await session.outcome(ONE) for _ in range(2)]
        finally:
            await session.aclose()

    with LoopbackEndpoint(answering(transfer())) as endpoint:
        first, second = asyncio.run(twice(Session(TYPES, Settings(base_url=endpoint.base_url), Memory())))
        assert len(endpoint.requests) == 2
    assert first == second


def test_a_bug_in_one_part_is_raised_as_itself(tmp_path, monkeypatch):
    """What breaks while one part of an article is asked is raised as it is, once the parts in flight have ended."""

    async def asking(session):
        try:
            await session.outcome(LONG)
        finally:
            assert len(asyncio.all_tasks()) == 1
            await session.aclose()

    with LoopbackEndpoint(answering(transfer())) as endpoint, remembering(tmp_path, endpoint, part_chars=1000) as (session, _):
        monkeypatch.setattr(session.memory.ledger, "attempt", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(asking(session))


def test_errors_of_other_parts_are_noted_on_the_first(tmp_path, monkeypatch):
    """None is lost, and none is told twice."""

    async def refused(*_, **__):
        await asyncio.sleep(0)
        raise EndpointError(next(refusals))

    with LoopbackEndpoint(answering()) as endpoint, remembering(tmp_path, endpoint, part_chars=1000) as (session, ask):
        parts = len(next(flow(LONG, session.plan)))
        refusals = iter([f"refusal {number}" for number in range(parts)])
        monkeypatch.setattr(session.client, "ask", refused)
        with pytest.raises(EndpointError, match="refusal 0") as raised:
            ask(LONG)
    assert raised.value.__notes__ == [
        f"Another request about the same article ended with EndpointError: refusal {number}" for number in range(1, parts)
    ]
    assert parts > 1


def test_a_setting_that_names_no_endpoint_is_said_so():
    """A session is not made without anybody to ask."""
    with pytest.raises(SettingsError, match=r"[Nn]o model to ask"):
        Session(TYPES, Settings(), Memory())


# --- cassettes --------------------------------------------------------------------------------------------------------------------


def options_of(tmp_path, **changes):
    return RunOptions(**{"paths": (str(tmp_path / "articles"),), "fact_types": tuple(TYPES), "out": tmp_path / "out", **changes})


def statuses(folder):
    with Ledger(folder, read_only=True) as ledger:
        return {entry["id"]: (entry["status"], entry["cause"]) for entry in ledger.articles()}


def test_a_request_that_the_cassettes_do_not_hold_fails_its_article(tmp_path):
    """A miss is an outcome that says so; the others are answered, and the article is asked as soon as its cassette is there."""
    articles = write_articles(tmp_path / "articles", 2)
    tapes = tmp_path / "tapes"
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        assert run(options_of(tmp_path, record=tapes, out=tmp_path / "recorded"), settings).exit_code == 0
        (articles / "new.txt").write_text(ARTICLE.format(topic="something new"))
        asked = len(endpoint.requests)
        report = run(options_of(tmp_path, replay=tapes))
        assert (report.complete, report.failed, report.misses, report.exit_code) == (2, 1, 1, 5)
        assert statuses(tmp_path / "out")["new.txt"] == ("failed", "cassette_miss")
        assert len(endpoint.requests) == asked
        assert run(options_of(tmp_path, replay=tapes)).misses == 1
        run(options_of(tmp_path, record=tapes, out=tmp_path / "recorded"), settings)
        report = run(options_of(tmp_path, replay=tapes))
        assert (report.complete, report.unchanged, report.exit_code) == (1, 2, 0)


def test_a_miss_is_raised_where_it_is_no_outcome(tmp_path):
    """Without `misses_are_outcomes` whoever asks gets the `CassetteMiss`, which names the article."""
    write_articles(tmp_path / "articles", 1)
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        run(options_of(tmp_path, record=tmp_path / "tapes"), settings)

        async def missing(tapes):
            session = Session(TYPES, settings, Memory(cassettes=tapes), mode="json_schema/strict")
            try:
                await session.outcome(ONE)
            finally:
                await session.aclose()

        with cassettes(tmp_path / "tapes", "replay") as tapes, pytest.raises(CassetteMiss) as raised:
            asyncio.run(missing(tapes))
    assert raised.value.article_id == "one"


def test_recording_asks_everything_anew(tmp_path):
    """What the ledger knows does not keep a request from being recorded."""
    write_articles(tmp_path / "articles", 2)
    with LoopbackEndpoint(answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        run(options_of(tmp_path), settings)
        assert kinds(endpoint).count("extract") == 2
        report = run(options_of(tmp_path, record=tmp_path / "tapes"), settings)
        assert (report.complete, report.unchanged) == (2, 0)
        assert kinds(endpoint).count("extract") == kinds(endpoint).count("repair") == 4
    replayed = run(options_of(tmp_path, replay=tmp_path / "tapes", out=tmp_path / "replayed"))
    assert (replayed.complete, replayed.repaired, replayed.exit_code) == (2, 2, 0)
    facts = [json.loads((tmp_path / name / "facts.jsonl").read_text().splitlines()[0])["value"] for name in ("out", "replayed")]
    assert facts[0] == facts[1]
