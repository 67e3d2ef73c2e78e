"""Precision, recall, F1 and their intervals: counts by article in, measures out.

In: tallies. Out: `Measure`, `Score`, `FieldScore`. Floor: results.
Before changing it: an interval comes from drawing whole articles again (the facts of one article stand or fall together), and two runs are
compared on the same draws.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from extractor.records import Record

RESAMPLES = 1000
"""Draws for an interval: Efron and Tibshirani, An Introduction to the Bootstrap (1993), §13.3, have 1,000 as the least for 95 %."""
_LOW, _HIGH = 0.025, 0.975
_LANE_BYTES = 8
_FEWEST_ARTICLES = 2

Counted = Literal["predicted", "predicted_right", "wanted", "wanted_right", "pairs", "pairs_right", "overlap_millionths"]
COUNTED: tuple[Counted, ...] = ("predicted", "predicted_right", "wanted", "wanted_right", "pairs", "pairs_right", "overlap_millionths")

STRICT, LENIENT, ALL_FIELDS = "strict facts", "lenient facts", "all fields"
"""Rows of a tally beside those of the fields; no field has a space in its name."""
EVERY_TYPE = ""

Row = tuple[str, str]
"""Fact type (`EVERY_TYPE` for all) and field, `STRICT`, `LENIENT` or `ALL_FIELDS`."""
Tally = Counter[tuple[str, str, Counted]]
"""The counts of one article."""

MeasureName = Literal["precision", "recall", "f1", "accuracy", "overlap"]
MEASURES: tuple[MeasureName, ...] = ("precision", "recall", "f1", "accuracy", "overlap")


class Measure(Record):
    """A share with its 95 % interval."""

    value: float | None
    """0 to 1 (a difference: -1 to 1); None where nothing was there to measure."""
    low: float | None = None
    """Lower end of the interval; None where fewer than two articles were measured, or most draws had nothing to measure."""
    high: float | None = None
    """Upper end; None likewise."""


class Score(Record):
    """How many of the facts, or values of one field, are right and how many were found."""

    precision: Measure
    """Of what was predicted, the share that is right."""
    recall: Measure
    """Of what is in gold, the share that was found; optional facts are left out."""
    f1: Measure
    """The harmonic mean of the two."""
    predicted: int = Field(ge=0)
    predicted_right: int = Field(ge=0)
    wanted: int = Field(ge=0)
    wanted_right: int = Field(ge=0)


class FieldScore(Score):
    """A score of one field; for a list its elements are counted."""

    field: str
    """Dotted path, such as `attribution.certainty`."""
    accuracy: Measure
    """Of the aligned pairs of which gold or the prediction states the field, the share in which it is right as a whole."""
    pairs: int = Field(ge=0)
    """Aligned pairs of which one or both state the field."""
    pairs_right: int = Field(ge=0)
    """Those with this field right."""


class Draws(NamedTuple):
    """What each row's measures come to: once as counted, and once for each draw."""

    counts: Mapping[tuple[str, str, Counted], int]
    """Over all articles."""
    measured: Mapping[Row, "Series"]
    """By row."""


Series = dict[MeasureName, list[float | None]]
"""By measure: the value as counted, then that of each draw."""


def draw(tallies: Sequence[Tally], *, resamples: int = RESAMPLES, seed: int = 0) -> Draws:
    """Count over all articles, and over `resamples` draws of as many articles with replacement.

    Args:
        tallies: One for each article, in an order that does not depend on that of the input.
        resamples: How many draws.
        seed: Of the draws; with the same number of articles, two runs are drawn alike.
    """
    lanes = sorted({key for tally in tallies for key in tally})
    rows = sorted({(kind, field) for kind, field, _ in lanes})
    # All counts of an article in one whole number, side by side: adding two of those adds all counts at once, some hundred times faster
    # than one by one. Eight bytes hold any sum: 10**12 articles of a million each.
    packed = [int.from_bytes(b"".join(tally[key].to_bytes(_LANE_BYTES, "little") for key in lanes), "little") for tally in tallies]
    picker = random.Random(seed)  # noqa: S311 - draws, no secrets
    times = resamples if len(tallies) >= _FEWEST_ARTICLES else 0
    totals = [sum(packed), *(sum(picker.choices(packed, k=len(packed))) for _ in range(times))]
    unpacked = [memoryview(total.to_bytes(len(lanes) * _LANE_BYTES, "little")) for total in totals]
    place = {key: lane for lane, key in enumerate(lanes)}
    columns = {
        key: [int.from_bytes(view[at * _LANE_BYTES : (at + 1) * _LANE_BYTES], "little") for view in unpacked] for key, at in place.items()
    }
    nothing = [0] * len(totals)
    measured = {row: _series([columns.get((*row, name), nothing) for name in COUNTED]) for row in rows}
    return Draws({key: column[0] for key, column in columns.items()}, measured)


def _series(columns: Sequence[Sequence[int]]) -> Series:
    measured: Series = {name: [] for name in MEASURES}
    for predicted, predicted_right, wanted, wanted_right, pairs, pairs_right, millionths in zip(*columns, strict=True):
        precision = predicted_right / predicted if predicted else None
        recall = wanted_right / wanted if wanted else None
        measured["precision"].append(precision)
        measured["recall"].append(recall)
        measured["f1"].append(_f1(precision, recall))
        measured["accuracy"].append(pairs_right / pairs if pairs else None)
        measured["overlap"].append(millionths / pairs / 1e6 if pairs else None)
    return measured


def _f1(precision: float | None, recall: float | None) -> float | None:
    """The harmonic mean; 0 where one of them is 0 and the other has nothing to measure: all was missed, or all is invented."""
    if precision is None or recall is None:
        return 0.0 if precision == 0 or recall == 0 else None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def measure(values: Sequence[float | None]) -> Measure:
    """A measure out of its value as counted and those of the draws."""
    low, high = _interval(values[1:])
    return Measure(value=values[0], low=low, high=high)


def difference(mine: Sequence[float | None], theirs: Sequence[float | None]) -> Measure:
    """How much greater a measure is than another on the same draws."""
    gaps = [None if one is None or other is None else one - other for one, other in zip(mine, theirs, strict=True)]
    return measure(gaps)


def _interval(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """The percentile interval (Efron and Tibshirani 1993, §13.3)."""
    there = sorted(value for value in values if value is not None)
    if not there or len(there) * 2 < len(values):
        return None, None
    return there[int(_LOW * (len(there) - 1))], there[-1 - int((1 - _HIGH) * (len(there) - 1))]


def score_of(draws: Draws, row: Row) -> Score:
    """The score of whole facts in one row; nothing counted gives None for every share."""
    return Score(**_shares(draws, row, ("precision", "recall", "f1")), **_counts(draws, row, COUNTED[:4]))


def field_score_of(draws: Draws, row: Row) -> FieldScore:
    """The score of one field."""
    shares = _shares(draws, row, ("precision", "recall", "f1", "accuracy"))
    return FieldScore(field=row[1], **shares, **_counts(draws, row, COUNTED[:6]))


def one_measure(draws: Draws, row: Row, name: MeasureName) -> Measure:
    """One measure of one row."""
    return measure(draws.measured[row][name]) if row in draws.measured else Measure(value=None)


def _shares(draws: Draws, row: Row, names: Iterable[MeasureName]) -> dict[MeasureName, Measure]:
    return {name: one_measure(draws, row, name) for name in names}


def _counts(draws: Draws, row: Row, names: Iterable[Counted]) -> dict[Counted, int]:
    return {name: draws.counts.get((*row, name), 0) for name in names}
