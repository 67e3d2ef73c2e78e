"""One cassette as text that people review: interactions to readable YAML and back, exact to the byte.

In: an article's id and its HTTP interactions. Out: YAML in vcr's own schema, and the same interactions again. Floor: llm.
Before changing it: a body that is JSON is written as structure only where writing it again gives the very same bytes; everything else
stays raw text. Files may come from strangers: only plain data is read, without tags, aliases or deep nesting.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

import yaml
from pydantic import Field, ValidationError

from extractor.fingerprint import fingerprint
from extractor.records import Record

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What JSON has, and all that a cassette holds."""


class Interaction(NamedTuple):
    """One request and its answer, without secrets."""

    method: str
    """HTTP method, upper case."""
    uri: str
    """Where it went: a placeholder host and the path below the API's prefix."""
    content_type: str | None
    """Of the request's body; None when it had none."""
    sent: bytes
    """The request's body."""
    status: int
    """HTTP status of the answer."""
    reason: str
    """The words beside the status."""
    headers: tuple[tuple[str, str], ...]
    """The few headers of the answer that are kept, lower case."""
    answer: bytes
    """The answer's body, decompressed."""


class Recorded(NamedTuple):
    """What a cassette file holds."""

    article_id: str
    """The article that asked."""
    interactions: tuple[Interaction, ...]
    """In the order they were issued."""


class DamagedError(ValueError):
    """The text is not a cassette: the message says where and why, in one line."""


# --- names -----------------------------------------------------------------------------------------------------------------------

# Lower case only, since some file systems fold case. It begins and ends with a letter or digit: no hidden file, no "..", no last dot
# that Windows drops.
_SAFE_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?")
_HASH_CHARS = 12  # 48 bits, and only ids with the same slug can meet; a file also states its true id
_HASHED = re.compile(rf"-[0-9a-f]{{{_HASH_CHARS}}}$")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")  # device names of Windows, whatever their extension
_SLUG_CHARS = 60


def file_name(article_id: str) -> str:
    """The cassette's file name: the id where it is safe as it stands, else its readable part and a hash of the whole id.

    Never a path, never hidden, at most 80 characters before `.yaml`; ids that differ get names that differ, where case is ignored too.
    """
    if _SAFE_ID.fullmatch(article_id) and not _RESERVED.match(article_id) and not _HASHED.search(article_id):
        return f"{article_id}.yaml"
    slug = re.sub(r"[^a-z0-9]+", "-", article_id.lower())[:_SLUG_CHARS].strip("-") or "article"
    return f"{slug}-{fingerprint(article_id).partition(':')[2][:_HASH_CHARS]}.yaml"


# --- bodies ----------------------------------------------------------------------------------------------------------------------

_LAYOUTS: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "spaced": {"ensure_ascii": False},
    "indent2": {"indent": 2, "ensure_ascii": False},
    "compact+ascii": {"separators": (",", ":")},
    "spaced+ascii": {},
    "indent2+ascii": {"indent": 2},
}
"""How JSON is written in the wild: by clients, by Python servers, by vendors; each also with a newline at the end."""

_NEWLINE = "+newline"
_TAGS = frozenset({"$json", "$lines", "$base64"})
_PACK_DEPTH = 40  # answers nest about 15 deep; deeper ones stay raw, indentation would make them quadratic
_KEY_CHARS = 100  # YAML reads keys of at most 1,024 characters, and one character may be written as ten


class _NotStructureError(Exception):
    """This JSON cannot be written as structure; it stays raw text."""


def _pack_bytes(data: bytes) -> Json:
    try:
        return _pack(data.decode("utf-8"), _PACK_DEPTH)
    except UnicodeDecodeError:
        return {"$base64": base64.b64encode(data).decode("ascii")}


