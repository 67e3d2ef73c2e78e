import asyncio
import json
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
import time

import pytest
from answers import ARTICLE, answering, is_repair, misquoted, told_apart, transfer, write_articles
from batch_endpoint import BatchEndpoint

from extractor.errors import LedgerError, SettingsError, UsageError
from extractor.llm import batch_files
from extractor.llm import transport as transport_module
from extractor.runs import dispatch as dispatch_module
from extractor.runs import run as run_module
from extractor.runs.batch import TRIES, BatchRun
from extractor.runs.folder import RunOptions, dry_run, run
from extractor.runs.ledger import Ledger
from extractor.settings import Settings
from extractor.testing import completion

REPAIRED = {"repairs": [{"item": 1, "fact": transfer(status="agreed")}]}
SOON_S = 30.0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are a hundredth, and no test here speaks TLS."""
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    monkeypatch.setattr(batch_files, "_CREATE_WAIT_S", 0.01)
    monkeypatch.setattr(dispatch_module, "FIRST_POLL_S", 0.01)
    monkeypatch.setattr(dispatch_module, "LONGEST_POLL_S", 0.02)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


class Trial:
    """Articles, a run folder, and what was said."""

    def __init__(self, tmp_path, count=4):
        self.articles = told_apart(write_articles(tmp_path / "articles", count))
        self.out = tmp_path / "out"
        self.said = []

    def options(self, **changes):
        """Options of a run."""
        return RunOptions(
            **{"paths": (str(self.articles),), "fact_types": ("weapons_transfer",), "out": self.out, "batch": True, **changes}
        )

    def run(self, endpoint, *, settings=None, **changes):
        """One run, and its report."""
        options = {"base_url": endpoint.base_url, "price_usd": (1.0, 2.0), **(settings or {})}
        return run(self.options(**changes), Settings(**options), notice=self.said.append)

    @property
    def facts(self):
        """Rows of the facts file."""
        return [json.loads(line) for line in (self.out / "facts.jsonl").read_text(encoding="utf-8").splitlines()]

    @property
    def summary(self):
        """The ledger's counts, once it holds."""
        with Ledger(self.out, read_only=True) as ledger:
            assert ledger.verify() == []
            return ledger.summary()

    def sql(self, statement):
        """Rows of the ledger."""
        db = sqlite3.connect(self.out / "ledger.sqlite")
        try:
            return db.execute(statement).fetchall()
        finally:
            db.close()


@pytest.fixture
def trial(tmp_path):
    return Trial(tmp_path)


def broken(status, code=None):
    return status, {"error": {"message": f"Status {status}.", "code": code}}


def once(rows_of):
    """Mangles the first batch alone."""
    return lambda number, output, errors: rows_of(output, errors) if number == 1 else ("completed", output, errors)


def test_all_articles_go_into_one_batch_and_their_repairs_into_a_second(trial):
    """Each round is one batch; no article is asked alone, and the facts are judged and repaired as in any run."""
    with BatchEndpoint(answering(transfer(), misquoted(), **REPAIRED), looks=3) as endpoint:
        report = trial.run(endpoint)
        assert [len(body) for body in endpoint.inputs.values()] == [4, 4]
        assert [is_repair(body) for body in endpoint.asked] == [False] * 4 + [True] * 4
        assert endpoint.calls == []
        assert (report.exit_code, report.complete, report.kept, report.repaired) == (0, 4, 4, 4)
        assert report.usage.attempts == 8
        assert trial.run(endpoint).unchanged == 4
        assert len(endpoint.batches) == 2
    assert [row["verdict"] for row in trial.facts] == ["kept", "repaired"] * 4
    assert any("in_progress" in line for line in trial.said)


def test_a_batch_costs_half(trial, tmp_path):
    """The same answers cost half of what they cost one by one, in the report, in the ledger and in the estimate."""
    plain = Trial(tmp_path / "plain")
    with BatchEndpoint(answering(transfer())) as endpoint:
        dear = plain.run(endpoint, batch=False)
        cheap = trial.run(endpoint)
        assert cheap.usage == dear.usage
        assert cheap.cost_usd == pytest.approx(dear.cost_usd / 2)
        assert trial.summary["cost_usd"] == pytest.approx(cheap.cost_usd)
        settings = Settings(base_url=endpoint.base_url, price_usd=(1.0, 2.0))
        once_more = {"out": tmp_path / "none"}
        halved = dry_run(trial.options(**once_more), settings).cost_usd
        assert halved == pytest.approx(dry_run(trial.options(batch=False, **once_more), settings).cost_usd / 2)


