"""One number as news writes it: digits, number words, magnitudes ("1,200", "twenty-one", "two and a half billion", "half a dozen").

In: tokens. Out: `Number`, or None where there is no number that can be read in one way only. Floor: facts.
Before changing it: a wrong number is worse than none. What two countries read differently ("1.234") is `shaky`, never guessed.
"""

import re
from decimal import Decimal
from typing import Literal, NamedTuple

from extractor.facts.numbers.tokens import HYPHENS, Token, is_glued, is_kind, word_at

ONES = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
TEENS = {
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
}
TEENS |= {"nineteen": 19}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
NUMBER_WORDS = frozenset([*ONES, *TEENS, *TENS, *SCALES, "dozen"])
SHORT_SCALES = {"mn": 10**6, "mln": 10**6, "bn": 10**9, "bln": 10**9, "trn": 10**12}
# Only in a sum of money: "300m" is also a distance, "5tn" may be tons. "k" must adjoin its digits, as must "b" and "m" without a currency.
LETTER_SCALES = {"m": 10**6, "b": 10**9, "tn": 10**12}
# Other languages' words that mean one thing only. German "Billion" (10^12) and Spanish "mil millones" are not among them.
FOREIGN_SCALES = {
    "mio": 10**6,
    "millionen": 10**6,
    "millones": 10**6,
    "millions": 10**6,
    "mrd": 10**9,
    "milliarde": 10**9,
    "milliarden": 10**9,
}
FOREIGN_SCALES |= {"milliard": 10**9, "milliards": 10**9}
_LONG_SCALE = frozenset({"billion", "trillion"})  # 10^12 and 10^18 in German, French, Danish, Norwegian, Polish, …
ARTICLES = frozenset({"a", "an"})
_DOZEN = 12
_HUNDRED = 100
_BILLION = 10**9
_YEARS = range(1900, 2101)


class Number(NamedTuple):
    """One number, and what could make another reader read another one."""

    end: int
    """Index of the token after it."""
    value: Decimal
    """What it means."""
    coefficient: Decimal
    """The number before its magnitude: 2.5 of "2.5 billion"."""
    scale: Decimal = Decimal(1)
    """Its magnitude: 10^9 of "2.5 billion"; 1 where there is none."""
    simple: bool = True
    """False where more follows the magnitude ("two hundred and ten") or there are several of them."""
    article: bool = False
    """Whether it opens with "a" or "an" instead of a number."""
    year: bool = False
    """Whether it may be a year: four digits from 1900 to 2099, nothing else."""
    shaky: bool = False
    """Whether the digits can be read in two ways ("1.234", "2,5 million"): then `value` is not to be used."""
    letter: bool = False
    """Whether its magnitude is one only in a sum of money ("5m")."""
    abroad: bool = False
    """Whether it means something else in other languages ("1,234", "billion")."""


class _Digits(NamedTuple):
    value: Decimal
    style: Literal["plain", "decimal", "three_after_point", "three_after_comma", "comma_decimal"]


_PLAIN = re.compile(r"0|[1-9][0-9]{0,17}")
# At most 24 digits: no sum or count in news has more, and arithmetic stays exact.
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:(?P<sep>[,'\u2019\u00a0\u2009\u202f])[0-9]{3})(?:(?P=sep)[0-9]{3}){0,5}(?P<rest>[.,][0-9]{1,6})?")
_POINT_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,5}(?:,[0-9]{1,6})?|\.[0-9]{3},(?![0-9]{3}\Z)[0-9]{1,6})")
_DECIMAL = re.compile(r"(?P<whole>0|[1-9][0-9]{0,17})(?P<sep>[.,])(?P<part>[0-9]{1,6})")
_GROUP = 3


def _read_digits(text: str) -> _Digits | None:
    if _PLAIN.fullmatch(text):
        return _Digits(Decimal(text), "plain")
    if _POINT_GROUPED.fullmatch(text):  # "1.234.567", "1.234,56": no other country reads them otherwise
        return _Digits(Decimal(text.replace(".", "").replace(",", ".")), "decimal" if "," in text else "plain")
    return _read_grouped(text) or _read_decimal(text)


def _read_grouped(text: str) -> _Digits | None:
    match = _GROUPED.fullmatch(text)
    if match is None:
        return None
    sep, rest = match["sep"], match["rest"] or ""
    if rest.startswith(sep) or len(rest) == _GROUP + 1:
        return None  # "1,234,5"; "1 234,567" and "1,234.567" may be groups of two kinds
    whole = re.sub(r"[^0-9]", "", text[: len(text) - len(rest)])
    value = Decimal(whole + rest.replace(",", "."))
    return _Digits(value, "three_after_comma" if sep == "," and text.count(",") == 1 and not rest else "plain")


def _read_decimal(text: str) -> _Digits | None:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    whole, part = match["whole"], match["part"]
    value = Decimal(f"{whole}.{part}")
    if match["sep"] == ",":
        return _Digits(value, "comma_decimal")
    may_be_grouped = whole != "0" and len(whole) <= _GROUP and len(part) == _GROUP
    return _Digits(value, "three_after_point" if may_be_grouped else "decimal")


