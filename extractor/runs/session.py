"""How one article is asked and remembered: drives `flow` with replies out of the ledger where there are any, else from the client.

In: articles. Out: outcomes. Floor: runs.
Before changing it: the command and the library share this class; what it does not remember is paid for twice.
"""

import asyncio
import copy
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version
from typing import Any, NamedTuple, Self
from weakref import WeakValueDictionary

from extractor.errors import CassetteMiss, EndpointError
from extractor.evidence.outcome import Outcome
from extractor.evidence.validate import JUDGE_VERSION, check_examples
from extractor.facts.catalog import type_fingerprint
from extractor.facts.fact import Fact
from extractor.fingerprint import fingerprint
from extractor.llm.cassette import Cassettes, Manifest
from extractor.llm.client import Client
from extractor.llm.prices import price_of
from extractor.llm.prompt import EXTRACT_PROMPT, REPAIR_PROMPT, prompt_fingerprints
from extractor.llm.transport import Gate, Place, Server
from extractor.records import Article, Attempt, Call, Reply
from extractor.runs.flow import ASK_AGAIN_ALWAYS, Plan, flow
from extractor.runs.ledger import Known, Ledger, Request
from extractor.runs.limits import Limits
from extractor.runs.question import outcome_key, question_key
from extractor.runs.rows import Provenance
from extractor.settings import Settings
from extractor.telemetry import reading

_LOG = logging.getLogger(__name__)


class Memory(NamedTuple):
    """Where a session remembers, and how."""

    ledger: Ledger | None = None
    """None remembers nothing."""
    cassettes: Cassettes | None = None
    """Recording or replaying; None does neither."""
    ask_anew: bool = False
    """Ask everything, whatever is stored (recording)."""
    retry_failed: bool = False
    """Ask failed and partial articles again, and the calls that were refused or broken."""
    misses_are_outcomes: bool = False
    """A request that the cassettes do not hold fails its article; otherwise it is raised."""


