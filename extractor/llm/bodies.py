"""Request bodies: what instructor writes around a JSON Schema, once for each mode and set of fact types, then filled for each call.

In: settings, fact types, calls. Out: JSON bodies and their fingerprints. Floor: llm.
The only file that imports instructor, which with the SDK costs a second, and it does so for the first body.
Before changing it: `modes.Frame` is stored in ledgers, and its fingerprint is part of every call's key.
"""

from collections.abc import Mapping
from types import new_class
from typing import Any

from extractor.errors import UsageError
from extractor.facts.fact import Fact
from extractor.llm import anthropic
from extractor.llm.endpoint import Endpoint
from extractor.llm.modes import KNOWN, MODES, TOLD, Frame, Mould, Plan, Writer, mould, prepared, request_key, sendable, slots, tidy
from extractor.llm.prompt import envelope
from extractor.records import Call, CallKind
from extractor.settings import Settings


class Bodies:
    """The bodies of requests to one model at one endpoint.

    Args:
        settings: Sampling and limits.
        types: Registered name to class of every fact type that calls will name.
        endpoint: Where they go.
    """

    def __init__(self, settings: Settings, types: Mapping[str, type[Fact]], endpoint: Endpoint) -> None:
        self._settings = settings
        self._types = dict(types)
        self._endpoint = endpoint
        is_anthropic = endpoint.api == "anthropic"
        self.modes: tuple[str, ...] = anthropic.MODES if is_anthropic else tuple(MODES)
        """The ways in which the schema can travel, in the order in which they are tried."""
        self.known: tuple[str, ...] = anthropic.MODES if is_anthropic else tuple(KNOWN)
        """Those and what is never tried, only told."""
        self._carriers: dict[tuple[CallKind, tuple[str, ...]], Any] = {}
        self._plans: dict[tuple[CallKind, tuple[str, ...], str], Writer] = {}
        self._moulds: dict[tuple[CallKind, tuple[str, ...], str, str], Mould] = {}

    def body(self, call: Call, mode: str) -> dict[str, Any]:
        """The JSON body for `call`; its parts are shared.

        Raises:
            UsageError: The call names a fact type that is not among `types`.
        """
        return self._plan(call, mode).body(self._endpoint.model, call.prompt)

    def mould(self, call: Call, mode: str) -> Mould:
        """What `body(call, mode)` has in common with the bodies of other articles; made once for all of them."""
        at = (call.kind, call.fact_types, mode, call.prompt.system)
        if at not in self._moulds:
            self._moulds[at] = mould(self._plan(call, mode), call.prompt, self._endpoint.model)
        return self._moulds[at]

    def frame(self, call: Call, mode: str) -> Frame:
        """The part of it that is kept."""
        return self.mould(call, mode).frame

    def key(self, call: Call, mode: str) -> str:
        """Fingerprint of `body(call, mode)`, as its frame and the text in it, and of the endpoint: same key, same question."""
        # of the parts, and not of the body: hashing the same rules, examples and schema for each article took longer than judging a fact
        return request_key(self.frame(call, mode).mark, sendable(call.prompt.user), self._endpoint.shown)

    def _plan(self, call: Call, mode: str) -> Writer:
        at = (call.kind, call.fact_types, mode)
        if at not in self._plans:
            self._plans[at] = self._prepare(call, mode)
        return self._plans[at]

    def _prepare(self, call: Call, mode: str) -> Writer:
        """Has instructor write the body of one mode, with slots for the texts."""
        from instructor import Provider
        from instructor.v2 import Mode, mode_registry

        handler, strict = KNOWN[mode]
        carrier = self._carrier(call)
        is_anthropic = self._endpoint.api == "anthropic"
        provider = Provider.ANTHROPIC if is_anthropic else Provider.OPENAI
        write = mode_registry.get_handlers(provider, Mode[handler]).request_handler
        written = write(response_model=carrier, kwargs={"messages": slots()})[1]
        sampling = {} if self._settings.temperature is None else {"temperature": self._settings.temperature}
        if is_anthropic:
            tool = {name: written[name] for name in ("tools", "tool_choice")}
            return anthropic.MessagePlan({"max_tokens": self._settings.max_output_tokens or anthropic.MAX_TOKENS, **sampling, **tool})
        if mode == TOLD:
            held = {"name": carrier.__name__, "schema": carrier.model_json_schema()}
            written["response_format"] = {"type": "json_schema", "json_schema": held}
        if strict:  # no handler of instructor 1.17 sends it by itself
            holder = written["tools"][0]["function"] if "tools" in written else written["response_format"]["json_schema"]
            holder["strict"] = True
        messages = prepared(written.pop("messages"), carrier.model_json_schema())
        written.update(sampling)
        if self._settings.max_output_tokens is not None:
            # OpenAI's newer models refuse the old name, and most other servers know no other
            written["max_completion_tokens" if self._endpoint.is_openai else "max_tokens"] = self._settings.max_output_tokens
        return Plan(messages, written)

    def _carrier(self, call: Call) -> Any:
        """The class that instructor's handlers read the schema from: made once for each set of fact types."""
        import instructor
        import openai

        at = (call.kind, call.fact_types)
        if at not in self._carriers:
            if unknown := [name for name in call.fact_types if name not in self._types]:
                raise UsageError(f"Fact type {unknown[0]!r} is not among this client's: {', '.join(map(repr, self._types))}.")
            shape = envelope(call.kind, {name: self._types[name] for name in call.fact_types})
            function = openai.pydantic_function_tool(shape)["function"]  # the public face of the SDK's strict JSON Schema
            schema = tidy(function["parameters"])
            self._carriers[at] = new_class(
                shape.__name__,
                (instructor.OpenAISchema,),
                exec_body=lambda body: body.update(
                    __doc__=shape.__doc__,
                    __module__=__name__,
                    model_json_schema=classmethod(lambda *_, **__: schema),
                ),
            )
        return self._carriers[at]