@pytest.mark.parametrize(
    "mangled",
    [
        pytest.param(lambda output, errors: ("completed", output[::2], errors), id="half the rows missing"),
        pytest.param(lambda output, errors: ("expired", output[:1], []), id="expired, the rest in no file"),
        pytest.param(
            lambda output, errors: (
                "expired",
                output[:1],
                [{**row, "response": None, "error": {"code": "batch_expired", "message": "Not executed."}} for row in output[1:]],
            ),
            id="expired, as documented",
        ),
        pytest.param(lambda output, errors: ("cancelled", output[:2], []), id="cancelled"),
        pytest.param(
            lambda output, errors: (
                "completed",
                output[:2],
                [
                    {**output[2], "response": {"status_code": 429, "body": {"error": {"message": "Slow down."}}}},
                    {**output[3], "response": {"status_code": 500, "body": {"error": {"message": "Oh."}}}},
                ],
            ),
            id="rows with 429 and 500",
        ),
        pytest.param(
            lambda output, errors: ("completed", [json.dumps(row).encode()[:-40] for row in output[:2]] + output[2:], errors), id="torn lines"
        ),
        pytest.param(lambda output, errors: ("completed", [b"\xff\xfe{{{", b"[]", b"null", *output[2:]], errors), id="lines of nonsense"),
        pytest.param(lambda output, errors: ("completed", [{**row, "response": None} for row in output[:2]] + output[2:], errors), id="empty rows"),
        pytest.param(
            lambda output, errors: ("completed", [{**row, "response": {"status_code": 200, "body": "<html>"}} for row in output], errors),
            id="bodies of nonsense",
        ),
        pytest.param(lambda output, errors: ("completed", [], []), id="no files at all"),
    ],
)  # fmt: skip
def test_what_came_back_without_an_answer_is_asked_again_and_nothing_else_is(trial, mangled):
    """Rows that are missing, refused or broken go into the next batch; those with an answer are never asked twice."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.mangle = once(mangled)
        report = trial.run(endpoint)
        assert (report.exit_code, report.complete, report.kept) == (0, 4, 4)
        first, second = (list(map(json.dumps, endpoint.inputs[number])) for number in (1, 2))
        answered = {json.dumps(body) for body in endpoint.inputs[1]} - set(second)
        lost = len(second)
        assert 0 < lost <= 4
        assert len(answered) + lost == len(first)
        assert len(endpoint.batches) == 2
    assert trial.summary["attempt_outcomes"]["ok"] == 4
    assert trial.summary["attempts"] == 4 + lost


def test_strange_and_doubled_rows_are_kept_and_change_nothing(trial):
    """A second answer to a request and an answer to none are no attempts; they are said, and kept in the ledger."""

    def mangled(output, errors):
        again = json.loads(json.dumps(output[0]).replace("pledged", "cancelled"))
        strange = {**output[0], "custom_id": "somebody-elses"}
        return "completed", [*output, again, strange], errors

    with BatchEndpoint(answering(transfer()), mangle=once(mangled)) as endpoint:
        report = trial.run(endpoint)
        assert (report.kept, report.usage.attempts, len(endpoint.batches)) == (4, 4, 1)
    assert {row["value"]["status"] for row in trial.facts} == {"pledged"}
    strays = trial.sql("SELECT line, reason FROM batch_strays ORDER BY reason")
    assert ["somebody-elses" in line for line, _ in strays] == [False, True]
    assert ["second answer" in reason for _, reason in strays] == [True, False]
    assert sum("kept in the ledger" in line for line in trial.said) == 2


def test_a_request_that_never_gets_an_answer_fails_its_article_alone(trial):
    """After so many batches the article is failed with its reason, the others are complete, and --retry-failed asks it again."""
    dead = True

    def answer(request):
        return broken(500) if dead and "topic 2" in json.dumps(request) else answering(transfer())(request)

    with BatchEndpoint(answer) as endpoint:
        report = trial.run(endpoint)
        assert [len(bodies) for bodies in endpoint.inputs.values()] == [4] + [1] * (TRIES - 1)
        assert (report.exit_code, report.complete, report.failed) == (3, 3, 1)
        assert trial.sql("SELECT id, cause FROM articles WHERE status = 'failed'") == [("a02.txt", "server_error")]
        assert trial.run(endpoint).unchanged_incomplete == 1
        assert len(endpoint.batches) == TRIES
        dead = False
        assert trial.run(endpoint, retry_failed=True).complete == 1
        assert len(endpoint.batches) == TRIES + 1


def test_a_refusal_asked_again_is_asked_once(trial):
    """With --retry-failed a refusal goes into one more batch, and a second refusal stands."""
    message = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, "refusal": "No."}}]}
    with BatchEndpoint(lambda request: (200, message)) as endpoint:
        assert trial.run(endpoint).failed == 4
        assert trial.run(endpoint, retry_failed=True).failed == 4
        assert len(endpoint.batches) == 2


def test_a_refusal_is_asked_again_whatever_is_on_its_way_elsewhere(trial):
    """A batch that waits for another endpoint does not make an old refusal one of this pass."""
    message = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, "refusal": "No."}}]}
    refusing = True
    right = answering(transfer())

    def answer(request):
        return (200, message) if refusing and "topic 2" in json.dumps(request) else right(request)

    with BatchEndpoint(answer, looks=10_000) as other, BatchEndpoint(answer) as endpoint:
        interrupted(trial, other)
        assert trial.run(endpoint).failed == 1
        refusing = False
        assert trial.run(endpoint, retry_failed=True).complete == 1
        assert len(endpoint.asked) == 5


@pytest.mark.parametrize("status", ["QUEUED", "IN_PROGRESS", "paused", None])
def test_a_state_that_nobody_knows_is_no_end(trial, status):
    """Servers have words of their own for a batch on its way: it is waited for, never asked a second time."""
    with BatchEndpoint(answering(transfer()), looks=3) as endpoint:
        shown = endpoint.shown
        endpoint.shown = lambda batch: shown(batch) | ({"status": status} if batch["status"] == "in_progress" else {})
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.asked) == 4


@pytest.mark.parametrize("body", [{"hello": 1}, b'"hello"', b"<html>"])
@pytest.mark.parametrize("failing", [("GET", "/batches/"), ("POST", "/batches"), ("POST", "/files")])
def test_a_gateways_page_in_the_place_of_an_answer_costs_nothing(trial, failing, body):
    """Under status 200 too: it ends the run at the most, and the same command goes on with the batch that there is."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.fail.append((*failing, 200, body))
        report = trial.run(endpoint)
        assert report.exit_code in (0, 4)
        assert trial.run(endpoint).exit_code == 0
        assert len(endpoint.asked) == 4


