"""Which predicted fact speaks of which gold fact.

In: the gold and the predicted facts of one article and type, made ready. Out: pairs with what became of each field. Floor: results.
Before changing it: facts are sorted by their content before they are paired, so that the order in which they were given decides nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from extractor.fingerprint import canonical_json
from extractor.records import Span
from extractor.results.evaluation.assign import assign
from extractor.results.evaluation.compare import (
    Comparison,
    Days,
    Many,
    Number,
    Parts,
    Plain,
    Prepared,
    Who,
    Words,
    compare_any,
    prepare,
    prepare_fact,
    words,
)
from extractor.results.evaluation.gold import GoldFact

ALIGNED = 0.5
"""Score from which two facts are taken to speak of the same thing. Of the 89 pairs of different facts of one article and type in the demo's
gold, all but one score below 0.45 (median 0.15); the one is two funders out of one sentence (0.79), which only a better partner can tell
apart."""
EVIDENCE_SHARE = 0.25
"""Share of the overlap of evidence in that score; the rest is the fields'."""

_SCALE = 1_000_000  # scores as whole numbers: sums are exact
_HOW_TOLD = ("attribution.", "is_background")  # who says so and how weighs half: it seldom tells two facts apart
_ABSENT: tuple[Prepared | None, ...] = (None,)


class Evidence(NamedTuple):
    """Where a fact's proof stands."""

    spans: tuple[tuple[int, int], ...]
    """Without overlaps, in order; empty when there are no offsets."""
    quotes: tuple[str, ...]
    """The passages themselves."""


class Labelled(NamedTuple):
    """A gold fact, made ready."""

    fact: GoldFact
    fields: dict[str, tuple[Prepared | None, ...]]
    """What is right for each field that states something or may do so."""
    evidence: Evidence
    weights: dict[str, float]
    """How much each field tells facts apart."""
    order: str
    """Its content, to sort by."""


class Predicted(NamedTuple):
    """A row of a run, made ready."""

    row: Mapping[str, Any]
    fields: dict[str, Prepared]
    """The fields that state something."""
    evidence: Evidence
    weights: dict[str, float]
    """How much each field tells facts apart."""
    order: str
    """Its content, to sort by."""


class Pair(NamedTuple):
    """A gold fact and the prediction that speaks of it."""

    gold: Labelled
    predicted: Predicted
    score: float
    """How much they have in common, 0 to 1."""
    is_right: bool
    """Whether every field is right."""
    fields: dict[str, Comparison]
    """What became of each field that either states."""
    overlap: float | None
    """Of their evidence, 0 to 1; None when one of them has none."""


class Alignment(NamedTuple):
    """Who speaks of whom, in one article and type."""

    pairs: list[Pair]
    missed: list[Labelled]
    """Gold facts of which no prediction speaks."""
    extra: list[Predicted]
    """Predictions that speak of no gold fact."""


def label(fact: GoldFact, *, with_offsets: bool = True) -> Labelled:
    """A gold fact ready for comparing.

    Args:
        fact: The fact.
        with_offsets: Whether its offsets point into the run's text.
    """
    fields: dict[str, tuple[Prepared | None, ...]] = {name: (ready,) for name, ready in prepare_fact(fact.value).items()}
    for name, options in fact.alternatives.items():
        fields[name] = (*fields.get(name, _ABSENT), *(prepare(option) for option in options))
    spans = [(quote.start, quote.end) for quote in fact.evidence if quote.start is not None and quote.end is not None]
    usable = spans if with_offsets and len(spans) == len(fact.evidence) else []
    order = canonical_json([fact.value, fact.alternatives, fact.optional, [quote.model_dump() for quote in fact.evidence]])
    weights = {name: _weighs(name, allowed[0]) for name, allowed in fields.items()}
    return Labelled(fact, fields, _evidence(usable, (quote.quote for quote in fact.evidence)), weights, order)


def predict(row: Mapping[str, Any]) -> Predicted:
    """A row of a run ready for comparing."""
    quotes = [quote for quote in row.get("evidence", ()) if "start" in quote and "end" in quote]
    spans = [(quote["start"], quote["end"]) for quote in quotes]
    evidence = _evidence(spans, (quote["quote"] for quote in quotes))
    fields = prepare_fact(row["value"])
    weights = {name: _weighs(name, value) for name, value in fields.items()}
    return Predicted(row, fields, evidence, weights, canonical_json([row["value"], spans]))


