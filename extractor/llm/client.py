"""The one door to a model: a `Call` goes out over HTTP, a `Reply` comes back.

In: settings, fact types, calls. Out: replies, and every HTTP request as an `Attempt`. Floor: llm.
In which mode the schema travels is decided here; `bodies.py` writes what is sent, `transport.py` gets it through, `wire.py` sends it.
Before changing it: a mode is settled by an answer that has the shape, and what was answered well is never asked again in another mode.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any, NamedTuple, Self

from extractor.errors import EndpointError, SettingsError, UsageError
from extractor.facts.fact import Fact
from extractor.llm.batch_files import BatchFiles
from extractor.llm.bodies import Bodies
from extractor.llm.endpoint import endpoint
from extractor.llm.modes import TOLD, Frame, closeness, gives_shape
from extractor.llm.prices import price_of
from extractor.llm.responses import RETRIED, blames_mode
from extractor.llm.transport import Gate, Place, Server, Talk, Transport
from extractor.llm.wire import Wire
from extractor.records import Attempt, Call, Reply, Usage
from extractor.settings import Settings

_LOG = logging.getLogger(__name__)
_PATIENCE = 2  # requests for a failure that may be the first mode's fault
_LOST_WALKS = 2  # calls for which no mode may work before the walk ends: one is perhaps an odd article


class _Refused(NamedTuple):
    """A mode that did not give the shape, and what it gave."""

    mode: str
    reply: Reply


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
        if server:
            self._endpoint = self._endpoint._replace(url=server.url, secrets=(server.key, server.url))
        self._bodies = Bodies(settings, types, self._endpoint)
        if mode is not None and mode not in self._bodies.known:
            raise SettingsError(f"Mode {mode!r} is unknown; expected one of {', '.join(self._bodies.known)}.")
        self._wire = Wire(settings, self._endpoint, key=server.key if server else None)
        self._transport = Transport(settings, self._endpoint, self._bodies, self._wire, gate=gate, server=server)
        self._price = price_of(settings)
        self._mode = mode or (TOLD if self._endpoint.is_local_file else None)
        self._proven = False  # a remembered mode may be stale: the endpoint may have changed since
        # the other calls need not wait for the first one's answer where a wrong guess costs nothing: on this machine, at OpenAI, which
        # refuses what it does not know unbilled, and where there is one way only
        cheap = self._endpoint.is_loopback or self._endpoint.is_openai or len(self._bodies.modes) == 1
        self._guess = self._bodies.modes[0] if cheap else None
        self._walking = asyncio.Lock()
        self._lost: set[str] = set()  # keys of calls for which no mode worked
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
        return self._transport.usage

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
        self._transport.wind_down()

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
        return BatchFiles(self._wire.sdk, self._endpoint, self._transport.insist, self._wire.completion)

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
        async with Talk(call, on_attempt, place, self._settings.retry_budget_s, timeout_s or self._settings.timeout_s) as talk:
            reply = await self._ask(talk)
        return reply.model_copy(update={"usage": talk.usage, "cost_usd": self.cost_usd(talk.usage)})

    async def _ask(self, talk: Talk) -> Reply:
        entered, tried = time.monotonic(), self._mode or self._guess
        refused = None
        if tried is not None:
            guessed = self._mode is None
            reply, last = await self._transport.exchange(talk, tried, patience=_PATIENCE if guessed else None)
            if gives_shape(reply, len(talk.call.fact_types)):
                if self._mode in (None, tried):
                    self._settle(tried)
                return reply
            # another call may have found a better mode while this one was out: only the mode in force is beyond doubt
            in_force = self._proven and tried == self._mode
            cut_short = guessed and last.outcome in RETRIED  # by patience with a guess: if it was right, the call has attempts left
            if (in_force and not cut_short) or not blames_mode(last) or not (guessed or last.outcome == "bad_request"):
                return reply
            refused = _Refused(tried, reply)
        await talk.leave_place()  # whoever walks may need it
        async with self._walking:
            talk.begin_anew()
            ended = self._transport.ended
            if ended and ended[0] > entered:  # it ended while this call waited: no need to hear it once more
                raise EndpointError(*ended[1].args, status=ended[1].status)
            if self._mode in (None, tried) and not self._proven:
                return await self._walk(talk, refused)
            settled = self._mode
        return (await self._transport.exchange(talk, settled or self._bodies.modes[0]))[0]

    def _settle(self, mode: str) -> None:
        if not self._proven:  # by a call that was out at the same time
            _LOG.info("%s takes the schema as %s", self._endpoint.shown, mode)
            self._mode, self._proven = mode, True

    async def _walk(self, talk: Talk, refused: _Refused | None) -> Reply:
        """Tries the modes with a real call, best first, until one gives the shape; all but the one that was `refused` a moment ago."""
        replies: list[Reply] = []
        self._mode = None
        for mode in self._bodies.modes:
            if refused and mode == refused.mode:
                reply = refused.reply
            else:
                reply, last = await self._transport.exchange(talk, mode, patience=1 if replies else _PATIENCE)
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

    def _lose(self, talk: Talk, best: Reply) -> None:
        """Counts a call for which no mode worked; after a few the walk ends, so that a hopeless endpoint costs a bounded number."""
        self._lost.add(self.key(talk.call, self._bodies.modes[0]))
        if len(self._lost) < _LOST_WALKS:
            return
        near = max(self._bodies.modes, key=lambda mode: self._near.get(mode, 0))
        if self._near.get(near):
            self._mode, self._proven = near, True
        elif best.outcome == "bad_request":
            raise self._transport.end(
                f"No mode works at {self._endpoint.shown!r}: every way of asking is refused, the last with: {best.error} Check --model."
            )
