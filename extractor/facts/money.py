"""How much money: a sum with its words, and the grammar that reads them.

In: the model's reading and the quote it stands in. Out: `Money` and its check. Floor: facts.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, PlainSerializer, WithJsonSchema, model_validator

from extractor.facts.fact import Value, Verbatim

Amount = Annotated[
    Decimal,
    Field(ge=0, allow_inf_nan=False),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}),
]
"""Zero or more currency units, exact; a decimal string on the wire, since a float would round sums."""


class Money(Value):
    """A sum of money: the words and what they mean. No currency is converted and nothing is computed."""

    as_written: Verbatim = Field(
        description=(
            "The sum with the words that qualify it and its currency, verbatim: 'between $10-30 billion', "
            "'about seven billion kroner', '€240 million'."
        ),
    )
    minimum: Amount | None = Field(
        description=(
            "The least that the words mean, in full units as a decimal string: '10000000000' for '$10 billion'; "
            "null where they give none ('up to $5 million')."
        ),
    )
    maximum: Amount | None = Field(
        description="The most that the words mean, written likewise; equal to minimum for a plain sum; null for 'at least', 'billions'.",
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = Field(
        description=(
            "ISO 4217 code. A bare $ is USD unless the text says otherwise. A currency word takes its state from the text "
            "('kroner' of the Norwegian government: NOK); null where the text does not settle it."
        ),
    )
    approximate: bool = Field(default=False, description="True for 'about', 'nearly', 'some' and the like.")
    also_stated: list[Verbatim] = Field(
        default_factory=list,
        description="The same sum in other currencies, each verbatim: '$258 million'. The value above is the one stated first.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is greater than maximum {self.maximum}")
        return self
