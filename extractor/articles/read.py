"""A source becomes articles: the file is opened safely, read by its format, and its text fixed once.

In: a `Source`, or a text for library calls. Out: `Article`s. Floor: articles.
Before changing it: `Article.text` never changes after this, and every fact's offsets count code points of it. What is done to the text
on the way stands in `mojibake.mend` and `decode.clean_text`; blank lines around the body go, and the headline, a blank line and the body
are joined.

The publication date is the first of these; `origins["published"]` says which:

1. the `published` argument (`--published`);
2. what the file says of the article: header line, header block or front matter of a text, `<meta>`, JSON-LD, `<time>` or the address of a
   web page, JSON key, a feed's `pubDate`, a mail's `Date`;
3. the file's name;
4. when the document was made, by the properties of a PDF or Word file. It comes last: a page that is printed to PDF or typed anew was
   published before that, and who puts a date into a file's name means it;
5. None. It is never the file's modification time and never today.
"""

import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from extractor.articles.dates import date_in_name
from extractor.articles.decode import clean_text
from extractor.articles.discover import Source
from extractor.articles.draft import MAX_BYTES, Draft, Raw, is_blank
from extractor.articles.formats import FALLBACK, FORMATS
from extractor.articles.mojibake import mend
from extractor.articles.plain import strip_blank_lines
from extractor.errors import ArticleError, UsageError
from extractor.fingerprint import fingerprint
from extractor.records import Article

# Without O_NONBLOCK, opening a FIFO that nobody writes to waits for ever; O_BINARY is Windows'
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read(source: Source, *, published: date | None = None) -> Iterator[Article]:
    """The articles of one source, in their order in the file: most formats hold one, whose id is the source's; else `#1`, `#2`… are added.

    Standard input is `stdin-` and 12 hex digits of its text's fingerprint.

    A suffix that has no format of its own is read as plain text. The file is read when the first article is asked for.

    Args:
        source: What `discover` found.
        published: Publication date of these articles, over whatever the file says; None leaves it to the file.

    Raises:
        ArticleError: It can not be opened, is no regular file, is empty, too large (20 MB of text), or not what its format expects.
            Articles that were read before are good.
    """
    label = "Standard input" if source.path is None else f"File {os.fspath(source.path)!r}"
    suffix = source.path.suffix.lower() if source.path else ""
    name_date = date_in_name(source.path.stem) if source.path else None
    with _opened(source.path, label) as stream:
        for draft in FORMATS.get(suffix, FALLBACK)(Raw(label, stream)):
            article = _article(draft, source.id, label, published, name_date)
            if source.path is None:  # a second text is another article: it must not take the place of the first one's facts
                article = article.model_copy(update={"id": f"{source.id}-{fingerprint(article.text)[3:15]}"})
            yield article


def read_text(
    text: str,
    *,
    id: str,  # noqa: A002 - the field's name
    title: str | None = None,
    published: date | None = None,
    source: str | None = None,
    language: str | None = None,
    url: str | None = None,
) -> Article:
    """An article out of a text in memory, as it is: no header is looked for, no line end changed, so that the caller's offsets hold.

    Two exceptions: a `title` that does not open the text is put before it, with a blank line; a lone surrogate, which no request could
    carry, becomes U+FFFD (one code point for one).

    Args:
        text: The article, headline included where `title` is None.
        id: Its name in results; not empty.
        title: The headline; None when there is none, or none that is known.
        published: Publication date; None leaves relative dates unresolved.
        source: The outlet.
        language: BCP 47 tag.
        url: Where it was published.

    Raises:
        ArticleError: The text is empty, only whitespace, or longer than 20,000,000 code points.
        UsageError: The id is empty or can not be written as UTF-8.
    """
    if not id.strip() or _SURROGATE.search(id):
        raise UsageError(f"Article id {id!r} is empty or not Unicode text. Give each article a name of its own.")
    label = f"Article {id!r}"
    if len(text) > MAX_BYTES:
        raise ArticleError(f"{label} has {len(text):,} characters; the most that one article may have is {MAX_BYTES:,}. Split it.")
    given = {"title": title, "published": published, "source": source, "language": language, "url": url}
    origins = {name: "argument" for name, value in given.items() if value is not None}
    if _SURROGATE.search(text):
        text, origins["text"] = _SURROGATE.sub("\ufffd", text), "argument, lone surrogates replaced by U+FFFD"
    return Article(
        id=id,
        text=_joined(_one_line(title), text, label),
        title=_one_line(title),
        published=_day(published),
        source=_one_line(source),
        language=language,
        url=url,
        origins=origins,
    )


@contextmanager
def _opened(path: Path | None, label: str) -> Iterator[BinaryIO]:
    """The bytes of a regular file or of standard input; it never waits for anything but standard input."""
    if path is None:
        yield _standard_input()
        return
    try:
        _refuse_special(path.stat().st_mode, label)  # before opening: opening a device may do something
        descriptor = os.open(path, _OPEN_FLAGS)
        with os.fdopen(descriptor, "rb") as stream:
            _refuse_special(os.fstat(descriptor).st_mode, label)  # again: it may have been put in the other's place
            yield stream
    except FileNotFoundError as error:
        raise ArticleError(f"{label} is gone since it was found, or is a link to nothing. Run again once it is back.") from error
    except PermissionError as error:
        raise ArticleError(f"{label} may not be read (permission denied). Change its permissions, or leave it out.") from error
    except OSError as error:
        raise ArticleError(f"{label} can not be read: {error.strerror or error}. Leave it out, or copy it elsewhere.") from error


def _refuse_special(mode: int, label: str) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no regular file")
        raise ArticleError(f"{label} is {kind}, not a regular file. To read from another program, pipe it in and name the argument '-'.")


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise ArticleError("Standard input is closed. Pipe a text in, or name a file.")
    buffer = getattr(sys.stdin, "buffer", None)
    # A program may have put a text-only stream in its place
    return buffer if buffer is not None else io.BytesIO(sys.stdin.read(MAX_BYTES + 1).encode("utf-8", "surrogateescape"))


def _article(draft: Draft, source_id: str, label: str, override: date | None, name_date: date | None) -> Article:
    origins = dict(draft.origins)
    title, in_title = mend(draft.title or "")
    body, in_body = mend(draft.body)
    if in_title + in_body:
        mended = f"mojibake mended in {in_title + in_body} places"
        origins["text"] = f"{origins['text']}, {mended}" if "text" in origins else mended
    title_line = _one_line(title)
    published = draft.published
    if override is not None:
        published, origins["published"] = override, "--published"
    elif published is None and name_date is not None:
        published, origins["published"] = name_date, "file name"
    elif published is None:
        published = draft.created
    return Article(
        id=source_id if draft.number is None else f"{source_id}#{draft.number}",
        text=_joined(title_line, strip_blank_lines(clean_text(body)), label),
        title=title_line,
        published=_day(published),
        source=_one_line(draft.source),
        language=draft.language,
        url=draft.url,
        origins=origins,
    )


def _joined(title: str | None, body: str, label: str) -> str:
    if is_blank(body):
        if title is None:
            raise ArticleError(f"{label} has no text, only blank space or a header. Leave it out, or see why it was written so.")
        return title
    if title is None or body == title or body.startswith(f"{title}\n"):
        return body
    return f"{title}\n\n{body}"


def _one_line(value: str | None) -> str | None:
    return None if value is None else " ".join(clean_text(value).split()) or None


def _day(published: date | None) -> date | None:
    return published.date() if isinstance(published, datetime) else published
