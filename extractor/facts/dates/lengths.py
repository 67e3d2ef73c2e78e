"""Lengths of time: "50 days", "within two weeks", "over the next three months", "two years ago", "in recent weeks".

In: tokens and the publication date. Out: `Lengths`. Floor: facts.
Before changing it: a length alone names no day; it is never counted from publication unless a word says so.
"""

from datetime import date

from extractor.facts.dates.calendar import OPEN, Days, Period, month_of, shift, year_of
from extractor.facts.dates.datewords import AHEAD, BEHIND, HEDGES, LENGTHS, NUMBERS, UNRESOLVED, VAGUE
from extractor.facts.dates.points import Point, Points, moved

_HOURS_IN_DAY = 24
_REACH_DAYS = {"day": 14, "week": 70, "fortnight": 140, "month": 600, "year": 3650, "decade": 18250}
"""How far "the coming weeks" may reach at most."""
_AGO_SLACK_DAYS = {"day": 0, "week": 4, "fortnight": 4, "month": 16, "year": 183, "decade": 1826}
"""How far from the exact day "N units ago" may lie: half a unit."""
_AGO_FINEST_DAYS = {"day": 1, "week": 1, "fortnight": 1, "month": 7, "year": 28, "decade": 365}
_ROLLING_SLACK_DAYS = {"day": 1, "week": 7, "month": 31, "year": 366}
"""The next and the last N units may be counted in whole calendar weeks, months or years."""
_LONGEST_COUNT = 9999


class Lengths(Points):
    """A cursor that knows lengths of time."""

    def length(self) -> Point | None:
        """`50 days`, `within two weeks`, `in 10 days`, `over the next three months`, `two years ago`, `in recent weeks`."""
        if not self.holds(LENGTHS):
            return None
        preposition = self.eat("within", "in", "over", "for", "during", "throughout")
        self.eat("the")
        side = self.eat(*AHEAD, *BEHIND)
        hedged = self.eat(*HEDGES) is not None
        few = self.eat(*VAGUE) is not None
        count = None if few else self._count()
        vague = few or side is not None or preposition in ("within", None)
        if count is None and not vague:
            return None
        self.eat("-")
        word = self.eat_any(LENGTHS)
        if word is None or (count is None and not word.endswith("s")):
            return None
        unit = LENGTHS[word]
        after = self.eat("ago", "later", "earlier", "' time", "from now", "' s time")
        return self._counted(count, unit, _direction(preposition, side, after), hedged=hedged)

    def _count(self) -> int | None:
        """A number of units; 0 for a range of them, which is not resolved."""
        count = self.eat_number(1, _LONGEST_COUNT) or NUMBERS.get(self.eat_any(NUMBERS) or "")
        start = self.at
        if count is not None and self.eat("to", "-", "or"):
            if self.eat_number(1, _LONGEST_COUNT) or self.eat_any(NUMBERS):
                return 0
            self.at = start
        return count

    def _counted(self, count: int | None, unit: str, direction: str, *, hedged: bool) -> Point:
        if direction == "open" or hedged or count == 0:
            return Point((OPEN,), counted=True, unit="span")
        published = self.anchor()
        if unit == "hour":
            unit, count = "day", None if count is None else -(-count // _HOURS_IN_DAY)
        sign = 1 if direction in ("in", "within", "next") else -1
        if count is None:
            reach = shift(published, sign * _REACH_DAYS[unit])
            exact = [Days(each, None) if sign > 0 else Days(None, each) for each in (published, shift(published, sign))]
            loose = Days(min(published, reach), max(published, reach))
            return Point((OPEN, *exact), loose=(loose,), finest_days=2, unit="span")
        far = moved(published, sign * count, unit)
        return {"in": _point_ahead, "within": _span_ahead, "next": _rolling, "past": _rolling, "ago": _ago}[direction](published, far, unit)

    def vague(self) -> Point | None:
        """`soon`, `recently`: understood, and no day is known."""
        return Point((OPEN,), counted=True, unit="span") if self.eat_any(UNRESOLVED) else None


def _direction(preposition: str | None, side: str | None, after: str | None) -> str:
    """Which way a length of time runs: `in`, `within`, `next`, `past`, `ago`, or `open`, from something that is not named."""
    if after == "ago":
        return "ago" if side is None and preposition is None else "open"
    if after in ("later", "earlier"):
        return "open"
    if side is not None:
        return "next" if side in AHEAD else "past"
    if preposition in ("in", "within"):
        return preposition
    return "in" if after is not None else "open"


def _point_ahead(published: date, far: date, unit: str) -> Point:
    """In N units: that day, or the time up to it; counted from publication or from when it was said."""
    exact = (Days(far, far),) if unit in ("day", "week", "fortnight") else ()
    return Point((*exact, Days(published, far), Days(None, far)), counted=True, unit="span")


def _span_ahead(published: date, far: date, unit: str) -> Point:
    """Within N units: from publication or from when it was said, so that nothing is excluded."""
    del unit
    return Point((Days(published, far), Days(None, far), Days(shift(published, 1), far)), counted=True, unit="span")


def _rolling(published: date, far: date, unit: str) -> Point:
    """The next or the last N units, the publication day with or without."""
    step = 1 if far > published else -1
    exact = [Days(*sorted((start, far))) for start in (published, shift(published, step))]
    exact.append(Days(None, far) if step > 0 else Days(far, None))
    slack = _ROLLING_SLACK_DAYS.get(unit, _ROLLING_SLACK_DAYS["year"])
    loose = Days(shift(min(published, far), -slack), shift(max(published, far), slack))
    return Point(tuple(exact), loose=(loose,), finest_days=max(abs((far - published).days) * 2 // 3, 1), unit="span")


def _ago(published: date, far: date, unit: str) -> Point:
    """N units ago: the day for days and weeks, the month or the year for those; half a unit either way is left open."""
    del published
    exact: tuple[Period, ...] = {
        "month": (month_of(far.year, far.month),),
        "year": (year_of(far.year), month_of(far.year, far.month)),
        "decade": (year_of(far.year),),
    }.get(unit, (Period(far, far, "day"),))
    slack = _AGO_SLACK_DAYS[unit]
    loose = (Days(shift(far, -slack), shift(far, slack)),) if slack else ()
    return Point(tuple(period.days for period in exact), loose=loose, finest_days=_AGO_FINEST_DAYS[unit], unit=exact[0].unit)
