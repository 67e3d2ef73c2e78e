"""The library: text in, grounded facts out, sync and async; and whole runs over folders.

In: texts, articles, paths. Out: `Outcome`s and `RunReport`s. Floor: api.
Before changing it: sync and async are one path, so a difference between them is a bug; the parity test compares every pair.
"""

import asyncio
import concurrent.futures
import itertools
import threading
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from extractor.articles.discover import discover
from extractor.articles.read import read, read_text
from extractor.errors import ArticleError, SettingsError, UsageError
from extractor.evidence.outcome import Outcome
from extractor.facts import catalog
from extractor.facts.fact import Fact
from extractor.fingerprint import fingerprint
from extractor.llm.cassette import Cassettes, Manifest, cassettes, read_manifest, write_manifest
from extractor.llm.prompt import EXTRACT_PROMPT, REPAIR_PROMPT, prompt_fingerprints
from extractor.records import Article, Call, Record
from extractor.runs.flow import flow
from extractor.runs.ledger import Ledger
from extractor.runs.run import Progress, Run, RunReport, Unreadable
from extractor.runs.session import Memory, Session
from extractor.settings import DEFAULT_OUT, Settings, resolve

T = TypeVar("T")

_NO_ENDPOINT = (
    "No model to ask. Set OPENAI_API_KEY, or name an OpenAI-compatible server with --base-url (Ollama, vLLM, llama.cpp; no key needed), "
    "or replay recorded answers with --replay DIR."
)
_REPLAY_KEY = "replaying"  # the SDK wants one; replaying opens no socket


