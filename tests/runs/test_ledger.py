import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from answers import answering, transfer, write_articles

from extractor.errors import LedgerError, UsageError
from extractor.evidence.outcome import Outcome
from extractor.llm.modes import Frame
from extractor.records import Article, Attempt, Call, Prompt, RawItem, Reply, Usage
from extractor.runs import ledger as ledger_module
from extractor.runs.flow import Plan, flow
from extractor.runs.folder import RunOptions, run
from extractor.runs.ledger import MIGRATIONS, Ledger, Request
from extractor.runs.rows import Provenance
from extractor.schemas import WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint

PROVENANCE = Provenance("a-model", "extract.v1 b2:0", {"weapons_transfer": "b2:1"})
SECRET = "sk-" + "verysecretkey123456"  # in two pieces, so that no scanner takes it for a leak
DOCS = Path(__file__).parents[2] / "docs" / "ledger.md"
TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."


def outcome_of(article_id, *items, text=TEXT):
    """What judging makes of these items about one article."""
    article = Article(id=article_id, text=text)
    steps = flow(article, Plan({"weapons_transfer": WeaponsTransfer}, 0, 16_000))
    next(steps)
    raw = tuple(RawItem(fact_type="weapons_transfer", index=n, json_text=json.dumps(item)) for n, item in enumerate(items))
    with pytest.raises(StopIteration) as ended:
        steps.send([Reply(outcome="ok", items=raw)])
    outcome = ended.value.value
    assert isinstance(outcome, Outcome)
    return outcome


def begin(folder):
    ledger = Ledger(folder)
    ledger.start_run({"settings": {"model": "a-model"}}, {"weapons_transfer": ("b2:1", 1, {})})
    return ledger


def remember(ledger, article_id, *items, text=TEXT):
    ledger.outcome(outcome_of(article_id, *items, text=text), key=f"key-{article_id}", judge_version=1, provenance=PROVENANCE)


def fill(ledger):
    for number in range(200):
        remember(ledger, f"b{number:03}", transfer(), text=TEXT + " x" * 4000)


def lines(folder):
    return [json.loads(line) for line in (folder / "facts.jsonl").read_text(encoding="utf-8").splitlines()]


def attempted(ledger, attempt):
    ledger.attempt(call(), attempt, Request(Frame("b2:0", "{}"), "http://127.0.0.1/v1"))


def call(article_id="a"):
    return Call(
        kind="extract",
        article_id=article_id,
        fact_types=("weapons_transfer",),
        prompt=Prompt(name="extract.v1", system="rules", user="text"),
    )


def test_facts_file_is_in_article_order_whatever_the_order_of_completion(tmp_path):
    """Articles finish in any order; at rest the file has them in order of their ids, like the ledger's rows."""
    with begin(tmp_path) as ledger:
        for article_id in ("c", "a", "b"):
            remember(ledger, article_id, transfer())
    assert [row["article_id"] for row in lines(tmp_path)] == ["a", "b", "c"]
    with Ledger(tmp_path, read_only=True) as ledger:
        assert list(ledger.rows()) == lines(tmp_path)


def test_a_changed_article_takes_the_place_of_its_old_facts(tmp_path):
    """What was known of an article is replaced, in the ledger and in the file."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer(), transfer(status="agreed"))
        remember(ledger, "b", transfer())
        remember(ledger, "a", transfer(status="ordered"))
    assert [(row["article_id"], row["value"]["status"]) for row in lines(tmp_path)] == [("a", "ordered"), ("b", "pledged")]


@pytest.mark.parametrize("damage", [b"", b'{"half": ', None], ids=["emptied", "torn line", "removed"])
def test_the_facts_file_is_mended_on_open(tmp_path, damage):
    """A file that a kill or a hand has changed is made anew from the ledger."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        remember(ledger, "b", transfer())
    whole = (tmp_path / "facts.jsonl").read_bytes()
    if damage is None:
        (tmp_path / "facts.jsonl").unlink()
    else:
        (tmp_path / "facts.jsonl").write_bytes((whole if damage else b"") + damage)
    Ledger(tmp_path).close()
    assert (tmp_path / "facts.jsonl").read_bytes() == whole


def test_the_facts_file_is_mended_when_it_is_removed_during_a_run(tmp_path):
    """The run goes on writing where nobody sees it, and leaves the whole file when it ends."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        (tmp_path / "facts.jsonl").unlink()
        remember(ledger, "b", transfer())
    assert [row["article_id"] for row in lines(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("taken", [0, 7])
def test_a_line_that_the_disk_did_not_take_whole_is_an_error_and_no_lost_fact(tmp_path, monkeypatch, taken):
    """A full disk writes a part and says so by the count alone; the ledger has the fact, and the file follows at the end."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        with monkeypatch.context() as full:
            tail = ledger._tail
            full.setattr(ledger, "_tail", Mock(write=lambda line: tail.write(line[:taken])))
            with pytest.raises(LedgerError, match=r"No space left.*The ledger has the facts"):
                remember(ledger, "b", transfer())
    assert [row["article_id"] for row in lines(tmp_path)] == ["a", "b"]