def _pack(text: str, depth: int) -> Json:
    """`text` as what reads best: structure, a block of text, lines, or itself."""
    if text[:1] in ("{", "["):
        try:
            return _pack_json(text, depth - 1)
        except (_NotStructureError, ValueError, RecursionError):
            pass
    if _SURROGATE.search(text):  # YAML has no way to write one
        return {"$base64": base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")}
    if "\n" in text and not _is_block(text):
        return {"$lines": list(text.split("\n"))}
    return text


def _pack_json(text: str, depth: int) -> Json:
    value = json.loads(text)
    bare, newline = (text[:-1], _NEWLINE) if text.endswith("\n") else (text, "")
    for layout, options in _LAYOUTS.items():
        if json.dumps(value, **options) == bare:
            return {"$json": layout + newline, "value": _pack_value(value, depth)}
    raise _NotStructureError


def _pack_value(value: Json, depth: int) -> Json:
    if depth <= 0:
        raise _NotStructureError
    if isinstance(value, str):
        return _pack(value, depth)
    if isinstance(value, list):
        return [_pack_value(item, depth - 1) for item in value]
    if isinstance(value, dict):
        if any(key in _TAGS or len(key) > _KEY_CHARS or _SURROGATE.search(key) for key in value):
            raise _NotStructureError
        return {key: _pack_value(item, depth - 1) for key, item in value.items()}
    if isinstance(value, float) and value - value != 0:  # NaN and the infinities, which json reads although JSON has none
        raise _NotStructureError
    return value


def _unpack_bytes(value: Json) -> bytes:
    if isinstance(value, dict) and value.keys() == {"$base64"}:
        return _unbase64(value["$base64"])
    text = _unpack(value)
    if not isinstance(text, str):
        raise DamagedError(f"a body should be text or one of {', '.join(sorted(_TAGS))}, not {type(text).__name__}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as lone:
        raise DamagedError(f"a body holds the lone surrogate {text[lone.start]!r}") from None


def _unpack(value: Json) -> Json:
    if isinstance(value, list):
        return [_unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not value.keys() & _TAGS:
        return {key: _unpack(item) for key, item in value.items()}
    match value:
        case {"$json": str(layout), "value": inner, **rest} if not rest and layout.removesuffix(_NEWLINE) in _LAYOUTS:
            text = json.dumps(_unpack(inner), **_LAYOUTS[layout.removesuffix(_NEWLINE)])
            return text + "\n" if layout.endswith(_NEWLINE) else text
        case {"$lines": list(lines), **rest} if not rest and all(isinstance(line, str) for line in lines):
            return "\n".join(str(line) for line in lines)
        case {"$base64": str(data), **rest} if not rest:
            try:
                return _unbase64(data).decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as invalid:
                raise DamagedError(f"$base64 inside a body should hold UTF-8 ({invalid})") from None
    raise DamagedError(f"cannot read the mapping with the keys {sorted(value)!r}")


def _unbase64(data: Json) -> bytes:
    try:
        return base64.b64decode(data if isinstance(data, str) else "?", validate=True)
    except (binascii.Error, ValueError) as invalid:
        raise DamagedError(f"$base64 should hold base64 text ({invalid})") from None


# --- writing YAML ----------------------------------------------------------------------------------------------------------------
# PyYAML's own dumpers write every emoji as \U0001F600 (libyaml holds all beyond U+FFFF to be unprintable) and fold long lines.

_SURROGATE = re.compile("[\ud800-\udfff]")
# What must not stand bare in a file for review: controls, other line ends, marks that reverse the text around them, byte order marks.
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_QUOTED = re.compile(f'{_UNSAFE.pattern}|[\n"\\\\]')
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_PLAIN = re.compile(r"(?:\$|[^\W\d_])[^:#\n]*(?<! )")
# Plain in our own reading, but not in everybody's: YAML 1.1 takes them for booleans and nulls.
_WORDS = frozenset({"y", "yes", "n", "no", "true", "false", "on", "off", "null"})


def _is_block(text: str) -> bool:
    """Whether a literal block keeps `text` exactly, in editors that strip trailing spaces too."""
    return not (_UNSAFE.search(text) or " \n" in text or text.endswith((" ", "\n\n")) or text.lstrip("\n")[:1] in (" ", ""))


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _UNSAFE.search(text) and text.lower() not in _WORDS:
        return text
    return '"' + _QUOTED.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text) + '"'


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float):
        number, exponent, power = repr(value).partition("e")
        return number + (".0" if exponent and "." not in number else "") + exponent + power  # YAML 1.1 takes 1e+22 for a word
    return json.dumps(value)


def _write(out: list[str], head: str, value: Json, column: int) -> None:
    """Append `head` (an indented key or dash) and its value, whose lines begin at `column`."""
    pad = " " * column
    if isinstance(value, dict) and value:
        out.append(head)
        for key, item in value.items():
            _write(out, f"{pad}{_string(key)}:", item, column + 2)
    elif isinstance(value, list) and value:
        out.append(head)
        for item in value:
            lines: list[str] = []
            _write(lines, f"{pad}-", item, column + 2)
            if isinstance(item, dict | list) and item:  # "- key: value" on one line
                lines[:2] = [f"{pad}- {lines[1].lstrip(' ')}"]
            out.extend(lines)
    elif isinstance(value, dict | list):
        out.append(f"{head} {'{}' if isinstance(value, dict) else '[]'}")
    elif isinstance(value, str) and "\n" in value and _is_block(value):
        out.append(f"{head} |" if value.endswith("\n") else f"{head} |-")
        out.extend(pad + line if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        out.append(f"{head} {_scalar(value)}")


# --- reading YAML ----------------------------------------------------------------------------------------------------------------
# Built from libyaml's events rather than by its loader: nothing is constructed but plain data, a date stays text, an alias cannot
# multiply, and 50,000 open brackets are an error and not a crash of the interpreter.

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_READ_DEPTH = 300
_INT = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, Json] = {"null": None, "true": True, "false": False, "": None}


def _plain(text: str) -> Json:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _read(text: str) -> Json:
    """The plain data of one YAML document."""
    root: list[Json] = []
    stack = [_Open(root)]
    for event in yaml.parse(text, Loader=_LOADER):
        _refuse_more_than_data(event)
        if isinstance(event, yaml.ScalarEvent):
            # implicit[0]: written without quotes and without a tag
            stack[-1].add(_plain(event.value) if event.implicit[0] else event.value, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) > _READ_DEPTH:
                raise DamagedError(f"{_where(event)}: nested deeper than {_READ_DEPTH}")
            stack.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}))
        elif isinstance(event, yaml.CollectionEndEvent):
            node = stack.pop().node
            stack[-1].add(node, event)
    if len(root) != 1:
        raise DamagedError(f"it holds {len(root)} documents instead of one")
    return root[0]


