"""Many machines: a run whose articles are asked by the workers of a Ray cluster.

In: articles. Out: a run folder as any other. Floor: runs; the only file that imports ray, and only when it is used.
Before changing it: the driver alone writes the run folder's ledger, each worker its own shard; a worker or a driver may die at any moment.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from extractor.errors import ExtractorError, UsageError
from extractor.evidence.outcome import Outcome
from extractor.facts.fact import Fact
from extractor.fingerprint import fingerprint
from extractor.llm.prices import price_of
from extractor.records import Article, Call, Reply, Usage
from extractor.runs.ledger_shards import ShardedLedger
from extractor.runs.limits import Limits, Ticket, estimate_body
from extractor.runs.session import Memory, Session, verdicts
from extractor.runs.stored import judged_again, so_far
from extractor.runs.worker import Answer, Order, Worker, share_of
from extractor.settings import Settings, cluster_address
from extractor.telemetry import reading

CONCURRENCY_PER_WORKER = 64
"""Articles at a time that one process is given before another one is started: it answers a hundred a second and more (docs/scale.md)."""

_MOST_DEATHS = 3  # of workers under one article: it is then failed, as it may be what kills them
_STORE_BYTES = 200_000_000  # for a cluster on this machine: articles and outcomes are small


def ray_or_error() -> ModuleType:
    """Ray, imported now.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError(f"--engine ray needs the 'ray' extra ({error}): pip install \"grounded-fact-extractor[ray]\"") from error
    module: ModuleType = ray
    return module


def connect() -> ModuleType:
    """Ray, connected to the cluster that RAY_ADDRESS names; without one, to a cluster on this machine that ends with this process.

    Raises:
        UsageError: Ray is not installed, or there is no cluster.
    """
    ray = ray_or_error()
    if not ray.is_initialized():
        address = cluster_address()
        where: dict[str, Any] = {"address": address}
        if address is None:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what runs on one machine is nobody else's business
            where = {"address": "local", "include_dashboard": False, "object_store_memory": _STORE_BYTES}
        try:
            ray.init(log_to_driver=False, configure_logging=False, **where)
        except Exception as error:
            raise UsageError(
                f"No cluster at {address or 'this machine'!r} ({error}). Start it, or correct or unset RAY_ADDRESS."
            ) from error
    return ray


class ClusterLimits:
    """The limits of a run, in one process for all workers; tickets are numbers, since they travel."""

    def __init__(self, settings: Settings) -> None:
        self._limits = Limits(settings, price_of(settings))
        self._tickets: dict[int, Ticket] = {}
        self._next = 0

    async def admit(self, tokens: int) -> int:
        """A ticket for a request of about so many tokens, as soon as the limits allow it."""
        ticket = await self._limits.admit_tokens(tokens)
        self._next += 1
        self._tickets[self._next] = ticket
        return self._next

    async def settle(self, number: int, usage: Usage) -> None:
        """What a request really used; that of a worker that died is never told, and stays reserved."""
        self._limits.settle(self._tickets.pop(number), usage)

    async def wind_down(self) -> None:
        """From now on nobody is admitted."""
        self._limits.wind_down()


class SharedGate:
    """The cluster's limits, as a worker's client asks them."""

    def __init__(self, limits: Any) -> None:
        self._limits = limits

    async def admit(self, body: Mapping[str, Any]) -> int:
        """The number of a ticket, as soon as the limits of the cluster allow it."""
        number: int = await unwrapped(self._limits.admit.remote(estimate_body(body)))
        return number

    def settle(self, ticket: int, usage: Usage) -> None:
        """Tell what the request with this ticket really used, without waiting."""
        self._limits.settle.remote(ticket, usage)


def shared_limits(settings: Settings) -> Any:
    """The limits that the settings name (`rpm`, `tpm`, `max_cost_usd`), held for a whole cluster; None where they name none.

    Raises:
        SettingsError: There is a limit on cost, and the model's price is unknown.
    """
    if not (settings.rpm or settings.tpm or settings.max_cost_usd):
        return None
    Limits(settings, price_of(settings))
    ray = connect()
    return ray.remote(num_cpus=0, max_concurrency=100_000)(ClusterLimits).remote(settings)


class _RayWorker:
    """A `Worker`, in a process of Ray's."""

    def __init__(self, order: Order, limits: Any) -> None:
        self._worker: Worker | None = None
        self._cannot: Exception | None = None
        try:
            self._worker = Worker(order, SharedGate(limits) if limits else None)
        except Exception as error:  # noqa: BLE001 - raised with the first article: from here it would be one more death, without its reason
            self._cannot = error

    async def outcome(self, article: Article, *, again: bool) -> Answer:
        if self._worker is None:
            raise self._cannot or RuntimeError("There is no worker.")
        if again:
            self._worker.look_around()
        return await self._worker.outcome(article)

    async def wind_down(self) -> None:
        if self._worker:
            self._worker.wind_down()

    async def aclose(self) -> None:
        if self._worker:
            await self._worker.aclose()


