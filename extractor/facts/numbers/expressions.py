"""A whole number expression: qualifiers, one number or two, a currency: "at least 10", "between $10-30 billion", "€240 ($258) million".

In: tokens. Out: `Expression`, what it means and how far it goes. Floor: facts.
Before changing it: an expression is found even where its meaning is not sure (`is_sure` False), so that a part of it is never taken for
the whole.
"""

from decimal import Decimal
from typing import NamedTuple

from extractor.facts.numbers import currencies, numerals, qualifiers
from extractor.facts.numbers.currencies import MARKS, Currency, merged, read_after, read_before
from extractor.facts.numbers.numerals import ARTICLES, NUMBER_WORDS, SCALES, Number, read_number, read_scale
from extractor.facts.numbers.qualifiers import (
    PART,
    PREFIX_WORDS,
    Bound,
    ends_cleanly,
    joins_by_dash,
    prefix_at,
    prefixes_at,
    starts_cleanly,
    suffix_at,
)
from extractor.facts.numbers.tokens import Token, is_kind, word_at


class Expression(NamedTuple):
    """A number expression in a text."""

    start: int
    """Index of its first token."""
    end: int
    """Index of the token after it."""
    minimum: Decimal | None = None
    """The least that it means; None where it gives none. "More than 10" has minimum 10: the bound itself, taken as inclusive."""
    maximum: Decimal | None = None
    """The most that it means, likewise."""
    approximate: bool = False
    """Whether a word such as "about" qualifies it."""
    currency: Currency | None = None
    """None where it has no currency mark."""
    is_sure: bool = True
    """False where it can be read in more than one way; its numbers are then not to be used."""
    is_year: bool = False
    """Whether the number may be a year."""
    is_bounded: bool = False
    """Whether a bound qualifies it."""
    is_article: bool = False
    """Whether the number is a mere "a" or "an"."""
    has_scale: bool = False
    """Whether it has a magnitude."""
    letter: bool = False
    """Whether its magnitude is one only in a sum of money."""
    abroad: bool = False
    """Whether it means something else in another language."""
    also: tuple["Expression", ...] = ()
    """The same sum in other currencies, as the text adds them in brackets."""


_VAGUE = frozenset({"several", "few", "many", "numerous", "multiple", "various"})
_VAGUE_PLURALS = frozenset({"tens", "dozens", "scores", "hundreds", "thousands", "millions", "billions", "trillions"})
_VAGUE_OF = (("a", "number", "of"), ("a", "handful", "of"), ("a", "few"))
_VAGUE_OPENINGS = _VAGUE | _VAGUE_PLURALS | {"a", "many"}
_THOUSAND = 1000
# What an expression can open with, besides digits and currency marks: other words are turned away here, which keeps a check fast.
_NUMBER_OPENINGS = NUMBER_WORDS | ARTICLES | _VAGUE | _VAGUE_PLURALS | {"between", "from", "half", "both"}
_OPENING_WORDS = PREFIX_WORDS | _NUMBER_OPENINGS
_JOINTS = frozenset({"and", "to", "or", "but"})
_WORDS = currencies.WORDS | numerals.WORDS | qualifiers.WORDS | _JOINTS | _NUMBER_OPENINGS | {word for words in _VAGUE_OF for word in words}


class _Term(NamedTuple):
    """One number with its currency."""

    number: Number
    currency: Currency | None
    end: int
    approximate: bool = False
    also: tuple["_Term", ...] = ()


def _term(tokens: list[Token], at: int) -> _Term | None:
    """A number, its currency before or after it."""
    before = read_before(tokens, at)
    here = before.end if before else at
    if before and is_kind(tokens, here, "dash"):
        return None
    number = read_number(tokens, here, money=before is not None)
    if number is None:
        return None
    if number.value == 1 and word_at(tokens, number.end) in PART:
        return None  # "one third"
    after = read_after(tokens, number.end, scaled=number.scale > 1 or not number.simple)
    currency = merged(before.currency if before else None, after.currency if after else None)
    return _Term(number, currency, after.end if after else number.end)


def _shared_scale(tokens: list[Token], at: int) -> _Term | None:
    """A sum whose magnitude follows the bracket and belongs to both: "€240 ($258) million"."""
    first = _term(tokens, at)
    if first is None or first.currency is None or first.number.scale > 1 or word_at(tokens, first.end) != "(":
        return None
    second = _term(tokens, first.end + 1)
    if second is None or second.currency is None or second.number.scale > 1 or word_at(tokens, second.end) != ")":
        return None
    scale = read_scale(tokens, second.end + 1, money=True)
    if scale.steps == 0:
        return None
    one, two = (
        term._replace(
            number=term.number._replace(value=term.number.value * scale.factor, scale=Decimal(scale.factor), year=False), end=scale.end
        )
        for term in (first, second)
    )
    return one._replace(also=(two,))


