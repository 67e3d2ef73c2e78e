"""A run over files, from the options of a command to its report; what would be asked, and what that would cost.

In: paths and options. Out: `RunReport`; requests and estimates without asking. Floor: runs.
Before changing it: everything that can be wrong with the options is found here, before the first call.
"""

import asyncio
import concurrent.futures
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr

from extractor.articles.discover import discover
from extractor.articles.read import read
from extractor.articles.walk import describe_skipped
from extractor.errors import ArticleError, UsageError
from extractor.facts import catalog
from extractor.llm.cassette import Cassettes, cassettes, read_manifest, write_manifest
from extractor.llm.endpoint import endpoint
from extractor.llm.local import LocalServer, fitted
from extractor.llm.prices import BATCH_SHARE
from extractor.records import Article, Call, Record
from extractor.runs.batch import BatchRun
from extractor.runs.distribute import ClusterSession, ray_or_error
from extractor.runs.estimate import Estimate, estimate, what_changed
from extractor.runs.flow import flow
from extractor.runs.ledger import LEDGER_NAME, Ledger
from extractor.runs.ledger_batches import BatchLedger
from extractor.runs.ledger_shards import ShardedLedger
from extractor.runs.run import Progress, Run, RunReport, Unreadable
from extractor.runs.session import Memory, Session
from extractor.settings import DEFAULT_OUT, Settings, overridden

_SELDOM = 20_000  # new objects, those freed taken off: a hundred articles, each of which leaves one or two in circles
_UNUSED_KEY = SecretStr("unused")  # the SDK wants one, also where no socket is opened

Notice = Callable[[str], None]
"""Told, in a sentence each, what the user should know before or after a run: what will be asked again, which files were skipped."""


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
    """Articles to ask at most, 1 or more; None for all."""
    retry_failed: bool = False
    """Ask articles again that are remembered as failed or partial."""
    engine: Literal["asyncio", "ray"] = "asyncio"
    """Where articles are asked: in this process, or by the workers of a Ray cluster."""
    workers: int | None = None
    """Processes of the cluster, 1 or more; None for as many as the concurrency needs."""
    batch: bool = False
    """Ask through the provider's batches: half the price, answers within a day."""


def run(
    options: RunOptions, settings: Settings | None = None, *, progress: Progress | None = None, notice: Notice | None = None
) -> RunReport:
    """Extract from files into a run folder; a run over the same folder does only what is new.

    Args:
        options: What to read and where to remember.
        settings: How to ask; what it leaves out comes from the environment and the defaults. A replay takes what shapes a request from
            the cassettes.
        progress: Told after each article. What it raises ends the run: what is in flight is finished and remembered, then it is raised.
        notice: Told what is worth a sentence before and after: what will be asked again because something changed, files skipped.

    Raises:
        UsageError: A path, a fact type or a cassette folder is wrong, or an event loop runs in this thread; nothing was asked.
        SettingsError: There is no key, endpoint or cassette; nothing was asked.
        LedgerError: The run folder cannot be used.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(arun(options, settings, progress=progress, notice=notice))
    raise UsageError("run() was called inside a running event loop, which it would block; write `await arun(...)`.")


async def arun(
    options: RunOptions, settings: Settings | None = None, *, progress: Progress | None = None, notice: Notice | None = None
) -> RunReport:
    """The same as `run`, awaited.

    SIGINT and SIGTERM are handled while it lasts, where it runs in the main thread and nobody else handles them.
    """
    _require_counts(options)
    _require_compatible(options)
    settings = overridden(settings)
    if settings.local and (options.replay or options.batch):
        other = "--replay" if options.replay else "--batch"
        raise UsageError(f"--local and {other} exclude each other: a model file is asked at once, on this machine.")
    if settings.local and options.engine == "ray":
        raise UsageError("--local and --engine ray exclude each other: a model file is asked on this machine. Drop one of them.")
    settings = fitted(settings)
    names, mode = options.fact_types, None
    if options.replay:
        recorded = read_manifest(options.replay)
        settings = recorded.asked(settings)
        names, mode = names or recorded.fact_types, recorded.mode
    endpoint(settings)
    types = catalog.load(names)
    sources = discover(options.paths)
    with ExitStack() as stack:
        ledger = stack.enter_context(ShardedLedger(options.out))
        tapes = _open_cassettes(options, stack)
        server = await _serve(settings, stack, notice)
        memory = Memory(
            ledger=ledger,
            cassettes=tapes,
            ask_anew=options.record is not None,
            retry_failed=options.retry_failed,
            misses_are_outcomes=True,
        )
        if options.engine == "ray":
            session: Session = ClusterSession(
                types, settings, memory, ledger=ledger, names=_everywhere(names), workers=options.workers, mode=mode, replay=options.replay
            )
        else:
            session = Session(types, settings, memory, mode=mode, server=server)
        try:
            if options.record:
                write_manifest(options.record, session.tape_manifest())
            manifest = session.manifest(options.model_dump(mode="json"))
            if notice and (changed := what_changed(ledger, session, manifest)):
                notice(changed)
            ledger.start_run(manifest, session.stored_types())
            ledger.merge_shards()  # what workers of a killed run have left
            work = _work(options, session, ledger, progress=progress, notice=notice)
            with _collecting_seldom():
                report = await work.over(_articles(sources, options.published))
            if notice and sources.skipped:
                notice(describe_skipped(sources.skipped))
            if options.record:
                write_manifest(options.record, session.tape_manifest())
            return report
        finally:
            await session.aclose()
            ledger.merge_shards()


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """While it lasts, garbage is looked for among new objects alone, and seldom."""
    often, *rest = gc.get_threshold()
    gc.freeze()  # the libraries' half a million objects: looking through them takes 0.2 s each time, in which nothing is sent
    gc.set_threshold(max(often, _SELDOM) if often else 0, *rest)
    try:
        yield
    finally:
        gc.set_threshold(often, *rest)
        gc.unfreeze()


def dry_run(options: RunOptions, settings: Settings | None = None) -> Estimate:
    """What `run` would ask and what that would cost; reads every article, asks nothing, changes nothing. No key is needed.

    Raises:
        UsageError: A path or a fact type is wrong.
        LedgerError: The run folder cannot be read.
    """
    _require_counts(options)
    _require_apart(options)
    settings = overridden(settings)
    settings = fitted(settings).model_copy(update={"api_key": settings.api_key or _UNUSED_KEY, "max_cost_usd": None})
    types = catalog.load(options.fact_types)
    sources = discover(options.paths)
    with ExitStack() as stack:
        exists = (options.out / LEDGER_NAME).exists()
        ledger = stack.enter_context(Ledger(options.out, read_only=True)) if exists else None
        session = Session(types, settings, Memory(ledger=ledger, retry_failed=options.retry_failed))
        stack.callback(_closed_aside, session)
        found = estimate(_articles(sources, options.published), session, limit=options.limit)
        if options.batch and found.cost_usd is not None:
            found = found.model_copy(update={"cost_usd": found.cost_usd * BATCH_SHARE})
        return found


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
    settings = overridden(settings)
    settings = fitted(settings).model_copy(update={"api_key": settings.api_key or _UNUSED_KEY})
    types = catalog.load(options.fact_types)
    session = Session(types, settings, Memory())
    try:
        for source in discover(options.paths):
            for article in read(source, published=options.published):
                for call in next(flow(article, session.plan)):
                    yield Request(article, call, session.client.body(call))
    finally:
        _closed_aside(session)


def _require_counts(options: RunOptions) -> None:
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit} asks nothing: give 1 or more, or --dry-run to see what would be asked.")
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers {options.workers} leaves nobody to ask: give 1 or more.")


def _require_apart(options: RunOptions) -> None:
    """A run's own files are no articles: its folder is not read."""
    for path in map(Path, options.paths):
        if not path.is_dir():
            continue
        if path.resolve() == options.out.resolve():
            raise UsageError(f"Folder {str(path)!r} is both input and --out. Name another folder for the run with --out.")
        if (path / LEDGER_NAME).exists():
            raise UsageError(f"Folder {str(path)!r} is a run folder, what a run has written. Name the folder of the articles.")


