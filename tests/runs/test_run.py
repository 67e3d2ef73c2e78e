import asyncio
import contextlib
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import weakref

import pytest
from answers import answering, is_repair, misquoted, transfer, write_articles

from extractor.errors import LedgerError, UsageError
from extractor.llm import transport as transport_module
from extractor.records import Article
from extractor.runs.folder import RunOptions, arun, dry_run, run
from extractor.runs.ledger import LEDGER_NAME, Ledger
from extractor.runs.run import READ_AHEAD, Run, RunReport, Unreadable
from extractor.runs.session import Memory, Session
from extractor.schemas import WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint, Raw, completion

TYPES = {"weapons_transfer": WeaponsTransfer}
TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."
# the endpoint of the tests complains when a cancelled request breaks off in the middle of its body
pytestmark = pytest.mark.filterwarnings("ignore:Exception in thread loopback-connection:pytest.PytestUnhandledThreadExceptionWarning")

REFUSED = Raw({"error": {"message": "Incorrect API key provided."}}, status=401)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are a hundredth, and no test here speaks TLS."""
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


def options_of(tmp_path, **changes):
    return RunOptions(**{"paths": (str(tmp_path / "articles"),), "fact_types": tuple(TYPES), "out": tmp_path / "out", **changes})


def topic_of(request):
    return request["messages"][-1]["content"].rpartition("Nobody else spoke about ")[2].split(".")[0]


def known(folder):
    with Ledger(folder, read_only=True) as ledger:
        return {entry["id"]: entry["status"] for entry in ledger.articles()}


def last_run(folder):
    with Ledger(folder, read_only=True) as ledger:
        return ledger.summary()["last_run"]


def wait_until(holds, seconds=20.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.005)


class Gate:
    """An endpoint's answers: right, and held while the gate is shut; it counts how many are held at once."""

    def __init__(self, *, shut=True):
        self.open = threading.Event()
        self.held = self.most = 0
        self._lock = threading.Lock()
        if not shut:
            self.open.set()

    def __call__(self, request):
        """One request's answer."""
        with self._lock:
            self.held += 1
            self.most = max(self.most, self.held)
        self.open.wait(30)
        time.sleep(0.005)
        with self._lock:
            self.held -= 1
        return {"weapons_transfer": [transfer()]}


def over(tmp_path, endpoint, articles, *, mode="json_schema/strict", limit=None, progress=None, prepare=lambda run: None, **settings):
    """One pass over articles that need no files, in a ledger."""

    async def pass_over():
        with Ledger(tmp_path / "out") as ledger:
            ledger.start_run({}, {name: ("b2:0", 1, {}) for name in TYPES})
            session = Session(TYPES, Settings(base_url=endpoint.base_url, **settings), Memory(ledger=ledger), mode=mode)
            passing = Run(session, limit=limit, progress=progress)
            prepare(passing)
            try:
                return await passing.over(iter(articles))
            finally:
                await session.aclose()

    return asyncio.run(pass_over())


def numbered(count, text=TEXT):
    return (Article(id=f"a{number:05}", text=f"{text} It rained on {number} days.") for number in range(count))


# --- many articles ----------------------------------------------------------------------------------------------------------------


def test_no_more_articles_are_asked_at_a_time_than_the_bound(tmp_path):
    """The endpoint sees `concurrency` requests at a time, that many and no more."""
    gate = Gate(shut=False)
    with LoopbackEndpoint(gate) as endpoint:
        report = over(tmp_path, endpoint, numbered(30), concurrency=3)
    assert report.complete == 30
    assert gate.most == 3


