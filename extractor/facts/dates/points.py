"""Points in time as words name them: dates, weekdays, months, seasons, "next week", "the end of the year".

In: tokens and the publication date. Out: `Point`, `Points`. Floor: facts.
Before changing it: a rule returns None when its words do not stand here, and a `Point` with nothing in `exact` when they do but fit no day.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from extractor.facts.dates.calendar import (
    OPEN,
    Days,
    Period,
    Portion,
    Unit,
    decade_of,
    half_of,
    month_of,
    nearest,
    part_of,
    quarter_of,
    recurring,
    season_of,
    shift,
    shift_months,
    so_far,
    still_to_come,
    weeks_of,
    year_of,
)
from extractor.facts.dates.datewords import DAY_PARTS, EDGES, ORDINALS, PORTIONS, SEASONS, WEEKDAYS
from extractor.facts.dates.stamps import FIRST_YEAR, LAST_YEAR, Stamp, Stamps

_WHICH = {
    **dict.fromkeys(("last", "past", "this past", "the last", "the past"), -1),
    **dict.fromkeys(("next", "coming", "upcoming", "this coming", "the next", "the coming", "the upcoming"), 1),
    **dict.fromkeys(("this", "the current", "current"), 0),
}
_LONGEST_FIRST = tuple(sorted(_WHICH, key=len, reverse=True))
_ROLLING = frozenset(
    {"past", "this past", "the last", "the past", "coming", "upcoming", "this coming", "the next", "the coming", "the upcoming"}
)
"""With these, "year" is twelve months to or from today as well as a calendar year."""
_ELSEWHERE = ("the previous", "the following", "the same", "that")
"""Counted from something in another sentence."""
_DAY_OFFSETS = {
    "the day before yesterday": -2,
    "the day after tomorrow": 2,
    "yesterday": -1,
    "tomorrow": 1,
    "today": 0,
    "tonight": 0,
    "last night": -1,
}
_DAY_OFFSETS |= {f"this {part}": 0 for part in DAY_PARTS}
_CALENDAR_UNITS = ("week", "month", "quarter", "year", "decade")
_WORKING_WEEK = 5
_SEASON_FINEST_DAYS = 28


class Point(NamedTuple):
    """What words about one time may mean."""

    exact: tuple[Days, ...]
    """Right readings, the likeliest first."""
    doubtful: tuple[Days, ...] = ()
    """Readings that the words do not exclude."""
    loose: tuple[Days, ...] = ()
    """Where an end that is not among the exact ones may still lie."""
    loose_starts: tuple[Days, ...] = ()
    """Where the first day alone may still lie."""
    loose_ends: tuple[Days, ...] = ()
    """Where the last day alone may still lie."""
    finest_days: int = 1
    """A loose reading of fewer days claims more than the words say."""
    unit: Unit = "day"
    """What kind of time it is."""
    counted: bool = False
    """Counted from something that these words do not name: no reading is excluded."""
    middles: tuple[date, ...] = ()
    """Days that stand for the whole when it bounds something: "by mid-August" is by the 15th as well."""


def hard(*periods: Period) -> Point:
    """A point of which each period is a right reading."""
    return Point(tuple(period.days for period in periods), unit=periods[0].unit)


def periods_in(days: Iterable[Days], unit: Unit) -> tuple[Period, ...]:
    """Those intervals that have both ends, as periods."""
    return tuple(Period(each.earliest, each.latest, unit) for each in days if each.earliest and each.latest)


class Points(Stamps):
    """A cursor that knows points in time."""

    def point(self) -> Point | None:
        """Any point in time."""
        return self.first_of(self.dated, self.part, self.running, self.day_name, self.qualified, self.weekend, self.season, self.numbered)

    # Dates

    def dated(self) -> Point | None:
        """A date with a day, a month or a year; also `the 1990s`."""
        self.eat("the month of", "the year", "month of", "year")
        before_article = self.at
        self.eat("the")
        token = self.peek()
        if token is not None and len(token.word) == len("1990s") and token.word.endswith("0s") and token.word[:4].isdigit():
            self.at += 1
            year = int(token.word[:4])
            return hard(decade_of(year)) if FIRST_YEAR <= year <= LAST_YEAR else None
        self.at = before_article
        stamp = self.stamp()
        return None if stamp is None else self.settle(stamp)

    def settle(self, stamp: Stamp) -> Point:
        """The years a date without one may mean, and the date itself where it has one."""
        if stamp.year is not None:
            days = stamp.in_year(stamp.year)
            return Point((days,) if days else (), unit=stamp.unit)
        near, far = nearest(stamp.in_year, self.anchor())
        return Point(near, doubtful=far, unit=stamp.unit)

    # Days by name

    def day_name(self) -> Point | None:
        """`today`, `last night`, `late on Tuesday`, `next Monday`, `Friday last week`."""
        self.eat("earlier on", "later on", "early on", "late on", "earlier", "later", "early", "late")
        named = self.first_of(self._named_day, self._weekday_name)
        if named is not None:
            self.eat_any(DAY_PARTS)
        return named

    def _named_day(self) -> Point | None:
        phrase = self.eat(*_DAY_OFFSETS)
        if phrase is None:
            return None
        day = shift(self.anchor(), _DAY_OFFSETS[phrase])
        return Point((Days(day, day),))

    def _weekday_name(self) -> Point | None:
        which = self.eat("last", "this past", "past", "next", "this coming", "coming", "this") or ""
        weekday = self.weekday()
        if weekday is None:
            return None
        self.eat_any(DAY_PARTS)
        week = None if which else self.eat("of last week", "last week", "of next week", "next week", "of this week", "this week")
        published = self.anchor()
        latest = shift(published, -((published.weekday() - weekday) % 7))
        soonest = shift(latest, 7)
        before = latest if latest < published else shift(latest, -7)
        offset = _WHICH[which or (week or "this").removeprefix("of ").removesuffix(" week")]
        in_week = [shift(each.first, (weekday - each.first.weekday()) % 7) for each in weeks_of(published, offset)[:2]]
        days = {
            "": in_week
            if week
            else [published]
            if latest == published
            else sorted((latest, soonest), key=lambda day: abs(day - published)),
            "last": [before, *in_week],
            "next": [soonest, *in_week],
            "this": [*in_week, soonest],
        }.get(which, [before] if "past" in which else [soonest])
        return Point(tuple(Days(day, day) for day in dict.fromkeys(days)))

    # Periods by name

    def qualified(self) -> Point | None:
        """`this month`, `last year`, `the next quarter`, `last July`, `the previous week`."""
        if self.eat(*_ELSEWHERE):
            return Point((OPEN,), counted=True, unit="span") if self.eat_any(("day", *_CALENDAR_UNITS)) else None
        which = self.eat(*_LONGEST_FIRST)
        if which is None:
            return None
        unit = self.eat_any(_CALENDAR_UNITS)
        if unit is not None:
            return self._calendar_unit(unit, which)
        month = self.month()
        if month is None:
            return None
        return Point(recurring(lambda year: month_of(year, month).days, self.anchor(), _WHICH[which]), unit="month")

    def calendar_unit(self, unit: str, offset: int) -> tuple[Period, ...]:
        """The week, month, quarter, year or decade `offset` away from the publication date."""
        published = self.anchor()
        match unit:
            case "week":
                return weeks_of(published, offset)
            case "month":
                moved = shift_months(published.replace(day=1), offset)
                return (month_of(moved.year, moved.month),)
            case "quarter":
                moved = shift_months(published.replace(day=1), 3 * offset)
                return (quarter_of(moved.year, (moved.month + 2) // 3),)
            case "year":
                return (year_of(published.year + offset),)
            case _:
                return (decade_of(published.year // 10 * 10 + 10 * offset),)

    def _calendar_unit(self, unit: str, which: str) -> Point:
        offset = _WHICH[which]
        periods = self.calendar_unit(unit, offset)
        published = self.anchor()
        exact = [period.days for period in periods]
        finest = _WORKING_WEEK if unit == "week" else (periods[0].last - periods[0].first).days
        loose: tuple[Days, ...] = ()
        if offset == 0:
            halves = [days for period in periods for days in (*so_far(period, published), *still_to_come(period, published))]
            exact += [days for days in halves if days.earliest != days.latest]
        else:
            far = moved(published, offset, unit)
            rolled = Days(min(far, published), max(far, published))
            if which in _ROLLING:
                exact.append(rolled)
            if which in _ROLLING or unit == "week":
                loose = (Days(min(far, *(p.first for p in periods)), max(far, *(p.last for p in periods))), rolled)
        return Point(tuple(dict.fromkeys(exact)), loose=loose, finest_days=finest, unit=periods[0].unit)

    def running(self) -> Point | None:
        """`earlier this month`, `later this year`: up to the publication date, or on from it."""
        which = self.eat("earlier this", "so far this", "later this")
        unit = self.eat_any((*_CALENDAR_UNITS, *SEASONS)) if which else None
        if which is None or unit is None:
            return None
        periods = periods_in(self._seasons(unit, None, "this").exact, "season") if unit in SEASONS else self.calendar_unit(unit, 0)[:2]
        published = self.anchor()
        side = still_to_come if which == "later this" else so_far
        exact = [days for period in periods for days in side(period, published)]
        return Point(tuple(dict.fromkeys(exact)), unit="span")

    def weekend(self) -> Point | None:
        """`this weekend`, `over the weekend`, `last weekend`: Saturday and Sunday; whether Friday belongs to it is left open."""
        which = self.eat("this coming", "this past", "this", "the", "last", "next", "the past", "the coming")
        if which is None or self.eat("weekend") is None:
            return None
        published = self.anchor()
        recent = shift(published, -((published.weekday() + 2) % 7))  # the Saturday that is last or today
        runs = published <= shift(recent, 1)
        match which:
            case "last" | "this past" | "the past":
                saturdays = [-7, 0] if runs else [0, -7]
            case "next" | "this coming" | "the coming":
                saturdays = [7, 14] if which == "next" else [7]
            case _:
                saturdays = [0] if runs else [7, 0] if published.weekday() > WEEKDAYS["wednesday"] else [0, 7]
        both = tuple(Days(shift(recent, days), shift(recent, days + 1)) for days in saturdays)
        with_friday = tuple(Days(shift(recent, days - 1), shift(recent, days + 1)) for days in saturdays)
        return Point(both, loose=with_friday, finest_days=2, unit="weekend")

    def season(self) -> Point | None:
        """`summer 2025`, `this winter`, `last spring`, `the autumn`."""
        which = self.eat(*_LONGEST_FIRST, "the")
        name = self.eat_any(SEASONS)
        if name is None:
            return None
        year = self.year()
        if name == "fall" and which is None and year is None:
            return None  # "fall" alone is a verb
        return self._seasons(name, year, which or "")

    def _seasons(self, name: str, year: int | None, which: str) -> Point:
        found: list[tuple[Days, ...]] = []
        for southern, astronomical in ((False, False), (False, True), (True, False)):

            def make(first: int, *, southern: bool = southern, astronomical: bool = astronomical) -> Days:
                return season_of(first, name, astronomical=astronomical, southern=southern).days

            if year is not None:  # "winter 2025" may begin or end in 2025
                found.append(tuple(days for days in (make(year), make(year - 1)) if days.latest and days.latest.year >= year))
            elif which in _WHICH:
                found.append(recurring(make, self.anchor(), _WHICH[which]))
            else:
                found.append(nearest(make, self.anchor())[0])
        plain, solstice, other_half = found
        loose = tuple(Days(shift(p.first, -14), shift(p.last, 30)) for p in periods_in(plain, "season"))
        return Point((*plain, *solstice), doubtful=other_half, loose=loose, finest_days=_SEASON_FINEST_DAYS, unit="season")

    def numbered(self) -> Point | None:
        """`the third quarter of 2025`, `Q3`, `H1 2026`, `the first half of the year`; calendar quarters, no company's own."""
        self.eat("the")
        unit, number = self._quarter_or_half()
        if number is None:
            return None
        make = half_of if unit == "half" else quarter_of
        year = self.year()
        if year is not None:
            return hard(make(year, number))
        of_the_year = self.eat("of the year", "of this year")
        if of_the_year:
            return hard(make(self.anchor().year, number))
        near, far = nearest(lambda each: make(each, number).days, self.anchor())
        return Point(near, doubtful=far, unit=unit)

    def _quarter_or_half(self) -> tuple[Unit, int | None]:
        short = self.eat_any(("q1", "q2", "q3", "q4", "h1", "h2"))
        if short is not None:
            return ("half" if short[0] == "h" else "quarter"), int(short[1])
        ordinal = self.eat_any(ORDINALS)
        number = ORDINALS.get(ordinal or "")
        if number is not None and self.eat("quarter"):
            return "quarter", number
        if ordinal in ("first", "second") and self.eat("half"):
            return "half", number
        return "span", None

    # Parts of periods

    def part(self) -> Point | None:
        """`early July`, `mid-2026`, `the end of the year`, `late next week`, `year-end`, `the first half of July`."""
        edge = self.eat_any(EDGES)
        if edge is not None:
            self.eat("-", "in")
            return self._part(EDGES[edge])
        self.eat("the")
        name = self.eat_any(PORTIONS)
        if name is not None:
            return self._part(PORTIONS[name]) if self.eat("of", "-") else None
        unit = self.eat("year - end", "month - end", "year 's end", "month 's end", "year ' s end", "month ' s end")
        if unit is not None:
            return self._part_of(self.calendar_unit(unit.split()[0], 0), "end")
        half = self.eat("first half of", "second half of")
        return None if half is None else self._part("first half" if half.startswith("first") else "second half")

    def _part(self, portion: Portion) -> Point | None:
        whole = self.whole()
        return None if whole is None else self._part_of(whole, portion)

    def _part_of(self, whole: tuple[Period, ...], portion: Portion) -> Point | None:
        exact: list[Days] = []
        loose: list[Days] = []
        for period in whole:
            part = part_of(period, portion)
            if part is None:
                return None
            exact += part.exact
            loose.append(part.loose)
        lengths = [(each.last - each.first).days + 1 for each in periods_in(exact, "span")]
        finest = min(lengths, default=1) - 1 if portion.endswith("half") else min(lengths, default=1) // 3
        middles = (
            tuple(shift(each.first, (each.last - each.first).days // 2) for each in periods_in(exact, "span")) if portion == "mid" else ()
        )
        return Point(tuple(dict.fromkeys(exact)), loose=tuple(loose), finest_days=max(finest, 1), unit="span", middles=middles)

    def whole(self) -> tuple[Period, ...] | None:
        """The period of which a part is taken, in every reading; None where none stands here."""
        start = self.at
        which = self.eat(*_LONGEST_FIRST, "the") or "this"
        unit = self.eat_any(_CALENDAR_UNITS)
        if unit is not None and self.at - start > 1:
            return self.calendar_unit(unit, _WHICH.get(which, 0))
        self.at = start
        found = self.first_of(self.qualified, self.season, self.numbered, self.dated)
        if found is None or found.counted or found.unit in ("day", "span"):
            return None
        return periods_in(found.exact, found.unit)


def moved(day: date, count: int, unit: str) -> date:
    """`day` moved by `count` days, weeks, fortnights, months, quarters, years or decades."""
    in_days = {"day": 1, "week": 7, "fortnight": 14}.get(unit)
    if in_days is not None:
        return shift(day, count * in_days)
    return shift_months(day, count * {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit])
