"""What a run remembers of its batches: which are on their way, and every request in them until its answer is an attempt.

In: requests before they are uploaded, answers as they are fetched. Out: what is under way. Floor: runs, beside the ledger.
Before changing it: a state is stored before the step it names is waited for, so that another process can go on from any of them.
"""

import json
from typing import NamedTuple

from extractor.llm.modes import Frame, sendable
from extractor.llm.salvage import read_reply
from extractor.records import Attempt, AttemptOutcome, Call, Reply
from extractor.runs.ledger import ANSWERED, Ledger, Request, now
from extractor.runs.rows import storable


class OpenBatch(NamedTuple):
    """A batch whose answers are not all stored."""

    number: int
    """Its number in this ledger."""
    endpoint: str
    """Base URL where it was made."""
    mode: str
    """How the schema travels in its requests."""
    requests: int
    """How many there were in it."""
    reserved_usd: float
    """What it was expected to cost; 0 where no price is known."""
    file_id: str | None = None
    """The input file at the provider; None before it was uploaded."""
    batch_id: str | None = None
    """The batch at the provider; None before it was made, or before it is known that it was."""


class Waiting(NamedTuple):
    """A request in a batch that has no attempt yet."""

    fact_types: tuple[str, ...]
    """That are asked for."""
    chars: int
    """Code points of the messages sent."""