def test_articles_are_streamed_and_never_collected(tmp_path):
    """Of 10,000 articles out of a generator only a bounded number is alive at any time, whatever becomes of each."""
    alive = most = 0

    def gone():
        nonlocal alive
        alive -= 1

    def source():
        nonlocal alive, most
        for number in range(10_000):
            if number % 4 == 0:
                yield Unreadable(f"u{number}", "It is a photograph.")
                continue
            # one text for all: asked once, and every other article is judged from the stored reply
            article = Article(id=f"a{number % 200 if number % 50 else number}", text=TEXT)
            alive += 1
            most = max(most, alive)
            weakref.finalize(article, gone)
            yield article
            del article

    with LoopbackEndpoint(answering(transfer())) as endpoint:
        report = over(tmp_path, endpoint, source(), concurrency=4)
    assert (report.done, report.unreadable) == (7500, 2500)
    assert report.complete < 1000
    assert most <= 3 * READ_AHEAD  # one batch read, one being handed out, those in flight and just done


def test_what_is_no_article_is_counted_and_named(tmp_path):
    """An unreadable input costs exit code 3, is told to the callback and stands in the ledger; the others are asked."""
    told = []
    given = [Unreadable("photo.txt", "It is binary."), *numbered(2)]
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        report = over(tmp_path, endpoint, given, progress=lambda report, what: told.append((report.unreadable, what)))
    assert (report.complete, report.unreadable, report.exit_code) == (2, 1, 3)
    assert told[0] == (1, given[0])
    with Ledger(tmp_path / "out", read_only=True) as ledger:
        assert ledger.summary()["unreadable"] == {"photo.txt": "It is binary."}


def test_the_report_adds_up(tmp_path):
    """Facts, tokens and attempts of the report are the sums over the outcomes that the callback was given."""
    told = []
    answer = answering(transfer(), misquoted(), misquoted(), repairs=[{"item": 1, "fact": transfer(status="agreed")}])
    with LoopbackEndpoint(answer) as endpoint:
        report = over(tmp_path, endpoint, numbered(5), progress=lambda report, outcome: told.append(outcome), repairs=1)
        assert report.usage.attempts == len(endpoint.requests) == 10
    assert (report.complete, report.kept, report.repaired, report.quarantined) == (5, 5, 5, 5)
    assert report.usage.input_tokens == sum(outcome.usage.input_tokens for outcome in told) > 0
    assert report.exit_code == 0


