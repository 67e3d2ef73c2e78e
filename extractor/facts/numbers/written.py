"""The words of a value read by themselves: one number expression and a harmless tail.

In: `as_written`. Out: `Written`, or None where the words are not understood. Floor: facts.
Before changing it: what counts as a quantity or a sum is not decided here, but in quantity.py and money.py.
"""

import functools
from decimal import Decimal
from typing import NamedTuple

from extractor.facts.numbers.expressions import Expression, read_expression
from extractor.facts.numbers.tails import QUOTE_MARKS, Tail, read_tail
from extractor.facts.numbers.tokens import Token, tokenize

_LONGEST_WORDS = 200  # code points; a longer text is no value, and reading stays fast whatever the model answers
_TRAILING_MARKS = QUOTE_MARKS | frozenset(".,;:")


class Written(NamedTuple):
    """The words of a value, read by themselves."""

    tokens: list[Token]
    """Of the words, quotation marks around them left out."""
    expression: Expression
    """The number expression they open with, before its tail; sure in meaning."""
    tail: Tail
    """What follows it."""


def read_written(text: str) -> Written | None:
    """A value's words as one number expression with a harmless tail; None where they are not understood."""
    return None if len(text) > _LONGEST_WORDS else _read_written(text)


@functools.lru_cache(maxsize=2048)  # "two", "10 million dollars": a corpus says the same again and again
def _read_written(text: str) -> Written | None:
    tokens = tokenize(text)
    while tokens and tokens[0].text in QUOTE_MARKS:
        tokens = tokens[1:]
    while tokens and tokens[-1].kind == "mark" and tokens[-1].text in _TRAILING_MARKS:
        tokens = tokens[:-1]
    expression = read_expression(tokens, 0)
    if expression is None or not expression.is_sure:
        return None
    tail = read_tail(tokens, expression.end)
    if tail is None or (tail.bound is not None and (expression.is_bounded or expression.approximate)):
        return None
    return Written(tokens, expression, tail)


def plain_number(number: Decimal) -> str:
    """A number without exponent and without trailing zeros."""
    return format(number.normalize(), "f")


def describe(minimum: Decimal | None, maximum: Decimal | None, *, approximate: bool) -> str:
    """A reading in words, for messages: "minimum 10 and no maximum"."""
    if minimum is None and maximum is None:
        text = "no numbers"
    elif maximum is None:
        text = f"minimum {plain_number(minimum)} and no maximum" if minimum is not None else ""
    elif minimum is None:
        text = f"no minimum and maximum {plain_number(maximum)}"
    else:
        text = f"minimum {plain_number(minimum)}, maximum {plain_number(maximum)}"
    return f"{text}, approximate" if approximate else text
