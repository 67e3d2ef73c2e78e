"""A run over many articles: read, ask what is new, remember, count; bounded, streaming, stopped by a signal or an endpoint's refusal.

In: sources and a session. Out: a `RunReport`; everything else is in the ledger. Floor: runs.
Before changing it: articles are streamed and never collected, so that memory does not grow with their number.
"""

import asyncio
import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from extractor.errors import EndpointError, LedgerError, LimitReached
from extractor.evidence.outcome import Outcome
from extractor.records import Article, Record, Usage
from extractor.runs.ledger import Known
from extractor.runs.session import Session

READ_AHEAD = 32
"""Articles read in one go at most, off the event loop: reading never makes answers wait."""

READ_S = 0.1
"""Seconds after which those read so far are asked: a folder of large PDFs must not leave the endpoint idle until 32 are read."""

ARTICLES_A_REQUEST = 2
"""Articles under way for each request that may be: while one is judged, another's request is on the wire in its place."""

NAMED = 3
"""Replaced articles that the notice names at most."""

EXIT_DONE, EXIT_BUG, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_STOPPED, EXIT_MISSES = range(6)
EXIT_INTERRUPTED = 128
"""Plus the signal's number: 130 for Ctrl-C, 143 for SIGTERM."""


class Unreadable(NamedTuple):
    """An input that is no article, and why."""

    path: str
    reason: str


class RunReport(Record):
    """What one run did; facts and reasons are in the ledger."""

    complete: int = 0
    """Articles asked and answered in this run."""
    partial: int = 0
    """Articles of which a part, a type or a repair got no answer."""
    failed: int = 0
    """Articles that got no answer."""
    unchanged: int = 0
    """Articles done before and not asked again."""
    unchanged_incomplete: int = 0
    """Those of them that are remembered as failed or partial; `--retry-failed` asks them again."""
    replaced: int = 0
    """Articles asked in this run whose name was known with another text; their facts took the place of the earlier ones."""
    unreadable: int = 0
    """Inputs that could not be read."""
    kept: int = 0
    """Facts believed as given, in this run."""
    repaired: int = 0
    """Facts believed after a repair, in this run."""
    quarantined: int = 0
    """Items not believed, in this run."""
    misses: int = 0
    """Articles with a request that the cassettes did not hold."""
    usage: Usage = Usage()
    """Tokens and attempts of this run."""
    cost_usd: float | None = 0.0
    """US dollars of this run; None when the model has no known price."""
    stopped: str | None = None
    """Why it ended before its end; None when it did not."""
    exit_code: int = 0
    """As the command ends, the gravest reason first: interrupted, stopped, misses, failures, none."""

    @property
    def done(self) -> int:
        """Articles dealt with, those done before included."""
        return self.complete + self.partial + self.failed + self.unchanged

    def with_outcome(self, outcome: Outcome, *, missed: bool) -> "RunReport":
        """This report with one more article; `missed` when the cassettes did not hold one of its requests."""
        cost = self.cost_usd
        return self.model_copy(
            update={
                outcome.status: getattr(self, outcome.status) + 1,
                "kept": self.kept + sum(fact.verdict == "kept" for fact in outcome.facts),
                "repaired": self.repaired + sum(fact.verdict == "repaired" for fact in outcome.facts),
                "quarantined": self.quarantined + len(outcome.quarantined),
                "misses": self.misses + missed,
                "usage": self.usage + outcome.usage,
                "cost_usd": None if cost is None or outcome.cost_usd is None else cost + outcome.cost_usd,
            }
        )


Progress = Callable[[RunReport, Outcome | Unreadable | None], None]
"""Called after each article with the report so far and what came of it; once, with None, for neighbours that were done before."""


