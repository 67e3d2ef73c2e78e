"""Mail (`.eml`) and mail boxes (`.mbox`): newsletters, alerts, press releases.

In: an open file. Out: one `Draft`, or one for each message of a box, numbered by its place from 1. Floor: articles.
Before changing it: the text is the plain part as it was sent (quotes and signatures included), or else the HTML part as `webpage` reads
it, which needs the `html` extra. Attachments are not read. The standard library's older policy is used on purpose: the newer one raises
errors of many kinds on malformed headers.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr

from extractor.articles.charset import declared_in_markup, known
from extractor.articles.dates import parse_date
from extractor.articles.decode import Decoded, clean_text, decode
from extractor.articles.draft import MAX_BYTES, Draft, Raw, Unread, is_blank
from extractor.articles.extras import guarded
from extractor.articles.webpage import article_in
from extractor.errors import ArticleError

_COMMENT = re.compile(r"\s*\([^()]*\)")
_MAX_PARTS = 1_000
_MAX_LINES = 600_000  # 20 MB of an attachment have 270,000; the parser takes a few microseconds for each
_MAX_MULTIPARTS = 50  # it looks at each line once for each part around it
_MAX_HEADER_CHARS = 5_000  # subjects and senders; what is longer is cut: decoding takes time in proportion to the square
_LONG_PARAMETERS = re.compile(
    rb"^content-(?:type|disposition)[^\r\n]{0,10000}(?:\r?\n[ \t][^\r\n]{0,10000}){0,200}", re.IGNORECASE | re.MULTILINE
)
_MULTIPART = re.compile(rb"multipart/", re.IGNORECASE)
_MAX_PARAMETERS_BYTES = 10_000  # likewise
_HEADER_LINE = re.compile(rb"\A(?:From |>From |[!-9;-~]{1,76}:)")
_SEPARATOR = re.compile(rb"(?:(?<=\n)|\A)\r?\nFrom [^\n]*\n")
_QUOTED_SEPARATOR = re.compile(rb"^>(>*From )", re.MULTILINE)
_CHUNK_BYTES = 1_000_000
_LINE_BYTES = 2_000  # a separator has less; it may be cut by the end of a chunk


def read_eml(raw: Raw) -> Iterator[Draft]:
    """The one article of a mail: its subject is the headline, its sender the source.

    Raises:
        ArticleError: It is empty, too large (20 MB), no mail, has no text, or only HTML and the `html` extra is not installed.
    """
    yield _article(raw.data(), raw.label)


def read_mbox(raw: Raw) -> Iterator[Draft]:
    """The articles of a mail box; the box may be of any size, a message has at most 20 MB.

    Raises:
        ArticleError: It is empty or no mail box; or, after all that can be read, some messages could not be.
    """
    unread = Unread(raw.label, "messages")
    number = 0
    for number, data in enumerate(_messages(raw), start=1):
        try:
            if data is None:
                raise ArticleError(f"it has more than {MAX_BYTES:,} bytes")  # noqa: TRY301 - it is gathered as the others are
            draft = replace(_article(data, "it"), number=number)
        except ArticleError as error:
            unread.add(number, str(error).rstrip("."))
        else:
            yield draft
    unread.raise_if_any(number)


def _messages(raw: Raw) -> Iterator[bytes | None]:
    """Each message without its separator line; None for one that is larger than may be read, of which no more is held."""
    buffer = raw.stream.read(_CHUNK_BYTES)
    if not buffer:
        raw.data()  # which says that it is empty
    if not buffer.startswith(b"From "):
        raise ArticleError(f"{raw.label} is no mail box: it does not open with 'From '. If it is one mail, name it .eml.")
    buffer = buffer.partition(b"\n")[2]
    is_long = False
    while chunk := raw.stream.read(_CHUNK_BYTES):
        buffer += chunk
        if b"\nFrom " not in buffer[-len(chunk) - _LINE_BYTES :]:
            messages = []
        else:
            *messages, buffer = _SEPARATOR.split(buffer)
        for message in messages:
            yield None if is_long or len(message) > MAX_BYTES else _QUOTED_SEPARATOR.sub(rb"\1", message)
            is_long = False
        if len(buffer) > MAX_BYTES:
            is_long, buffer = True, buffer[-_LINE_BYTES:]
    for message in _SEPARATOR.split(buffer):
        yield None if is_long or len(message) > MAX_BYTES else _QUOTED_SEPARATOR.sub(rb"\1", message)
        is_long = False


def _article(data: bytes, label: str) -> Draft:
    if not data.strip():
        raise ArticleError(f"{label} is empty. Leave it out.")
    if not _HEADER_LINE.match(data.lstrip()):
        raise ArticleError(f"{label} is no mail: it does not open with a header such as 'From: …'. If it is text, name it .txt.")
    _refuse_slow(data, label)
    with guarded(label, "a mail", "Save it anew, or as text."):
        mail = message_from_bytes(data.lstrip(), policy=policy.compat32)
        headers = {name: _header(mail, name) for name in ("Subject", "Date", "From", "Content-Language")}
        plain, page = _parts(mail, label)
        name, address = parseaddr(headers["From"])
    date = _COMMENT.sub("", headers["Date"]).strip()
    metadata = {
        "title": headers["Subject"],
        "date": date if parse_date(date) else headers["Date"],
        "source": name or address,
        "language": headers["Content-Language"].partition(",")[0],
    }
    origins = {"title": "mail Subject", "date": "mail Date", "source": "mail From", "language": "mail Content-Language"}
    if plain is not None and not is_blank(plain.text):
        draft = Draft.of(plain.text, metadata, origins)
        return replace(draft, origins={**draft.origins, "text": "mail, plain part", "encoding": plain.encoding})
    if page is None or is_blank(page.text):
        raise ArticleError(f"{label} has no text, only headers or attachments. Save what is attached, and name that.")
    found = article_in(page.text, label)
    draft = Draft.of(found.body, metadata, origins)
    draft = replace(draft, url=found.url, language=draft.language or found.language)
    kept = {key: told for key, told in found.origins.items() if key in ("url", "language")}
    return replace(draft, origins={**kept, **draft.origins, "text": "mail, HTML part", "encoding": page.encoding})


def _refuse_slow(data: bytes, label: str) -> None:
    """Refuse what the standard library's parser would take minutes for."""
    parts = len(_MULTIPART.findall(data))
    longest = max((len(found[0]) for found in _LONG_PARAMETERS.finditer(data)), default=0)
    for count, limit, noun in (
        (data.count(b"\n") + data.count(b"\r"), _MAX_LINES, "lines"),
        (parts, _MAX_MULTIPARTS, "nested parts"),
        (longest, _MAX_PARAMETERS_BYTES, "bytes in a Content-Type"),
    ):
        if count > limit:
            raise ArticleError(f"{label} has {count:,} {noun}; the most that a mail may have is {limit:,}. Save its text alone.")


