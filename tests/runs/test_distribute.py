import asyncio
import collections
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest
from answers import ARTICLE, answering, is_repair, misquoted, told_apart, transfer, write_articles

from extractor.articles.discover import Source
from extractor.articles.read import read
from extractor.errors import ArticleError, ExtractorError, LimitReached, SettingsError, UsageError
from extractor.records import Usage
from extractor.runs import distribute
from extractor.runs import pipeline as pipeline_module
from extractor.runs.distribute import ClusterLimits
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import Ledger
from extractor.runs.pipeline import ExtractBatches, facts_of, read_articles, write_results
from extractor.runs.worker import Order, Worker, share_of
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint, Raw, completion

SOON_S = 120.0
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra 'ray' is not installed")
REPAIRED = {"repairs": [{"item": 1, "fact": transfer(status="agreed")}]}
# Ray's own processes and sockets are its business, and it warns about its own future
quiet = pytest.mark.filterwarnings("default")


class Trial:
    """Articles, a run folder, an endpoint whose repairs can be held."""

    def __init__(self, tmp_path, count):
        self.count = count
        self.articles = told_apart(write_articles(tmp_path / "articles", count))
        self.out = tmp_path / "out"
        self.holding = threading.Event()
        self.repairing = threading.Semaphore(0)
        self.right = answering(transfer(), misquoted(), **REPAIRED)

    def answer(self, request):
        """Extractions at once; repairs too, unless they are held: then never."""
        if is_repair(request) and self.holding.is_set():
            self.repairing.release()
            return Raw(completion(request, self.right(request)), delay_s=600)
        return self.right(request)

    def run(self, endpoint, *, settings=None, **changes):
        """One run, and its report."""
        options = {
            "paths": (str(self.articles),),
            "fact_types": ("weapons_transfer",),
            "out": self.out,
            "engine": "ray",
            "workers": 2,
            **changes,
        }
        return run(RunOptions(**options), Settings(**{"base_url": endpoint.base_url, "price_usd": (1.0, 2.0), **(settings or {})}))

    def start(self, endpoint):
        """The same command, in a process of its own."""
        command = [
            sys.executable, "-m", "extractor", "run", str(self.articles), "--out", str(self.out), "--schema", "weapons_transfer",
            "--base-url", endpoint.base_url, "--model", Settings().model, "--price", "1,2", "--engine", "ray", "--workers", "2",
        ]  # fmt: skip
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)

    @property
    def owners(self):
        """Process of each shard's worker, by shard: who holds its lock."""
        holders = {}
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if "FLOCK" in fields:
                place = fields.index("FLOCK")
                holders[int(fields[place + 4].split(":")[2])] = int(fields[place + 3])
        locks = (self.out / "shards").glob("*/run.lock")
        return {lock.parent.name: holders[inode] for lock in locks if (inode := lock.stat().st_ino) in holders}

    def check(self):
        """Every article has its two facts, once."""
        rows = [json.loads(line) for line in (self.out / "facts.jsonl").read_text(encoding="utf-8").splitlines()]
        told = collections.Counter((row["article_id"], row["verdict"]) for row in rows)
        assert told == {(f"a{n:02}.txt", verdict): 1 for n in range(self.count) for verdict in ("kept", "repaired")}
        with Ledger(self.out, read_only=True) as ledger:
            assert ledger.verify() == []
            return ledger.summary()


def wait_for(holds):
    until = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.02)


def times_asked(endpoint):
    """How often each request was sent, extractions and repairs apart."""
    asked = {True: collections.Counter(), False: collections.Counter()}
    for request in endpoint.requests:
        asked[is_repair(request)][request["messages"][-1]["content"]] += 1
    return asked[False], asked[True]


@pytest.fixture(scope="module")
def cluster():
    """One local cluster for all tests of this module."""
    ray = distribute.connect()
    yield ray
    ray.shutdown()


# without a cluster


def test_without_the_extra_the_message_says_which(monkeypatch, tmp_path):
    """Using the option without Ray names the extra, before anything is read or written."""
    monkeypatch.setitem(sys.modules, "ray", None)
    articles = write_articles(tmp_path / "articles")
    with pytest.raises(UsageError, match=r'pip install "grounded-fact-extractor\[ray\]"'):
        run(RunOptions(paths=(str(articles),), out=tmp_path / "out", engine="ray"), Settings(base_url="http://127.0.0.1:9/v1"))
    assert not (tmp_path / "out").exists()