class ClusterSession(Session):
    """A session whose articles are asked by workers; what comes of them is remembered here.

    Args:
        types: Registered name to class, in catalogue order.
        settings: How to ask; `concurrency`, `rpm`, `tpm` and `max_cost_usd` are those of all workers together.
        memory: Over `ledger`.
        ledger: The run folder's, with the shards of earlier runs merged before the first article is asked.
        names: The same fact types as workers are to load them.
        workers: Processes; None for one to `CONCURRENCY_PER_WORKER` articles at a time, and no more than the cluster has processors.
        mode: A remembered way for the schema to travel.
        replay: Cassettes to answer from.

    Raises:
        UsageError: Ray is not installed.
    """

    def __init__(
        self,
        types: Mapping[str, type[Fact]],
        settings: Settings,
        memory: Memory,
        *,
        ledger: ShardedLedger,
        names: Sequence[str | type[Fact]],
        workers: int | None = None,
        mode: str | None = None,
        replay: Path | None = None,
    ) -> None:
        super().__init__(types, settings, memory, mode=mode)
        self._ledger, self._names, self._replay, self._wanted = ledger, names, replay, workers
        self._ray: Any = None
        self._starts_cluster = False
        self._no_cluster: ExtractorError | None = None
        self._limits_actor: Any = None
        self._workers: list[Any] = []

    def _start(self) -> None:
        """Connect to the cluster and start the workers: with the first article that is asked, since a cluster takes seconds to start."""
        self._ledger.lay_out_earlier()
        self._starts_cluster = not ray_or_error().is_initialized()
        ray = self._ray = connect()
        if (count := self._wanted) is None:
            processors = int(ray.cluster_resources().get("CPU", 1))
            count = max(1, min(processors, math.ceil(self.settings.concurrency / CONCURRENCY_PER_WORKER)))
        self._limits_actor = shared_limits(self.settings)
        order = Order(
            fact_types=self._names,
            settings=share_of(self.settings, count),
            run_dir=self._ledger.folder.resolve(),
            mode=self._remembered_mode,
            replay=self._replay.resolve() if self._replay else None,
            retry_failed=self.memory.retry_failed,
        )
        kind = ray.remote(num_cpus=0, max_concurrency=10_000, scheduling_strategy="SPREAD")(_RayWorker)
        self._hire: Callable[[], Any] = lambda: kind.remote(order, self._limits_actor)
        self._workers = [self._hire() for _ in range(count)]

    async def outcome(self, article: Article) -> Outcome:
        """What comes of an article, asked by a worker and remembered here.

        Raises:
            EndpointError: The endpoint refuses everything.
            LimitReached: A limit is reached, or a request is needed after `wind_down`.
            LedgerError: It cannot be remembered.
        """
        with reading(article.id, self.types) as read:
            outcome = judged_again(self, article) or self._answered(article)
            if outcome is None:
                outcome, missed = await self._asked(article)
                if missed:
                    self.missed.add(article.id)
            self.remember(outcome)
            read.end(outcome.status, outcome.cause, verdicts(outcome))
        return outcome

    def _answered(self, article: Article) -> Outcome | None:
        """What the run folder's own answers come to, also those about an article of the same text, or to an older run's question."""
        if not self._ledger.has_attempts:
            return None  # a first run: its questions need not be written here and by a worker
        found = so_far(self, article, self._stored)
        return found if isinstance(found, Outcome) else None

    def _stored(self, call: Call) -> Reply | None:
        return self._ledger.reply(self.client.key(call), call.fact_types, only_ok=self.memory.retry_failed)

    async def _asked(self, article: Article) -> Answer:
        if self._no_cluster:  # it is not looked for again for each article that waits
            raise self._no_cluster
        if not self._workers:
            try:
                self._start()
            except ExtractorError as error:
                self._no_cluster = error
                raise
        died = self._ray.exceptions.RayActorError
        place = _place_of(article, len(self._workers))
        for deaths in range(_MOST_DEATHS):
            worker = self._workers[place]
            try:
                answer: Answer = await unwrapped(worker.outcome.remote(article, again=deaths > 0))
            except died:
                if self._workers[place] is worker:  # whoever notices first hires its successor
                    self._workers[place] = self._hire()
            else:
                return answer
        reason = f"reset: the worker process died {_MOST_DEATHS} times while it worked on this article"
        return Answer(Outcome(article=article, status="failed", reason=reason, cause="reset"), missed=False)

    def wind_down(self) -> None:
        """From now on nothing is sent by any worker."""
        super().wind_down()
        for worker in self._workers:
            worker.wind_down.remote()
        if self._limits_actor:
            self._limits_actor.wind_down.remote()

    async def aclose(self) -> None:
        """End the workers, once what they have is written; a cluster that was started here ends too."""
        await super().aclose()
        if self._ray is None:
            return
        for worker in self._workers:
            try:
                await worker.aclose.remote()
            except self._ray.exceptions.RayError:
                continue  # it died: its shard is whole all the same
            finally:
                self._ray.kill(worker)
        if self._limits_actor:
            self._ray.kill(self._limits_actor)
        if self._starts_cluster:
            self._ray.shutdown()


def _place_of(article: Article, workers: int) -> int:
    """Which of so many workers is asked: the same one for the same text, since it alone knows what it is asking, and asks it once."""
    return int(fingerprint([article.text])[-8:], 16) % workers


async def unwrapped(reference: Any) -> Any:
    """What a remote call gives; an error of ours that it raised is raised as it was, not as Ray's copy with a traceback for a message."""
    try:
        return await reference
    except Exception as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, ExtractorError):
            raise cause from None
        raise
