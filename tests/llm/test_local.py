"""A model file on this machine: a real engine and a real model, whose words are nonsense."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import Field

from extractor import Extractor, Fact, RunOptions, Settings, SettingsError, UsageError, Verbatim, run
from extractor.cli import main
from extractor.errors import EndpointError
from extractor.llm import local
from extractor.llm.client import Client
from extractor.llm.endpoint import endpoint
from extractor.llm.gguf import read_gguf
from extractor.llm.local import LocalServer, fitted
from extractor.records import Call, Prompt
from extractor.runs.ledger import LEDGER_NAME, Ledger
from extractor.schemas import WeaponsTransfer
from extractor.settings import resolve
from extractor.testing import LoopbackEndpoint

for needed in ("xllamacpp", "gguf"):
    pytest.importorskip(needed, reason="the extras `local` and `dev` are not installed")
from tiny_model import write_tiny_model  # noqa: E402 - it imports gguf

SOON_S = 60.0  # an interpreter with all imports starts within it also on a machine that is busy
TYPE = """
from pydantic import Field
from extractor import Fact, Verbatim


class Rumour(Fact):
    \"\"\"A rumour that the article tells.\"\"\"

    title: Verbatim = Field(description="What it is called.")
    told_by: str | None = Field(default=None, description="Who tells it.")
"""


class Rumour(Fact):
    """A rumour that the article tells."""

    title: Verbatim = Field(description="What it is called.")
    told_by: str | None = Field(default=None, description="Who tells it.")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


def write_articles(parent):
    folder = parent / "articles"
    folder.mkdir()
    for number in range(4):
        (folder / f"a{number}.txt").write_text(f"date 2026-03-0{number + 1} Tanks\n\nNorway will give {number + 2} tanks to Ukraine.\n")
    (parent / "rumour.py").write_text(TYPE)
    return folder


@pytest.fixture
def articles(tmp_path):
    return write_articles(tmp_path)


@pytest.fixture(scope="module")
def once(tmp_path_factory, model):
    """One finished run, its folder and its report; it was recorded as well."""
    parent = tmp_path_factory.mktemp("once")
    return parent, over(write_articles(parent), model, record=parent / "tapes")


@pytest.fixture
def finished(once, tmp_path):
    """The articles of a copy of it."""
    shutil.copytree(once[0], tmp_path, dirs_exist_ok=True)
    return tmp_path / "articles"


@pytest.fixture(autouse=True)
def _nothing_is_left():
    """After every test no server is left that it started."""
    before = servers()
    yield
    wait_until(lambda: servers() <= before)


def servers():
    """Numbers of the processes that serve a model."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:  # it has just ended
            continue
        if b"local_server.py" in line and state != "Z":
            found.add(int(folder.name))
    return found


def children(pid):
    return {server for server in servers() if f"PPid:\t{pid}\n" in _status(server)}


def _status(pid):
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""


def wait_until(condition, what="it does not happen"):
    until = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def over(articles, model, *, name="out", settings=None, **options):
    """A run over `articles` with the model, into the folder `name` beside them."""
    chosen = RunOptions(
        paths=(str(articles),), fact_types=(f"{articles.parent / 'rumour.py'}:Rumour",), out=articles.parent / name, **options
    )
    return run(chosen, settings or Settings(local=model, concurrency=2))


def command(articles, model, *more):
    """The same as a process of its own."""
    schema = f"{articles.parent / 'rumour.py'}:Rumour"
    options = ["--schema", schema, "--out", str(articles.parent / "out"), "--local", str(model), "--concurrency", "2", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "extractor", "run", str(articles), *options],
        stderr=subprocess.PIPE,
        text=True,
    )


def attempts(out):
    db = sqlite3.connect(out / LEDGER_NAME)
    try:
        return db.execute("SELECT outcome, mode, status FROM attempts").fetchall()
    finally:
        db.close()


def verdicts(out):
    with Ledger(out, read_only=True) as ledger:
        return [
            (row["article_id"], row["verdict"], row["raw"], row["issues"])
            for row in ledger.rows(("kept", "repaired", "quarantined", "merged"), [])
        ]