def test_a_limit_ends_the_run_resumable(tmp_path):
    """After `limit` articles the run ends with exit code 4; articles that are done do not count, and the same run again goes on."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        first = over(tmp_path, endpoint, numbered(5), limit=2)
        assert (first.complete, first.exit_code, len(endpoint.requests)) == (2, 4, 2)
        assert first.stopped.startswith("The limit of 2 articles is reached.")
        second = over(tmp_path, endpoint, numbered(5), limit=2)
        assert (second.complete, second.unchanged, second.exit_code) == (2, 2, 4)
        third = over(tmp_path, endpoint, numbered(5), limit=2)
        assert (third.complete, third.unchanged, third.exit_code) == (1, 4, 0)
        assert len(endpoint.requests) == 5
    assert last_run(tmp_path / "out")["exit_code"] == 0


def test_what_an_article_cost_that_is_left_is_in_the_report(tmp_path):
    """A limit before a repair leaves the article to the next run, which finds its answer: this run paid for it, and says so."""
    write_articles(tmp_path / "articles", 1)

    def answer(request):
        body = completion(request, answering(misquoted())(request))
        return Raw({**body, "usage": {"prompt_tokens": 0, "completion_tokens": 1_000_000, "total_tokens": 1_000_000}})

    with LoopbackEndpoint(answer) as endpoint:
        settings = Settings(base_url=endpoint.base_url, model="m", price_usd=(1.0, 1.0))
        report = run(options_of(tmp_path), settings.model_copy(update={"max_cost_usd": 1.0}))
        with Ledger(tmp_path / "out", read_only=True) as ledger:
            paid = ledger.summary()["cost_usd"]
        assert (report.exit_code, report.done, report.usage.attempts, len(endpoint.requests)) == (4, 0, 1, 1)
        assert report.cost_usd == paid == 1.0
        again = run(options_of(tmp_path), settings)
        assert again.usage.attempts == len(endpoint.requests) - 1


def test_a_busy_endpoint_uses_up_no_money(tmp_path):
    """Requests that are turned away with 429 are not billed, so a run that pays for one answer within --max-cost is not stopped by them."""
    write_articles(tmp_path / "articles", 1)
    turned_away = iter([Raw({"error": {"message": "slow down"}}, 429, {"retry-after": "0"})] * 4)
    with LoopbackEndpoint(lambda _: next(turned_away, {"weapons_transfer": []})) as endpoint:
        settings = Settings(base_url=endpoint.base_url, model="m", price_usd=(1.0, 1.0), max_cost_usd=0.01)
        assert run(options_of(tmp_path), settings).exit_code == 0
        assert len(endpoint.requests) == 5


def test_a_stopped_run_marks_nothing_absent(tmp_path):
    """Articles that a stopped run did not come to are still there; a whole run marks those that are gone."""
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        over(tmp_path, endpoint, numbered(4))
        over(tmp_path, endpoint, [Article(id="a0", text=TEXT), *numbered(4)], limit=0)
        with Ledger(tmp_path / "out", read_only=True) as ledger:
            assert ledger.summary()["absent"] == 0
        over(tmp_path, endpoint, numbered(3))
        with Ledger(tmp_path / "out", read_only=True) as ledger:
            assert [entry["id"] for entry in ledger.articles() if not entry["present"]] == ["a00003"]


def test_a_refusing_endpoint_ends_the_run_and_what_is_in_flight_is_kept(tmp_path):
    """The first refusal stops new articles; what was sent before it is finished and remembered, and the exit code is 4."""
    gate = Gate()

    def answer(request):
        if "on 3 days" in request["messages"][-1]["content"]:
            wait_until(lambda: gate.held == 3)
            threading.Timer(0.2, gate.open.set).start()
            return REFUSED
        return gate(request)

    with LoopbackEndpoint(answer) as endpoint:
        report = over(tmp_path, endpoint, numbered(50), concurrency=4)
        assert len(endpoint.requests) == 4
    assert (report.complete, report.exit_code) == (3, 4)
    assert "OPENAI_API_KEY" in report.stopped
    assert known(tmp_path / "out") == {"a00000": "complete", "a00001": "complete", "a00002": "complete"}


def test_a_full_ledger_ends_the_run_and_keeps_what_was_committed(tmp_path):
    """When the ledger can take no more, the run ends with exit code 4 and the reason; what was committed is there for the next."""
    committed, passing = [], None

    def fill(report, outcome):
        committed.append(outcome.article.id)
        if len(committed) == 3:
            db = passing._session.memory.ledger._db
            db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    def prepare(run):
        nonlocal passing
        passing = run

    articles = list(numbered(40, text=TEXT + " Nobody else spoke." * 300))
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        with contextlib.suppress(LedgerError):  # closing may find it full as well
            over(tmp_path, endpoint, articles, concurrency=1, progress=fill, prepare=prepare)
        assert passing.report.exit_code == 4
        assert "full" in passing.report.stopped
        assert 3 <= len(committed) < 40
        assert set(known(tmp_path / "out")) == set(committed)
        asked = len(endpoint.requests)
        again = over(tmp_path, endpoint, articles)
        assert (again.exit_code, again.unchanged) == (0, len(committed))
        assert len(endpoint.requests) <= asked + 40 - len(committed)


def test_a_full_disk_ends_the_command_with_4(tmp_path):
    """A real write error of the system ends the command with exit code 4 and one line; the run goes on once there is room."""
    write_articles(tmp_path / "articles", 30)
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "from extractor.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        arguments = ["run", str(tmp_path / "articles"), "--base-url", endpoint.base_url, "--out", str(tmp_path / "out"), "--quiet"]
        arguments += ["--concurrency", "2"]  # else the disk may be full of answers before the first is judged
        ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=50)
        assert ended.returncode == 4, ended.stderr
        assert "Traceback" not in ended.stderr
        kept = known(tmp_path / "out")
        assert 0 < len(kept) < 30
        again = run(options_of(tmp_path, fact_types=()), Settings(base_url=endpoint.base_url))
    assert (again.exit_code, again.unchanged, again.done) == (0, len(kept), 30)


@pytest.mark.parametrize(
    ("before", "interrupted", "code"),
    [
        ({}, None, 0),
        ({"complete": 3, "quarantined": 9}, None, 0),
        ({"partial": 1}, None, 3),
        ({"failed": 1}, None, 3),
        ({"unreadable": 1}, None, 3),
        ({"unchanged_incomplete": 1}, None, 3),
        ({"failed": 1, "misses": 1}, None, 5),
        ({"failed": 1, "misses": 1, "stopped": "a limit"}, None, 4),
        ({"failed": 1, "misses": 1, "stopped": "a limit"}, signal.SIGINT, 130),
        ({"complete": 1}, signal.SIGTERM, 143),
    ],
)
def test_the_gravest_exit_code_holds(before, interrupted, code, tmp_path):
    """Interrupted before stopped before misses before failures; quarantined facts are no failure."""

    def prepare(passing):
        passing.report = RunReport(**before)
        passing._stopping = interrupted

    with LoopbackEndpoint(answering()) as endpoint:
        assert over(tmp_path, endpoint, [], prepare=prepare).exit_code == code
    assert last_run(tmp_path / "out")["exit_code"] == code


def test_exit_codes_over_real_runs(tmp_path):
    """A refused article and a photograph make 3, with a limit 4; an unchanged failure keeps 3, and retrying ends it."""
    articles = write_articles(tmp_path / "articles", 4)
    (articles / "photo.txt").write_bytes(bytes(range(256)) * 20)
    refusing = True

    def answer(request):
        if refusing and topic_of(request) == "topic 0":
            return Raw(completion(request, "", refusal="No."))
        return answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        assert run(options_of(tmp_path, limit=2), settings).exit_code == 4
        first = run(options_of(tmp_path), settings)
        assert (first.exit_code, first.unchanged_incomplete, first.unreadable) == (3, 1, 1)
        (articles / "photo.txt").unlink()
        assert run(options_of(tmp_path), settings).exit_code == 3
        refusing = False
        asked = len(endpoint.requests)
        assert run(options_of(tmp_path, retry_failed=True), settings).exit_code == 0
        assert len(endpoint.requests) == asked + 1


# --- what goes wrong in our own process -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["outcome", "unchanged", "unreadable"])
def test_a_failing_callback_costs_no_answer(kind, tmp_path):
    """What the callback raises comes out as it is, after what was in flight is remembered; the same run again goes on."""
    calls = []

    def progress(report, what):
        calls.append(what)
        raise BrokenPipeError("nobody listens")

    given = {"outcome": [], "unchanged": list(numbered(1)), "unreadable": [Unreadable("photo.txt", "It is binary.")]}[kind]
    with LoopbackEndpoint(Gate(shut=False)) as endpoint:
        over(tmp_path, endpoint, numbered(1) if kind == "unchanged" else [])
        with pytest.raises(BrokenPipeError, match="nobody listens"):
            over(tmp_path, endpoint, [*given, *list(numbered(20))[1:]], concurrency=4, progress=progress)
        asked = len(endpoint.requests)
        assert len(calls) == 1
        assert len(known(tmp_path / "out")) == asked <= 1 + 2 * 4  # twice as many articles are under way as requests
        assert last_run(tmp_path / "out")["exit_code"] == 4
        report = over(tmp_path, endpoint, numbered(20))
        assert len(endpoint.requests) == 20
    assert report.exit_code == 0


def test_an_error_of_the_source_is_raised_as_itself(tmp_path):
    """What reading raises beyond an unreadable article is raised plainly, not inside a group."""

    def source():
        yield from numbered(1)
        raise UsageError("the cassette is damaged")

    with LoopbackEndpoint(answering(transfer())) as endpoint, pytest.raises(UsageError, match="damaged"):
        over(tmp_path, endpoint, source())


def test_a_bug_is_raised_as_itself_and_hides_behind_no_stop(tmp_path, monkeypatch):
    """A bug in asking is raised plainly, even while the ledger fails as well."""
    raising = iter([LedgerError("full"), ZeroDivisionError("a bug")])

    async def outcome(self, article):
        await asyncio.sleep(0)
        raise next(raising)

    monkeypatch.setattr(Session, "outcome", outcome)
    with LoopbackEndpoint(answering()) as endpoint, pytest.raises(ZeroDivisionError):
        over(tmp_path, endpoint, numbered(2))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda _: Raw(b'{"error": {"message": "bad \\ud83d character"}}', 400), "failed"),
        (lambda r: Raw(completion(r, {"weapons_transfer": []}, finish_reason="st\ud83dop")), "complete"),
    ],
    ids=["in an error", "in a finish reason"],
)
def test_half_a_character_costs_no_run(answer, status, tmp_path):
    """A lone surrogate in what an endpoint says beside its answer, which no ledger can hold, is replaced: every article has its outcome."""
    write_articles(tmp_path / "articles", 2)
    with LoopbackEndpoint(lambda r: answer(r) if topic_of(r) == "topic 1!" else {"weapons_transfer": []}) as endpoint:
        run(options_of(tmp_path), Settings(base_url=endpoint.base_url, model="m"))
    assert known(tmp_path / "out") == {"a00.txt": "complete", "a01.txt": status}


def test_cancelling_arun_cancels_what_is_in_flight(tmp_path):
    """A caller that cancels gets its cancellation back; nothing is left running, the folder is free, and the run can go on."""
    write_articles(tmp_path / "articles", 6)
    gate = Gate()

    async def impatient(settings):
        task = asyncio.create_task(arun(options_of(tmp_path), settings))
        await asyncio.to_thread(wait_until, lambda: gate.held == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    with LoopbackEndpoint(gate) as endpoint:
        settings = Settings(base_url=endpoint.base_url, concurrency=2)
        with Ledger(tmp_path / "out") as ledger:  # the mode is known, so that two go out at once
            ledger.remember_mode(mode_key(settings), "json_schema/strict")
        assert asyncio.run(impatient(settings)) == set()
        gate.open.set()
        assert run(options_of(tmp_path), settings).complete == 6


def mode_key(settings):
    session = Session(TYPES, settings, Memory())
    asyncio.run(session.aclose())
    return session._endpoint


# --- signals ----------------------------------------------------------------------------------------------------------------------

COMMAND = (
    "import signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
    "from extractor.cli import main\n"
    "sys.exit(main(sys.argv[1:]))"
)


@contextlib.contextmanager
def command(tmp_path, endpoint, concurrency=3, more=()):
    """The command over the folder, in a process of its own, with all its first requests in flight."""
    arguments = ["run", str(tmp_path / "articles"), "--base-url", endpoint.base_url, "--out", str(tmp_path / "out"), "--concurrency"]
    arguments += [str(concurrency), "--schema", "weapons_transfer", *more]
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_finishes_what_is_in_flight(number, tmp_path):
    """It starts nothing new, remembers what was asked, ends with 128 plus the signal's number, and the same command goes on."""
    write_articles(tmp_path / "articles", 9)
    gate = Gate(shut=False)
    with LoopbackEndpoint(gate) as endpoint:
        run(options_of(tmp_path, limit=1), Settings(base_url=endpoint.base_url))  # the mode is known from here on
        gate.open.clear()
        with command(tmp_path, endpoint) as process:
            wait_until(lambda: gate.held == 3)
            process.send_signal(number)
            time.sleep(0.3)
            assert process.poll() is None
            gate.open.set()
            _, said = process.communicate(timeout=20)
        assert process.returncode == 128 + number
        assert "Traceback" not in said
        assert len(endpoint.requests) == len(known(tmp_path / "out")) == 4
        assert last_run(tmp_path / "out")["exit_code"] == 128 + number
        again = run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
        assert (again.complete, again.unchanged, again.exit_code) == (5, 4, 0)
        assert len(endpoint.requests) == 9


