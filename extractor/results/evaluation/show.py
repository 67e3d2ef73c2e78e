"""An evaluation as people read it on a terminal; and the wording that the page shares with it.

In: an `Evaluation`. Out: text on a rich console. Floor: results.
Before changing it: every number stands beside its interval and its count, and what was measured stands above them all.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from extractor.results.evaluation.measures import EVERY_TYPE, Measure, Score
from extractor.results.evaluation.report import About, Change, Delta, Disagreement, Evaluation, TypeScore
from extractor.results.show import cut, plain

_QUOTE_CHARS = 200
_VALUE_CHARS = 160
_WIDE = 120  # columns from which every share has its interval beside it
_NOTHING: tuple[Any, ...] = (None, [], "")
_CHANGES = 20  # on a terminal, better and worse each; all are in --json


def show(out: Console, evaluation: Evaluation, *, worst: int = 10) -> None:
    """Print what was measured, whole facts, fields, the worst disagreements, and the comparison where there is one.

    Args:
        out: Where to.
        evaluation: What `evaluate` gave.
        worst: How many disagreements to print; how many there are is always said.
    """
    for line in claim(evaluation):
        out.print(Text(line), highlight=False)
    is_wide = out.width >= _WIDE
    out.print(_whole(evaluation, is_wide=is_wide))
    for score in evaluation.types:
        out.print(_fields(score, is_wide=is_wide))
    _print_disagreements(out, evaluation.disagreements, worst)
    if evaluation.against is not None:
        _print_comparison(out, evaluation)
    for note in evaluation.notes:
        out.print(Text.assemble(("note: ", "yellow"), plain(note)))


# wording that the page shares


def claim(evaluation: Evaluation) -> Iterator[str]:
    """What the numbers speak of: run, model, prompt, schemas, gold, and how the intervals were made."""
    yield f"Run {made_with(evaluation.about)}"
    yield (
        f"Gold {plain(evaluation.gold_path)} {evaluation.gold_fingerprint}: {evaluation.articles} articles, "
        f"{evaluation.articles_complete} of them fully labelled, {evaluation.articles_absent} not in the run or failed"
    )
    yield (
        f"In brackets: 95 % bootstrap intervals over articles, {evaluation.resamples:,} resamples, seed {evaluation.seed}. "
        "strict: every field right. lenient: it speaks of the same thing."
    )


def made_with(about: About) -> str:
    """What a run was made with, in a line."""
    schemas = ", ".join(f"{name} {' and '.join(marks)}" for name, marks in about.schemas.items())
    return plain(
        f"{about.run or 'without a name'} of {about.started_at or 'unknown date'}, model {' and '.join(about.models) or 'unknown'}, "
        f"prompt {' and '.join(about.prompts) or 'unknown'}, schemas {schemas or 'unknown'}"
    )


def share(measure: Measure) -> str:
    """A measure with its interval: "0.931 [0.88, 0.97]"; a dash where nothing was there to measure."""
    if measure.value is None:
        return "–"
    return f"{measure.value:.3f}{_bracket(measure, '.2f')}"


def gap(measure: Measure) -> str:
    """A difference with its interval: "+0.021 [-0.01, +0.05]"."""
    if measure.value is None:
        return "–"
    return f"{measure.value:+.3f}{_bracket(measure, '+.2f')}"


def is_sure(measure: Measure) -> bool:
    """Whether the interval of a difference leaves 0 out."""
    return measure.low is not None and measure.high is not None and (measure.low > 0 or measure.high < 0)


def _bracket(measure: Measure, form: str) -> str:
    return "" if measure.low is None or measure.high is None else f" [{measure.low:{form}}, {measure.high:{form}}]"


def type_name(fact_type: str) -> str:
    """A type as people read it."""
    return fact_type if fact_type != EVERY_TYPE else "all types"


def brief(value: Any) -> str:
    """A field's value in a few words: `"two" = 2`, `Norway (state)`."""
    return cut(plain(_brief(value)), _VALUE_CHARS)


def _brief(value: Any) -> str:
    if value in _NOTHING:
        return "nothing"
    if isinstance(value, (list, tuple)):
        return "; ".join(_brief(item) for item in value)
    if not isinstance(value, dict):
        return str(value)
    if "as_written" in value:
        low, high = (
            value.get(name) for name in (("earliest", "latest") if "earliest" in value or "latest" in value else ("minimum", "maximum"))
        )
        reading = "open" if low is None and high is None else str(low) if low == high else f"{_end(low)} to {_end(high)}"
        return f"“{value['as_written']}” = {reading}{' ' + value['currency'] if value.get('currency') else ''}"
    if "name" in value and "kind" in value:
        return f"{value['name'] or 'unnamed'} ({value['kind']}{' for ' + value['on_behalf_of'] if value.get('on_behalf_of') else ''})"
    return ", ".join(f"{name} {_brief(inner)}" for name, inner in value.items() if inner not in _NOTHING and name != "quote")


def _end(value: Any) -> str:
    return "…" if value is None else str(value)


# tables


def _whole(evaluation: Evaluation, *, is_wide: bool) -> Table:
    table = Table(title="Whole facts", title_justify="left", title_style="bold")
    table.add_column("type")
    table.add_column("judged")
    for name in ("precision", "recall", "F1", "right/given", "found/gold"):
        table.add_column(name, justify="right")
    for score in (evaluation.overall, *evaluation.types):
        for judged, measured in (("strict", score.strict), ("lenient", score.lenient), ("all fields", score.fields_together)):
            table.add_row(plain(type_name(score.fact_type)) if judged == "strict" else "", judged, *_row(measured, is_wide=is_wide))
        optional = f"{score.optional_given}/{score.optional} optional" if score.optional else ""
        unjudged = f"{score.unjudged} unjudged" if score.unjudged else ""
        overlap = _shown(score.overlap, is_wide=is_wide)
        table.add_row("", "evidence", overlap, f"{score.missed} missed", f"{score.extra} extra", optional, unjudged, end_section=True)
    return table