class _Scale(NamedTuple):
    end: int
    factor: int
    steps: int = 0
    letter: bool = False
    foreign: bool = False
    abroad: bool = False


class _ScaleWord(NamedTuple):
    factor: int
    letter: bool = False
    foreign: bool = False
    abroad: bool = False


_SCALE_WORDS = {
    **{word: _ScaleWord(factor, abroad=word in _LONG_SCALE) for word, factor in SCALES.items()},
    **{word: _ScaleWord(factor) for word, factor in SHORT_SCALES.items()},
    **{word: _ScaleWord(factor, letter=True) for word, factor in LETTER_SCALES.items()},
    **{word: _ScaleWord(factor, foreign=True) for word, factor in FOREIGN_SCALES.items()},
    "dozen": _ScaleWord(_DOZEN),
    "k": _ScaleWord(1000),
}
WORDS = NUMBER_WORDS | ARTICLES | frozenset(_SCALE_WORDS) | {"and", "half", "pair", "of", "single", "both"}
"""Every word that a number is written with, as `Token.word`."""
_TIGHT = frozenset({"k", "b"})  # "5 k" and "5 b" are more often something else


def _one_scale(tokens: list[Token], at: int, *, money: bool) -> _Scale | None:
    word = word_at(tokens, at)
    found = _SCALE_WORDS.get(word)
    if found is None or not (tokens[at].glued or (word not in _TIGHT and (money or not found.letter))):
        return None
    dotted = word in {"mio", "mrd"} and word_at(tokens, at + 1) == "." and is_glued(tokens, at + 1)
    return _Scale(at + 1 + dotted, found.factor, letter=found.letter, foreign=found.foreign, abroad=found.abroad)


def read_scale(tokens: list[Token], at: int, *, money: bool = False) -> _Scale:
    """The magnitudes at a place, up to two ("hundred thousand", "thousand million"); a hyphen may stand before each."""
    found = _Scale(at, 1)
    for _ in range(2):
        here = found.end
        if is_kind(tokens, here, "dash") and tokens[here].text in HYPHENS and is_glued(tokens, here) and is_glued(tokens, here + 1):
            here += 1
            if word_at(tokens, here) not in SCALES:
                break
        more = _one_scale(tokens, here, money=money)
        if more is None or (found.steps and (more.factor <= found.factor or _DOZEN in {more.factor, found.factor})):
            break
        found = _Scale(
            more.end,
            found.factor * more.factor,
            found.steps + 1,
            letter=found.letter or more.letter,
            foreign=found.foreign or more.foreign,
            abroad=found.abroad or more.abroad,
        )
    return found


def _and_a_half(tokens: list[Token], at: int) -> int | None:
    """The place after "and a half", hyphens allowed."""
    for word in ("and", "a", "half"):
        if is_kind(tokens, at, "dash") and is_glued(tokens, at):
            at += 1
        if word_at(tokens, at) != word:
            return None
        at += 1
    return at


_HALF = Decimal("0.5")


def _scaled(tokens: list[Token], at: int, coefficient: Decimal, *, money: bool, article: bool = False) -> Number:
    """A coefficient with the magnitudes and the half that follow it."""
    if (half := _and_a_half(tokens, at)) is not None:
        coefficient, at = coefficient + _HALF, half
    scale = read_scale(tokens, at, money=money)
    value = coefficient * scale.factor
    end = scale.end
    if scale.steps and half is None and (half := _and_a_half(tokens, end)) is not None and scale.factor > _HUNDRED:
        value, end = value + scale.factor * _HALF, half
        return Number(end, value, value, simple=False, letter=scale.letter, abroad=scale.abroad)
    return Number(
        end,
        value,
        coefficient,
        Decimal(scale.factor),
        simple=scale.steps <= 1,
        article=article,
        letter=scale.letter,
        abroad=scale.abroad,
    )


def _number_of_digits(tokens: list[Token], at: int, *, money: bool) -> Number | None:
    digits = _read_digits(tokens[at].text)
    if digits is None:
        return None
    number = _scaled(tokens, at + 1, digits.value, money=money)
    year = number.end == at + 1 and digits.style == "plain" and int(digits.value) in _YEARS
    if digits.style in {"plain", "decimal"}:
        return number._replace(year=True) if year else number
    scale = read_scale(tokens, at + 1, money=money)
    # "1.234" is 1234 in half of Europe, and "1.500 million" a translated "1.500 millones"; "1.234 billion" can only be a decimal.
    # "2,5 million" may be a slip for 25; "2,5 Milliarden" is plain.
    return number._replace(
        shaky={
            "three_after_point": scale.foreign or scale.factor < _BILLION or str(digits.value).endswith("0"),
            "three_after_comma": scale.foreign,
            "comma_decimal": not scale.foreign,  # "2,5 million" may be a slip for 25; "2,5 Milliarden" is plain
        }[digits.style],
        abroad=number.abroad or digits.style == "three_after_comma",
    )