@pytest.mark.parametrize("why", ["--rpm", "Retry-After"])
def test_a_first_signal_ends_a_wait(why, tmp_path):
    """A run that waits for its turn, by its own limit or because the endpoint asked, ends at once; its articles are left for the next."""
    write_articles(tmp_path / "articles", 9)
    busy = threading.Event()

    def answer(request):
        if why == "Retry-After" and len(endpoint.requests) > 2:
            busy.set()
            return Raw({"error": {"message": "slow down"}}, 429, {"retry-after": "200"})
        return answering(transfer())(request)

    with LoopbackEndpoint(answer) as endpoint:
        run(options_of(tmp_path, limit=1), Settings(base_url=endpoint.base_url))  # the mode is known from here on
        with command(tmp_path, endpoint, more=["--rpm", "2"] if why == "--rpm" else []) as process:
            wait_until(lambda: len(endpoint.requests) == 3 if why == "--rpm" else busy.is_set())
            time.sleep(0.2)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=10)
        assert process.returncode == 143
        assert "Traceback" not in said
        assert "waiting for what is on the wire" in said
        assert "Interrupted (SIGTERM). The same command goes on." in said
        done = known(tmp_path / "out")
        assert set(done.values()) == {"complete"}
        assert len(done) == (3 if why == "--rpm" else 2)
        why = "healed"
        again = run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
        assert (again.complete, again.unchanged, again.exit_code) == (9 - len(done), len(done), 0)


