"""Bytes to text, once and for all.

In: the bytes of one file. Out: its text and the name of the encoding it was read in, or an `ArticleError` that says what they look like.
Floor: articles.
Before changing it: every offset of every fact counts code points of what leaves here, so a change moves the facts of every article it
touches. Curly quotes, dashes, combining marks and odd spaces are left alone (no NFC, no quote changes): quotes are verbatim.
"""

import codecs
import re
from collections import Counter
from typing import NamedTuple

from extractor.articles.charset import detected
from extractor.articles.mojibake import mend
from extractor.errors import ArticleError


class Decoded(NamedTuple):
    """Text and how it was read."""

    text: str
    """Line ends are `\\n`; no byte order mark, no control character but `\\n` and tab, no lone surrogate."""
    encoding: str
    """Such as `utf-8` or `cp1252 (guessed)`; what is not plain UTF-8 says so, and so does text that was mended (`mojibake.mend`)."""


# Longest first: the UTF-32 LE mark begins with the UTF-16 LE one
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_MAGIC = (
    (b"%PDF-", "a PDF document, which is read under the suffix .pdf"),
    (b"PK\x03\x04", "a ZIP archive (docx, odt, epub and xlsx are such; of these, .docx is read)"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (doc, xls, msg)"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1\x15", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"bplist00", "an Apple property list"),
)
"""First bytes of what is most often mistaken for text (https://en.wikipedia.org/wiki/List_of_file_signatures)."""

_SAMPLE_BYTES = 65_536  # enough to tell UTF-16 by its zero bytes
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_CONTROL_SHARE = 50  # text has none; a stray one in 50 characters is a slip, more is a binary format
_UTF16_ZERO_SHARE = 20  # in Cyrillic UTF-16 only spaces and punctuation, about one unit in five, have a zero byte; one in 20 leaves room
_UTF16_OTHER_SHARE = 10  # units of alphabetic text outside its script, ASCII and typographic punctuation: far fewer than one in 10
_PUNCTUATION_ROW = 0x20  # U+2000..U+20FF: dashes, curly quotes, the euro sign

_TO_CLEAN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Line breaks of other kinds become the one kind, other controls a space, so that no two words are joined. U+0080..U+009F are in real
# files always Windows characters that somebody decoded as Latin-1: they are read as browsers read them
# (https://html.spec.whatwg.org/multipage/parsing.html#numeric-character-reference-end-state).
_CLEANED = {
    **dict.fromkeys([*range(0x20), 0x7F], " "),
    **{code: bytes([code]).decode("cp1252", "replace").replace("\ufffd", " ") for code in range(0x80, 0xA0)},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **{ord(char): "\n" for char in "\n\r\f\v"},
    ord("\t"): "\t",
}

_ESCAPING = ("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_jp_2004", "iso2022_kr", "hz")

_HIGH_BYTES = bytes(range(0x80, 0x100))
_HIGH_LETTERS = re.compile(rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff]")
_HIGH_RUNS = re.compile(rb"[\xa1-\xff]{4,}")  # three in a row is the most that common Western words have
_ASCII_LETTERS = re.compile(rb"[A-Za-z]")
# Signs that never stand inside a Western word, but are letters in cp1250, cp1251 and others (NBSP, soft hyphen, acute and middle dot may)
_SIGN_IN_WORD = re.compile(rb"(?<=[A-Za-z])[\xa1-\xac\xae-\xb3\xb5\xb6\xb8-\xbf](?=[A-Za-z])")


