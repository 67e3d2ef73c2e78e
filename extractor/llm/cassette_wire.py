"""One exchange over HTTP: what makes two requests the same, what is kept of an answer, and what a miss says.

In: vcr's requests and responses, as plain attributes. Out: digests, interactions without secrets, one sentence. Floor: llm.
Before changing it: host, API prefix and query are left out of everything that is stored; a new rule for digests makes every recorded
request a miss.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from extractor.fingerprint import canonical_json, fingerprint
from extractor.llm.cassette_yaml import Interaction, Json

# --- a request's identity --------------------------------------------------------------------------------------------------------

_PLACEHOLDER = "https://endpoint"
_ENDPOINT = re.compile(r"/(?:chat/completions|completions|responses|embeddings|models)/?$")
_PREFIX = re.compile(r"^.*/v[0-9]+[a-z0-9]*(?=/)")


def endpoint_path(uri: str) -> str:
    """The path below the API's prefix: the endpoint's own name, else what follows `/v1/`, else all of it. Never host or query."""
    path = urlsplit(uri).path or "/"
    endpoint = _ENDPOINT.search(path)
    return endpoint[0].rstrip("/") if endpoint else _PREFIX.sub("", path)


def body_of(request: Any) -> bytes:
    """The request's body as bytes, in whatever form the HTTP library gave it to vcr."""
    body = request.body
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, dict | list):  # aiohttp's json=
        return json.dumps(body).encode("utf-8")
    return b"".join(part if isinstance(part, bytes) else str(part).encode("utf-8") for part in body)


def _json(body: bytes) -> Json:
    """What the body says where it is JSON, else its text."""
    try:
        value: Json = json.loads(body)
        canonical_json(value)
    except (ValueError, RecursionError):  # NaN too: it has no canonical form
        return body.decode("utf-8", "backslashreplace")
    return value


def digest_of(method: str, uri: str, body: bytes) -> str:
    """One short string for all requests that mean the same, whatever the order of their JSON keys."""
    return fingerprint([method, endpoint_path(uri), _json(body)])


# --- what is kept of an answer ---------------------------------------------------------------------------------------------------

FIRST_UNANSWERED = 300
"""HTTP statuses from here on, redirects and errors, make a client ask again: a later answer to the same request takes their place."""
_KEYS = re.compile(rb"\bsk-[\w*.-]*[\w*]|(?<=Bearer )[\w*.~+/=-]+|\borg-\w{6,}|\bproj_\w{6,}")
_SECRET_HEADERS = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "openai-organization", "openai-project")
_SHORTEST_SECRET = 6  # characters; shorter ones stand in ordinary words
_SCRUBBED = b"[scrubbed]"


def kept(request: Any, response: Mapping[str, Any]) -> Interaction:
    """What is kept of an exchange: an allowlist of headers, since a list of what to leave out always lacks some vendor's."""
    status = int(response["status"]["code"])
    found = {name.lower(): [_text(value) for value in values] for name, values in response["headers"].items()}
    encoding = ", ".join(found.get("content-encoding", ()))
    answer, undone = _decompress(response["body"].get("string") or b"", encoding)
    headers = [("content-type", value) for value in found.get("content-type", ())]
    if status >= FIRST_UNANSWERED:
        headers.append(("x-should-retry", "false"))  # it was never answered: a replay gains nothing by waiting and asking again
        answer = _scrub(answer, request) if undone else b""  # what cannot be read cannot be scrubbed
    elif not undone:
        headers.append(("content-encoding", encoding))
    elif _reports_error(answer):
        answer = _scrub(answer, request)
    reason = response["status"]["message"] or ""
    return Interaction(
        method=request.method,
        uri=_PLACEHOLDER + endpoint_path(request.uri),
        content_type=_header(request, "content-type"),
        sent=body_of(request),
        status=status,
        reason=reason if reason.isascii() else "",  # vcr plays back ASCII only
        headers=tuple(headers),
        answer=answer,
    )


def _header(request: Any, wanted: str) -> str | None:
    for name, value in request.headers.items():
        if name.lower() == wanted:
            return ", ".join(_text(part) for part in value) if isinstance(value, list | tuple) else _text(value)
    return None


def _text(header: Any) -> str:
    return header.decode("latin-1") if isinstance(header, bytes) else str(header)


def _decompress(data: bytes, encoding: str) -> tuple[bytes, bool]:
    """The body as the client reads it, and whether its content-encoding is undone with that."""
    if not encoding:
        return data, True
    with suppress(OSError, EOFError, zlib.error):
        if encoding in ("gzip", "x-gzip"):
            return gzip.decompress(data), True
        if encoding == "deflate":
            return zlib.decompress(data), True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data, False  # brotli, zstandard, or broken: the client that replays undoes it as it did then
    return data, True  # compressed bytes are never UTF-8: aiohttp undoes it before vcr sees it, and leaves the header


def _reports_error(answer: bytes) -> bool:
    """Whether an answer of status 200 is an error all the same, as some gateways have it."""
    if b'"error"' not in answer:
        return False
    value = _json(answer)
    return isinstance(value, dict) and bool(value.get("error"))


