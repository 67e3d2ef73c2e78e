import shutil
import sqlite3
import subprocess
import sys

import pytest
from test_ledger import call, remember

from extractor.errors import LedgerError
from extractor.llm.modes import Frame
from extractor.records import Attempt, Usage
from extractor.runs import ledger_shards
from extractor.runs.ledger import Request
from extractor.runs.ledger_shards import Shard, ShardedLedger

TYPES = ["weapons_transfer"]
FRAME = Frame("b2:0", '{"messages": []}')


def asked(ledger, key, article_id="a", outcome="ok"):
    attempt = Attempt(
        key=key,
        mode="json_schema/strict",
        outcome=outcome,
        text='{"weapons_transfer": []}',
        usage=Usage(attempts=1, input_tokens=7, output_tokens=3),
    )
    ledger.attempt(call(article_id), attempt, Request(FRAME, "http://127.0.0.1/v1", 0.5))


def driver(folder):
    ledger = ShardedLedger(folder)
    ledger.start_run({"settings": {"model": "a-model"}}, {"weapons_transfer": ("b2:1", 1, {})})
    return ledger


def died(folder, name, code):
    """A worker in a process of its own, killed after it did this to its `shard`."""
    program = (
        "import os, sys\n"
        "sys.path[:0] = ['tests', 'tests/runs']\n"
        "from pathlib import Path\n"
        "import test_shards as t\n"
        f"shard = t.Shard(Path({str(folder)!r}), {name!r})\n"
        f"{code}\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9


def test_a_dead_workers_answers_are_found_and_a_living_ones_are_not_touched(tmp_path):
    """Whose lock is free is dead: its replies are read by those who look around; a living one's shard is its own."""
    died(tmp_path, "dead", "t.asked(shard, 'k-dead')")
    with Shard(tmp_path, "living") as living, Shard(tmp_path) as shard:
        asked(living, "k-living")
        assert shard.reply("k-dead", TYPES) is None
        shard.look_around()
        assert shard.reply("k-dead", TYPES).outcome == "ok"
        assert shard.reply("k-living", TYPES) is None
        living.close()
        shard.look_around()
        assert shard.reply("k-living", TYPES).outcome == "ok"


def test_two_who_look_at_once_do_not_take_each_other_for_the_owner(tmp_path):
    """A look holds a lock that others may hold as well."""
    died(tmp_path, "dead", "t.asked(shard, 'k')")
    import fcntl

    with (tmp_path / "shards/dead/run.lock").open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with Shard(tmp_path) as shard:
            shard.look_around()
            assert shard.reply("k", TYPES)


def test_a_worker_killed_in_the_middle_of_a_write_leaves_what_was_whole(tmp_path):
    """A half-written transaction is undone by whoever reads next; what was committed before it is found."""
    half = (
        "t.asked(shard, 'whole')\n"
        "shard._db.execute('PRAGMA cache_size = 1')\n"
        "shard._db.execute('BEGIN IMMEDIATE')\n"
        "shard._db.executemany('INSERT INTO texts VALUES (?, ?)', [(str(n), 'x' * 9000) for n in range(200)])"
    )
    died(tmp_path, "dead", half)
    assert (tmp_path / "shards/dead/ledger.sqlite-journal").stat().st_size > 0
    with Shard(tmp_path) as shard:
        shard.look_around()
        assert shard.reply("whole", TYPES).outcome == "ok"
        assert shard._others["dead"]._one("SELECT COUNT(*) AS n FROM texts")["n"] == 1


def test_shards_are_merged_each_attempt_once(tmp_path, monkeypatch):
    """A driver that is killed between the merge and the removal of a shard does not count it twice."""
    for name in ("one", "two"):
        with Shard(tmp_path, name) as shard:
            asked(shard, f"k-{name}")
            shard.remember_mode("there", "tools")
    with driver(tmp_path) as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(ledger_shards.shutil, "rmtree", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                ledger.merge_shards()
        assert ledger.summary()["attempts"] == 1
    with driver(tmp_path) as ledger:
        ledger.merge_shards()
        summary = ledger.summary()
        assert (summary["attempts"], summary["input_tokens"], summary["cost_usd"]) == (2, 14, 1.0)
        assert ledger.reply("k-one", TYPES)
        assert ledger.reply("k-two", TYPES)
        assert ledger.mode("there") == "tools"
        assert list((tmp_path / "shards").iterdir()) == []
        ledger.merge_shards()
        assert ledger.summary()["attempts"] == 2


def test_a_shard_that_is_still_written_is_not_merged(tmp_path, monkeypatch):
    """The driver waits for a worker to end, and says so where it does not; nothing is lost by it."""
    monkeypatch.setattr(ledger_shards, "_END_S", 0.1)
    with Shard(tmp_path, "busy") as shard:
        asked(shard, "k")
        with driver(tmp_path) as ledger:
            with pytest.raises(LedgerError, match="busy"):
                ledger.merge_shards()
            shard.close()
            ledger.merge_shards()
            assert ledger.reply("k", TYPES)


def test_a_folder_without_a_ledger_is_removed(tmp_path):
    """A worker that died before it had a ledger leaves a folder with nothing in it."""
    (tmp_path / "shards/new").mkdir(parents=True)
    with driver(tmp_path) as ledger:
        ledger.merge_shards()
    assert list((tmp_path / "shards").iterdir()) == []


def test_answers_of_unfinished_articles_are_laid_out_for_workers(tmp_path):
    """What a killed run was answered about articles that have no outcome, or an older one, is found by the workers of the next."""
    with driver(tmp_path) as ledger:
        asked(ledger, "k-done", "done")
        remember(ledger, "done")
        asked(ledger, "k-open", "open")
        asked(ledger, "k-old", "old")
        remember(ledger, "old")
    with driver(tmp_path) as ledger:
        asked(ledger, "k-new", "old")  # asked again by a later run that was killed
    with driver(tmp_path) as ledger:
        ledger.merge_shards()
        ledger.lay_out_earlier()
        with Shard(tmp_path) as shard:
            shard.look_around()
            assert [bool(shard.reply(key, TYPES)) for key in ("k-done", "k-open", "k-old", "k-new")] == [False, True, False, True]
        ledger.merge_shards()
        assert ledger.summary()["attempts"] == 4


def test_a_shard_keeps_no_outcome(tmp_path):
    """The driver alone remembers outcomes and writes facts."""
    with Shard(tmp_path, "one") as shard:
        remember(shard, "a")
        assert shard.known(["a"]) == {}
    db = sqlite3.connect(tmp_path / "shards/one/ledger.sqlite")
    assert db.execute("SELECT COUNT(*) FROM articles").fetchone() == (0,)
    db.close()
    assert not (tmp_path / "shards/one/facts.jsonl").exists()
    shutil.rmtree(tmp_path / "shards")
