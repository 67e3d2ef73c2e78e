"""Intervals as words bound them: "before the end of August", "July 3-5", "within 50 days", "over the next two months".

In: tokens and the publication date. Out: `WhenReading`, `read_tokens`. Floor: facts.
Before changing it: a rule counts only when it reads every token, so that words nobody understood are never passed over.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from extractor.facts.dates.calendar import OPEN, Days, Period, month_of, nearest, shift, year_of
from extractor.facts.dates.datewords import (
    AFTER,
    BEFORE,
    BETWEEN,
    BY,
    FROM,
    INSIDE,
    NOT_BEFORE,
    NOT_UNTIL,
    PORTIONS,
    SINCE,
    UNTIL,
    Token,
)
from extractor.facts.dates.lengths import Lengths
from extractor.facts.dates.points import Point
from extractor.facts.dates.stamps import Stamp

_RECENT_DAYS = 31
"""A deadline's first day, where a model gives one, may be the day it was set: this far before publication at most."""
_OR_GAP_DAYS = 31
"""Of "A or B" the whole stretch is meant only when the two lie this near to each other."""
_LONGEST_RANGE_YEARS = 20
"""Of "2024-26" the second number is a year at most this far on."""


class WhenReading(NamedTuple):
    """What words about time mean, as a set of readings where custom leaves several."""

    admissible: tuple[Days, ...]
    """Right readings, the likeliest first; `Days(None, None)` alone when the words are understood but the day is not known."""
    doubtful: tuple[Days, ...] = ()
    """Readings that the words do not exclude."""
    loose_starts: tuple[Days, ...] = ()
    """Where a first day that is not among the admissible ones may still lie ("early July": 1 to 15)."""
    loose_ends: tuple[Days, ...] = ()
    """Where a last day may still lie."""
    finest_days: int = 1
    """A loose reading of fewer days claims more than the words say."""
    counted: bool = False
    """Counted from something that these words do not name ("50 days"), so that they exclude no day."""
    relative: bool = False
    """Whether the publication date was needed."""

    @property
    def earliest(self) -> date | None:
        """First day of the likeliest reading; None where the words give none."""
        return self.admissible[0].earliest

    @property
    def latest(self) -> date | None:
        """Last day of the likeliest reading; None where the words give none."""
        return self.admissible[0].latest

    def leaves_open(self, given: Days) -> bool:
        """Whether `given` is not a right reading, but not excluded either."""
        if self.counted or given in self.doubtful:
            return True
        firsts, lasts = {days.earliest for days in self.admissible}, {days.latest for days in self.admissible}
        if given.earliest not in firsts and not _within(given.earliest, self.loose_starts):
            return False
        if given.latest not in lasts and not _within(given.latest, self.loose_ends):
            return False
        fine = given.earliest is None or given.latest is None or (given.latest - given.earliest).days + 1 >= self.finest_days
        return bool(self.loose_starts or self.loose_ends) and fine


def read_tokens(tokens: tuple[Token, ...], published: date | None) -> WhenReading | None:
    """What all these tokens together mean; None when they are not understood, or name a day that does not exist."""
    while tokens and tokens[-1].word in (",", "."):
        tokens = tokens[:-1]
    if len(tokens) > 1 and tokens[0].word == "(" and tokens[-1].word == ")":
        tokens = tokens[1:-1]
    if not tokens:
        return None
    reader = _Intervals(tokens, published)
    try:
        for rule in (reader.pair, reader.years, reader.bound, reader.length, reader.vague, reader.inside):
            reader.at, reader.relative = 0, False
            point = rule()
            if point is None or not reader.done:
                continue
            if reader.relative and published is None:
                return WhenReading((OPEN,), counted=point.counted, relative=True)
            if not point.exact:
                return None
            exact = tuple(dict.fromkeys(point.exact))
            starts, ends = (*point.loose, *point.loose_starts), (*point.loose, *point.loose_ends)
            return WhenReading(exact, point.doubtful, starts, ends, point.finest_days, point.counted, reader.relative)
    except (OverflowError, ValueError):  # beyond the years 1 to 9999
        return None
    return None


def _within(day: date | None, stretches: Iterable[Days]) -> bool:
    return day is not None and any(one.earliest and one.latest and one.earliest <= day <= one.latest for one in stretches)


def _later(day: date | None, days: int = 1) -> date | None:
    return None if day is None else shift(day, days)


