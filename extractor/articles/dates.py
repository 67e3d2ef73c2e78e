"""Publication dates as files give them, to calendar dates.

In: a value such as `2025-07-25` or a file name. Out: a `date`, or None where there is none to be sure of. Floor: articles.
Before changing it: a date is never guessed. `07/08/2025` is two different days, so it is none; `25/08/2025` is one. The day is the one
written, whatever the time zone beside it; today and a file's modification time are never used.
"""

import re
from datetime import date

_EARLIEST_YEAR, _LATEST_YEAR = 1600, 2200
"""Years believed where a text calls something a date: newspapers began in 1605; beyond 2200 it is a slip."""

_NAME_EARLIEST_YEAR, _NAME_LATEST_YEAR = 1990, 2100
"""Years believed in a file name, where digits may as well be a number of some other kind: those of news files, not of news."""

_NUMERIC = r"(?P<year>[0-9]{4})(?P<sep>[-/])(?P<month>[0-9]{1,2})(?P=sep)(?P<day>[0-9]{1,2})"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
_ZONE = r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}|[A-Z]{2,4})"

NUMERIC_DATE = rf"{_NUMERIC}(?:T{_CLOCK}{_ZONE}?)?(?![0-9A-Za-z/-])"
"""A pattern for `2025-07-25` and `2025/7/25`, an ISO time after `T` included; groups `year`, `month`, `day`."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\s+)?"
_WEEKDAY_AFTER = r"(?:,?\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day)?"
_TIME = rf"(?:(?:,|\s+at|\s)\s*{_CLOCK}(?:\s*{_ZONE})?)?"

_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_NUMERIC}(?:(?:T|\s+){_CLOCK}(?:\s*{_ZONE})?)?",
        rf"{_WEEKDAY}{_DAY}\s+{_MONTH},?\s+{_YEAR}{_WEEKDAY_AFTER}{_TIME}",  # 25 July 2025; Fri, 25 Jul 2025 10:00:00 GMT (RFC 2822)
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+{_YEAR}{_WEEKDAY_AFTER}{_TIME}",  # July 25, 2025; July 25, 2025 Friday (Nexis)
    )
)

_YEAR_LAST = re.compile(rf"(?P<first>[0-9]{{1,2}})(?P<sep>[-/.])(?P<second>[0-9]{{1,2}})(?P=sep){_YEAR}{_TIME}", re.IGNORECASE)
_MONTHS_OF_YEAR = 12

_LONGEST_CHARS = 64  # the longest form above has 45; a longer value is prose

# Compact digits need edges that are neither digit nor letter, or every hash would hold a date; T opens an ISO time
_IN_NAME = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})(?P<sep>[-_.])(?P<month>[0-9]{2})(?P=sep)(?P<day>[0-9]{2})(?![0-9])"
    r"|(?<![0-9A-Za-z])(?P<year8>[0-9]{4})(?P<month8>[0-9]{2})(?P<day8>[0-9]{2})(?=T[0-9]|[^0-9A-Za-z]|\Z)"
)


def calendar_date(year: str, month: str, day: str) -> date | None:
    """The day with these numbers; None when the calendar has no such day or the year is not in 1600..2200 (inclusive)."""
    if not _EARLIEST_YEAR <= int(year) <= _LATEST_YEAR:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def parse_date(value: str) -> date | None:
    """The day that `value` as a whole names; None when it names none, or could name two.

    Understood: `2025-07-25`, `2025/7/25`, ISO date-times, `25 July 2025`, `July 25, 2025`, RFC 2822 (`Fri, 25 Jul 2025 10:00:00 GMT`),
    `25.7.2025` (with full stops the day is first everywhere) and `25/07/2025` or `07/25/2025` where one of the two is no month.
    A time and its zone are read over: the day is the one written.
    """
    value = value.strip()
    if len(value) > _LONGEST_CHARS:
        return None
    for form in _FORMS:
        if found := form.fullmatch(value):
            parts = found.groupdict()
            month = parts.get("month") or str(_MONTHS.index(parts["name"][:3].lower()) + 1)
            return calendar_date(parts["year"], month, parts["day"])
    if found := _YEAR_LAST.fullmatch(value):
        first, second = found["first"], found["second"]
        if found["sep"] == "." or int(first) > _MONTHS_OF_YEAR or int(first) == int(second):
            return calendar_date(found["year"], second, first)
        return calendar_date(found["year"], first, second) if int(second) > _MONTHS_OF_YEAR else None
    return None


def date_in_name(name: str) -> date | None:
    """The day in a file name such as `2025-07-25-talks.txt` or `talks_20250725.txt`; folders are not looked at.

    None when the name holds no date in 1990..2100 (inclusive), or more than one: which would be meant is not known.
    """
    found: set[date] = set()
    for match in _IN_NAME.finditer(name):
        parts = match.groupdict()
        year, month, day = (parts[part] or parts[f"{part}8"] for part in ("year", "month", "day"))
        if _NAME_EARLIEST_YEAR <= int(year) <= _NAME_LATEST_YEAR and (day_found := calendar_date(year, month, day)):
            found.add(day_found)
    return found.pop() if len(found) == 1 else None