# --- whole runs


def test_a_run_ends_remembers_and_leaves_no_server(once):
    """Every answer has the shape, no invented quote is believed, repairs end in quarantine, tokens are counted, and nothing stays."""
    parent, report = once
    assert (report.exit_code, report.complete, report.failed) == (0, 4, 0)
    assert (report.kept, report.repaired) == (0, 0)
    assert report.quarantined > 0
    assert report.usage.unreported == 0
    assert report.usage.input_tokens > 1_000 * report.usage.attempts
    assert report.usage.output_tokens > 0
    assert report.cost_usd == 0.0
    assert {(outcome, mode) for outcome, mode, _ in attempts(parent / "out")} == {("ok", "json_schema/told")}
    assert not children(os.getpid())


def test_the_same_run_again_asks_nothing_but_what_is_new(finished, model, tmp_path):
    """Neither port nor token enters a key, so another server of the same file knows what was asked; a new article alone is asked."""
    before = attempts(tmp_path / "out")
    (finished / "b.txt").write_text("Denmark will give a radar to Ukraine.")
    (tmp_path / "elsewhere").mkdir()
    report = over(finished, Path(shutil.copy(model, tmp_path / "elsewhere" / model.name)))
    assert (report.unchanged, report.complete) == (4, 1)
    assert len(attempts(tmp_path / "out")) == len(before) + report.usage.attempts
    assert b"127.0.0.1" not in (tmp_path / "out" / LEDGER_NAME).read_bytes()


def test_stored_replies_are_found_by_the_next_server(finished, model, tmp_path):
    """A call that was answered is not made again by a run with another port and token, also where its article was not finished."""
    asked = len(attempts(tmp_path / "out"))
    db = sqlite3.connect(tmp_path / "out" / LEDGER_NAME)
    with db:
        db.execute("UPDATE articles SET outcome_key = 'b2:of another time'")
    db.close()
    report = over(finished, model)
    assert (report.complete, report.usage.attempts) == (4, 0)
    assert len(attempts(tmp_path / "out")) == asked


def test_recorded_and_replayed_gives_the_same(finished, model, tmp_path):
    """The cassettes of a local run hold neither port nor token, and replay to the same verdicts without the file."""
    report = over(finished, model, name="replayed", settings=Settings(), replay=tmp_path / "tapes")
    assert (report.exit_code, report.misses) == (0, 0)
    assert verdicts(tmp_path / "replayed") == verdicts(tmp_path / "out")
    assert verdicts(tmp_path / "out")
    for tape in (tmp_path / "tapes").iterdir():
        assert "127.0.0.1" not in tape.read_text()
        assert "earer" not in tape.read_text()


@pytest.mark.parametrize("kind", ["extract", "repair"])
def test_the_model_is_told_what_it_is_held_to(model, kind):
    """llama.cpp's model sees no schema, so what a field means stands in the messages too, once, and the grammar's schema is the same."""
    client = Client(fitted(Settings(local=model)), {"rumour": Rumour})
    call = Call(kind=kind, article_id="a", fact_types=("rumour",), prompt=Prompt(name="x", system="Rules.", user="The article."))
    body = client.body(call)
    asyncio.run(client.aclose())
    held = body["response_format"]["json_schema"]
    assert held["strict"] is True
    system = body["messages"][0]["content"]
    assert system.startswith("Rules.")
    assert system.count("A rumour that the article tells.") == 1
    assert json.dumps(held["schema"], separators=(",", ":")) in system
    assert body["messages"][-1]["content"] == "The article."


