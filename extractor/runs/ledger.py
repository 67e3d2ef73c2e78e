"""What a run remembers: every attempt and every verdict, in one SQLite file, written before the next step sees it.

In: attempts and outcomes as they happen. Out: stored replies, and `facts.jsonl`. Floor: runs; SQL lives in `runs/ledger*.py` alone.
Before changing it: `ledger.sqlite` is the truth and `facts.jsonl` beside it follows; `ledger_file.py` has the schema, `ledger_view.py`
what people ask.
"""

import errno
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from extractor.errors import LedgerError
from extractor.evidence.outcome import Grounded, Outcome, Quarantined
from extractor.llm.modes import Frame, sendable
from extractor.llm.salvage import read_reply
from extractor.records import Article, Attempt, Call, Reply
from extractor.runs.ledger_file import FACTS_NAME, LEDGER_NAME, LOCK_NAME, MIGRATIONS, Migration
from extractor.runs.ledger_view import LedgerView
from extractor.runs.rows import Provenance, row_of, storable

__all__ = ["FACTS_NAME", "LEDGER_NAME", "LOCK_NAME", "MIGRATIONS", "Known", "Ledger", "Migration", "Request"]

ANSWERED = ("ok", "partial", "length", "unparsable", "no_content", "refusal", "content_filter", "context_overflow")
"""Outcomes that the same request would meet again: their replies are used instead of a call. The others are the transport's."""


# constant texts: sqlite3 keeps the statements it has prepared by their text
_REPLY, _OK_REPLY = (
    f"SELECT outcome, text, error FROM attempts WHERE key = ? AND outcome IN {names} ORDER BY id DESC LIMIT 1"  # noqa: S608 - from above
    for names in (ANSWERED, "('ok')")
)
_NEW_ATTEMPT = """
    INSERT INTO attempts (
        run_id, article_id, kind, key, mode, prompt, endpoint, frame_hash, user_text, at, outcome, text, finish_reason, status,
        input_tokens, cached_tokens, output_tokens, unreported, latency_s, error, cost_usd
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_NEW_FACT = "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?)"
_RECORD = "INSERT OR REPLACE INTO records VALUES (?, ?)"
_ARTICLE = """
    INSERT OR REPLACE INTO articles (id, outcome_key, judge_version, status, cause, reason, run_id, seen_run, present)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)"""


class Known(NamedTuple):
    """What the ledger has of an article."""

    outcome_key: str
    judge_version: int
    status: str
    cause: str | None


class Request(NamedTuple):
    """What was sent in one attempt, and what it cost."""

    frame: Frame
    """Of its body; the call has the text that stands in it."""
    endpoint: str
    """Base URL."""
    cost_usd: float | None = None
    """US dollars; None when the model's price is not known."""


class _FactsFile(NamedTuple):
    """What `facts.jsonl` is, as the ledger has it."""

    length: int
    """Bytes."""
    stale: bool
    """Its articles are out of order, or it holds what was superseded: it is to be written anew."""
    last: str
    """The article of its last line."""


