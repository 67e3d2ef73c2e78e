"""When: a date or an interval with its words, and the grammar that reads them against the publication date.

In: the model's reading, the quote it stands in, the publication date. Out: `When` and its check. Floor: facts.
"""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from extractor.facts.fact import Value, Verbatim


class When(Value):
    """A time as an interval of days, both ends included. A day is never invented."""

    as_written: Verbatim = Field(
        description="The words, verbatim: 'July 23', 'earlier this month', 'before the end of August', '50 days'.",
    )
    earliest: date | None = Field(
        description=(
            "First day that the words allow, as YYYY-MM-DD; null where they give none ('before the end of August'). Relative words are "
            "resolved against the publication date; without one they stay null."
        ),
    )
    latest: date | None = Field(
        description=(
            "Last day that the words allow; equal to earliest for a single day; null where they give none. 'Before the end of August': "
            "31 August. A duration counts from both ends of its start, when the start is in the text."
        ),
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise ValueError(f"earliest {self.earliest} is after latest {self.latest}")
        return self
