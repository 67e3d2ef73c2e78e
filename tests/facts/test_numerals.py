"""Numbers: tokens, digits with their separators, number words and magnitudes."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.facts.numbers.numerals import read_number
from extractor.facts.numbers.tokens import tokenize

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SCALES = [(10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")]


def in_words(number: int, *, joint: str) -> str:
    """A number in English words, `joint` before what follows the hundreds."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    scale, word = next((scale, word) for scale, word in SCALES if number >= scale)
    rest = number % scale
    link = joint if rest < 100 else " "
    return f"{in_words(number // scale, joint=joint)} {word}" + (f"{link}{in_words(rest, joint=joint)}" if rest else "")


def read(text: str):
    """The number that fills a text; None where there is none, or one that ends before it, or a shaky one."""
    tokens = tokenize(text)
    number = read_number(tokens, 0) if tokens else None
    return number.value if number and number.end == len(tokens) and not number.shaky else None


@given(st.integers(1, 10**15 - 1), st.sampled_from([" ", " and "]))
def test_number_words_are_read_back(number, joint):
    """American and British forms of every number below a thousand trillion."""
    assert read(in_words(number, joint=joint)) == number


@given(st.integers(1000, 10**15), st.sampled_from([",", "'", "’", "\u00a0", "\u2009", "\u202f"]))
def test_grouped_digits_are_read_back(number, separator):
    """Thousands separators that mean one thing only, and the comma of English."""
    assert read(f"{number:,}".replace(",", separator)) == number


@given(st.integers(10**6, 10**15))
def test_two_groups_behind_points_are_thousands(number):
    """Nobody writes two decimal points, so "1.234.567" is safe where "1.234" is not."""
    assert read(f"{number:,}".replace(",", ".")) == number


@given(st.integers(1, 999), st.integers(0, 999))
def test_three_digits_behind_a_point_are_never_read(whole, part):
    """Half of Europe writes 1234 as "1.234"."""
    assert read(f"{whole}.{part:03}") is None


@given(st.integers(0, 999), st.integers(0, 99))
def test_a_decimal_comma_is_never_read_as_thousands(whole, part):
    """The words "2,5 million" are not 25 million."""
    assert read(f"{whole},{part}") is None
    assert read(f"{whole},{part} million") is None


@given(
    st.integers(0, 9999),
    st.integers(0, 99),
    st.sampled_from([(10**6, "million"), (10**9, "bn"), (10**9, "billion"), (10**6, "mln"), (1000, "thousand")]),
)
def test_a_magnitude_multiplies_a_decimal(whole, part, scale):
    """A sum such as "2.5 billion" is exact."""
    factor, word = scale
    assert read(f"{whole}.{part:02} {word}") == Decimal(f"{whole}.{part:02}") * factor


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two and a half billion", "2500000000"),
        ("a billion and a half", "1500000000"),
        ("half a trillion", "500000000000"),
        ("5 thousand million", "5000000000"),
        ("a hundred million", "100000000"),
        ("1,5 Milliarden", "1500000000"),
        ("5 Mrd.", "5000000000"),
        ("10k", "10000"),
        ("5m", "5000000"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("1 234,5".replace(" ", "\u00a0"), "1234.5"),
    ],
)
def test_a_form_of_its_own_is_read(text, value):
    """Halves, double magnitudes, abbreviations and the decimal comma beside points or spaces."""
    assert read(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "hundred",
        "million",
        "1,23",
        "1,234,5",
        "12,34,567",
        "01",
        "1.2.3",
        "1.23.456",
        "5 million thousand",
        "10 k",
        "5 m",
        "twenty eleven",
        "1\u00a0234,567",
        "1'23",
        "two million million billion",
        "a",
        "and a half",
        "hundred and one",
        "five hundred hundred",
        "2,500 Milliarden",
        "9" * 30,
    ],
)
def test_a_form_that_could_be_misread_is_not_read(text):
    """No number, or none that all of the text belongs to."""
    assert read(text) is None


def test_a_magnitude_after_a_currency_may_stand_apart():
    """After a dollar sign "5 m" is five million; alone it may be five metres."""
    tokens = tokenize("5 m")
    assert read_number(tokens, 0).end == 1
    assert read_number(tokens, 0, money=True).value == 5_000_000


@given(st.text(max_size=80))
def test_tokens_stand_where_they_say(text):
    """Each token's words are the text at its place, in order; only whitespace is left out."""
    tokens = tokenize(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert "".join(text.split()) == "".join("".join(token.text.split()) for token in tokens)
    assert all(before.end <= token.start and token.glued == (before.end == token.start) for before, token in pairwise(tokens))


@given(st.text(max_size=80), st.integers(0, 10))
def test_reading_a_number_never_raises(text, at):
    """At any place of any text there is a number or none."""
    tokens = tokenize(text)
    if at < len(tokens):
        read_number(tokens, at)
