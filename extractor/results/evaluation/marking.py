"""A run held against gold: every prediction and every gold fact gets its mark, and every article its counts.

In: rows of a ledger, gold. Out: `Judged`. Floor: results.
Before changing it: what gold does not speak of is not counted, and what gold has and the run has not is missed whatever the reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from extractor.errors import UsageError
from extractor.results.decisions import not_vouched
from extractor.results.evaluation.align import Alignment, Labelled, Predicted, align, is_same, label, offsets_hold, predict
from extractor.results.evaluation.compare import flat, size
from extractor.results.evaluation.gold import Gold, GoldFact
from extractor.results.evaluation.measures import ALL_FIELDS, COUNTED, EVERY_TYPE, LENIENT, STRICT, Tally
from extractor.results.evaluation.report import About
from extractor.results.form import Form
from extractor.results.show import counted

BELIEVED = ("kept", "repaired")
_NAMED = 3  # examples named in a note


class RunFacts(NamedTuple):
    """What is needed of a run."""

    rows: Iterable[Mapping[str, Any]]
    """As `Ledger.rows` gives them; of rows that are not believed only the reasons count, for a reviewer may have accepted one."""
    articles: Iterable[Mapping[str, Any]]
    """As `Ledger.articles` gives them."""
    about: About = About()
    types: Iterable[Mapping[str, Any]] = ()
    """As `Ledger.fact_types` gives them: what a reviewer's facts are held against."""


class Group(NamedTuple):
    """One type in one article."""

    article_id: str
    fact_type: str
    alignment: Alignment
    rejected: list[Predicted]
    """Predictions that are known to be wrong."""
    complete: bool
    """Whether the article is fully labelled."""

    def optional(self) -> list[Labelled]:
        """The gold facts that need not be given."""
        every = [*(pair.gold for pair in self.alignment.pairs), *self.alignment.missed]
        return [fact for fact in every if fact.fact.optional]


class Judged(NamedTuple):
    """A run against gold, before anything is measured."""

    groups: list[Group]
    """By article and type."""
    tallies: list[Tally]
    """One for each article, by its id."""
    absent: int
    """Articles of gold that the run does not have, or that failed in it."""
    notes: list[str]
    """What a reader of the numbers must know."""

    def of(self, fact_type: str) -> list[Group]:
        """The groups of one type, or of all."""
        return [group for group in self.groups if fact_type in (EVERY_TYPE, group.fact_type)]


def judge(run: RunFacts, gold: Gold) -> Judged:
    """Hold a run against gold.

    Raises:
        UsageError: Gold has no article in common with the run.
    """
    texts, failed = _articles(run.articles, gold)
    notes: list[str] = []
    if gold.articles and not texts:
        raise UsageError(
            f"No article of gold {gold.path!r} is in run {run.about.run!r}: gold names "
            f"{_some(gold.articles)}. An article's id is its path below the folder that was given to `extractor run`."
        )
    missing = sorted(set(gold.articles) - set(texts))
    if missing:
        notes.append(f"Not in the run, so that all is missed: {counted(len(missing), 'article')} of gold, {_some(missing)}.")
    if failed:
        notes.append(f"Failed or partial in the run: {counted(len(failed), 'article')} of gold, {_some(failed)}.")
    if gold.rejected or not all(gold.articles.values()):
        open_articles = [article for article, complete in gold.articles.items() if not complete]
        notes.append(
            f"{counted(len(open_articles), 'article')} not fully labelled: facts there that gold does not know are unjudged; "
            f"precision speaks of the judged ones alone, and recall of the labelled ones."
        )
    predicted: dict[tuple[str, str], list[Predicted]] = defaultdict(list)
    elsewhere = set[str]()
    quarantined: dict[str, Mapping[str, Any]] = {}
    for row in run.rows:
        if row.get("verdict") == "quarantined":
            quarantined[row.get("id", "")] = row
        if row.get("verdict", "kept") not in BELIEVED or "value" not in row:
            continue
        if row["article_id"] in gold.articles:
            predicted[row["article_id"], row["fact_type"]].append(predict(row))
        else:
            elsewhere.add(row["article_id"])
    if elsewhere:
        notes.append(f"Not in gold, so not scored: {counted(len(elsewhere), 'article')} of the run with facts.")
    vouched = _vouched(gold.facts, quarantined, texts, run.types, notes)
    labelled, rejected = _labelled(vouched, texts, notes), _labelled(gold.rejected, texts, [])
    notes += _unlike(labelled, predicted, run.about)
    groups, by_article = [], {article: Tally() for article in sorted(gold.articles)}
    for article, kind in sorted({*labelled, *predicted}):
        key = (article, kind)
        group = _group(key, labelled.get(key, []), rejected.get(key, []), predicted.get(key, []), complete=gold.articles[article])
        groups.append(group)
        _count(by_article[article], group)
    return Judged(groups, list(by_article.values()), len(missing) + sum(status == "failed" for status in failed.values()), notes)