def test_a_plain_install_pulls_no_ray():
    """Ray is asked for by its extra alone."""
    wanted = [line for line in importlib.metadata.requires("grounded-fact-extractor") if line.startswith(("ray", "pyarrow"))]
    assert wanted
    assert all("extra ==" in line for line in wanted)


def test_a_plain_run_does_not_import_ray(tmp_path):
    """Ray takes seconds to import: the modules that can use it do without until it is asked for."""
    code = "import sys; import extractor.runs.folder, extractor.runs.pipeline; sys.exit('ray' in sys.modules or 'pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("changes", [{"batch": True}, {"record": "tapes"}])
def test_options_that_do_not_go_with_a_cluster_are_said(tmp_path, changes):
    """What workers cannot keep is refused before any call."""
    articles = write_articles(tmp_path / "articles")
    options = RunOptions(paths=(str(articles),), out=tmp_path / "out", engine="ray", **changes)
    with pytest.raises(UsageError, match="--engine ray"):
        run(options, Settings(base_url="http://127.0.0.1:9/v1"))


def test_the_limits_of_a_cluster_are_those_of_all_workers_together():
    """Requests of any worker count; what a worker that died has reserved stays reserved."""

    async def asking():
        limits = ClusterLimits(Settings(max_cost_usd=1.0, price_usd=(1.0, 0.0)))
        await limits.admit(400_000)
        second = await limits.admit(400_000)
        with pytest.raises(LimitReached, match="--max-cost"):
            await limits.admit(400_000)
        await limits.settle(second, Usage(input_tokens=100, output_tokens=1, attempts=1))
        await limits.admit(100)
        await limits.wind_down()

    asyncio.run(asking())


def test_workers_share_the_concurrency():
    """Together they have what one process would have, rounded up; limits are not theirs."""
    shared = share_of(Settings(concurrency=10, rpm=5, tpm=6, max_cost_usd=1), 4)
    assert (shared.concurrency, shared.rpm, shared.tpm, shared.max_cost_usd) == (3, None, None, None)


def test_limits_in_a_pipeline_must_be_shared(tmp_path):
    """A limit that each worker would have for itself is refused."""
    with pytest.raises(SettingsError, match="shared_limits"):
        ExtractBatches(settings=Settings(base_url="http://127.0.0.1:9/v1", rpm=10), ledger_dir=tmp_path)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "a", "text": "Norway.", "source": 7, "title": 8}, "7"),
        ({"id": "a", "article": "{}"}, ArticleError),
        ({"id": "a", "text": "Norway.", "published": "soon"}, ArticleError),
    ],
)
def test_what_a_row_holds_ends_no_pipeline(row, told):
    """A column of numbers is read as text; what is no article is the row's own error."""
    if isinstance(told, str):
        assert pipeline_module._article_of(row).source == told
    else:
        with pytest.raises(told):
            pipeline_module._article_of(row)


@needs_ray
@quiet
def test_what_is_answered_in_the_run_folder_needs_no_cluster(tmp_path, monkeypatch):
    """Same key, same reply, no call: also for a new article of a text that another one had, which is finished long since."""
    trial = Trial(tmp_path, 3)
    monkeypatch.setattr(distribute, "connect", lambda: pytest.fail("a cluster is started"))
    with LoopbackEndpoint(trial.right) as endpoint:
        assert trial.run(endpoint, engine="asyncio").complete == 3
        asked = len(endpoint.requests)
        shutil.copytree(trial.articles, tmp_path / "again" / "more")
        report = trial.run(endpoint, paths=(str(tmp_path / "again"),))
        assert (report.exit_code, report.complete, len(endpoint.requests)) == (0, 3, asked)


