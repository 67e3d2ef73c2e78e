"""Where words stand in an article: exactly, or after one documented normalisation, at token boundaries, with original offsets.

In: the article's text and words that a model says are in it. Out: spans into that text. Floor: evidence.
Before changing it: a match may differ from the text in the ways listed at `normalise` and in no other; never in a letter or a digit.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from extractor.records import Span

MIN_WORDS_FOR_CASE = 4
"""Quotes of this many words or more may differ in letter case: shorter ones could turn "may" into "May" or "us" into "US"."""

_QUOTE_MARKS = "\"'`´‘’‚‛“”„‟′″‹›«»"
_DASHES = "-‐‑‒–—―−"
_SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())  # no white space lies beyond U+3000
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero-width space, word joiner, stray BOM
_EXPANDED = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "…": "..."}

_ONE_TO_ONE = str.maketrans({**dict.fromkeys(_QUOTE_MARKS, "'"), **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_SPACES, " ")})
_LENGTH_CHANGING = re.compile(f"[ {_INVISIBLE}]{{2,}}|[{_INVISIBLE}]|[{''.join(_EXPANDED)}]")

_GROUP_SPACES = "\u00a0\u202f\u2009"  # between the digits of 1 200; a plain space is also what parts a year from a count
_THREE_DIGITS = re.compile(r"\d{3}(?!\d)")
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])['\"”’»)]*\s+|\n+")


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


def normalise(text: str) -> Normalised:
    """`text` with its typography evened out: NFC, one kind of space, quote mark and dash, no soft hyphens, no ligatures."""
    pieces = [(0, len(text), text.translate(_ONE_TO_ONE))] if unicodedata.is_normalized("NFC", text) else _composed(text)
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


def _composed(text: str) -> list[tuple[int, int, str]]:
    """Stretches of `text` in NFC: long ones that are so already, and each base letter with its marks on its own."""
    pieces = []
    plain = at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (unicodedata.combining(text[end]) or "\u1160" <= text[end] <= "\u11ff"):  # marks; Hangul vowels and tails
            end += 1
        cluster = text[at:end]
        if not unicodedata.is_normalized("NFC", cluster):
            if plain < at:
                pieces.append((plain, at, text[plain:at].translate(_ONE_TO_ONE)))
            pieces.append((at, end, unicodedata.normalize("NFC", cluster).translate(_ONE_TO_ONE)))
            plain = end
        at = end
    if plain < len(text):
        pieces.append((plain, len(text), text[plain:].translate(_ONE_TO_ONE)))
    return pieces


class Ground:
    """One article's text, ready to be searched."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._normalised: Normalised | None = None
        self._folded: str | None = None
        self._sentences: list[tuple[Span, Counter[str]]] | None = None

    def find(self, words: str, *, within: Sequence[Span] | None = None, any_case: bool = False) -> list[Span]:
        """Every place where `words` stand, in text order.

        Args:
            words: What to find. White space at its ends does not count; without any word character it is nowhere.
            within: Only places that lie wholly inside one of these spans; None is the whole text.
            any_case: Letter case may differ whatever the number of words (for names); otherwise from four words on.

        Returns:
            Original spans: the exact matches where there are any, otherwise those after normalisation, otherwise those in another case.
        """
        words = words.strip(_SPACES + _INVISIBLE)
        if not _WORD.search(words):
            return []
        places = self._exact(words) or self._typographic(words, any_case=any_case)
        if within is not None:
            places = [place for place in places if any(span.start <= place.start and place.end <= span.end for span in within)]
            if not places and words in self.text:  # the exact places lie elsewhere; the ones inside may differ in typography
                places = [
                    place
                    for place in self._typographic(words, any_case=any_case)
                    if any(span.start <= place.start and place.end <= span.end for span in within)
                ]
        return places

    def _exact(self, words: str) -> list[Span]:
        return [Span(start=at, end=at + len(words)) for at in _occurrences(self.text, words)]

    def _typographic(self, words: str, *, any_case: bool) -> list[Span]:
        if self._normalised is None:
            self._normalised = normalise(self.text)
        wanted = normalise(words).text.strip(" ")
        haystack = self._normalised.text
        found = list(_occurrences(haystack, wanted))
        if not found and (any_case or len(wanted.split()) >= MIN_WORDS_FOR_CASE):
            if self._folded is None:
                self._folded = _fold(haystack)
            found = list(_occurrences(self._folded, _fold(wanted)))
        return [self._normalised.span(at, at + len(wanted)) for at in found]

    def closest(self, words: str, count: int = 1) -> list[Span]:
        """The sentences that share most words with `words`, best first; fewer than `count` when no others share any."""
        if self._sentences is None:
            self._sentences = [(span, _bag(span.of(self.text))) for span in sentences(self.text)]
        wanted = _bag(words)
        scored = [(_overlap(wanted, bag), span) for span, bag in self._sentences]
        return [span for score, span in sorted(scored, key=lambda pair: (-pair[0], pair[1].start))[:count] if score > 0]

    def paragraph(self, span: Span) -> Span:
        """The paragraphs in which `span` lies, from blank line to blank line."""
        before = self.text.rfind("\n\n", 0, span.start)
        after = self.text.find("\n\n", span.end)
        return Span(start=before + 2 if before >= 0 else 0, end=after if after >= 0 else len(self.text))


