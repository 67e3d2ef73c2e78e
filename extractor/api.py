"""The library: text in, grounded facts out, sync and async.

In: texts and articles. Out: `Outcome`s. Floor: api.
Before changing it: sync and async are one path, so a difference between them is a bug; the parity test compares every pair.
"""

import asyncio
import concurrent.futures
import functools
import itertools
import logging
import queue
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic_core import PydanticSerializationError

from extractor.articles.read import read_text
from extractor.errors import ArticleError, UsageError
from extractor.evidence.outcome import Outcome
from extractor.facts import catalog
from extractor.facts.fact import Fact, registered_name
from extractor.fingerprint import fingerprint
from extractor.llm.cassette import cassettes, read_manifest, write_manifest
from extractor.llm.endpoint import endpoint
from extractor.llm.local import LocalServer, fitted
from extractor.records import Article
from extractor.runs.ledger import Ledger
from extractor.runs.loop import PrivateLoop
from extractor.runs.run import Progress, RunReport
from extractor.runs.session import Memory, Session
from extractor.settings import Settings, overridden

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Extractor:
    """Reads facts out of texts. One client, on one private event-loop thread; safe from any thread and any loop.

    Use it as a context manager, or call `close`.

    Args:
        fact_types: Classes, registered names or `FILE.py:CLASS`; empty for the three that ship.
        model: As the endpoint knows it; None takes the environment's or the default.
        base_url: An OpenAI-compatible endpoint; None is OpenAI's own.
        local: A model file in GGUF, asked on this machine instead of an endpoint; needs the extra `local`. It is loaded here, and its
            server is gone after `close`, or with this process, however that ends.
        api_key: None takes OPENAI_API_KEY; not needed with a base URL.
        ledger: A run folder to remember in, so that nothing is paid for twice; None remembers nothing.
        record: A folder to record every request and answer into, as `extractor run --record` does; None records nothing.
        replay: A folder of recorded answers that are given in the place of a model's: no key, no network. The model and all else that
            shapes a request is taken from there, with a warning in the log where it was given otherwise, the fact types too where none
            are named. One such folder is open in a process at a time.
        settings: Everything else; what is above wins over it.

    Raises:
        SchemaError: A fact type is unknown or breaks a rule.
        SettingsError: There is no key and no endpoint, or a value is out of bounds.
        UsageError: `record` and `replay` are both given, or there are no cassettes to replay.
        LedgerError: The ledger cannot be used.
    """

    def __init__(
        self,
        fact_types: Sequence[str | type[Fact]] = (),
        *,
        model: str | None = None,
        base_url: str | None = None,
        local: str | Path | None = None,
        api_key: str | None = None,
        ledger: str | Path | None = None,
        record: str | Path | None = None,
        replay: str | Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        _require_sequence(fact_types)
        if record and replay:
            raise UsageError(f"record={str(record)!r} and replay={str(replay)!r} exclude each other: the one asks, the other never does.")
        chosen = {"model": model, "base_url": base_url, "local": local, "api_key": api_key}
        self.settings = overridden(settings, **{name: value for name, value in chosen.items() if value is not None})
        mode = None
        if replay:
            if self.settings.local:
                raise UsageError(f"local={str(self.settings.local)!r} and replay={str(replay)!r} exclude each other: a replay asks nobody.")
            recorded = read_manifest(Path(replay))
            if otherwise := recorded.told_otherwise(self.settings):
                _LOG.warning("%s", otherwise)
            self.settings, mode = recorded.asked(self.settings), recorded.mode
            fact_types = fact_types or recorded.fact_types
        self.settings = fitted(self.settings)
        endpoint(self.settings)
        types = catalog.load(fact_types)
        with ExitStack() as undo:
            opened = undo.enter_context(Ledger(Path(ledger))) if ledger is not None else None
            tapes = (
                undo.enter_context(cassettes(Path(record or replay or ""), "record" if record else "replay")) if record or replay else None
            )
            memory = Memory(ledger=opened, cassettes=tapes, ask_anew=bool(record))
            server = undo.enter_context(LocalServer(self.settings)) if self.settings.local else None
            self._session = Session(types, self.settings, memory, mode=mode, server=server)
            self._session.client.open()  # now, and not within the first question, which may stand in somebody's event loop
            if opened:
                opened.start_run(self._session.manifest({}), self._session.stored_types())
            if record:
                undo.callback(_keep_manifest, self._session, Path(record))
            closing = ExitStack()  # done on the loop, after the last request
            self._loop = PrivateLoop(self.settings.concurrency, last=functools.partial(_end, self._session, closing))
            closing.push(undo.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Stop what is under way, close the client and the ledger; whoever waits for an outcome gets a `UsageError`.

        A second call waits for the first. Without any, the same happens when the `Extractor` is garbage collected.

        Raises:
            LedgerError: The ledger could not be ended (a full disk); what was committed is kept, and everything is closed.
        """
        self._loop.close()

    def extract(
        self,
        article: str | Article,
        *,
        published: date | str | None = None,
        title: str | None = None,
        id: str | None = None,  # noqa: A002
        fact_types: Sequence[str | type[Fact]] = (),
        repairs: int | None = None,
        timeout_s: float | None = None,
    ) -> Outcome:
        """The facts of one text.

        Args:
            article: A text, or an `Article`, whose own fields then hold.
            published: Publication date, a date or `YYYY-MM-DD`; None leaves relative dates unresolved.
            title: The headline, put before the text unless it opens it.
            id: Its name in results; None makes one from the text.
            fact_types: Those to ask for, out of this extractor's own, by class or registered name; empty for all of them.
            repairs: As `Settings.repairs`, for this call; None takes the settings'.
            timeout_s: As `Settings.timeout_s`, for each attempt of this call; None takes the settings'.

        Returns:
            The outcome; what befell this article alone (refused, cut, timed out) is its `status` and `reason`.

        Raises:
            ArticleError: The text is empty or too long.
            EndpointError: The endpoint refuses everything (key, permission, model, quota).
            UsageError: An argument is of the wrong kind, a fact type is not this extractor's, fewer than all are asked for where a ledger
                remembers, or the extractor is closed, before or meanwhile.
            SettingsError: `repairs` or `timeout_s` is out of bounds.
            CassetteMiss: Replaying, and a request is not recorded.
            LedgerError: It cannot be remembered.
        """
        session = self._asking(fact_types, repairs=repairs, timeout_s=timeout_s)
        future = self._submit(self._article(article, published=published, title=title, id=id), session)
        try:
            return future.result()
        finally:
            future.cancel()  # Ctrl-C while waiting: the request must not stay under way

    async def aextract(
        self,
        article: str | Article,
        *,
        published: date | str | None = None,
        title: str | None = None,
        id: str | None = None,  # noqa: A002
        fact_types: Sequence[str | type[Fact]] = (),
        repairs: int | None = None,
        timeout_s: float | None = None,
    ) -> Outcome:
        """The same as `extract`, awaited; cancelling it cancels the request."""
        session = self._asking(fact_types, repairs=repairs, timeout_s=timeout_s)
        return await asyncio.wrap_future(self._submit(self._article(article, published=published, title=title, id=id), session))

    def extract_many(
        self,
        articles: Iterable[str | Article],
        *,
        fact_types: Sequence[str | type[Fact]] = (),
        repairs: int | None = None,
        timeout_s: float | None = None,
        progress: Progress | None = None,
    ) -> Generator[Outcome, None, None]:
        """Outcomes in order of completion, `settings.concurrency` at a time; `articles` is consumed as places come free.

        What is no article (an empty text) is an outcome with status `failed` and cause `unreadable`, and the others go on. Closing the
        generator, and any error, cancels what is under way.

        Args:
            articles: Texts or articles; an async iterable too, in `aextract_many`.
            fact_types: As `extract`.
            repairs: As `extract`.
            timeout_s: As `extract`.
            progress: Told of each outcome before it is given, with the sums so far (articles, facts, tokens, cost); what it raises is an
                error like any other.

        Raises:
            EndpointError: The endpoint refuses everything.
            UsageError: `articles` is one article, an element is of the wrong kind (named by its number, from 1), or the extractor is
                closed.
            LedgerError: An outcome cannot be remembered.
        """
        _require_many(articles)
        session = self._asking(fact_types, repairs=repairs, timeout_s=timeout_s)
        told = _Told(progress)
        finished: queue.SimpleQueue[concurrent.futures.Future[Outcome]] = queue.SimpleQueue()
        under_way: set[concurrent.futures.Future[Outcome]] = set()

        def take() -> Outcome:
            future = finished.get()
            under_way.remove(future)
            return told.of(future.result())

        try:
            for number, article in enumerate(articles, 1):
                future = self._begin(number, article, session)
                under_way.add(future)
                future.add_done_callback(finished.put)
                # also before every place is taken: the next article may be long in coming
                while len(under_way) >= self.settings.concurrency or not finished.empty():
                    yield take()
            while under_way:
                yield take()
        finally:
            for future in under_way:
                future.cancel()

    async def aextract_many(
        self,
        articles: Iterable[str | Article] | AsyncIterable[str | Article],
        *,
        fact_types: Sequence[str | type[Fact]] = (),
        repairs: int | None = None,
        timeout_s: float | None = None,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Outcome, None]:
        """The same as `extract_many`, for any iterable or async iterable, which is read in one task of its own.

        Raises:
            EndpointError: The endpoint refuses everything.
            UsageError: `articles` is one article, an element is of the wrong kind (named by its number, from 1), or the extractor is
                closed.
            LedgerError: An outcome cannot be remembered.
        """
        _require_many(articles)
        session = self._asking(fact_types, repairs=repairs, timeout_s=timeout_s)
        told = _Told(progress)
        source = articles if isinstance(articles, AsyncIterable) else _asynchronous(articles)
        finished: asyncio.Queue[asyncio.Future[Outcome | None]] = asyncio.Queue()
        under_way: set[asyncio.Future[Outcome | None]] = set()
        places = asyncio.Semaphore(self.settings.concurrency)

        def watch(future: asyncio.Future[Any]) -> None:
            under_way.add(future)
            future.add_done_callback(finished.put_nowait)

        async def feed() -> None:
            numbers = itertools.count(1)
            await places.acquire()
            async for article in source:
                watch(asyncio.wrap_future(self._begin(next(numbers), article, session)))
                await places.acquire()

        watch(asyncio.create_task(feed()))
        try:
            while under_way:
                future = await finished.get()
                under_way.remove(future)
                if outcome := future.result():  # None at the end of the source
                    places.release()
                    yield told.of(outcome)
        finally:
            for future in under_way:
                future.cancel()
            if under_way:
                await asyncio.wait(under_way)

    def _asking(self, fact_types: Sequence[str | type[Fact]], *, repairs: int | None, timeout_s: float | None) -> Session:
        """The session for one call: with fewer types, or other settings, where the call says so."""
        _require_sequence(fact_types)
        types = {name: self._own(name) for name in map(_name_of, fact_types)} or self._session.types
        if types.keys() != self._session.types.keys() and self._session.memory.ledger:
            raise UsageError(
                f"fact_types={list(types)} is not all that this Extractor remembers in its ledger, where the other types' facts would be "
                "lost; make another Extractor, with a ledger of its own or none."
            )
        chosen = {name: value for name, value in (("repairs", repairs), ("timeout_s", timeout_s)) if value is not None}
        if types is self._session.types and not chosen:
            return self._session
        return self._session.asking(types, overridden(self.settings, **chosen) if chosen else self.settings)

    def _own(self, name: str) -> type[Fact]:
        if name not in self._session.types:
            raise UsageError(f"Fact type {name!r} is not this Extractor's, which has {', '.join(map(repr, self._session.types))}.")
        return self._session.types[name]

    def _begin(self, number: int, article: str | Article, session: Session) -> concurrent.futures.Future[Outcome]:
        """One of many, under way; what cannot be read as an article is an outcome at once."""
        if not isinstance(article, (str, Article)):
            raise UsageError(f"Element {number} of articles is of type {type(article).__name__}; expected a text or an Article.")
        try:
            return self._submit(self._article(article), session)
        except ArticleError as error:
            unread = article if isinstance(article, Article) else Article(id=_id_of(article), text=article)
            failed: concurrent.futures.Future[Outcome] = concurrent.futures.Future()
            failed.set_result(Outcome(article=unread, status="failed", reason=str(error), cause="unreadable"))
            return failed

    def _article(
        self,
        article: str | Article,
        *,
        published: date | str | None = None,
        title: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Article:
        if isinstance(article, Article):
            text = read_text(article.text, id=article.id).text  # the same checks, and nothing put before it
            return _writable(article if text == article.text else article.model_copy(update={"text": text}))
        for name, value in (("article", article), ("title", title), ("id", id)):
            if not isinstance(value, str) and (value is not None or name == "article"):
                raise UsageError(f"{name} is of type {type(value).__name__}; expected a text{' or an Article' * (name == 'article')}.")
        return _writable(read_text(article, id=_id_of(article) if id is None else id, title=title, published=_date(published)))

    def _submit(self, article: Article, session: Session) -> concurrent.futures.Future[Outcome]:
        return self._loop.submit(functools.partial(session.outcome, article))


class _Told:
    """Sums over outcomes, for whoever wants to be told of them."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._report = RunReport()

    def of(self, outcome: Outcome) -> Outcome:
        if self._progress:
            self._report = self._report.with_outcome(outcome, missed=False)
            self._progress(self._report, outcome)
        return outcome


def _require_sequence(fact_types: object) -> None:
    if isinstance(fact_types, (str, type)):  # a str is a sequence too, of letters
        raise UsageError(f"fact_types={fact_types!r} is one fact type, not a sequence of them; write it in brackets.")


def _name_of(fact_type: str | type[Fact]) -> str:
    return fact_type if isinstance(fact_type, str) else registered_name(fact_type)


def _require_many(articles: object) -> None:
    if isinstance(articles, (str, bytes, Article)):  # each can be iterated: letters, numbers, fields
        raise UsageError(f"articles is of type {type(articles).__name__}, one and not many; write it in brackets, or call extract.")


def _date(published: date | str | None) -> date | None:
    if published is None or isinstance(published, date):
        return published
    try:
        day = date.fromisoformat(published)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != published:  # Python also reads weeks and dates without hyphens
        raise UsageError(f"published={published!r} is no date; write it as YYYY-MM-DD.")
    return day


def _id_of(text: str) -> str:
    return f"text-{fingerprint(text)[3:15]}"


def _writable(article: Article) -> Article:
    try:
        article.model_dump_json(exclude={"text"})
    except PydanticSerializationError:
        raise UsageError(f"Article {article.id!r} has a field that is no Unicode text (a lone surrogate); mend or drop it.") from None
    return article


async def _asynchronous(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item
        await asyncio.sleep(0)  # reading alone would never let the loop give out what is done


async def _end(session: Session, opened: ExitStack) -> None:
    """Close what an `Extractor` owns, all of it, whichever part fails."""
    with opened:
        if ledger := session.memory.ledger:
            opened.callback(ledger.end_run, 0, all_seen=False)
        await session.aclose()


def _keep_manifest(session: Session, folder: Path) -> None:
    write_manifest(folder, session.tape_manifest())