@pytest.mark.parametrize(
    "response",
    [
        {"status_code": 500, "body": {"error": {"message": "Oh \ud800."}}},
        {"status_code": 10**25, "body": {}},
        {"status_code": 200, "body": {"choices": [{"message": {"content": "\ud800"}, "finish_reason": "\ud800"}]}},
        {"status_code": 200, "body": {"choices": [], "usage": {"prompt_tokens": 10**30, "completion_tokens": 1}}},
    ],
)
def test_a_row_that_no_ledger_could_hold_keeps_no_batch_from_being_collected(trial, response):
    """Lone surrogates and numbers beyond 64 bits are stored as what they can be, or not at all; the other rows count."""

    def mangled(output, errors):
        stranger = b'{"custom_id": "\\ud800", "response": null, "error": null}'
        return "completed", [stranger, json.dumps({**output[0], "response": response}).encode(), *output[1:]], errors

    with BatchEndpoint(answering(transfer()), mangle=once(mangled)) as endpoint:
        report = trial.run(endpoint)
        assert report.complete + report.failed == 4
        assert report.complete >= 3
        assert len(endpoint.made()) <= 3
    assert trial.summary["attempts"] >= 4


def test_a_long_article_is_halved_in_the_next_batch(trial):
    """A row that overflows the context is an answer: the article's halves go into the next batch."""
    (trial.articles / "a01.txt").write_text(ARTICLE.format(topic="x. " + "Nothing more was said. \n\n" * 300), encoding="utf-8")

    def answer(request):
        text = request["messages"][-1]["content"]
        return (
            broken(400, "context_length_exceeded")
            if len(text) > 6000
            else answering(*([transfer()] if "13 tanks" in text else []))(request)
        )

    with BatchEndpoint(answer) as endpoint:
        assert trial.run(endpoint).complete == 4
        assert [len(bodies) for bodies in endpoint.inputs.values()] == [4, 2]
    assert len(trial.facts) == 4


def test_articles_of_the_same_text_are_asked_once(trial):
    """One key is in one batch once, whatever number of articles wait for it; so are their repairs."""
    for name in ("a01.txt", "a02.txt"):
        (trial.articles / name).write_text((trial.articles / "a00.txt").read_text(encoding="utf-8"), encoding="utf-8")
    with BatchEndpoint(answering(transfer(), misquoted(), **REPAIRED)) as endpoint:
        assert trial.run(endpoint).complete == 4
        assert [len(bodies) for bodies in endpoint.inputs.values()] == [2, 2]
    assert len(trial.facts) == 8


@pytest.mark.parametrize("bound", ["requests", "bytes"])
def test_a_batch_is_cut_at_the_providers_limits(trial, monkeypatch, bound):
    """More requests or bytes than one batch takes become several; a full one is sent while articles are still read."""
    if bound == "requests":
        monkeypatch.setattr(dispatch_module, "MAX_REQUESTS", 3)
    else:
        monkeypatch.setattr(dispatch_module, "MAX_BYTES", 50_000)
    write_articles(trial.articles, 8)
    with BatchEndpoint(answering(transfer()), max_requests=3 if bound == "requests" else 50_000) as endpoint:
        assert trial.run(endpoint).complete == 8
        sizes = [len(bodies) for bodies in endpoint.inputs.values()]
        assert sum(sizes) == 8
        assert len(sizes) > 1
        assert all(len(endpoint.files[name]) <= 50_000 or bound == "requests" for name in endpoint.uploads)