def align(gold: Iterable[Labelled], predicted: Iterable[Predicted]) -> Alignment:
    """Pair facts one to one: first as many wholly right pairs as can be, then the greatest sum of scores; no pair is below `ALIGNED`."""
    mine, theirs = sorted(gold, key=lambda fact: fact.order), sorted(predicted, key=lambda fact: fact.order)
    grid = [[score(one, other) for other in theirs] for one in mine]
    bonus = _SCALE * (
        min(len(mine), len(theirs)) + 1
    )  # above any sum of scores: no right pair is torn up for the sake of two half-right ones
    places = assign([[_weight(pair, bonus) for pair in line] for line in grid])
    rows, columns = {row for row, _ in places}, {column for _, column in places}
    return Alignment(
        [grid[row][column] for row, column in places],
        [fact for place, fact in enumerate(mine) if place not in rows],
        [fact for place, fact in enumerate(theirs) if place not in columns],
    )


def score(gold: Labelled, predicted: Predicted) -> Pair:
    """What two facts have in common: the weighted mean similarity of the fields that either states, and the overlap of evidence."""
    fields: dict[str, Comparison] = {}
    total = reached = 0.0
    is_right = True
    for name in {**gold.fields, **predicted.fields}:
        allowed, said = gold.fields.get(name, _ABSENT), predicted.fields.get(name)
        found = compare_any(allowed, said)
        fields[name] = found
        is_right = is_right and found.is_right
        if found.predicted or found.wanted:
            weight = max(gold.weights.get(name, 0.0), predicted.weights.get(name, 0.0))
            total += weight
            reached += weight * found.similarity
    similarity = reached / total if total else 1.0
    overlap = overlap_of(gold.evidence, predicted.evidence)
    if overlap is not None:
        similarity = (1 - EVIDENCE_SHARE) * similarity + EVIDENCE_SHARE * overlap
    return Pair(gold, predicted, similarity, is_right, fields, overlap)


def overlap_of(one: Evidence, other: Evidence) -> float | None:
    """How much two proofs share: code points in common over code points in either; without offsets, token F1; None without quotes."""
    if one.spans and other.spans:
        shared = sum(max(0, min(end, stop) - max(start, begin)) for start, end in one.spans for begin, stop in other.spans)
        return shared / (_length(one) + _length(other) - shared)
    if not one.quotes or not other.quotes:
        return None
    mine, theirs = (Counter(token for quote in evidence.quotes for token in words(quote).tokens) for evidence in (one, other))
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())


def is_same(one: Mapping[str, Prepared], other: Mapping[str, tuple[Prepared | None, ...]]) -> bool:
    """Whether a prediction states what a labelled fact states, letter case and the like aside; "nearly" is not enough here."""
    stated = all(value in other.get(name, ()) for name, value in one.items())
    return stated and all(name in one or None in options for name, options in other.items())


def offsets_hold(fact: GoldFact, text: str | None) -> bool:
    """Whether the quotes of a gold fact stand where its offsets say; True when nothing can be checked."""
    return text is None or all(
        quote.start is None or quote.end is None or Span(start=quote.start, end=quote.end).of(text) == quote.quote
        for quote in fact.evidence
    )


def _weight(pair: Pair, bonus: int) -> int:
    if not pair.is_right and pair.score < ALIGNED:
        return 0
    return round(pair.score * _SCALE) + bonus * pair.is_right


def _weighs(name: str, value: Prepared | None) -> float:
    """How much a field tells facts apart: who, how many and which words more than a closed word or a date."""
    factor = 0.5 if name.startswith(_HOW_TOLD) else 1.0
    match value:
        case Many(items):
            return max(_weighs(name, item) for item in items)
        case Words(tokens):
            return factor * (2.0 if len(tokens) > 1 else 1.0)
        case Who() | Number():
            return factor * 2.0
        case Days() | Plain() | Parts():
            return factor
    return 0.0


def _evidence(spans: Sequence[tuple[int, int]], quotes: Iterable[str]) -> Evidence:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return Evidence(tuple(merged), tuple(quotes))


def _length(evidence: Evidence) -> int:
    return sum(end - start for start, end in evidence.spans)