def _articles(articles: Iterable[Mapping[str, Any]], gold: Gold) -> tuple[dict[str, str | None], dict[str, str]]:
    """Texts of the run's articles that gold speaks of, and the status of those among them that are not complete."""
    texts: dict[str, str | None] = {}
    failed: dict[str, str] = {}
    for article in articles:
        if article["id"] in gold.articles:
            texts[article["id"]] = (article.get("record") or {}).get("text")
            if (status := article.get("status", "complete")) != "complete":
                failed[article["id"]] = status
    return texts, dict(sorted(failed.items()))


def _vouched(
    facts: Iterable[GoldFact],
    quarantined: Mapping[str, Mapping[str, Any]],
    texts: Mapping[str, str | None],
    types: Iterable[Mapping[str, Any]],
    notes: list[str],
) -> Iterator[GoldFact]:
    """Gold without what a reviewer accepted or edited and what cannot count."""
    forms = {entry["fingerprint"]: Form(entry["json_schema"]) for entry in types}
    for fact in facts:
        wrong = None
        if fact.decision is not None:
            wrong = not_vouched(fact, quarantined.get(fact.id or ""), texts.get(fact.article_id), forms.get(fact.form or ""))
        if wrong is None:
            yield fact
        else:
            notes.append(f"{fact.where}: not counted: fact {fact.id} of {fact.article_id!r}: {wrong}.")


def _labelled(facts: Iterable[GoldFact], texts: Mapping[str, str | None], notes: list[str]) -> dict[tuple[str, str], list[Labelled]]:
    found: dict[tuple[str, str], list[Labelled]] = defaultdict(list)
    for fact in facts:
        hold = offsets_hold(fact, texts.get(fact.article_id))
        if not hold:
            notes.append(
                f"{fact.where}: its quotes do not stand in the run's text where its offsets say; they are compared by their words."
            )
        found[fact.article_id, fact.fact_type].append(label(fact, with_offsets=hold))
    return found


def _unlike(
    labelled: Mapping[tuple[str, str], Sequence[Labelled]], predicted: Mapping[tuple[str, str], Sequence[Predicted]], about: About
) -> Iterable[str]:
    """What looks like gold for another vocabulary: types that were not asked, types without gold, fields that no prediction has."""
    in_gold, in_run = {kind for _, kind in labelled}, {kind for _, kind in predicted}
    if about.asked and (unasked := sorted(in_gold - set(about.asked))):
        yield f"Gold has facts of types that the last run did not ask for; they are missed: {_some(unasked)}; --schema leaves types out."
    if unlabelled := sorted(in_run - in_gold):
        yield f"Gold has no fact of a type that the run has: {_some(unlabelled)}; if it was not labelled, leave it out with --schema."
    for kind in sorted(in_gold & in_run):
        known = {name for (_, of), rows in predicted.items() if of == kind for row in rows for name in flat(row.row["value"])}
        strange = {
            name: fact.fact.where
            for (_, of), facts in labelled.items()
            if of == kind
            for fact in facts
            for name in ({*flat(fact.fact.value), *fact.fact.alternatives} - known)
        }
        for name, where in sorted(strange.items()):
            yield f"{where}: field {name!r} is in no prediction of {kind!r}; a slip, or gold for another version?"


