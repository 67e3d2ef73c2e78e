"""JSON (`.json`) and JSON lines (`.jsonl`, `.ndjson`): exports of databases, crawlers and news services.

In: an open file. Out: a `Draft` for each object that is an article. Floor: articles.
Before changing it: the keys are those that exports really use, compared without case, `_`, `-` and spaces; the first that holds
something counts. Nothing is read from a key whose meaning has to be guessed: `created`, `summary`, `description`.

Seen in: NewsAPI, GDELT, Event Registry, news-please and Common Crawl news, trafilatura, Nexis, the Guardian, WordPress, Elasticsearch and
crawlers that give Markdown. A text that the service cut ("[+2310 chars]") says so in `origins["text"]`.

Of a `.json` file: one object is one article; a list, an object with a list under `articles` (or `items`, `results`, …), or lines of
objects are several. Several are numbered by their place, from 1, whatever ids they have: those need not be unique, and may be anything.
A record's own id stands in `origins["id"]`.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from extractor.articles.dates import parse_date
from extractor.articles.decode import clean_text, decode
from extractor.articles.draft import MAX_BYTES, VALUE_CHARS, Draft, Raw, Unread, is_blank
from extractor.articles.markup import is_markup, without_tags
from extractor.errors import ArticleError

_TEXT = (
    "text", "articletext", "fulltext", "maintext", "plaintext", "contenttext", "bodytext", "articlebody", "body", "content", "article",
    "contenthtml", "bodyhtml", "html", "markdown",
)  # fmt: skip
_LISTS = ("articles", "items", "results", "documents", "docs", "records", "entries", "news", "data", "response", "value", "hits")
_WRAPPERS = ("source", "fields", "document", "article", "attributes", "data", "metadata")
"""Objects that hold the rest of a record's keys, or all of them: what stands beside them comes first. (`_source` is Elasticsearch's.)"""
_FIELDS = {
    "title": ("title", "headline", "webtitle", "pagetitle"),
    "date": (
        "published", "publishedat", "publishedon", "datepublished", "datepublish", "publishdate", "publicationdate", "pubdate", "pubtime",
        "publisheddate", "publishedtime", "webpublicationdate", "articlepublishedtime", "date", "datetime", "timestamp", "seendate",
    ),
    "source": ("source", "sourcename", "outlet", "publisher", "publication", "newspaper", "sitename", "sourcedomain", "domain", "hostname"),
    "url": ("url", "link", "canonicalurl", "weburl", "sourceurl", "permalink"),
    "language": ("language", "lang", "inlanguage"),
    "id": ("id", "guid", "uuid", "articleid", "docid"),
}  # fmt: skip
_SEPARATORS = str.maketrans("", "", "_- ")
_INNER = ("rendered", "name", "title", "value", "text", "#text")  # {"rendered": …} in WordPress, {"name": …} in news services

_COMPACT_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T?[0-9]{6}Z?)?")
_COMMENT = re.compile(r"\s*\([^()]*\)\s*\Z")
_EPOCH_S = (1e8, 5e9)  # 1973 to 2128; fewer seconds are a number of some other kind
_DEEPEST_LIST = 3  # {"response": {"docs": [ … ]}}

_MAX_RECORDS = 200_000  # at 100 bytes each these fill the 20 MB that a file may have
_LINES_INSTEAD = "Write one object a line into a .jsonl file, which may be of any size."

_WIDE_SAMPLE_BYTES = 4_096


class _Value(NamedTuple):
    key: str
    value: Any


def read_json(raw: Raw) -> Iterator[Draft]:
    """The articles of a JSON file; a file of lines that are objects each is read as such, too.

    Raises:
        ArticleError: It is empty, too large (20 MB) or no JSON; or, after all that can be read, some records are no articles.
    """
    text, encoding = raw.text()
    try:
        value = _loaded(text)
    except ValueError as error:
        if not _is_lines(text):
            raise ArticleError(f"{raw.label} is not JSON ({error}). Mend it, or name it .txt if it is plain text.") from error
        yield from _several(raw.label, ((line, encoding) for line in text.split("\n")))
        return
    records = _records(value, _DEEPEST_LIST)
    if records is not None and len(records) > _MAX_RECORDS:
        raise ArticleError(f"{raw.label} has {len(records):,} records; the most that is read is {_MAX_RECORDS:,}. {_LINES_INSTEAD}")
    if records is not None:
        yield from _numbered(raw.label, ((record, encoding) for record in records))
        return
    draft = _draft(value, encoding)
    if isinstance(draft, str):
        raise ArticleError(f"{raw.label} holds no article: {draft}.")
    yield draft


def read_jsonl(raw: Raw) -> Iterator[Draft]:
    """The articles of a file with one JSON object a line, read line by line: the file may be of any size, a line has at most 20 MB.

    Raises:
        ArticleError: It is empty; or, after all that can be read, some lines are no articles.
    """
    yield from _several(raw.label, _lines(raw))


def _lines(raw: Raw) -> Iterator[tuple[str | ArticleError, str]]:
    """Each line and its encoding; of what is too long or no text, the error."""
    line = raw.stream.readline(MAX_BYTES + 1)
    if not line:
        raw.data()  # which says that it is empty
    if b"\x00" in line[:_WIDE_SAMPLE_BYTES] or line.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, whose line ends are other bytes
        whole = line + raw.stream.read(MAX_BYTES)
        if len(whole) > MAX_BYTES:
            raise ArticleError(f"{raw.label} has more than {MAX_BYTES:,} bytes of UTF-16, the most that is read of it. Save it as UTF-8.")
        text, encoding = decode(whole, raw.label)
        yield from ((part, encoding) for part in text.split("\n"))
        return
    while line:
        try:
            if len(line) > MAX_BYTES:
                while line and not line.endswith(b"\n"):
                    line = raw.stream.readline(MAX_BYTES)
                raise ArticleError(f"more than {MAX_BYTES:,} bytes")  # noqa: TRY301 - it is caught as those of decode are
            if not line.isspace():
                yield decode(line, "the line")
        except ArticleError as error:
            yield error, ""
        line = raw.stream.readline(MAX_BYTES + 1)


def _several(label: str, lines: Iterator[tuple[str | ArticleError, str]]) -> Iterator[Draft]:
    def records() -> Iterator[tuple[Any, str]]:
        for line, encoding in lines:
            if isinstance(line, ArticleError):
                yield line, encoding
            elif line and not line.isspace():
                try:
                    value = _loaded(line)
                except ValueError as error:
                    yield error, encoding
                else:
                    listed = _records(value, _DEEPEST_LIST)
                    yield from ((record, encoding) for record in ([value] if listed is None else listed))

    yield from _numbered(label, records())


def _numbered(label: str, records: Iterator[tuple[Any, str]]) -> Iterator[Draft]:
    unread = Unread(label, "records")
    number = 0
    for number, (record, encoding) in enumerate(records, start=1):
        found = str(record) if isinstance(record, Exception) else _draft(record, encoding)
        if isinstance(found, str):
            unread.add(number, found)
        else:
            yield replace(found, number=number)
    unread.raise_if_any(number)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _is_lines(text: str) -> bool:
    first = text.lstrip().partition("\n")[0]
    try:
        return isinstance(_loaded(first), dict)
    except ValueError:
        return False


def _records(value: Any, depth: int) -> list[Any] | None:
    """The records of a list, or of the list that an object wraps; None where `value` is to be one article itself."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not depth:
        return None
    keys = _by_name(value)
    if _body(keys):
        return None
    for name in _LISTS:
        if name in keys and (found := _records(keys[name].value, depth - 1)) is not None:
            return found
    return None


