"""How many: a count with its words, and the grammar that reads them.

In: the model's reading and the passage it stands in. Out: `Quantity` and its check. Floor: facts.
Before changing it: what the words do not surely say stays "not understood"; a wrong number is worse than an unverified one.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, NamedTuple, Self

from pydantic import Field, WithJsonSchema, model_validator

from extractor.facts.english import is_english
from extractor.facts.fact import Check, Value, Verbatim
from extractor.facts.numbers.adjoining import Around, check_cut, look_around
from extractor.facts.numbers.doubts import holds_no_number
from extractor.facts.numbers.tokens import tokenize, word_at, word_list
from extractor.facts.numbers.written import Written, describe, read_written

Number = Annotated[int | float, Field(ge=0, le=10**24, allow_inf_nan=False), WithJsonSchema({"type": "number"})]
"""Zero or more; on the wire one JSON number, so that a count stays an int and a share a float."""

_NO_SINGULARS = word_list("no_singulars")
_LONGEST_SINGULAR = 4


class QuantityReading(NamedTuple):
    """What the words of a quantity mean."""

    minimum: Decimal | None
    """The least, in units; None where they give none. "More than 10" has minimum 10: the bound is taken as it is said, as inclusive."""
    maximum: Decimal | None
    """The most, likewise."""
    approximate: bool
    """Whether a word such as "about" qualifies them; where they give no numbers ("dozens") it says nothing."""


def read_quantity(text: str) -> QuantityReading | None:
    """What the words of a quantity mean; None when they are not understood.

    A number opens them, with what qualifies it; plain unit words may follow ("at least 10 Patriot systems"). Sums of money, shares,
    designations ("F-16"), years and measures of calibre are no quantities. "Dozens" is understood, and means no numbers.

    Args:
        text: The words; more than 200 code points are not understood.
    """
    written = read_written(text)
    return None if written is None else _count(written)


def _count(written: Written) -> QuantityReading | None:
    expression, tail = written.expression, written.tail
    if expression.currency is not None or expression.letter:
        return None
    if expression.is_year and not (expression.is_bounded and tail.words):
        return None
    if expression.is_article and not _is_singular(written):
        return None
    minimum, maximum = expression.minimum, expression.maximum
    if tail.bound == "least":
        maximum = None
    elif tail.bound == "most":
        minimum = None
    return QuantityReading(minimum, maximum, expression.approximate or tail.bound == "about")


def _is_singular(written: Written) -> bool:
    """Whether "a" counts one thing ("a Patriot battery") and is no part of another expression ("a lot of")."""
    words = [token.word for token in written.tokens[written.expression.end :]]
    return 0 < len(words) <= _LONGEST_SINGULAR and words[0] not in _NO_SINGULARS and "of" not in words


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

    def check(self, *, quote: str, start: int, published: date | None) -> Check:
        """Whether the numbers are what the words mean, and the words all that belongs to the number.

        Args:
            quote: The passage in which `as_written` stands, with the article's own words around it.
            start: Where in `quote` it begins, a code point.
            published: Not used.

        Returns:
            `disagrees` for other bounds, another `approximate`, a unit that is not among the words, or words cut out of a larger
            number expression; `not_understood` where the grammar cannot tell.
        """
        del published
        words = self.as_written
        if self.unit is not None and not _holds(words, self.unit):
            return Check("disagrees", f"unit {self.unit!r} is not among the words {words!r}; give a unit word that is, or null.")
        written = read_written(words)
        around = look_around(quote, start, words, written)
        if around.expression is not None and around.expression.currency is not None and not around.doubt:
            return Check("disagrees", f"{words!r} is no quantity: {around.words!r} is a sum of money.")
        if around.expression is not None and around.expression.letter:
            return Check("not_understood", f"{around.words!r} may be a measure rather than a magnitude.")
        english = is_english(quote, start)
        if (cut := check_cut(words, written, around)) and (english or around.is_fragment):
            return cut
        reading = None if written is None else _count(written)
        if written is None or reading is None or not english:
            if english and (self.minimum is not None or self.maximum is not None) and holds_no_number(words):
                return Check(
                    "disagrees", f"{words!r} holds no number, so minimum and maximum must be null; or give the words that hold it."
                )
            return Check("not_understood", f"{words!r} is not read as a quantity, so its numbers are not verified.")
        return self._compared(reading, written, around)

    def _compared(self, reading: QuantityReading, written: Written, around: Around) -> Check:
        given = QuantityReading(_exact(self.minimum), _exact(self.maximum), self.approximate)
        has_numbers = reading.minimum is not None or reading.maximum is not None
        if given[:2] != reading[:2] or (has_numbers and given.approximate != reading.approximate):
            means = describe(reading.minimum, reading.maximum, approximate=reading.approximate)
            said = describe(given.minimum, given.maximum, approximate=given.approximate)
            return Check("disagrees", f"{self.as_written!r} means {means}; given {said}.")
        rate = written.tail.rate or around.rate
        return Check("agrees", assumed=f"{rate!r} makes {self.as_written!r} a rate; the number alone is read" if rate else "")


def _exact(number: float | None) -> Decimal | None:
    """A JSON number as it was written."""
    return None if number is None else Decimal(str(number))


def _holds(words: str, unit: str) -> bool:
    """Whether the unit's words stand among the words, side by side."""
    tokens, parts = tokenize(words), tokenize(unit)
    return bool(parts) and any(
        all(word_at(tokens, at + step) == part.word for step, part in enumerate(parts)) for at in range(len(tokens) - len(parts) + 1)
    )
