"""Where words stand in an article: exactly, or after one documented normalisation, at token boundaries, with original offsets.

In: the article's text and words that a model says are in it. Out: spans into that text. Floor: evidence.
Before changing it: a match may differ from the text in the ways listed at `normalise` and in no other; never in a letter or a digit.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from extractor.records import Span

MIN_WORDS_FOR_CASE = 4
"""Quotes of this many words or more may differ in letter case: shorter ones could turn "may" into "May" or "us" into "US"."""

_QUOTE_MARKS = "\"'`´‘’‚‛“”„‟′″‹›«»"
_DASHES = "-‐‑‒–—―−"
_SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())  # no white space lies beyond U+3000
_INVISIBLE = "\u00ad\u200b\u2060\ufeff\ufe0e\ufe0f"  # soft hyphen, zero-width space, word joiner, stray BOM, text or emoji style
_EXPANDED = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "…": "..."}

_ONE_TO_ONE = str.maketrans({**dict.fromkeys(_QUOTE_MARKS, "'"), **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_SPACES, " ")})
_LENGTH_CHANGING = re.compile(f"[ {_INVISIBLE}]{{2,}}|[{_INVISIBLE}]|[{''.join(_EXPANDED)}]")

_DIGIT_JOINTS = ".,:'’·/\u2044"  # between digits they make one token: 3.5, 1,200, 1'200, 3/4, 10:30
_NAME_DASHES = "-‐‑‒–−"  # of F-16; a long dash parts clauses
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

    def is_edge(self, at: int) -> bool:
        """Whether `at` lies between characters of the original, and not inside a replaced stretch."""
        stretch = bisect_right(self.starts, at) - 1
        return at in (self.starts[stretch], len(self.text)) or not self.atoms[stretch]


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
        while end < len(text) and (_is_mark(text[end]) or "\u1160" <= text[end] <= "\u11ff"):  # marks; Hangul vowels and tails
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
        for tier in self._tiers(words, any_case=any_case):
            if places := tier if within is None else [place for place in tier if any(_holds(span, place) for span in within)]:
                return places
        return []

    def _tiers(self, words: str, *, any_case: bool) -> Iterator[list[Span]]:
        """The exact places, then those in any typography, then those in any case where that is allowed."""
        exact = (Span(start=at, end=at + len(words)) for at in _occurrences(self.text, words))
        yield [place for place in exact if _is_whole(self.text, place)]
        if self._normalised is None:
            self._normalised = normalise(self.text)
        wanted = normalise(words).text.strip(" ")
        yield self._originals(self._normalised, _occurrences(self._normalised.text, wanted), len(wanted))
        count = len(wanted.split())
        if any_case or count >= MIN_WORDS_FOR_CASE:
            if self._folded is None:
                self._folded = _fold(self._normalised.text)
            places = self._originals(self._normalised, _occurrences(self._folded, _fold(wanted)), len(wanted))
            # "US" is not "us", nor "Turkey" a turkey
            capital = count == 1 and _has_capital(words)
            yield [place for place in places if not capital or _has_capital(place.of(self.text))]

    def _originals(self, normal: Normalised, found: Sequence[int], length: int) -> list[Span]:
        """The original spans at `found`, places of the normalised text; only those of whole tokens."""
        spans = [normal.span(at, at + length) for at in found if normal.is_edge(at) and normal.is_edge(at + length)]
        return [span for span in spans if _is_whole(self.text, span)]

    def closest(self, words: str, count: int = 1) -> list[Span]:
        """The sentences that share most words with `words`, best first; fewer than `count` when no others share any."""
        if self._sentences is None:
            self._sentences = [(span, _bag(span.of(self.text))) for span in sentences(self.text)]
        wanted = _bag(words)
        size = wanted.total()
        scored = [(_overlap(bag, wanted, size), span) for span, bag in self._sentences]
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
    sets = [sorted(options, key=lambda span: span.start) for options in places]
    starts = [[span.start for span in options] for options in sets]
    rarest = min(sets, key=len)
    nearest = ([_nearest(options, begins, anchor) for options, begins in zip(sets, starts, strict=True)] for anchor in rarest)
    return min(nearest, key=lambda spans: (max(s.end for s in spans) - min(s.start for s in spans), spans[0].start))


def _nearest(options: Sequence[Span], starts: Sequence[int], anchor: Span) -> Span:
    """The option nearest to `anchor`, the first of equals; a look-up, since a reply may quote "the" a hundred times."""
    at = min(bisect_left(starts, anchor.start), len(options) - 1)
    while at and _gap(options[at - 1], anchor) <= _gap(options[at], anchor):
        at -= 1
    return options[at]


def sentences(text: str) -> list[Span]:
    """The sentences of `text`, roughly: for windows and messages, never for what counts as evidence."""
    edges = [0, *chain.from_iterable(found.span() for found in _SENTENCE_END.finditer(text)), len(text)]
    return [Span(start=begin, end=end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]


def _occurrences(haystack: str, needle: str) -> list[int]:
    found = []
    at = haystack.find(needle)
    while at >= 0:
        found.append(at)
        at = haystack.find(needle, at + 1)
    return found


def _is_whole(text: str, span: Span) -> bool:
    """Whether tokens begin and end at the edges of `span`."""
    return _starts_token(text, span.start) and _ends_token(text, span.end)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


def _is_wordlike(char: str) -> bool:
    return char.isalnum() or char == "_" or _is_mark(char)


def _has_capital(text: str) -> bool:
    return any(char.isupper() for char in text)


def _beside(text: str, at: int, step: int) -> str:
    """The two characters from `at` on in the direction of `step`, nearest first; what cannot be seen does not part tokens."""
    seen = ""
    while 0 <= at < len(text) and len(seen) < len("F-"):
        if text[at] not in _INVISIBLE and unicodedata.category(text[at]) != "Cf":
            seen += text[at]
        at += step
    return seen


def _starts_token(text: str, at: int) -> bool:
    """Whether a token may begin at `at`: "3" does not in "13", "one" not in "drones", "5" not in "3.5", "16" not in "F-16"."""
    first, before, earlier = text[at], *_padded(_beside(text, at - 1, -1))
    if _is_wordlike(before) and _is_wordlike(first):
        return False
    if not first.isdigit():
        return True
    if earlier.isdigit() and (before in _DIGIT_JOINTS or (before in _GROUP_SPACES and _THREE_DIGITS.match(text, at))):
        return False
    return not (before in _NAME_DASHES and earlier.isalpha())


def _ends_token(text: str, end: int) -> bool:
    """Whether a token may end before `end`: "3" does not in "3.5", "10" not in "10²", "1" not in "1 200" with a group space."""
    last, after, following = text[end - 1], *_padded(_beside(text, end, 1))
    if _is_wordlike(last) and _is_wordlike(after):
        return False
    if not last.isdigit() or not following.isdigit():
        return True
    return not (after in _DIGIT_JOINTS or (after in _GROUP_SPACES and _THREE_DIGITS.match(text, end + 1)))


def _padded(seen: str) -> tuple[str, str]:
    return seen[:1] or "\n", seen[1:] or "\n"


def _fold(text: str) -> str:
    """`text` in lower case, of the same length: letters whose lower case is longer stay as they are."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _bag(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


def _overlap(bag: Counter[str], wanted: Counter[str], size: int) -> float:
    shared = (bag & wanted).total()  # in this order it costs what the sentence is long, whatever a reply gives as a quote
    # F-measure of shared words: a long sentence does not win by its length alone
    return 2 * shared / (size + bag.total()) if shared else 0.0


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _gap(one: Span, other: Span) -> int:
    return max(one.start - other.end, other.start - one.end, 0)