def test_the_prompt_that_is_shown_is_the_one_that_is_sent(model, articles, capsys):
    """`extractor prompt --local` loads nothing and prints the body that the file's model is asked with."""
    schema = f"{articles.parent / 'rumour.py'}:Rumour"
    assert main(["prompt", str(articles / "a0.txt"), "--schema", schema, "--local", str(model), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["model"] == read_gguf(model).identity
    assert "A rumour that the article tells." in body["messages"][0]["content"]


def test_the_rules_are_read_once(model):
    """After a repair, which begins otherwise, the next article's prompt is not read anew from its first word: it is most of the time."""
    settings = fitted(Settings(local=model, concurrency=1))
    kinds = ("extract", "repair", "extract")

    async def ask(server):
        async with Client(settings, {"rumour": Rumour}, server=server) as client:
            prompts = [Prompt(name="x", system=f"Rules of {kind}. " * 200, user=f"Article {n}.") for n, kind in enumerate(kinds)]
            calls = [Call(kind=k, article_id="a", fact_types=("rumour",), prompt=prompt) for k, prompt in zip(kinds, prompts, strict=True)]
            return [(await client.ask(call)).usage for call in calls]

    with LocalServer(settings) as server:
        first, between, again = asyncio.run(ask(server))
    assert max(first.cached_tokens, between.cached_tokens) < 0.1 * first.input_tokens
    assert again.cached_tokens > 0.9 * again.input_tokens


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_shipped_types_are_asked_and_answered(model):
    """The three types' schema is taken as strictly as it is, and each answer has all three arrays of items with the right fields."""
    with Extractor(local=model, settings=Settings(repairs=1, max_output_tokens=4_000)) as extractor:
        result = extractor.extract("Norway will give 13 tanks to Ukraine, the ministry in Oslo said on Monday.", published="2026-03-04")
        assert extractor._session.client.mode == "json_schema/told"
    assert result.status == "complete", result.reason
    assert not result.facts
    fields = {"weapons_transfer": set(WeaponsTransfer.model_fields)}
    for one in result.quarantined:
        item = json.loads(one.tries[0].json_text)
        assert set(item) >= {"evidence", "attribution", "is_background"}
        assert one.fact_type != "weapons_transfer" or set(item) == fields["weapons_transfer"]


def test_a_text_longer_than_the_context_is_cut_in_parts(model):
    """llama.cpp refuses what does not fit, and the halves fit: each is asked, nothing is lost."""
    text = "\n\n".join(f"On day {number} Norway gave {number} tanks to Ukraine, and nobody objected to any of it." for number in range(90))
    seen = []
    with Extractor([Rumour], local=model, settings=Settings(local_context=5_000, part_chars=8_000, repairs=0)) as extractor:
        client = extractor._session.client
        ask = client.ask
        client.ask = lambda call, tell, **given: ask(
            call, lambda call, attempt: seen.append(attempt.outcome) or tell(call, attempt), **given
        )
        result = extractor.extract(text)
    assert result.status == "complete", result.reason
    assert "context_overflow" in seen
    assert seen.count("ok") >= 2


def test_library_and_garbage(model):
    """An `Extractor` that nobody closed takes its server with it; two at a time do not meet."""
    one, two = Extractor([Rumour], local=model), Extractor([Rumour], local=str(model))
    assert len(children(os.getpid())) == 2
    assert one.extract("The sea is blue.").status == "complete"
    one.close()
    one.close()
    assert len(children(os.getpid())) == 1
    del two
    wait_until(lambda: not children(os.getpid()))


# --- ends


@pytest.mark.timeout(200)
def test_the_server_does_not_outlive_a_killed_run(articles, model, tmp_path):
    """SIGKILL of the run ends the server too, and the same command completes what is left."""
    with command(articles, model) as process:
        wait_until(lambda: children(process.pid) and (tmp_path / "out" / LEDGER_NAME).exists() and attempts(tmp_path / "out"))
        (server,) = children(process.pid)
        process.kill()
        process.communicate()
    wait_until(lambda: server not in servers(), "the server outlives its run")
    report = over(articles, model)
    assert report.exit_code == 0
    assert report.complete + report.unchanged == 4


def test_the_server_does_not_outlive_a_run_that_is_killed_while_it_loads(tmp_path):
    """While native code loads, no thread of Python's runs: the kernel ends it."""
    model = write_tiny_model(tmp_path / "wide.gguf", context=1 << 25)
    script = (
        "import sys; from extractor import Settings; from extractor.llm.local import LocalServer, fitted\n"
        f"LocalServer(fitted(Settings(local={str(model)!r}, local_context={1 << 24}, concurrency=1))).start(); print('loaded', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: children(process.pid))
        (server,) = children(process.pid)
        wait_until(lambda: "xllamacpp" in Path(f"/proc/{server}/maps").read_text())
        time.sleep(0.5)  # past the import, into the loading, which takes many seconds
        process.kill()
        told, _ = process.communicate()
    assert not told, "it was loaded before it was killed: make the context longer"
    began = time.monotonic()
    wait_until(lambda: server not in servers())
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("end", ["killed", "ends"])
def test_the_server_does_not_outlive_its_process_though_a_fork_of_it_lives(model, tmp_path, end):
    """A forked process holds the parent's end of the pipe too; and a process that ends without closing leaves nothing and says nothing."""
    script = (
        "import os, time; from extractor import Settings; from extractor.llm.local import LocalServer, fitted\n"
        f"server = LocalServer(fitted(Settings(local={str(model)!r}))).start()\n"
        "fork = os.fork() or (os.close(1), os.close(2), time.sleep(30), os._exit(0))\n"
        f"print(fork, flush=True); {end == 'killed'} and time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        fork = int(process.stdout.readline())
        (server,) = children(process.pid)
        if end == "killed":
            process.kill()
        _, said = process.communicate(timeout=SOON_S)
    try:
        wait_until(lambda: server not in servers(), "the server outlives its process")
        os.kill(fork, 0)
    finally:
        os.kill(fork, signal.SIGKILL)
    assert not said


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_server_that_dies_stops_the_run_and_loses_nothing(articles, model, tmp_path):
    """The run ends at once, resumable, and says how the server died; what was answered is remembered, and a later run completes it."""
    for more in range(8):
        (articles / f"more{more}.txt").write_text(f"Denmark will give {more} radars to Ukraine.")
    with command(articles, model) as process:
        wait_until(lambda: children(process.pid) and (tmp_path / "out" / LEDGER_NAME).exists() and attempts(tmp_path / "out"))
        (server,) = children(process.pid)
        os.kill(server, signal.SIGSEGV)
        _, said = process.communicate(timeout=SOON_S)
    assert process.returncode == 4, said
    assert "ended by itself (SIGSEGV)" in said
    with Ledger(tmp_path / "out") as ledger:
        assert ledger.verify() == []
    done = len(verdicts(tmp_path / "out"))
    report = over(articles, model)
    assert report.exit_code == 0
    assert report.complete + report.unchanged == 12
    assert report.unchanged > 0 or done == 0


def test_a_server_that_dies_is_told_to_the_library(model):
    """`extract` raises what befell everybody."""
    with Extractor([Rumour], local=model) as extractor:
        extractor.extract("The sea is blue.")
        (server,) = children(os.getpid())
        os.kill(server, signal.SIGKILL)
        with pytest.raises(EndpointError, match=r"SIGKILL.*memory ran out"):
            extractor.extract("The sea is green.")


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_an_interrupted_run_finishes_what_is_in_flight(articles, model, tmp_path):
    """SIGTERM to the whole process group, as a terminal's Ctrl-C goes, does not reach the server before the run has ended."""
    for more in range(20):
        (articles / f"more{more}.txt").write_text(f"Denmark will give {more} radars to Ukraine.")
    with command(articles, model) as process:
        wait_until(lambda: children(process.pid) and (tmp_path / "out" / LEDGER_NAME).exists() and attempts(tmp_path / "out"))
        process.terminate()
        _, said = process.communicate(timeout=SOON_S)
    assert process.returncode == 128 + signal.SIGTERM, said
    assert {outcome for outcome, *_ in attempts(tmp_path / "out")} <= {"ok", "partial"}


# --- what is asked of whom


def test_no_endpoint_of_the_environment_gets_the_article(model, monkeypatch):
    """With a model file named, the environment's endpoint, key and model are not used, and the key is not sent to the local server."""
    with LoopbackEndpoint(lambda request: {}) as elsewhere:
        monkeypatch.setenv("OPENAI_BASE_URL", elsewhere.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment-1234567890")
        monkeypatch.setenv("EXTRACTOR_MODEL", "gpt-5")
        with Extractor([Rumour], local=model) as extractor:
            assert extractor._session.client._wire.sdk.api_key not in ("sk-of-the-environment-1234567890", "")
            assert extractor.settings.model.startswith("tiny.gguf@")
            assert extractor.extract("The sea is blue.").status == "complete"
    assert elsewhere.requests == []


def test_the_token_is_wanted_and_never_shown(model):
    """Without its token the server answers nobody, and neither it nor the port stands in a name, a key or a message."""
    settings = fitted(Settings(local=model))
    with LocalServer(settings) as server:
        stranger = Settings(base_url=server.url, model="tiny", attempts=1)
        with Extractor([Rumour], settings=stranger) as extractor, pytest.raises(EndpointError, match="401"):
            extractor.extract("The sea is blue.")
        assert server.key not in repr(server)
        arguments = Path(f"/proc/{server._process.pid}/cmdline").read_bytes() + Path(f"/proc/{server._process.pid}/environ").read_bytes()
        assert server.key.encode() not in arguments
        other = server.url
    with LocalServer(settings) as server:
        assert server.url != other
    assert endpoint(settings).shown == f"local:{settings.model}"


@pytest.mark.parametrize("beside", [{"base_url": "http://127.0.0.1:1/v1"}, {"model": "gpt-5"}], ids=["base_url", "model"])
def test_a_model_file_excludes_another_choice(model, beside):
    """Two answers to the question who is asked are an error, not a guess."""
    with pytest.raises(SettingsError, match="exclude each other"):
        Extractor([Rumour], local=model, **beside)


@pytest.mark.parametrize("beside", [{"replay": Path("tapes")}, {"batch": True}], ids=["replay", "batch"])
def test_a_model_file_excludes_replays_and_batches(articles, model, beside):
    """A replay asks nobody, and a batch a provider."""
    with pytest.raises(UsageError, match=r"--local and --(replay|batch) exclude each other"):
        over(articles, model, **beside)


def test_context_and_threads_are_for_a_model_file():
    """An option that would do nothing is an error."""
    with pytest.raises(SettingsError, match="--local"):
        fitted(Settings(base_url="http://127.0.0.1:1/v1", local_threads=2))


# --- the machine


def test_what_the_user_says_holds(model):
    """Context, threads, articles at a time and timeout are the user's where given, and the machine's where not."""
    settings = fitted(Settings(local=model))
    assert settings.local_context == local.CONTEXT_TOKENS
    assert settings.timeout_s == local.TIMEOUT_S
    assert 1 <= settings.concurrency <= 4
    assert settings.local_threads >= 1
    assert fitted(settings) == settings
    given = fitted(Settings(local=model, local_context=2_048, local_threads=3, concurrency=7, timeout_s=5))
    assert (given.local_context, given.local_threads, given.concurrency, given.timeout_s) == (2_048, 3, 7, 5)
    with pytest.raises(SettingsError, match=r"--context 40000 is more than the 32768"):
        fitted(Settings(local=model, local_context=40_000))


def test_little_memory_takes_less_and_too_little_is_said(model, monkeypatch):
    """Articles at a time give way first, then context, both only where nobody asked for them; what still does not fit is not loaded."""
    monkeypatch.setattr(local, "_processors", lambda: 64)
    whole = local._needed_bytes(read_gguf(model), 4, local.CONTEXT_TOKENS)
    slot = local.CONTEXT_TOKENS * read_gguf(model).token_bytes
    for free, slots, context in ((whole, 4, 24_576), (whole - 1, 3, 24_576), (whole - 3 * slot - 1, 1, 12_288)):
        monkeypatch.setattr(local, "_free_bytes", lambda free=free: free)
        settings = fitted(Settings(local=model))
        assert (settings.concurrency, settings.local_context) == (slots, context)
    monkeypatch.setattr(local, "_free_bytes", lambda: 100 << 20)
    with pytest.raises(SettingsError, match=r"0\.1 GB are free.*smaller file"):
        Extractor([Rumour], local=model)
    assert fitted(Settings(local=model, concurrency=3)).concurrency == 3


def test_the_memory_of_a_context_is_what_llama_cpp_takes(model):
    """One layer, one head of keys and one of values, each 16 numbers wide, in half precision."""
    assert read_gguf(model).token_bytes == 1 * (16 + 16) * 2
    assert read_gguf(model).context_tokens == 32_768
    assert read_gguf(model).size_bytes == model.stat().st_size


# --- the file


def test_a_file_is_known_by_its_content(model, tmp_path):
    """Moved it is the same, with one other weight it is another."""
    moved = shutil.copy(model, tmp_path / "tiny.gguf")
    assert read_gguf(Path(moved)).identity == read_gguf(model).identity
    data = bytearray(model.read_bytes())
    data[-100] ^= 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tiny.gguf").write_bytes(data)
    assert read_gguf(tmp_path / "other" / "tiny.gguf").identity != read_gguf(model).identity
    assert read_gguf(write_tiny_model(tmp_path / "other" / "tiny.gguf")).identity == read_gguf(model).identity


def test_parts_count_together(model, tmp_path):
    """A model in several files is all of them, and a missing one is named."""
    first, second = tmp_path / "big-00001-of-00002.gguf", tmp_path / "big-00002-of-00002.gguf"
    shutil.copy(model, first)
    with pytest.raises(SettingsError, match="big-00002-of-00002"):
        read_gguf(first)
    second.write_bytes(b"GGUF" + bytes(1000))
    whole = read_gguf(first)
    assert whole.size_bytes == model.stat().st_size + 1004
    second.write_bytes(b"GGUF" + bytes(999) + b"\1")
    assert read_gguf(first).identity != whole.identity


WRONG = {
    "missing": (lambda path, model: None, "No model file"),
    "a folder": (lambda path, model: (path.mkdir(), shutil.copy(model, path)), "is a folder; name the model file in it: tiny.gguf"),
    "a text": (lambda path, model: path.write_text("version https://git-lfs.github.com/spec/v1"), "is no GGUF model file"),
    "empty": (lambda path, model: path.write_bytes(b""), "is no GGUF model file"),
    "a cut header": (lambda path, model: path.write_bytes(model.read_bytes()[:3000]), "is damaged"),
    "a mad header": (lambda path, model: path.write_bytes(b"GGUF\3\0\0\0" + b"\xff" * 64), "is damaged"),
    "a value of no known kind": (
        lambda path, model: path.write_bytes(b"GGUF\3\0\0\0" + b"\0" * 8 + b"\1" + b"\0" * 15 + b"\xff" * 64),
        "is damaged",
    ),
    "cut weights": (lambda path, model: path.write_bytes(model.read_bytes()[:-50_000]), "cannot be served: .* Its log ends: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_model_is_said_before_any_call(name, model, articles, tmp_path):
    """What is wrong with the file is one sentence that names it; nothing was asked."""
    make, said = WRONG[name]
    path = tmp_path / "wrong.gguf"
    make(path, model)
    with pytest.raises(SettingsError, match=said) as error:
        over(articles, path)
    assert str(path) in str(error.value)
    assert not (tmp_path / "out" / LEDGER_NAME).exists() or attempts(tmp_path / "out") == []


# --- what is missing


def test_without_the_extra_it_says_which_to_install(model, monkeypatch):
    """The message is the command to type."""
    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r'pip install "grounded-fact-extractor\[local\]"'):
        Extractor([Rumour], local=model)


def test_the_model_of_the_environment_does_not_hide_a_wrong_option(model, monkeypatch):
    """`--local` is an option and wins over the environment; `--base-url` beside it is an option too, and does not."""
    monkeypatch.setenv("EXTRACTOR_BASE_URL", "http://127.0.0.1:1/v1")
    assert fitted(resolve(local=model)).base_url is None
    with pytest.raises(SettingsError, match="exclude"):
        fitted(resolve(local=model, base_url="http://127.0.0.1:2/v1"))
