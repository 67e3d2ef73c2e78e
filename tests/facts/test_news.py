"""Values as they stand in sentences of the news: read right, or flagged, never wrong.

The tables in the folder `news` were written by hand, most of them before the grammars were run on them; what else was found to be believed
wrongly stands with them. A row is a sentence with the value's words in brackets, what they mean, and readings that would be wrong.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from extractor.facts.fact import Check
from extractor.facts.money import Money
from extractor.facts.numbers.expressions import may_hold, read_expression
from extractor.facts.numbers.tokens import tokenize
from extractor.facts.party import country_of, stands_alone
from extractor.facts.quantity import Quantity
from extractor.facts.when import When

PUBLISHED = date(2025, 3, 13)  # a Thursday


class Row(NamedTuple):
    """One line of a table."""

    sentence: str
    """Without the brackets."""
    words: str
    """What stood in them."""
    start: int
    """Where the words begin."""
    right: tuple[str, ...]
    """What they mean."""
    wrong: tuple[str, ...]
    """What they do not."""


def rows(table: str) -> Iterator[Row]:
    """The lines of a table of the folder `news`, without the remarks at its top."""
    text = (Path(__file__).parent / "news" / table).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        marked, right, *wrong = (cell.strip() for cell in line.split("|"))
        before, words, after = re.split(r"[\[\]]", marked)
        yield Row(f"{before}{words}{after}", words, len(before), readings(right), readings(" ".join(wrong)))


def readings(text: str) -> tuple[str, ...]:
    """The readings of a cell, parted by spaces; a currency stays with its number."""
    return tuple(filter(None, re.split(r"\s+(?![A-Z])", text)))


def bounds(text: str) -> tuple[Decimal | None, Decimal | None, bool]:
    """`10`, `10..`, `..10`, `10..12`, `~10`, `none`: minimum, maximum, approximate."""
    text, about = text.removeprefix("~"), text.startswith("~")
    if text == "none":
        return None, None, about
    low, dots, high = text.partition("..")
    return (Decimal(low) if low else None), (Decimal(high) if high else None) if dots else Decimal(low), about


def neighbours(right: str) -> set[str]:
    """Readings that another reader might give for the same words: another bound, another certainty, another size."""
    low, high, about = bounds(right)
    ends = sorted({end for end in (low, high) if end is not None})
    texts = {form.format(end) for end in ends for form in ("{}", "{}..", "..{}", "~{}")} | {f"{ends[0] * 1000}"} if ends else {"12"}
    return {text for text in texts if bounds(text) != (low, high, about)}


def read_quantity(row: Row, reading: str) -> Check:
    """The check of a count."""
    low, high, about = bounds(reading)
    low, high = (int(end) if end is not None and end == int(end) else end for end in (low, high))
    value = Quantity(as_written=row.words, minimum=low, maximum=high, approximate=about)
    return value.check(quote=row.sentence, start=row.start, published=PUBLISHED)


def read_money(row: Row, reading: str) -> Check:
    """The check of a sum."""
    numbers, _, currency = reading.partition(" ")
    low, high, about = bounds(numbers)
    value = Money(as_written=row.words, minimum=low, maximum=high, currency=currency or None, approximate=about)
    return value.check(quote=row.sentence, start=row.start, published=PUBLISHED)


def read_when(row: Row, reading: str) -> Check:
    """The check of a date."""
    first, dots, last = reading.partition("..")
    earliest, latest = (date.fromisoformat(end) if end and end != "-" else None for end in (first, last if dots else first))
    value = When(as_written=row.words, earliest=earliest, latest=latest)
    return value.check(quote=row.sentence, start=row.start, published=PUBLISHED)


GRAMMARS = {
    "quantity": ("quantities.txt", read_quantity),
    "money": ("money.txt", read_money),
    "when": ("dates.txt", read_when),
}
ALL = [(name, row) for name, (table, _) in GRAMMARS.items() for row in rows(table)]


@pytest.mark.parametrize(("name", "row"), ALL, ids=[f"{name}: {row.sentence[:60]} [{row.words}]" for name, row in ALL])
def test_a_value_in_a_sentence_is_read_right_or_flagged(name, row):
    """What the words mean is never refused, and what they do not mean is never believed."""
    read = GRAMMARS[name][1]
    for reading in row.right:
        assert read(row, reading).result != "disagrees", (reading, read(row, reading))
    others = set(row.wrong)
    if name != "when":
        for reading in row.right:
            numbers, _, currency = reading.partition(" ")
            others |= {f"{other} {currency}".strip() for other in neighbours(numbers)}
    for reading in others:
        # what may be a bracket's own currency or a bare number is not this table's business
        assert read(row, reading).result != "agrees", reading


def abroad() -> list[tuple[Row, str]]:
    """The rows of other languages, each with the kind of its value."""
    return [(row, row.right[0]) for row in rows("abroad.txt")]


@pytest.mark.parametrize(("row", "name"), abroad(), ids=[f"{row.sentence[:40]} [{row.words}]: {row.wrong[0]}" for row, _ in abroad()])
def test_a_value_of_another_language_is_neither_believed_nor_refused(row, name):
    """The grammars read English: what stands in other text is kept and flagged."""
    for reading in row.wrong:
        assert GRAMMARS[name][1](row, reading).result == "not_understood", reading


def party_rows() -> list[tuple[str, int, str, str | None]]:
    """Sentence, place and words of a name, and its state."""
    return [(row.sentence, row.start, row.words, None if row.right[0] == "-" else row.right[0]) for row in rows("parties.txt")]


@pytest.mark.parametrize(("sentence", "start", "name", "code"), party_rows(), ids=[row.sentence[:50] for row in rows("parties.txt")])
def test_a_name_in_a_sentence_stands_for_its_state_or_for_none(sentence, start, name, code):
    """A name that is a part of a longer one, a person's or a namesake's is no state's."""
    found = country_of(name) if stands_alone(sentence, start, start + len(name)) else None
    assert found == code


