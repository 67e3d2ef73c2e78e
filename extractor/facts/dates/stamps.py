"""Dates by the calendar: `July 23, 2025`, `23.07.2025`, `Sept. 2022`, `2024`.

In: tokens and the publication date. Out: `Stamp`, `Stamps`. Floor: facts.
Before changing it: a rule returns None, and leaves the cursor where it was, when its words do not stand here.
"""

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import NamedTuple, TypeVar

from extractor.facts.dates.calendar import Days, Unit, month_of, year_of
from extractor.facts.dates.datewords import MONTHS, SHORT_MONTHS, SHORT_WEEKDAYS, WEEKDAYS, Cursor, Token

FIRST_YEAR, LAST_YEAR = 1800, 2199
"""Four digits outside these are a count, not a year that news of our time speaks of."""
_MONTHS_IN_YEAR = 12
_DAYS_IN_MONTH = 31
_NUMERIC_TOKENS = 5
"""Three numbers and two signs."""
_YEAR_OFFSETS = {"this year": 0, "the current year": 0, "last year": -1, "the previous year": -1, "next year": 1, "the next year": 1}

_LEAP_YEAR = 2000
_STAND_IN = date(_LEAP_YEAR, 1, 1)

Found = TypeVar("Found")


class Stamp(NamedTuple):
    """A calendar date with what is missing left None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    def in_year(self, year: int) -> Days | None:
        """The days it means in `year`; None for a day that does not exist or falls on another weekday."""
        if self.month is None:
            return year_of(year).days
        whole = month_of(year, self.month)
        if self.day is None:
            return whole.days
        if self.day > whole.last.day:
            return None
        day = date(year, self.month, self.day)
        return Days(day, day) if self.weekday in (None, day.weekday()) else None

    @property
    def unit(self) -> Unit:
        """How fine it is."""
        if self.month is None:
            return "year"
        return "month" if self.day is None else "day"


class Stamps(Cursor):
    """A cursor that knows calendar dates; `relative` turns true once the publication date is needed."""

    def __init__(self, tokens: tuple[Token, ...], published: date | None) -> None:
        super().__init__(tokens)
        self.published = published
        self.relative = False

    def anchor(self) -> date:
        """The day that relative words count from; asking for it makes the reading relative.

        Without a publication date it is a stand-in, so that the words can still be followed; what comes of them is then thrown away.
        """
        self.relative = True
        return self.published or _STAND_IN

    def first_of(self, *rules: Callable[[], Found | None]) -> Found | None:
        """What the first rule that applies gives; the cursor stays where it was when none does."""
        start = self.at
        for rule in rules:
            self.at = start
            found = rule()
            if found is not None:
                return found
        self.at = start
        return None

    def stamp(self) -> Stamp | None:
        """A calendar date of any form."""
        return self.first_of(self._numeric, self._day_first, self._month_first, self._year_alone)

    def _numeric(self) -> Stamp | None:
        here = self.tokens[self.at : self.at + _NUMERIC_TOKENS]
        adjoin = all(left.end == right.start for left, right in pairwise(here))
        values = [token.number for token in here[::2]]
        if len(here) < _NUMERIC_TOKENS or not adjoin or None in values or here[1].word != here[3].word:
            return None
        first, second, third = (value or 0 for value in values)
        match here[1].word, [len(token.word) for token in here[::2]]:
            case ("-" | "/", [4, 2, 2]):
                year, month, day = first, second, third
            case (".", [1 | 2, 1 | 2, 4]):
                day, month, year = first, second, third
            case ("-" | "/", [1 | 2, 1 | 2, 4]) if first == second or max(first, second) > _MONTHS_IN_YEAR:
                day, month, year = max(first, second), min(first, second), third
            case _:  # 03/04/2025 is the third of April or the fourth of March
                return None
        if not (1 <= month <= _MONTHS_IN_YEAR and FIRST_YEAR <= year <= LAST_YEAR and 1 <= day <= month_of(year, month).last.day):
            return None
        self.at += _NUMERIC_TOKENS
        return Stamp(year, month, day)

    def weekday(self) -> int | None:
        """The name of a weekday, 0 for Monday, with an abbreviation's full stop."""
        name = self.eat_any(WEEKDAYS)
        if name in SHORT_WEEKDAYS:
            self.eat(".")
        return None if name is None else WEEKDAYS[name]

    def month(self) -> int | None:
        """The name of a month, 1 for January, with an abbreviation's full stop."""
        name = self.eat_any(MONTHS)
        if name in SHORT_MONTHS:
            self.eat(".")
        return None if name is None else MONTHS[name]

    def day(self) -> int | None:
        """A day of the month: `23`, `23rd`."""
        token = self.peek()
        digits = "" if token is None else token.word[:-2] if token.word.endswith(("st", "nd", "rd", "th")) else token.word
        if not (digits.isascii() and digits.isdigit() and len(digits) <= len("31") and 1 <= int(digits) <= _DAYS_IN_MONTH):
            return None
        self.at += 1
        return int(digits)

    def year(self) -> int | None:
        """The year that follows a date: `2025`, `, 2025`, `of 2025`, `of last year`, `next year`."""
        start = self.at
        self.eat(",", "of", "in")
        year = self.eat_number(FIRST_YEAR, LAST_YEAR)
        if year is not None:
            return year
        phrase = self.eat(*_YEAR_OFFSETS)
        if phrase is not None:
            return self.anchor().year + _YEAR_OFFSETS[phrase]
        self.at = start
        return None

    def _leading_weekday(self) -> int | None:
        weekday = self.weekday()
        if weekday is not None:
            self.eat(",")
        return weekday

    def _day_first(self) -> Stamp | None:
        weekday = self._leading_weekday()
        self.eat("the")
        day = self.day()
        if day is None:
            return None
        self.eat("of", ".")
        month = self.month()
        return None if month is None else self._dated(month, day, weekday)

    def _month_first(self) -> Stamp | None:
        weekday = self._leading_weekday()
        month = self.month()
        if month is None:
            return None
        before_day = self.at
        self.eat("the")
        day = self.day()
        if day is None:
            self.at = before_day
        if day is None and weekday is not None:
            return None
        return self._dated(month, day, weekday)

    def _dated(self, month: int, day: int | None, weekday: int | None) -> Stamp | None:
        exists = day is None or day <= month_of(_LEAP_YEAR, month).last.day
        return Stamp(self.year(), month, day, weekday) if exists else None

    def _year_alone(self) -> Stamp | None:
        year = self.eat_number(FIRST_YEAR, LAST_YEAR)
        return None if year is None else Stamp(year)
