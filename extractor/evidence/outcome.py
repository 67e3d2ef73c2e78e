"""What judging gives: facts that are believed, facts that are not with the reasons, and an article's outcome.

In: nothing. Out: `Grounded`, `Quarantined`, `Outcome`. Floor: evidence.
Before changing it: services keep these records as JSON, and the ledger stores their fields.
"""

from typing import Generic, Literal, TypeVar

from pydantic import Field, SerializeAsAny

from extractor.errors import ModelError
from extractor.facts.fact import Fact, registered_name
from extractor.records import Article, ArticleStatus, AttemptOutcome, Issue, Record, Span, Usage

F = TypeVar("F", bound=Fact)


class Try(Record):
    """One version of a fact that was not believed, as the model gave it."""

    json_text: str
    """The item's JSON text, whatever its shape."""
    issues: tuple[Issue, ...]
    """Why it was not believed; at least one is an error."""


class Grounded(Record, Generic[F]):
    """A believed fact: its evidence stands in the article, and its values in its evidence."""

    id: str
    """Made from the article's id, the type and the value without its evidence: the same fact has the same id in every run."""
    fact_type: str
    """Registered name of its type."""
    article_id: str
    """The article it was read from."""
    verdict: Literal["kept", "repaired"]
    """`kept`: believed as first given. `repaired`: believed after the model corrected it."""
    value: SerializeAsAny[F]
    """What the model said, never edited by the code."""
    evidence: tuple[Span, ...]
    """Where each of `value.evidence` stands in the article's text, in the same order."""
    spans: dict[str, Span] = Field(default_factory=dict)
    """Where every other checked text of the value stands, by field path such as `quantity.as_written`."""
    countries: dict[str, str] = Field(default_factory=dict)
    """ISO 3166-1 alpha-3 code of each party that is, or acts for, a known state, by field path such as `suppliers[0]`."""
    issues: tuple[Issue, ...] = ()
    """Warnings: what could not be verified or had to be assumed."""
    tries: tuple[Try, ...] = ()
    """The versions that were not believed before this one, oldest first; empty when it was kept as given."""


GroundedFact = Grounded[Fact]
"""Any believed fact; named here, at the module's level, since pickle looks the class up by its name in this module."""


class Quarantined(Record):
    """An item of a reply that is not believed, kept with its reasons; or one that only repeats a believed fact."""

    id: str
    """Made from the article's id, the type and the JSON text of its last try."""
    fact_type: str
    """Registered name of the type it was given as."""
    article_id: str
    """The article it was read from."""
    verdict: Literal["quarantined", "merged"] = "quarantined"
    """`quarantined`: not believed. `merged`: the same as a believed fact, named in its last issue."""
    tries: tuple[Try, ...]
    """Every version the model gave, oldest first; at least one."""
    evidence: tuple[Span, ...] = ()
    """Those quotes of the last version that do stand in the article."""

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Why the last version is not believed."""
        return self.tries[-1].issues


class Outcome(Record):
    """All that came of one article: plain data, safe to dump, pickle and send."""

    article: Article
    """As it was read; every span points into its text."""
    status: ArticleStatus
    """`complete`, `partial` (a part, a type or a repair got no answer) or `failed` (nothing was answered)."""
    reason: str | None = None
    """Why it is not complete, in words; None when it is."""
    cause: AttemptOutcome | Literal["unreadable"] | None = None
    """The same as a name, such as `refusal`; `unreadable` where it was no article and nothing was asked; None when complete."""
    facts: tuple[SerializeAsAny[GroundedFact], ...] = ()
    """Believed facts, in the order in which they were given."""
    quarantined: tuple[Quarantined, ...] = ()
    """Items that are not believed."""
    merged: tuple[Quarantined, ...] = ()
    """Items that only repeat a believed fact."""
    usage: Usage = Usage()
    """Tokens and attempts of this article, repairs and failures included; nothing for replies that were already stored."""
    cost_usd: float | None = None
    """US dollars; None when the model has no known price."""

    @property
    def text(self) -> str:
        """The article's text, into which every span points."""
        return self.article.text

    def of(self, fact_type: type[F]) -> list[Grounded[F]]:
        """The believed facts of one type, in order; types are compared by registered name."""
        name = registered_name(fact_type)
        return [fact for fact in self.facts if fact.fact_type == name]  # type: ignore[misc]

    def raise_for_status(self) -> "Outcome":
        """This outcome, when it is complete.

        Raises:
            ModelError: It is partial or failed; the message has the reason, `outcome` the cause.
        """
        if self.status != "complete":
            what_next = "Ask it again, or go on without it." if self.status == "failed" else "Ask it again, or go on with the facts it has."
            said = (self.reason or "").rstrip(".")
            if self.cause == "unreadable":  # asking again is no help, and the reason says what is
                raise ModelError(f"Article {self.article.id!r} is {self.status}: {said}.", outcome=self.cause)
            raise ModelError(f"Article {self.article.id!r} is {self.status}: {said}. {what_next}", outcome=self.cause or "unparsable")
        return self
