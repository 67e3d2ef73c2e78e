"""The seam between a file and its format: what a format is given (`Raw`) and what it gives back (`Draft`s).

A format is one function `(Raw) -> Iterator[Draft]` in one file, with one row in `formats.py`. Floor: articles.
Before changing it: every format stands on this. A format that holds several articles numbers its drafts from 1, gives all that it can
read and only then raises an `ArticleError` for the rest, so that one bad entry does not lose its neighbours.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Self

from extractor.articles.dates import parse_date
from extractor.articles.decode import Decoded, decode
from extractor.errors import ArticleError

MAX_BYTES = 20_000_000
"""Bytes of one text file, inclusive: a hundred novels. More is a dump or a mistake, and would cost accordingly to ask about."""

_CHUNK_BYTES = 262_144  # nearly every article in one read

VALUE_CHARS = 500
"""Code points that a headline, an outlet or an address may have, inclusive; what is longer is text that looks like one."""

KEYS: Mapping[str, str] = {
    "title": "title",
    "headline": "title",
    "date": "published",
    "published": "published",
    "source": "source",
    "publication": "source",
    "newspaper": "source",
    "outlet": "source",
    "language": "language",
    "lang": "language",
    "url": "url",
}
"""Names under which files give metadata, in lower case, and the field each fills."""

_INVISIBLE = "\ufeff\u200b\u2060"  # byte order mark, zero-width space, word joiner: a text of these alone is empty
_REASONS_SHOWN = 5

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Raw:
    """A file that is open, as a format is given it."""

    label: str
    """How messages begin: `File 'news/a.txt'` or `Standard input`."""
    stream: BinaryIO
    """Its bytes from the start; a regular file or standard input, so that reading ends."""

    def data(self, *, limit_bytes: int = MAX_BYTES) -> bytes:
        """All its bytes, at least one.

        Args:
            limit_bytes: The most it may have, inclusive.

        Raises:
            ArticleError: It is empty, or larger than the limit (no more than the limit is read).
        """
        data = bytearray()
        # In chunks: one read of the limit would set aside 20 MB for each small file
        while chunk := self.stream.read(_CHUNK_BYTES):
            data += chunk
            if len(data) > limit_bytes:
                raise ArticleError(f"{self.label} has more than {limit_bytes:,} bytes, the most that one article may have. Split it.")
        if not data:
            raise ArticleError(f"{self.label} is empty (0 bytes). Leave it out, or see why it was written so.")
        return bytes(data)

    def text(self, declared: Callable[[bytes], str | None] | None = None) -> Decoded:
        """All of it as clean text, by the rules of `decode`.

        Args:
            declared: Finds the codec that the file itself names, where its format has a place for that.

        Raises:
            ArticleError: It is empty, too large, or no text.
        """
        data = self.data()
        return decode(data, self.label, declared=declared(data) if declared else None)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a format found of one article; `read` makes the `Article` of it."""

    body: str
    """The text without its headline."""
    title: str | None = None
    """The headline; None when the format has none."""
    published: date | None = None
    """The date that the file states for the article."""
    created: date | None = None
    """The day the document was made, by its properties. Text is also typed, scanned or printed later: a date in the file's name goes
    before it."""
    source: str | None = None
    """The outlet."""
    language: str | None = None
    """BCP 47 tag."""
    url: str | None = None
    """Where it was published."""
    origins: dict[str, str] = field(default_factory=dict)
    """Where each field came from, or, for a field that is None, why what the file says could not be used."""
    number: int | None = None
    """Its place in a file that holds several, from 1; None where a file is one article."""

    @classmethod
    def of(cls, body: str, metadata: Mapping[str, str], origin: str | Mapping[str, str]) -> Self:
        """A draft with the fields that `metadata` gives; a value of the wrong kind leaves its field None, with the reason in `origins`.

        Args:
            body: The text without its headline.
            metadata: Values by name, as in `KEYS`, in any letter case; others are passed over. The first of two for one field wins.
            origin: Where the metadata stood, such as `front matter`; or that for each name of `metadata`.
        """
        values: dict[str, str] = {}
        origins: dict[str, str] = {}
        for name, value in metadata.items():
            if (key := KEYS.get(name.strip().lower())) and value.strip() and key not in values:
                values[key], origins[key] = value.strip(), origin if isinstance(origin, str) else origin[name]
        for key in [key for key, value in values.items() if len(value) > VALUE_CHARS]:
            origins[key] += f": {len(values.pop(key))} characters are too many (at most {VALUE_CHARS})"
        published, url, language = parse_date(values.get("published", "")), values.get("url"), values.get("language", "").replace("_", "-")
        if "published" in values and published is None:
            origins["published"] += f": {values['published']!r} is not a date such as 2025-07-25"
        if url and not _URL.fullmatch(url):
            origins["url"] += f": {url!r} is not a web address"
            url = None
        if language and not _LANGUAGE_TAG.fullmatch(language):
            origins["language"] += f": {language!r} is not a language tag such as en"
            language = ""
        return cls(
            body=body,
            title=values.get("title"),
            published=published,
            source=values.get("source"),
            language=language or None,
            url=url,
            origins=origins,
        )


def is_blank(text: str) -> bool:
    """Whether nothing in `text` can be seen."""
    return not text.strip().strip(_INVISIBLE)


class Unread:
    """The entries of a file with several articles that are none: gathered while the good ones are given, raised at the end.

    Args:
        label: The file, as messages name it.
        noun: What its entries are called, such as `records`.
    """

    def __init__(self, label: str, noun: str) -> None:
        self._label = label
        self._noun = noun
        self._count = 0
        self._shown: list[str] = []

    def add(self, number: int, reason: str) -> None:
        """Note that entry `number` (from 1) can not be read, and why."""
        self._count += 1
        if self._count <= _REASONS_SHOWN:
            self._shown.append(f"{number} ({reason})")

    def raise_if_any(self, total: int) -> None:
        """End the file.

        Args:
            total: Entries of the file, good and bad.

        Raises:
            ArticleError: There is no entry at all, or some could not be read; it names the first of them.
        """
        if not total:
            raise ArticleError(f"{self._label} holds no {self._noun}. Leave it out, or see why it was written so.")
        if self._count:
            more = f" and {self._count - _REASONS_SHOWN:,} more" if self._count > _REASONS_SHOWN else ""
            shown = f"{', '.join(self._shown)}{more}"
            if self._count == total:
                raise ArticleError(f"{self._label} has no {self._noun} that can be read: {shown}. Mend them, or leave the file out.")
            raise ArticleError(
                f"{self._label} has {self._count:,} of {total:,} {self._noun} that can not be read: {shown}. The others were read."
            )