class BatchLedger(Ledger):
    """A ledger that also remembers batches."""

    def open_batches(self) -> list[OpenBatch]:
        """What is on its way, oldest first; a batch that was being filled when its process ended is forgotten, nothing of it was sent."""
        with self._writing() as db:
            db.execute("DELETE FROM batch_rows WHERE batch IN (SELECT number FROM batches WHERE state = 'filling')")
            db.execute("DELETE FROM batches WHERE state = 'filling'")
        found = self._rows(
            "SELECT number, endpoint, mode, requests, reserved_usd, file_id, batch_id FROM batches WHERE state <> 'over' ORDER BY number"
        )
        return [OpenBatch(**row) for row in found]

    @property
    def this_run(self) -> int:
        """Number of the run that goes on."""
        return self._run_id

    def first_run(self, endpoint: str) -> int:
        """The run that made the oldest batch on its way at an endpoint; this run where there is none."""
        found = self._one("SELECT MIN(run_id) AS run FROM batches WHERE state <> 'over' AND endpoint = ?", (endpoint,))
        return self._run_id if found is None or found["run"] is None else int(found["run"])

    def fill_batch(self, endpoint: str, mode: str) -> int:
        """The number of a new batch, to be filled."""
        with self._writing() as db:
            cursor = db.execute(
                "INSERT INTO batches (run_id, endpoint, mode, state, requests, reserved_usd) VALUES (?, ?, ?, 'filling', 0, 0)",
                (self._run_id, endpoint, mode),
            )
        return int(cursor.lastrowid or 0)

    def add_to_batch(self, number: int, key: str, call: Call, request: Request) -> None:
        """Put a request into a batch that is being filled.

        Args:
            number: Of the batch.
            key: The request's fingerprint.
            call: The question.
            request: What is sent, with its expected cost.
        """
        with self._writing() as db:
            self._keep_frame(db, request.frame)
            db.execute(
                "INSERT INTO batch_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key, number, call.article_id, call.kind, json.dumps(call.fact_types), call.prompt.name, request.frame.mark,
                    sendable(call.prompt.user),
                ),
            )  # fmt: skip
            db.execute(
                "UPDATE batches SET requests = requests + 1, reserved_usd = reserved_usd + ? WHERE number = ?",
                (request.cost_usd or 0.0, number),
            )

    def batch_uploaded(self, number: int, file_id: str) -> None:
        """Remember the input file: from here on a batch over it may exist."""
        with self._writing() as db:
            db.execute("UPDATE batches SET state = 'uploaded', file_id = ? WHERE number = ?", (file_id, number))

    def batch_made(self, number: int, batch_id: str) -> None:
        """Remember the provider's batch, before it is waited for."""
        with self._writing() as db:
            db.execute("UPDATE batches SET state = 'made', batch_id = ? WHERE number = ?", (batch_id, number))

    def batch_over(self, number: int, status: str) -> None:
        """Close a batch; requests in it that got no attempt may be asked again."""
        with self._writing() as db:
            db.execute("DELETE FROM batch_rows WHERE batch = ?", (number,))
            db.execute("UPDATE batches SET state = 'over', status = ?, ended_at = ? WHERE number = ?", (status, now(), number))

    def under_way(self, key: str) -> int | None:
        """The batch that a request is in; None when it is in none."""
        found = self._one("SELECT batch FROM batch_rows WHERE key = ?", (key,))
        return found["batch"] if found else None

    def waiting(self, number: int) -> dict[str, Waiting]:
        """The requests of a batch that have no attempt yet, by key."""
        frames = self._rows("SELECT hash, text FROM texts WHERE hash IN (SELECT frame_hash FROM batch_rows WHERE batch = ?)", (number,))
        chars = {row["hash"]: Frame(row["hash"], row["text"]).chars for row in frames}
        rows = self._rows("SELECT key, fact_types, frame_hash, user_text FROM batch_rows WHERE batch = ? ORDER BY key", (number,))
        return {row["key"]: Waiting(tuple(json.loads(row["fact_types"])), chars[row["frame_hash"]] + len(row["user_text"])) for row in rows}

    def was_asked(self, key: str) -> bool:
        """Whether there is an attempt of this key."""
        return self._one("SELECT 1 FROM attempts WHERE key = ?", (key,)) is not None

    def batch_attempt(self, number: int, attempt: Attempt, cost_usd: float | None) -> None:
        """Remember what came of a request that waits in a batch, before anything is made of it."""
        usage = attempt.usage
        with self._writing() as db:
            db.execute(
                "INSERT INTO attempts (run_id, article_id, kind, key, mode, prompt, endpoint, frame_hash, user_text, at, outcome, text,"
                " finish_reason, status, input_tokens, cached_tokens, output_tokens, unreported, latency_s, error, cost_usd)"
                " SELECT ?, article_id, kind, key, ?, prompt, endpoint, frame_hash, user_text, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
                " FROM batch_rows JOIN batches ON number = batch WHERE key = ? AND batch = ?",
                (
                    self._run_id, attempt.mode, now(), attempt.outcome, storable(attempt.text), attempt.finish_reason, attempt.status,
                    usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.unreported, attempt.latency_s, attempt.error,
                    cost_usd, attempt.key, number,
                ),
            )  # fmt: skip
            db.execute("DELETE FROM batch_rows WHERE key = ? AND batch = ?", (attempt.key, number))

    def stray(self, number: int, line: str, reason: str) -> None:
        """Keep a row of a batch's answers that belongs to no request."""
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO batch_strays VALUES (?, ?, ?)", (number, storable(line), reason))

    def asked_since(self, run: int, call: Call, key: str, *, tries: int) -> Reply | None:
        """What the last attempt at a request says since a run, when it need not or may not be asked again; else None.

        Args:
            run: Number of the first run whose attempts count.
            call: The question.
            key: Its fingerprint.
            tries: Attempts after which a failure of the transport stands.
        """
        found = self._one(
            "SELECT outcome, text, error, COUNT(*) AS tries, MAX(id) FROM attempts WHERE key = ? AND run_id >= ?",
            (key, run),  # with MAX, SQLite takes the other columns from that row
        )
        if found is None or not found["tries"]:
            return None
        outcome: AttemptOutcome = found["outcome"]
        if outcome not in ANSWERED and outcome != "bad_request" and found["tries"] < tries:
            return None
        return read_reply(outcome, found["text"], call.fact_types, found["error"])
