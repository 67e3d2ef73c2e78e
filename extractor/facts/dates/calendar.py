"""Days and the periods made of them: weeks, months, quarters, seasons, years, and their early, middle and late parts.

In: years, months, days. Out: `Days`, `Period` and the calendar's own arithmetic; no words are read here. Floor: facts.
Before changing it: every convention below decides which readings of a model count as right, and is listed in tests/facts/test_when.py.
"""

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal, NamedTuple

Unit = Literal["day", "weekend", "week", "month", "quarter", "half", "season", "year", "decade", "span"]
Portion = Literal["start", "early", "mid", "late", "end", "first half", "second half"]

NEAR_DAYS = 245
"""A date without a year is read as one at most this far from publication: eight months, so that of "July 23" two days ago and
"July 23" a year on only the first is left, while "January 5" in July may be either (AP style gives the year when it is not this one)."""


class Days(NamedTuple):
    """An interval of days, both ends included."""

    earliest: date | None
    """First day; None: the words give none."""
    latest: date | None
    """Last day; None: the words give none."""

    def __str__(self) -> str:
        """As people say it: `2025-07-23`, `2025-07-01 to 2025-07-25`, `up to 2025-08-31`, `from 2025-09-01`, `no date`."""
        if self.earliest is None:
            return "no date" if self.latest is None else f"up to {self.latest}"
        if self.latest is None:
            return f"from {self.earliest}"
        return f"{self.earliest}" if self.earliest == self.latest else f"{self.earliest} to {self.latest}"


OPEN = Days(None, None)
"""No day is known."""


class Period(NamedTuple):
    """A stretch of the calendar."""

    first: date
    """First day."""
    last: date
    """Last day, included."""
    unit: Unit
    """What it is."""

    @property
    def days(self) -> Days:
        """The same as an interval."""
        return Days(self.first, self.last)


def shift(day: date, days: int) -> date:
    """`day` moved by `days`, which may be negative; OverflowError beyond the years 1 to 9999."""
    return day + timedelta(days=days)


def shift_months(day: date, months: int) -> date:
    """`day` moved by calendar months; the 31st becomes the last day of a shorter month. OverflowError beyond the calendar."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(f"{months} months from {day} is beyond the calendar")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_of(year: int, month: int) -> Period:
    """A calendar month, January = 1."""
    return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), "month")


def months_of(year: int, first: int, last: int, unit: Unit) -> Period:
    """The months `first` to `last` of one year."""
    return Period(date(year, first, 1), month_of(year, last).last, unit)


def quarter_of(year: int, quarter: int) -> Period:
    """A calendar quarter, 1 to 4; no company's own fiscal quarter."""
    return months_of(year, 3 * quarter - 2, 3 * quarter, "quarter")


def half_of(year: int, half: int) -> Period:
    """A half-year, 1 or 2."""
    return months_of(year, 6 * half - 5, 6 * half, "half")


def year_of(year: int) -> Period:
    """A calendar year."""
    return Period(date(year, 1, 1), date(year, 12, 31), "year")


def decade_of(year: int) -> Period:
    """The ten years from `year`, which ends in 0."""
    return Period(date(year, 1, 1), date(year + 9, 12, 31), "decade")


_SEASON_START = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_SOLSTICE_DAY = 20
"""Astronomical seasons begin between the 20th and the 23rd; one day stands for all, and the neighbouring days are left undecided."""


def season_of(year: int, name: str, *, astronomical: bool = False, southern: bool = False) -> Period:
    """A season that begins in `year`: three whole months of the northern half of the earth, unless asked otherwise."""
    first = shift_months(date(year, _SEASON_START[name], 1), 6 if southern else 0)
    last = shift(shift_months(first, 3), -1)
    if astronomical:
        first, last = shift(first, _SOLSTICE_DAY - 1), shift(last, _SOLSTICE_DAY)
    return Period(first, last, "season")