def test_a_run_over_a_pipelines_shards_makes_one_run_folder_of_them(tmp_path):
    """Every worker's answers and what came of them, without another request."""
    trial = Trial(tmp_path, 6)

    async def worked(endpoint, part):
        order = Order(("weapons_transfer",), share_of(Settings(base_url=endpoint.base_url), 1), trial.out)
        worker = Worker(order)
        try:
            for path in part:
                (article,) = read(Source(id=path.name, path=path))
                assert (await worker.outcome(article)).outcome.status == "complete"
        finally:
            await worker.aclose()

    with LoopbackEndpoint(trial.right) as endpoint:
        files = sorted(trial.articles.iterdir())
        for part in (files[:3], files[3:]):
            asyncio.run(worked(endpoint, part))
        asked = len(endpoint.requests)
        assert len(list((trial.out / "shards").iterdir())) == 2
        report = trial.run(endpoint, engine="asyncio", workers=None)
        assert (report.complete, len(endpoint.requests)) == (6, asked)
    assert list((trial.out / "shards").iterdir()) == []
    assert trial.check()["attempts"] == asked


@needs_ray
@quiet
def test_operators_see_the_articles_of_a_cluster(tmp_path, monkeypatch, caplog):
    """A span with its end and a log line for each, in the driver, as in a run of one process."""
    trial, ends = Trial(tmp_path, 2), []

    @contextlib.contextmanager
    def reading(article_id, _):
        yield types.SimpleNamespace(end=lambda status, cause, facts: ends.append((article_id, status, cause, list(facts))))

    monkeypatch.setattr(distribute, "reading", reading)
    with LoopbackEndpoint(trial.right) as endpoint:
        trial.run(endpoint, engine="asyncio")
        shutil.copytree(trial.articles, tmp_path / "again" / "more")
        caplog.set_level("DEBUG", logger="extractor")
        trial.run(endpoint, paths=(str(tmp_path / "again"),))
    both = [("weapons_transfer", "kept"), ("weapons_transfer", "repaired")]
    assert sorted(ends) == [(f"more/a{number:02}.txt", "complete", None, both) for number in range(2)]
    assert sum("': complete" in line for line in caplog.messages) == 2


@needs_ray
@quiet
def test_a_cluster_that_is_not_there_is_looked_for_once(tmp_path, monkeypatch):
    """However many articles wait for it: each look may take half a minute."""
    looks = []

    def connect():
        looks.append(1)
        raise UsageError("No cluster.")

    monkeypatch.setattr(distribute, "connect", connect)
    trial = Trial(tmp_path, 5)
    with LoopbackEndpoint(trial.right) as endpoint, pytest.raises(UsageError, match="No cluster"):
        trial.run(endpoint)
    assert looks == [1]


