"""How one question gets through: waits, pauses and retries around `Wire.send`.

In: calls and the mode to ask them in. Out: replies, and every HTTP request as an `Attempt`. Floor: llm.
The only file that imports tenacity. Before changing it: one attempt is one HTTP request, whatever happens to it, and tenacity retries on
results, so that no attempt is lost. A failure that every call would meet ends the run; any other is the call's outcome.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from extractor.errors import EndpointError, LimitReached
from extractor.llm.bodies import Bodies
from extractor.llm.endpoint import Endpoint
from extractor.llm.modes import sendable
from extractor.llm.responses import RETRIED, Heard, blames_mode, no_answers, no_connection
from extractor.llm.salvage import read_reply
from extractor.llm.wire import Wire
from extractor.records import Attempt, AttemptOutcome, Call, Reply, Usage
from extractor.settings import Settings
from extractor.telemetry import Requests

_LOG = logging.getLogger(__name__)
_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0  # doubled each time, less up to a quarter by chance: as the SDK's own retries
_BLIND_PAUSE_S = 1.0  # for a 429 that does not say how long
_LONGEST_PAUSE_S = 3600.0  # a longer wish is a mistake or a ban: one request an hour finds out
_AFTER_PAUSE_S = 0.2  # waiting calls start within this time after a pause, not all at once
_FIRST_TRIES = 3  # requests to an endpoint that has never answered: two seconds tell that nothing listens
_SILENT_FOR = 5  # articles in a row, or at once, that got no answer at all: it is the endpoint then, and the next would fare the same
_SILENT_TRIES = 20  # requests in a row without an answer: an endpoint that fails half the time does so once in a million
_NOT_BILLED: frozenset[AttemptOutcome] = frozenset({"rate_limited", "no_connection"})  # no model was asked

Place = Callable[[], AbstractAsyncContextManager[None]]
"""Gives a place on the wire."""


class _Try(NamedTuple):
    """One attempt, and what follows from it."""

    attempt: Attempt
    reply: Reply
    again: bool = False
    ends_run: str | None = None


class Talk:
    """One call on its way, for `async with`: its attempts so far, its place on the wire, and until when it may go on."""

    def __init__(self, call: Call, tell: Callable[[Call, Attempt], None] | None, place: Place, budget_s: float, timeout_s: float) -> None:
        self.call = call
        self.timeout_s = timeout_s
        self.usage = Usage()
        self.deadline = math.inf
        self._budget_s = budget_s
        self._tell = tell
        self._place = place
        self._held: AbstractAsyncContextManager[None] | None = None

    async def take_place(self) -> None:
        """Wait for a place on the wire, where it has none. Its time counts from the first: to wait for that is no retrying."""
        if self._held is None:
            held = self._place()
            await held.__aenter__()
            self._held = held
        if self.deadline == math.inf:
            self.deadline = time.monotonic() + self._budget_s

    def begin_anew(self) -> None:
        """Let its time count from the next place: it waited for another call, which is no retrying."""
        self.deadline = math.inf

    async def leave_place(self) -> None:
        """Let another call take it; done when a request is over that is not sent again, and at the end."""
        held, self._held = self._held, None
        if held:
            await held.__aexit__(None, None, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.leave_place()

    def log(self, attempt: Attempt) -> None:
        """Count an attempt, and tell whoever listens."""
        self.usage += attempt.usage
        if self._tell:
            self._tell(self.call, attempt)


class Gate(Protocol):
    """Lets requests out one by one; whoever runs many articles keeps the limits behind it."""

    async def admit(self, body: Mapping[str, Any]) -> Any:
        """A ticket for one request with this JSON body, as soon as it may be sent; what it raises ends the call."""

    def settle(self, ticket: Any, usage: Usage) -> None:
        """What the request with this ticket really used; a usage without attempts where nothing is owed for it."""


class Server(Protocol):
    """A server of our own, which is there for this client alone."""

    url: str
    """Its base URL."""
    key: str
    """The token that it wants."""

    def ended(self) -> str | None:
        """Why it ended by itself, with the next move; None while it runs."""


class Transport:
    """Gets the calls to one endpoint through; for one event loop.

    Args:
        settings: Times and limits.
        target: The endpoint.
        bodies: Writes what is sent.
        wire: Sends it.
        gate: Asked before every request, retries included; None lets all pass.
        server: What serves the settings' model file, where it is a server of our own.
    """

    def __init__(
        self, settings: Settings, target: Endpoint, bodies: Bodies, wire: Wire, *, gate: Gate | None = None, server: Server | None = None
    ) -> None:
        self._settings = settings
        self._endpoint = target
        self._bodies = bodies
        self._wire = wire
        self._gate = gate
        self._server = server
        self._watched = Requests(
            provider=target.api,
            model=target.model,
            host=target.host,
            port=urlsplit(target.url).port,
            temperature=settings.temperature,
            max_tokens=settings.max_output_tokens,
        )
        self.usage = Usage()
        """Of all requests so far."""
        self.ended: tuple[float, EndpointError] | None = None
        """When and why a call ended that says the same of every other; `time.monotonic()`."""
        self._answered = False
        self._quiet_until = 0.0
        self._ending = asyncio.Event()
        self._unanswered: set[str] = set()
        self._failures = 0  # requests since the last answer

    def wind_down(self) -> None:
        """From now on nothing is sent: what is on the wire is finished, and a call that would send or wait ends with `LimitReached`."""
        self._ending.set()

    async def exchange(self, talk: Talk, mode: str, patience: int | None = None) -> tuple[Reply, Attempt]:
        """One call in one mode, under the retry policy.

        Args:
            talk: The call.
            mode: How the schema travels.
            patience: Requests at most for failures that may be the mode's fault; None for as many as for others.

        Raises:
            EndpointError: Every call would fare the same.
            LimitReached: The gate lets it out no more, or `wind_down` was called before it was sent.
        """
        import tenacity

        def is_over(state: Any) -> bool:
            attempt, tries = state.outcome.result().attempt, self._settings.attempts
            if self._server and self._server.ended():
                return True
            if attempt.outcome == "no_connection" and not self._answered:
                tries = min(tries, _FIRST_TRIES)
            elif patience and blames_mode(attempt):
                tries = min(tries, patience)
            return bool(state.attempt_number >= tries or time.monotonic() + state.upcoming_sleep > talk.deadline)

        policy = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(lambda tried: tried.again),
            wait=_wait_s,
            stop=is_over,
            sleep=self._wait,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        tried: _Try = await policy(self._once, talk, mode, self._bodies.key(talk.call, mode))
        last = tried.attempt
        if tried.ends_run:
            raise self.end(tried.ends_run, last.status)
        if last.outcome in RETRIED and self._server and (why := self._server.ended()):
            raise self.end(why)
        if last.outcome == "no_connection":  # with every attempt used up: it is no article's fault, and the next would fare the same
            raise self.end(no_connection(self._endpoint, last.error or "", answered=self._answered))
        silent = min(_SILENT_TRIES, _SILENT_FOR * self._settings.attempts)
        if last.outcome in RETRIED and len(self._unanswered) >= _SILENT_FOR and self._failures >= silent:
            raise self.end(no_answers(self._endpoint, len(self._unanswered), last.error or ""), last.status)
        return tried.reply, last

    async def _once(self, talk: Talk, mode: str, key: str) -> _Try:
        """Exactly one HTTP request, or none where a pause outlasts the call."""
        mould, text = self._bodies.mould(talk.call, mode), sendable(talk.call.prompt.user)
        content = mould.filled(text)  # now, and not while a place on the wire is empty
        await talk.take_place()
        ticket, too_long = await self._turn(talk, mode)
        if too_long:
            self._unheard(talk)
            attempt = Attempt(key=key, mode=mode, outcome="rate_limited", error=too_long)
            return _Try(attempt, read_reply("rate_limited", "", talk.call.fact_types, too_long))
        usage = Usage(attempts=1, unreported=1)  # what a cancelled request leaves: it may have been billed
        began = time.monotonic()
        with self._watched.one(talk.call, mode) as answered:
            try:
                heard = await self._wire.send(content, mould.chars + len(text), talk.timeout_s)
                usage = Usage() if heard.outcome in _NOT_BILLED else heard.usage
            finally:
                if self._gate:
                    self._gate.settle(ticket, usage)
            latency_s = time.monotonic() - began
            if not heard.again:
                await talk.leave_place()  # the next request goes out while this answer is read, which waits for nothing
            reply = read_reply(heard.outcome, heard.text, talk.call.fact_types, heard.error)
            answered.attempt = attempt = Attempt(
                key=key, mode=mode, outcome=reply.outcome, text=heard.text, finish_reason=heard.finish_reason, status=heard.status,
                usage=heard.usage, latency_s=latency_s, retry_after_s=heard.retry_after_s, error=reply.error,
            )  # fmt: skip
        _LOG.debug("%s %r: %s after %.2f s as %s", talk.call.kind, talk.call.article_id, attempt.outcome, latency_s, mode)
        self._answered = self._answered or heard.status is not None
        if heard.outcome in RETRIED:
            self._unheard(talk)
        else:
            self._unanswered.clear()
            self._failures = 0
        if heard.again and (heard.outcome == "rate_limited" or (heard.status == HTTPStatus.SERVICE_UNAVAILABLE and heard.retry_after_s)):
            rest_s = _BLIND_PAUSE_S if heard.retry_after_s is None else min(heard.retry_after_s, _LONGEST_PAUSE_S)
            self._quiet_until = max(self._quiet_until, time.monotonic() + rest_s)
            _LOG.info("%s asks for a pause of %.1f s (status %s)", self._endpoint.shown, rest_s, heard.status)
        self.usage += attempt.usage
        talk.log(attempt)
        return _Try(attempt, reply, heard.again, heard.ends_run)

    async def _turn(self, talk: Talk, mode: str) -> tuple[Any, str]:
        """The gate's ticket, once no pause is on; or why none is waited for."""
        while True:
            self._require_open()  # it may have ended while the call waited
            while (pause := self._quiet_until - time.monotonic()) > 0:
                if self._quiet_until > talk.deadline:
                    why = f"The endpoint asked for a pause that lasts {pause:.0f} s more, longer than this call may wait; nothing was sent."
                    return None, why
                await self._wait(pause + random.uniform(0, _AFTER_PAUSE_S))  # noqa: S311 - it spreads load and guards nothing
            if self._gate is None:
                return None, ""
            ticket = await self._gate.admit(self._bodies.body(talk.call, mode))
            if self._quiet_until <= time.monotonic():
                return ticket, ""
            self._gate.settle(ticket, Usage())  # a pause began while it waited for its turn

    def _unheard(self, talk: Talk) -> None:
        self._unanswered.add(talk.call.article_id)
        self._failures += 1

    async def insist(self, send: Callable[[], Awaitable[Any]], what: str, *, tries: int | None = None) -> Any:
        """What `send` gives, under the retry policy of calls; for the requests beside calls, which batches need."""

        async def once() -> Any:
            try:
                return await send()
            except Exception as error:  # noqa: BLE001 - as in `Wire.send`
                return self._wire.of_error(error, self._settings.timeout_s)

        import tenacity

        policy = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(lambda got: isinstance(got, Heard) and got.again),
            wait=lambda state: _pause_s(state.outcome.result().retry_after_s if state.outcome else None, state.attempt_number),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(tries or self._settings.attempts),
                tenacity.stop_before_delay(self._settings.retry_budget_s),
            ),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        got: Any = await policy(once)
        if isinstance(got, Heard):
            raise EndpointError(f"{what}: {got.ends_run or f'{self._endpoint.shown!r}: {got.error}'}", status=got.status)
        return got

    def end(self, message: str, status: int | None = None) -> EndpointError:
        """The error that ends a call and says the same of every other; noted as `ended`, for the caller to raise."""
        error = EndpointError(message, status=status)
        self.ended = (time.monotonic(), error)
        return error

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        self._require_open()

    def _require_open(self) -> None:
        if self._ending.is_set():
            raise LimitReached("The run ended before this request was sent; the same command goes on.")


def _wait_s(state: Any) -> float:
    """Seconds before the next attempt: what the endpoint asked for, else twice as long each time."""
    return _pause_s(state.outcome.result().attempt.retry_after_s, state.attempt_number)


def _pause_s(asked: float | None, tries: int) -> float:
    if asked is not None:
        return asked
    longest: float = min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2 ** (tries - 1))
    return longest * random.uniform(0.75, 1.0)  # noqa: S311 - it spreads load and guards nothing
