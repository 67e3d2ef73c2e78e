"""Anthropic's Messages API: its request bodies and answers in the words of the client; the only file that imports anthropic.

In: what instructor wrote, the SDK's messages. Out: bodies, `Heard`. Floor: llm.
Before changing it: the schema travels as a tool that the model must call, which is the one way that was tried; nothing holds the model
to the schema token by token, so more items come back that do not fit it, and are repaired or quarantined like any other.
"""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

from extractor.errors import SettingsError
from extractor.llm.endpoint import Endpoint
from extractor.llm.modes import sendable
from extractor.llm.responses import Heard, tokens_in
from extractor.records import AttemptOutcome, Prompt, Usage

MODES = ("tools",)
"""Names out of `modes.MODES` that this API knows."""

MAX_TOKENS = 8_192
"""Sent where no setting says another: the API wants one. About 25 facts; a longer answer is cut, and the article asked in halves."""

_FINISHED: Mapping[str | None, AttemptOutcome] = {"max_tokens": "length", "model_context_window_exceeded": "length"}


def require() -> None:
    """Nothing, where the SDK is installed.

    Raises:
        SettingsError: It is not.
    """
    if find_spec("anthropic") is None:
        raise SettingsError(
            "A model 'anthropic/…' needs the 'anthropic' extra: pip install \"grounded-fact-extractor[anthropic]\"; or name the "
            "OpenAI-compatible server that offers it with base_url / --base-url."
        )


def vendor() -> ModuleType:
    """The SDK."""
    import anthropic

    return anthropic


class MessagePlan(NamedTuple):
    """The body for one set of fact types, without the texts of a call: as `modes.Plan`, for this API."""

    static: dict[str, Any]
    """The tool, and sampling."""

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The JSON body with a call's texts; what is the same for every article ends in a mark, up to which the provider caches."""
        system = [{"type": "text", "text": sendable(prompt.system), "cache_control": {"type": "ephemeral"}}]
        messages = [{"role": "user", "content": sendable(prompt.user)}]
        return {"model": model, "system": system, "messages": messages, **self.static}


def of_message(endpoint: Endpoint, message: Any) -> Heard:
    """What a response with status 200 says; it never raises, whatever an endpoint puts into it.

    Args:
        endpoint: Where the request went.
        message: The SDK's object, which is unchecked: any field may be missing or of any type; a plain text where it is no JSON.
    """
    try:
        return _of_message(endpoint, message)
    except (AttributeError, TypeError, LookupError, ValueError) as odd:
        return Heard("not_json", f"The answer is no message: {endpoint.scrub(repr(odd))}", status=200, again=True)


def _of_message(endpoint: Endpoint, message: Any) -> Heard:
    if not hasattr(message, "content"):
        found = endpoint.scrub(str(message)) or "an empty body"
        return Heard("not_json", f"The answer is no JSON object; check base_url / --base-url. It begins: {found}", status=200, again=True)
    finish = endpoint.scrub(message.stop_reason) if isinstance(message.stop_reason, str) else None
    said = Heard("ok", status=200, usage=_usage(message.usage), text=_said(message.content or []), finish_reason=finish)
    if finish == "refusal":
        return said._replace(outcome="refusal", error="The model declined to answer.")
    if finish in _FINISHED:
        return said._replace(outcome=_FINISHED[finish])
    if not message.content:
        return said._replace(outcome="empty", error="The answer has no content.", again=True)
    if not said.text.strip():
        return said._replace(outcome="no_content", error=f"The answer has no text (stop reason {finish!r}).")
    return said


def _said(blocks: list[Any]) -> str:
    """The tool's arguments, several tools' as a JSON array; the text where no tool was called."""
    calls = [json.dumps(block.input, ensure_ascii=False) for block in blocks if block.type == "tool_use"]
    if calls:
        return calls[0] if len(calls) == 1 else f"[{', '.join(calls)}]"
    return "".join(block.text for block in blocks if block.type == "text" and isinstance(block.text, str))


def _usage(usage: Any) -> Usage:
    fresh, written = tokens_in(usage, "input_tokens"), tokens_in(usage, "output_tokens")
    if fresh is None or written is None:
        return Usage(attempts=1, unreported=1)
    # here `input_tokens` leaves out what the cache had and what was put into it
    cached, stored = (tokens_in(usage, name) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens"))
    return Usage(input_tokens=fresh + cached + stored, cached_tokens=cached, written_tokens=stored, output_tokens=written, attempts=1)