def _scrub(answer: bytes, request: Any) -> bytes:
    """An error's body without keys, account names and the endpoint's address, which vendors and proxies like to quote."""
    url = urlsplit(request.uri)
    secrets = [word for name in _SECRET_HEADERS for word in (_header(request, name) or "").split()]
    secrets += [value for _, value in parse_qsl(url.query)]
    secrets += [url.username or "", url.password or ""]
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET and secret.lower() not in ("bearer", "basic"):
            answer = answer.replace(secret.encode("utf-8"), _SCRUBBED)
    if host := url.hostname:
        name = re.escape(host.encode("utf-8"))
        # a host without a dot may be any word of the message: only where it stands as an address
        bare = rb"|(?<![\w.-])%s(?![\w.-]*\w)" % name if "." in host else b""
        answer = re.sub(rb"(?i)(?<=//)%s(?::\d+)?|(?<![\w.-])%s:\d+%s" % (name, name, bare), b"endpoint", answer)
    return _KEYS.sub(_SCRUBBED, answer)


# --- what a miss says ------------------------------------------------------------------------------------------------------------

_SHOWN_BEFORE = 12  # characters of context before a difference
_SHOWN_CHARS = 48


class _Gone:
    """Stands for a value that one side does not have."""


_GONE = _Gone()
_Side: TypeAlias = "Json | _Gone"


class _Difference(NamedTuple):
    path: str
    recorded: _Side
    now: _Side


def explain_miss(article_id: str, request: Any, body: bytes, rows: Mapping[int, Interaction], *, played: int) -> str:
    """Why a request has no recorded answer, and what to do.

    Args:
        article_id: The article that asks.
        request: What it asks.
        body: Of that request.
        rows: What is recorded for the article, by place, counted from 0.
        played: How often the same request was recorded, and has been played.
    """
    head = f"Article {article_id!r} is not in the cassettes as asked:"
    tail = "Undo the change, or record again with --record."
    if played:
        return f"{head} already played {played} time(s), as often as this request is recorded. {tail}"
    if not rows:
        return f"{head} nothing recorded for this article. Record it with --record, or leave it out."
    asked = (request.method, endpoint_path(request.uri))
    now = _json(body)
    best: tuple[tuple[int, int], int, list[_Difference]] | None = None
    for number, row in sorted(rows.items()):
        if (row.method, endpoint_path(row.uri)) == asked:
            found = list(_differences(_json(row.sent), now, ""))
            closeness = (len(found), -_first_char(found[0]) if found else 0)
            if best is None or closeness < best[0]:
                best = closeness, number, found
    if best is None:
        known = sorted({f"{row.method} {endpoint_path(row.uri)}" for row in rows.values()})
        return f"{head} it asks {' '.join(asked)}, recorded is only {', '.join(known)}. {tail}"
    _, number, found = best
    more = f" (and in {len(found) - 1} other place(s))" if len(found) > 1 else ""
    return f"{head} request changed: closest is interaction {number + 1} of {len(rows)}; {_describe(found[0])}{more}. {tail}"


def _differences(recorded: Json, now: Json, path: str) -> Iterator[_Difference]:
    """Every place where two requests differ, in the order of the recorded one."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in [*recorded, *(key for key in now if key not in recorded)]:
            yield from _compare(recorded.get(key, _GONE), now.get(key, _GONE), f"{path}.{key}" if path else key)
    elif isinstance(recorded, list) and isinstance(now, list):
        for index, (old, new) in enumerate(zip_longest(recorded, now, fillvalue=_GONE)):
            yield from _compare(old, new, f"{path}[{index}]")
    elif canonical_json(recorded) != canonical_json(now):  # as in the digest: True is not 1 on the wire
        yield _Difference(path or "the body", recorded, now)


def _compare(recorded: _Side, now: _Side, path: str) -> Iterator[_Difference]:
    if isinstance(recorded, _Gone) or isinstance(now, _Gone):
        yield _Difference(path, recorded, now)
    else:
        yield from _differences(recorded, now, path)


def _first_char(difference: _Difference) -> int:
    """Where two texts part, in code points from 0; 0 for what is not text."""
    if isinstance(difference.recorded, str) and isinstance(difference.now, str):
        pairs = enumerate(zip(difference.recorded, difference.now, strict=False))
        shorter = min(len(difference.recorded), len(difference.now))
        return next((at for at, (old, new) in pairs if old != new), shorter)
    return 0


def _describe(difference: _Difference) -> str:
    path, recorded, now = difference
    if isinstance(recorded, _Gone):
        return f"{path} is new: {_shown(now)}"
    if isinstance(now, _Gone):
        return f"{path} is gone: recorded {_shown(recorded)}"
    at = _first_char(difference)
    where = f"{path} at char {at}" if isinstance(recorded, str) and isinstance(now, str) else path
    return f"differs in {where}: recorded {_shown(recorded, at)}, now {_shown(now, at)}"


def _shown(value: _Side, at: int = 0) -> str:
    """The value, or the part of a long one that stands around `at`, in quotes where it is text."""
    text = value if isinstance(value, str) else canonical_json(value)
    start = max(0, at - _SHOWN_BEFORE) if len(text) > _SHOWN_CHARS else 0
    part = text[start : start + _SHOWN_CHARS]
    cut = f"{'…' if start else ''}{part}{'…' if start + _SHOWN_CHARS < len(text) else ''}"
    return repr(cut) if isinstance(value, str) else cut