def test_few_batches_are_open_at_a_time(trial, monkeypatch):
    """No more articles are read than wait for so many batches; the others follow as batches end."""
    monkeypatch.setattr(dispatch_module, "MAX_REQUESTS", 1)
    monkeypatch.setattr(dispatch_module, "MOST_OPEN", 2)
    monkeypatch.setattr(run_module, "READ_AHEAD", 1)
    most = 0

    def answer(request):
        nonlocal most
        most = max(most, len(endpoint.made("in_progress")))
        return answering(transfer())(request)

    with BatchEndpoint(answer, looks=2) as endpoint:
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.batches) == 4
    assert most == 2


@pytest.mark.parametrize(("room", "cut"), [(3, 2), (1, 10)], ids=["waits for the one before", "halves what does not fit"])
def test_a_full_queue_is_waited_for(trial, monkeypatch, room, cut):
    """A batch that the provider's queue has no room for is sent again later, smaller where it is too large by itself."""
    monkeypatch.setattr(dispatch_module, "MAX_REQUESTS", cut)
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.queue_room = room
        report = trial.run(endpoint)
        assert (report.exit_code, report.complete) == (0, 4)
        assert len(endpoint.asked) == 4
        assert endpoint.made("failed")
    assert trial.summary["attempts"] == 4


def test_parts_of_an_article_that_fit_no_queue_together_go_one_by_one(trial):
    """A batch is cut between the requests of one article too, or it would be sent again for ever."""
    for path in sorted(trial.articles.iterdir())[1:]:
        path.unlink()
    (trial.articles / "a00.txt").write_text(ARTICLE.format(topic="x. " + "Nothing more was said. \n\n" * 300), encoding="utf-8")
    with BatchEndpoint(answering()) as endpoint:
        endpoint.queue_room = 1
        make, made = endpoint.make, []

        def bounded(wanted):
            made.append(wanted)
            assert len(made) < 20
            return make(wanted)

        endpoint.make = bounded
        assert trial.run(endpoint, settings={"part_chars": 4_000}).complete == 1
        assert [len(bodies) for bodies in endpoint.inputs.values()] == [1] * len(endpoint.asked)
        assert len(endpoint.asked) > 1


def test_a_queue_that_takes_nothing_stops_the_run(trial):
    """Where not even one request fits, the run says so and ends resumable."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.queue_room = 0
        report = trial.run(endpoint)
        assert report.exit_code == 4
        assert "not even one request" in report.stopped
        endpoint.queue_room = None
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.asked) == 4


def test_batches_refused_as_a_whole_stop_the_run(trial):
    """A second refusal in a row ends the run with the provider's words; nothing was asked, and nothing is lost."""
    with BatchEndpoint(answering(transfer()), max_requests=1) as endpoint:
        report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.batches)) == (4, 2)
        assert "too_many_tasks" in report.stopped
        endpoint.max_requests = 10
        assert trial.run(endpoint).complete == 4


def test_an_endpoint_without_batches_is_said(trial):
    """The message names --batch, not a model that is not there."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.fail.append(("POST", "/files", 404, None))
        report = trial.run(endpoint)
    assert report.exit_code == 4
    assert "without --batch" in report.stopped


def test_a_refused_mode_is_said_with_the_way_on(trial):
    """Where every request is refused, the run stops and names the plain run that finds a mode; then batches use that mode."""

    def answer(request):
        strict = (request.get("response_format") or {}).get("json_schema", {}).get("strict")
        return broken(400, "unsupported") if strict else answering(transfer())(request)

    with BatchEndpoint(answer) as endpoint:
        report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.batches)) == (4, 1)
        assert "--limit 1" in report.stopped
        assert trial.run(endpoint, batch=False, limit=1).complete == 1
        report = trial.run(endpoint)
        assert (report.exit_code, report.complete, len(endpoint.batches)) == (0, 3, 2)


def test_a_used_up_quota_in_a_row_stops_the_run(trial):
    """What every request would meet ends the run after the rest of the batch is stored."""
    with BatchEndpoint(lambda request: broken(429, "insufficient_quota")) as endpoint:
        report = trial.run(endpoint)
    assert report.exit_code == 4
    assert "quota" in report.stopped
    assert trial.summary["attempts"] == 4


def test_money_is_counted_before_the_upload(trial):
    """Requests whose expected cost does not fit are not sent; those sent come in, and a larger sum goes on."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        with Ledger(trial.out):
            pass
        report = trial.run(endpoint, settings={"max_cost_usd": 0.000001})
        assert (report.exit_code, endpoint.uploads) == (4, [])
        assert "--max-cost" in report.stopped
        one = dry_run(trial.options(limit=1), Settings(base_url=endpoint.base_url, price_usd=(1.0, 2.0))).cost_usd
        report = trial.run(endpoint, settings={"max_cost_usd": one * 2.5})
        assert (report.exit_code, report.complete) == (4, 2)
        assert report.cost_usd <= one * 2.5
        assert trial.run(endpoint, settings={"max_cost_usd": 1}).complete == 2
        assert len(endpoint.asked) == 4


