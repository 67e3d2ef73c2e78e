"""How many: a count with its words, and the grammar that reads them.

In: the model's reading and the quote it stands in. Out: `Quantity` and its check. Floor: facts.
"""

from typing import Annotated, Self

from pydantic import Field, WithJsonSchema, model_validator

from extractor.facts.fact import Value, Verbatim

Number = Annotated[int | float, Field(ge=0, allow_inf_nan=False), WithJsonSchema({"type": "number"})]
"""Zero or more; on the wire one JSON number, so that a count stays an int and a share a float."""


class Quantity(Value):
    """How many: the words and what they mean. Nothing is computed or rounded."""

    as_written: Verbatim = Field(
        description=(
            "The number with the words that qualify it and the unit that adjoins it, verbatim: 'two', 'at least 10 systems', "
            "'dozens', 'between 30 and 40'."
        ),
    )
    minimum: Number | None = Field(
        description="The least that the words mean; equal to maximum for a plain number; null where they give none ('up to 20', 'dozens').",
    )
    maximum: Number | None = Field(
        description="The most that the words mean; null where they give none ('at least 10', 'dozens').",
    )
    approximate: bool = Field(default=False, description="True for 'about', 'nearly', 'some 40' and the like.")
    unit: Verbatim | None = Field(
        default=None, description="The unit word when it is part of the words: 'systems', 'rounds'; otherwise null."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is greater than maximum {self.maximum}")
        return self
