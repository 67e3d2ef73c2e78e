"""How much money: a sum with its words, and the grammar that reads them.

In: the model's reading and the passage it stands in. Out: `Money` and its check. Floor: facts.
Before changing it: no currency is converted, and a word that several states use ("kroner") stays open until the passage settles it.
"""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, NamedTuple, Self

from pydantic import Field, PlainSerializer, WithJsonSchema, model_validator

from extractor.facts.english import is_english
from extractor.facts.fact import Check, Value, Verbatim
from extractor.facts.numbers.adjoining import Around, check_cut, look_around
from extractor.facts.numbers.currencies import Currency, states_in
from extractor.facts.numbers.doubts import holds_no_number
from extractor.facts.numbers.expressions import Expression, may_hold
from extractor.facts.numbers.tokens import is_kind, tokenize, word_at
from extractor.facts.numbers.written import Written, describe, read_written

Amount = Annotated[
    Decimal,
    Field(ge=0, le=10**24, decimal_places=6, allow_inf_nan=False),  # no sum has more; "1e999999999" would take a gigabyte to write out
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}),
]
"""Zero or more currency units, exact; a decimal string on the wire, since a float would round sums."""

_SAME_SUM = frozenset({"equivalent", "equal", "equals", "which", "is"})
"""Between a sum and the same one in another currency, besides what may stand in a sum."""
_MORE = frozenset({"and", "but", "from", "between", "another", "additional", "further", "extra", "other", ";", ".", "+"})
"""Before another sum."""
_STATE_WINDOW_CHARS = 250  # a state word further away than this says little about a sum's currency


class MoneyReading(NamedTuple):
    """What the words of a sum mean."""

    minimum: Decimal | None
    """The least, in full currency units; None where they give none. "More than $10" has minimum 10: the bound is taken as inclusive."""
    maximum: Decimal | None
    """The most, likewise."""
    approximate: bool
    """Whether a word such as "about" qualifies it; where they give no numbers ("billions of dollars") it says nothing."""
    currency: str | None
    """ISO 4217; None where the words name none, or one that several states use."""
    currencies: tuple[str, ...]
    """Every code that the words allow; () where they name no currency."""
    assumed: str
    """What had to be assumed: "bare $ read as USD"; "" for nothing."""
    also: tuple["MoneyReading", ...] = ()
    """The same sum in other currencies, as the words add them in brackets."""


def read_money(text: str) -> MoneyReading | None:
    """What the words of a sum mean; None when they are not understood.

    A currency mark or a magnitude is needed: "10" is no sum. Cents, shares and sums of another language's magnitudes are not read.

    Args:
        text: The words; more than 200 code points are not understood.
    """
    written = read_written(text)
    return None if written is None else _sum(written)


def _sum(written: Written) -> MoneyReading | None:
    expression, tail = written.expression, written.tail
    currency = expression.currency
    if expression.is_article or (currency is None and (not expression.has_scale or tail.words)):
        return None
    if expression.is_year and (currency is None or currency.words[-1:].islower()):
        return None  # "2025 dollars" are a price level
    if expression.abroad and _is_long_scale_headline(written):
        return None
    if currency is not None and _states_its_dollar(written, currency):
        return None
    reading = _reading(expression)
    if tail.bound == "least":
        return reading._replace(maximum=None)
    if tail.bound == "most":
        return reading._replace(minimum=None)
    return reading._replace(approximate=True) if tail.bound == "about" else reading


def _is_long_scale_headline(written: Written) -> bool:
    """Whether it is "1 Billion Euro": 10^12 in German, 10^9 in an English headline."""
    pairs = pairwise(token.text for token in written.tokens)
    return any(pair in {("Billion", "Euro"), ("Trillion", "Euro")} for pair in pairs)


def _states_its_dollar(written: Written, currency: Currency) -> bool:
    """Whether a state follows a currency that it may settle: "$5 million Canadian" or a "$5 million Canadian loan"."""
    states = states_in(written.tokens[written.expression.end : written.expression.end + 2])
    return bool(states) and not currency.is_settled and any(code[:2] in states for code in currency.codes if code != currency.default)