# with one


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_a_killed_worker_loses_no_paid_call_and_doubles_no_fact(tmp_path):
    """What the dead worker was answered is found by the other: only what it had in flight is asked again."""
    trial = Trial(tmp_path, 12)
    trial.holding.set()
    with LoopbackEndpoint(trial.answer) as endpoint:
        with contextlib.ExitStack() as stack:
            reports = []
            thread = threading.Thread(target=lambda: reports.append(trial.run(endpoint)))
            stack.callback(thread.join, SOON_S)
            thread.start()
            wait_for(lambda: len(times_asked(endpoint)[1]) == 12)  # all extractions are answered, all repairs in flight
            owners = trial.owners
            assert len(set(owners.values())) == 2
            trial.holding.clear()
            shard, process = next(iter(owners.items()))
            with contextlib.closing(sqlite3.connect(trial.out / "shards" / shard / "ledger.sqlite")) as db:
                ((of_the_dead,),) = db.execute("SELECT COUNT(*) FROM attempts").fetchall()
            assert 0 < of_the_dead < 12
            os.kill(process, signal.SIGKILL)
            wait_for(lambda: sum(times_asked(endpoint)[1].values()) >= 12 + of_the_dead)
            time.sleep(1)  # whoever would ask too often has the time to
            asked_meanwhile = sum(times_asked(endpoint)[1].values())
            endpoint._closing.set()  # the other worker's held repairs end now
        extractions, repairs = times_asked(endpoint)
    assert asked_meanwhile == 12 + of_the_dead  # and those of the dead worker once more
    assert set(extractions.values()) == {1}
    assert len(extractions) == len(repairs) == 12
    assert reports[0].complete == 12
    trial.check()


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_driver_resumes_with_what_was_in_flight(tmp_path, cluster):
    """Its workers end with it; the same command takes in their shards, and asks nothing that was answered."""
    trial = Trial(tmp_path, 8)
    trial.holding.set()
    with LoopbackEndpoint(trial.answer) as endpoint:
        with trial.start(endpoint) as process:
            wait_for(lambda: len(times_asked(endpoint)[1]) == 8 or process.poll() is not None)
            assert process.poll() is None, process.communicate()
            assert len(set(trial.owners.values())) == 2
            process.kill()
            process.wait()
        wait_for(lambda: not trial.owners)
        assert list((trial.out / "shards").iterdir())
        trial.holding.clear()
        report = trial.run(endpoint)
        extractions, repairs = times_asked(endpoint)
    assert (report.exit_code, report.complete) == (0, 8)
    assert set(extractions.values()) == {1}
    assert set(repairs.values()) == {2}
    assert trial.check()["attempts"] == 16
    assert list((trial.out / "shards").iterdir()) == []


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_a_run_on_a_cluster_stops_and_goes_on_like_any_other(tmp_path):
    """A refused key and a sum of money end it with 4; nothing is lost, and the next run asks the rest."""
    trial = Trial(tmp_path, 6)
    refusing = True

    def answer(request):
        if refusing:
            return Raw({"error": {"message": "Incorrect API key provided."}}, status=401)
        return trial.right(request)

    with LoopbackEndpoint(answer) as endpoint:
        report = trial.run(endpoint, workers=1)
        assert report.exit_code == 4
        assert "The key is refused" in report.stopped
        assert "Traceback" not in report.stopped
        refusing = False
        report = trial.run(endpoint, settings={"max_cost_usd": 0.012, "concurrency": 1})
        assert report.exit_code == 4
        assert "--max-cost" in report.stopped
        assert 0 < report.cost_usd <= 0.012
        assert trial.run(endpoint).exit_code == 0
        assert max(max(asked.values()) for asked in times_asked(endpoint) if asked) <= 7  # refused ones are asked again
    trial.check()


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_articles_of_one_text_are_asked_once_whichever_worker_has_them(tmp_path):
    """As in a run of one process; and another text under a known name is counted and said as there."""
    trial, said = Trial(tmp_path, 1), []
    for number in range(1, 8):
        shutil.copy(trial.articles / "a00.txt", trial.articles / f"a{number:02}.txt")
    trial.count = 8
    with LoopbackEndpoint(lambda request: Raw(completion(request, trial.right(request)), delay_s=0.2)) as endpoint:
        report = trial.run(endpoint)
        assert [list(asked.values()) for asked in times_asked(endpoint)] == [[1], [1]]
        assert (report.complete, report.replaced) == (8, 0)
        trial.check()
        (trial.articles / "a03.txt").write_text(ARTICLE.format(topic="something else"), encoding="utf-8")
        options = RunOptions(paths=(str(trial.articles),), fact_types=("weapons_transfer",), out=trial.out, engine="ray", workers=2)
        report = run(options, Settings(base_url=endpoint.base_url, price_usd=(1.0, 2.0)), notice=said.append)
    assert (report.complete, report.replaced) == (1, 1)
    assert "1 article replaced (another text under the same name): a03.txt (2 facts before)." in said
    trial.check()


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_an_article_that_kills_its_workers_fails_alone(tmp_path):
    """After three deaths it is failed with that reason; the others are complete."""
    schema = tmp_path / "deadly.py"
    schema.write_text(
        "import os\n"
        "from extractor import Fact, Verbatim\n"
        "class Deadly(Fact):\n"
        '    """Something said."""\n'
        "    version = 1\n"
        "    what: Verbatim\n"
        "    @classmethod\n"
        "    def model_validate_json(cls, *arguments, **options):\n"
        "        made = super().model_validate_json(*arguments, **options)\n"
        "        if 'topic 1' in made.what:\n"
        "            os.kill(os.getpid(), 9)\n"
        "        return made\n",
        encoding="utf-8",
    )
    trial = Trial(tmp_path, 3)

    def answer(request):
        topic = request["messages"][-1]["content"].rpartition("Nobody else spoke about ")[2].split(".")[0]
        told = {
            "evidence": [f"Nobody else spoke about {topic}"],
            "attribution": {"speaker": None, "relayed_by": None, "certainty": "asserted"},
        }
        return {"deadly": [{**told, "is_background": False, "what": f"Nobody else spoke about {topic}"}]}

    with LoopbackEndpoint(answer) as endpoint:
        report = trial.run(endpoint, fact_types=(f"{os.path.relpath(schema)}:Deadly",))
    assert (report.complete, report.failed, report.kept) == (2, 1, 2)
    with Ledger(trial.out, read_only=True) as ledger:
        (failure,) = (article for article in ledger.articles() if article["status"] == "failed")
    assert failure["id"] == "a01.txt"
    assert "died 3 times" in failure["reason"]


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_what_workers_cannot_load_ends_the_run_with_its_reason(tmp_path):
    """It is no death of a worker, and no fault of any article: nothing is remembered as failed."""
    schema = tmp_path / "here.py"
    schema.write_text(
        "import os\n"
        "from extractor import Fact, Verbatim\n"
        f"assert os.getpid() == {os.getpid()}, 'only in the driver'\n"
        "class Here(Fact):\n"
        '    """Something said."""\n'
        "    version = 1\n"
        "    what: Verbatim\n",
        encoding="utf-8",
    )
    trial = Trial(tmp_path, 3)
    with LoopbackEndpoint(trial.answer) as endpoint:
        with pytest.raises(ExtractorError, match="only in the driver"):
            trial.run(endpoint, fact_types=(f"{schema}:Here",))
        assert endpoint.requests == []
    with Ledger(trial.out, read_only=True) as ledger:
        assert list(ledger.articles()) == []


