"""The one door to a model: a `Call` goes out over HTTP, a `Reply` comes back.

In: settings, fact types, calls. Out: replies, and every HTTP request as an `Attempt`. Floor: llm.
When to ask, how often and in which mode is decided here; `bodies.py` writes what is sent, `wire.py` sends it.
Before changing it: one attempt is one HTTP request, whatever happens to it, and tenacity retries on results, so that no attempt is lost.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from extractor.errors import EndpointError, LimitReached, SettingsError, UsageError
from extractor.facts.fact import Fact
from extractor.llm.batch_files import BatchFiles
from extractor.llm.bodies import Bodies
from extractor.llm.endpoint import endpoint
from extractor.llm.modes import TOLD, Frame, closeness, gives_shape, sendable
from extractor.llm.prices import price_of
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
_PATIENCE = 2  # requests for a failure that may be the first mode's fault
_LOST_WALKS = 2  # calls for which no mode may work before the walk ends: one is perhaps an odd article
_NOT_BILLED: frozenset[AttemptOutcome] = frozenset({"rate_limited", "no_connection"})  # no model was asked


Place = Callable[[], AbstractAsyncContextManager[None]]
"""Gives a place on the wire."""


class _Try(NamedTuple):
    """One attempt, and what follows from it."""

    attempt: Attempt
    reply: Reply
    again: bool = False
    ends_run: str | None = None


class _Refused(NamedTuple):
    """A mode that did not give the shape, and what it gave."""

    mode: str
    reply: Reply


class _Talk:
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


class Client:
    """Asks one model at one endpoint; for one event loop, and to be closed (`async with`).

    Args:
        settings: Endpoint, model, key, times and limits.
        types: Registered name to class of every fact type that calls will name.
        mode: The mode that worked in an earlier run, such as `json_schema/strict`; None finds out with the first call.
        gate: Asked before every request, retries included; None lets all pass.
        server: What serves the settings' model file; without it such a client can write bodies and keys, and ask nothing.

    Raises:
        SettingsError: There is neither key nor base URL, the base URL is none, or `mode` is unknown.
    """

    def __init__(
        self,
        settings: Settings,
        types: Mapping[str, type[Fact]],
        *,
        mode: str | None = None,
        gate: Gate | None = None,
        server: Server | None = None,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint(settings)
        self._server = server
        if server:
            self._endpoint = self._endpoint._replace(url=server.url, secrets=(server.key, server.url))
        self._bodies = Bodies(settings, types, self._endpoint)
        if mode is not None and mode not in self._bodies.known:
            raise SettingsError(f"Mode {mode!r} is unknown; expected one of {', '.join(self._bodies.known)}.")
        self._wire = Wire(settings, self._endpoint, key=server.key if server else None)
        self._mode = mode or (TOLD if self._endpoint.is_local_file else None)
        # the other calls need not wait for the first one's answer where a wrong guess costs nothing: on this machine, at OpenAI, which
        # refuses what it does not know unbilled, and where there is one way only
        cheap = self._endpoint.is_loopback or self._endpoint.is_openai or len(self._bodies.modes) == 1
        self._guess = self._bodies.modes[0] if cheap else None
        self._gate = gate
        self._price = price_of(settings)
        self._watched = Requests(
            provider=self._endpoint.api,
            model=self._endpoint.model,
            host=self._endpoint.host,
            port=urlsplit(self._endpoint.url).port,
            temperature=settings.temperature,
            max_tokens=settings.max_output_tokens,
        )
        self._proven = False  # a remembered mode may be stale: the endpoint may have changed since
        self._answered = False
        self._usage = Usage()
        self._quiet_until = 0.0
        self._ending = asyncio.Event()
        self._unanswered: set[str] = set()
        self._failures = 0  # requests since the last answer
        self._walking = asyncio.Lock()
        self._ended: tuple[float, EndpointError] | None = None
        self._lost: dict[str, None] = {}
        self._near: dict[str, int] = {}

    def open(self) -> None:
        """Import the SDK now, and not with the first question: it takes a second, in which the event loop stands still.

        Raises:
            SettingsError: The proxy of the environment cannot be used.
        """
        self._wire.open()

    @property
    def mode(self) -> str | None:
        """The mode in force, to be remembered with the run; None as long as none has given the shape."""
        return self._mode

    @property
    def usage(self) -> Usage:
        """Of all requests so far, those of calls that ended in an error among them."""
        return self._usage

    @property
    def endpoint_url(self) -> str:
        """The base URL that is asked, without the password that may stand in it."""
        return self._endpoint.shown

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def wind_down(self) -> None:
        """From now on nothing is sent: what is on the wire is finished, and a call that would send or wait ends with `LimitReached`."""
        self._ending.set()

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        self._require_open()

    def _require_open(self) -> None:
        if self._ending.is_set():
            raise LimitReached("The run ended before this request was sent; the same command goes on.")

    async def aclose(self) -> None:
        """Closes the connections; the client cannot be used after this."""
        await self._wire.aclose()

    def __repr__(self) -> str:
        return f"Client({self._settings.model!r} at {self._endpoint.shown!r}, mode={self._mode!r})"

    def body(self, call: Call, mode: str | None = None) -> dict[str, Any]:
        """The JSON body that is sent for `call`; do not edit it, parts are shared.

        Args:
            call: The question.
            mode: How the schema travels; None is the mode in force, or the first of the walk.

        Raises:
            UsageError: The call names a fact type that this client was not given.
        """
        return self._bodies.body(call, self._or_next(mode))

    def frame(self, call: Call, mode: str | None = None) -> Frame:
        """What `body(call)` has in common with the bodies of other articles; made once for all of them."""
        return self._bodies.frame(call, self._or_next(mode))

    def key(self, call: Call, mode: str | None = None) -> str:
        """Fingerprint of `body(call, mode)`, as its frame and the text in it, and of the endpoint: same key, same question."""
        return self._bodies.key(call, self._or_next(mode))

    def _or_next(self, mode: str | None) -> str:
        return mode or self._mode or self._bodies.modes[0]

    def cost_usd(self, usage: Usage) -> float | None:
        """US dollars for this usage; None when the model's price is not known."""
        return self._price.cost_usd(usage) if self._price else None

    def batch_files(self) -> BatchFiles:
        """The endpoint's files and batches, over the connections of this client.

        Raises:
            SettingsError: The endpoint is Anthropic's, whose batches are of another kind.
        """
        if self._endpoint.api != "openai":
            raise SettingsError(f"--batch asks over OpenAI's API, not for {self._settings.model!r}; leave it out.")
        return BatchFiles(self._wire.sdk, self._endpoint, self._insist, self._wire.completion)

    async def ask(
        self,
        call: Call,
        on_attempt: Callable[[Call, Attempt], None] | None = None,
        *,
        timeout_s: float | None = None,
        place: Place = nullcontext,
    ) -> Reply:
        """The model's reply to `call`, after as many attempts as the settings allow; what befell this call alone is its outcome.

        Args:
            call: The question.
            on_attempt: Told of every HTTP request as soon as it is over, before anything follows from it; what it raises is passed on.
            timeout_s: Seconds for one attempt; None takes the settings'.
            place: Entered for as long as a request is on the wire, is to be sent again, or waits for a pause to end or for the gate;
                what it raises on entry ends the call.

        Raises:
            EndpointError: Every call would fare the same: 401, 402, 403, 404, quota, nothing listens, no mode is accepted, or several
                articles in a row got no answer at all.
            LimitReached: The gate lets it out no more, or `wind_down` was called before it was sent.
            CassetteMiss: Replaying, and the request is not recorded. Other errors of ours from below the HTTP layer pass likewise.
            UsageError: The client is closed, or the call names a fact type that it was not given.
        """
        if self._wire.is_closed:
            raise UsageError("This client is closed; make a new one.")
        self.open()
        async with _Talk(call, on_attempt, place, self._settings.retry_budget_s, timeout_s or self._settings.timeout_s) as talk:
            return await self._ask(talk)

    async def _ask(self, talk: _Talk) -> Reply:
        entered, tried = time.monotonic(), self._mode or self._guess
        refused = None
        if tried is not None:
            guessed = self._mode is None
            reply, last = await self._exchange(talk, tried, patience=_PATIENCE if guessed else None)
            if gives_shape(reply, len(talk.call.fact_types)):
                if self._mode in (None, tried):
                    self._settle(tried)
                return reply
            # another call may have found a better mode while this one was out: only the mode in force is beyond doubt
            if (self._proven and tried == self._mode) or not blames_mode(last) or not (guessed or last.outcome == "bad_request"):
                return reply
            refused = _Refused(tried, reply)
        await talk.leave_place()  # whoever walks may need it
        async with self._walking:
            if self._ended and self._ended[0] > entered:  # it ended while this call waited: no need to hear it once more
                raise EndpointError(*self._ended[1].args, status=self._ended[1].status)
            if self._mode in (None, tried) and not self._proven:
                return await self._walk(talk, refused)
            settled = self._mode
        return (await self._exchange(talk, settled or self._bodies.modes[0]))[0]

    def _settle(self, mode: str) -> None:
        if not self._proven:  # by a call that was out at the same time
            _LOG.info("%s takes the schema as %s", self._endpoint.shown, mode)
            self._mode, self._proven = mode, True

    async def _walk(self, talk: _Talk, refused: _Refused | None) -> Reply:
        """Tries the modes with a real call, best first, until one gives the shape; all but the one that was `refused` a moment ago."""
        replies: list[Reply] = []
        self._mode = None
        for mode in self._bodies.modes:
            if refused and mode == refused.mode:
                reply = refused.reply
            else:
                reply, last = await self._exchange(talk, mode, patience=1 if replies else _PATIENCE)
                if gives_shape(reply, len(talk.call.fact_types)):
                    self._settle(mode)
                    return reply
                if not blames_mode(last):
                    return reply
            replies.append(reply)
            self._near[mode] = max(self._near.get(mode, 0), closeness(reply))
        best = max(reversed(replies), key=closeness)  # of equals the last, whose request was the plainest
        if best.outcome != "server_error":
            self._lose(talk, best)
        return best

    def _lose(self, talk: _Talk, best: Reply) -> None:
        """Counts a call for which no mode worked; after a few the walk ends, so that a hopeless endpoint costs a bounded number."""
        self._lost[self.key(talk.call, self._bodies.modes[0])] = None
        if len(self._lost) < _LOST_WALKS:
            return
        near = max(self._bodies.modes, key=lambda mode: self._near.get(mode, 0))
        if self._near.get(near):
            self._mode, self._proven = near, True
        elif best.outcome == "bad_request":
            raise self._end(
                f"No mode works at {self._endpoint.shown!r}: every way of asking is refused, the last with: {best.error} Check --model."
            )

    async def _exchange(self, talk: _Talk, mode: str, patience: int | None = None) -> tuple[Reply, Attempt]:
        """One call in one mode under the retry policy; `patience` bounds the requests for failures that may be the mode's fault."""
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
        tried: _Try = await policy(self._once, talk, mode, self.key(talk.call, mode))
        last = tried.attempt
        if tried.ends_run:
            raise self._end(tried.ends_run, last.status)
        if last.outcome in RETRIED and self._server and (why := self._server.ended()):
            raise self._end(why)
        if last.outcome == "no_connection":  # with every attempt used up: it is no article's fault, and the next would fare the same
            raise self._end(no_connection(self._endpoint, last.error or "", answered=self._answered))
        silent = min(_SILENT_TRIES, _SILENT_FOR * self._settings.attempts)
        if last.outcome in RETRIED and len(self._unanswered) >= _SILENT_FOR and self._failures >= silent:
            raise self._end(no_answers(self._endpoint, len(self._unanswered), last.error or ""), last.status)
        return tried.reply.model_copy(update={"usage": talk.usage, "cost_usd": self.cost_usd(talk.usage)}), last

    async def _once(self, talk: _Talk, mode: str, key: str) -> _Try:
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
        self._usage += attempt.usage
        talk.log(attempt)
        return _Try(attempt, reply, heard.again, heard.ends_run)

    async def _turn(self, talk: _Talk, mode: str) -> tuple[Any, str]:
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
            ticket = await self._gate.admit(self.body(talk.call, mode))
            if self._quiet_until <= time.monotonic():
                return ticket, ""
            self._gate.settle(ticket, Usage())  # a pause began while it waited for its turn

    def _unheard(self, talk: _Talk) -> None:
        self._unanswered.add(talk.call.article_id)
        self._failures += 1

    async def _insist(self, send: Callable[[], Awaitable[Any]], what: str, *, tries: int | None = None) -> Any:
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

    def _end(self, message: str, status: int | None = None) -> EndpointError:
        error = EndpointError(message, status=status)
        self._ended = (time.monotonic(), error)
        return error


def _wait_s(state: Any) -> float:
    """Seconds before the next attempt: what the endpoint asked for, else twice as long each time."""
    return _pause_s(state.outcome.result().attempt.retry_after_s, state.attempt_number)


def _pause_s(asked: float | None, tries: int) -> float:
    if asked is not None:
        return asked
    longest: float = min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2 ** (tries - 1))
    return longest * random.uniform(0.75, 1.0)  # noqa: S311 - it spreads load and guards nothing
