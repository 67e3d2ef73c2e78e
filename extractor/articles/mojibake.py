"""Text that somebody decoded as Western though it was UTF-8 (`Zelenskyâ€™s`, `â‚¬5`), put right where that is safe.

In: a text. Out: the text and how many places were mended. Floor: articles.
Before changing it: what is mended is what models are shown and evidence is quoted from. So each sequence must be exactly what UTF-8 bytes
of one character look like when read as cp1252 (it turns back into itself), and the text must hold one that ftfy calls nonsense. Curly
quotes, dashes and anything else that is right are never touched; a sequence that lost a byte stays as it is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Mended(NamedTuple):
    """A text without mojibake."""

    text: str
    """The same object when there was none."""
    places: int
    """How many runs of characters were put right."""


def _western(byte: int) -> str:
    # Five bytes mean nothing in cp1252: what reads it nevertheless leaves them as control characters
    return bytes([byte]).decode("cp1252", "ignore") or chr(byte)


_BYTES = {_western(byte): byte for byte in range(0x80, 0x100)} | {chr(byte): byte for byte in range(0x80, 0x100)}

_FIRST = "".join(map(chr, range(0xC2, 0xF5)))  # where a UTF-8 sequence of two, three or four bytes begins
_LATER = "".join(re.escape(char) for char, byte in _BYTES.items() if 0x80 <= byte <= 0xBF)  # noqa: PLR2004 - as UTF-8 has it
_RUN = re.compile(f"(?:[{_FIRST}][{_LATER}]{{1,3}})+")

_DOUBTFUL = re.compile(f"[{_FIRST}][\u2013\u2014\u2018-\u201e\u2026\u00ab\u00bb\u2039\u203a\u00a0]")
"""What right text may hold as well: a capital and a closing quote, as in `AMANHÃ”`. It counts where there is clear nonsense beside it."""

_DEPTH = 2  # text that went through the same mistake twice is found in the wild, three times is not


def mend(text: str) -> Mended:
    """`text` with its clear mojibake put right; nearly always there is none, and that is told fast."""
    places = 0
    for _ in range(_DEPTH):
        right = {run: fixed for run in _runs(text) if (fixed := _reread(run)) is not None}
        if not _is_clear(right.keys()):
            break
        text, count = _replaced(text, right)
        places = max(places, count)
    return Mended(text, places)


def _runs(text: str) -> set[str]:
    return set() if text.isascii() else set(_RUN.findall(text))


def _is_clear(runs: Iterable[str]) -> bool:
    sure = [run for run in runs if not _DOUBTFUL.fullmatch(run)]
    if not sure:
        return False
    from ftfy.badness import is_bad  # start-up must not pay for it

    return any(map(is_bad, sure))


def _replaced(text: str, right: Mapping[str, str]) -> Mended:
    places = 0

    def put_right(found: re.Match[str]) -> str:
        nonlocal places
        places += found[0] in right
        return right.get(found[0], found[0])

    return Mended(_RUN.sub(put_right, text), places)


def _reread(run: str) -> str | None:
    try:
        return bytes(_BYTES[char] for char in run).decode("utf-8")
    except UnicodeDecodeError:
        return None