class _Open:
    """A list or mapping whose end is not read yet."""

    def __init__(self, node: list[Json] | dict[str, Json]) -> None:
        self.node = node
        self._key: str | None = None

    def add(self, value: Json, event: yaml.Event) -> None:
        """Take the next item, key or value."""
        if isinstance(self.node, list):
            self.node.append(value)
        elif self._key is not None:
            self.node[self._key], self._key = value, None
        elif isinstance(value, str) and value not in self.node:
            self._key = value
        else:
            raise DamagedError(f"{_where(event)}: a key should be text and stand once, not {str(value)[:40]!r}")


def _refuse_more_than_data(event: yaml.Event) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise DamagedError(f"{_where(event)}: aliases are not read")
    tag = getattr(event, "tag", None)  # scalars and collections have one, the class above them does not say so
    if tag is not None:
        raise DamagedError(f"{_where(event)}: the tag {tag!r} is not read; a cassette holds plain data only")


def _where(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"


# --- the file --------------------------------------------------------------------------------------------------------------------

FORMAT_VERSION = 1
"""vcr's own; its readers take these files, `$json` bodies apart."""


class _Request(Record):
    method: str
    uri: str
    headers: dict[str, list[str]]
    body: Any


class _Status(Record):
    code: int = Field(strict=True)
    message: str


class _Body(Record):
    string: Any


class _Response(Record):
    status: _Status
    headers: dict[str, list[str]]
    body: _Body


class _Interaction(Record):
    request: _Request
    response: _Response


class _Metadata(Record):
    article: Any


class _File(Record):
    version: Literal[1]
    metadata: _Metadata
    interactions: list[_Interaction]


def dump(article_id: str, interactions: Iterable[Interaction]) -> str:
    """The file's text, ending in a newline; the same interactions give the same text."""
    value: Json = {
        "version": FORMAT_VERSION,
        "metadata": {"article": _pack_id(article_id)},
        "interactions": [
            {
                "request": {
                    "method": row.method,
                    "uri": row.uri,
                    "headers": {} if row.content_type is None else {"content-type": [row.content_type]},
                    "body": _pack_bytes(row.sent),
                },
                "response": {
                    "status": {"code": row.status, "message": row.reason},
                    "headers": {name: [text] for name, text in row.headers},
                    "body": {"string": _pack_bytes(row.answer)},
                },
            }
            for row in interactions
        ],
    }
    out: list[str] = []
    _write(out, "", value, 0)
    return "\n".join(out[1:]) + "\n"


def _pack_id(article_id: str) -> Json:
    # depth 0: an id that looks like JSON stays text; one with undecodable bytes of a file name is kept all the same
    return _pack(article_id, 0)


def _unpack_id(value: Json) -> str:
    article_id = _unpack(value)
    if not isinstance(article_id, str):
        raise DamagedError("metadata.article should be the article's id, as text")
    return article_id


def load(text: str) -> Recorded:
    """What `dump` was given.

    Raises:
        DamagedError: `text` is not a cassette; whatever it holds, no code of it is run.
    """
    try:
        file = _File.model_validate(_read(text))
        return Recorded(_unpack_id(file.metadata.article), tuple(_interactions(file)))
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        raise DamagedError(f"{'.'.join(str(part) for part in first['loc']) or 'the file'}: {first['msg']}") from None
    except yaml.YAMLError as invalid:
        raise DamagedError(" ".join(str(invalid).split())) from None
    except DamagedError:
        raise
    except (ValueError, RecursionError) as invalid:  # numbers of thousands of digits, text that UTF-8 cannot carry
        raise DamagedError(str(invalid)) from None


def _interactions(file: _File) -> Iterator[Interaction]:
    for request, response in ((row.request, row.response) for row in file.interactions):
        yield Interaction(
            method=request.method,
            uri=request.uri,
            content_type=", ".join(request.headers["content-type"]) if "content-type" in request.headers else None,
            sent=_unpack_bytes(request.body),
            status=response.status.code,
            reason=response.status.message,
            headers=tuple((name, text) for name, values in response.headers.items() for text in values),
            answer=_unpack_bytes(response.body.string),
        )
