"""How good a run is: its facts against gold.

In: rows of a ledger, gold. Out: an `Evaluation`. Floor: results.
Before changing it: every claim names what it was measured with, and the order of rows, articles and gold changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from extractor.results.evaluation.compare import flat
from extractor.results.evaluation.gold import Gold
from extractor.results.evaluation.marking import BELIEVED, Group, Judged, RunFacts, judge, quotes_of, wrong
from extractor.results.evaluation.measures import (
    ALL_FIELDS,
    EVERY_TYPE,
    LENIENT,
    RESAMPLES,
    STRICT,
    Draws,
    draw,
    field_score_of,
    one_measure,
    score_of,
)
from extractor.results.evaluation.regress import compare_runs
from extractor.results.evaluation.report import About, Disagreement, Evaluation, FieldDifference, TypeScore
from extractor.runs.ledger import Ledger


def read_run(folder: Path, fact_types: Sequence[str] = ()) -> RunFacts:
    """A run folder's facts and articles.

    Args:
        folder: The run folder.
        fact_types: Registered names of the types wanted; () for all. Gold is narrowed by `Gold.only`.

    Raises:
        LedgerError: It is no run folder, or cannot be read.
    """
    with Ledger(folder, read_only=True) as ledger:
        rows = list(ledger.rows((*BELIEVED, "quarantined"), fact_types))
        articles, types, last = list(ledger.articles()), list(ledger.fact_types()), ledger.summary()["last_run"]
    return RunFacts(rows, articles, _about(folder, [row for row in rows if row["verdict"] in BELIEVED], last), types)


def evaluate(
    rows: Iterable[Mapping[str, Any]],
    articles: Iterable[Mapping[str, Any]],
    gold: Gold,
    *,
    about: About = About(),  # noqa: B008 - frozen
    types: Iterable[Mapping[str, Any]] = (),
    other: RunFacts | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """How good a run is on some gold; the order of rows, articles and gold changes nothing.

    Args:
        rows: As `Ledger.rows` gives them.
        articles: As `Ledger.articles` gives them.
        gold: As `read_gold` gives it.
        about: What the run was made with.
        types: As `Ledger.fact_types` gives them; decided facts are held against them.
        other: A run to compare with on the same gold.
        resamples: Draws for each interval.
        seed: Of the draws.

    Raises:
        UsageError: Gold has no article in common with the run.
    """
    mine = judge(RunFacts(rows, articles, about, types), gold)
    draws = draw(mine.tallies, resamples=resamples, seed=seed)
    against = None
    if other is not None:
        theirs = judge(other, gold)
        against = compare_runs(mine, theirs, draws, draw(theirs.tallies, resamples=resamples, seed=seed), other.about)
    kinds = sorted({kind for kind, _, _ in draws.counts} - {EVERY_TYPE})
    return Evaluation(
        about=about,
        gold_path=gold.path,
        gold_fingerprint=gold.fingerprint,
        articles=len(gold.articles),
        articles_complete=sum(gold.articles.values()),
        articles_absent=mine.absent,
        resamples=resamples,
        seed=seed,
        overall=_type_score(mine, draws, EVERY_TYPE),
        types=tuple(_type_score(mine, draws, kind) for kind in kinds),
        disagreements=tuple(sorted((one for group in mine.groups for one in _disagreements(group)), key=_worst_first)),
        notes=(*gold.notes, *mine.notes),
        against=against,
    )


def _about(folder: Path, rows: Sequence[Mapping[str, Any]], last: Mapping[str, Any] | None) -> About:
    manifest = (last or {}).get("manifest") or {}
    schemas: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        schemas[row["fact_type"]].add(str(row.get("schema")))
    return About(
        run=str(folder),
        started_at=(last or {}).get("started_at"),
        models=tuple(sorted({str(row["model"]) for row in rows if row.get("model")}))
        or _one((manifest.get("settings") or {}).get("model")),
        prompts=tuple(sorted({str(row["prompt"]) for row in rows if row.get("prompt")}))
        or tuple(f"{name} {mark}" for name, mark in (manifest.get("prompts") or {}).items()),
        schemas={name: tuple(sorted(marks)) for name, marks in sorted(schemas.items())},
        asked=tuple(sorted(manifest.get("schemas") or ())),
    )


def _one(value: object) -> tuple[str, ...]:
    return (str(value),) if value else ()


def _type_score(judged: Judged, draws: Draws, kind: str) -> TypeScore:
    groups = judged.of(kind)
    fields = sorted({field for of, field, _ in draws.counts if of == kind} - {STRICT, LENIENT, ALL_FIELDS})
    optional = [fact for group in groups for fact in group.optional()]
    given = sum(pair.gold.fact.optional for group in groups for pair in group.alignment.pairs)
    return TypeScore(
        fact_type=kind,
        strict=score_of(draws, (kind, STRICT)),
        lenient=score_of(draws, (kind, LENIENT)),
        fields_together=field_score_of(draws, (kind, ALL_FIELDS)),
        fields=tuple(field_score_of(draws, (kind, field)) for field in fields) if kind != EVERY_TYPE else (),
        overlap=one_measure(draws, (kind, LENIENT), "overlap"),
        pairs=sum(len(group.alignment.pairs) for group in groups),
        missed=sum(not fact.fact.optional for group in groups for fact in group.alignment.missed),
        extra=sum(len(wrong(group)) for group in groups),
        unjudged=sum(len(group.alignment.extra) for group in groups if not group.complete),
        optional=len(optional),
        optional_given=given,
    )


def _disagreements(group: Group) -> Iterable[Disagreement]:
    for pair in group.alignment.pairs:
        if not pair.is_right:
            gold, said = flat(pair.gold.fact.value), flat(pair.predicted.row["value"])
            names = sorted(name for name, found in pair.fields.items() if not found.is_right)
            yield Disagreement(
                kind="wrong",
                article_id=group.article_id,
                fact_type=group.fact_type,
                severity=round(1 - pair.score, 6),
                differences=tuple(FieldDifference(field=name, wanted=gold.get(name), predicted=said.get(name)) for name in names),
                gold_quotes=quotes_of(pair.gold),
                predicted_quotes=quotes_of(pair.predicted),
                where=pair.gold.fact.where,
                fact_id=str(pair.predicted.row.get("id", "")),
            )
    for fact in group.alignment.missed:
        if not fact.fact.optional:
            yield Disagreement(
                kind="missed",
                article_id=group.article_id,
                fact_type=group.fact_type,
                severity=1.0,
                differences=_stated(fact.fact.value, fact.fields, "wanted"),
                gold_quotes=quotes_of(fact),
                where=fact.fact.where,
            )
    known_wrong = len(group.rejected)
    for place, predicted in enumerate(wrong(group)):  # the rejected ones come first
        yield Disagreement(
            kind="rejected" if place < known_wrong else "extra",
            article_id=group.article_id,
            fact_type=group.fact_type,
            severity=1.0,
            differences=_stated(predicted.row["value"], predicted.fields, "predicted"),
            predicted_quotes=quotes_of(predicted),
            fact_id=str(predicted.row.get("id", "")),
        )


def _stated(value: Mapping[str, Any], fields: Iterable[str], side: Literal["wanted", "predicted"]) -> tuple[FieldDifference, ...]:
    raw = flat(value)
    nothing: dict[str, Any] = {"wanted": None, "predicted": None}
    return tuple(FieldDifference(field=name, **{**nothing, side: raw[name]}) for name in fields if raw.get(name) is not None)


def _worst_first(one: Disagreement) -> tuple[float, str, str, str, str, str]:
    return (-one.severity, one.article_id, one.fact_type, one.kind, one.where, one.fact_id)
