"""How a long article is cut into parts that fit one call each.

In: a text and a budget. Out: spans that cover it, at paragraph edges, each opening with the end of the one before. Floor: llm.
"""

import re

from extractor.records import Span

OVERLAP_CHARS = 1_000
"""The longest last paragraph that the next part repeats: a fact told over a paragraph edge stands whole in one of them."""

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
        again = text.rfind("\n\n", start, end - 1) + 2
        # the overlap must leave the next part shorter than the rest it covers, or nothing would move on
        start = again if start < again and end - again <= min(OVERLAP_CHARS, budget // 4) else end
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
