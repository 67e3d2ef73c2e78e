"""Batches on their way: requests gather in one, it is sent and looked after, its rows become attempts.

In: requests, and how long to wait. Out: attempts in the ledger; the articles that waited. Floor: runs.
Before changing it: each step is stored before the next one is taken, so that a process killed anywhere between pays nothing twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from extractor.errors import EndpointError, LimitReached
from extractor.llm.batch_files import GIVEN_UP, MAX_BYTES, MAX_REQUESTS, NOT_RUN, QUEUE_FULL, BatchState, Row, may_pass, request_line
from extractor.llm.modes import FIRST
from extractor.llm.prices import BATCH_SHARE, price_of
from extractor.llm.responses import Heard, unless_truncated
from extractor.llm.salvage import read_reply
from extractor.records import Article, Attempt, AttemptOutcome, Call, Usage
from extractor.runs.ledger import Request
from extractor.runs.ledger_batches import BatchLedger, OpenBatch, Waiting
from extractor.runs.limits import FIRST_OUTPUT_TOKENS, estimate_body
from extractor.runs.session import Session

FIRST_POLL_S, LONGEST_POLL_S = 2.0, 60.0
"""Seconds between two looks at what is on its way, half as long again each time: a small batch may take a minute, a large one a day."""

MOST_OPEN = 64
"""Batches on their way at a time: the articles that wait for them lie in as many files."""

_SILENCE_S = 3600.0  # an endpoint that answers no look for so long ends the run, resumable; a shorter outage does not
_ALL_REFUSED = 2  # requests that must have been refused before it is said that all were: one is perhaps an odd article
_REFUSED_WHOLE = 2  # batches in a row that the provider refuses as a whole: the next would fare the same
_BREATH = 100  # rows between two chances for a signal


class Batch:
    """One batch, and the articles that wait for it, in a file without a name that is gone with the process.

    Args:
        book: What the ledger has of it.
        folder: Where there is room: the run folder.
    """

    def __init__(self, book: OpenBatch, folder: Path) -> None:
        self.book = book
        self.articles: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115 - closed by whoever reads it
        self.beside = 0
        """Batches that were on their way when it was sent."""
        self.told = ""
        """What was last said about it."""

    @property
    def name(self) -> str:
        """The provider's name for it, or the file's where it has none yet."""
        return self.book.batch_id or self.book.file_id or f"number {self.book.number}"

    def add(self, article: Article) -> None:
        """Put an article beside it."""
        self.articles.write(article.model_dump_json().encode() + b"\n")


class Filling(Batch):
    """A batch that is not sent yet, with its input file."""

    def __init__(self, book: OpenBatch, folder: Path) -> None:
        super().__init__(book, folder)
        self.file: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115 - closed once it is sent
        self.bytes = 0


class Dispatch:
    """All batches of one run.

    Args:
        session: How to ask.
        ledger: The session's own.
        say: Told how batches fare, in a sentence each.
        sleep: Waits so many seconds; gives False when it was cut short, and nothing is waited for any more.
        is_cut: Whether the run ends: what is uploaded is then left for the next one, and no batch is made of it.

    Attributes:
        usage: Tokens of all answers collected so far.
        cost_usd: US dollars for them; None when the model has no known price.
    """

    def __init__(
        self,
        session: Session,
        ledger: BatchLedger,
        say: Callable[[str], None],
        sleep: Callable[[float], Awaitable[bool]],
        is_cut: Callable[[], bool],
    ) -> None:
        self.usage = Usage()
        self._price = price_of(session.settings)
        self.cost_usd: float | None = 0.0 if self._price else None
        self._unreported_usd = 0.0
        self._client, self._settings = session.client, session.settings
        self._retry_failed = session.memory.retry_failed
        self._ledger = ledger
        self._say = say
        self._sleep = sleep
        self._is_cut = is_cut
        self._files = session.client.batch_files()
        self._open: dict[int, Batch] = {}
        self._filling: Filling | None = None
        self._most_open, self._most_requests = MOST_OPEN, MAX_REQUESTS
        self._refused_whole = 0

    def __len__(self) -> int:
        """Batches on their way."""
        return len(self._open)

    @property
    def has_room(self) -> bool:
        """Whether another batch may be sent."""
        return len(self._open) < self._most_open

    def close(self) -> None:
        """Let go of what is on disk; batches on their way stay so."""
        for batch in (*self._open.values(), *([self._filling] if self._filling else [])):
            with suppress(OSError):  # on a full disk: what was to be written is of no use any more
                batch.articles.close()
        if self._filling:
            with suppress(OSError):
                self._filling.file.close()

    def left(self) -> list[str]:
        """What is on its way or half sent, in a sentence each."""
        made = sum(batch.book.batch_id is not None for batch in self._open.values())
        uploaded = len(self._open) - made
        said = []
        if made:
            count = f"{made} batches are" if made > 1 else "One batch is"
            said.append(f"{count} on the way at the provider: the same command goes on from there, and pays nothing twice.")
        if uploaded:
            of = f"{uploaded} batches" if uploaded > 1 else "one batch"
            said.append(f"The requests of {of} are uploaded: the same command goes on from there, and pays nothing twice.")
        if self._filling:
            said.append(
                f"{self._filling.book.requests:,} requests were not sent: nothing is owed for them, and the same command asks them."
            )
        return said

    async def pick_up(self) -> None:
        """Take over the batches that an earlier process left on their way.

        Raises:
            EndpointError: One that was perhaps made cannot be looked for.
        """
        for book in self._ledger.open_batches():
            batch = Batch(book, self._ledger.folder)
            if book.endpoint != self._client.endpoint_url:
                self._say(f"Batch {batch.name} was made at {book.endpoint!r}: it waits for a run with that --base-url.")
                batch.articles.close()
                continue
            self._open[book.number] = batch
            if book.batch_id:
                self._say(f"Batch {batch.name}: going on with {book.requests:,} requests of an earlier run.")
                continue
            try:
                await self._files.require_file(book.file_id or "")
            except EndpointError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                self._forget(batch, self._unknown(batch, error))  # one that was perhaps made, under another account's key
                batch.articles.close()
                continue
            try:
                await self._make(batch)
            except EndpointError as error:
                if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                    raise
                # the account has its input file, and no batch over it: it was never made, and its articles ask anew
                self._ledger.batch_over(book.number, "not made")
                self._open.pop(book.number).articles.close()

    def holding(self, key: str) -> Batch | None:
        """The batch that a request is in already; None when it is in none."""
        number = self._ledger.under_way(key)
        if self._filling and self._filling.book.number == number:
            return self._filling
        return None if number is None else self._open[number]

    async def ask(self, calls: Mapping[str, Call]) -> Batch:
        """The batch into which the last of an article's calls, one or more by key, was put; one that is full is sent before.

        Raises:
            LimitReached: Their expected cost is more than what is left of `max_cost_usd`.
            EndpointError: The batch before it cannot be sent.
        """
        url = self._client.endpoint_url
        bodies = {key: self._client.body(call) for key, call in calls.items()}
        requests = [(key, call, Request(self._client.frame(call), url, self._expected_usd(bodies[key]))) for key, call in calls.items()]
        cost = sum(request.cost_usd or 0.0 for _, _, request in requests)
        self._require_money(cost)
        for request in requests:
            batch = await self._put(request, request_line(request[0], bodies[request[0]]))
        return batch

    async def _put(self, request: tuple[str, Call, Request], line: bytes) -> Filling:
        if (full := self._filling) and (full.book.requests >= self._most_requests or full.bytes + len(line) > MAX_BYTES):
            await self.send()
        if self._filling is None:
            url, mode = self._client.endpoint_url, self._client.mode or FIRST
            self._filling = Filling(
                OpenBatch(self._ledger.fill_batch(url, mode), url, mode, requests=0, reserved_usd=0.0), self._ledger.folder
            )
        batch = self._filling
        self._ledger.add_to_batch(batch.book.number, *request)
        batch.file.write(line)
        batch.bytes += len(line)
        reserved = batch.book.reserved_usd + (request[2].cost_usd or 0.0)
        batch.book = batch.book._replace(requests=batch.book.requests + 1, reserved_usd=reserved)
        return batch

    async def send(self) -> None:
        """Send the batch that is being filled, where there is one.

        Raises:
            EndpointError: It cannot be sent; once it was uploaded, another process goes on.
        """
        batch = self._filling
        if batch is None:
            return
        batch.book = batch.book._replace(file_id=await self._files.upload(batch.file))
        self._ledger.batch_uploaded(batch.book.number, batch.book.file_id or "")
        batch.file.close()
        self._filling = None
        batch.beside = len(self._open)
        self._open[batch.book.number] = batch
        if not self._is_cut():
            await self._make(batch)

    async def over(self) -> list[tuple[Batch, BatchState]]:
        """Batches that are over, at least one, as soon as there is one; none when the wait was cut short.

        Raises:
            EndpointError: The provider does not know one of them, refuses to say, or has not answered for an hour.
        """
        pause_s, heard_at = FIRST_POLL_S, time.monotonic()
        while True:
            over = []
            for batch in list(self._open.values()):
                try:
                    state = await self._files.state(batch.book.batch_id or "")
                except EndpointError as error:
                    if error.status == HTTPStatus.NOT_FOUND:
                        state = self._unknown(batch, error)
                    elif not may_pass(error) or time.monotonic() - heard_at > _SILENCE_S:
                        raise
                    else:
                        self._tell(batch, f"no news: {error}")
                        continue
                heard_at = time.monotonic()
                self._tell(batch, f"{state.status}, {state.answered:,} of {batch.book.requests:,} answered, {state.refused:,} refused")
                if state.is_over:
                    over.append((batch, state))
            if over or not await self._sleep(pause_s):
                return over
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)

    async def collect(self, batch: Batch, state: BatchState) -> bool:
        """Store what came of a batch that is over.

        Returns:
            Whether there are answers for its articles; False when it was refused as a whole, and they ask again once there is room.

        Raises:
            EndpointError: The provider refuses everything: key, quota, every request, or batch after batch as a whole.
        """
        if state.status == "failed":
            self._forget(batch, state)
            await self._refused(batch, state)
            return False
        self._refused_whole = 0
        self._most_open = min(self._most_open + 1, MOST_OPEN)
        waiting = self._ledger.waiting(batch.book.number)
        answered: set[str] = set()
        refusals: list[str] = []
        for file_id in state.files:
            with TemporaryFile(dir=self._ledger.folder) as file:
                await self._download(batch, file_id, file)
                for place, row in enumerate(self._files.rows(file)):
                    if row.key in answered or row.key not in waiting:
                        self._stray(batch, row, twice=row.key in answered)
                        continue
                    answered.add(row.key)
                    if self._store(batch, row, waiting[row.key]) == "bad_request" or row.heard.ends_run:
                        refusals.append(row.heard.ends_run or row.heard.error or "")
                    if place % _BREATH == 0:
                        await asyncio.sleep(0)
        for key in waiting.keys() - answered:
            ran = state.status == "completed"
            why = f"Batch {batch.name} has no row for it." if ran else f"Batch {batch.name} was {state.status} before it was run."
            self._store(batch, Row(key, Heard("empty" if ran else "timeout", why, usage=NOT_RUN), ""), waiting[key])
        self._forget(batch, state)
        if len(refusals) == batch.book.requests >= _ALL_REFUSED:
            raise EndpointError(
                f"All {len(refusals)} requests of batch {batch.name} were refused, one with: {refusals[0]} Where an endpoint takes no "
                "strict JSON Schema, run once with --limit 1 and without --batch: the way that works is remembered with the run folder."
            )
        return True

    def _store(self, batch: Batch, row: Row, asked: Waiting) -> AttemptOutcome:
        heard = unless_truncated(row.heard, asked.chars)
        reply = read_reply(heard.outcome, heard.text, asked.fact_types, heard.error)
        attempt = Attempt(
            key=row.key, mode=batch.book.mode, outcome=reply.outcome, text=heard.text, finish_reason=heard.finish_reason,
            status=heard.status, usage=heard.usage, error=reply.error,
        )  # fmt: skip
        cost = BATCH_SHARE * self._price.cost_usd(heard.usage) if self._price else None
        self._ledger.batch_attempt(batch.book.number, attempt, cost)
        if heard.usage.unreported:  # nobody says what it cost: it may have been billed, so what was reserved for it stands
            self._unreported_usd += batch.book.reserved_usd / batch.book.requests
        self.usage += heard.usage
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost
        return reply.outcome

    def _stray(self, batch: Batch, row: Row, *, twice: bool) -> None:
        if not twice and row.key and self._ledger.was_asked(row.key):
            return  # stored before its process was killed in the middle of this
        reason = "a second answer to one request" if twice else "no request of this batch"
        self._ledger.stray(batch.book.number, row.line, reason)
        self._say(f"Batch {batch.name}: a row is {reason} ({row.key or 'it cannot be read'}); it is kept in the ledger.")

    async def _download(self, batch: Batch, file_id: str, file: IO[bytes]) -> None:
        try:
            await self._files.download(file_id, file)
        except EndpointError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self._unknown(batch, error)
            file.truncate(0)

    def _unknown(self, batch: Batch, error: EndpointError) -> BatchState:
        """The end of a batch, or of its answers, that the provider does not know, when the user gives it up."""
        if self._retry_failed:
            return BatchState(batch.name, GIVEN_UP)
        raise EndpointError(
            f"Batch {batch.name}, sent by an earlier run of this folder, is unknown at {self._client.endpoint_url!r}: another account's "
            "key, or deleted? Nothing new is sent. With retry_failed / --retry-failed it is given up, and what it holds is asked and paid "
            "for anew.",
            status=error.status,
        ) from error

    async def _refused(self, batch: Batch, state: BatchState) -> None:
        """After a batch that failed as a whole, nothing of which was asked: what must change before its requests are sent again."""
        if QUEUE_FULL not in state.codes:
            self._refused_whole += 1
            if self._refused_whole >= _REFUSED_WHOLE:
                raise EndpointError(f"Batch after batch is refused at {self._client.endpoint_url!r}, the last with: {state.error}")
        elif batch.beside:
            self._most_open = min(self._most_open, batch.beside)
        elif batch.book.requests == 1:
            raise EndpointError(f"The provider's queue takes not even one request: {state.error} The same command goes on.")
        else:
            self._most_requests = min(self._most_requests, batch.book.requests // 2)
            await self._sleep(LONGEST_POLL_S)  # others of the account may be in the queue

    async def _make(self, batch: Batch) -> None:
        state = await self._files.create(batch.book.file_id or "")
        self._ledger.batch_made(batch.book.number, state.id)
        batch.book = batch.book._replace(batch_id=state.id)
        self._say(f"Batch {batch.name}: {batch.book.requests:,} requests are sent.")

    def _forget(self, batch: Batch, state: BatchState) -> None:
        self._ledger.batch_over(batch.book.number, state.status)
        del self._open[batch.book.number]

    def _tell(self, batch: Batch, news: str) -> None:
        if news != batch.told:
            batch.told = news
            self._say(f"Batch {batch.name}: {news}.")

    def _expected_usd(self, body: Mapping[str, object]) -> float:
        if self._price is None:
            return 0.0
        answers = self.usage.attempts - self.usage.unreported
        answer = self.usage.output_tokens / answers if answers else FIRST_OUTPUT_TOKENS
        return BATCH_SHARE * self._price.cost_usd(Usage(input_tokens=estimate_body(body), output_tokens=round(answer)))

    def _require_money(self, more_usd: float) -> None:
        limit = self._settings.max_cost_usd
        if limit is None:
            return
        spent = (self.cost_usd or 0.0) + self._unreported_usd
        sent = sum(batch.book.reserved_usd for batch in (*self._open.values(), *([self._filling] if self._filling else [])))
        if spent + sent + more_usd > limit:
            raise LimitReached(
                f"The next request would exceed --max-cost {limit:g} USD: {spent:.4f} spent, {sent:.4f} in batches, "
                f"about {more_usd:.4f} more. Raise it and run again to go on."
            )
