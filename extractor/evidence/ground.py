"""Where words stand in an article: exactly, or after one documented normalisation, at token boundaries, with original offsets.

In: the article's text and words that a model says are in it. Out: spans into that text. Floor: evidence.
Before changing it: a match may differ from the text in the ways listed in `typography` and in no other; never in a letter or a digit.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import chain

from extractor.evidence.typography import INVISIBLE, SPACES, Normalised, is_mark, normalise, unmarked
from extractor.records import Span

MIN_WORDS_FOR_CASE = 4
"""Quotes of this many words or more may differ in letter case: shorter ones could turn "may" into "May" or "us" into "US"."""
MOST_OVERLAPS = 100
"""Places in a row that run into each other: more are no article's ("a a a …"), and each costs the length of what is looked for."""

_DIGIT_JOINTS = ".,:'’·/\u2044"  # between digits they make one token: 3.5, 1,200, 1'200, 3/4, 10:30
_NAME_DASHES = "-‐‑‒–−"  # of F-16; a long dash parts clauses
_GROUP_SPACES = "\u00a0\u202f\u2009"  # between the digits of 1 200; a plain space is also what parts a year from a count
_BLANK = SPACES + INVISIBLE
_SPACE = " \n"  # what parts most tokens, whatever they are
_THREE_DIGITS = re.compile(r"\d{3}(?!\d)")
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])['\"”’»)]*\s+|\n+")


class Ground:
    """One article's text, ready to be searched."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._normalised: Normalised | None = None
        self._folded: str | None = None
        self._unmarked: tuple[Normalised, Ground] | None = None
        self._found: dict[tuple[str, bool], list[Span]] = {}
        self._sentences: _Sentences | None = None

    def find(self, words: str, *, within: Sequence[Span] | None = None, any_case: bool = False) -> list[Span]:
        """Every place where `words` stand, in text order.

        Args:
            words: What to find. White space at its ends does not count; without any word character it is nowhere.
            within: Only places that lie wholly inside one of these spans; None is the whole text.
            any_case: Letter case may differ whatever the number of words (for names); otherwise from four words on.

        Returns:
            Original spans: the exact matches where there are any, otherwise those after normalisation, otherwise those in another case,
            otherwise those without the marks of Markdown.
        """
        words = words.strip(_BLANK)
        if not _WORD.search(words):
            return []
        if within is not None:
            return self._exact(words, within) or self._loose_within(words, within, any_case=any_case)
        # facts of one article share names and quotes; a reply of thousands may quote "the" in each
        if (words, any_case) not in self._found:
            self._found[words, any_case] = self._exact(words) or next(filter(None, self._loose(words, any_case=any_case)), [])
        return self._found[words, any_case]

    def _exact(self, words: str, within: Sequence[Span] | None = None) -> list[Span]:
        """The exact places; only inside some spans, where any are given."""
        if within is None:
            starts = _occurrences(self.text, words)
        else:
            starts = [at for span in within for at in _occurrences(self.text, words, span.start, span.end)]
            if len(within) > 1:
                starts = sorted(set(starts))
        length = len(words)
        return [Span(start=at, end=at + length) for at in starts if _is_whole(self.text, at, at + length)]

    def _loose_within(self, words: str, within: Sequence[Span], *, any_case: bool) -> list[Span]:
        tiers = self._loose(words, any_case=any_case)
        inside = ([place for place in tier if any(_holds(span, place) for span in within)] for tier in tiers)
        return next(filter(None, inside), [])

    def _loose(self, words: str, *, any_case: bool) -> Iterator[list[Span]]:
        """The places in any typography, those in any case where that is allowed, and the same without marks."""
        yield from self._uneven(words, any_case=any_case)
        if self._unmarked is None:
            text = unmarked(self.text)
            self._unmarked = text, Ground(text.text)
        text, shown = self._unmarked
        wanted = unmarked(words).text.strip(_BLANK)
        if _WORD.search(wanted) and (len(text.text) < len(self.text) or wanted != words):
            # marks are taken out once, and not of what is left
            for tier in chain([shown._exact(wanted)], shown._uneven(wanted, any_case=any_case)):  # noqa: SLF001 - its own kind
                yield [text.span(place.start, place.end) for place in tier]

    def _uneven(self, words: str, *, any_case: bool) -> Iterator[list[Span]]:
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
        return [span for span in spans if _is_whole(self.text, span.start, span.end)]

    def closest(self, words: str, count: int = 1) -> list[Span]:
        """The sentences that share most words with `words`, best first; fewer than `count` when no others share any."""
        if self._sentences is None:
            self._sentences = _Sentences(self.text)
        return self._sentences.closest(bag(words), count)

    def paragraph(self, span: Span) -> Span:
        """The paragraphs in which `span` lies, from blank line to blank line."""
        before = self.text.rfind("\n\n", 0, span.start)
        after = self.text.find("\n\n", span.end)
        return Span(start=before + 2 if before >= 0 else 0, end=after if after >= 0 else len(self.text))


class _Sentences:
    """The sentences of a text by the words in them, so that a quote is compared only with those that share one."""

    def __init__(self, text: str) -> None:
        self.spans = sentences(text)
        self._sizes: list[int] = []
        self._holding: dict[str, list[tuple[int, int]]] = {}
        for number, span in enumerate(self.spans):
            words = bag(span.of(text))
            self._sizes.append(words.total())
            for word, count in words.items():
                self._holding.setdefault(word, []).append((number, count))

    def closest(self, wanted: Counter[str], count: int) -> list[Span]:
        """The sentences that share most words, by an F-measure: a long one does not win by its length alone; best first, then in order."""
        shared: Counter[int] = Counter()
        for word, times in wanted.items():
            for number, there in self._holding.get(word, ()):
                shared[number] += min(times, there)
        size = wanted.total()
        best = nsmallest(count, shared.items(), key=lambda pair: (-2 * pair[1] / (self._sizes[pair[0]] + size), pair[0]))
        return [self.spans[number] for number, _ in best]


def choose(places: Sequence[Sequence[Span]]) -> list[Span]:
    """One place for each quote of a fact, so that they stand as close together as can be, whatever their order in the reply.

    Args:
        places: For each quote all the places where it stands, in text order; none of them empty.
    """
    if all(len(options) == 1 for options in places):
        return [options[0] for options in places]
    rarest = min(places, key=len)
    nearest = ([_nearest(options, anchor) for options in places] for anchor in rarest)
    return min(nearest, key=lambda spans: (max(s.end for s in spans) - min(s.start for s in spans), spans[0].start))


def _nearest(options: Sequence[Span], anchor: Span) -> Span:
    """The option nearest to `anchor`, the first of equals; a look-up, since a reply may quote "the" a hundred times."""
    at = min(bisect_left(options, anchor.start, key=lambda span: span.start), len(options) - 1)
    while at and _gap(options[at - 1], anchor) <= _gap(options[at], anchor):
        at -= 1
    return options[at]


def sentences(text: str) -> list[Span]:
    """The sentences of `text`, roughly: for windows and messages, never for what counts as evidence."""
    edges = [0, *chain.from_iterable(found.span() for found in _SENTENCE_END.finditer(text)), len(text)]
    return [Span(start=begin, end=end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]


def _occurrences(haystack: str, needle: str, start: int = 0, end: int | None = None) -> list[int]:
    found: list[int] = []
    overlaps = 0
    at = haystack.find(needle, start, end)
    while at >= 0:
        overlaps = overlaps + 1 if found and at < found[-1] + len(needle) else 0
        found.append(at)
        at = haystack.find(needle, at + (1 if overlaps < MOST_OVERLAPS else len(needle)), end)
    return found


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether tokens begin at `start` and end before `end`."""
    return _starts_token(text, start) and _ends_token(text, end)


def _is_wordlike(char: str) -> bool:
    return char.isalnum() or char == "_" or is_mark(char)


def _has_capital(text: str) -> bool:
    return any(char.isupper() for char in text)


def _beside(text: str, at: int, step: int) -> str:
    """The two characters from `at` on in the direction of `step`, nearest first; what cannot be seen does not part tokens."""
    seen = ""
    while 0 <= at < len(text) and len(seen) < len("F-"):
        char = text[at]
        if char.isascii() or (char not in INVISIBLE and unicodedata.category(char) != "Cf"):
            seen += char
        at += step
    return seen


def _starts_token(text: str, at: int) -> bool:
    """Whether a token may begin at `at`: "3" does not in "13", "one" not in "drones", "5" not in "3.5", "-16" not in "F-16"."""
    if at == 0 or text[at - 1] in _SPACE:
        return True
    first, before, earlier = text[at], *_padded(_beside(text, at - 1, -1))
    if _joins(first, before, text[at + 1 : at + 2]):
        return False
    if _is_wordlike(before) and _is_wordlike(first):
        return False
    if not first.isdigit():
        return True
    if earlier.isdigit() and (before in _DIGIT_JOINTS or (before in _GROUP_SPACES and _THREE_DIGITS.match(text, at))):
        return False
    return not (before in _NAME_DASHES and earlier.isalpha())


def _ends_token(text: str, end: int) -> bool:
    """Whether a token may end before `end`: "3" and "3." do not in "3.5", "10" not in "10²", "1" not in "1 200" with a group space."""
    if end == len(text) or text[end] in _SPACE:
        return True
    last, after, following = text[end - 1], *_padded(_beside(text, end, 1))
    if end > 1 and _joins(last, text[end - 2], after):
        return False
    if _is_wordlike(last) and _is_wordlike(after):
        return False
    if not last.isdigit() or not following.isdigit():
        return True
    return not (after in _DIGIT_JOINTS or (after in _GROUP_SPACES and _THREE_DIGITS.match(text, end + 1)))


def _joins(sign: str, before: str, after: str) -> bool:
    """Whether a sign stands inside a number or a name with one: the "." of "3.5", the "-" of "F-16"; not the "." of "2025.³"."""
    if not after.isdecimal():
        return False
    return before.isdecimal() if sign in _DIGIT_JOINTS else sign in _NAME_DASHES and before.isalnum()


def _padded(seen: str) -> tuple[str, str]:
    return seen[:1] or "\n", seen[1:] or "\n"


def _fold(text: str) -> str:
    """`text` in lower case, of the same length: letters whose lower case is longer stay as they are."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(low if len(low := char.lower()) == 1 else char for char in text)


def bag(text: str) -> Counter[str]:
    """The words of `text` in lower case, with how often each stands there."""
    return Counter(_WORD.findall(text.lower()))


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _gap(one: Span, other: Span) -> int:
    return max(one.start - other.end, other.start - one.end, 0)