class Extractor:
    """Reads facts out of texts. One client, on one private event-loop thread; safe from any thread and any loop.

    Use it as a context manager, or call `close`.

    Args:
        fact_types: Classes, registered names or `FILE.py:CLASS`; empty for the three that ship.
        model: As the endpoint knows it; None takes the environment's or the default.
        base_url: An OpenAI-compatible endpoint; None is OpenAI's own.
        api_key: None takes OPENAI_API_KEY; not needed with a base URL.
        ledger: A run folder to remember in, so that nothing is paid for twice; None remembers nothing.
        settings: Everything else; the four above win over it.

    Raises:
        SchemaError: A fact type is unknown or breaks a rule.
        SettingsError: There is no key and no endpoint, or a value is out of bounds.
        LedgerError: The ledger cannot be used.
    """

    def __init__(
        self,
        fact_types: Sequence[str | type[Fact]] = (),
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        ledger: str | Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        given = settings.model_dump(exclude_unset=True) if settings else {}
        chosen = {"model": model, "base_url": base_url, "api_key": api_key}
        self.settings = resolve(**{**given, **{name: value for name, value in chosen.items() if value is not None}})
        _require_endpoint(self.settings)
        types = catalog.load(fact_types)
        self._ledger = Ledger(Path(ledger)) if ledger is not None else None
        try:
            self._session = Session(types, self.settings, Memory(ledger=self._ledger))
        except BaseException:
            if self._ledger:
                self._ledger.close()
            raise
        if self._ledger:
            self._ledger.start_run(_manifest(self._session, {}), _stored_types(self._session))
        self._loop = _Loop(self.settings.concurrency)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Stop what is under way, close the client and the ledger. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._loop.close(self._session.aclose())
        if self._ledger:
            self._ledger.end_run(0, all_seen=False)
            self._ledger.close()

    def extract(
        self,
        article: str | Article,
        *,
        published: date | str | None = None,
        title: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Outcome:
        """The facts of one text.

        Args:
            article: A text, or an `Article`, whose own fields then hold.
            published: Publication date, a date or `YYYY-MM-DD`; None leaves relative dates unresolved.
            title: The headline, put before the text unless it opens it.
            id: Its name in results; None makes one from the text.

        Returns:
            The outcome; what befell this article alone (refused, cut, timed out) is its `status` and `reason`.

        Raises:
            ArticleError: The text is empty or too long.
            EndpointError: The endpoint refuses everything (key, permission, model, quota).
            UsageError: The date is none, or the extractor is closed.
        """
        return self._submit(self._article(article, published=published, title=title, id=id)).result()

    async def aextract(
        self,
        article: str | Article,
        *,
        published: date | str | None = None,
        title: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Outcome:
        """The same as `extract`, awaited; cancelling it cancels the request."""
        return await asyncio.wrap_future(self._submit(self._article(article, published=published, title=title, id=id)))

    def extract_many(self, articles: Iterable[str | Article]) -> Iterator[Outcome]:
        """Outcomes in order of completion, `settings.concurrency` at a time; `articles` is consumed as places come free.

        Raises:
            EndpointError: The endpoint refuses everything; what is under way is cancelled.
        """
        source = iter(articles)
        waiting: set[concurrent.futures.Future[Outcome]] = set()
        try:
            while True:
                free = self.settings.concurrency - len(waiting)
                waiting.update(self._submit(self._article(article)) for article in itertools.islice(source, free))
                if not waiting:
                    return
                done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()

    async def aextract_many(self, articles: Iterable[str | Article] | AsyncIterable[str | Article]) -> AsyncIterator[Outcome]:
        """The same as `extract_many`, for any iterable or async iterable.

        Raises:
            EndpointError: The endpoint refuses everything; what is under way is cancelled.
        """
        source = aiter(articles) if isinstance(articles, AsyncIterable) else _asynchronous(articles)
        waiting: set[asyncio.Future[Outcome]] = set()
        exhausted = False
        try:
            while True:
                while not exhausted and len(waiting) < self.settings.concurrency:
                    try:
                        article = await anext(source)
                    except StopAsyncIteration:
                        exhausted = True
                    else:
                        waiting.add(asyncio.wrap_future(self._submit(self._article(article))))
                if not waiting:
                    return
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()

    def _article(
        self,
        article: str | Article,
        *,
        published: date | str | None = None,
        title: str | None = None,
        id: str | None = None,  # noqa: A002
    ) -> Article:
        if isinstance(article, Article):
            return article
        return read_text(article, id=id or f"text-{fingerprint(article)[3:15]}", title=title, published=_date(published))

    def _submit(self, article: Article) -> concurrent.futures.Future[Outcome]:
        if self._closed:
            raise UsageError("This Extractor is closed; make a new one.")
        return self._loop.submit(self._session.outcome(article))


class RunOptions(Record):
    """What a run over files may be told, settings aside."""

    paths: tuple[str, ...]
    """Files, folders, globs, or `-` for standard input."""
    fact_types: tuple[str, ...] = ()
    """Registered names or `FILE.py:CLASS`; empty for the three that ship, or those of the replayed cassettes."""
    out: Path = Path(DEFAULT_OUT)
    """The run folder, made where it does not exist."""
    published: date | None = None
    """Publication date of every article, over whatever the files say."""
    record: Path | None = None
    """Record cassettes into this folder; asks everything anew."""
    replay: Path | None = None
    """Answer from the cassettes in this folder, without a network."""
    limit: int | None = None
    """Articles to ask at most; None for all."""
    retry_failed: bool = False
    """Ask articles again that are remembered as failed or partial."""


def run(options: RunOptions, settings: Settings | None = None, *, progress: Progress | None = None) -> RunReport:
    """Extract from files into a run folder; a run over the same folder does only what is new.

    Args:
        options: What to read and where to remember.
        settings: How to ask; None takes the environment and the defaults. A replay takes what shapes a request from the cassettes.
        progress: Told after each article.

    Raises:
        UsageError: A path, a fact type or a cassette folder is wrong; nothing was asked.
        SettingsError: There is no key, endpoint or cassette; nothing was asked.
        LedgerError: The run folder cannot be used.
    """
    return asyncio.run(arun(options, settings, progress=progress))


async def arun(options: RunOptions, settings: Settings | None = None, *, progress: Progress | None = None) -> RunReport:
    """The same as `run`, awaited. SIGINT and SIGTERM are handled while it lasts, where it runs in the main thread."""
    if options.record and options.replay:
        raise UsageError("--record and --replay exclude each other: the one asks, the other never does.")
    settings = settings or resolve()
    names, mode = options.fact_types, None
    if options.replay:
        manifest = read_manifest(options.replay)
        shape = {name: getattr(manifest, name) for name in ("model", "temperature", "max_output_tokens", "part_chars", "repairs")}
        settings = settings.model_copy(update={**shape, "api_key": settings.api_key or _secret(_REPLAY_KEY)})
        names, mode = names or manifest.fact_types, manifest.mode
    _require_endpoint(settings)
    types = catalog.load(names)
    sources = discover(options.paths)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger(options.out))
        tapes = _open_cassettes(options, stack)
        memory = Memory(
            ledger=ledger,
            cassettes=tapes,
            ask_anew=options.record is not None,
            retry_failed=options.retry_failed,
            misses_are_outcomes=True,
        )
        session = Session(types, settings, memory, mode=mode)
        try:
            if options.record:
                write_manifest(options.record, _tape_manifest(session))
            ledger.start_run(_manifest(session, options.model_dump(mode="json")), _stored_types(session))
            report = await Run(session, limit=options.limit, progress=progress).over(_articles(sources, options.published))
            if options.record:
                write_manifest(options.record, _tape_manifest(session))
            return report
        finally:
            await session.aclose()


class Request(NamedTuple):
    """What would be sent for one article."""

    article: Article
    call: Call
    body: dict[str, Any]
    """The JSON body of the request, in the first mode that is tried."""


def requests(options: RunOptions, settings: Settings | None = None) -> Iterator[Request]:
    """What `run` would send first for each article, without sending it: one request for each part of a long one. No key is needed.

    Raises:
        UsageError: A path or a fact type is wrong.
        ArticleError: An article cannot be read.
    """
    settings = settings or resolve()
    settings = settings.model_copy(update={"api_key": settings.api_key or _secret("none")})
    types = catalog.load(options.fact_types)
    session = Session(types, settings, Memory())
    try:
        for source in discover(options.paths):
            for article in read(source, published=options.published):
                for call in next(flow(article, session.plan)):
                    yield Request(article, call, session.client.body(call))
    finally:
        asyncio.run(session.aclose())


def _articles(sources: Iterable[Any], published: date | None) -> Iterator[Article | Unreadable]:
    for source in sources:
        try:
            yield from read(source, published=published)
        except ArticleError as error:
            yield Unreadable(source.id, str(error))


def _open_cassettes(options: RunOptions, stack: ExitStack) -> Cassettes | None:
    if options.record:
        return stack.enter_context(cassettes(options.record, "record"))
    if options.replay:
        return stack.enter_context(cassettes(options.replay, "replay"))
    return None


def _tape_manifest(session: Session) -> Manifest:
    settings = session.settings
    return Manifest(
        model=settings.model,
        mode=session.client.mode,
        fact_types=tuple(session.types),
        prompts=(EXTRACT_PROMPT, REPAIR_PROMPT),
        fingerprints=session.schemas,
        temperature=settings.temperature,
        max_output_tokens=settings.max_output_tokens,
        part_chars=settings.part_chars,
        repairs=settings.repairs,
    )


def _manifest(session: Session, options: dict[str, Any]) -> dict[str, Any]:
    packages = ("grounded-fact-extractor", "openai", "instructor", "pydantic")
    return {
        "versions": {package: version(package) for package in packages},
        "settings": session.settings.model_dump(mode="json", exclude={"api_key"}),
        "options": options,
        "prompts": prompt_fingerprints(),
        "schemas": session.schemas,
    }


def _stored_types(session: Session) -> dict[str, tuple[str, int, dict[str, Any]]]:
    return {name: (session.schemas[name], kind.version, kind.model_json_schema()) for name, kind in session.types.items()}


def _require_endpoint(settings: Settings) -> None:
    if settings.api_key is None and settings.base_url is None:
        raise SettingsError(_NO_ENDPOINT)


def _secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)


def _date(published: date | str | None) -> date | None:
    if not isinstance(published, str):
        return published
    try:
        return date.fromisoformat(published)
    except ValueError:
        raise UsageError(f"published={published!r} is no date; write it as YYYY-MM-DD.") from None


async def _asynchronous(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


class _Loop:
    """A private event loop on a thread of its own, and a bound on what runs there at a time."""

    def __init__(self, concurrency: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._free = asyncio.Semaphore(concurrency)
        self._thread = threading.Thread(target=self._loop.run_forever, name="extractor", daemon=True)
        self._thread.start()
        # an Extractor that nobody closed must not leave a running loop behind
        self._finalizer = weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        return asyncio.run_coroutine_threadsafe(self._bounded(work), self._loop)

    async def _bounded(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            async with self._free:
                return await work
        finally:
            work.close()  # cancelled while it waited for its turn

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(self._end(last), self._loop).result()
        self._finalizer()
        self._thread.join()
        self._loop.close()

    async def _end(self, last: Coroutine[Any, Any, None]) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await last
