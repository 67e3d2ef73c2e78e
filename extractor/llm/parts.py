"""How a long article is cut into parts that fit one call each.

In: a text and a budget. Out: spans that cover it, at paragraph edges, each opening with the end of the one before. Floor: llm.
"""

import re

from extractor.records import Span

OVERLAP_CHARS = 1_000
"""What the next part repeats at most: a fact told over the edge of two paragraphs or sentences stands whole in one of them."""

# the best edge comes first: between paragraphs, lines, sentences, words
_EDGES = (re.compile(r"\n\n+"), re.compile(r"\n+"), re.compile(r"(?<=[.!?])[\"'”’»)]*\s+"), re.compile(r"\s+"))


def split(text: str, budget: int, *, within: Span | None = None) -> list[Span]:
    """Spans of at most `budget` code points that cover `text`, in order; one span when it fits.

    Args:
        text: The whole article; spans point into it.
        budget: Code points in one part at most; at least 1.
        within: The stretch to cut; None is all of it.
    """
    start, stop = (within.start, within.end) if within else (0, len(text))
    parts: list[Span] = []
    while stop - start > budget:
        end = _edge(text, start, start + budget)
        parts.append(Span(start=start, end=end))
        # the overlap must leave the next part shorter than the rest it covers, or nothing would move on
        start = _again(text, max(start + 1, end - min(OVERLAP_CHARS, budget // 4)), end)
        while start < stop and text[start].isspace():
            start += 1
    if start < stop or not parts:
        parts.append(Span(start=start, end=max(stop, start + 1)))
    return parts


def halves(text: str, part: Span) -> list[Span]:
    """`part` cut in two about its middle, for a model that could not take or answer it whole."""
    size = part.end - part.start
    # room for the overlap, but never so much that a short part hardly shrinks: each step is asked and paid for
    return split(text, max(1, min(size - 1, size // 2 + min(OVERLAP_CHARS, size // 8))), within=part)


def _edge(text: str, start: int, limit: int) -> int:
    """Where to end a part that begins at `start`: the last good edge in its second half, else at `limit`."""
    for pattern in _EDGES:
        # a closing quote mark stays with its sentence
        edges = [found.start() + len(found.group().rstrip()) for found in pattern.finditer(text, start + (limit - start) // 2, limit)]
        if edges and edges[-1] > start:
            return edges[-1]
    return limit


def _again(text: str, earliest: int, end: int) -> int:
    """Where the next part begins: at the last paragraph or line before `end`, or as many of the last sentences as fit; else at `end`."""
    for pattern, which in zip(_EDGES[:3], (-1, -1, 0), strict=True):
        # looked at with what stands before it: a sentence's full stop may be the last thing outside
        edges = [found.end() for found in pattern.finditer(text, max(earliest - 2, 0), end) if earliest <= found.end() < end]
        if edges:
            return edges[which]
    return end