def _qualified_term(tokens: list[Token], at: int) -> _Term | None:
    """A term that may have "about" or an article of its own before it."""
    phrase = prefix_at(tokens, at)
    if phrase and phrase.bound == "about":
        term = _term(tokens, phrase.end)
        return term._replace(approximate=True) if term else None
    return _term(tokens, at)


def _looks_like_number(tokens: list[Token], at: int) -> bool:
    return is_kind(tokens, at, "number") or word_at(tokens, at) in NUMBER_WORDS


def _single(term: _Term, start: int) -> Expression:
    number = term.number
    return Expression(
        start,
        term.end,
        number.value,
        number.value,
        approximate=term.approximate,
        currency=term.currency,
        is_sure=not number.shaky and (term.currency is None or bool(term.currency.codes)),
        is_year=number.year,
        has_scale=number.scale > 1 or not number.simple,
        letter=number.letter,
        abroad=number.abroad,
        also=tuple(_single(also, start) for also in term.also),
    )


def _joined(low: _Term, high: _Term, start: int) -> Expression:
    """The range from one number to another."""
    first, last = low.number, high.number
    shared = first.scale == 1 and first.simple and last.scale > 1 and first.coefficient < last.coefficient
    sure = not last.shaky and not (first.shaky and not shared)
    if shared:  # "10-30 billion": the magnitude belongs to both
        sure = sure and last.simple and not last.article
        first = first._replace(value=first.value * last.scale, letter=last.letter, abroad=last.abroad)
    elif first.value * _THOUSAND <= last.value and last.value >= _THOUSAND and first.scale == 1:
        sure = False  # "5-10,000" may mean 5,000 to 10,000; "500 to 2 million"
    currency = merged(low.currency, high.currency)
    is_year = low.number.year and high.number.year and currency is None
    return Expression(
        start,
        high.end,
        first.value,
        last.value,
        approximate=low.approximate or high.approximate,
        currency=currency,
        is_sure=sure and first.value < last.value and not is_year and (currency is None or bool(currency.codes)),
        is_year=is_year,
        is_bounded=True,
        has_scale=last.scale > 1 or not last.simple,
        letter=first.letter or last.letter,
        abroad=first.abroad or last.abroad,
    )


def _between(tokens: list[Token], start: int, at: int) -> Expression | None:
    """A range that says so: "between 30 and 40", "between $10-30 billion"."""
    low = _qualified_term(tokens, at + 1)
    if low is None or not (word_at(tokens, low.end) in {"and", "to"} or joins_by_dash(tokens, low.end)):
        return None
    high = _qualified_term(tokens, low.end + 1)
    return _joined(low, high, start) if high else None


def _number_or_range(tokens: list[Token], start: int, at: int) -> Expression | None:
    """A number, or a range: "10", "10-12", "10 to 12", "two or three", "from 5 to 7"."""
    opens_from = word_at(tokens, at) == "from"
    low = _qualified_term(tokens, at + opens_from)
    if low is None:
        return None
    if low.currency is not None and word_at(tokens, low.end) == "(":
        low = _shared_scale(tokens, at) or low
    word = word_at(tokens, low.end)
    joins = word in {"to", "or"} or joins_by_dash(tokens, low.end)
    if word == "to" and low.currency and low.number.scale > 1 and is_kind(tokens, low.end + 1, "number") and not opens_from:
        high = _term(tokens, low.end + 1)
        joins = high is None or high.currency is not None or high.number.scale > 1  # "$5 million to 10 countries"
    phrase = prefix_at(tokens, low.end + 1) if word == "to" else None
    high_at = phrase.end if phrase and phrase.bound == "most" else low.end + 1
    high = _qualified_term(tokens, high_at) if joins else None
    if high is not None and (ends_cleanly(tokens, high.end) or joins_by_dash(tokens, low.end)):
        return _joined(low, high, start)
    if opens_from:
        return None
    if joins and (_looks_like_number(tokens, high_at) or read_before(tokens, high_at)):
        return _single(low, start)._replace(is_sure=False)  # "10 to 12-ton trucks"
    return _single(low, start)


def _vague(tokens: list[Token], start: int, at: int) -> Expression | None:
    """Words without numbers: "dozens", "several hundred", "tens of millions of euros"."""
    here = at
    for words in _VAGUE_OF:
        if all(word_at(tokens, at + step) == word for step, word in enumerate(words)):
            here = at + len(words)
            break
    else:
        if word_at(tokens, at) == "many" and word_at(tokens, at + 1) in _VAGUE_PLURALS:
            here = at + 1
        word = word_at(tokens, here)
        if word not in _VAGUE and word not in _VAGUE_PLURALS:
            return None
        here += 1
    has_scale = word_at(tokens, here - 1) in _VAGUE_PLURALS
    while word_at(tokens, here) in SCALES or word_at(tokens, here) in {"dozen", *_VAGUE_PLURALS} or _of_plural(tokens, here):
        has_scale = True
        here += 1
    currency = read_after(tokens, here + 1 if word_at(tokens, here) == "of" else here, scaled=has_scale)
    return Expression(
        start,
        currency.end if currency else here,
        currency=currency.currency if currency else None,
        has_scale=has_scale,
        is_bounded=True,
    )


