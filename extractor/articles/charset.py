"""Which encoding bytes are in, where they are neither marked nor UTF-8: what the file declares, and what can be told for sure.

In: bytes. Out: names of Python codecs, or None. Floor: articles.
Before changing it: a wrong guess changes names in silence, so a reading counts only when it looks like writing: nearly all its letters are
those that its language uses most, capitals and final letters stand where they may, and no other reading does better. Less than a sentence
is refused. 8-bit encodings of Latin letters (Polish, Czech, Turkish) differ in too few letters to tell; they are read where declared.

charset-normalizer 3.5 was tried in this place and left out: of the 190 spans of one Russian paragraph it read 44 wrongly in cp1251 and 120
in KOI8-R (as Chinese, Japanese, Greek or with other capitals), as sure of them as of the others, and Polish as Maltese; this reads none so.
"""

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

_HEAD_BYTES = 4_096  # browsers look at 1,024; saved pages put comments first
_DECLARATIONS = (
    re.compile(rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""", re.IGNORECASE),
    re.compile(rb"""<meta\s[^>]{0,400}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE),
)

_AS_BROWSERS_READ = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
"""Names that stand for a larger encoding (https://encoding.spec.whatwg.org/#names-and-labels)."""

_NO_TEXT_CODECS = ("utf_7", "punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf_8", "utf_8_sig", "undefined", "mbcs", "oem")

_SAMPLE_BYTES = 65_536  # a long article


class _Script(NamedTuple):
    """How the writing of an alphabet looks; shares are of its own letters."""

    letters: re.Pattern[str]
    common: frozenset[str]  # the letters that its languages use most
    common_share: float  # between what right and wrong readings of sentences have
    odd: re.Pattern[str]  # what no spelling has


_CYRILLIC = _Script(
    re.compile(r"[\u0400-\u04ff]"),
    frozenset("оеаинтсрвлкіјПСВНОМ"),
    0.6,
    re.compile(
        r"(?<=[\u0430-\u045f])[\u0400-\u042f]"  # a capital after a small letter
        r"|[^\x00-\x7f\u0400-\u04ff\u00a0«“„‚–—…]+(?=[\u0430-\u045f])"  # a sign before a small letter
        r"|(?<=[\u0430-\u045f])[^\x00-\x7f\u0400-\u04ff\u00a0\u00ad«»“”„‘’‚–—…]"  # or after one
        r"|[\u0402\u0403\u0405\u0408-\u040d\u040f\u0452\u0453\u0455\u0458-\u045d\u045f]"  # letters of few languages
    ),
)
_GREEK = _Script(
    re.compile(r"[\u0384-\u03ce]"),
    frozenset("αιοτεσςνηρπυκάίόέήύ"),
    0.7,
    re.compile(r"σ(?![\u0384-\u03ce])|ς(?=[\u0384-\u03ce])|(?<=[\u03ac-\u03ce])[\u0386-\u03ab]|¶|(?<![\u0384-\u03ce])’(?=[\u03ac-\u03ce])"),
)
_HEBREW = _Script(re.compile(r"[\u05d0-\u05ea]"), frozenset("יוהלאתשרבמ"), 0.6, re.compile(r"[ךםןףץ](?=[\u05d0-\u05ea])"))
_ARABIC = _Script(re.compile(r"[\u0621-\u06d5]"), frozenset("اليمونترب"), 0.6, re.compile(r"ة(?=[\u0621-\u064a])|ى(?=[\u0621-\u064a])"))

_SINGLE_BYTE = {
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "koi8_u": _CYRILLIC,
    "cp866": _CYRILLIC,
    "iso8859_5": _CYRILLIC,
    "cp1253": _GREEK,
    "iso8859_7": _GREEK,
    "cp1255": _HEBREW,
    "cp1256": _ARABIC,
}
"""The more usual first: of two that look the same, it is named."""

_FEWEST_LETTERS = 20  # less than a sentence may be anything
_OF_SCRIPT = 0.6  # letters of the one script, of all letters: addresses and names in Latin letters may stand between
_SMALL_SHARE = 0.6  # of the letters that have a case: KOI8 read as cp1251 and the other way round are nearly all capitals
_ODD_SHARE = 0.05  # of the letters

_WIDE = 0x3400  # ideographs and syllables; kana and CJK punctuation stand below
_FEWEST_WIDE = 10
_COMMON_SHARE = 0.9  # real news has 0.95 and more; Russian read as GBK about 0.5
_MOST_USED = {"gb2312": range(0xB0, 0xD8), "big5": range(0xA4, 0xC7), "euc_kr": range(0xB0, 0xC9)}  # first bytes; the sets begin with them
_SPACE_BETWEEN_WIDE = re.compile(r"(?<=[\u3400-\uffff]) (?=[\u3400-\uffff])")
_KANA = re.compile(r"[\u3041-\u30ff]")
_CHINESE_PARTICLES = frozenset("的一是在不了有和人这這中大为為上个個国國我以要他时時来來们們与與于於及")
_FEWEST_HIRAGANA = 8
_HIRAGANA_SHARE = 0.25  # Japanese sentences hold as many hiragana as ideographs
_HANGUL_RUN = re.compile(r"[\uac00-\ud7a3]+")
_LONGEST_KOREAN = 12  # syllables of one word