def decode(data: bytes, label: str, *, declared: str | None = None) -> Decoded:
    """The text in `data`, in the first of these encodings that fits; the one that was taken is named.

    1. That of a byte order mark.
    2. UTF-16, by its zero bytes.
    3. UTF-8. With a few broken bytes it stays UTF-8: each becomes U+FFFD and their number stands in the encoding's name; as cp1252 every
       other accent would turn to rubbish.
    4. What the file declares.
    5. Western (cp1252), where that is plausible. What can not be told from it (Czech, Turkish) is read so, and says so.
    6. What can be told for sure: Cyrillic, Greek, Hebrew, Arabic, Chinese, Japanese and Korean encodings.

    The rest is refused: a wrong guess would change names in silence.

    Args:
        data: The whole file; at least one byte.
        label: How messages name it, ready to print.
        declared: The codec that the file itself names, as `charset.known` gives it; None when it names none, or UTF-8.

    Raises:
        ArticleError: The bytes are no text, or in an encoding that is not sure.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise _not_text(label, f"it looks like {kind}")
    decoded = _by_mark(data, label) or _utf16_by_zero_bytes(data) or _by_bytes(data, label, declared)
    controls = len(_CONTROLS.findall(decoded.text))
    if "\x00" in decoded.text:
        raise _not_text(label, "it has zero bytes, as binary formats have")
    if controls > max(1, len(decoded.text) // _CONTROL_SHARE):
        raise _not_text(label, f"{controls} of its {len(decoded.text)} characters are control characters")
    text, places = mend(decoded.text)  # before cleaning, which takes its control characters for something else
    return Decoded(clean_text(text), f"{decoded.encoding}, mojibake mended in {places} places" if places else decoded.encoding)


def clean_text(text: str) -> str:
    r"""`text` as articles keep it; the same object when there is nothing to do, and doing it twice changes nothing.

    `\r\n`, `\r`, form feed and vertical tab become `\n`; C1 controls become the Windows characters they stand for; any other
    control character but tab becomes a space; a lone surrogate becomes U+FFFD. Nothing else is touched.
    """
    if _TO_CLEAN.search(text) is None:
        return text
    return text.replace("\r\n", "\n").translate(_CLEANED)


def _by_mark(data: bytes, label: str) -> Decoded | None:
    broken: UnicodeDecodeError | None = None
    for mark, codec in _MARKS:
        if data.startswith(mark):
            try:
                return Decoded(data[len(mark) :].decode(codec), f"{codec} (byte order mark)")
            except UnicodeDecodeError as error:
                broken = error
    if broken is None:
        return None
    if data.startswith(codecs.BOM_UTF8):
        return _by_bytes(data[len(codecs.BOM_UTF8) :], label, None)
    at = len(data) - len(broken.object) + broken.start
    looks_like = f"it opens with the byte order mark of {broken.encoding}, but breaks that encoding at byte {at} ({broken.reason})"
    raise _not_text(label, looks_like) from broken


def _utf16_by_zero_bytes(data: bytes) -> Decoded | None:
    """UTF-16 without a mark, of an alphabetic script: of each pair, one byte is zero (ASCII) or that of the one script."""
    if len(data) % 2 or b"\x00" not in data[:_SAMPLE_BYTES]:
        return None
    for high, low, codec in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        rows = Counter(data[high:_SAMPLE_BYTES:2])
        pairs, zeros = rows.total(), rows.pop(0, 0)
        known = zeros + rows.pop(_PUNCTUATION_ROW, 0) + max(rows.values(), default=0)
        others = data[low:_SAMPLE_BYTES:2].count(0)
        if zeros * _UTF16_ZERO_SHARE >= pairs and zeros > others * _UTF16_OTHER_SHARE and (pairs - known) * _UTF16_OTHER_SHARE <= pairs:
            try:
                return Decoded(data.decode(codec), f"{codec} (guessed)")
            except UnicodeDecodeError:
                return None
    return None


def _by_bytes(data: bytes, label: str, declared: str | None) -> Decoded:
    if declared in _ESCAPING and b"\x1b" in data and (found := _in_codec(data, declared, "declared")):
        return found  # seven-bit encodings are UTF-8, too
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        broken = error
    if b"\x00" in data:
        raise _not_text(label, "it has zero bytes, as binary formats have") from broken
    mended = data.decode("utf-8", "replace")
    replaced = mended.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    whole = len(mended) - len(mended.encode("ascii", "ignore")) - replaced
    # Well-formed sequences are next to impossible by chance in Western text; a cut one at the end has its lead byte and one more
    cut_at_end = broken.reason == "unexpected end of data" and len(data) - broken.start > 1
    if whole > 2 * replaced or cut_at_end:
        return Decoded(mended, f"utf-8 (broken in {replaced} places, each now U+FFFD)")
    western = "cp1252" if _plausibly_western(data) else None
    if found := _in_codec(data, declared, "declared") or _in_codec(data, western, "guessed") or _in_codec(data, detected(data), "guessed"):
        return found
    raise _not_text(
        label,
        f"it is neither UTF-8 (byte {broken.start} is {data[broken.start : broken.start + 1]!r}), nor plausible as Western text (cp1252), "
        f"nor surely in any other encoding",
    ) from broken


def _in_codec(data: bytes, codec: str | None, why: str) -> Decoded | None:
    try:
        return Decoded(data.decode(codec), f"{codec} ({why})") if codec else None
    except UnicodeDecodeError:
        return None


def _plausibly_western(data: bytes) -> bool:
    if (len(data) - len(data.translate(None, _HIGH_BYTES))) * 3 > len(data):
        return False
    high = len(_HIGH_LETTERS.findall(data))
    in_runs = sum(map(len, _HIGH_RUNS.findall(data)))
    signs = len(_SIGN_IN_WORD.findall(data))
    plain = len(_ASCII_LETTERS.findall(data))
    # Accented letters are under a tenth of a Western language's, more in a short line; Cyrillic, Greek and Chinese in 8 bits are nearly
    # all high bytes, in runs
    return high * 2 <= plain and in_runs * 10 <= high and signs <= max(1, high // 50)


def _not_text(label: str, looks_like: str) -> ArticleError:
    return ArticleError(f"{label} is not readable as text: {looks_like}. Convert it to UTF-8 text, or leave it out.")