def weeks_of(day: date, offset: int = 0) -> tuple[Period, ...]:
    """The week that holds `day`, moved by `offset` weeks: Monday to Sunday (ISO 8601), Sunday to Saturday, Monday to Friday.

    On a Sunday the first two are different weeks, and both stay possible.
    """
    monday = shift(day, 7 * offset - day.weekday())
    sunday = shift(day, 7 * offset - (day.weekday() + 1) % 7)
    return (
        Period(monday, shift(monday, 6), "week"),
        Period(sunday, shift(sunday, 6), "week"),
        Period(monday, shift(monday, 4), "week"),
    )


def nearest(make: Callable[[int], Days | None], published: date) -> tuple[tuple[Days, ...], tuple[Days, ...]]:
    """The years a yearless expression may mean.

    Args:
        make: The expression in a given year; None where that year has no such day (29 February).
        published: What it is near to.

    Returns:
        The occurrences within `NEAR_DAYS`, nearest first; then those of the publication's own year that are farther off.
    """
    near: list[tuple[int, Days]] = []
    far: list[Days] = []
    for year in (published.year - 1, published.year, published.year + 1):
        days = make(year)
        if days is None:
            continue
        distance = _distance(days, published)
        if distance <= NEAR_DAYS:
            near.append((distance, days))
        elif year == published.year:
            far.append(days)
    near.sort(key=lambda found: found[0])  # stable: of two equally near ones the past comes first
    return tuple(days for _, days in near), tuple(far)


def recurring(make: Callable[[int], Days], published: date, offset: int) -> tuple[Days, ...]:
    """Which July, or which winter, "last", "this" and "next" mean.

    Args:
        make: The period that begins in a given year.
        published: What the words are counted from.
        offset: -1, 0 or 1 for last, this and next.

    Returns:
        The likeliest first. "Last" is over and "next" has not begun; where that still leaves one in the running calendar year, speakers
        also mean the one a year farther off, and both are given.
    """
    around = [make(published.year + years) for years in (-2, -1, 0, 1, 2)]
    if offset == 0:
        ours = [days for days in around if published.year in (_year(days.earliest), _year(days.latest))]
        return tuple(sorted(ours, key=lambda days: _distance(days, published)))
    if offset < 0:
        over = [days for days in around if days.latest is not None and days.latest < published][::-1]
        return tuple(over[: 1 + (_year(over[0].latest) == published.year)])
    ahead = [days for days in around if days.earliest is not None and days.earliest > published]
    return tuple(ahead[: 1 + (_year(ahead[0].earliest) == published.year)])


def _year(day: date | None) -> int:
    return day.year if day is not None else 0


def _distance(days: Days, day: date) -> int:
    """Days from `day` to the nearer end; 0 inside."""
    after = (days.earliest - day).days if days.earliest is not None else 0
    before = (day - days.latest).days if days.latest is not None else 0
    return max(after, before, 0)


def so_far(period: Period, published: date) -> tuple[Days, ...]:
    """What has passed of a period, with the publication day and without; () when that day is not inside."""
    if not period.first <= published <= period.last:
        return ()
    return tuple(Days(period.first, last) for last in (published, shift(published, -1)) if period.first <= last)


def still_to_come(period: Period, published: date) -> tuple[Days, ...]:
    """What is left of a period, with the publication day and without; () when that day is not inside."""
    if not period.first <= published <= period.last:
        return ()
    return tuple(Days(first, period.last) for first in (published, shift(published, 1)) if first <= period.last)


class Part(NamedTuple):
    """A part of a period, as far as custom settles it."""

    exact: tuple[Days, ...]
    """The usual readings; each is right."""
    loose: Days
    """Days that the words do not exclude: a reading inside is neither right nor wrong."""


