"""The ledger's file: opened by one writer at a time, brought to the newest schema, read and written in whole transactions.

In: a run folder. Out: a connection. Floor: runs; SQL lives in `runs/ledger*.py` alone.
Before changing it: `RUN_DIR/ledger.sqlite` is the truth about a run; a new column is a new migration, and a released one is never edited.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from extractor.errors import LedgerError, UsageError

LEDGER_NAME = "ledger.sqlite"
FACTS_NAME = "facts.jsonl"
LOCK_NAME = "run.lock"


class Migration(NamedTuple):
    """One step from a schema to the next."""

    name: str
    """What it brings, in a few words."""
    sql: str
    """Statements, run in one transaction with the count of those done: a kill leaves all of it or nothing."""


MIGRATIONS = (
    Migration(
        "the first schema",
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
        """,
    ),
    Migration(
        # to note that an article is still there, its row is written anew: with its text in it, that was all of the text
        "the texts of articles apart from what is known of them",
        """
        CREATE TABLE records (article_id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
        INSERT INTO records SELECT id, record FROM articles;
        CREATE TABLE known (
            id TEXT PRIMARY KEY, outcome_key TEXT NOT NULL, judge_version INTEGER NOT NULL, status TEXT NOT NULL, cause TEXT, reason TEXT,
            run_id INTEGER NOT NULL, seen_run INTEGER NOT NULL, present INTEGER NOT NULL DEFAULT 1
        ) WITHOUT ROWID;
        INSERT INTO known SELECT id, outcome_key, judge_version, status, cause, reason, run_id, seen_run, present FROM articles;
        DROP TABLE articles;
        ALTER TABLE known RENAME TO articles;
        """,
    ),
    Migration(
        "batches on their way",
        """
        CREATE TABLE batches (
            number INTEGER PRIMARY KEY, run_id INTEGER NOT NULL, endpoint TEXT NOT NULL, mode TEXT NOT NULL, state TEXT NOT NULL,
            requests INTEGER NOT NULL, reserved_usd REAL NOT NULL, file_id TEXT, batch_id TEXT, status TEXT, ended_at TEXT
        );
        CREATE TABLE batch_rows (
            key TEXT PRIMARY KEY, batch INTEGER NOT NULL, article_id TEXT NOT NULL, kind TEXT NOT NULL, fact_types TEXT NOT NULL,
            prompt TEXT NOT NULL, frame_hash TEXT NOT NULL, user_text TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX batch_rows_by_batch ON batch_rows (batch);
        CREATE TABLE batch_strays (
            batch INTEGER NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (batch, line)
        ) WITHOUT ROWID;
        """,
    ),
    Migration("shards of a cluster's workers", "CREATE TABLE merged_shards (name TEXT PRIMARY KEY) WITHOUT ROWID"),
)
"""Run in order on open; `PRAGMA user_version` counts those done."""


class LedgerFile:
    """The database of one run folder, open.

    Args:
        folder: The run folder; made when it does not exist, unless `read_only`.
        read_only: For looking only: takes no lock, changes nothing, and may look while a run writes.

    Raises:
        UsageError: `read_only`, and the folder holds no run.
        LedgerError: The folder is in use by another run, not writable, full, damaged, or of a newer version.
    """

    JOURNAL = "WAL"
    """SQLite's way to keep a transaction whole: in this one, looking does not wait for writing."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self._read_only = read_only
        self._lock: int | None = None
        path = folder / LEDGER_NAME
        if read_only and not path.is_file():
            raise UsageError(f"{str(folder)!r} is no run folder: it has no {LEDGER_NAME}. `extractor run PATH --out {folder}` makes one.")
        try:
            if not read_only:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = _locked(folder / LOCK_NAME)
            self._db = _connect(path, read_only=read_only, journal=self.JOURNAL)
            self._migrate()
            self._opened()
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
                try:
                    self._closing()
                finally:
                    db.close()
                    del self._db
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"Run folder {str(self.folder)!r}: {error}; what was committed is kept.") from error
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _opened(self) -> None:
        """What is put right once the file is open."""

    def _closing(self) -> None:
        """What is written before the file is closed."""

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
        try:
            cursor = self._db.execute(sql, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except sqlite3.Error as error:
            raise self._not_readable(error) from error

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> dict[str, Any] | None:
        # asked several times an article, mostly in vain: no generator for that
        try:
            cursor = self._db.execute(sql, values)
            row = cursor.fetchone()
            return None if row is None else dict(zip((column[0] for column in cursor.description), row, strict=True))
        except sqlite3.Error as error:
            raise self._not_readable(error) from error

    def _not_readable(self, error: sqlite3.Error) -> LedgerError:
        return LedgerError(f"{str(self.folder / LEDGER_NAME)!r} cannot be read: {error}. Restore it, or run again into another folder.")

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
            # the version is part of the transaction: a kill in the middle leaves the schema as it was
            self._db.executescript(f"BEGIN IMMEDIATE; {migration.sql}; PRAGMA user_version = {number}; COMMIT;")


def _connect(path: Path, *, read_only: bool, journal: str) -> sqlite3.Connection:
    # autocommit: transactions are opened by hand, so that one is exactly what must stand or fall together
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    if read_only and not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK):
        # SQLite wants to make files beside a WAL database even to read it; where nobody can, nobody writes either
        uri += "&immutable=1"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        if not read_only:
            db.execute(f"PRAGMA journal_mode = {journal}")
            db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut at most the last moments
        db.execute("PRAGMA busy_timeout = 10000")
    except sqlite3.Error:
        db.close()
        raise
    return db


def settle(path: Path) -> None:
    """Undo what a killed process left half written in a ledger, which a reader may not do."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
    try:
        db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    finally:
        db.close()


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
