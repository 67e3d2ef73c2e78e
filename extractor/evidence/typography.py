"""What may differ between a quote and the article without being a difference: typography, and the marks of Markdown.

In: a text. Out: the text without it, and the way back to the original's offsets. Floor: evidence.
Before changing it: what is evened out here is believed to be the same text; it is never a letter or a digit.
"""

import re
import unicodedata
from bisect import bisect_right
from typing import NamedTuple

from extractor.records import Span

_QUOTE_MARKS = "\"'`´‘’‚‛“”„‟′″‹›«»"
_DASHES = "-‐‑‒–—―−"
SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())  # no white space lies beyond U+3000
INVISIBLE = (
    "\u00ad\u200b\u2060\ufeff\ufe0e\ufe0f"  # soft hyphen, zero-width space, word joiner, stray BOM, text or emoji style
    "\u200c\u200d"  # zero-width non-joiner and joiner, which models drop from Persian and Hindi
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # directions of Arabic and Hebrew
)
_EXPANDED = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "…": "..."}

_EVENED = {**dict.fromkeys(_QUOTE_MARKS, "'"), **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(SPACES, " ")}
# str.translate would look up each character of a text that is not all ASCII, and nearly all of them stay
_UNEVEN = re.compile(f"[{re.escape(''.join(char for char, even in _EVENED.items() if char != even))}]")
_LENGTH_CHANGING = re.compile(f" [ {INVISIBLE}]+|[{INVISIBLE}][ {INVISIBLE}]*|[{''.join(_EXPANDED)}]")

_MARK = re.compile(r"[*_\\\]>#\xad]")  # each of these has one of them
_MARKS = re.compile(
    r"""
      !\[[^\[\]\n]{0,300}\]\((?:[^()\s]++|\([^()\s]*+\))*+(?:[ ]+"[^"\n]{0,300}")?\)  # ![alt](address): a picture
    | \[(?=[^\[\]\n]{1,300}\][(\[])                                              # the opening of [text](address) or [text][label]
    | \]\((?:[^()\s]++|\([^()\s]*+\))*+(?:[ ]+"[^"\n]{0,300}")?\)                  # and its end
    | \]\[[^\[\]\n]{0,80}\]
    | (?<=\S)\*{1,3} | \*{1,3}(?=\S)                                               # *emphasis*, but not 5 * 3
    | (?<![^\W_])_{1,3}(?=\S) | (?<=\S)_{1,3}(?![^\W_])                            # _emphasis_, but not snake_case
    | \\(?=[!-/:-@\[-`{-~])                                                       # \$5
    | -\xad                                                                     # a hyphen at a line's end that may be the word's own
    | ^[ ]{0,3}(?:>[ \t]?)++ | ^[#]{1,6}[ \t]+                                      # quoted lines, headings
    """,
    re.VERBOSE | re.MULTILINE,
)


class Normalised(NamedTuple):
    """A text without its typography, and the way back."""

    text: str
    """What is compared."""
    starts: list[int]
    """Offsets in `text` at which a stretch begins, ascending, from 0."""
    origins: list[int]
    """For each stretch, the offset in the original text where it begins."""
    atoms: list[int]
    """For each stretch, the length of the original it replaces as one whole; 0 where it is a copy, code point by code point."""

    def span(self, start: int, end: int) -> Span:
        """The original span of `text[start:end]`; a half of a replaced stretch counts as the whole of it."""
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, end - 1) - 1
        begin = self.origins[first] + (0 if self.atoms[first] else start - self.starts[first])
        stop = self.origins[last] + (self.atoms[last] or end - self.starts[last])
        return Span(start=begin, end=stop)

    def is_edge(self, at: int) -> bool:
        """Whether `at` lies between characters of the original, and not inside a replaced stretch."""
        stretch = bisect_right(self.starts, at) - 1
        return at in (self.starts[stretch], len(self.text)) or not self.atoms[stretch]


def normalise(text: str) -> Normalised:
    """`text` with its typography evened out: NFC, one kind of space, quote mark and dash, no soft hyphens, no ligatures."""
    pieces = [(0, len(text), _even(text))] if unicodedata.is_normalized("NFC", text) else _composed(text)
    out: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    atoms: list[int] = []
    length = 0

    def add(origin: int, words: str, atom: int) -> None:
        nonlocal length
        if words:
            out.append(words)
            starts.append(length)
            origins.append(origin)
            atoms.append(atom)
            length += len(words)

    for begin, end, piece in pieces:
        if len(piece) != end - begin:
            add(begin, piece, end - begin)
            continue
        done = 0
        for found in _LENGTH_CHANGING.finditer(piece):
            add(begin + done, piece[done : found.start()], 0)
            words = _EXPANDED.get(found.group()) or (" " if " " in found.group() else "")
            add(begin + found.start(), words, found.end() - found.start())
            done = found.end()
        add(begin + done, piece[done:], 0)
    return Normalised("".join(out), starts, origins, atoms)


def unmarked(text: str) -> Normalised:
    """`text` without the marks of Markdown: emphasis, links, pictures, escapes, headings and quoted lines (https://spec.commonmark.org).

    A hyphen with a soft hyphen behind it, which the reader of PDFs puts where a word was perhaps only broken at a line's end, goes as well.

    A mark that parts a digit from another or from a letter stays: `13[4](#note)` is not 134.
    """
    if _MARK.search(text) is None:
        return Normalised(text, [0], [0], [0])
    out: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    length = done = 0
    last = ""

    def add(end: int) -> None:
        nonlocal length, last
        if done < end:
            out.append(text[done:end])
            starts.append(length)
            origins.append(done)
            length += end - done
            last = text[end - 1]

    for found in _MARKS.finditer(text):
        add(found.start())
        following = text[found.end() : found.end() + 1]
        would_join = last.isalnum() and following.isalnum() and (last.isdigit() or following.isdigit())
        done = found.start() if would_join else found.end()
    add(len(text))
    return Normalised("".join(out), starts, origins, [0] * len(starts))


def _even(text: str) -> str:
    return _UNEVEN.sub(lambda found: _EVENED[found[0]], text)


def _composed(text: str) -> list[tuple[int, int, str]]:
    """Stretches of `text` in NFC: long ones that are so already, and each base letter with its marks on its own."""
    pieces = []
    plain = at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (is_mark(text[end]) or "\u1160" <= text[end] <= "\u11ff"):  # marks; Hangul vowels and tails
            end += 1
        cluster = text[at:end]
        if not unicodedata.is_normalized("NFC", cluster):
            if plain < at:
                pieces.append((plain, at, _even(text[plain:at])))
            pieces.append((at, end, _even(unicodedata.normalize("NFC", cluster))))
            plain = end
        at = end
    if plain < len(text):
        pieces.append((plain, len(text), _even(text[plain:])))
    return pieces


def is_mark(char: str) -> bool:
    """Whether a character is a combining mark."""
    return unicodedata.category(char).startswith("M")