def test_what_nobody_says_the_cost_of_is_held_against_the_limit(trial, monkeypatch):
    """Where rows report no tokens, what was reserved for them stays spent: a limit that never fills limits nothing."""
    monkeypatch.setattr(dispatch_module, "MAX_REQUESTS", 1)
    monkeypatch.setattr(dispatch_module, "MOST_OPEN", 1)
    monkeypatch.setattr(run_module, "READ_AHEAD", 1)

    def answer(request):
        return 200, {name: value for name, value in completion(request, answering(transfer())(request)).items() if name != "usage"}

    with BatchEndpoint(answer) as endpoint:
        one = dry_run(trial.options(limit=1), Settings(base_url=endpoint.base_url, price_usd=(1.0, 2.0))).cost_usd
        assert trial.run(endpoint, settings={"max_cost_usd": one * 2.5}).exit_code == 4
        assert len(endpoint.asked) == 2


def test_what_is_paid_for_is_in_the_report_of_a_run_that_was_stopped(trial):
    """Where the file of errors cannot be had, the answers that came before it are counted all the same."""
    with BatchEndpoint(answering(transfer())) as endpoint:

        def mangled(output, errors):
            endpoint.fail.append(("GET", f"/files/file-{len(endpoint.files) + 2}/content", 401, None))
            return "completed", output[:3], [{**output[3], "response": {"status_code": 500, "body": {}}}]

        endpoint.mangle = once(mangled)
        report = trial.run(endpoint)
        assert (report.exit_code, report.usage.attempts) == (4, 3)
        assert report.cost_usd == pytest.approx(trial.summary["cost_usd"])
        assert report.cost_usd > 0
        assert trial.run(endpoint).complete == 4


def test_what_progress_raises_ends_the_run_before_anything_else_is_sent(trial):
    """The batch on its way stays so; the next run collects it, and asks the rest."""

    def progress(*_):
        raise ZeroDivisionError

    (trial.articles / "a00.txt").write_text("\n", encoding="utf-8")
    with BatchEndpoint(answering(misquoted(), **REPAIRED)) as endpoint:
        settings = Settings(base_url=endpoint.base_url, price_usd=(1.0, 2.0))
        with pytest.raises(ZeroDivisionError):
            run(trial.options(), settings, progress=progress)
        assert endpoint.asked == []
        assert trial.run(endpoint).complete == 3


@pytest.mark.parametrize("where", ["ledger", "input file", "waiting articles"])
def test_a_full_disk_stops_the_run_resumable(trial, monkeypatch, where):
    """Whichever file meets it first: the run ends with 4, and what was sent is collected by the next one."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        with monkeypatch.context() as patch:

            def full(*_, **__):
                raise LedgerError("No space left.") if where == "ledger" else OSError(28, "No space left")

            place = {
                "ledger": (dispatch_module.BatchLedger, "batch_attempt"),
                "input file": (dispatch_module, "request_line"),
                "waiting articles": (dispatch_module.Batch, "add"),
            }[where]
            patch.setattr(*place, full)
            report = trial.run(endpoint)
        assert report.exit_code == 4
        assert "No space left" in report.stopped
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.asked) == 4


def test_what_is_said_of_a_strange_row_holds_none_of_it(trial):
    """A torn line may hold an article's words: they are kept in the ledger, and not written to a terminal or a log."""

    def mangled(output, errors):
        return "completed", [*output, b"and then Norway will give 13 tanks"], errors

    with BatchEndpoint(answering(transfer()), mangle=once(mangled)) as endpoint:
        assert trial.run(endpoint).complete == 4
    assert any("kept in the ledger" in line for line in trial.said)
    assert not any("Norway" in line for line in trial.said)


def test_the_limit_counts_articles(trial):
    """No more articles than the limit go out, with their repairs; the same command goes on."""
    with BatchEndpoint(answering(misquoted(), **REPAIRED)) as endpoint:
        report = trial.run(endpoint, limit=3)
        assert (report.exit_code, report.complete, report.repaired) == (4, 3, 3)
        assert trial.run(endpoint, limit=3).exit_code == 0
        assert len(endpoint.asked) == 8


@pytest.mark.parametrize(
    ("changes", "settings", "words"),
    [
        ({"replay": "x"}, {}, "--batch"),
        ({"record": "x"}, {}, "--batch"),
        ({}, {"rpm": 10}, "--rpm"),
        ({}, {"tpm": 10}, "--tpm"),
        ({}, {"model": "anthropic/any", "base_url": None, "api_key": "none"}, "--batch"),
    ],
)
def test_options_that_do_not_go_with_batches_are_said_before_any_call(trial, changes, settings, words):
    """What a batch cannot keep is refused, not left out in silence."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        with pytest.raises((UsageError, SettingsError), match=words):
            trial.run(endpoint, settings=settings, **changes)
        assert endpoint.uploads == []


@pytest.mark.parametrize("path", ["/files", "/batches"])
def test_an_answer_lost_on_the_way_makes_no_second_batch(trial, path):
    """Whether a batch was made is found out from the provider's list, never by making another."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.lose_answer_of.append(("POST", path))
        assert trial.run(endpoint).complete == 4
        assert (len(endpoint.batches), len(endpoint.asked)) == (1, 4)