def _reading(expression: Expression) -> MoneyReading:
    currency = expression.currency
    return MoneyReading(
        expression.minimum,
        expression.maximum,
        expression.approximate,
        currency.default if currency else None,
        currency.codes if currency else (),
        f"bare {currency.words} read as {currency.default}" if currency and currency.default and not currency.is_settled else "",
        tuple(_reading(also) for also in expression.also),
    )


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
            "ISO 4217 code. A bare $ or 'dollars' is USD unless the text speaks of another dollar. A currency word takes its state from "
            "the text ('kroner' of the Norwegian government: NOK); null where the text does not settle it."
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

    def check(self, *, quote: str, start: int, published: date | None) -> Check:
        """Whether sum and currency are what the words mean, and the words all that belongs to the sum.

        Args:
            quote: The passage in which `as_written` stands, with the article's own words around it: its state words settle a currency.
            start: Where in `quote` it begins, a code point.
            published: Not used.

        Returns:
            `disagrees` for other bounds, another `approximate` or currency, or words cut out of a larger sum or from its currency;
            `not_understood` where the grammar cannot tell; `agrees` with a note where a currency had to be
            assumed, or that a sum of `also_stated` is the same one.
        """
        del published
        words = self.as_written
        written = read_written(words)
        around = look_around(quote, start, words, written)
        english = is_english(quote, start)
        if (cut := check_cut(words, written, around)) and (english or around.is_fragment):
            return cut
        reading = None if written is None else _sum(written)
        if written is None or reading is None or not english:
            if english and (self.minimum is not None or self.maximum is not None) and holds_no_number(words):
                return Check(
                    "disagrees", f"{words!r} holds no number, so minimum and maximum must be null; or give the words that hold it."
                )
            return Check("not_understood", f"{words!r} is not read as a sum of money, so its numbers are not verified.")
        if _is_weight(written, around):
            return Check("not_understood", f"{words!r} may be a weight.")
        if disagreement := self._compared(reading):
            return disagreement
        if beside := _other_state_beside(written, around, self.currency):
            return Check("not_understood", f"{beside!r} beside {words!r} may say whose currency it is.")
        near = quote[max(0, start - _STATE_WINDOW_CHARS) : start + len(words) + _STATE_WINDOW_CHARS]
        check = self._currency_checked(written.expression.currency, near)
        if check.result != "agrees":
            return check
        notes = [check.assumed] if check.assumed else []
        if rate := written.tail.rate or around.rate:
            notes.append(f"{rate!r} makes {words!r} a rate; the sum alone is read")
        if other := next((also for also in self.also_stated if not _is_stated_beside(also, words, quote[start:])), None):
            notes.append(f"{other!r} does not stand right behind {words!r}, so it may be another sum")
        return check._replace(assumed="; ".join(notes))

    def _compared(self, reading: MoneyReading) -> Check | None:
        given = (self.minimum, self.maximum)
        has_numbers = reading.minimum is not None or reading.maximum is not None
        if given == (reading.minimum, reading.maximum) and (not has_numbers or self.approximate == reading.approximate):
            return None
        means = describe(reading.minimum, reading.maximum, approximate=reading.approximate)
        said = describe(self.minimum, self.maximum, approximate=self.approximate)
        return Check("disagrees", f"{self.as_written!r} means {means}; given {said}.")

    def _currency_checked(self, currency: Currency | None, near: str) -> Check:
        """Whether the currency is the one that the words and the states named near them allow."""
        words, given = self.as_written, self.currency
        if currency is None:
            unverified = Check("not_understood", f"{words!r} names no currency, so {given} is not verified.")
            return Check("agrees") if given is None else unverified
        if given == currency.default and given is not None:
            return Check("agrees", assumed="" if currency.is_settled else f"bare {currency.words} read as {given}")
        states = states_in(tokenize(near))
        settled = [code for code in currency.codes if code[:2] in states]
        if given in settled:
            only = len(settled) == 1 and currency.default is None
            return Check("agrees", assumed="" if only else f"{currency.words} read as {given}, since the passage names its state")
        if given is None and currency.default is not None and not currency.is_settled:
            # the text may speak of another dollar further off: left open is missing, not wrong
            return Check("not_understood", f"bare {currency.words} in {words!r} is usually {currency.default}; the currency was left open.")
        expected = currency.default or (settled[0] if len(settled) == 1 else None)
        if expected is not None:
            return Check("disagrees", f"{currency.words!r} in {words!r} means {expected} here; given currency {given or 'null'}.")
        allowed = ", ".join(currency.codes)
        if given is not None and given not in currency.codes:
            return Check("disagrees", f"{currency.words!r} in {words!r} can mean {allowed}; given currency {given}.")
        note = f"{currency.words!r} can mean {allowed}; the passage does not say which"
        return Check("agrees", assumed=f"{note}: {given} is the model's own choice" if given else note)


def _other_state_beside(written: Written, around: Around, given: str | None) -> str:
    """A state that adjoins a sum of an open currency, and has another one: "$5 billion Canadian", "Canadian $5 billion"; "" for none."""
    currency, whole = written.expression.currency, around.expression
    if currency is None or currency.is_settled or whole is None:
        return ""
    tokens = around.tokens
    after = whole.end + (word_at(tokens, whole.end) == "(")
    for near in (tokens[max(0, whole.start - 1) : whole.start], tokens[after : after + 1]):
        states = states_in(near)
        if states and any(code[:2] in states for code in currency.codes if code != given):
            return near[0].text
    return ""


def _is_stated_beside(also: str, words: str, passage: str) -> bool:
    """Whether a sum stands among the words that open a passage, or behind them with nothing between that says that it is another one."""
    tokens, wanted = tokenize(passage[len(words) :]), [token.text for token in tokenize(also)]
    for at, token in enumerate(tokens):
        if [each.text for each in tokens[at : at + len(wanted)]] == wanted:
            return True
        if token.word not in _SAME_SUM and (token.word in _MORE or not may_hold(token)):
            break
    return also in words


def _is_weight(written: Written, around: Around) -> bool:
    """Whether "5 million pounds of explosives" stands there."""
    currency = written.expression.currency
    if currency is None or not currency.words.endswith(("pound", "pounds")) or around.expression is None:
        return False
    end = around.expression.end
    return word_at(around.tokens, end) == "of" and is_kind(around.tokens, end + 1, "word")
