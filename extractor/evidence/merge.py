"""One fact told twice is one record: exact repeats everywhere, and the two readings of an overlap between parts of a long article.

In: believed facts in order. Out: the ones that stay, and which of the others each one covers. Floor: evidence.
Before changing it: two facts that differ in any stated value are never merged, but for a draft whose every word was read again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from extractor.facts.fact import Fact
from extractor.records import Span

HOW_TOLD = ("evidence", "is_background", "attribution")
"""Fields that say how a fact is told: two facts that differ in these alone are the same fact."""


COMPARED = 100
"""Readings that one is compared with at most: more that overlap it are no article's, and all pairs cost a square."""


class Reading(NamedTuple):
    """A believed fact, as far as merging looks at it."""

    fact_type: str
    stated: Mapping[str, Any]
    """As `told` gives it."""
    evidence: tuple[Span, ...]
    answer: int
    """Which of the article's answers it was read from, counted from 0: two answers may be about the same words."""
    words: tuple[Span, ...] = ()
    """Where its names, numbers and other checked words stand."""
    is_draft: bool = False
    """Whether it was read from an answer that broke off, and that another answer followed."""


def covered(readings: Sequence[Reading]) -> dict[int, int]:
    """For each reading that stays no record of its own, by its place, the place of the one that stays.

    It says nothing new: it states the same, wherever it stands; or, read by another answer from overlapping words, it states no more. Or it
    is a draft, and the answer that followed has read all of its words, in whatever way.
    """
    cover: dict[int, int] = {}
    firsts: dict[str, int] = {}
    for place, one in sorted(enumerate(readings), key=lambda pair: pair[1].is_draft):
        first = firsts.setdefault(repr((one.fact_type, one.stated)), place)  # 1 and 1.0 and True are three
        if first != place:
            cover[place] = first
    for earlier, place in _overlapping(readings, [place for place in range(len(readings)) if place not in cover]):
        if earlier in cover or place in cover:
            continue
        one, other = readings[place], readings[earlier]
        if _says_no_more(one, other) or _replaced(one, other):
            cover[place] = earlier
        elif _says_no_more(other, one) or _replaced(other, one):
            cover[earlier] = place
    return {place: _final(cover, place) for place in cover}


def _overlapping(readings: Sequence[Reading], places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of readings, the earlier first, of one type and two answers, whose evidence overlaps; in the order of the later ones."""
    if len({readings[place].answer for place in places}) < 2:  # noqa: PLR2004 - an answer does not overlap itself
        return
    spans = sorted((span.start, span.end, place) for place in places for span in readings[place].evidence)
    found: dict[int, set[int]] = {place: set() for place in places}
    open_spans: list[tuple[int, int]] = []
    for start, end, place in spans:
        open_spans = [(until, other) for until, other in open_spans if until > start][-COMPARED:]
        for _, other in open_spans:
            if readings[other].fact_type == readings[place].fact_type and readings[other].answer != readings[place].answer:
                found[max(place, other)].add(min(place, other))
        open_spans.append((end, place))
    yield from ((earlier, place) for place in places for earlier in sorted(found[place]))


def _final(cover: dict[int, int], place: int) -> int:
    while place in cover:
        place = cover[place]
    return place


def _says_no_more(one: Reading, other: Reading) -> bool:
    """Whether everything `one` states is stated by `other`: equal, or empty in `one`."""
    return all(value == other.stated[name] or value in (None, [], "unspecified") for name, value in one.stated.items())


def _replaced(draft: Reading, later: Reading) -> bool:
    """Whether a draft's every word was read anew: its record was given again, perhaps with another meaning."""
    return draft.is_draft and not later.is_draft and bool(draft.words) and all(_overlap([span], later.words) for span in draft.words)


def told(fact: Fact) -> dict[str, Any]:
    """What a fact states, as JSON-like data, without how and by whom it is told: what makes two facts the same."""
    return told_of(fact.model_dump(mode="json"))


def told_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a fact's stored JSON value; a denied or disputed fact is not the same as one that is not."""
    stated = {name: said for name, said in value.items() if name not in HOW_TOLD}
    stated["doubted"] = value["attribution"]["certainty"] in ("denied", "disputed")
    return stated


def _overlap(one: Sequence[Span], other: Sequence[Span]) -> bool:
    return any(a.start < b.end and b.start < a.end for a in one for b in other)