class Run:
    """One pass over articles.

    Args:
        session: How to ask.
        limit: Articles to ask in this run at most; None for all.
        progress: Told after each article.
        notice: Told, in a sentence, that a signal has come, as soon as it has.
    """

    def __init__(
        self,
        session: Session,
        *,
        limit: int | None = None,
        progress: Progress | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self.report = RunReport()
        self._session = session
        session.on_refusal = session.wind_down  # what waits for its turn would be refused as well
        self._limit = limit
        self._progress = progress
        self._notice = notice
        self._replaced: list[str] = []
        self._stopping: int | None = None
        self._cut = False
        self._progress_error: Exception | None = None

    async def over(self, articles: Iterator[Article | Unreadable]) -> RunReport:
        """Ask every article that is not done, `settings.concurrency` at a time.

        An endpoint that refuses everything, a full disk, a limit and a first signal end the run early: what is in flight at a limit or a
        signal is finished and remembered. After a signal nothing is sent any more: an article that needs another request is left for the
        next run, which finds what it was answered. A second signal cancels what is in flight.

        Raises:
            asyncio.CancelledError: The caller cancelled it.
            Exception: What `progress` raised, after the run was ended as at a limit; it is not called again.
        """
        ledger = self._session.memory.ledger
        with _signals(self._on_signal):
            try:
                await self._all(articles)
            except asyncio.CancelledError:
                if not self._cut or _still_cancelled():
                    raise
            except ExceptionGroup as errors:
                stops, bugs = errors.split(LedgerError)
                if bugs:
                    raise _first(bugs) from None
                if stops:  # what is in flight could not be remembered either: the group has cancelled it
                    self._stop(str(_first(stops)))
        report = self._with_all_requests()
        self._name_replaced()
        code = EXIT_DONE
        if report.failed or report.partial or report.unreadable or report.unchanged_incomplete:
            code = EXIT_INCOMPLETE
        if report.misses:
            code = EXIT_MISSES
        if report.stopped:
            code = EXIT_STOPPED
        if self._stopping:
            code = EXIT_INTERRUPTED + self._stopping
            report = report.model_copy(
                update={"stopped": f"Interrupted ({signal.Signals(self._stopping).name}). The same command goes on."}
            )
        self.report = report.model_copy(update={"exit_code": code})
        if ledger:
            with suppress(LedgerError):  # a full disk has been reported already
                ledger.end_run(code, all_seen=self.report.stopped is None, stopped=self.report.stopped)
        if self._progress_error:
            raise self._progress_error
        return self.report

    def _name_replaced(self) -> None:
        if self._notice and (count := self.report.replaced):
            named = ", ".join(self._replaced) + (", …" if count > NAMED else "")
            self._notice(f"{count} article{'s' * (count != 1)} replaced (another text under the same name): {named}.")

    def _with_all_requests(self) -> RunReport:
        """The report with those of articles that are left for the next run, which finds their answers and pays for them no more."""
        client = self._session.client
        if client.usage.attempts <= self.report.usage.attempts:
            return self.report
        return self.report.model_copy(update={"usage": client.usage, "cost_usd": client.cost_usd(client.usage)})

    async def _all(self, articles: Iterator[Article | Unreadable]) -> None:
        free = asyncio.Semaphore(ARTICLES_A_REQUEST * self._session.settings.concurrency)
        asked = 0
        async with asyncio.TaskGroup() as group:
            while batch := await asyncio.to_thread(read_some, articles):
                done = self._session.done([one for one in batch if isinstance(one, Article)])
                if done:
                    self._unchanged(done)
                for article in batch:
                    if self._stopping or self.report.stopped:
                        return
                    if isinstance(article, Unreadable):
                        self._unreadable(article)
                    elif article.id in done:
                        continue
                    elif self._limit is not None and asked >= self._limit:
                        self._stop(f"The limit of {self._limit} articles is reached. Run again to go on.")
                        return
                    else:
                        asked += 1
                        await free.acquire()
                        if self._stopping or self.report.stopped:
                            return
                        task = group.create_task(self._one(article))
                        task.add_done_callback(lambda _: free.release())
                await asyncio.sleep(0)  # a long stretch of known articles must not keep answers waiting

    async def _one(self, article: Article) -> None:
        ledger = self._session.memory.ledger
        before = ledger.facts_of_another_text(article) if ledger else None
        try:
            outcome = await self._session.outcome(article)
        except (EndpointError, LimitReached) as stop:
            # no new article; what is in flight has perhaps been paid for, and is finished
            self._stop(str(stop))
            return
        self.report = self.report.with_outcome(outcome, missed=article.id in self._session.missed)
        self._count_replaced(article, before)
        self._tell(outcome)

    def _count_replaced(self, article: Article, before: int | None) -> None:
        """Count an article whose name had so many facts from another text; None where it had none."""
        if before is not None:
            self.report = self.report.model_copy(update={"replaced": self.report.replaced + 1})
            if len(self._replaced) < NAMED:
                self._replaced.append(f"{article.id} ({before} fact{'s' * (before != 1)} before)")

    def _stop(self, why: str) -> None:
        if self.report.stopped is None:  # the first reason is the reason
            self.report = self.report.model_copy(update={"stopped": why})

    def _unreadable(self, found: Unreadable) -> None:
        if self._session.memory.ledger:
            self._session.memory.ledger.unreadable(found.path, found.reason)
        self.report = self.report.model_copy(update={"unreadable": self.report.unreadable + 1})
        self._tell(found)

    def _unchanged(self, done: Mapping[str, Known]) -> None:
        if self._session.memory.ledger:
            self._session.memory.ledger.seen(done)
        report = self.report
        incomplete = sum(known.status != "complete" for known in done.values())
        self.report = report.model_copy(
            update={"unchanged": report.unchanged + len(done), "unchanged_incomplete": report.unchanged_incomplete + incomplete}
        )
        self._tell(None)

    def _tell(self, what: Outcome | Unreadable | None) -> None:
        if self._progress is None or self._progress_error:
            return
        try:
            self._progress(self.report, what)
        except Exception as error:  # noqa: BLE001 - raised at the end of `over`: answers in flight have perhaps been paid for
            self._progress_error = error
            self._stop(f"The progress callback raised {error!r}.")

    def _on_signal(self, number: int, task: "asyncio.Task[object]") -> None:
        if self._stopping is None:
            self._session.wind_down()
            if self._notice:
                self._notice("Interrupted: waiting for what is on the wire. Once more, and it is cancelled.")
        elif not self._cut:
            self._cut = True
            task.cancel()
        self._stopping = number


def read_some(articles: Iterator[Article | Unreadable]) -> list[Article | Unreadable]:
    """The next few articles: those that can be read within `READ_S`, `READ_AHEAD` at most; none at the end."""
    until = time.monotonic() + READ_S
    batch = []
    for article in itertools.islice(articles, READ_AHEAD):
        batch.append(article)
        if time.monotonic() > until:
            break
    return batch


class _signals:  # noqa: N801 - read as a word
    """While it lasts, SIGINT and SIGTERM tell the run; a signal that is ignored, or that somebody else handles, is left to them."""

    def __init__(self, tell: Callable[[int, "asyncio.Task[object]"], None]) -> None:
        self._tell = tell
        self._set: list[int] = []

    def __enter__(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if sys.platform == "win32" or task is None:
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if not _is_default(signal.getsignal(number)):
                continue
            with suppress(ValueError, RuntimeError):  # not the main thread
                loop.add_signal_handler(number, self._tell, number, task)
                self._set.append(number)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._set:
            loop.remove_signal_handler(number)


def _is_default(handler: object) -> bool:
    # asyncio.run puts a method of its Runner in the place of Python's handler of SIGINT
    runner = getattr(getattr(handler, "func", None), "__self__", None)
    return handler in (signal.SIG_DFL, signal.default_int_handler) or isinstance(runner, asyncio.Runner)


def _still_cancelled() -> bool:
    """Whether somebody else cancelled the current task too, once the cancellation of a second signal is taken back."""
    task = asyncio.current_task()
    return task is not None and task.uncancel() > 0


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