def declared_in_markup(data: bytes) -> str | None:
    """The codec that an XML declaration or a `<meta>` names at the head of `data`; None when there is none that Python knows."""
    head = data[:_HEAD_BYTES]
    for form in _DECLARATIONS:
        if (found := form.search(head)) and (codec := known(found[1].decode("ascii"))):
            return codec
    return None


def known(name: str | None) -> str | None:
    """The codec to use for a declared name, as browsers read it; None for a name that is unknown or no charset's, and for UTF-8."""
    try:
        codec = codecs.lookup((name or "").strip())
    except (LookupError, ValueError):  # ValueError: a zero character
        return None
    if not codec._is_text_encoding or codec.name.replace("-", "_") in _NO_TEXT_CODECS:  # noqa: SLF001 - bytes.decode asks this, too
        return None
    return _AS_BROWSERS_READ.get(codec.name, codec.name)


def detected(data: bytes) -> str | None:
    """The codec that `data` is surely in; None where it can not be told. Not for Western text, which `decode` tries before."""
    sample = data[:_SAMPLE_BYTES]
    for codec, is_written in _MULTI_BYTE:
        if (text := _decoded(sample, codec)) is not None and is_written(text):
            return codec
    odd = {codec: odd for codec, script in _SINGLE_BYTE.items() if (odd := _oddities(_decoded(sample, codec) or "", script)) is not None}
    best = min(odd, key=lambda codec: odd[codec], default=None)
    if best == "cp1251" and (mac := _decoded(sample, "mac_cyrillic")) is not None and len(_CYRILLIC.odd.findall(mac)) < odd[best]:
        return "mac_cyrillic"  # the same small letters, but other capitals
    return best


def _oddities(text: str, script: _Script) -> int | None:
    """How much in a reading is odd; None where it does not look like writing."""
    own = script.letters.findall(text)
    if len(own) < max(_FEWEST_LETTERS, _OF_SCRIPT * sum(map(str.isalpha, text))):
        return None
    odd, common = len(script.odd.findall(text)), sum(letter in script.common for letter in own)
    small, capital = sum(map(str.islower, own)), sum(map(str.isupper, own))
    if common < script.common_share * len(own) or odd > _ODD_SHARE * len(own) or small < _SMALL_SHARE * (small + capital):
        return None
    return odd


def _is_chinese(text: str) -> bool:
    return _is_common(text, "gb2312") and _reads_chinese(text)


def _is_traditional_chinese(text: str) -> bool:
    return _is_common(text, "big5") and _reads_chinese(text)


def _reads_chinese(text: str) -> bool:
    # Chinese has no spaces between its words, no kana, and a few words without which no sentence is written
    wide = [char for char in text if ord(char) >= _WIDE]
    strange = len(_SPACE_BETWEEN_WIDE.findall(text)) + len(_KANA.findall(text))
    return strange * 20 <= len(wide) and sum(char in _CHINESE_PARTICLES for char in wide) * 20 >= len(wide)


def _is_korean(text: str) -> bool:
    # Koreans write spaces between words, and Cyrillic read as Korean has long runs without
    longest = max((len(run) for run in _HANGUL_RUN.findall(text)), default=0)
    return _is_common(text, "euc_kr") and longest <= _LONGEST_KOREAN


def _is_common(text: str, codec: str) -> bool:
    """Whether nearly all ideographs or syllables are among the most used, which such sets list first; other scripts hit them at random."""
    wide = [char for char in text if ord(char) >= _WIDE]
    common = sum(char.encode(codec, "replace")[0] in _MOST_USED[codec] for char in wide)  # what the set has not is a question mark
    return common >= _FEWEST_WIDE and common >= _COMMON_SHARE * len(wide)


def _is_japanese(text: str) -> bool:
    hiragana = sum("\u3041" <= char <= "\u3096" for char in text)
    halfwidth = sum("\uff61" <= char <= "\uff9f" for char in text)
    wide = sum(ord(char) >= _WIDE for char in text)
    return hiragana >= _FEWEST_HIRAGANA and hiragana >= _HIRAGANA_SHARE * wide and halfwidth * 20 <= wide


_MULTI_BYTE: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("cp932", _is_japanese),
    ("euc_jp", _is_japanese),
    ("cp949", _is_korean),  # before Chinese: all its syllables are common ideographs there, but not the other way round
    ("gb18030", _is_chinese),
    ("big5hkscs", _is_traditional_chinese),
)


def _decoded(sample: bytes, codec: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample)  # incremental: the sample may end within a character
    except UnicodeDecodeError:
        return None
