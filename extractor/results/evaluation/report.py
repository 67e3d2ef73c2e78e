"""What an evaluation says: its words as records.

In: nothing. Out: `Evaluation` and its parts. Floor: results.
Before changing it: `extractor evaluate --json` prints these records, so a renamed field is a break for its readers.
"""

from typing import Any, Literal

from pydantic import Field

from extractor.records import Record
from extractor.results.evaluation.measures import FieldScore, Measure, Score

Wrongness = Literal["missed", "extra", "rejected", "wrong"]
"""`missed`: in gold, not predicted. `extra`: predicted, and not in the gold of a fully labelled article. `rejected`: known to be wrong.
`wrong`: a pair that differs in some field."""
State = Literal["missed", "wrong", "right"]
"""What became of a gold fact: no prediction speaks of it; one does, with some field wrong; every field is right."""
Presence = Literal["extra", "not given"]
"""What became of a fact that gold does not have: the run has it, or not."""


class About(Record):
    """What a run was made with: without it, no number means anything."""

    run: str = ""
    """The run folder, as it was given."""
    started_at: str | None = None
    """When its last run began, ISO 8601, UTC."""
    models: tuple[str, ...] = ()
    """As the rows name them; of the last run, where there are no rows."""
    prompts: tuple[str, ...] = ()
    """Names and fingerprints, likewise."""
    schemas: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fingerprints by fact type, likewise."""
    asked: tuple[str, ...] = ()
    """Fact types that the last run asked for; empty where that is unknown."""


class FieldDifference(Record):
    """One field on which gold and prediction differ."""

    field: str
    """Dotted path."""
    wanted: Any
    """What gold has; None for nothing."""
    predicted: Any
    """What the run has; None for nothing."""


class Disagreement(Record):
    """One fact on which gold and run differ, with the words of both."""

    kind: Wrongness
    article_id: str
    fact_type: str
    severity: float
    """1 for a fact that is missed, extra or rejected; for a pair, 1 less its score."""
    differences: tuple[FieldDifference, ...]
    """The wrong fields of a pair; every stated field of a fact that stands alone."""
    gold_quotes: tuple[str, ...] = ()
    predicted_quotes: tuple[str, ...] = ()
    where: str = ""
    """The gold fact's file and line; "" where there is none."""
    fact_id: str = ""
    """The prediction's id; "" where there is none."""


class TypeScore(Record):
    """The scores of one fact type, or of all."""

    fact_type: str
    """Registered name; "" for all."""
    strict: Score
    """Whole facts: right when every field is."""
    lenient: Score
    """Whole facts: right when gold has a fact that speaks of the same thing."""
    fields_together: FieldScore
    """Every value of every field, counted together."""
    fields: tuple[FieldScore, ...] = ()
    """By field; none for all types together."""
    overlap: Measure
    """Mean overlap of evidence over pairs that both have some."""
    pairs: int
    """Predictions that speak of a gold fact."""
    missed: int
    """Gold facts, optional ones left out, of which no prediction speaks."""
    extra: int
    """Predictions that are wrong because gold has no such fact, rejected ones included."""
    unjudged: int
    """Predictions in articles that are not fully labelled and of which gold knows nothing: they count nowhere."""
    optional: int
    """Optional gold facts."""
    optional_given: int
    """Those of which a prediction speaks."""


class Delta(Record):
    """How far this run is above the other (below: negative), with the paired interval."""

    fact_type: str
    """"" for all."""
    field: str
    """Dotted path; `strict` and `lenient` for whole facts, `all fields` for all of them."""
    f1: Measure
    precision: Measure
    recall: Measure
    accuracy: Measure
    """None for whole facts."""


class Change(Record):
    """One fact that got better or worse from the other run to this one."""

    article_id: str
    fact_type: str
    before: State | Presence
    """In the other run; `extra` and `not given` speak of facts that gold does not have."""
    after: State | Presence
    """In this one."""
    fields: tuple[str, ...] = ()
    """The fields that became right, or wrong."""
    quote: str = ""
    """The first passage of its evidence."""
    where: str = ""
    """The gold fact's file and line."""


class RunDelta(Record):
    """This run against another one on the same gold."""

    other: About
    """The run it is compared with."""
    deltas: tuple[Delta, ...]
    """Whole facts and fields, all types and each."""
    better: tuple[Change, ...]
    worse: tuple[Change, ...]


class Evaluation(Record):
    """How good a run is on some gold."""

    about: About
    """What the run was made with."""
    gold_path: str
    gold_fingerprint: str
    """Of the content of the gold files."""
    articles: int
    """Articles scored: all that gold speaks of."""
    articles_complete: int
    """Those of them that are fully labelled."""
    articles_absent: int
    """Those of them that the run does not have, or that failed in it: all their facts are missed."""
    resamples: int
    """Draws for each interval."""
    seed: int
    """Of the draws."""
    overall: TypeScore
    types: tuple[TypeScore, ...]
    disagreements: tuple[Disagreement, ...]
    """All of them, the worst first."""
    notes: tuple[str, ...] = ()
    """What a reader of the numbers must know."""
    against: RunDelta | None = None
    """Set when two runs were compared."""
