"""A run through a provider's batches, at half the price: all articles ask, one batch answers, what is still open asks again.

In: articles and a session. Out: a `RunReport`; everything else is in the ledger. Floor: runs.
Before changing it: nothing is kept in memory from one batch to the next. An article's flow is driven anew from stored replies each time,
as far as they go, and what it then asks goes into the next batch: so any process can go on where another one ended.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO

from extractor.errors import EndpointError, LedgerError, LimitReached, UsageError
from extractor.evidence.outcome import Outcome
from extractor.records import Article, Call, Reply
from extractor.runs.dispatch import Dispatch
from extractor.runs.ledger_batches import BatchLedger
from extractor.runs.run import READ_AHEAD, Progress, Run, Unreadable, read_some
from extractor.runs.session import Session
from extractor.runs.stored import judged_again, so_far

TRIES = 3
"""Batches that one request goes into at most while it comes back without an answer; each may take a day."""


class BatchRun(Run):
    """One pass over articles, through batches.

    Args:
        session: How to ask, over `ledger`.
        ledger: Where to remember.
        limit: Articles to ask in this run at most; None for all.
        progress: Told after each article.
        notice: Told how batches fare, in a sentence each.

    Raises:
        UsageError: The settings bound requests or tokens a minute, which a batch does not have.
    """

    def __init__(
        self,
        session: Session,
        ledger: BatchLedger,
        *,
        limit: int | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        if session.settings.rpm or session.settings.tpm:
            raise UsageError(
                "--rpm and --tpm bound requests as they are sent, and a batch is the provider's to pace: drop them, or --batch."
            )
        super().__init__(session, limit=limit, progress=progress, notice=notice)
        self._ledger = ledger
        self._say = notice or (lambda _: None)
        self._dispatch = Dispatch(session, ledger, self._say, self._sleep, lambda: self._is_cut)
        # whoever asks again what was refused wants no refusal of an earlier run, though a batch of that run may still be on its way
        self._since = ledger.this_run if session.memory.retry_failed else ledger.first_run(session.client.endpoint_url)
        self._woken = asyncio.Event()
        self._looked_at = 0
        self._money_is_spent = False

    async def _all(self, articles: Iterator[Article | Unreadable]) -> None:
        try:
            await self._dispatch.pick_up()
            await self._rounds(articles)
        except (EndpointError, LedgerError) as refused:
            self._stop(str(refused))
        except OSError as full:  # a file without a name, beside the ledger
            self._stop(f"Run folder {str(self._ledger.folder)!r} cannot be written: {full}. Free it; the same command goes on.")
        finally:
            self._count()
            for sentence in self._dispatch.left():
                self._say(sentence)
            self._dispatch.close()

    def _count(self) -> None:
        """Report what has been paid for so far: answers come in by batches, and not with the articles they finish."""
        self.report = self.report.model_copy(update={"usage": self._dispatch.usage, "cost_usd": self._dispatch.cost_usd})

    @property
    def _is_cut(self) -> bool:
        """Whether nothing is sent or waited for any more: what is on its way stays so, and the next run collects it."""
        return self._stopping is not None or self._progress_error is not None

    async def _rounds(self, articles: Iterator[Article | Unreadable]) -> None:
        """Read and ask while there is room; then wait for a batch, let its articles go on, and so on until none is left."""
        more = True
        held: list[IO[bytes]] = []  # articles whose batch was refused as a whole
        with ExitStack() as stack:
            while not self._is_cut:
                while more and self._dispatch.has_room:
                    more = await self._read_on(articles)
                if self._is_cut:
                    return
                if self._dispatch.has_room:
                    await self._dispatch.send()
                if self._is_cut:
                    return
                if not self._dispatch and not held:
                    return
                ready: list[IO[bytes]] = []
                for batch, state in await self._dispatch.over():
                    waited = stack.enter_context(batch.articles)
                    (ready if await self._dispatch.collect(batch, state) else held).append(waited)
                    self._count()
                for waited in ready:
                    await self._go_on_with(waited)
                while held and self._dispatch.has_room and not self._is_cut:
                    await self._go_on_with(held.pop(0))

    async def _read_on(self, articles: Iterator[Article | Unreadable]) -> bool:
        """Look at some more articles; False when there are none, or no more are to be asked."""
        chunk = await asyncio.to_thread(read_some, articles)
        done = self._session.done([one for one in chunk if isinstance(one, Article)])
        if done:
            self._unchanged(done)
        for article in chunk:
            if self._is_cut or self._money_is_spent:
                return False
            if isinstance(article, Unreadable):
                self._unreadable(article)
            elif article.id in done:
                continue
            elif self._limit is not None and self._looked_at >= self._limit:
                self._stop(f"The limit of {self._limit} articles is reached. Run again to go on.")
                return False
            else:
                self._looked_at += 1
                await self._go_on(article)
        return bool(chunk)

    async def _go_on_with(self, articles: IO[bytes]) -> None:
        with articles:
            articles.seek(0)
            for place, line in enumerate(articles):
                if self._is_cut:
                    return
                await self._go_on(Article.model_validate_json(line))
                if place % READ_AHEAD == 0:
                    await asyncio.sleep(0)  # a signal is heard

    async def _go_on(self, article: Article) -> None:
        """Finish an article out of stored replies; where they end, its calls go into a batch and it waits beside them."""
        got = judged_again(self._session, article) or so_far(self._session, article, self._stored)
        if isinstance(got, Outcome):
            before = self._ledger.facts_of_another_text(article)
            self._session.remember(got)
            self.report = self.report.with_outcome(got, missed=False)
            self._count_replaced(article, before)
            self._tell(got)
            return
        keys = {self._session.client.key(call): call for call in got}
        held = {key: batch for key in keys if (batch := self._dispatch.holding(key))}
        waits_for = next(iter(held.values()), None)  # for one of them is enough: what is then missing waits for the next
        fresh = {key: call for key, call in keys.items() if key not in held}
        if fresh and not self._money_is_spent:
            try:
                waits_for = await self._dispatch.ask(fresh)
            except LimitReached as limit:
                self._money_is_spent = True
                self._stop(str(limit))
        if waits_for:
            waits_for.add(article)

    def _stored(self, call: Call) -> Reply | None:
        key = self._session.client.key(call)
        found = self._ledger.asked_since(self._since, call, key, tries=TRIES)
        return found or self._ledger.reply(key, call.fact_types, only_ok=self._session.memory.retry_failed)

    def _on_signal(self, number: int, task: "asyncio.Task[object]") -> None:
        super()._on_signal(number, task)
        self._woken.set()

    async def _sleep(self, seconds: float) -> bool:
        """Wait; False when a signal came meanwhile or before."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return True
        return False