def _draft(record: Any, encoding: str) -> Draft | str:
    """The article of one record, or why it is none."""
    if not isinstance(record, dict):
        return f"it is a JSON {_KINDS.get(type(record), 'value')}, not an object"
    keys = _by_name(record)
    found = _body(keys)
    if found is None:
        for name in _WRAPPERS:
            # a plain "source" is the outlet
            if name in keys and isinstance(keys[name].value, dict) and (name != "source" or keys[name].key.startswith("_")):
                keys = _by_name(keys[name].value) | {key: value for key, value in keys.items() if key != name}
        found = _body(keys)
    if found is None:
        near = ", ".join(repr(found.key) for found in list(keys.values())[:8])
        return f"it has no text under 'text', 'body', 'content' or the like (its keys: {near or 'none'})"
    metadata, origins = {}, {}
    for name, candidates in _FIELDS.items():
        for value in (keys[candidate] for candidate in candidates if candidate in keys):
            if text := (_date(value.value) if name == "date" else _string(value.value)).strip():
                metadata[name], origins[name] = text, f"JSON key {value.key!r}"
                break
    body = _string(found.value)  # not cleaned: `read` mends mojibake first
    if body.strip() == _REMOVED:
        return f"its text is {_REMOVED!r}: the service took it back"
    told = f"JSON key {found.key!r}"
    if cut := _CUT.search(body):
        body, told = body[: cut.start()], f"{told}, cut by the service: {cut[0].strip()}"
    if is_markup(body):
        body, told = without_tags(body), f"{told}, tags removed"
    own = metadata.pop("id", "")[:VALUE_CHARS]
    draft = Draft.of(body, metadata, origins)
    return replace(
        draft, origins={**draft.origins, **({"id": f"{origins['id']}: {own!r}"} if own else {}), "text": told, "encoding": encoding}
    )


def _by_name(record: dict[str, Any]) -> dict[str, _Value]:
    named: dict[str, _Value] = {}
    for key, value in record.items():
        named.setdefault(key.lower().translate(_SEPARATORS).lstrip("@$"), _Value(key, value))
    return named


def _body(keys: dict[str, _Value]) -> _Value | None:
    for name in _TEXT:
        if name in keys and not is_blank(clean_text(_string(keys[name].value))):
            return keys[name]
    return None


def _string(value: Any) -> str:
    """A value as text: a string, a number, a list of paragraphs, or an object that wraps one of these; else ""."""
    if isinstance(value, dict):
        inner = {key.lower(): text for key, text in value.items() if isinstance(text, str)}
        value = next((inner[key] for key in _INNER if key in inner), "")
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _date(value: Any) -> str:
    """A date as `parse_date` reads it, where it is one; else as it is written."""
    text = _string(value).strip()
    number = float(text) if re.fullmatch(r"[0-9]{9,13}(?:\.[0-9]{1,9})?", text) else math.nan
    seconds = number if number < _EPOCH_S[1] else number / 1000
    if _EPOCH_S[0] <= seconds < _EPOCH_S[1]:
        return datetime.fromtimestamp(seconds, tz=UTC).date().isoformat()
    if found := _COMPACT_DATE.fullmatch(text):
        return "-".join(found.groups())
    if text.startswith(_UNSET_DAY):
        return f"{text} (unset)"
    without_comment = _COMMENT.sub("", text)
    return without_comment if parse_date(without_comment) else text


_CUT = re.compile(r"\[\+[0-9]+ chars\]\s*\Z")  # NewsAPI's free plan
_REMOVED = "[Removed]"  # likewise, of an article that was taken back
_UNSET_DAY = "1970-01-01"  # second 0, which stands where no date was known

_KINDS = {list: "list", str: "string", int: "number", float: "number", bool: "truth value", type(None): "null"}