def test_another_text_under_a_known_name_is_counted_and_said(trial):
    """As in a run that asks at once."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        assert trial.run(endpoint).replaced == 0
        (trial.articles / "a03.txt").write_text(ARTICLE.format(topic="something else"), encoding="utf-8")
        assert trial.run(endpoint).replaced == 1
        assert trial.run(endpoint).replaced == 0
    assert [line for line in trial.said if "replaced" in line] == [
        "1 article replaced (another text under the same name): a03.txt (1 fact before)."
    ]


def test_a_request_that_was_cut_off_in_silence_is_no_answer(trial):
    """As over the wire: whoever reads a fraction of what it was sent has not read the article, whatever it answers."""

    def cut(_, output, errors):
        for row in output:
            row["response"]["body"]["usage"]["prompt_tokens"] = 20
        return "completed", output, errors

    with BatchEndpoint(answering(transfer()), mangle=cut) as endpoint:
        report = trial.run(endpoint)
    assert (report.failed, report.kept) == (4, 0)
    assert trial.summary["attempt_outcomes"].keys() == {"context_overflow"}


def test_a_run_that_could_not_know_goes_on_with_the_batch_that_was_made(trial, monkeypatch):
    """A process that ended between the making of a batch and the news of it is followed by one that finds it, page after page."""
    monkeypatch.setattr(batch_files, "_CREATE_TRIES", 1)
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.lose_answer_of.append(("POST", "/batches"))
        report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.batches)) == (4, 1)
        assert any("the same command goes on" in line for line in trial.said)
        for _ in range(5):  # others of the account, so that it is on no first page
            endpoint.files["other"] = json.dumps(
                {"custom_id": "x", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": []}}
            ).encode()
            endpoint.make({"endpoint": "/v1/chat/completions", "completion_window": "24h", "input_file_id": "other"})
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.batches) == 6


def crowded(endpoint, count):
    """Other batches of the account."""
    endpoint.files["other"] = json.dumps(
        {"custom_id": "x", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": []}}
    ).encode()
    for _ in range(count):
        endpoint.make({"endpoint": "/v1/chat/completions", "completion_window": "24h", "input_file_id": "other"})


def test_a_batch_is_looked_for_as_far_back_as_its_file_is_old(trial, monkeypatch):
    """However many came after it: not found means not made. Those before its file are not gone through."""
    monkeypatch.setattr(batch_files, "_CREATE_TRIES", 1)
    with BatchEndpoint(answering(transfer())) as endpoint:
        crowded(endpoint, 40)
        endpoint.lose_answer_of.append(("POST", "/batches"))
        assert trial.run(endpoint).exit_code == 4
        assert endpoint.pages <= 2
        crowded(endpoint, 1_010)
        assert trial.run(endpoint).complete == 4
        assert len([batch for batch in endpoint.batches.values() if batch["input_file_id"] != "other"]) == 1


def test_a_list_that_does_not_end_is_said_before_anything_is_sent(trial, monkeypatch):
    """Whether the batch was made cannot be known: none is made."""
    monkeypatch.setattr(batch_files, "_CREATE_TRIES", 1)
    monkeypatch.setattr(batch_files, "_LISTED", 5)
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.lose_answer_of.append(("POST", "/batches"))
        trial.run(endpoint)
        crowded(endpoint, 6)
        report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.batches), len(endpoint.uploads)) == (4, 7, 1)
        assert "cannot be known" in report.stopped


def test_a_file_under_another_accounts_key_is_said_before_anything_is_sent(trial, monkeypatch):
    """The batch over it may be on its way there: nothing is sent before the user gives it up."""
    monkeypatch.setattr(batch_files, "_CREATE_TRIES", 1)
    with BatchEndpoint(answering(transfer())) as endpoint, BatchEndpoint(answering(transfer())) as other:
        endpoint.lose_answer_of.append(("POST", "/batches"))
        assert trial.run(endpoint).exit_code == 4
        mine = endpoint.files, endpoint.batches
        endpoint.files, endpoint.batches = other.files, other.batches  # what another key shows
        report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.uploads), len(endpoint.batches)) == (4, 1, 0)
        assert "another account's key" in report.stopped
        endpoint.files, endpoint.batches = mine
        assert trial.run(endpoint).complete == 4
        assert (len(endpoint.uploads), len(endpoint.batches)) == (1, 1)


def test_an_uploaded_file_that_is_gone_is_uploaded_anew_once_it_is_given_up(trial, monkeypatch):
    """Where neither the batch nor its input file is at the provider, its articles ask anew when the user says so."""
    monkeypatch.setattr(batch_files, "_CREATE_TRIES", 1)
    with BatchEndpoint(answering(transfer())) as endpoint:
        endpoint.fail.append(("POST", "/batches", 500, None))
        assert trial.run(endpoint).exit_code == 4
        endpoint.files.clear()
        assert trial.run(endpoint).exit_code == 4
        assert trial.run(endpoint, retry_failed=True).complete == 4
        assert len(endpoint.asked) == 4


def test_new_and_changed_articles_go_on_beside_a_batch_on_its_way(trial):
    """A later process takes up the old batch, and sends only what is not in it; answers for a text that is gone are kept all the same."""
    with BatchEndpoint(answering(transfer()), looks=10_000) as endpoint:
        interrupted(trial, endpoint)
        (trial.articles / "a03.txt").write_text(ARTICLE.format(topic="something else"), encoding="utf-8")
        write_articles(trial.articles / "more", 1)
        (trial.articles / "more/a00.txt").write_text(ARTICLE.format(topic="something new"), encoding="utf-8")
        endpoint.looks = 1
        report = trial.run(endpoint)
        assert (report.exit_code, report.complete) == (0, 5)
        assert [len(bodies) for bodies in endpoint.inputs.values()] == [4, 2]
    assert trial.summary["attempts"] == 6


def test_a_plain_run_says_what_it_leaves_on_the_way(trial):
    """Without --batch what is in a batch is asked anew, and the user is told first."""
    with BatchEndpoint(answering(transfer()), looks=10_000) as endpoint:
        interrupted(trial, endpoint)
        trial.said.clear()
        assert trial.run(endpoint, batch=False).complete == 4
        assert "with --batch" in trial.said[0]
        endpoint.looks = 1
        report = trial.run(endpoint)
        assert (report.unchanged, report.usage.attempts) == (4, 4)
    assert trial.summary["attempts"] == 8


def test_a_batch_of_another_endpoint_waits_for_it(trial):
    """A run with another base URL leaves it alone and asks there."""
    with BatchEndpoint(answering(transfer()), looks=10_000) as one, BatchEndpoint(answering(transfer())) as other:
        interrupted(trial, one)
        assert trial.run(other).complete == 4
        assert any("--base-url" in line for line in trial.said)
        one.looks = 1
        assert trial.run(one).usage.attempts == 4


def test_a_batch_that_the_provider_does_not_know_stops_the_run_until_it_is_given_up(trial):
    """It may be another account's key: nothing is asked anew before the user says so."""
    with BatchEndpoint(answering(transfer()), looks=10_000) as endpoint:
        interrupted(trial, endpoint)
        endpoint.looks = 1
        kept = dict(endpoint.batches)
        endpoint.batches.clear()
        report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.batches)) == (4, 0)
        assert "--retry-failed" in report.stopped
        assert trial.run(endpoint, retry_failed=True).complete == 4
        assert len(endpoint.batches) == 1
        assert kept