def test_a_killed_process_loses_nothing_that_was_committed(tmp_path):
    """After a kill between two articles the ledger has the first whole, the lock is free and the file follows."""
    code = (
        "import os, sys\n"
        "sys.path[:0] = ['tests', 'tests/runs']\n"
        "from pathlib import Path\n"
        "import test_ledger as t\n"
        f"ledger = t.begin(Path({str(tmp_path)!r}))\n"
        "t.remember(ledger, 'b', t.transfer())\n"
        "t.remember(ledger, 'a', t.transfer())\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -9
    with Ledger(tmp_path) as ledger:
        assert [row["article_id"] for row in ledger.rows()] == ["a", "b"]
    assert [row["article_id"] for row in lines(tmp_path)] == ["a", "b"]


def test_a_second_run_over_the_same_folder_says_so(tmp_path):
    """One writer at a time: the second is told, and may look all the same."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        with pytest.raises(LedgerError, match="Another run"):
            Ledger(tmp_path)
        with Ledger(tmp_path, read_only=True) as looking:
            assert len(list(looking.rows())) == 1


def test_every_attempt_is_a_row_with_its_usage(tmp_path):
    """Attempts are stored as they happen, failed ones too, and summed for status; nothing reported is told apart from nothing used."""
    with begin(tmp_path) as ledger:
        attempted(
            ledger, Attempt(key="k", mode="json_schema/strict", outcome="server_error", status=503, usage=Usage(attempts=1, unreported=1))
        )
        used = Usage(input_tokens=100, cached_tokens=40, output_tokens=7, attempts=1)
        attempted(
            ledger, Attempt(key="k", mode="json_schema/strict", outcome="ok", text='{"weapons_transfer": []}', status=200, usage=used)
        )
        summary = ledger.summary()
    assert (summary["attempts"], summary["input_tokens"], summary["cached_tokens"], summary["output_tokens"]) == (2, 100, 40, 7)
    assert summary["attempts_without_usage"] == 1
    assert summary["cost_usd"] is None


def test_a_stored_reply_answers_the_same_request(tmp_path):
    """The last answer to a key is read again; a transport's failure is none, and a refusal is left out when asked for ok alone."""
    with begin(tmp_path) as ledger:
        assert ledger.reply("k", ["weapons_transfer"]) is None
        attempted(ledger, Attempt(key="k", mode="m", outcome="timeout"))
        assert ledger.reply("k", ["weapons_transfer"]) is None
        attempted(ledger, Attempt(key="k", mode="m", outcome="refusal", text="No."))
        assert ledger.reply("k", ["weapons_transfer"]).outcome == "refusal"
        assert ledger.reply("k", ["weapons_transfer"], only_ok=True) is None
        attempted(ledger, Attempt(key="k", mode="m", outcome="ok", text='{"weapons_transfer": [{"a": 1}]}'))
        reply = ledger.reply("k", ["weapons_transfer"], only_ok=True)
    assert [item.json_text for item in reply.items] == ['{"a": 1}']
    assert reply.usage == Usage()


def test_a_lone_surrogate_of_a_model_can_be_stored(tmp_path):
    """What no UTF-8 file can hold is stored escaped, and the run goes on."""
    with begin(tmp_path) as ledger:
        attempted(ledger, Attempt(key="k", mode="m", outcome="unparsable", text="broken \ud800 text"))
        assert "\\ud800" in ledger.reply("k", ["weapons_transfer"]).text


def test_quarantined_facts_keep_their_raw_json_and_reasons(tmp_path):
    """An item that is not believed is a row of its own, out of the facts file."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer(evidence=["Norway will give 18 tanks"]))
        (row,) = ledger.rows(("quarantined",))
    assert "18 tanks" in row["raw"]
    assert row["issues"][0]["code"] == "quote_not_found"
    assert lines(tmp_path) == []


def test_a_ledger_that_cannot_be_ended_is_closed_all_the_same(tmp_path):
    """Where the last words cannot be written, closing says so once, and neither the database nor the lock stays open."""
    ledger = begin(tmp_path)
    ledger.seen(["a"])
    database = ledger._db
    database.execute("PRAGMA query_only = 1")
    with pytest.raises(LedgerError):
        ledger.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.execute("SELECT 1")
    ledger.close()
    begin(tmp_path).close()


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path):
    """An older extractor does not touch what it does not know."""
    begin(tmp_path).close()
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(LedgerError, match="newer"):
        Ledger(tmp_path)


def test_a_ledger_of_the_first_schema_is_brought_up_to_date(tmp_path):
    """What it knew of an article, its text and its facts are all there after the migrations; looking alone changes nothing."""
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.executescript(f"{MIGRATIONS[0].sql}; PRAGMA user_version = 1;")
    article = Article(id="a", text=TEXT)
    db.execute(
        "INSERT INTO articles (id, record, outcome_key, judge_version, status, cause, reason, run_id, seen_run)"
        " VALUES ('a', ?, 'key', 1, 'partial', 'refusal', 'No.', 1, 1)",
        (article.model_dump_json(),),
    )
    db.execute("""INSERT INTO facts VALUES ('a', 0, 'b2:2', 'weapons_transfer', 'kept', '{"id": "b2:2"}')""")
    db.commit()
    db.close()
    with pytest.raises(LedgerError, match="older version"):
        Ledger(tmp_path, read_only=True)
    with Ledger(tmp_path) as ledger:
        assert ledger.known(["a", "b"]) == {"a": ("key", 1, "partial", "refusal")}
        (entry,) = ledger.articles()
        assert (Article.model_validate(entry["record"]), entry["reason"], entry["present"]) == (article, "No.", True)
        assert lines(tmp_path) == [{"id": "b2:2"}]
    with Ledger(tmp_path, read_only=True) as ledger:
        assert [failure["id"] for failure in ledger.failures()] == ["a"]


def test_the_docs_name_every_table_and_column(tmp_path):
    """`docs/ledger.md` has each table of the newest schema with each of its columns, and no other."""
    begin(tmp_path).close()
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    schema = {table: [column[1] for column in db.execute(f"PRAGMA table_info({table})")] for table in tables}
    db.close()
    rows = [line.split("|") for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", row[3])) for row in rows}
    assert told == schema


def test_an_input_that_can_be_read_again_is_no_longer_called_unreadable(tmp_path):
    """What a whole run could read is forgotten as unreadable; a run that stopped early forgets nothing."""
    with begin(tmp_path) as ledger:
        ledger.unreadable("photo.txt", "It is binary.")
        ledger.unreadable("torn.pdf", "It is no PDF.")
        ledger.end_run(3, all_seen=True)
    with begin(tmp_path) as ledger:
        ledger.end_run(4, all_seen=False)
        assert set(ledger.summary()["unreadable"]) == {"photo.txt", "torn.pdf"}
    with begin(tmp_path) as ledger:
        ledger.unreadable("torn.pdf", "It is no PDF.")
        ledger.end_run(3, all_seen=True)
        assert set(ledger.summary()["unreadable"]) == {"torn.pdf"}


@pytest.mark.parametrize("cut", ["CREATE INDEX attempts_by_article", "INSERT INTO meta", "DROP TABLE articles", "RENAME TO articles"])
def test_a_kill_in_the_middle_of_a_migration_leaves_nothing_half_made(tmp_path, cut):
    """A migration and its number are one transaction: killed in it, the next process makes it anew."""
    code = (
        "import os, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from extractor.runs import ledger_file\n"
        "connect = ledger_file._connect\n"
        "def killing(path, **options):\n"
        "    db = connect(path, **options)\n"
        "    db.set_trace_callback(lambda sql: os.kill(os.getpid(), 9) if sys.argv[2] in sql else None)\n"
        "    return db\n"
        "ledger_file._connect = killing\n"
        "ledger_file.LedgerFile(Path(sys.argv[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path), cut], check=False).returncode == -9
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        assert len(list(ledger.rows())) == 1


@pytest.mark.parametrize("content", [b"this is no database at all, only text" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_ledger_is_a_clear_error(tmp_path, content):
    """A file that is no ledger is named, and not written over."""
    (tmp_path / "ledger.sqlite").write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(tmp_path)
    assert (tmp_path / "ledger.sqlite").read_bytes() == content


def test_a_folder_without_a_run_is_said_so(tmp_path):
    """Looking at a folder that holds no run names the command that makes one."""
    with pytest.raises(UsageError, match="extractor run"):
        Ledger(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_cannot_be_written_can_be_looked_at(tmp_path, monkeypatch):
    """From a read-only disk, or as another user, facts are shown and nothing is made beside the ledger."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr("extractor.runs.ledger_file.os.access", lambda *_: False)  # root may write anywhere
    with Ledger(tmp_path, read_only=True) as ledger:
        assert len(list(ledger.rows())) == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("what", ["the folder", "its lock", "its ledger"])
def test_a_run_folder_that_cannot_be_made_is_a_clear_error(what, tmp_path):
    """A file or folder in the way is named, and nothing else is touched."""
    (tmp_path / "out").mkdir()
    folder = {"the folder": tmp_path / "file", "its lock": tmp_path / "out", "its ledger": tmp_path / "out"}[what]
    if what == "the folder":
        folder.write_text("something else")
    else:
        (folder / {"its lock": "run.lock", "its ledger": "ledger.sqlite"}[what]).mkdir()
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(folder)
    assert what != "the folder" or folder.read_text() == "something else"


def test_a_full_disk_is_a_clear_error_and_nothing_is_corrupted(tmp_path):
    """When the database may not grow, the write fails whole with a clear error, and what was committed stands."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="full"):
            fill(ledger)
        ledger._db.execute("PRAGMA max_page_count = 1000000")
        kept = [row["article_id"] for row in ledger.rows()]
    assert kept[0] == "a"
    assert [row["article_id"] for row in lines(tmp_path)] == kept


def test_articles_no_longer_there_are_marked_absent(tmp_path):
    """Deleted articles keep their facts and are marked, once a run has seen all that is there."""
    with begin(tmp_path) as ledger:
        remember(ledger, "a", transfer())
        remember(ledger, "b", transfer())
        ledger.end_run(0, all_seen=True)
    with begin(tmp_path) as ledger:
        ledger.seen(["b"])
        ledger.end_run(0, all_seen=True)
        assert {entry["id"]: entry["present"] for entry in ledger.articles()} == {"a": False, "b": True}
        assert ledger.summary()["absent"] == 1
        assert len(list(ledger.rows())) == 2


def test_no_secret_reaches_the_ledger(tmp_path):
    """The key is in no byte of the run folder."""
    articles = write_articles(tmp_path / "articles")
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(RunOptions(paths=(str(articles),), out=tmp_path / "out"), Settings(base_url=endpoint.base_url, api_key=SECRET))
        assert endpoint.headers[0]["authorization"] == f"Bearer {SECRET}"
    for path in (tmp_path / "out").iterdir():
        assert b"verysecretkey" not in path.read_bytes(), path


def test_verify_finds_what_was_changed_by_hand(tmp_path):
    """Every stored text, request, fact and quote is derived anew; whatever was edited is named."""
    articles = write_articles(tmp_path / "articles", 2)
    with LoopbackEndpoint(answering(transfer())) as endpoint:
        run(RunOptions(paths=(str(articles),), out=tmp_path / "out"), Settings(base_url=endpoint.base_url, concurrency=1))
    with Ledger(tmp_path / "out", read_only=True) as ledger:
        assert ledger.verify() == []
    db = sqlite3.connect(tmp_path / "out/ledger.sqlite")
    db.execute("UPDATE attempts SET user_text = replace(user_text, '13 tanks', '18 tanks') WHERE article_id = 'a00.txt'")
    db.execute("UPDATE facts SET row = replace(row, '\"minimum\": 13', '\"minimum\": 18') WHERE article_id = 'a01.txt'")
    db.execute("UPDATE records SET record = replace(record, 'Norway will', 'Norway may ') WHERE article_id = 'a00.txt'")
    db.commit()
    db.close()
    with Ledger(tmp_path / "out", read_only=True) as ledger:
        wrong = ledger.verify()
    assert [
        any(words in line for line in wrong)
        for words in ("attempt 1 is not", "article 'a00.txt' is not", "of 'a01.txt' is not", "quote does not stand")
    ] == [True] * 4
    assert len(wrong) == 4


def test_a_frame_that_was_rolled_back_is_kept_with_the_next_attempt(tmp_path, monkeypatch):
    """A service goes on with the same ledger once there is room again: no attempt may point to a request that is not there."""
    attempt = Attempt(key="b2:0", mode="tools", outcome="ok", usage=Usage(attempts=1))
    request = Request(Frame("b2:0", "{}"), "http://127.0.0.1/v1")
    with Ledger(tmp_path / "out") as ledger:
        ledger.start_run({}, {})
        with monkeypatch.context() as full:
            full.setattr(ledger_module, "_NEW_ATTEMPT", "INSERT INTO nowhere VALUES (?)")
            with pytest.raises(LedgerError):
                ledger.attempt(call(), attempt, request)
        ledger.attempt(call(), attempt, request)
    db = sqlite3.connect(tmp_path / "out/ledger.sqlite")
    assert db.execute("SELECT text FROM texts").fetchall() == [("{}",)]
    db.close()