class Session:
    """One way of asking: fact types, settings, a client and a memory.

    Args:
        types: Registered name to class, in catalogue order; their examples are checked here, before any call.
        settings: How to ask.
        memory: Where to remember.
        mode: A remembered way for the schema to travel; None takes the ledger's, else finds out with the first call.
        gate: Asked before every request in the place of limits of its own; None makes those that the settings name.
        server: What serves the settings' model file; it belongs to whoever started it.

    Raises:
        SchemaError: A worked example does not hold in its own text.
        SettingsError: There is no key and no endpoint.
    """

    def __init__(
        self,
        types: Mapping[str, type[Fact]],
        settings: Settings,
        memory: Memory,
        *,
        mode: str | None = None,
        gate: Gate | None = None,
        server: Server | None = None,
    ) -> None:
        check_examples(types)
        self.types = types
        self.settings = settings
        self.memory = memory
        self.plan = Plan(types, settings.repairs, settings.part_chars)
        self.schemas = {name: type_fingerprint(fact_type) for name, fact_type in types.items()}
        self._prompts = prompt_fingerprints()
        self.provenance = Provenance(settings.model, f"{EXTRACT_PROMPT} {self._prompts[EXTRACT_PROMPT]}", self.schemas)
        self._question = question_key(self.schemas, self._prompts, settings.model_dump(exclude={"api_key"}))
        self._endpoint = fingerprint([settings.base_url, settings.model])
        remembered = memory.ledger.mode(self._endpoint) if memory.ledger and not mode else mode
        self._remembered_mode = remembered
        limited = settings.rpm or settings.tpm or settings.max_cost_usd
        self._limits = Limits(settings, price_of(settings)) if limited else None
        self.client = Client(settings, types, mode=remembered, gate=gate or self._limits, server=server)
        self._free = asyncio.Semaphore(settings.concurrency)  # a long article asks its parts together
        self._judging = asyncio.Lock()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by call's key, while somebody asks it
        self.on_refusal: Callable[[], None] = lambda: None
        """Called when the endpoint refuses everything, before another request can go out; a run ends there, a service does not."""
        self.missed: set[str] = set()
        """Articles with a request that the cassettes did not hold."""

    def asking(self, types: Mapping[str, type[Fact]], settings: Settings) -> Self:
        """This session for some of its types and other `repairs` and `timeout_s`: the same client, memory and bounds."""
        other = copy.copy(self)
        other.types, other.settings = types, settings
        other.plan = Plan(types, settings.repairs, settings.part_chars)
        other.schemas = {name: self.schemas[name] for name in types}
        other._question = question_key(other.schemas, self._prompts, settings.model_dump(exclude={"api_key"}))  # noqa: SLF001 - as below
        other.provenance = self.provenance._replace(schemas=other.schemas)
        return other

    async def aclose(self) -> None:
        """Close the client; the ledger and the cassettes belong to whoever opened them."""
        await self.client.aclose()

    def wind_down(self) -> None:
        """From now on nothing is sent: an article that needs another request ends with `LimitReached` and is left for the next run."""
        self.client.wind_down()
        if self._limits:
            self._limits.wind_down()

    def manifest(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What a run is made with, for the ledger: versions, settings without secrets and which were given, options, prompts, schemas."""
        packages = ("grounded-fact-extractor", "openai", "instructor", "pydantic")
        return {
            "versions": {package: version(package) for package in packages},
            "settings": {**self.settings.model_dump(mode="json", exclude={"api_key"}), "base_url": self.client.endpoint_url},
            "given": sorted(self.settings.model_fields_set),
            "options": dict(options),
            "prompts": self._prompts,
            "schemas": self.schemas,
        }

    def tape_manifest(self) -> Manifest:
        """What cassettes recorded by this session say about themselves."""
        settings = self.settings
        return Manifest(
            model=settings.model,
            mode=self.client.mode,
            fact_types=tuple(self.types),
            prompts=(EXTRACT_PROMPT, REPAIR_PROMPT),
            fingerprints=self.schemas,
            temperature=settings.temperature,
            max_output_tokens=settings.max_output_tokens,
            part_chars=settings.part_chars,
            repairs=settings.repairs,
        )

    def stored_types(self) -> dict[str, tuple[str, int, dict[str, Any]]]:
        """Fingerprint, version and JSON Schema of each fact type, for the ledger."""
        return {name: (self.schemas[name], kind.version, kind.model_json_schema()) for name, kind in self.types.items()}

    def key(self, article: Article) -> str:
        """Fingerprint of everything that is asked about an article: with the same key nothing is asked again."""
        return outcome_key(article, self._question, self.settings.part_chars)

    def done(self, articles: Sequence[Article]) -> dict[str, Known]:
        """Those of the articles for which nothing needs to be asked or judged, by id, with what is known of them."""
        ledger = self.memory.ledger
        if ledger is None or self.memory.ask_anew:
            return {}
        known = ledger.known([article.id for article in articles])
        return {article.id: known[article.id] for article in articles if article.id in known and self._is_done(article, known[article.id])}

    def _is_done(self, article: Article, known: Known) -> bool:
        if known.judge_version != JUDGE_VERSION or known.outcome_key != self.key(article):
            return False
        return known.status == "complete" or not (self.memory.retry_failed or known.cause in ASK_AGAIN_ALWAYS)

    async def outcome(self, article: Article) -> Outcome:
        """What comes of an article, remembered before it is given.

        Raises:
            EndpointError: The endpoint refuses everything.
            LimitReached: `max_cost_usd` is reached, or a request is needed after `wind_down`.
            CassetteMiss: Replaying, the request is not recorded, and misses are not outcomes.
            LedgerError: It cannot be remembered.
        """
        ledger, cassettes = self.memory.ledger, self.memory.cassettes
        key = self.key(article)
        with reading(article.id, self.types) as read, cassettes.article(article.id) if cassettes else nullcontext():
            known = ledger.known([article.id]).get(article.id) if ledger and not self.memory.ask_anew else None
            outcome = None
            if known and known.judge_version != JUDGE_VERSION and known.outcome_key == key:
                # only our judging changed: the stored replies are judged again, without a call
                outcome = await self._drive(article, stored_only=True)
            if outcome is None or outcome.cause == "not_asked":
                outcome = await self._drive(article, stored_only=False)
            self.remember(outcome, key)
            read.end(outcome.status, outcome.cause, verdicts(outcome))
        return outcome

    def remember(self, outcome: Outcome, key: str | None = None) -> None:
        """Put what came of an article into the ledger, where there is one, and its status into the log; `key` where it is known already."""
        if ledger := self.memory.ledger:
            ledger.outcome(outcome, key=key or self.key(outcome.article), judge_version=JUDGE_VERSION, provenance=self.provenance)
        # the cause and never the reason, which may quote the article or the model
        level = logging.DEBUG if outcome.status == "complete" else logging.WARNING
        _LOG.log(level, "article %r: %s%s", outcome.article.id, outcome.status, f" ({outcome.cause})" if outcome.cause else "")

    async def _drive(self, article: Article, *, stored_only: bool) -> Outcome:
        steps = flow(article, self.plan)
        calls = next(steps)
        while True:
            replies = await self._replies(calls, stored_only=stored_only)
            # judging blocks the loop for milliseconds: one at a time, so that the requests whose place came free go out in between
            async with self._judging:
                await asyncio.sleep(0)
                try:
                    calls = steps.send(replies)
                except StopIteration as end:
                    outcome: Outcome = end.value
                    return outcome

    async def _replies(self, calls: Sequence[Call], *, stored_only: bool) -> list[Reply]:
        """Replies in the order of the calls; after an error no other call is sent, and those in flight, perhaps paid for, are finished."""
        errors: list[Exception] = []
        replies: dict[int, Reply] = {}

        @asynccontextmanager
        async def place() -> AsyncIterator[None]:
            async with self._free:
                if errors:
                    raise errors[0]
                yield

        async def put(number: int, call: Call) -> None:
            try:
                replies[number] = await self._reply(call, place, stored_only=stored_only)
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
                if isinstance(error, EndpointError):
                    self.on_refusal()  # before whoever has its place sends another request

        going = [put(number, call) for number, call in enumerate(calls)]
        await (asyncio.gather(*going) if len(going) > 1 else going[0])  # most articles are one call, which needs no task of its own
        if errors:
            for other in errors[1:]:
                if other is not errors[0]:  # which calls that had no place yet ended with too
                    errors[0].add_note(f"Another request about the same article ended with {type(other).__name__}: {other}")
            raise errors[0]
        return [replies[number] for number in range(len(calls))]

    async def _reply(self, call: Call, place: Place, *, stored_only: bool) -> Reply:
        ledger = self.memory.ledger
        if ledger is None or self.memory.ask_anew:
            return await self._answer(call, place, stored_only=stored_only)
        # two articles of one text ask the same: the second waits, and finds the first one's reply
        key = self.client.key(call)
        asked = self._asking.setdefault(key, asyncio.Lock())
        waits = asked.locked()
        async with asked:
            key = self.client.key(call) if waits else key  # the first one may have found another mode
            stored = ledger.reply(key, call.fact_types, only_ok=self.memory.retry_failed)
            return stored or await self._answer(call, place, stored_only=stored_only)

    async def _answer(self, call: Call, place: Place, *, stored_only: bool) -> Reply:
        """The reply to a call that is not stored."""
        ledger = self.memory.ledger
        if stored_only:
            return Reply(outcome="not_asked", error="judging stored replies again, and this call was never made")
        try:
            reply = await self.client.ask(call, self._remember, timeout_s=self.settings.timeout_s, place=place)
        except CassetteMiss as miss:
            self.missed.add(call.article_id)
            if not self.memory.misses_are_outcomes:
                raise
            return Reply(outcome="cassette_miss", error=str(miss))
        if ledger and self.client.mode and self.client.mode != self._remembered_mode:
            self._remembered_mode = self.client.mode
            ledger.remember_mode(self._endpoint, self.client.mode)
        return reply

    def _remember(self, call: Call, attempt: Attempt) -> None:
        if self.memory.ledger:
            request = Request(self.client.frame(call, attempt.mode), self.client.endpoint_url, self.client.cost_usd(attempt.usage))
            self.memory.ledger.attempt(call, attempt, request)


def verdicts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Type and verdict of each fact, believed or not."""
    yield from ((fact.fact_type, str(fact.verdict)) for fact in outcome.facts)
    yield from ((item.fact_type, str(item.verdict)) for item in (*outcome.quarantined, *outcome.merged))
