"""An evaluation as people read it on a terminal; and the wording that the page shares with it.

In: an `Evaluation`. Out: text on a rich console. Floor: results.
Before changing it: every number stands beside its interval and its count, and what was measured stands above them all.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from extractor.results.evaluation.measures import EVERY_TYPE, Measure, Score
from extractor.results.evaluation.report import About, Change, Delta, Disagreement, Evaluation, TypeScore
from extractor.results.show import counted, cut, grouped, plain

_QUOTE_CHARS = 200
_VALUE_CHARS = 160
_WIDE = 120  # columns from which every share has its interval beside it; below, F1 alone
_MIDDLE = 90  # columns from which there is room for accuracy; below, it is in --json and --html
_FINGERPRINT_CHARS = 8  # of 32: enough to tell two prompts apart; --json has all
_NOTHING: tuple[Any, ...] = (None, [], "")
_CHANGES = 20  # on a terminal, better and worse each; all are in --json


def show(out: Console, evaluation: Evaluation, *, worst: int = 10) -> None:
    """Print what was measured, whole facts, fields, the worst disagreements, and the comparison where there is one.

    Args:
        out: Where to.
        evaluation: What `evaluate` gave.
        worst: How many disagreements to print; how many there are is always said.
    """
    with out.capture() as held:
        _print(out, evaluation, worst)
    # tables fill their lines up with spaces, which nobody wants in a pipe, a file or what is copied from a terminal
    out.file.write("".join(f"{line.rstrip()}\n" for line in held.get().splitlines()))


def _print(out: Console, evaluation: Evaluation, worst: int) -> None:
    claimed = Table.grid(padding=(0, 2, 0, 0))
    claimed.add_column(style="bold", no_wrap=True)
    claimed.add_column(overflow="fold")
    for name, text in claim(evaluation):
        claimed.add_row(name, Text(text))
    out.print(claimed, highlight=False)
    out.print(_whole(evaluation, out.width))
    out.print(_beside(evaluation))
    for score in evaluation.types:
        out.print(_fields(score, out.width))
    _print_disagreements(out, evaluation.disagreements, worst)
    if evaluation.against is not None:
        _print_comparison(out, evaluation)
    for note in evaluation.notes:
        out.print(Text.assemble(("note: ", "yellow"), plain(note)))


# wording that the page shares


def claim(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """What the numbers speak of, each with its name: run, what it was made with, gold, and how the intervals were made."""
    yield from made_with(evaluation.about)
    absent = f", {evaluation.articles_absent} not in the run or failed" if evaluation.articles_absent else ""
    labelled = "all" if evaluation.articles_complete == evaluation.articles else str(evaluation.articles_complete)
    articles = f"{counted(evaluation.articles, 'article')}, {labelled} fully labelled{absent}"
    yield "Gold", plain(f"{evaluation.gold_path} {short(evaluation.gold_fingerprint)}: {articles}")
    yield "Judged", "strict: every field is right · lenient: it speaks of the same thing"
    yield "Intervals", f"95 % bootstrap over articles, {evaluation.resamples:,} resamples, seed {evaluation.seed}"


def made_with(about: About, *, run: str = "Run") -> Iterator[tuple[str, str]]:
    """What a run was made with, each with its name."""
    started = f"{about.started_at[:16].replace('T', ' ')} UTC" if about.started_at else "unknown date"
    models = " and ".join(about.models) or "unknown"
    yield run, plain(f"{about.run or 'without a name'} of {started}, model {models}")
    yield "Prompt", plain(" and ".join(map(short, about.prompts)) or "unknown")
    yield "Schemas", plain(", ".join(f"{name} {' and '.join(map(short, marks))}" for name, marks in about.schemas.items()) or "unknown")


def short(mark: str) -> str:
    """A fingerprint, or a name with one, by its first signs: "extract.v1 2ecdc2c2"; what is none, as it is."""
    return re.sub(rf"\bb2:([0-9a-f]{{{_FINGERPRINT_CHARS}}})[0-9a-f]+", r"\1", mark)


def share(measure: Measure) -> str:
    """A measure with its interval: "0.931 [0.88, 0.97]"; a dash where nothing was there to measure."""
    return f"{number(measure)} {between(measure)}".rstrip()


def number(measure: Measure) -> str:
    """A measure alone: "0.931"; a dash where nothing was there to measure."""
    return "–" if measure.value is None else f"{measure.value:.3f}"


def between(measure: Measure) -> str:
    """Its interval: "[0.88, 0.97]"; "" where there is none."""
    return _bracket(measure, ".2f").lstrip() if measure.value is not None else ""


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
        reading = "open" if low is None and high is None else grouped(low) if low == high else f"{grouped(low)} to {grouped(high)}"
        return f"“{value['as_written']}” = {reading}{' ' + value['currency'] if value.get('currency') else ''}"
    if "name" in value and "kind" in value:
        return f"{value['name'] or 'unnamed'} ({value['kind']}{' for ' + value['on_behalf_of'] if value.get('on_behalf_of') else ''})"
    return ", ".join(f"{name} {_brief(inner)}" for name, inner in value.items() if inner not in _NOTHING and name != "quote")


# tables


def _table(title: str) -> Table:
    return Table(
        title=Text(f"\n{plain(title)}"), title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )


def _whole(evaluation: Evaluation, width: int) -> Table:
    table = _table("Whole facts")
    table.add_column("", overflow="fold")
    for name in ("precision", "recall", "F1", "right/\ngiven", "found/\ngold"):
        table.add_column(name, justify="right")
    for score in (evaluation.overall, *evaluation.types):
        table.add_row(Text(plain(type_name(score.fact_type)), style="bold"))
        for judged, measured in (("strict", score.strict), ("lenient", score.lenient), ("all fields", score.fields_together)):
            table.add_row(f"  {judged}", *_row(measured, is_wide=width >= _WIDE))
    return table


def _beside(evaluation: Evaluation) -> Table:
    table = _table("Evidence, and what found no partner")
    table.add_column("", overflow="fold")
    for name in ("evidence overlap", "missed", "extra", "optional\ngiven", "unjudged"):
        table.add_column(name, justify="right")
    for score in (evaluation.overall, *evaluation.types):
        optional = f"{score.optional_given}/{score.optional}" if score.optional else "–"
        counts = (str(score.missed), str(score.extra), optional, str(score.unjudged))
        table.add_row(plain(type_name(score.fact_type)), share(score.overlap), *counts)
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


def _fields(score: TypeScore, width: int) -> Table:
    table = _table(f"Fields of {score.fact_type}")
    table.add_column("", overflow="fold")
    for name in ("precision", "recall", "F1", *(("accuracy",) if width >= _MIDDLE else ()), "right/\ngiven", "found/\ngold"):
        table.add_column(name, justify="right")
    for field in score.fields:
        precision, recall, f1, *counts = _row(field, is_wide=width >= _WIDE)
        accuracy = [_shown(field.accuracy, is_wide=width >= _WIDE)] if width >= _MIDDLE else []
        table.add_row(plain(field.field), precision, recall, f1, *accuracy, *counts)
    return table


def _print_disagreements(out: Console, disagreements: Sequence[Disagreement], worst: int) -> None:
    if not disagreements:
        out.print("No disagreement.")
        return
    shown = disagreements[:worst]
    more = "" if len(shown) == len(disagreements) else f"; {len(shown)} shown, all are in --json and --html"
    out.print(Text(f"\nDisagreements: {len(disagreements)}, the worst first{more}", style="bold"))
    for one in shown:
        out.print(_disagreement(one))


def _disagreement(one: Disagreement) -> Group:
    colour = {"missed": "red", "extra": "red", "rejected": "red", "wrong": "yellow"}[one.kind]
    head = Text.assemble((one.kind, colour), f"  {plain(one.article_id)} · {plain(one.fact_type)}  ", (plain(one.where), "dim"))
    said = Table.grid(padding=(0, 2, 0, 0))
    said.add_column(style="dim")
    said.add_column(overflow="fold")
    for field in one.differences:
        said.add_row(f"  {plain(field.field)}", Text(difference_words(one, field.wanted, field.predicted)))
    for whose, quotes in quoted(one):
        for place, quote in enumerate(quotes):
            said.add_row(Text("" if place else f"  {whose}", style="cyan"), Text(f"“{cut(plain(quote), _QUOTE_CHARS)}”"))
    return Group(head, said, "")


def quoted(one: Disagreement) -> Iterator[tuple[str, Sequence[str]]]:
    """The words of both sides, each under whose they are; once where both quote the same."""
    if one.gold_quotes == one.predicted_quotes:
        sides = [("both quote", one.gold_quotes)]
    else:
        sides = [("gold quotes", one.gold_quotes), ("run quotes", one.predicted_quotes)]
    yield from ((whose, quotes) for whose, quotes in sides if quotes)


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
    other = Table.grid(padding=(0, 2, 0, 0))
    for name, text in made_with(against.other, run="The other"):
        other.add_row(Text(name), Text(text))
    out.print(other, highlight=False)
    table = _table("This run less the other; * where the paired interval leaves 0 out")
    table.add_column("", overflow="fold")
    names = ("F1", "precision", "recall", "accuracy") if out.width >= _MIDDLE else ("F1", "precision", "recall")
    for name in names:
        table.add_column(name, justify="right")
    current: str | None = None
    for delta in filter(is_told, against.deltas):
        if delta.fact_type != current:
            current = delta.fact_type
            table.add_row(Text(plain(type_name(current)), style="bold"))
        measures = (delta.f1, delta.precision, delta.recall, delta.accuracy)[: len(names)]
        values = [_starred(measure, bare=out.width < _WIDE and place > 0) for place, measure in enumerate(measures)]
        table.add_row(f"  {plain(delta.field)}", *values)
    out.print(table)
    out.print()
    for title, changes, colour in (("Worse", against.worse, "red"), ("Better", against.better, "green")):
        out.print(Text(f"{title}: {len(changes)}", style=colour))
        told = Table.grid(padding=(0, 2, 0, 0))
        told.add_column(no_wrap=True)
        told.add_column(overflow="fold")
        for change in changes[:_CHANGES]:
            told.add_row(f"  {change.before} → {change.after}", Text(change_words(change)))
            if change.quote:
                told.add_row("", Text(f"“{cut(plain(change.quote), _QUOTE_CHARS)}”", style="dim"))
        if changes:
            out.print(told)
        if len(changes) > _CHANGES:
            out.print(f"  and {len(changes) - _CHANGES} more, all in --json and --html")


def is_told(delta: Delta) -> bool:
    """Whether a row of the comparison is worth its place: all types together always, the rest when something moved."""
    return delta.fact_type == EVERY_TYPE or any(measure.value for measure in (delta.f1, delta.precision, delta.recall, delta.accuracy))


def change_words(change: Change) -> str:
    """Which fact got better or worse: where it stands, and the fields by which it changed."""
    return plain(" · ".join(part for part in (change.article_id, change.fact_type, ", ".join(change.fields), change.where) if part))


def _starred(measure: Measure, *, bare: bool) -> str:
    return f"{gap(Measure(value=measure.value) if bare else measure)}{' *' if is_sure(measure) else ''}"
