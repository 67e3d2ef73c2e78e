"""The ledgers of a cluster's workers: each writes its own, reads those of dead ones, and all are merged into the run folder's.

In: a run folder that the workers share. Out: a `Shard` for a worker, a merged ledger for the driver. Floor: runs, beside the ledger.
Before changing it: a shard belongs to the process that holds its lock; whoever gets the lock knows that its worker is dead.
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from extractor.errors import LedgerError
from extractor.evidence.outcome import Outcome
from extractor.records import Reply
from extractor.runs.ledger import Known, Ledger
from extractor.runs.ledger_batches import BatchLedger
from extractor.runs.ledger_file import LEDGER_NAME, LOCK_NAME, settle
from extractor.runs.rows import Provenance

SHARDS_NAME = "shards"
"""The folder in a run folder that holds them."""

_END_S = 15.0  # a worker ends with its driver, as soon as the cluster notices
_EARLIER = "earlier"  # what the run folder's own ledger knows of articles that are not finished


class Shard(Ledger):
    """What one worker remembers: its attempts. It also finds those of workers that died and of earlier runs.

    Outcomes are the driver's to remember.

    Args:
        run_dir: The run folder, which all workers see.
        name: Of the shard; None makes a new one.

    Raises:
        LedgerError: Its folder cannot be used.
    """

    # WAL needs memory that its processes share, and workers read each other's shards from other machines
    JOURNAL = "TRUNCATE"

    def __init__(self, run_dir: Path, name: str | None = None) -> None:
        self._shards = run_dir / SHARDS_NAME
        self.name = name or uuid.uuid4().hex
        self._others: dict[str, Ledger] = {}
        super().__init__(self._shards / self.name)

    def _opened(self) -> None:
        """There is no facts file to mend."""

    def _closing(self) -> None:
        for other in self._others.values():
            other.close()
        self._others.clear()

    def look_around(self) -> None:
        """Open the shards of workers that died since the last look, so that nothing they paid for is asked again."""
        for folder in sorted(self._shards.iterdir()):
            name = folder.name
            if name != self.name and name not in self._others and (folder / LEDGER_NAME).is_file() and _is_free(folder / LOCK_NAME):
                with suppress(LedgerError):  # its worker died before it was whole: there is nothing in it
                    settle(folder / LEDGER_NAME)
                    self._others[name] = Ledger(folder, read_only=True)

    def reply(self, key: str, fact_types: Iterable[str], *, only_ok: bool = False) -> Reply | None:
        """The stored reply to a request, of this worker or of one that is gone; None when it was never answered."""
        types = tuple(fact_types)
        if found := super().reply(key, types, only_ok=only_ok):
            return found
        return next((found for other in self._others.values() if (found := other.reply(key, types, only_ok=only_ok))), None)

    def mode(self, endpoint: str) -> str | None:
        """The remembered mode of an endpoint; None when nobody has used it."""
        if found := super().mode(endpoint):
            return found
        return next((found for other in self._others.values() if (found := other.mode(endpoint))), None)

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:  # noqa: ARG002
        """Nothing: the driver has looked before it sent an article."""
        return {}

    def outcome(self, outcome: Outcome, *, key: str, judge_version: int, provenance: Provenance) -> None:
        """Nothing: the driver remembers it."""


class ShardedLedger(BatchLedger):
    """The ledger of a run folder, for the driver of a cluster."""

    def merge_shards(self) -> None:
        """Take every attempt of every shard into this ledger, each once, and remove the shards.

        Raises:
            LedgerError: A worker still writes, or a shard cannot be read.
        """
        for folder in sorted(_folders(self.folder / SHARDS_NAME)):
            if folder.name != _EARLIER and (folder / LEDGER_NAME).is_file():
                _when_free(folder / LOCK_NAME)
                Shard(self.folder, folder.name).close()  # takes its lock and brings it to this version
                self._merge(folder)
            shutil.rmtree(folder)

    def _merge(self, folder: Path) -> None:
        columns = [row["name"] for row in self._rows("PRAGMA table_info(attempts)") if row["name"] not in ("id", "run_id")]
        names = ", ".join(columns)
        with self._attached(folder / LEDGER_NAME), self._writing() as db:
            # a kill after this commit and before the folder is removed must not merge it again
            if db.execute("INSERT OR IGNORE INTO merged_shards VALUES (?)", (folder.name,)).rowcount:
                db.execute("INSERT OR IGNORE INTO texts SELECT * FROM shard.texts")
                db.execute("INSERT OR REPLACE INTO modes SELECT * FROM shard.modes")
                db.execute(
                    f"INSERT INTO attempts (run_id, {names}) SELECT ?, {names} FROM shard.attempts ORDER BY id",  # noqa: S608 - our columns
                    (self._run_id,),
                )

    @property
    def has_attempts(self) -> bool:
        """Whether anything was ever asked, as far as this ledger itself knows."""
        return self._one("SELECT 1 FROM attempts LIMIT 1") is not None

    def lay_out_earlier(self) -> None:
        """Put what was asked about articles that are not finished where workers find it: a run that was killed left such answers."""
        names = ", ".join(row["name"] for row in self._rows("PRAGMA table_info(attempts)"))
        Shard(self.folder, _EARLIER).close()
        with self._attached(self.folder / SHARDS_NAME / _EARLIER / LEDGER_NAME), self._writing() as db:
            db.execute(
                f"INSERT INTO shard.attempts ({names}) SELECT {names} FROM main.attempts AS asked WHERE NOT EXISTS ("  # noqa: S608 - our columns
                " SELECT 1 FROM articles WHERE articles.id = asked.article_id AND status = 'complete' AND articles.run_id >= asked.run_id)"
            )
            db.execute("INSERT INTO shard.modes SELECT * FROM main.modes")

    def _attached(self, path: Path) -> "_Attached":
        return _Attached(self, path)


class _Attached:
    """While it lasts, another ledger's tables are reached as `shard.…`."""

    def __init__(self, ledger: ShardedLedger, path: Path) -> None:
        self._db = ledger._db  # noqa: SLF001 - two halves of one thing
        self._path = path

    def __enter__(self) -> None:
        self._db.execute("ATTACH ? AS shard", (str(self._path),))

    def __exit__(self, *_: object) -> None:
        self._db.execute("DETACH shard")


def _folders(shards: Path) -> Iterable[Path]:
    return [folder for folder in shards.iterdir() if folder.is_dir()] if shards.is_dir() else []


def _when_free(lock: Path) -> None:
    """Wait for a worker that has been told to end, or whose driver was killed a moment ago."""
    until = time.monotonic() + _END_S
    while not _is_free(lock) and time.monotonic() < until:
        time.sleep(0.05)


def _is_free(lock: Path) -> bool:
    """Whether nobody holds a shard's lock: its worker is dead, or was never there."""
    try:
        import fcntl  # POSIX only, as Ray's clusters are
    except ImportError:
        return False
    try:
        handle = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, so that two who look do not take each other for the owner
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