class Ledger(LedgerView):
    """The memory of one run folder.

    Args:
        folder: The run folder; made when it does not exist, unless `read_only`.
        read_only: For looking only: takes no lock, mends nothing, and may look while a run writes.

    Raises:
        UsageError: `read_only`, and the folder holds no run.
        LedgerError: The folder is in use by another run, not writable, full, damaged, or of a newer version.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._run_id = 0
        self._seen: list[tuple[int, str]] = []
        self._frames_known: set[str] = set()
        self._facts = _FactsFile(0, stale=True, last="")
        self._tail: FileIO | None = None
        """`facts.jsonl`, open at its end; None before the first fact."""
        super().__init__(folder, read_only=read_only)

    def _opened(self) -> None:
        if not self._read_only:
            noted = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
            self._facts = _FactsFile(int(noted["facts_bytes"]), stale=noted["facts_stale"] != "0", last=noted["facts_last"])
            self._mend()

    def _closing(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None
        if not self._read_only and self._run_id:
            self._note_seen()
            self._mend()

    # what a run writes

    def start_run(self, manifest: Mapping[str, Any], types: Mapping[str, tuple[str, int, Mapping[str, Any]]]) -> int:
        """A new run's number; it is stored before the first call.

        Args:
            manifest: Versions, model, prompts, settings as given and as resolved; never a secret.
            types: Fingerprint, version and JSON Schema by registered name, so that looking needs no schema file.
        """
        with self._writing() as db:
            cursor = db.execute("INSERT INTO runs (started_at, manifest) VALUES (?, ?)", (now(), json.dumps(manifest, ensure_ascii=False)))
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
            all_seen: Every article under the paths was looked at, so that those not seen are gone: they stay, marked absent; an input
                that was unreadable before and is not any more is forgotten.
        """
        self._note_seen()
        with self._writing() as db:
            db.execute("UPDATE runs SET ended_at = ?, exit_code = ?, stopped = ? WHERE id = ?", (now(), exit_code, stopped, self._run_id))
            if all_seen:
                db.execute("UPDATE articles SET present = 0 WHERE present AND seen_run <> ?", (self._run_id,))
                db.execute("DELETE FROM unreadable WHERE run_id <> ?", (self._run_id,))

    def attempt(self, call: Call, attempt: Attempt, request: Request) -> None:
        """Remember one HTTP request, before anything is made of its answer."""
        frame, usage = request.frame, attempt.usage
        with self._writing() as db:
            self._keep_frame(db, frame)
            db.execute(
                _NEW_ATTEMPT,
                (
                    self._run_id,
                    call.article_id,
                    call.kind,
                    attempt.key,
                    attempt.mode,
                    call.prompt.name,
                    request.endpoint,
                    frame.mark,
                    sendable(call.prompt.user),
                    now(),
                    attempt.outcome,
                    storable(attempt.text),
                    attempt.finish_reason,
                    attempt.status,
                    usage.input_tokens,
                    usage.cached_tokens,
                    usage.output_tokens,
                    usage.unreported,
                    attempt.latency_s,
                    attempt.error,
                    request.cost_usd,
                ),
            )
        self._frames_known.add(frame.mark)  # after the commit: what was rolled back is not there

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
                _NEW_FACT,
                [(article.id, place, mark, kind, verdict, row) for place, (mark, kind, verdict, row) in enumerate(rows)],
            )
            db.execute(_RECORD, (article.id, article.model_dump_json()))
            told = (key, judge_version, outcome.status, outcome.cause, outcome.reason)
            db.execute(_ARTICLE, (article.id, *told, self._run_id, self._run_id))
            follows = self._facts
            if old or (lines and article.id < follows.last):
                # superseded or out of order: the file goes on as it is and is written anew when the folder is closed or opened next
                follows = follows._replace(stale=True)
            elif lines:
                follows = follows._replace(length=follows.length + len(lines), last=article.id)
            if follows != self._facts and not self._facts.stale:  # once stale, the rest is known when it is written anew
                self._note_facts(db, follows)
        self._facts = follows
        if lines and not old:
            # after the commit: a kill in between leaves the file short of `facts_bytes`, and the next open mends it
            try:
                self._append(lines)
            except OSError as error:
                raise LedgerError(f"{str(self.folder / FACTS_NAME)!r} cannot be written: {error}. The ledger has the facts.") from error

    def unreadable(self, path: str, reason: str) -> None:
        """Remember an input that could not be read."""
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?)", (path, reason, self._run_id))

    def seen(self, article_ids: Iterable[str]) -> None:
        """Remember that articles are still there; written in batches."""
        self._seen.extend((self._run_id, article_id) for article_id in article_ids)
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

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:
        """What there is of these articles, by id; those that are new are left out."""
        marks = ",".join("?" * len(article_ids))
        sql = f"SELECT id, outcome_key, judge_version, status, cause FROM articles WHERE id IN ({marks})"  # noqa: S608 - marks only
        return {row.pop("id"): Known(**row) for row in self._rows(sql, tuple(article_ids))}

    def facts_of_another_text(self, article: Article) -> int | None:
        """How many facts the article's name has from another text; None when it is new or its text is the same."""
        found = self._one("SELECT record FROM records WHERE article_id = ?", (article.id,))
        if found is None or json.loads(found["record"])["text"] == article.text:
            return None
        sql = "SELECT COUNT(*) AS count FROM facts WHERE article_id = ? AND verdict IN ('kept', 'repaired')"
        return int(next(iter(self._rows(sql, (article.id,))))["count"])

    def reply(self, key: str, fact_types: Iterable[str], *, only_ok: bool = False) -> Reply | None:
        """The stored reply to a request; None when it was never answered.

        Args:
            key: The request's fingerprint.
            fact_types: Whose arrays to read out of it.
            only_ok: Leave out refusals and broken answers, to ask those again.
        """
        found = self._one(_OK_REPLY if only_ok else _REPLY, (key,))
        return read_reply(found["outcome"], found["text"], tuple(fact_types), error=found["error"]) if found else None

    # inside

    def _keep_frame(self, db: sqlite3.Connection, frame: Frame) -> None:
        """Rules, examples and schema are the same for every article: they are kept once."""
        if frame.mark not in self._frames_known:
            db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (frame.mark, frame.text))

    def _note_seen(self) -> None:
        if self._seen:
            with self._writing() as db:
                db.executemany("UPDATE articles SET seen_run = ?, present = 1 WHERE id = ?", self._seen)
            self._seen.clear()

    def _append(self, lines: bytes) -> None:
        if self._tail is None:
            self._tail = (self.folder / FACTS_NAME).open("ab", buffering=0)
        if self._tail.write(lines) != len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # a full disk takes what fits, and refuses the next

    def _mend(self) -> None:
        """Make `facts.jsonl` what the ledger says, in article order, when a kill, a hand or a changed article set them apart."""
        path = self.folder / FACTS_NAME
        size = path.stat().st_size if path.exists() else None
        if not self._facts.stale and size == self._facts.length:
            return
        fresh = path.with_suffix(".jsonl.new")
        last = ""
        with fresh.open("wb") as file:
            for row in self._rows("SELECT article_id, row FROM facts WHERE verdict IN ('kept', 'repaired') ORDER BY article_id, position"):
                file.write(f"{row['row']}\n".encode())
                last = row["article_id"]
            length = file.tell()
        fresh.replace(path)
        mended = _FactsFile(length, stale=False, last=last)
        with self._writing() as db:
            self._note_facts(db, mended)
        self._facts = mended

    @staticmethod
    def _note_facts(db: sqlite3.Connection, facts: _FactsFile) -> None:
        noted = (("facts_bytes", str(facts.length)), ("facts_stale", str(int(facts.stale))), ("facts_last", facts.last))
        db.executemany("UPDATE meta SET value = ? WHERE key = ?", [(value, key) for key, value in noted])


def now() -> str:
    """This moment, as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