def test_a_plain_run_and_a_batch_use_each_others_answers(trial):
    """Both ask with the same keys: what one has paid for, the other does not ask."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        trial.run(endpoint, batch=False, limit=2)
        trial.run(endpoint)
        assert (len(endpoint.calls), len(endpoint.asked)) == (2, 2)
        (trial.out / "facts.jsonl").unlink()
        db = sqlite3.connect(trial.out / "ledger.sqlite")
        db.executescript("DELETE FROM articles; DELETE FROM facts;")
        db.close()
        assert trial.run(endpoint, batch=False).kept == 4
        assert (len(endpoint.calls), len(endpoint.asked)) == (2, 2)


def test_a_newer_judge_asks_nothing(trial, monkeypatch):
    """When the judging code has a new version, stored replies are judged again and no batch is made."""
    with BatchEndpoint(answering(transfer(), misquoted(), **REPAIRED)) as endpoint:
        trial.run(endpoint)
        before = trial.facts
        for module in ("stored", "session"):
            monkeypatch.setattr(f"extractor.runs.{module}.JUDGE_VERSION", 10_000)
        report = trial.run(endpoint)
        assert (report.complete, len(endpoint.batches)) == (4, 2)
    assert trial.facts == before


def test_an_outage_while_waiting_is_no_end(trial):
    """A look that fails is repeated; the batch goes on meanwhile."""
    with BatchEndpoint(answering(transfer()), looks=3) as endpoint:
        endpoint.fail += [("GET", "/batches/", 503, None)] * 7
        assert trial.run(endpoint, settings={"attempts": 2}).complete == 4
        assert any("no news" in line for line in trial.said)


def test_a_refused_key_while_waiting_stops_the_run(trial):
    """What will not pass ends the run, resumable: the batch is on its way all the same."""
    with BatchEndpoint(answering(transfer()), looks=3) as endpoint:
        endpoint.fail.append(("GET", "/batches/", 401, None))
        assert trial.run(endpoint).exit_code == 4
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.batches) == 1


def interrupted(trial, endpoint):
    """A run that ended with its batch on the way."""

    class Interrupted(BatchRun):
        async def _sleep(self, seconds):
            self._stopping = signal.SIGINT
            return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extractor.runs.folder.BatchRun", Interrupted)
        report = trial.run(endpoint)
    assert report.exit_code == 130
    assert any("same command goes on" in line for line in trial.said)


def started(trial, endpoint):
    command = [
        sys.executable, "-m", "extractor", "run", str(trial.articles), "--out", str(trial.out), "--schema", "weapons_transfer",
        "--base-url", endpoint.base_url, "--model", "any", "--price", "1,2", "--batch",
    ]  # fmt: skip
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for(holds, process):
    until = time.monotonic() + SOON_S
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def _interruptible():
    """A process that was started in the background ignores Ctrl-C, and its children with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("_interruptible")