def aside(score: TypeScore) -> str:
    """The counts beside the shares."""
    said = [f"overlap {share(score.overlap)}", f"{score.missed} missed", f"{score.extra} extra"]
    if score.optional:
        said.append(f"{score.optional_given} of {score.optional} optional given")
    if score.unjudged:
        said.append(f"{score.unjudged} unjudged")
    return ", ".join(said)


def _row(score: Score, *, is_wide: bool) -> tuple[str, ...]:
    shares = (_shown(score.precision, is_wide=is_wide), _shown(score.recall, is_wide=is_wide), share(score.f1))
    return *shares, f"{score.predicted_right}/{score.predicted}", f"{score.wanted_right}/{score.wanted}"


def _shown(measure: Measure, *, is_wide: bool) -> str:
    """A measure; on a narrow terminal only F1 keeps its interval."""
    return share(measure if is_wide else Measure(value=measure.value))


def _fields(score: TypeScore, *, is_wide: bool) -> Table:
    table = Table(title=Text(f"Fields of {plain(score.fact_type)}"), title_justify="left", title_style="bold")
    table.add_column("field")
    for name in ("precision", "recall", "F1", "accuracy", "right/given", "found/gold"):
        table.add_column(name, justify="right")
    for field in score.fields:
        precision, recall, f1, *counts = _row(field, is_wide=is_wide)
        table.add_row(plain(field.field), precision, recall, f1, _shown(field.accuracy, is_wide=is_wide), *counts)
    return table


def _print_disagreements(out: Console, disagreements: Sequence[Disagreement], worst: int) -> None:
    if not disagreements:
        out.print("No disagreement.")
        return
    shown = disagreements[:worst]
    more = "" if len(shown) == len(disagreements) else f"; {len(shown)} shown, all are in --json and --html"
    out.print(Text(f"Disagreements: {len(disagreements)}, the worst first{more}", style="bold"))
    for one in shown:
        out.print(_disagreement(one))


def _disagreement(one: Disagreement) -> Group:
    colour = {"missed": "red", "extra": "red", "rejected": "red", "wrong": "yellow"}[one.kind]
    lines = [Text.assemble((one.kind, colour), f"  {plain(one.article_id)}  {plain(one.fact_type)}  ", (plain(one.where), "dim"))]
    lines += [
        Text.assemble("  ", (f"{plain(field.field)}: ", "dim"), difference_words(one, field.wanted, field.predicted))
        for field in one.differences
    ]
    for side, quotes in (("gold", one.gold_quotes), ("run", one.predicted_quotes)):
        lines += [Text.assemble("  ", (f"{side} ", "cyan"), f"“{cut(plain(quote), _QUOTE_CHARS)}”") for quote in quotes]
    return Group(*lines)


def difference_words(one: Disagreement, wanted: Any, predicted: Any) -> str:
    """One wrong field in words: both sides of a pair, the one side of a fact that stands alone."""
    if one.kind == "missed":
        return brief(wanted)
    if one.kind == "wrong":
        return f"{brief(predicted)}; gold: {brief(wanted)}"
    return brief(predicted)


def _print_comparison(out: Console, evaluation: Evaluation) -> None:
    against = evaluation.against
    if against is None:
        return
    out.print(Text("Against another run on the same gold", style="bold"))
    out.print(Text(f"The other: {made_with(against.other)}"), highlight=False)
    table = Table(title="This run less the other; * where the paired interval leaves 0 out", title_justify="left")
    table.add_column("type")
    table.add_column("field")
    for name in ("F1", "precision", "recall", "accuracy"):
        table.add_column(name, justify="right")
    rows = [delta for delta in against.deltas if is_told(delta)]
    for delta in rows:
        values = [_starred(measure) for measure in (delta.f1, delta.precision, delta.recall, delta.accuracy)]
        table.add_row(plain(type_name(delta.fact_type)), plain(delta.field), *values)
    out.print(table)
    for title, changes, colour in (("Worse", against.worse, "red"), ("Better", against.better, "green")):
        out.print(Text(f"{title}: {len(changes)}", style=colour))
        for change in changes[:_CHANGES]:
            out.print(Text(f"  {change_words(change)}"))
        if len(changes) > _CHANGES:
            out.print(f"  and {len(changes) - _CHANGES} more, all in --json and --html")


def is_told(delta: Delta) -> bool:
    """Whether a row of the comparison is worth its place: whole facts always, a field when something moved."""
    return delta.field in ("strict", "lenient", "all fields") or any(
        measure.value for measure in (delta.f1, delta.precision, delta.recall, delta.accuracy)
    )


def change_words(change: Change) -> str:
    """One fact that got better or worse, in a line."""
    fields = f" ({', '.join(change.fields)})" if change.fields else ""
    words = f"{change.article_id}  {change.fact_type}  {change.before} → {change.after}{fields}  {change.where}"
    return plain(f"{words.rstrip()}  “{cut(change.quote, _QUOTE_CHARS)}”" if change.quote else words)


def _starred(measure: Measure) -> str:
    return f"{gap(measure)}{' *' if is_sure(measure) else ''}"