def test_a_signal_before_a_repair_leaves_it_to_the_next_run(tmp_path):
    """After a first signal nothing is sent: an article that needs a repair is left, and its answer is not asked for again."""
    write_articles(tmp_path / "articles", 1)
    gate = threading.Event()

    def answer(request):
        if not is_repair(request):
            gate.wait(20)
        return answering(misquoted(), repairs=[{"item": 1, "fact": transfer()}])(request)

    with LoopbackEndpoint(answer) as endpoint:
        with command(tmp_path, endpoint) as process:
            wait_until(lambda: len(endpoint.requests) == 1)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            gate.set()
            _, said = process.communicate(timeout=10)
        assert (process.returncode, known(tmp_path / "out")) == (143, {}), said
        again = run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
        assert [is_repair(request) for request in endpoint.requests] == [False, True]
    assert (again.repaired, again.exit_code) == (1, 0)


def test_a_refusing_endpoint_ends_a_slow_run_at_once(tmp_path):
    """Those that wait for their turn under a limit would be refused as well: they are not sent."""
    write_articles(tmp_path / "articles", 9)
    with LoopbackEndpoint(lambda request: REFUSED if len(endpoint.requests) > 1 else answering(transfer())(request)) as endpoint:
        run(options_of(tmp_path, limit=1), Settings(base_url=endpoint.base_url))  # the mode is known from here on
        began = time.monotonic()
        report = run(options_of(tmp_path), Settings(base_url=endpoint.base_url, rpm=2, concurrency=9))
        assert len(endpoint.requests) <= 3
    assert report.exit_code == 4
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(("first", "second"), [(signal.SIGINT, signal.SIGINT)])
def test_a_second_signal_stops_at_once(first, second, tmp_path):
    """It waits for nobody, says what happened in a line, and leaves a folder in which the same command goes on."""
    write_articles(tmp_path / "articles", 5)
    gate = Gate(shut=False)
    with LoopbackEndpoint(gate) as endpoint:
        run(options_of(tmp_path, limit=1), Settings(base_url=endpoint.base_url))
        gate.open.clear()
        with command(tmp_path, endpoint) as process:
            wait_until(lambda: gate.held == 3)
            process.send_signal(first)
            time.sleep(0.3)
            process.send_signal(second)
            _, said = process.communicate(timeout=10)
        assert process.returncode == 128 + second
        assert "Traceback" not in said
        assert f"Interrupted ({second.name})" in said
        assert set(known(tmp_path / "out")) == {"a00.txt"}
        gate.open.set()
        again = run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
        assert (again.complete, again.unchanged, again.exit_code) == (4, 1, 0)