def _articles(sources: Iterable[Any], published: date | None) -> Iterator[Article | Unreadable]:
    for source in sources:
        try:
            yield from read(source, published=published)
        except ArticleError as error:
            yield Unreadable(source.id, str(error))


def _work(options: RunOptions, session: Session, ledger: BatchLedger, *, progress: Progress | None, notice: Notice | None) -> Run:
    if options.batch:
        return BatchRun(session, ledger, limit=options.limit, progress=progress, notice=notice)
    if notice and (waiting := ledger.open_batches()):
        notice(
            f"{len(waiting)} batches of this folder are on the way: with --batch their answers are used, without it they are asked anew."
        )
    return Run(session, limit=options.limit, progress=progress, notice=notice)


def _require_compatible(options: RunOptions) -> None:
    _require_apart(options)
    if options.record and options.replay:
        raise UsageError("--record and --replay exclude each other: the one asks, the other never does.")
    if options.batch and (options.record or options.replay):
        raise UsageError("--batch neither records nor replays: cassettes hold single requests. Drop one of them.")
    if options.engine == "ray":
        if options.batch or options.record:
            raise UsageError(
                "--engine ray goes with neither --batch nor --record: its workers ask at once, each for itself. Drop one of them."
            )
        ray_or_error()


def _everywhere(names: Iterable[str]) -> tuple[str, ...]:
    """Fact types as workers can load them, who work in other folders."""
    found = []
    for name in names:
        path, colon, class_name = name.rpartition(":") if not name.endswith(".py") else (name, "", "")
        found.append(f"{Path(path).resolve()}{colon}{class_name}" if path.endswith(".py") else name)
    return tuple(found)


def _open_cassettes(options: RunOptions, stack: ExitStack) -> Cassettes | None:
    if options.record:
        return stack.enter_context(cassettes(options.record, "record"))
    if options.replay:
        return stack.enter_context(cassettes(options.replay, "replay"))
    return None


async def _serve(settings: Settings, stack: ExitStack, notice: Notice | None) -> LocalServer | None:
    """The server of a local model, started; None where the settings name an endpoint."""
    if settings.local is None:
        return None
    if notice:
        threads = f"{settings.local_threads} thread{'s' * (settings.local_threads != 1)}"
        notice(
            f"Loading {settings.local.name}: {settings.concurrency} article{'s' * (settings.concurrency != 1)} at a time, "
            f"{settings.local_context:,} tokens of context each, {threads}."
        )
    server = LocalServer(settings)
    stack.callback(server.close)
    await asyncio.to_thread(server.start)  # loading takes as long as reading the file
    return server


def _closed_aside(session: Session) -> None:
    """Close a session on a loop of another thread: in this one a loop may be running, as in a notebook."""
    with concurrent.futures.ThreadPoolExecutor(1) as aside:
        aside.submit(lambda: asyncio.run(session.aclose())).result()
