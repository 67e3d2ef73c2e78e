"""PDF documents (`.pdf`): the text layer, as paragraphs.

In: an open file. Out: one `Draft`. Floor: articles. Extra: `pdf` (pypdf).
Before changing it: a PDF is a program that draws. Its streams may inflate to anything and its loops may be long, so sizes are bounded
through pypdf's configuration and time by a look at the clock before each drawing operation.

The properties of a PDF are often those of another document. A title counts only when the text opens with it. The day of creation counts
after a date in the file's name (`read`), and not at all when a browser printed the file.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

from extractor.articles.dates import calendar_date
from extractor.articles.decode import clean_text
from extractor.articles.draft import VALUE_CHARS, Draft, Raw, is_blank
from extractor.articles.extras import guarded, load
from extractor.articles.pages import join_pages
from extractor.errors import ArticleError

_MAX_FILE_BYTES = 50_000_000  # pictures included
_MAX_OBJECTS = 150_000  # a book of 2,000 pages has some 20,000; a broken file is searched for them, at 15 µs each
_MAX_STREAM_BYTES = 20_000_000  # inflated; a page of text has some 10,000
_MAX_STREAM_OPERANDS = 300_000  # likewise 5,000, a map 100,000; parsing takes about 10 µs for each
_MAX_OPERATIONS = 300_000  # of the whole document; a page of text has 500 to 2,000, and each takes about 20 µs
_MAX_PAGES = 2_000
_MAX_CHARS = 20_000_000
_SECONDS = 6.5  # for what keeps within all of these and is slow all the same

_CREATED = re.compile(r"D:([0-9]{4})([0-9]{2})([0-9]{2})")
_PRINTERS = re.compile(
    r"skia|quartz|chromium|chrome|mozilla|firefox|safari|print to pdf|wkhtmltopdf|cups|ghostscript|pdfcreator", re.IGNORECASE
)
_NEXT = "Open it in a PDF viewer and print it to a new PDF, or copy its text into a .txt file."
_TITLE_WITHIN_CHARS = 1_000


def read_pdf(raw: Raw) -> Iterator[Draft]:
    """The one article of a PDF document.

    Raises:
        ArticleError: It is empty, too large (50 MB), no PDF, needs a password, has no text layer, takes too long, or the `pdf` extra is
            not installed.
    """
    data = raw.data(limit_bytes=_MAX_FILE_BYTES)
    pypdf = load("pypdf", extra="pdf", kind="PDF", label=raw.label)
    until = time.monotonic() + _SECONDS
    with (
        guarded(raw.label, "a PDF document", _NEXT),
        pypdf.apply_configuration(
            maximum_declared_stream_length=_MAX_FILE_BYTES,
            array_based_stream_maximum_output_length=_MAX_STREAM_BYTES,
            zlib_maximum_output_length=_MAX_STREAM_BYTES,
            lzw_maximum_output_length=_MAX_STREAM_BYTES,
            run_length_maximum_output_length=_MAX_STREAM_BYTES,
            stream_decoding_work_maximum_length=5 * _MAX_STREAM_BYTES,
            stream_parsing_work_maximum_count=_MAX_STREAM_OPERANDS,
            disable_legacy_handling=True,
        ),
    ):
        reader = _opened(pypdf, data, raw.label)
        pages = list(_pages(reader, raw.label, until))
        properties = {str(key): clean_text(str(value)) for key, value in (reader.metadata or {}).items() if isinstance(value, str)}
    text, running, mended = join_pages([page.split("\n") for page in pages])
    if is_blank(text):
        raise ArticleError(
            f"{raw.label} has no text, only pictures of it, on {len(pages):,} pages. Run it through OCR (ocrmypdf), then again."
        )
    empty = sum(is_blank(page) for page in pages)
    yield _with_properties(_told(Draft(text), len(pages), empty, running, mended), properties)


def _opened(pypdf: Any, data: bytes, label: str) -> Any:
    if b"%PDF-" not in data[:1024]:
        raise ArticleError(f"{label} is no PDF document: it does not open with '%PDF-'. If it is text, name it .txt.")
    if (objects := data.count(b" obj")) > _MAX_OBJECTS:
        raise ArticleError(f"{label} has {objects:,} PDF objects; the most that one article may have is {_MAX_OBJECTS:,}. Split it.")
    reader = pypdf.PdfReader(BytesIO(data))
    if reader.is_encrypted:
        try:
            opened = reader.decrypt("")  # documents that only forbid printing or copying open without a password
        except (pypdf.errors.DependencyError, NotImplementedError) as error:
            raise ArticleError(f"{label} is encrypted in a way that can not be read here ({error}). Save it without protection.") from error
        if not opened:
            raise ArticleError(
                f"{label} needs a password. Save it without one (qpdf --decrypt --password=… in.pdf out.pdf), then run again."
            )
    return reader


def _pages(reader: Any, label: str, until: float) -> Iterator[str]:
    operations, chars = 0, 0

    def look_at_clock(*_: Any) -> None:
        nonlocal operations
        operations += 1
        if operations > _MAX_OPERATIONS or time.monotonic() > until:
            said = f"more than {_MAX_OPERATIONS:,} drawing operations, or {_SECONDS} seconds"
            raise ArticleError(f"{label} takes too long to read: {said}. Split it. {_NEXT}")

    count = len(reader.pages)
    if count > _MAX_PAGES:
        raise ArticleError(f"{label} has {count:,} pages; the most that one article may have is {_MAX_PAGES:,}. Split it.")
    for number in range(count):
        text = clean_text(reader.pages[number].extract_text(visitor_operand_before=look_at_clock))
        look_at_clock()
        chars += len(text)
        if chars > _MAX_CHARS:
            raise ArticleError(f"{label} has more than {_MAX_CHARS:,} characters, the most that one article may have. Split it.")
        yield text


def _told(draft: Draft, pages: int, empty: int, running: int, mended: int) -> Draft:
    told = [f"PDF text layer, {pages} pages"]
    told += [f"{empty} of them without text"] if empty else []
    told += [f"{running} running lines removed"] if running else []
    told += [f"{mended} hyphens at line ends removed"] if mended else []
    return replace(draft, origins={"text": ", ".join(told)})


def _with_properties(draft: Draft, properties: dict[str, str]) -> Draft:
    origins = dict(draft.origins)
    body, title = draft.body, " ".join(properties.get("/Title", "").split())
    if title and len(title) <= VALUE_CHARS:
        opening = " ".join(body[: len(title) + _TITLE_WITHIN_CHARS].split())
        rest = _rest_after(title, body) if opening.startswith(title) else None
        if rest is not None:
            body, origins["title"] = rest, "PDF properties, and the first words"
        else:
            title, origins["title"] = "", f"PDF properties: the text does not open with {title!r}"
    else:
        title = ""
    created = _CREATED.match(properties.get("/CreationDate", ""))
    day = calendar_date(*created.groups()) if created else None
    printer = _PRINTERS.search(f"{properties.get('/Creator', '')} {properties.get('/Producer', '')}")
    if day is not None:
        told = (
            f"PDF properties: {day.isoformat()} is the day when {printer[0]!r} printed it" if printer else "PDF properties, day of creation"
        )
        origins["published"] = told
    return replace(draft, body=body, title=title or None, created=None if printer else day, origins=origins)


def _rest_after(title: str, body: str) -> str | None:
    """`body` after the words of `title`, whatever white space stands between them; None where they end within a word."""
    at = 0
    for word in title.split():
        at = body.index(word, at) + len(word)
    return body[at:] if not body[at : at + 1].isalnum() else None
