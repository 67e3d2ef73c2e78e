"""What a run remembers: every attempt and every verdict, in one SQLite file, written before the next step sees it.

In: attempts and outcomes as they happen. Out: stored replies, outcomes and rows of facts. Floor: runs; the only file with SQL.
Before changing it: `RUN_DIR/ledger.sqlite` is the truth and `facts.jsonl` beside it follows; a new column is a new migration.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from extractor.errors import LedgerError, UsageError
from extractor.evidence.merge import told_of
from extractor.evidence.outcome import Grounded, Outcome, Quarantined
from extractor.fingerprint import fingerprint
from extractor.llm.salvage import read_reply
from extractor.records import Attempt, Call, Reply
from extractor.runs.rows import Provenance, row_of, storable

LEDGER_NAME = "ledger.sqlite"
FACTS_NAME = "facts.jsonl"
LOCK_NAME = "run.lock"

_SLOT = "\x00user text\x00"
_ANSWERED = ("ok", "partial", "length", "unparsable", "no_content", "refusal", "content_filter", "context_overflow")
"""Outcomes that the same request would meet again: their replies are used instead of a call. The others are the transport's."""


def _m001_first(db: sqlite3.Connection) -> None:
    db.executescript(
        """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, exit_code INTEGER, stopped TEXT, manifest TEXT NOT NULL
        );
        CREATE TABLE fact_types (
            name TEXT NOT NULL, fingerprint TEXT NOT NULL, version INTEGER NOT NULL, json_schema TEXT NOT NULL, last_run INTEGER NOT NULL,
            PRIMARY KEY (name, fingerprint)
        ) WITHOUT ROWID;
        CREATE TABLE modes (endpoint TEXT PRIMARY KEY, mode TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE texts (hash TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE articles (
            id TEXT PRIMARY KEY, record TEXT NOT NULL, outcome_key TEXT NOT NULL, judge_version INTEGER NOT NULL, status TEXT NOT NULL,
            cause TEXT, reason TEXT, run_id INTEGER NOT NULL, seen_run INTEGER NOT NULL, present INTEGER NOT NULL DEFAULT 1
        ) WITHOUT ROWID;
        CREATE TABLE unreadable (path TEXT PRIMARY KEY, reason TEXT NOT NULL, run_id INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL, article_id TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
            mode TEXT NOT NULL, prompt TEXT NOT NULL, endpoint TEXT NOT NULL, frame_hash TEXT NOT NULL, user_text TEXT NOT NULL,
            at TEXT NOT NULL,
            outcome TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT, status INTEGER, input_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, unreported INTEGER NOT NULL, latency_s REAL NOT NULL,
            error TEXT, cost_usd REAL
        );
        CREATE INDEX attempts_by_key ON attempts (key);
        CREATE INDEX attempts_by_article ON attempts (article_id);
        CREATE TABLE facts (
            article_id TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, fact_type TEXT NOT NULL, verdict TEXT NOT NULL,
            row TEXT NOT NULL, PRIMARY KEY (article_id, position)
        ) WITHOUT ROWID;
        CREATE INDEX facts_by_type ON facts (fact_type, verdict);
        INSERT INTO meta VALUES ('facts_bytes', '0'), ('facts_stale', '0'), ('facts_last', '');
        """
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_m001_first,)
"""Run in order on open; `PRAGMA user_version` counts those done. A released one is never edited."""


class Known(NamedTuple):
    """What the ledger has of an article."""

    outcome_key: str
    judge_version: int
    status: str
    cause: str | None


class Request(NamedTuple):
    """What was sent in one attempt, and what it cost."""

    body: Mapping[str, Any]
    """The JSON body."""
    endpoint: str
    """Base URL."""
    cost_usd: float | None = None
    """US dollars; None when the model's price is not known."""


