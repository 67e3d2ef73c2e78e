"""One process of a cluster: a session over a shard of its own, which asks about the articles it is sent.

In: articles. Out: outcomes. Floor: runs.
Before changing it: any process may be killed at any moment, so what it has paid for is in its shard before anything else is done with it.
"""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from extractor.evidence.outcome import Outcome
from extractor.facts import catalog
from extractor.facts.fact import Fact
from extractor.llm.cassette import cassettes
from extractor.llm.transport import Gate
from extractor.records import Article
from extractor.runs.ledger_shards import Shard
from extractor.runs.session import Memory, Session
from extractor.settings import Settings


class Order(NamedTuple):
    """How a worker is to ask; the same for all workers of a run."""

    fact_types: Sequence[str | type[Fact]]
    """As `Extractor` takes them; files by a path that leads there on every machine."""
    settings: Settings
    """How to ask; without limits, which are the cluster's."""
    run_dir: Path
    """The run folder, seen by every worker."""
    mode: str | None = None
    """The remembered way for the schema to travel."""
    replay: Path | None = None
    """Answer from these cassettes."""
    retry_failed: bool = False
    """Ask again what was refused or broken."""


class Answer(NamedTuple):
    """What a worker gives back."""

    outcome: Outcome
    missed: bool
    """Whether the cassettes did not hold a request."""


def share_of(settings: Settings, workers: int) -> Settings:
    """The settings of one worker among so many: its part of the concurrency, and no limits, which are held for all at once."""
    alone = {"rpm": None, "tpm": None, "max_cost_usd": None, "concurrency": math.ceil(settings.concurrency / workers)}
    return settings.model_copy(update=alone)


class Worker:
    """Asks, in a process of its own.

    Args:
        order: How.
        gate: The limits of the cluster; None where there are none.

    Raises:
        LedgerError: The run folder is not there, or cannot be written.
    """

    def __init__(self, order: Order, gate: Gate | None = None) -> None:
        with ExitStack() as stack:
            self._shard = stack.enter_context(Shard(order.run_dir))
            self._shard.look_around()
            tapes = stack.enter_context(cassettes(order.replay, "replay")) if order.replay else None
            memory = Memory(ledger=self._shard, cassettes=tapes, retry_failed=order.retry_failed, misses_are_outcomes=tapes is not None)
            self._session = Session(catalog.load(order.fact_types), order.settings, memory, mode=order.mode, gate=gate)
            self._opened = stack.pop_all()

    @property
    def session(self) -> Session:
        """How it asks."""
        return self._session

    def look_around(self) -> None:
        """Find what workers that died have left."""
        self._shard.look_around()

    async def outcome(self, article: Article) -> Answer:
        """What comes of an article.

        Raises:
            EndpointError: The endpoint refuses everything.
            LimitReached: A limit of the cluster is reached, or the run winds down.
            LedgerError: An attempt cannot be remembered.
        """
        outcome = await self._session.outcome(article)
        return Answer(outcome, article.id in self._session.missed)

    def wind_down(self) -> None:
        """From now on nothing is sent."""
        self._session.wind_down()

    async def aclose(self) -> None:
        """Close the client and the shard."""
        try:
            await self._session.aclose()
        finally:
            self._opened.close()