def _below_hundred(tokens: list[Token], at: int) -> tuple[int, int] | None:
    """Value and end of "seven", "seventeen", "seventy", "seventy-seven" or "seventy seven"."""
    word = word_at(tokens, at)
    if word in TENS:
        hyphen = (
            is_kind(tokens, at + 1, "dash") and tokens[at + 1].text in HYPHENS and is_glued(tokens, at + 1) and is_glued(tokens, at + 2)
        )
        ones = at + 2 if hyphen else at + 1
        if ONES.get(word_at(tokens, ones), 0):
            return TENS[word] + ONES[tokens[ones].word], ones + 1
        return TENS[word], at + 1
    value = TEENS.get(word, ONES.get(word))
    return None if value is None else (value, at + 1)


def _rest_of_hundred(tokens: list[Token], at: int) -> tuple[int, int] | None:
    """What may follow a magnitude: "and fifty", "fifty"."""
    return _below_hundred(tokens, at + 1 if word_at(tokens, at) == "and" else at)


def _below_thousand(tokens: list[Token], at: int) -> tuple[int, int] | None:
    first = (1, at + 1) if word_at(tokens, at) in ARTICLES and word_at(tokens, at + 1) == "hundred" else _below_hundred(tokens, at)
    if first is None or word_at(tokens, first[1]) != "hundred" or first[0] == 0:
        return first
    value, end = first[0] * _HUNDRED, first[1] + 1
    rest = _rest_of_hundred(tokens, end)
    return (value + rest[0], rest[1]) if rest and rest[0] else (value, end)


def _number_of_words(tokens: list[Token], at: int, *, money: bool) -> Number | None:
    article = word_at(tokens, at) in ARTICLES
    if article and word_at(tokens, at + 1) not in {"hundred", "thousand", "million", "billion", "trillion", "dozen"}:
        return None
    plain = _below_hundred(tokens, at) if not article else (1, at + 1)
    if plain is None:
        return None
    number = _scaled(tokens, plain[1], Decimal(plain[0]), money=money, article=article)
    compound = _compound(tokens, at)
    if compound is not None and compound[1] > number.end:
        value = Decimal(compound[0])
        return Number(compound[1], value, value, simple=False, article=article, abroad=number.abroad)
    return number


def _compound(tokens: list[Token], at: int) -> tuple[int, int] | None:
    """Value and end of words with several magnitudes, each smaller than the one before: "two thousand three hundred and five"."""
    total, end, last = 0, at, 10**18
    while True:
        here = end + 1 if total and word_at(tokens, end) == "and" else end
        group = (1, here + 1) if not total and word_at(tokens, here) in ARTICLES and word_at(tokens, here + 1) in SCALES else None
        group = _below_thousand(tokens, here) or group
        if group is None:
            return (total, end) if total else None
        factor = SCALES.get(word_at(tokens, group[1]), 1)
        if factor >= last or factor == _HUNDRED or (here != end and factor > 1):
            return (total, end) if total else None
        total, end, last = total + group[0] * factor, group[1] + (factor > 1), factor
        if factor == 1:
            return total, end


def _half_of(tokens: list[Token], at: int, *, money: bool) -> Number | None:
    """Half of a magnitude: "half a dozen", "half a million", "half-dozen", "a half-billion"."""
    if word_at(tokens, at) == "a" and word_at(tokens, at + 1) == "half":
        at += 1
    if word_at(tokens, at) != "half":
        return None
    at += 1
    if word_at(tokens, at) == "a" or (is_kind(tokens, at, "dash") and is_glued(tokens, at) and is_glued(tokens, at + 1)):
        at += 1
    scale = read_scale(tokens, at, money=money)
    if scale.steps != 1 or scale.factor == _HUNDRED:
        return None
    return Number(scale.end, _HALF * scale.factor, _HALF, Decimal(scale.factor), simple=False, abroad=scale.abroad)


_COUNTED = {("a", "pair", "of"): 2, ("a", "pair"): 2, ("a", "single"): 1, ("both",): 2}


def read_number(tokens: list[Token], at: int, *, money: bool = False) -> Number | None:
    """The number that begins at a place, with its magnitude; None where none begins.

    Args:
        tokens: Of the whole text.
        at: Index of its first token.
        money: Whether a currency stands before it, so that "5 m" is a magnitude.

    Returns:
        A number whose `value` holds only if it is not `shaky`. An article alone ("a battery") is none: the caller decides.
    """
    if is_kind(tokens, at, "number"):
        return _number_of_digits(tokens, at, money=money)
    if not is_kind(tokens, at, "word"):
        return None
    for words, value in _COUNTED.items():
        if tokens[at].word == words[0] and all(word_at(tokens, at + step) == word for step, word in enumerate(words)):
            return Number(at + len(words), Decimal(value), Decimal(value), simple=False)
    return _half_of(tokens, at, money=money) or _number_of_words(tokens, at, money=money)