def _of_plural(tokens: list[Token], at: int) -> bool:
    return word_at(tokens, at) == "of" and word_at(tokens, at + 1) in _VAGUE_PLURALS


def _bounded(expression: Expression, bounds: tuple[Bound, ...], end: int) -> Expression:
    """The expression under its qualifiers."""
    if not bounds and end == expression.end:
        return expression
    expression = expression._replace(end=end, approximate=expression.approximate or "about" in bounds)
    if "unsure" in bounds:
        return expression._replace(is_sure=False)
    least, most = "least" in bounds, "most" in bounds
    if not least and not most:
        return expression
    is_range = expression.minimum != expression.maximum
    return expression._replace(
        minimum=None if most else expression.minimum,
        maximum=None if least else expression.maximum,
        is_sure=expression.is_sure and not (least and most) and not is_range,
        is_bounded=True,
    )


def _up_to_as_well(tokens: list[Token], low: Expression) -> Expression:
    """Two bounds that make one expression: "at least 10 and up to 20"."""
    if low.minimum is None or low.maximum is not None or word_at(tokens, low.end) not in {"and", "but"}:
        return low
    phrase = prefix_at(tokens, low.end + 1)
    high = _term(tokens, phrase.end) if phrase and phrase.bound == "most" else None
    if high is None:
        return low
    same = high.number.scale == 1 or low.has_scale
    sure = low.is_sure and not high.number.shaky and same and low.minimum < high.number.value
    return low._replace(end=high.end, maximum=high.number.value, is_sure=sure, currency=merged(low.currency, high.currency))


def _in_brackets(tokens: list[Token], at: int) -> tuple[tuple[Expression, ...], int]:
    """The same sum in other currencies, "($8.7bn, £6.7bn)", and the place after it; () where the bracket holds anything else."""
    if word_at(tokens, at) != "(":
        return (), at
    also: list[Expression] = []
    here = at + 1
    while (more := read_expression(tokens, here)) is not None and more.currency is not None:
        also.append(more)
        if word_at(tokens, more.end) == ")":
            return tuple(also), more.end + 1
        here = more.end
        while word_at(tokens, here) in {",", ";", "/", "or", "and"}:
            here += 1
        if here == more.end:
            break
    return (), at


def read_expression(tokens: list[Token], at: int) -> Expression | None:
    """The longest number expression that begins at a place.

    Args:
        tokens: Of the whole text, so that what adjoins is seen.
        at: Index of its first token.

    Returns:
        None where none begins, or where what begins is part of something else: "155mm", "two-thirds", "13.5%".
    """
    may_open = _may_open(tokens, at, _OPENING_WORDS)
    prefixes = prefixes_at(tokens, at) if may_open and starts_cleanly(tokens, at) else None
    if prefixes is None:
        return None
    start, here = prefixes.start, prefixes.end
    if here > at and not _may_open(tokens, here, _NUMBER_OPENINGS):
        return _bare(tokens, at, here)
    word = word_at(tokens, here)
    expression = _between(tokens, start, here) if word == "between" else _vague(tokens, start, here) if word in _VAGUE_OPENINGS else None
    expression = expression or _number_or_range(tokens, start, here)
    if expression is None and word in ARTICLES and (is_kind(tokens, here + 1, "number") or read_before(tokens, here + 1)):
        expression = _number_or_range(tokens, here + 1, here + 1)
        if expression is not None and expression.currency is None and not expression.has_scale:
            return None  # "a $3 billion package", but not "an A 10"
    if expression is None:
        return _bare(tokens, at, here)
    bounds, end = prefixes.bounds, expression.end
    for _ in range(2):
        if suffix := suffix_at(tokens, end):
            bounds, end = (*bounds, suffix.bound), suffix.end
    if not ends_cleanly(tokens, end):
        return None
    expression = _up_to_as_well(tokens, _bounded(expression, bounds, end))
    if expression.currency is not None and (also := _in_brackets(tokens, expression.end))[0]:
        expression = expression._replace(also=also[0], end=also[1])
    return expression


def may_hold(token: Token) -> bool:
    """Whether a token may stand in a number expression; one that may not ends every expression before it, and begins none."""
    return token.kind != "word" or token.word in _WORDS


def _may_open(tokens: list[Token], at: int, words: frozenset[str]) -> bool:
    if at >= len(tokens):
        return False
    token = tokens[at]
    if token.kind == "number" or token.word in words:
        return True
    return (token.word in MARKS or token.text in MARKS) and read_before(tokens, at) is not None


def _bare(tokens: list[Token], at: int, here: int) -> Expression | None:
    """Words before a noun: "some systems" gives no number, "a battery" is one."""
    if here > at and word_at(tokens, here - 1) == "some" and not is_kind(tokens, here, "number", "alien"):
        return Expression(at, here, is_bounded=True)
    if here == at and word_at(tokens, at) in ARTICLES:
        return Expression(at, at + 1, Decimal(1), Decimal(1), is_article=True)
    return None
