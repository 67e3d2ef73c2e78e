"""Word documents (`.docx`): paragraphs and tables in their order, with what was inserted under review and without what was deleted.

In: an open file. Out: one `Draft`. Floor: articles.
Before changing it: a docx is a ZIP archive of XML parts, and any part may claim or have any size. Only three small ones are read, each
no further than a bound. (python-docx opens all of them, pictures included, and leaves out text in tracked insertions, content controls
and text boxes.)
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import NamedTuple

from extractor.articles.dates import parse_date
from extractor.articles.decode import clean_text
from extractor.articles.draft import VALUE_CHARS, Draft, Raw
from extractor.articles.extras import guarded
from extractor.articles.markup import BREAK, tidy
from extractor.articles.xmlevents import events
from extractor.errors import ArticleError

_MAX_PART_BYTES = 50_000_000  # of XML, uncompressed: fifty novels
_MAX_PARTS = 20_000

_DOCUMENT = "word/document.xml"
_PROPERTIES = "docProps/core.xml"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"

_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "pPrChange", "rPrChange"})  # deleted, moved away, or there twice
_WORDS = frozenset({"t"})
_TITLE_STYLES = frozenset(
    {"title", "titel", "titre", "titolo", "ttulo", "tytu", "heading1", "berschrift1", "titre1"}
)  # ids lose their accents
_TEMPLATE_DAYS = frozenset({date(2013, 12, 23)})  # of python-docx's own template, which every document made with it carries


class _Text(NamedTuple):
    body: str
    title: str


def read_docx(raw: Raw) -> Iterator[Draft]:
    """The one article of a Word document: a paragraph in the style Title or Heading 1 that opens it is the headline.

    Raises:
        ArticleError: It is empty, too large, no Word document, or one that needs a password.
    """
    data = raw.data()
    if data.startswith(_OLD_OFFICE):
        raise ArticleError(f"{raw.label} is an old Office document (.doc), or needs a password. Save it as .docx without one.")
    advice = "Open it in a word processor and save it anew, or as text."
    with guarded(raw.label, "a Word document", advice), zipfile.ZipFile(BytesIO(data)) as archive:
        if len(archive.namelist()) > _MAX_PARTS:
            raise ArticleError(f"{raw.label} has more than {_MAX_PARTS:,} parts, the most that a Word document may have. Save it anew.")
        main = _main_part(archive, raw.label)
        body, title = _text(_part(archive, main, raw.label), raw.label)
        properties = _properties(_part(archive, _PROPERTIES, raw.label, needed=False), raw.label)
    draft = Draft.of(
        body, {"title": title, "language": properties.get("language", "")}, {"title": "docx title style", "language": "docx properties"}
    )
    created = parse_date(properties.get("created", ""))
    if created is not None and created not in _TEMPLATE_DAYS:
        draft = replace(draft, created=created, origins={**draft.origins, "published": "docx properties, day of creation"})
    yield draft


def _main_part(archive: zipfile.ZipFile, label: str) -> str:
    for event in events(_part(archive, "_rels/.rels", label, needed=False) or b"<none/>", label, "a Word document"):
        if event.kind == "start" and event.attributes.get("Type", "").endswith("/officeDocument"):
            return posixpath.normpath(event.attributes.get("Target", _DOCUMENT).lstrip("/"))
    return _DOCUMENT


def _part(archive: zipfile.ZipFile, name: str, label: str, *, needed: bool = True) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        if needed:
            raise ArticleError(f"{label} is a ZIP archive, but no Word document: it has no part {name!r}. Leave it out.") from None
        return b""
    if info.flag_bits & 1:
        raise ArticleError(f"{label} needs a password. Save it without one.")
    with archive.open(info) as part:  # read(n) and not read(): a part that lies about its size is inflated no further than this
        data = part.read(_MAX_PART_BYTES + 1)
    if len(data) > _MAX_PART_BYTES:
        raise ArticleError(f"{label} has a part of more than {_MAX_PART_BYTES:,} bytes, {name!r}, the most that one may have. Split it.")
    return data


def _text(data: bytes, label: str) -> _Text:
    pieces: list[str] = []
    paragraph: list[str] = []
    title, style, is_first, skipped, open_names = "", "", True, 0, list[str]()
    for kind, full_name, attributes in events(data, label, "a Word document"):
        name = full_name.rpartition(":")[2]
        if kind == "text":
            if not skipped and open_names[-1] in _WORDS:
                paragraph.append(full_name)
            continue
        if kind == "start":
            open_names.append(name)
            skipped += name in _SKIPPED
            if name == "pStyle":
                style = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "val"), "")
            paragraph.append(_STARTS.get(name, "") if not skipped else "")
            continue
        open_names.pop()
        skipped -= name in _SKIPPED
        if name == "p":
            words = "".join(paragraph)
            paragraph, in_cell = [], "tc" in open_names
            if (
                is_first
                and words.strip()
                and not in_cell
                and re.sub("[^a-z0-9]", "", style.lower()) in _TITLE_STYLES
                and len(words) <= VALUE_CHARS
            ):
                title, words = tidy(words.replace(BREAK, " ")), ""
            is_first = is_first and not words.strip() and not title
            style = ""
            pieces.append(words + (" " if in_cell else BREAK * 2))
        pieces.append(_ENDS.get(name, ""))
    return _Text(tidy("".join([*pieces, *paragraph])), title)


_STARTS = {"tab": "\t", "br": BREAK, "cr": BREAK, "noBreakHyphen": "\u2011", "softHyphen": "\u00ad"}
_ENDS = {"tc": "\t", "tr": BREAK, "tbl": BREAK * 2}


def _properties(data: bytes, label: str) -> dict[str, str]:
    found: dict[str, str] = {}
    current = ""
    for kind, name, _ in events(data or b"<none/>", label, "a Word document"):
        if kind == "text":
            found[current] = found.get(current, "") + clean_text(name)
        else:
            current = name.rpartition(":")[2] if kind == "start" else ""
    return found
