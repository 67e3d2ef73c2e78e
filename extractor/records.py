"""The words of this project as plain, frozen data: the glossary, on the ground floor.

In: nothing. Out: the records that every other room passes on.
Before changing one: records are stored in ledgers and sent to workers, so a renamed field is a migration.

A run reads *articles*, asks *calls* (a *prompt* for some fact types), each call costs one or more *attempts* (HTTP requests) and
ends in one *reply*, whose raw items are judged into facts; their *quotes* stand at *spans* of the article.
"""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Record(BaseModel):
    """A frozen value: a step returns a new one and never edits its input."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Record):
    """A half-open range `[start, end)` of code points in `Article.text`; never empty."""

    start: int = Field(ge=0)
    """First code point, inclusive, counted from 0."""
    end: int
    """One past the last code point, exclusive."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"span [{self.start}, {self.end}) is empty; end must be greater than start")
        return self

    def of(self, text: str) -> str:
        """The words that stand at this span in `text`."""
        return text[self.start : self.end]


class Article(Record):
    """One news article, its text fixed once: every later offset points into exactly this text."""

    id: str
    """Path relative to the argument it was found under (POSIX slashes), with `#n` where a file holds several; unique in a run."""
    text: str
    """Headline, blank line, body; just the body where there is no headline. Never changed after reading."""
    title: str | None = None
    """The headline, as it opens `text`; None when the format has none."""
    published: date | None = None
    """Publication date; None leaves relative dates ("next month") unresolved. It is never today's date by default."""
    source: str | None = None
    """The outlet, where the format names it."""
    language: str | None = None
    """BCP 47 tag, where the format names it; it is not detected."""
    url: str | None = None
    """Where the article was published, where the format says it."""
    origins: dict[str, str] = Field(default_factory=dict)
    """Where each of the fields above came from, by field name: `header line`, `--published`, `file name`, …"""


Severity = Literal["error", "warning"]


class Issue(Record):
    """One thing that is wrong or unsure about a fact."""

    severity: Severity
    """`error`: the fact is not believed, goes to repair and then to quarantine. `warning`: kept and flagged."""
    code: str
    """Stable name of the rule, such as `quote_not_found`; each is given where `evidence/validate.py` and `runs/flow.py` judge."""
    path: str
    """The field concerned, such as `suppliers[0].name`; "" for the fact as a whole."""
    message: str
    """What is wrong, with the value and what would be right; it is shown to people and, in a repair, to the model."""

    @classmethod
    def error(cls, code: str, path: str, message: str) -> Self:
        """An issue that keeps a fact from being believed."""
        return cls(severity="error", code=code, path=path, message=message)

    @classmethod
    def warning(cls, code: str, path: str, message: str) -> Self:
        """An issue that a believed fact carries."""
        return cls(severity="warning", code=code, path=path, message=message)


class Usage(Record):
    """Tokens, summed over attempts. Failed attempts count when the endpoint reported them."""

    input_tokens: int = 0
    """Tokens of the requests, cached ones included."""
    cached_tokens: int = 0
    """The part of `input_tokens` that the provider says it read from its prompt cache."""
    written_tokens: int = 0
    """The part of `input_tokens` that the provider says it put into its prompt cache, where that has a price of its own (Anthropic)."""
    output_tokens: int = 0
    """Tokens generated, reasoning included."""
    attempts: int = 0
    """HTTP requests sent."""
    unreported: int = 0
    """Attempts for which the endpoint reported no usage: the sums above are then lower bounds."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            written_tokens=self.written_tokens + other.written_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            attempts=self.attempts + other.attempts,
            unreported=self.unreported + other.unreported,
        )


class Prompt(Record):
    """The text of one request: what never changes first, so that providers can cache it."""

    name: str
    """Template and version, such as `extract.v1`."""
    system: str
    """Rules and worked examples: byte-identical for every article of a run."""
    user: str
    """The article, or the facts to repair with their paragraphs."""


CallKind = Literal["extract", "repair"]


class Call(Record):
    """One question for the model, whatever number of attempts it takes."""

    kind: CallKind
    """`extract`: all facts of a text. `repair`: corrected versions of the facts that were not believed."""
    article_id: str
    """The article it is about."""
    fact_types: tuple[str, ...]
    """Registered names whose arrays the answer has, in catalogue order."""
    prompt: Prompt
    """What is sent."""


AttemptOutcome = Literal[
    "ok",  # the whole object was read
    "partial",  # closed items were read out of a text that is not whole JSON
    "unparsable",  # text, but no item and no object of the asked shape
    "length",  # cut at the output limit; closed items were read
    "refusal",  # the model declined
    "content_filter",  # the provider withheld the answer
    "no_content",  # a choice without text
    "empty",  # no choices
    "error_body",  # an error under status 200
    "not_json",  # HTML or another body under status 200
    "rate_limited",  # 429
    "server_error",  # 5xx, 408, 409
    "timeout",
    "reset",  # the connection broke
    "no_connection",  # nothing listens, or the name does not resolve
    "context_overflow",  # the request is longer than the model takes
    "bad_request",  # 400, 413, 415, 422: this request is refused
    "cassette_miss",  # replaying, and the request was not recorded
    "not_asked",  # judging stored replies again, and this call was never made
]
"""What became of one request; the last one of a call is the call's outcome."""


class Attempt(Record):
    """One HTTP request and what came back; one row of the ledger."""

    key: str
    """Fingerprint of the body and the endpoint: same key, same question."""
    mode: str
    """How the schema travels, such as `json_schema/strict`."""
    outcome: AttemptOutcome
    """What became of it."""
    text: str = ""
    """What the model said: the message, the tool's arguments or the refusal; "" when there is none."""
    finish_reason: str | None = None
    """As the endpoint gave it."""
    status: int | None = None
    """HTTP status; None when there was no response."""
    usage: Usage = Usage()
    """Of this request alone."""
    latency_s: float = Field(default=0.0, ge=0)
    """Seconds from sending to the last byte, waits before sending excluded."""
    retry_after_s: float | None = None
    """Seconds that the endpoint asked to wait; None when it did not say."""
    error: str | None = None
    """What went wrong, in words, without keys or account names."""


class RawItem(Record):
    """One element of an array in a reply, as it was written."""

    fact_type: str
    """Registered name: the key of its array."""
    index: int = Field(ge=0)
    """Its place in that array, counted from 0."""
    json_text: str
    """The element's own JSON text: closed, but of any shape."""


class Reply(Record):
    """What one call came to."""

    outcome: AttemptOutcome
    """That of the last attempt."""
    text: str = ""
    """What the model said, whole."""
    items: tuple[RawItem, ...] = ()
    """Every closed array element of the asked types, in the order written."""
    missing: tuple[str, ...] = ()
    """Asked types for which the reply has no array."""
    error: str | None = None
    """Why it is not `ok`, in words."""
    usage: Usage = Usage()
    """Over all attempts of the call; nothing for a reply out of the ledger."""
    cost_usd: float | None = None
    """US dollars for those attempts; None when the model has no known price."""


ArticleStatus = Literal["complete", "partial", "failed"]
"""`complete`: all of it was asked and answered. `partial`: a part of a long article failed. `failed`: nothing was answered."""

FactVerdict = Literal["kept", "repaired", "quarantined", "merged"]
"""`kept`: believed as given. `repaired`: believed after a repair. `quarantined`: not believed. `merged`: it says what a kept one says."""