class _Intervals(Lengths):
    """The rules for whole expressions; each is tried from the first token on."""

    # A then B

    def pair(self) -> Point | None:
        """`July 3-5`, `between July 3 and August 1`, `from 2024 to 2026`, `Monday to Friday`, `July or August`."""
        if not self.holds(BETWEEN):
            return None
        self.eat("on", *INSIDE)
        opening = self.eat("between", "from")
        start = self.at
        for rule in (self._stamp_pair, self._weekday_pair, self._point_pair):
            self.at = start
            point = rule(opening)
            if point is not None and self.done:
                return point
        return None

    def _joint(self, opening: str | None) -> str | None:
        joint = self.eat(*BETWEEN)
        allowed = {"between": ("and",), "from": ("to", "until", "till", "through", "-")}.get(opening or "", BETWEEN)
        return joint if joint in allowed else None

    def _stamp_pair(self, opening: str | None) -> Point | None:
        left = self.stamp() or self._bare_day()
        joint = self._joint(opening)
        right = (self.stamp() or self._bare_day()) if left is not None and joint is not None else None
        if left is None or right is None:
            return None
        both = _completed(left, right)
        if both is None:
            return None
        left, right = both

        def make(year: int) -> Days | None:
            first, last = left.in_year(left.year or year), right.in_year(right.year or year)
            if first and last and right.year is None and first.earliest and last.latest and last.latest < first.earliest:
                last = right.in_year(year + 1)
            return _hull(first, last, joint if opening is None else None)

        if left.year is not None:
            days = make(left.year)
            return Point((days,) if days else (), unit="span")
        near, far = nearest(make, self.anchor())
        return Point(near, doubtful=far, unit="span")

    def _weekday_pair(self, opening: str | None) -> Point | None:
        first = self.weekday()
        joint = self._joint(opening) if first is not None else None
        second = self.weekday() if joint is not None else None
        if first is None or second is None:
            return None
        onward = (second - first) % 7
        if joint in ("and", "or") and opening is None and onward != 1:
            return None
        latest = shift(self.anchor(), -((self.anchor().weekday() - first) % 7))
        starts = sorted((shift(latest, days) for days in (-7, 0, 7)), key=lambda day: abs(day - self.anchor()))
        return Point(tuple(Days(day, shift(day, onward)) for day in starts[:2]), unit="span")

    def _bare_day(self) -> Stamp | None:
        self.eat("the")
        day = self.day()
        return None if day is None else Stamp(self.year(), day=day)

    def _point_pair(self, opening: str | None) -> Point | None:
        first = self.point()
        joint = self._joint(opening) if first is not None else None
        second = self.point() if joint is not None else None
        if first is None or second is None or first.counted or second.counted:
            return None
        found: list[Days] = []
        for left in first.exact:
            onward = [right for right in second.exact if left.earliest and right.latest and right.latest > left.earliest]
            if onward:
                hull = _hull(left, min(onward, key=lambda days: days.latest or date.max), joint if opening is None else None)
                found += [hull] if hull else []
        finest = first.finest_days + second.finest_days
        return Point(tuple(found), loose_starts=first.loose, loose_ends=second.loose, finest_days=finest, unit="span")

    def years(self) -> Point | None:
        """`2024-26` as years, `2025-07` as a month; `2011-12` may be either and is not understood."""
        if not self.holds(("-", "/")):
            return None
        self.eat(*INSIDE)
        first = self.stamp()
        if first is None or first.month is not None or first.year is None or self.eat("-", "/") is None:
            return None
        token = self.peek()
        number = self.eat_number(1, 99)
        if number is None or token is None or len(token.word) != len("26"):
            return None
        is_month, span = number <= 12, (number - first.year) % 100  # noqa: PLR2004 - months
        is_year = 0 < span <= _LONGEST_RANGE_YEARS
        if is_month == is_year:
            return None
        if is_month:
            return Point((month_of(first.year, number).days,), unit="month")
        return Point((Days(year_of(first.year).first, year_of(first.year + span).last),), unit="span")

    # One side

    def bound(self) -> Point | None:
        """`before`, `by`, `until`, `after`, `since`, `from`, `not until` a point."""
        kinds = (
            (BY, "by"),
            (NOT_UNTIL, "from"),
            (SINCE, "since"),
            (NOT_BEFORE, "not before"),
            (FROM, "from"),
            (BEFORE, "before"),
            (UNTIL, "until"),
            (AFTER, "after"),
        )
        kind = next((kind for phrases, kind in kinds if self.eat(*phrases)), None)
        if kind is None:
            return None
        self.eat("in", "on", "at")
        if kind in ("before", "by", "until"):
            start = self.at
            end = self._the_end(kind)
            if end is not None and self.done:
                return end
            self.at = start
        point = self.point()
        if point is None or point.counted:
            return None
        if kind in ("before", "by", "until"):
            return self._upper(point, kind)
        return self._lower(point, kind)

    def _the_end(self, kind: str) -> Point | None:
        """Up to the last day of a period, for "before", "by" and "until" its end, however long an end may be."""
        self.eat("the")
        name = self.eat("year - end", "month - end", "year ' s end", "month ' s end")
        if name is not None:
            whole: tuple[Period, ...] | None = self.calendar_unit(name.split()[0], 0)
        elif PORTIONS.get(self.eat_any(PORTIONS) or "") == "end" and self.eat("of", "-"):
            whole = self.whole()
        else:
            return None
        if whole is None:
            return None
        return self._upto([period.last for period in whole], [shift(period.last, -1) for period in whole] if kind == "before" else ())

    def _upto(self, lasts: Iterable[date | None], doubtful: Iterable[date | None], loose: tuple[Days, ...] = ()) -> Point:
        published = self.published
        starts = (None,) if published is None else (None, published)

        def spans(ends: Iterable[date | None]) -> tuple[Days, ...]:
            return tuple(
                Days(first, last) for last in dict.fromkeys(ends) for first in starts if first is None or last is None or first < last
            )

        recent = (Days(shift(published, -_RECENT_DAYS), published),) if published else ()
        return Point(spans(lasts), doubtful=spans(doubtful), loose_starts=recent, loose_ends=loose, finest_days=2, unit="span")

    def _upper(self, point: Point, kind: str) -> Point:
        vague = (
            () if point.unit in ("day", "span") else [each for days in point.exact for each in (days.earliest, _later(days.earliest, -1))]
        )
        match kind:
            case "before":
                return self._upto([*(_later(days.earliest, -1) for days in point.exact), *point.middles], (), point.loose)
            case "until" if point.unit != "span":  # the last day itself may be meant or not
                return self._upto(
                    (days.latest for days in point.exact), [*vague, *(_later(days.earliest, -1) for days in point.exact)], point.loose
                )
            case _:  # "by July" may mean before it begins
                return self._upto([*(days.latest for days in point.exact), *point.middles], vague, point.loose)

    def _lower(self, point: Point, kind: str) -> Point:
        firsts = [_later(days.latest) if kind == "after" else days.earliest for days in point.exact] + list(point.middles)
        if kind == "after" and point.unit == "day":
            firsts += [days.latest for days in point.exact]
        if kind == "since" and self.published is not None:  # what goes on since a day has begun
            firsts = [first for first in firsts if first is None or first <= self.published] or firsts
        ends = (None,) if self.published is None else (None, self.published)
        exact = [Days(first, last) for first in firsts for last in ends if first is None or last is None or first < last]
        if kind == "from":  # "a letter from July" is one of July, "from July" on is no end
            exact += point.exact
        return Point(tuple(exact), loose_starts=point.loose, finest_days=2, unit="span")

    def inside(self) -> Point | None:
        """`in July`, `on Monday`, `during 2025`, or the bare words; never `in July 10`, whose number counts something else."""
        preposition = self.eat("on", *INSIDE)
        point = self.point()
        inside = preposition is not None and preposition.split()[0] in ("in", "during", "throughout", "over", "within", "sometime", "some")
        return None if point is None or (inside and point.unit == "day") else point


def _completed(left: Stamp, right: Stamp) -> tuple[Stamp, Stamp] | None:
    """Two dates of a range, each given what only the other one says; None where they do not go together."""
    if left.month is None and left.year is None:
        left = left._replace(month=right.month, year=right.year)
    elif right.month is None and (right.year is None or right.day is not None):
        right = right._replace(month=left.month, year=right.year or left.year)
    if (left.month is None) != (right.month is None) or (left.month is None and (left.day or right.day)):
        return None
    if left.year is None and right.year is not None:
        left = left._replace(year=right.year - ((left.month or 0) > (right.month or 0)))
    elif right.year is None and left.year is not None:
        right = right._replace(year=left.year + ((left.month or 0) > (right.month or 0)))
    return left, right


def _hull(first: Days | None, last: Days | None, joint: str | None) -> Days | None:
    """The days from the one to the other; None where they run backwards, or a list ("A and B") leaves days between them out."""
    if first is None or last is None or not (first.earliest and first.latest and last.earliest and last.latest):
        return None
    gap = (last.earliest - first.latest).days
    if last.latest <= first.earliest or (joint == "and" and gap > 1) or (joint == "or" and gap > _OR_GAP_DAYS):
        return None
    return Days(first.earliest, last.latest)