@pytest.mark.parametrize("owner", ["signal.signal", "the loop", "ignored"])
def test_a_run_in_a_service_leaves_its_signals_alone(owner, tmp_path):
    """A handler that the service has set, or a signal that it ignores, is the same during and after `arun`."""
    write_articles(tmp_path / "articles", 3)
    heard = []

    def theirs(*_):
        heard.append(True)

    async def service(settings):
        loop = asyncio.get_running_loop()
        if owner == "the loop":
            loop.add_signal_handler(signal.SIGTERM, theirs)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN if owner == "ignored" else theirs)
        running = asyncio.create_task(arun(options_of(tmp_path), settings))
        await asyncio.to_thread(wait_until, lambda: gate.held >= 1)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        gate.open.set()
        report = await running
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        return report

    gate = Gate()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with LoopbackEndpoint(gate) as endpoint:
            report = asyncio.run(service(Settings(base_url=endpoint.base_url)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (report.complete, report.exit_code) == (3, 0)
    assert len(heard) == (0 if owner == "ignored" else 2)


def test_signals_are_given_back(tmp_path):
    """After a run, Python's own handlers are in place again."""
    write_articles(tmp_path / "articles", 1)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(options_of(tmp_path), Settings(base_url=endpoint.base_url))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_run_works_in_a_thread(tmp_path):
    """Where no signal can be had, a run is a run."""
    write_articles(tmp_path / "articles", 1)
    found = []
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        thread = threading.Thread(target=lambda: found.append(run(options_of(tmp_path), settings)))
        thread.start()
        thread.join(20)
    assert found[0].complete == 1


@pytest.mark.parametrize("start", [run, dry_run])
def test_a_run_folder_is_not_read_as_input(tmp_path, start):
    """--out that is the input folder, and an input that is a run folder, are refused before anything is made."""
    write_articles(tmp_path / "articles", 1)
    folder = tmp_path / "articles"
    before = sorted(folder.iterdir())
    with pytest.raises(UsageError, match="both input and --out"):
        start(options_of(tmp_path, out=folder / ".." / "articles"), Settings(base_url="http://127.0.0.1:9/v1"))
    assert sorted(folder.iterdir()) == before
    (folder / LEDGER_NAME).touch()
    with pytest.raises(UsageError, match="is a run folder"):
        start(options_of(tmp_path), Settings(base_url="http://127.0.0.1:9/v1"))
    assert not (tmp_path / "out").exists()


def test_another_text_under_a_known_name_is_not_replaced_in_silence(tmp_path):
    """It takes the earlier one's place, is counted, and named with the facts that it had; the same text again is not."""
    told = []
    write_articles(tmp_path / "articles", 1)
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        settings = Settings(base_url=endpoint.base_url)
        first = run(options_of(tmp_path), settings, notice=told.append)
        assert (first.replaced, told) == (0, [])
        path = tmp_path / "articles" / "a00.txt"
        path.write_text(path.read_text(encoding="utf-8") + "\nNothing else was said.\n", encoding="utf-8")
        assert run(options_of(tmp_path), settings, notice=told.append).replaced == 1
        assert run(options_of(tmp_path), settings, notice=told.append).replaced == 0
    assert told == ["1 article replaced (another text under the same name): a00.txt (1 fact before)."]