def _header(mail: Message, name: str) -> str:
    """A header in words: encoded ones decoded, folded ones on one line."""
    value = mail.get(name)
    if value is None:
        return ""
    pieces = []
    for part, charset in decode_header(str(value)[:_MAX_HEADER_CHARS]):
        if isinstance(part, str):
            pieces.append(part)
            continue
        try:
            pieces.append(part.decode(known(charset) or "utf-8"))
        except UnicodeDecodeError:
            pieces.append(part.decode("cp1252", "replace"))
    return " ".join(clean_text("".join(pieces)).split())


def _parts(mail: Message, label: str) -> tuple[Decoded | None, Decoded | None]:
    """The first plain part and the first HTML part that are no attachments."""
    plain, page = None, None
    for number, part in enumerate(mail.walk()):
        if number >= _MAX_PARTS:
            raise ArticleError(f"{label} has more than {_MAX_PARTS:,} parts, the most that a mail may have. Save its text alone.")
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and plain is None:
            plain = _decoded(part, label)
            if plain is not None and str(part.get_param("format", "")).lower() == "flowed":
                plain = Decoded(_unflowed(plain.text, delete_space=str(part.get_param("delsp", "")).lower() == "yes"), plain.encoding)
        elif kind == "text/html" and page is None:
            page = _decoded(part, label)
    return plain, page


def _decoded(part: Message, label: str) -> Decoded | None:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not data.strip():
        return None
    charset = part.get_content_charset()
    return decode(data, label, declared=known(charset) or declared_in_markup(data))


def _unflowed(text: str, *, delete_space: bool) -> str:
    """Paragraphs whose soft line ends (a space before the break) are joined: https://www.rfc-editor.org/rfc/rfc3676."""
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        content = line.removeprefix(" ")
        if open_line and not content.startswith(">"):
            lines[-1] = (lines[-1][:-1] if delete_space else lines[-1]) + content
        else:
            lines.append(content)
        open_line = content.endswith(" ") and content != "-- "
    return "\n".join(line.rstrip() for line in lines)