class Ledger:
    """The memory of one run folder.

    Args:
        folder: The run folder; made when it does not exist, unless `read_only`.
        read_only: For looking only: takes no lock, mends nothing, and may look while a run writes.

    Raises:
        UsageError: `read_only`, and the folder holds no run.
        LedgerError: The folder is in use by another run, not writable, full, damaged, or of a newer version.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self._read_only = read_only
        self._lock: int | None = None
        self._run_id = 0
        self._seen: list[tuple[int, str]] = []
        self._frames_known: set[str] = set()
        path = folder / LEDGER_NAME
        if read_only and not path.is_file():
            raise UsageError(f"{str(folder)!r} is no run folder: it has no {LEDGER_NAME}. `extractor run PATH --out {folder}` makes one.")
        try:
            if not read_only:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = _locked(folder / LOCK_NAME)
            self._db = _connect(path, read_only=read_only)
            self._migrate()
            if not read_only:
                self._mend()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise LedgerError(f"Run folder {str(folder)!r} cannot be used: {error}. Free it, or name another with --out.") from error
        except LedgerError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left, let the folder go. A second call does nothing."""
        try:
            if (db := getattr(self, "_db", None)) is not None:
                if not self._read_only and self._run_id:
                    self._note_seen()
                    self._mend()
                db.close()
                del self._db
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"Run folder {str(self.folder)!r}: {error}; what was committed is kept.") from error
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    # what a run writes

    def start_run(self, manifest: Mapping[str, Any], types: Mapping[str, tuple[str, int, Mapping[str, Any]]]) -> int:
        """A new run's number; it is stored before the first call.

        Args:
            manifest: Versions, model, prompts, settings as given and as resolved; never a secret.
            types: Fingerprint, version and JSON Schema by registered name, so that looking needs no schema file.
        """
        with self._writing() as db:
            cursor = db.execute("INSERT INTO runs (started_at, manifest) VALUES (?, ?)", (_now(), json.dumps(manifest, ensure_ascii=False)))
            self._run_id = int(cursor.lastrowid or 0)
            db.executemany(
                "INSERT INTO fact_types VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last_run = excluded.last_run",
                [(name, mark, version, json.dumps(schema), self._run_id) for name, (mark, version, schema) in types.items()],
            )
        return self._run_id

    def end_run(self, exit_code: int, *, all_seen: bool, stopped: str | None = None) -> None:
        """Close the books of this run.

        Args:
            exit_code: As the command ends.
            stopped: Why it ended before its end; None when it did not.
            all_seen: Every article under the paths was looked at, so that those not seen are gone: they stay, marked absent.
        """
        self._note_seen()
        with self._writing() as db:
            db.execute("UPDATE runs SET ended_at = ?, exit_code = ?, stopped = ? WHERE id = ?", (_now(), exit_code, stopped, self._run_id))
            if all_seen:
                db.execute("UPDATE articles SET present = (seen_run = ?)", (self._run_id,))

    def attempt(self, call: Call, attempt: Attempt, request: Request) -> None:
        """Remember one HTTP request, before anything is made of its answer."""
        frame = _frame(request.body, call.prompt.user)
        frame_hash = fingerprint(frame)
        usage = attempt.usage
        with self._writing() as db:
            if frame_hash not in self._frames_known:
                # rules, examples and schema are the same for every article: they are kept once
                db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (frame_hash, frame))
                self._frames_known.add(frame_hash)
            _insert(
                db,
                "attempts",
                run_id=self._run_id,
                article_id=call.article_id,
                kind=call.kind,
                key=attempt.key,
                mode=attempt.mode,
                prompt=call.prompt.name,
                endpoint=request.endpoint,
                frame_hash=frame_hash,
                user_text=storable(call.prompt.user),
                at=_now(),
                outcome=attempt.outcome,
                text=storable(attempt.text),
                finish_reason=attempt.finish_reason,
                status=attempt.status,
                input_tokens=usage.input_tokens,
                cached_tokens=usage.cached_tokens,
                output_tokens=usage.output_tokens,
                unreported=usage.unreported,
                latency_s=attempt.latency_s,
                error=attempt.error,
                cost_usd=request.cost_usd,
            )

    def outcome(self, outcome: Outcome, *, key: str, judge_version: int, provenance: Provenance) -> None:
        """Remember what came of an article, in place of what was known of it; then let `facts.jsonl` follow.

        Args:
            outcome: What came of it.
            key: Fingerprint of everything that was asked: the same key is not asked again.
            judge_version: Version of the judging code.
            provenance: What it was made with.
        """
        article = outcome.article
        everything: tuple[Grounded[Any] | Quarantined, ...] = (*outcome.facts, *outcome.quarantined, *outcome.merged)
        rows = [(item.id, item.fact_type, item.verdict, row_of(item, article, provenance)) for item in everything]
        lines = "".join(f"{row}\n" for _, _, verdict, row in rows if verdict in ("kept", "repaired")).encode()
        with self._writing() as db:
            old = db.execute("DELETE FROM facts WHERE article_id = ?", (article.id,)).rowcount
            db.executemany(
                "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?)",
                [(article.id, place, mark, kind, verdict, row) for place, (mark, kind, verdict, row) in enumerate(rows)],
            )
            _insert(
                db,
                "articles",
                id=article.id,
                record=article.model_dump_json(),
                outcome_key=key,
                judge_version=judge_version,
                status=outcome.status,
                cause=outcome.cause,
                reason=outcome.reason,
                run_id=self._run_id,
                seen_run=self._run_id,
                present=1,
            )
            if old or (lines and article.id < self._meta("facts_last")):
                # superseded or out of order: the file goes on as it is and is written anew when the folder is closed or opened next
                db.execute("UPDATE meta SET value = '1' WHERE key = 'facts_stale'")
            elif lines:
                db.execute("UPDATE meta SET value = ? WHERE key = 'facts_last'", (article.id,))
            if not old:
                db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + ? WHERE key = 'facts_bytes'", (len(lines),))
        if lines and not old:
            # after the commit: a kill in between leaves the file short of `facts_bytes`, and the next open mends it
            try:
                with (self.folder / FACTS_NAME).open("ab") as file:
                    file.write(lines)
            except OSError as error:
                raise LedgerError(f"{str(self.folder / FACTS_NAME)!r} cannot be written: {error}. The ledger has the facts.") from error

    def unreadable(self, path: str, reason: str) -> None:
        """Remember an input that could not be read."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?)", (path, reason, self._run_id))

    def seen(self, article_id: str) -> None:
        """Remember that an article is still there; written in batches."""
        self._seen.append((self._run_id, article_id))
        if len(self._seen) >= 1000:  # noqa: PLR2004 - rows in one transaction: a fraction of a millisecond each thousand
            self._note_seen()

    def remember_mode(self, endpoint: str, mode: str) -> None:
        """Keep the way a schema travels to an endpoint, so that the next run need not find out."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO modes VALUES (?, ?)", (endpoint, mode))

    # what a run asks

    def mode(self, endpoint: str) -> str | None:
        """The remembered mode of an endpoint; None when it was never used."""
        found = self._one("SELECT mode FROM modes WHERE endpoint = ?", (endpoint,))
        return found["mode"] if found else None

    def known(self, article_id: str) -> Known | None:
        """What there is of an article; None when it is new."""
        found = self._one("SELECT outcome_key, judge_version, status, cause FROM articles WHERE id = ?", (article_id,))
        return Known(**found) if found else None

    def reply(self, key: str, fact_types: Iterable[str], *, only_ok: bool = False) -> Reply | None:
        """The stored reply to a request; None when it was never answered.

        Args:
            key: The request's fingerprint.
            fact_types: Whose arrays to read out of it.
            only_ok: Leave out refusals and broken answers, to ask those again.
        """
        wanted = ("ok",) if only_ok else _ANSWERED
        marks = ",".join("?" * len(wanted))
        found = self._one(
            f"SELECT outcome, text, error FROM attempts WHERE key = ? AND outcome IN ({marks}) ORDER BY id DESC LIMIT 1",  # noqa: S608 - marks only
            (key, *wanted),
        )
        return read_reply(found["outcome"], found["text"], tuple(fact_types), error=found["error"]) if found else None

    # what people ask

    def articles(self) -> Iterator[dict[str, Any]]:
        """Every article in order of its id: `id`, `status`, `cause`, `reason`, `present`, and its `record` (see `records.Article`)."""
        for row in self._rows("SELECT id, status, cause, reason, present, record FROM articles ORDER BY id"):
            yield {**row, "present": bool(row["present"]), "record": json.loads(row["record"])}

    def rows(self, verdicts: Iterable[str] = ("kept", "repaired"), fact_types: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
        """Rows of facts, by article and in the order given there; for any verdict also quarantined and merged ones.

        Raises:
            UsageError: A fact type was never asked for in this run folder.
        """
        wanted, kinds = tuple(verdicts), tuple(fact_types)
        known = {entry["name"] for entry in self.fact_types()} if kinds else set()
        if strange := [name for name in kinds if name not in known]:
            raise UsageError(f"No fact type {strange[0]!r} in {str(self.folder)!r}; there are: {', '.join(sorted(known)) or 'none'}.")
        sql = f"SELECT row FROM facts WHERE verdict IN ({','.join('?' * len(wanted))})"  # noqa: S608 - marks only
        if kinds:
            sql += f" AND fact_type IN ({','.join('?' * len(kinds))})"
        for row in self._rows(f"{sql} ORDER BY article_id, position", (*wanted, *kinds)):
            yield json.loads(row["row"])

    def fact_types(self) -> Iterator[dict[str, Any]]:
        """Every version of every fact type asked for: `name`, `fingerprint`, `version`, `json_schema`; by name, the latest asked first."""
        for row in self._rows("SELECT name, fingerprint, version, json_schema FROM fact_types ORDER BY name, last_run DESC, fingerprint"):
            yield {**row, "json_schema": json.loads(row["json_schema"])}

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """While it lasts, everything that people ask is answered as of one moment, whatever a run writes meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")  # nothing was written

    def summary(self) -> dict[str, Any]:
        """Counts for `status`: articles by status, facts by type and verdict, tokens, cost, failures, the last run's manifest."""
        db = self._db
        tokens = db.execute(
            "SELECT COUNT(*), TOTAL(input_tokens), TOTAL(cached_tokens), TOTAL(output_tokens), TOTAL(unreported), SUM(cost_usd),"
            " SUM(cost_usd IS NULL AND unreported = 0) FROM attempts"
        ).fetchone()
        last = db.execute("SELECT id, started_at, ended_at, exit_code, stopped, manifest FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return {
            "articles": dict(db.execute("SELECT status, COUNT(*) FROM articles GROUP BY status ORDER BY status").fetchall()),
            "absent": db.execute("SELECT COUNT(*) FROM articles WHERE NOT present").fetchone()[0],
            "unreadable": dict(db.execute("SELECT path, reason FROM unreadable ORDER BY path").fetchall()),
            "facts": [
                {"fact_type": kind, "verdict": verdict, "count": count}
                for kind, verdict, count in db.execute(
                    "SELECT fact_type, verdict, COUNT(*) FROM facts GROUP BY fact_type, verdict ORDER BY fact_type, verdict"
                )
            ],
            "failures": list(self._rows("SELECT id, status, cause, reason FROM articles WHERE status <> 'complete' ORDER BY id")),
            "attempts": tokens[0],
            "input_tokens": int(tokens[1]),
            "cached_tokens": int(tokens[2]),
            "output_tokens": int(tokens[3]),
            "attempts_without_usage": int(tokens[4]),
            "cost_usd": None if tokens[6] else tokens[5],
            "attempt_outcomes": dict(db.execute("SELECT outcome, COUNT(*) FROM attempts GROUP BY outcome ORDER BY outcome").fetchall()),
            "last_run": {
                "number": last[0],
                "started_at": last[1],
                "ended_at": last[2],
                "exit_code": last[3],
                "stopped": last[4],
                "manifest": json.loads(last[5]),
            }
            if last
            else None,
        }

    def verify(self) -> list[str]:
        """What does not hold in this ledger, in words; empty when all of it does.

        Every fingerprint is derived anew: of stored texts, of each request from its parts, of each believed fact from its value; and every
        quote is looked up at its offsets. It reads everything.
        """
        wrong: list[str] = []
        frames: dict[str, str] = {}
        for row in self._rows("SELECT hash, text FROM texts"):
            frames[row["hash"]] = row["text"]
            if fingerprint(row["text"]) != row["hash"]:
                wrong.append(f"text {row['hash']} is not what was stored")
        for row in self._rows("SELECT id, key, endpoint, frame_hash, user_text FROM attempts ORDER BY id"):
            frame = frames.get(row["frame_hash"])
            body = None if frame is None else json.loads(frame.replace(json.dumps(_SLOT)[1:-1], json.dumps(row["user_text"])[1:-1]))
            if fingerprint({"body": body, "endpoint": row["endpoint"]}) != row["key"]:
                wrong.append(f"attempt {row['id']} is not the request that its key says")
        article_id, text = "", ""
        for row in self.rows(("kept", "repaired")):
            if row["article_id"] != article_id:
                article_id = row["article_id"]
                text = json.loads(self._db.execute("SELECT record FROM articles WHERE id = ?", (article_id,)).fetchone()[0])["text"]
            if fingerprint([row["article_id"], row["fact_type"], told_of(row["value"])]) != row["id"]:
                wrong.append(f"fact {row['id']} of {row['article_id']!r} is not what its id says")
            wrong += [
                f"fact {row['id']} of {row['article_id']!r}: its quote does not stand at [{quote['start']}, {quote['end']})"
                for quote in row["evidence"]
                if text[quote["start"] : quote["end"]] != quote["quote"]
            ]
        return wrong

    # inside

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
        try:
            cursor = self._db.execute(sql, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except sqlite3.Error as error:
            raise LedgerError(
                f"{str(self.folder / LEDGER_NAME)!r} cannot be read: {error}. Restore it, or run again into another folder."
            ) from error

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> dict[str, Any] | None:
        return next(self._rows(sql, values), None)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise LedgerError(
                f"{str(self.folder / LEDGER_NAME)!r} cannot be written: {error}. What was committed before is kept; run again to go on."
            ) from error

    def _meta(self, key: str) -> str:
        found: str = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
        return found

    def _note_seen(self) -> None:
        if self._seen:
            with self._writing() as db:
                db.executemany("UPDATE articles SET seen_run = ?, present = 1 WHERE id = ?", self._seen)
            self._seen.clear()

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise LedgerError(
                f"{str(self.folder / LEDGER_NAME)!r} is of version {version}, this extractor knows {len(MIGRATIONS)}: use a newer one."
            )
        if self._read_only and version < len(MIGRATIONS):
            raise LedgerError(
                f"{str(self.folder / LEDGER_NAME)!r} is of an older version ({version}); `extractor run` over it brings it up to date."
            )
        for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
            migration(self._db)
            self._db.execute(f"PRAGMA user_version = {number}")

    def _mend(self) -> None:
        """Make `facts.jsonl` what the ledger says, in article order, when a kill, a hand or a changed article set them apart."""
        path = self.folder / FACTS_NAME
        size = path.stat().st_size if path.exists() else None
        if self._meta("facts_stale") == "0" and size == int(self._meta("facts_bytes")):
            return
        fresh = path.with_suffix(".jsonl.new")
        last = ""
        with fresh.open("wb") as file:
            for row in self._rows("SELECT article_id, row FROM facts WHERE verdict IN ('kept', 'repaired') ORDER BY article_id, position"):
                file.write(f"{row['row']}\n".encode())
                last = row["article_id"]
            length = file.tell()
        fresh.replace(path)
        with self._writing() as db:
            for key, value in (("facts_bytes", str(length)), ("facts_stale", "0"), ("facts_last", last)):
                db.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))


def _insert(db: sqlite3.Connection, table: str, **columns: str | float | None) -> None:
    """Put one row in, in place of one with the same key; names come from this file alone."""
    marks = ", ".join(f":{name}" for name in columns)
    db.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})", columns)  # noqa: S608


def _frame(body: Mapping[str, Any], user_text: str) -> str:
    """The body as JSON with a slot in the place of the text that differs from article to article."""
    messages = [{**message, "content": message["content"].replace(user_text, _SLOT, 1)} for message in body["messages"]]
    return json.dumps({**body, "messages": messages})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # autocommit: transactions are opened by hand, so that one is exactly what must stand or fall together
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")  # looking does not wait for writing
            db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut at most the last moments
        db.execute("PRAGMA busy_timeout = 10000")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _locked(path: Path) -> int:
    """An exclusive lock on the folder for as long as this process lives; the system lets it go when the process dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        import fcntl  # POSIX only; elsewhere SQLite's own lock still keeps two writers apart, with a worse message
    except ImportError:
        return handle
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise LedgerError(f"Another run is using {str(path.parent)!r}: wait for it, or name another folder with --out.") from error
    return handle