# Custom, not arithmetic: thirds of a month and of a year, with their common neighbours.
# Numbers are (first, last) days of a month or a week, months of a year, years of a decade; 0 stands for the last one.
_Bounds = tuple[tuple[int, int], ...]
_PARTS: dict[str, dict[Portion, tuple[_Bounds, tuple[int, int]]]] = {
    "month": {
        "start": (((1, 1), (1, 10), (1, 7)), (1, 15)),
        "early": (((1, 10),), (1, 15)),
        "mid": (((11, 20), (10, 20)), (6, 25)),
        "late": (((21, 0), (20, 0)), (16, 0)),
        "end": (((0, 0), (21, 0)), (16, 0)),
        "first half": (((1, 15),), (1, 16)),
        "second half": (((16, 0),), (15, 0)),
    },
    "year": {
        "start": (((1, 1), (1, 3)), (1, 4)),
        "early": (((1, 3), (1, 4), (1, 2)), (1, 6)),
        "mid": (((4, 9), (5, 8), (6, 7), (6, 8)), (3, 10)),
        "late": (((10, 12), (9, 12), (11, 12)), (7, 12)),
        "end": (((12, 12), (10, 12), (11, 12)), (9, 12)),
        "first half": (((1, 6),), (1, 6)),
        "second half": (((7, 12),), (7, 12)),
    },
    "decade": {
        "start": (((1, 1), (1, 3)), (1, 4)),
        "early": (((1, 3), (1, 4)), (1, 5)),
        "mid": (((5, 7), (4, 7), (5, 6)), (3, 8)),
        "late": (((7, 10), (8, 10)), (6, 10)),
        "end": (((10, 10), (8, 10)), (7, 10)),
    },
    "week": {
        "start": (((1, 1), (1, 2)), (1, 3)),
        "early": (((1, 2), (1, 3)), (1, 4)),
        "mid": (((3, 3), (2, 4)), (2, 5)),
        "late": (((4, 5), (5, 7), (4, 7)), (4, 7)),
        "end": (((7, 7), (5, 5), (6, 7), (5, 7)), (4, 7)),
    },
}


def part_of(period: Period, portion: Portion) -> Part | None:
    """A part of `period`; None where custom gives no such part (half of a weekend)."""
    table = _PARTS.get(period.unit)
    if table is None:
        return _third_of(period, portion) if period.unit in ("quarter", "half", "season") else None
    if portion not in table:
        return None
    exact, loose = table[portion]
    parts = [_bounded(period, bounds) for bounds in exact]
    if period.unit == "year" and portion in ("start", "end"):
        edge = period.first if portion == "start" else period.last
        parts.insert(0, Days(edge, edge))
    return Part(tuple(parts), _bounded(period, loose))


def _bounded(period: Period, bounds: tuple[int, int]) -> Days:
    first, last = bounds
    if period.unit == "year":
        return months_of(period.first.year, first, last, "span").days
    if period.unit == "decade":
        return Days(year_of(period.first.year + first - 1).first, year_of(period.first.year + last - 1).last)
    earliest = shift(period.first, first - 1) if first else period.last
    latest = min(shift(period.first, last - 1), period.last) if last else period.last
    return Days(min(earliest, latest), latest)


def _third_of(period: Period, portion: Portion) -> Part | None:
    """Parts of quarters, halves and seasons, for which there is no custom: thirds in whole months, give or take what makes a half."""
    first, last = period.first, period.last
    months = 2 if period.unit == "half" else 1
    second, third = shift_months(first, months), shift_months(first, 2 * months)
    middle, slack = shift(first, (last - first).days // 2), months * 15
    match portion:
        case "start" | "early":
            edge = (Days(first, first),) if portion == "start" else ()
            return Part((*edge, Days(first, shift(second, -1))), Days(first, middle))
        case "mid":
            return Part((Days(second, shift(third, -1)),), Days(shift(second, -slack), shift(third, slack)))
        case "late" | "end":
            edge = (Days(last, last),) if portion == "end" else ()
            return Part((*edge, Days(third, last)), Days(middle, last))
        case _:
            return None