@needs_ray
@quiet
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_a_pipeline_of_ones_own(tmp_path):
    """Files in through Ray's reader, Parquet out: a row for each article, whatever befell it, and for each fact; the next one asks nothing."""
    parquet = pytest.importorskip("pyarrow.parquet")
    articles = told_apart(write_articles(tmp_path / "articles" / "deep", 5))
    (articles / "empty.txt").write_text("\n", encoding="utf-8")
    (articles / "a05.txt").write_text(ARTICLE.format(topic="xyzzy"), encoding="utf-8")
    right = answering(transfer(), misquoted(), **REPAIRED)

    def answer(request):
        return (
            Raw({"error": {"message": "No.", "code": "content_filter"}}, status=400) if "xyzzy" in json.dumps(request) else right(request)
        )

    def pipeline(endpoint):
        return read_articles(str(tmp_path / "articles")).map_batches(
            ExtractBatches,
            fn_constructor_kwargs={
                "fact_types": ["weapons_transfer"],
                "settings": Settings(base_url=endpoint.base_url),
                "ledger_dir": tmp_path / "ledger",
            },
            batch_format="pyarrow",
            batch_size=4,
            concurrency=2,
            num_cpus=0.1,
        )

    with LoopbackEndpoint(answer) as endpoint:
        write_results(pipeline(endpoint), str(tmp_path / "out"))
        asked = len(endpoint.requests)
        assert asked > 6
        again = [fact for row in pipeline(endpoint).take_all() for fact in facts_of(row)]
        assert len(endpoint.requests) == asked
        with pytest.raises(UsageError, match="already"):
            write_results(pipeline(endpoint), str(tmp_path / "out"))
    rows = {row["article_id"]: row for row in parquet.read_table(tmp_path / "out/articles").to_pylist()}
    assert {name: row["status"] for name, row in rows.items()} == {
        **{f"deep/a{n:02}.txt": "complete" for n in range(5)},
        "deep/a05.txt": "failed",
        "deep/empty.txt": "unreadable",
    }
    assert rows["deep/a05.txt"]["cause"] == "content_filter"
    facts = parquet.read_table(tmp_path / "out/facts").to_pylist()
    assert collections.Counter(fact["verdict"] for fact in facts) == {"kept": 5, "repaired": 5}
    assert sorted(fact["row"] for fact in again) == sorted(fact["row"] for fact in facts)
    assert facts_of(rows["deep/a00.txt"])[0]["fact_type"] == "weapons_transfer"
