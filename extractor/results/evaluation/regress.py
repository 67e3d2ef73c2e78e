"""One run against another on the same gold: what got better, what got worse, and whether by more than chance.

In: two runs held against the same gold. Out: a `RunDelta`. Floor: results.
Before changing it: both are drawn from the same articles in each resample, which is what makes a small difference visible.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from extractor.fingerprint import canonical_json
from extractor.results.evaluation.align import Pair, Predicted
from extractor.results.evaluation.marking import Group, Judged, quotes_of, wrong
from extractor.results.evaluation.measures import ALL_FIELDS, LENIENT, STRICT, Draws, Measure, MeasureName, Row, difference
from extractor.results.evaluation.report import About, Change, Delta, Presence, RunDelta, State

_WHOLE = (STRICT, LENIENT)
_NAMES = {STRICT: "strict", LENIENT: "lenient", ALL_FIELDS: ALL_FIELDS}
_Mark = tuple[str, str, str]
"""Article, type and content: the same fact in both runs."""

_RANK: dict[State, int] = {"missed": 0, "wrong": 1, "right": 2}


def compare_runs(mine: Judged, theirs: Judged, my_draws: Draws, their_draws: Draws, other: About) -> RunDelta:
    """How far a run is above another one.

    Args:
        mine: The run in question.
        theirs: The one it is compared with, on the same gold.
        my_draws: Counts and draws of the first.
        their_draws: Of the second, with the same seed.
        other: What the second was made with.
    """
    rows = sorted({*my_draws.measured, *their_draws.measured}, key=_order)
    better, worse = _changes(mine, theirs)
    deltas = tuple(
        Delta(
            fact_type=row[0],
            field=_NAMES.get(row[1], row[1]),
            f1=_gap(row, "f1", my_draws, their_draws),
            precision=_gap(row, "precision", my_draws, their_draws),
            recall=_gap(row, "recall", my_draws, their_draws),
            accuracy=Measure(value=None) if row[1] in _WHOLE else _gap(row, "accuracy", my_draws, their_draws),
        )
        for row in rows
    )
    return RunDelta(other=other, deltas=deltas, better=tuple(better), worse=tuple(worse))


def _order(row: Row) -> tuple[str, int, str]:
    return row[0], 0 if row[1] in _NAMES else 1, {STRICT: "0", LENIENT: "1", ALL_FIELDS: "2"}.get(row[1], row[1])


def _gap(row: Row, name: MeasureName, mine: Draws, theirs: Draws) -> Measure:
    if row not in mine.measured or row not in theirs.measured:
        return Measure(value=None)
    return difference(mine.measured[row][name], theirs.measured[row][name])


class _Fate(NamedTuple):
    """What became of a gold fact in one run."""

    state: State
    wrong_fields: frozenset[str]
    article_id: str
    fact_type: str
    where: str
    quote: str


def _changes(mine: Judged, theirs: Judged) -> tuple[list[Change], list[Change]]:
    better: list[Change] = []
    worse: list[Change] = []
    after, before = _fates(mine), _fates(theirs)
    for mark in sorted({*after, *before}):
        new, old = after.get(mark), before.get(mark)
        if new is None or old is None or (new.state, new.wrong_fields) == (old.state, old.wrong_fields):
            continue
        gap = (_RANK[new.state] - _RANK[old.state]) or (len(old.wrong_fields) - len(new.wrong_fields))
        paired = "missed" not in (new.state, old.state)
        fields = tuple(sorted(new.wrong_fields ^ old.wrong_fields)) if paired else ()
        change = Change(
            article_id=new.article_id,
            fact_type=new.fact_type,
            before=old.state,
            after=new.state,
            fields=fields,
            quote=new.quote,
            where=new.where,
        )
        (better if gap > 0 else worse).append(change)  # as many fields right, but others: a field that was right is lost
    new_wrong, old_wrong = _all_wrong(mine), _all_wrong(theirs)
    worse += [_turn(group, fact, "not given", "extra") for mark, (group, fact) in sorted(new_wrong.items()) if mark not in old_wrong]
    better += [_turn(group, fact, "extra", "not given") for mark, (group, fact) in sorted(old_wrong.items()) if mark not in new_wrong]
    return better, worse


def _fates(judged: Judged) -> dict[_Mark, _Fate]:
    return {mark: fate for group in judged.groups for mark, fate in _group_fates(group)}


def _group_fates(group: Group) -> Iterator[tuple[_Mark, _Fate]]:
    for pair in group.alignment.pairs:
        wrong_fields = frozenset(name for name, found in pair.fields.items() if not found.is_right)
        fact = pair.gold
        yield _mark(group, fact.order), _Fate("right" if pair.is_right else "wrong", wrong_fields, *_shown(group, pair))
    for fact in group.alignment.missed:
        if not fact.fact.optional:
            quote = next(iter(quotes_of(fact)), "")
            yield _mark(group, fact.order), _Fate("missed", frozenset(), group.article_id, group.fact_type, fact.fact.where, quote)


def _shown(group: Group, pair: Pair) -> tuple[str, str, str, str]:
    return group.article_id, group.fact_type, pair.gold.fact.where, next(iter(quotes_of(pair.gold)), "")


def _mark(group: Group, order: str) -> _Mark:
    return group.article_id, group.fact_type, order


def _all_wrong(judged: Judged) -> Mapping[_Mark, tuple[Group, Predicted]]:
    return {_mark(group, _said(fact)): (group, fact) for group in judged.groups for fact in wrong(group)}


def _said(fact: Predicted) -> str:
    """What a prediction says, wherever it says that it stands."""
    return canonical_json({name: value for name, value in fact.row["value"].items() if name != "evidence"})


def _turn(group: Group, fact: Predicted, before: Presence, after: Presence) -> Change:
    quote = next(iter(quotes_of(fact)), "")
    return Change(article_id=group.article_id, fact_type=group.fact_type, before=before, after=after, quote=quote)