def test_a_run_killed_while_it_waits_is_taken_up_by_the_same_command(trial, number):
    """The next process waits for the same batch and pays nothing twice; Ctrl-C says so and ends with 130."""
    with BatchEndpoint(answering(transfer(), misquoted(), **REPAIRED), looks=10_000) as endpoint:
        with started(trial, endpoint) as process:
            wait_for(lambda: any(batch["_looks"] for batch in endpoint.batches.values()), process)
            process.send_signal(number)
            _, said = process.communicate(timeout=SOON_S)
        if number == signal.SIGKILL:
            assert process.returncode == -9
        else:
            assert process.returncode == 128 + number
            assert "the same command goes on" in said
            assert "Traceback" not in said
        endpoint.looks = 1
        with started(trial, endpoint) as process:
            _, said = process.communicate(timeout=SOON_S)
        assert process.returncode == 0, said
        assert re.search(r"batch_1: going on with 4 requests", said)
        assert [len(bodies) for bodies in endpoint.inputs.values()] == [4, 4]
    assert [row["verdict"] for row in trial.facts] == ["kept", "repaired"] * 4
    assert trial.summary["attempts"] == 8


@pytest.mark.parametrize("signals", [1, 2])
@pytest.mark.usefixtures("_interruptible")
def test_a_signal_during_an_upload_ends_the_run_before_anything_is_owed(trial, monkeypatch, signals):
    """The first waits for the upload and makes no batch of it, the second does not wait; either is said, and the next run goes on."""
    upload = batch_files.BatchFiles.upload

    async def interrupted_upload(self, file):
        for _ in range(signals):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0.05)
        return await upload(self, file)

    with BatchEndpoint(answering(transfer())) as endpoint:
        with monkeypatch.context() as patch:
            patch.setattr(batch_files.BatchFiles, "upload", interrupted_upload)
            report = trial.run(endpoint)
        assert (report.exit_code, len(endpoint.batches), len(endpoint.uploads)) == (130, 0, 2 - signals)
        assert ("The requests of one batch are uploaded" if signals == 1 else "4 requests were not sent") in trial.said[-1]
        assert trial.run(endpoint).complete == 4
        assert (len(endpoint.batches), len(endpoint.uploads), len(endpoint.asked)) == (1, 1, 4)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_run_killed_while_it_collects_stores_each_answer_once(trial, monkeypatch, rows):
    """Rows stored before the kill are known when the same file is read again, and are neither asked nor counted twice."""
    store, left = dispatch_module.Dispatch._store, [rows]

    def dying(self, *arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return store(self, *arguments)

    with BatchEndpoint(answering(transfer())) as endpoint:
        with monkeypatch.context() as patch:
            patch.setattr(dispatch_module.Dispatch, "_store", dying)
            with pytest.raises(KeyboardInterrupt):
                trial.run(endpoint)
        assert trial.sql("SELECT COUNT(*) FROM attempts") == [(rows,)]
        assert trial.run(endpoint).complete == 4
        assert (len(endpoint.batches), len(endpoint.asked)) == (1, 4)
    assert trial.summary["attempts"] == 4
    assert trial.sql("SELECT COUNT(*) FROM batch_strays") == [(0,)]
    assert len(trial.facts) == 4


def test_a_run_killed_while_it_fills_a_batch_forgets_it(trial, monkeypatch):
    """What was not uploaded was not sent: it is asked by the next process as if nothing had been."""
    with BatchEndpoint(answering(transfer())) as endpoint:
        with monkeypatch.context() as patch:
            patch.setattr(batch_files.BatchFiles, "upload", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                trial.run(endpoint)
        assert trial.sql("SELECT state, requests FROM batches") == [("filling", 4)]
        assert trial.run(endpoint).complete == 4
        assert len(endpoint.asked) == 4
    assert trial.sql("SELECT state FROM batches") == [("over",)]
