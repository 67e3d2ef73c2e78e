"""One fact told twice is one record: exact repeats everywhere, and the two readings of an overlap between parts of a long article.

In: believed facts in order. Out: the ones that stay, and which of the others each one covers. Floor: evidence.
Before changing it: two facts that differ in any stated value are never merged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from extractor.facts.fact import Fact
from extractor.records import Span

HOW_TOLD = ("evidence", "is_background", "attribution")
"""Fields that say how a fact is told: two facts that differ in these alone are the same fact."""


class Reading(NamedTuple):
    """A believed fact, as far as merging looks at it."""

    fact_type: str
    value: Fact
    evidence: tuple[Span, ...]
    answer: int
    """Which of the article's answers it was read from, counted from 0: two answers may be about the same words."""


def covered(readings: Sequence[Reading]) -> dict[int, int]:
    """For each reading that says nothing new, by its place, the place of the one that says it."""
    cover: dict[int, int] = {}
    for place, reading in enumerate(readings):
        for earlier in range(place):
            if earlier in cover:
                continue
            other = readings[earlier]
            if reading.fact_type != other.fact_type:
                continue
            if _same(reading.value, other.value):
                cover[place] = earlier
                break
            if reading.answer != other.answer and _overlap(reading.evidence, other.evidence):
                if _says_no_more(reading.value, other.value):
                    cover[place] = earlier
                    break
                if _says_no_more(other.value, reading.value):
                    cover[earlier] = place
    return {place: _final(cover, place) for place in cover}


def _final(cover: dict[int, int], place: int) -> int:
    while place in cover:
        place = cover[place]
    return place


def _same(one: Fact, other: Fact) -> bool:
    return told(one) == told(other)


def _says_no_more(one: Fact, other: Fact) -> bool:
    """Whether everything `one` states is stated by `other`: equal, or empty in `one`."""
    full = told(other)
    return all(value == full[name] or value in (None, [], "unspecified") for name, value in told(one).items())


def told(fact: Fact) -> dict[str, Any]:
    """What a fact states, as JSON-like data, without how and by whom it is told: what makes two facts the same."""
    return told_of(fact.model_dump(mode="json"))


def told_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a fact's stored JSON value; a denied or disputed fact is not the same as one that is not."""
    stated = {name: said for name, said in value.items() if name not in HOW_TOLD}
    return {**stated, "doubted": value["attribution"]["certainty"] in ("denied", "disputed")}


def _overlap(one: Sequence[Span], other: Sequence[Span]) -> bool:
    return any(a.start < b.end and b.start < a.end for a in one for b in other)