def choose(places: Sequence[Sequence[Span]]) -> list[Span]:
    """One place for each quote of a fact, so that they stand as close together as can be, whatever their order in the reply.

    Args:
        places: For each quote all the places where it stands; none of them empty.
    """
    if not places:
        return []
    rarest = min(places, key=len)
    nearest = ([min(options, key=lambda span, a=anchor: (_gap(span, a), span.start)) for options in places] for anchor in rarest)  # type: ignore[misc]
    return min(nearest, key=lambda spans: (max(s.end for s in spans) - min(s.start for s in spans), spans[0].start))


def sentences(text: str) -> list[Span]:
    """The sentences of `text`, roughly: for windows and messages, never for what counts as evidence."""
    edges = [0, *chain.from_iterable(found.span() for found in _SENTENCE_END.finditer(text)), len(text)]
    return [Span(start=begin, end=end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]


def _occurrences(haystack: str, needle: str) -> list[int]:
    found = []
    at = haystack.find(needle)
    while at >= 0:
        if _starts_token(haystack, at) and _ends_token(haystack, at + len(needle)):
            found.append(at)
        at = haystack.find(needle, at + 1)
    return found


def _is_wordlike(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.combining(char) != 0


def _starts_token(text: str, at: int) -> bool:
    """Whether a token may begin at `at`: "3" does not in "13", "one" not in "drones", "5" not in "3.5", "16" not in "F-16"."""
    if at == 0:
        return True
    before, first = text[at - 1], text[at]
    if _is_wordlike(before) and _is_wordlike(first):
        return False
    if not first.isdigit() or at == 1:
        return True
    earlier = text[at - 2]
    if before in ".," and earlier.isdigit():
        return False
    if before in _DASHES and earlier.isalpha():
        return False
    return not (before in _GROUP_SPACES and earlier.isdigit() and _THREE_DIGITS.match(text, at))


def _ends_token(text: str, end: int) -> bool:
    """Whether a token may end before `end`: "3" does not in "3.5", "10" not in "10²", "1" not in "1 200" with a group space."""
    if end >= len(text):
        return True
    last, after = text[end - 1], text[end]
    if _is_wordlike(last) and _is_wordlike(after):
        return False
    if not last.isdigit():
        return True
    following = text[end + 1 : end + 2]
    if after in ".," and following.isdigit():
        return False
    return not (after in _GROUP_SPACES and _THREE_DIGITS.match(text, end + 1))


def _fold(text: str) -> str:
    """`text` in lower case, of the same length: letters whose lower case is longer stay as they are."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _bag(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


def _overlap(wanted: Counter[str], bag: Counter[str]) -> float:
    shared = (wanted & bag).total()
    # F-measure of shared words: a long sentence does not win by its length alone
    return 2 * shared / (wanted.total() + bag.total()) if shared else 0.0


def _gap(one: Span, other: Span) -> int:
    return max(one.start - other.end, other.start - one.end, 0)