def _group(
    key: tuple[str, str], gold: Sequence[Labelled], rejected: Sequence[Labelled], predicted: Sequence[Predicted], *, complete: bool
) -> Group:
    known_wrong: list[Predicted] = []
    others: list[Predicted] = []
    for fact in predicted:
        is_wrong = any(is_same(fact.fields, wrong.fields) for wrong in rejected) and not any(
            is_same(fact.fields, right.fields) for right in gold
        )
        (known_wrong if is_wrong else others).append(fact)
    return Group(*key, align(gold, others), known_wrong, complete)


def _count(tally: Tally, group: Group) -> None:
    """Add what became of one article's facts of one type."""
    for pair in group.alignment.pairs:
        asked = 0 if pair.gold.fact.optional else 1  # an optional fact is right if given and not missed if absent: it is not asked for
        _add(tally, group, STRICT, _Counts(1, int(pair.is_right), asked, asked * pair.is_right))
        _add(tally, group, LENIENT, _Counts(1, 1, asked, asked))
        if pair.overlap is not None:
            for kind in (group.fact_type, EVERY_TYPE):
                tally[kind, LENIENT, "pairs"] += 1
                tally[kind, LENIENT, "overlap_millionths"] += round(pair.overlap * 1e6)
        for name, found in pair.fields.items():
            _add(tally, group, name, _Counts(found.predicted, found.predicted_right, asked * found.wanted, asked * found.wanted_right))
            for kind, row in ((group.fact_type, name), (group.fact_type, ALL_FIELDS), (EVERY_TYPE, ALL_FIELDS)):
                tally[kind, row, "pairs"] += 1
                tally[kind, row, "pairs_right"] += found.is_right
    for gold in group.alignment.missed:
        if not gold.fact.optional:
            _add(tally, group, STRICT, _Counts(wanted=1))
            _add(tally, group, LENIENT, _Counts(wanted=1))
            for name, allowed in gold.fields.items():
                _add(tally, group, name, _Counts(wanted=size(allowed[0])))
    for predicted in wrong(group):
        _add(tally, group, STRICT, _Counts(1))
        _add(tally, group, LENIENT, _Counts(1))
        for name, value in predicted.fields.items():
            _add(tally, group, name, _Counts(size(value)))


class _Counts(NamedTuple):
    predicted: int = 0
    predicted_right: int = 0
    wanted: int = 0
    wanted_right: int = 0


def _add(tally: Tally, group: Group, row: str, counts: _Counts) -> None:
    whole = row in (STRICT, LENIENT)
    rows = [(group.fact_type, row)] + ([(EVERY_TYPE, row)] if whole else [(group.fact_type, ALL_FIELDS), (EVERY_TYPE, ALL_FIELDS)])
    for kind, name in rows:
        for what, count in zip(COUNTED, counts, strict=False):
            if count:
                tally[kind, name, what] += count


def wrong(group: Group) -> list[Predicted]:
    """Predictions that gold says are wrong."""
    return [*group.rejected, *(group.alignment.extra if group.complete else ())]


def quotes_of(fact: Labelled | Predicted) -> tuple[str, ...]:
    """The passages of a fact's evidence."""
    if isinstance(fact, Labelled):
        return tuple(quote.quote for quote in fact.fact.evidence)
    return tuple(quote["quote"] for quote in fact.row.get("evidence", ()))


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(map(repr, ordered[:_NAMED])) + (f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else "")
