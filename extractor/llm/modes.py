"""The ways in which the answer's schema can travel, best first, and what tells that one of them works.

In: a JSON Schema, the messages that instructor writes around it, replies. Out: mode names, prepared bodies, judgements. Floor: llm.
Before changing it: a mode's name is remembered with runs and in cassettes, so a renamed mode is asked anew everywhere.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from extractor.fingerprint import canonical_json, fingerprint
from extractor.records import Prompt, Reply


class Mode(NamedTuple):
    """One way."""

    handler: str
    """Name of instructor's handler that writes the body."""
    strict: bool
    """Whether the endpoint is to hold the model to the schema, token by token."""


MODES: Mapping[str, Mode] = {
    "json_schema/strict": Mode("JSON_SCHEMA", strict=True),
    "tools/strict": Mode("TOOLS", strict=True),
    "json_schema": Mode("JSON_SCHEMA", strict=False),
    "tools": Mode("TOOLS", strict=False),
    "json": Mode("JSON", strict=False),
    "md_json": Mode("MD_JSON", strict=False),
}
"""In the order in which they are tried."""

TOLD = "json_schema/told"
"""Held to the schema, and told it in words as well: for engines whose grammar follows the schema and whose model never sees it, so that
what a field means would not reach it. It is no part of the walk: whoever knows the engine chooses it."""

KNOWN: Mapping[str, Mode] = {**MODES, TOLD: Mode("JSON", strict=True)}
"""Every mode that a run may be told."""

FIRST = next(iter(MODES))
"""The mode that is tried first."""

_SYSTEM, _USER = "\0system\0", "\0user\0"  # stand for a prompt's texts while a body is written: no JSON schema holds a NUL
_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties"})  # their keys are names, not keywords
_DATA = frozenset({"enum", "const", "required", "examples"})  # their values are the model's words, not schemas
_DROPPED = frozenset({"title", "default"})


def tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `schema` without `default`, which strict decoding refuses, and `title`, which says again in tokens what the key says.

    The outermost title stays: it names the answer. Fields that are called `title` or `default` stay.
    """
    kept = {"title": schema["title"]} if "title" in schema else {}
    return {**_tidy(schema), **kept}


def _tidy(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: value if key in _DATA else {name: _tidy(part) for name, part in value.items()} if key in _NAMED else _tidy(value)
        for key, value in schema.items()
        if key not in _DROPPED
    }


class Frame(NamedTuple):
    """What a request has in common with every other of its kind: everything but the text of the article or of its bad facts."""

    mark: str
    """Fingerprint of `text`."""
    text: str
    """The JSON body, with `\\0user\\0` in the place of that text."""

    @property
    def chars(self) -> int:
        """Code points of the messages, the text left out."""
        return sum(len(message["content"]) for message in json.loads(self.text)["messages"]) - len(_USER)


class Mould(NamedTuple):
    """A frame, ready to be filled and sent."""

    frame: Frame
    """As it is kept, whatever the order of keys in it."""
    head: bytes
    """The JSON body as it is sent, up to the text."""
    tail: bytes
    """The rest of it."""
    chars: int
    """Code points of the messages, the text left out."""

    def filled(self, text: str) -> bytes:
        """The body with `text` in its place: what the SDK would make of `Writer.body`, byte for byte."""
        return b"".join((self.head, _json(text)[1:-1], self.tail))


class Writer(Protocol):
    """Writes the bodies of one mode for one set of fact types."""

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The JSON body with a call's texts; its parts are shared."""


class Plan(NamedTuple):
    """The body of one mode for one set of fact types, without the texts of a call: written once, filled for each call."""

    messages: tuple[tuple[str, str, str, str], ...]
    """Role, text before the slot, slot ("" for none), text after it."""
    static: dict[str, Any]
    """The rest of the body: schema and sampling."""

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The JSON body with a call's texts; its parts are shared."""
        return {"model": model, "messages": self.fill(prompt), **self.static}

    def fill(self, prompt: Prompt) -> list[dict[str, str]]:
        """The messages with a call's texts."""
        texts = {_SYSTEM: sendable(prompt.system), _USER: sendable(prompt.user), "": ""}
        return [{"role": role, "content": f"{before}{texts[slot]}{after}"} for role, before, slot, after in self.messages]


def mould(writer: Writer, prompt: Prompt, model: str) -> Mould:
    """The whole body with the slot still in the place of the prompt's own text."""
    body = writer.body(model, prompt.model_copy(update={"user": _USER}))
    text = canonical_json(body)
    # in the order of its keys: a model held to a schema writes the fields in that order
    head, tail = _json(body).split(_json(_USER)[1:-1])
    chars = sum(len(message["content"]) for message in body["messages"]) - len(_USER)
    return Mould(Frame(fingerprint(text), text), head, tail, chars)


def slots() -> list[dict[str, str]]:
    """Messages with slots for a prompt's texts, for instructor to write around."""
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]


def prepared(messages: Iterable[Mapping[str, str]], schema: Mapping[str, Any]) -> tuple[tuple[str, str, str, str], ...]:
    """The messages that instructor wrote around `slots()`, taken apart for `Plan`; `schema` is in them in some modes."""
    parts = []
    for message in messages:
        slot = next((slot for slot in (_SYSTEM, _USER) if slot in message["content"]), "")
        before, _, after = message["content"].partition(slot) if slot else (message["content"], "", "")
        parts.append((message["role"], _compact(before, schema), slot, _compact(after, schema)))
    return tuple(parts)


def _compact(text: str, schema: Mapping[str, Any]) -> str:
    """Instructor's words around a schema, without the indentation that a model would read as tokens: four characters of ten."""
    before, indented, after = text.partition(json.dumps(schema, indent=2, ensure_ascii=False))
    if not indented:
        return text
    dense = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return dense.join("\n".join(line.strip() for line in part.split("\n")) for part in (before, after))


def request_key(frame: str, text: str, endpoint: str) -> str:
    """Fingerprint of a request: of its frame's mark, of the text in the slot, and of the base URL it goes to."""
    return fingerprint([frame, text, endpoint])


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def sendable(text: str) -> str:
    """`text` as UTF-8 can carry it: a lone surrogate, which no file gives but a caller may, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def gives_shape(reply: Reply, asked: int) -> bool:
    """Whether a reply shows that its mode works: an object with every one of `asked` arrays, or the beginning of one that broke off."""
    if reply.outcome == "ok":
        return not reply.missing
    return reply.outcome in ("partial", "length") and len(reply.missing) < asked


def closeness(reply: Reply) -> int:
    """How near a reply came to the shape, for the choice among modes that all missed it; 0 when the endpoint gave no answer."""
    if reply.outcome in ("ok", "partial"):
        return 2
    return int(reply.outcome in ("unparsable", "no_content"))