def agency_rows() -> list[tuple[str, Row]]:
    """The rows of agencies.txt without the kind that each begins with, and that kind."""
    found = []
    for row in rows("agencies.txt"):
        kind, colon, sentence = row.sentence.partition(": ")
        found.append((kind, row._replace(sentence=sentence, start=row.start - len(kind + colon))))
    return found


AGENCIES = agency_rows()


@pytest.mark.parametrize(("kind", "row"), AGENCIES, ids=[f"{kind}: {row.sentence[:50]} [{row.words}]" for kind, row in AGENCIES])
def test_what_agencies_write_is_read_right_and_never_wrongly_without_a_flag(kind, row):
    """A right reading is verified; a wrong one is refused, unverified, or at the least noted as assumed."""
    if kind == "party":
        stands = stands_alone(row.sentence, row.start, row.start + len(row.words))
        found = country_of(row.words) if stands else None
        assert (found or "-") in row.right if row.right else (found or "-") not in row.wrong
        return
    read = GRAMMARS[kind][1]
    for reading in row.right:
        assert read(row, reading).result == "agrees", read(row, reading)
    for reading in row.wrong:
        check = read(row, reading)
        assert check.result != "agrees" or check.assumed, reading


MOST_NOT_UNDERSTOOD = {"quantity": 0.25, "money": 0.25, "when": 0.25}
"""A lamp: so large a share of what a reader understands may stay flagged."""


@pytest.mark.parametrize("name", GRAMMARS)
def test_few_values_are_not_understood(name):
    """A grammar that understands nothing is never wrong; this is what keeps it useful."""
    table, read = GRAMMARS[name]
    settled = [row for row in rows(table) if row.right]
    flagged = [row for row in settled if read(row, row.right[0]).result != "agrees"]
    assert len(flagged) <= len(settled) * MOST_NOT_UNDERSTOOD[name], [row.words for row in flagged]


FORMS = (
    "two and a half million pounds sterling",
    "half a dozen",
    "a half-billion",
    "a pair of launchers",
    "a single battery",
    "both systems",
    "a number of jets",
    "a handful of jets",
    "a few hundred",
    "many thousands",
    "tens of millions of euros",
    "at least 10 and up to 20",
    "at least 10 but no more than 20",
    "between 30 to 40",
    "from 5 to 7 Mrd. kroner",
    "20-plus",
    "two thousand three hundred and five or more",
    "€240 ($258) million",
    "€7 billion ($8.7bn or £6.7bn)",
    "5 New Zealand dollars",
    "up to a maximum of NOK 10 mln",
    "some 40-odd",
)


def test_every_word_of_a_number_expression_may_stand_in_one():
    """Where the search for the beginning of an expression stops at a word, no expression has it."""
    sentences = {row.sentence for table in ("quantities.txt", "money.txt", "abroad.txt", "dates.txt") for row in rows(table)}
    read = 0
    for sentence in (*FORMS, *sentences):
        tokens = tokenize(sentence)
        for at in range(len(tokens)):
            if (expression := read_expression(tokens, at)) is not None:
                read += 1
                assert [token.text for token in tokens[at : expression.end] if not may_hold(token)] == [], sentence
    assert read > len(sentences)
    assert not any(map(may_hold, tokenize("promised systems with launchers")))
