"""What the grammar of dates reads, what it leaves open, and what it refuses; every expected day was worked out by hand."""

import time
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.facts.dates.calendar import Days
from extractor.facts.when import LONGEST_CHARS, When, read_when

FRIDAY = date(2025, 7, 25)
ENGLISH = " . They said that this would have been known by then."
"""What shows that a passage of a few words is English."""


def days(written):
    """`2025-07-01..2025-07-05`, `..2025-08-31`, `2025-09-01..`, `2025-07-23`, or `-` for no date."""
    if written == "-":
        return Days(None, None)
    first, dots, last = written.partition("..")
    ends = [date.fromisoformat(end) if end else None for end in (first, last if dots else first)]
    return Days(*ends)


def check(words, reading, published=FRIDAY, quote=None, at=None):
    """The check of a model's reading of `words`, inside `quote` where one is given."""
    reading = days(reading) if isinstance(reading, str) else reading
    value = When(as_written=words, earliest=reading.earliest, latest=reading.latest)
    quote = words if quote is None else quote
    return value.check(quote=f"{quote}{ENGLISH}", start=quote.index(words) if at is None else at, published=published)


def table(text):
    """The lines of a table: words, right readings, wrong readings."""
    for line in text.strip().splitlines():
        words, right, wrong = (cell.strip() for cell in line.split("|"))
        yield pytest.param(words, right.split(), wrong.split(), id=words)


# Published on Friday, 25 July 2025.
READ_ON_FRIDAY = """
July 23 | 2025-07-23 | 2024-07-23 2026-07-23 2025-07-22 2025-07-22..2025-07-24 2025-07-23..
july 23 | 2025-07-23 | 2025-07-24
Jul. 23 | 2025-07-23 | 2024-07-23
July 23rd | 2025-07-23 | 2025-07-01..2025-07-31
the 23rd of July | 2025-07-23 | 2025-07-24
23 July | 2025-07-23 | 2025-07-20
on July 23 | 2025-07-23 | 2024-07-23
(July 23) | 2025-07-23 | 2025-07-24
July 23, | 2025-07-23 | 2025-07-24
Wednesday, July 23 | 2025-07-23 | 2025-07-25
Wednesday 23 July | 2025-07-23 | 2025-07-24
Wed., Jul. 23 | 2025-07-23 | 2025-07-30
Sept. 3 | 2025-09-03 | 2024-09-03 2025-03-09
August 31 | 2025-08-31 | 2024-08-31
January 5 | 2025-01-05 2026-01-05 | 2024-01-05 2027-01-05
July 23, 2025 | 2025-07-23 | 2025-07-25
23 July 2025 | 2025-07-23 | 2024-07-23
July 23, 2019 | 2019-07-23 | 2025-07-23
23rd July, 2025 | 2025-07-23 | 2025-07-24
2025-07-23 | 2025-07-23 | 2025-07-24
2025/07/23 | 2025-07-23 | 2025-07-24
23.07.2025 | 2025-07-23 | 2025-07-24
3.4.2025 | 2025-04-03 | 2025-03-04
23/07/2025 | 2025-07-23 | 2025-07-24
07/23/2025 | 2025-07-23 | 2025-07-24
04/04/2025 | 2025-04-04 | 2025-04-05
23. August 2025 | 2025-08-23 | 2025-08-22
February 29, 2024 | 2024-02-29 | 2024-03-01
July 23 last year | 2024-07-23 | 2025-07-23
July | 2025-07-01..2025-07-31 | 2025-07-25 2025-07-01 2024-07-01..2024-07-31 2025-07-01..2025-08-31
in July | 2025-07-01..2025-07-31 | 2025-07-01..2025-07-30
May | 2025-05-01..2025-05-31 | 2024-05-01..2024-05-31
September | 2025-09-01..2025-09-30 | 2024-09-01..2024-09-30
December | 2024-12-01..2024-12-31 2025-12-01..2025-12-31 | 2023-12-01..2023-12-31
September 2022 | 2022-09-01..2022-09-30 | 2022-09-30 2025-09-01..2025-09-30
Sept. 2022 | 2022-09-01..2022-09-30 | 2022-09-01
July, 2025 | 2025-07-01..2025-07-31 | 2025-07-25
the month of July | 2025-07-01..2025-07-31 | 2025-07-25
2025-07 | 2025-07-01..2025-07-31 | 2025-01-01..2025-12-31
February 2024 | 2024-02-01..2024-02-29 | 2024-02-01..2024-02-28
July last year | 2024-07-01..2024-07-31 | 2025-07-01..2025-07-31
July of next year | 2026-07-01..2026-07-31 | 2025-07-01..2025-07-31
2024 | 2024-01-01..2024-12-31 | 2024-07-25 2024-01-01 2023-01-01..2024-12-31
in 2026 | 2026-01-01..2026-12-31 | 2026-01-01
the year 2026 | 2026-01-01..2026-12-31 | 2026-01-01
the 1990s | 1990-01-01..1999-12-31 | 1990-01-01..1990-12-31
July 3-5 | 2025-07-03..2025-07-05 | 2025-07-03 2025-07-05 2024-07-03..2024-07-05
July 3–5, 2024 | 2024-07-03..2024-07-05 | 2025-07-03..2025-07-05
3-5 July | 2025-07-03..2025-07-05 | 2025-07-03..2025-07-06
from 3 to 5 July | 2025-07-03..2025-07-05 | 2025-07-05
3 to 5 July 2025 | 2025-07-03..2025-07-05 | 2025-07-05
July 3 through July 5 | 2025-07-03..2025-07-05 | 2025-07-03
between July 3 and August 1 | 2025-07-03..2025-08-01 | 2025-07-03 2025-08-01
July 3 to August 1, 2024 | 2024-07-03..2024-08-01 | 2025-07-03..2025-08-01
December 20 to January 5 | 2024-12-20..2025-01-05 2025-12-20..2026-01-05 | 2025-01-05..2025-12-20
December 20 to January 5, 2026 | 2025-12-20..2026-01-05 | 2026-01-05..2026-12-20
from 2024 to 2026 | 2024-01-01..2026-12-31 | 2024-01-01..2026-01-01
2024-2026 | 2024-01-01..2026-12-31 | 2024-01-01..2024-12-31
2024-26 | 2024-01-01..2026-12-31 | 2024-01-01..2024-12-31
between 2024 and 2026 | 2024-01-01..2026-12-31 | 2025-01-01..2025-12-31
July and August | 2025-07-01..2025-08-31 | 2025-07-01..2025-07-31
July or August | 2025-07-01..2025-08-31 | 2025-08-01..2025-08-31
Monday to Wednesday | 2025-07-21..2025-07-23 2025-07-28..2025-07-30 | 2025-07-21
before July 1 | ..2025-06-30 | ..2025-07-01 ..2025-07-10 2025-06-30
before August | ..2025-07-31 2025-07-25..2025-07-31 | ..2025-08-31
before the end of August | ..2025-08-31 2025-07-25..2025-08-31 | 2025-08-31 ..2025-09-01 2025-08-01..2025-08-31 ..2025-07-31
prior to July 1 | ..2025-06-30 | ..2025-07-01
ahead of July 23 | ..2025-07-22 | 2025-07-22
by July 1 | ..2025-07-01 | ..2025-07-02 2025-07-01
by August 31, 2025 | ..2025-08-31 2025-07-25..2025-08-31 | 2025-08-31
by August | ..2025-08-31 | 2025-08-01..2025-08-31
by the end of August | ..2025-08-31 | 2025-08-31 ..2025-08-20
by the end of the year | ..2025-12-31 | ..2025-11-30 2025-12-31 ..2026-12-31
by year-end | ..2025-12-31 | ..2025-12-30
by the end of next month | ..2025-08-31 | ..2025-07-31
by the end of the week | ..2025-07-25 ..2025-07-26 ..2025-07-27 | ..2025-07-31
by mid-August | ..2025-08-15 ..2025-08-20 | ..2025-08-31 2025-08-15
by early 2026 | ..2026-03-31 ..2026-04-30 | ..2026-12-31
by 2026 | ..2026-12-31 | 2026-01-01..2026-12-31
no later than August 31 | ..2025-08-31 | 2025-08-31
until September | ..2025-09-30 | ..2026-09-30
through 2027 | ..2027-12-31 | ..2028-12-31
until the end of 2027 | ..2027-12-31 | ..2026-12-31
after July 23 | 2025-07-24.. 2025-07-23.. 2025-07-24..2025-07-25 | 2025-07-22.. 2025-07-24
after 2026 | 2027-01-01.. | 2026-01-01..
since July | 2025-07-01.. 2025-07-01..2025-07-25 | 2025-07-01 2024-07-01..
since 2022 | 2022-01-01.. | 2023-01-01.. 2022-01-01
since February 24, 2022 | 2022-02-24.. | 2022-02-24
from July | 2025-07-01.. 2025-07-01..2025-07-31 | 2025-07-01
from July 1 | 2025-07-01.. 2025-07-01 | 2025-06-30..
starting in September | 2025-09-01.. | 2025-10-01..
as early as September | 2025-09-01.. 2025-09-01..2025-09-30 | 2025-09-01
as of July 23 | 2025-07-23 2025-07-23.. | 2025-07-22
no earlier than September | 2025-09-01.. | 2025-08-31..
not until September | 2025-09-01.. | ..2025-09-30
end of August | 2025-08-31 2025-08-21..2025-08-31 | 2025-08-01..2025-08-31 2025-09-01
the end of the year | 2025-12-31 2025-12-01..2025-12-31 | 2026-12-31 2025-01-01..2025-12-31
the end of last year | 2024-12-31 2024-10-01..2024-12-31 | 2025-12-31
beginning of August | 2025-08-01 2025-08-01..2025-08-10 | 2025-08-31
early August | 2025-08-01..2025-08-10 | 2025-08-01..2025-08-31 2025-08-20..2025-08-31 2025-08-05
mid-August | 2025-08-11..2025-08-20 2025-08-10..2025-08-20 | 2025-08-15 2025-08-01..2025-08-31 2025-08-01..2025-08-10
mid August | 2025-08-11..2025-08-20 | 2025-08-31
late July | 2025-07-21..2025-07-31 | 2025-07-01..2025-07-31 2025-07-25
late 2024 | 2024-10-01..2024-12-31 2024-09-01..2024-12-31 | 2024-01-01..2024-12-31 2024-12-31
early next year | 2026-01-01..2026-03-31 2026-01-01..2026-04-30 | 2026-01-01 2026-01-01..2026-12-31 2025-01-01..2025-03-31
mid-2026 | 2026-04-01..2026-09-30 2026-06-01..2026-07-31 | 2026-07-01 2026-01-01..2026-12-31
early 1990s | 1990-01-01..1992-12-31 | 1990-01-01..1999-12-31
the first half of July | 2025-07-01..2025-07-15 | 2025-07-01..2025-07-10
early next week | 2025-07-28..2025-07-29 2025-07-28..2025-07-30 | 2025-08-01..2025-08-03 2025-07-14..2025-07-16
late July or early August | 2025-07-21..2025-08-10 | 2025-07-21..2025-07-31 2025-07-31
the third quarter | 2025-07-01..2025-09-30 | 2025-07-01 2024-07-01..2024-09-30
the third quarter of 2025 | 2025-07-01..2025-09-30 | 2025-10-01..2025-12-31
Q3 2025 | 2025-07-01..2025-09-30 | 2025-07-01..2025-12-31
Q3 | 2025-07-01..2025-09-30 | 2023-07-01..2023-09-30
first quarter of next year | 2026-01-01..2026-03-31 | 2025-01-01..2025-03-31
first half of 2025 | 2025-01-01..2025-06-30 | 2025-01-01..2025-03-31
the second half of the year | 2025-07-01..2025-12-31 | 2026-07-01..2026-12-31
H1 2026 | 2026-01-01..2026-06-30 | 2026-01-01..2026-12-31
last quarter | 2025-04-01..2025-06-30 | 2025-07-01..2025-09-30
this summer | 2025-06-01..2025-08-31 | 2025-07-25 2024-06-01..2024-08-31
last summer | 2024-06-01..2024-08-31 | 2023-06-01..2023-08-31 2024-07-01
summer 2024 | 2024-06-01..2024-08-31 | 2025-06-01..2025-08-31
next winter | 2025-12-01..2026-02-28 2026-12-01..2027-02-28 | 2024-12-01..2025-02-28
winter 2024 | 2024-12-01..2025-02-28 2023-12-01..2024-02-29 | 2025-12-01..2026-02-28
in the spring | 2025-03-01..2025-05-31 2026-03-01..2026-05-31 | 2024-03-01..2024-05-31
today | 2025-07-25 | 2025-07-26 2025-07-24..2025-07-25
this morning | 2025-07-25 | 2025-07-26
yesterday | 2025-07-24 | 2025-07-25 2025-07-23..2025-07-24
last night | 2025-07-24 | 2025-07-25
tomorrow | 2025-07-26 | 2025-07-27
the day before yesterday | 2025-07-23 | 2025-07-24
Monday | 2025-07-21 2025-07-28 | 2025-07-22 2025-07-21..2025-07-28 2025-08-04
on Monday | 2025-07-21 2025-07-28 | 2025-07-29
Monday night | 2025-07-21 | 2025-07-22
late on Tuesday | 2025-07-22 2025-07-29 | 2025-07-25
Friday | 2025-07-25 | 2025-07-24
last Friday | 2025-07-18 | 2025-07-25 2025-07-19
next Monday | 2025-07-28 | 2025-08-04
this Friday | 2025-07-25 | 2025-07-26
Friday last week | 2025-07-18 | 2025-07-25
Tuesday of next week | 2025-07-29 | 2025-07-30
this month | 2025-07-01..2025-07-31 2025-07-01..2025-07-25 2025-07-25..2025-07-31 | 2025-07-25 2025-07-20 2025-06-01..2025-06-30
earlier this month | 2025-07-01..2025-07-25 2025-07-01..2025-07-24 | 2025-07-14 2025-07-01..2025-07-31 2025-06-01..2025-06-30 2025-07-01..2025-07-15
later this month | 2025-07-25..2025-07-31 2025-07-26..2025-07-31 | 2025-07-01..2025-07-31 2025-07-31
last month | 2025-06-01..2025-06-30 | 2025-06-25 2025-06-25..2025-07-25 2025-07-01..2025-07-31
next month | 2025-08-01..2025-08-31 | 2025-08-25 2025-07-25..2025-08-25
this year | 2025-01-01..2025-12-31 2025-01-01..2025-07-25 | 2025-07-25 2024-01-01..2024-12-31
earlier this year | 2025-01-01..2025-07-25 | 2025-01-01..2025-12-31 2025-03-01
later this year | 2025-07-25..2025-12-31 2025-07-26..2025-12-31 | 2025-12-31
last year | 2024-01-01..2024-12-31 | 2024-07-25 2023-01-01..2023-12-31
next year | 2026-01-01..2026-12-31 | 2026-01-01 2025-01-01..2025-12-31
this week | 2025-07-21..2025-07-27 2025-07-20..2025-07-26 2025-07-21..2025-07-25 | 2025-07-23 2025-07-14..2025-07-20
last week | 2025-07-14..2025-07-20 2025-07-13..2025-07-19 | 2025-07-18 2025-07-21..2025-07-27
next week | 2025-07-28..2025-08-03 2025-07-27..2025-08-02 | 2025-08-01 2025-08-04..2025-08-10
earlier this week | 2025-07-21..2025-07-25 2025-07-20..2025-07-24 | 2025-07-23 2025-07-21..2025-07-27
this weekend | 2025-07-26..2025-07-27 | 2025-07-26 2025-08-02..2025-08-03
last weekend | 2025-07-19..2025-07-20 | 2025-07-20 2025-07-26..2025-07-27
last July | 2024-07-01..2024-07-31 | 2025-07-01..2025-07-31 2024-07-23
next January | 2026-01-01..2026-01-31 | 2025-01-01..2025-01-31
the past year | 2024-07-25..2025-07-25 2024-01-01..2024-12-31 | 2025-07-25
10 days ago | 2025-07-15 | 2025-07-16 2025-08-04
two weeks ago | 2025-07-11 | 2025-07-25 2025-06-11
three months ago | 2025-04-01..2025-04-30 | 2025-04-25 2025-01-01..2025-12-31
two years ago | 2023-01-01..2023-12-31 2023-07-01..2023-07-31 | 2023-07-25 2022-01-01..2022-12-31
a year ago | 2024-01-01..2024-12-31 2024-07-01..2024-07-31 | 2024-07-25
over the next two months | 2025-07-25..2025-09-25 ..2025-09-25 | 2025-09-25 2025-05-25..2025-07-25
in the next 10 days | 2025-07-25..2025-08-04 | 2025-08-04
the last three years | 2022-07-25..2025-07-25 | 2022-07-25 2025-07-25..2028-07-25
in the coming weeks | - 2025-07-25.. | 2025-08-01 2025-06-01..2025-07-01
in recent weeks | - ..2025-07-25 | 2025-07-18 2025-08-01..2025-08-15
a few days ago | - ..2025-07-24 | 2025-07-22
3 days later | - |
early summer | 2025-06-01..2025-06-30 | 2025-08-01..2025-08-31
the middle of the quarter | 2025-08-01..2025-08-31 | 2025-08-15
the end of the quarter | 2025-09-30 2025-09-01..2025-09-30 | 2025-07-01
late last summer | 2024-08-01..2024-08-31 | 2024-06-01..2024-08-31
next weekend | 2025-07-26..2025-07-27 2025-08-02..2025-08-03 | 2025-07-19..2025-07-20
the third quarter of the year | 2025-07-01..2025-09-30 | 2025-10-01..2025-12-31
year-end | 2025-12-31 2025-12-01..2025-12-31 | 2025-01-01..2025-12-31
between July 20, 2025 and August 3 | 2025-07-20..2025-08-03 | 2025-07-20..2026-08-03
since January 20 | 2025-01-20.. 2025-01-20..2025-07-25 | 2026-01-20.. 2025-01-20
mid-1990s | 1994-01-01..1996-12-31 | 1990-01-01..1999-12-31
50 days | - |
50-day | - |
for two years | - |
within 50 days | 2025-07-25..2025-09-13 ..2025-09-13 |
in 50 days | 2025-09-13 2025-07-25..2025-09-13 |
within 48 hours | 2025-07-25..2025-07-27 |
in two months' time | 2025-07-25..2025-09-25 |
two to three weeks | - |
at least 10 days | - |
the previous month | - |
soon | - |
"""


@pytest.mark.parametrize(("words", "right", "wrong"), list(table(READ_ON_FRIDAY)))
def test_right_readings_agree_and_excluded_ones_disagree(words, right, wrong):
    """A reading that the words have agrees; one with a day that they exclude, or more precise than they are, disagrees."""
    for reading in right:
        assert check(words, reading).result == "agrees", (reading, check(words, reading))
    for reading in wrong:
        answer = check(words, reading)
        assert answer.result == "disagrees", (reading, answer)
        assert repr(words) in answer.message
        assert str(days(reading)) in answer.message


OPEN_READINGS = [
    ("early August", "2025-08-01..2025-08-15"),
    ("mid-August", "2025-08-13..2025-08-18"),
    ("late August", "2025-08-18..2025-08-31"),
    ("before the end of August", "..2025-08-30"),
    ("before the end of August", "2025-07-23..2025-08-31"),
    ("by August", "..2025-07-31"),
    ("last week", "2025-07-18..2025-07-25"),
    ("tomorrow", "2025-07-24"),
    ("yesterday", "2025-07-22"),
    ("50 days", "2025-08-20..2025-09-13"),
    ("50 days", "2025-09-02"),
    ("within 50 days", "2025-08-20..2025-09-13"),
    ("this summer", "2024-12-01..2025-02-28"),
    ("this weekend", "2025-07-25..2025-07-27"),
    ("in the coming weeks", "2025-07-25..2025-08-20"),
    ("in the next three years", "2026-01-01..2028-12-31"),
    ("July 23", "-"),
    ("July 23, 2025", "-"),
    ("last month", "-"),
]


@pytest.mark.parametrize(("words", "reading"), OPEN_READINGS)
def test_what_custom_does_not_settle_is_kept_and_flagged(words, reading):
    """Soft edges, an earlier day of speech, a length without its start and a missing date are neither right nor wrong."""
    assert check(words, reading).result == "not_understood"


@pytest.mark.parametrize(
    ("published", "words", "right", "wrong"),
    [
        (date(2025, 7, 27), "last Friday", "2025-07-25 2025-07-18", "2025-07-11"),  # a Sunday
        (date(2025, 7, 27), "this week", "2025-07-21..2025-07-27 2025-07-27..2025-08-02", "2025-07-14..2025-07-20"),
        (date(2025, 7, 27), "this weekend", "2025-07-26..2025-07-27", "2025-08-02..2025-08-03"),
        (date(2025, 7, 23), "next Friday", "2025-07-25 2025-08-01", "2025-08-08"),
        (date(2025, 7, 21), "Monday", "2025-07-21", "2025-07-22"),
        (date(2025, 1, 3), "July 23", "2024-07-23 2025-07-23", "2023-07-23"),
        (date(2025, 1, 3), "last month", "2024-12-01..2024-12-31", "2025-12-01..2025-12-31"),
        (date(2025, 12, 20), "January 15", "2026-01-15", "2024-01-15"),
        (date(2025, 12, 20), "next month", "2026-01-01..2026-01-31", "2025-12-01..2025-12-31"),
        (date(2025, 12, 31), "tomorrow", "2026-01-01", "2025-01-01"),
        (date(2024, 2, 10), "February 29", "2024-02-29", "2023-02-28"),
        (date(2025, 2, 10), "next quarter", "2025-04-01..2025-06-30", "2025-01-01..2025-03-31"),
        (date(2025, 9, 10), "last July", "2025-07-01..2025-07-31 2024-07-01..2024-07-31", "2023-07-01..2023-07-31"),
        (date(2025, 7, 1), "earlier this month", "2025-07-01", "2025-05-01..2025-05-31"),
        (date(1999, 3, 31), "a month ago", "1999-02-01..1999-02-28", "1999-02-28"),
        (date(2031, 1, 31), "this decade", "2030-01-01..2039-12-31", "2031-01-31"),
    ],
)
def test_relative_words_count_from_the_publication_date(published, words, right, wrong):
    """The same words mean other days in another week, month or year, at their edges too."""
    for reading in right.split():
        assert check(words, reading, published).result == "agrees", reading
    for reading in wrong.split():
        assert check(words, reading, published).result == "disagrees", reading


NOT_UNDERSTOOD = """
03/04/2025|3-4-2025|31 June|June 31, 2025|2025-02-30|31.02.2025|2011-12|Ende August|im August|23 липня|23 июля 2025|mi-août|principios de julio|Monday, July 22
|before the war|after a ceasefire|the week|first half of next week|before the end of the war|Monday, July|in 9999 years|9999 years ago|2,000|July 2,000|1648|in July 10|may|may 5|march 2025|fall|Q5|FY2026|fiscal 2025|Christmas|around July 23|July 23 in Istanbul
|about two weeks ago and more|every Monday|from July 5 to July 3, 2025|July 3 and July 20|5 p.m.|||,|(|-|. . .|the|on|in|by|before|the end of|early|next|0|99999|in 99999 years|July 0|July 32
"""


@pytest.mark.parametrize("words", [words.strip() for words in NOT_UNDERSTOOD.split("|")])
def test_what_is_not_surely_a_date_is_not_read(words):
    """Ambiguous, impossible and foreign dates, and words that are none, give no reading at all."""
    assert read_when(words, FRIDAY) is None
    assert check(words, "2025-07-03").result == "not_understood"


@pytest.mark.parametrize(
    "words",
    ["July 23", "earlier this month", "tomorrow", "by Friday", "last year", "in the coming weeks", "10 days ago", "Q3", "this summer"],
)
def test_relative_words_without_a_publication_date_must_stay_open(words):
    """Nothing stands in for a missing publication date: null is right and every date is an error."""
    assert check(words, "-", None).result == "agrees"
    answer = check(words, "2025-07-23", None)
    assert answer.result == "disagrees"
    assert "publication date" in answer.message


@pytest.mark.parametrize(
    ("words", "reading"),
    [
        ("July 23, 2025", "2025-07-23"),
        ("September 2022", "2022-09-01..2022-09-30"),
        ("by August 31, 2025", "..2025-08-31"),
        ("since 2022", "2022-01-01.."),
        ("2024-2026", "2024-01-01..2026-12-31"),
    ],
)
def test_full_dates_need_no_publication_date(words, reading):
    """A date that names its year is read without one, and the same with any."""
    assert check(words, reading, None).result == "agrees"
    assert check(words, reading, date(1901, 1, 1)).result == "agrees"


def test_a_year_named_elsewhere_in_the_quote_is_not_excluded():
    """A month whose year stands further off cannot be verified, but a year that stands nowhere is wrong."""
    quote = "The war began in 2022. Moscow annexed four regions that September."
    assert check("September", "2022-09-01..2022-09-30", quote=quote).result == "not_understood"
    assert check("September", "2021-09-01..2021-09-30", quote=quote).result == "disagrees"
    assert check("July 23", "2023-07-23", None, quote="In 2023 they met on July 23.").result == "not_understood"


def test_a_length_is_resolved_by_the_words_before_it():
    """Where "the next" stands before a length, its dates are checked, although as_written leaves those words out."""
    quote = "Norway will pay over the next 50 days."
    assert check("50 days", "2025-07-25..2025-09-13", quote=quote).result == "agrees"
    assert check("50 days", "2025-09-02", quote=quote).result == "disagrees"
    assert check("50 days", "2025-08-20..2025-09-13", quote="Russia has 50 days.").result == "not_understood"


def test_a_number_is_never_cut_in_two_by_the_search():
    """What adjoins a date is looked for at whole words, however far they stand apart."""
    quote = f"{'a' * 80} 31{' ' * 59}July is near."
    assert check("July", "2025-07-01..2025-07-31", quote=quote).result == "agrees"


def test_a_cut_is_seen_without_a_publication_date():
    """Words that are no date by themselves are an error where the date they were cut from stands beside them."""
    answer = check("23", "-", None, quote="They met on July 23.")
    assert answer.result == "disagrees"
    assert "no date without a publication date" in answer.message


@pytest.mark.parametrize(
    ("quote", "day", "is_settled"),
    [
        ("The minister said on Monday that they would go.", date(2025, 7, 21), True),
        ("The minister told reporters late on Monday that they would go.", date(2025, 7, 21), True),
        ("The deal was approved on Monday by the cabinet.", date(2025, 7, 21), True),
        ("They will meet on Monday in Oslo.", date(2025, 7, 28), True),
        ("The ships are to be delivered on Monday, he said.", date(2025, 7, 28), True),
        ("They will meet on Monday in Oslo.", date(2025, 7, 21), False),
        ("The minister said on Monday that they would go.", date(2025, 7, 28), False),
        ("Turkey offered on Monday to host the talks.", date(2025, 7, 21), True),
        ("The envoys were in Oslo, and proposed on Monday that they stop.", date(2025, 7, 21), True),
        ("They want the ships delivered on Monday, he said.", date(2025, 7, 21), False),
        ("If the deal is approved on Monday, the ships will come.", date(2025, 7, 21), False),
        ("The minister will have the ships delivered on Monday.", date(2025, 7, 21), False),
        ("They have what they need on Monday, he said.", date(2025, 7, 21), False),
        ("They will have met on Monday in Oslo.", date(2025, 7, 28), False),
        ("He said that the deal would be signed on Monday in Oslo.", date(2025, 7, 21), False),
        ("The vote was planned on Monday and is off.", date(2025, 7, 21), False),
        ("The minister signed the contract on Monday.", date(2025, 7, 21), False),
        ("On Monday, the minister said, they will sign.", date(2025, 7, 21), False),
        ("All guns delivered on Monday will be paid for by then.", date(2025, 7, 21), False),
        ("He warned that ships attacked on Monday would be sunk.", date(2025, 7, 21), False),
        ("On Monday the two who met in Oslo will sign.", date(2025, 7, 21), False),
        ("On Monday the two will sign, the minister said.", date(2025, 7, 21), False),
    ],
)
def test_the_verb_before_a_day_settles_which_one_is_meant(quote, day, is_settled):
    """What was said on Monday was said on the last one; where the verb shows no tense, or another one than was read, the choice is noted."""
    check = When(as_written="Monday", earliest=day, latest=day).check(quote=quote, start=quote.index("Monday"), published=date(2025, 7, 25))
    assert check.result == "agrees"
    assert bool(check.assumed) is not is_settled


def test_an_ambiguous_choice_is_noted():
    """Where the words fit another day as well, agreement says which was assumed; elsewhere nothing is."""
    assert "2025-07-28" in check("Monday", "2025-07-21").assumed
    assert check("July 23", "2025-07-23").assumed == ""
    assert check("this month", "2025-07-01..2025-07-25").assumed == ""


CUT = [
    ("August", "2025-08-01..2025-08-31", "They want talks before the end of August.", "before the end of August"),
    ("August", "..2025-08-31", "They want talks before the end of August.", "before the end of August"),
    ("the end of August", "2025-08-31", "They want talks before the end of August.", "before the end of August"),
    ("July", "2025-07-01..2025-07-31", "They met on July 23 in Istanbul.", "July 23"),
    ("July", "2025-07-01..2025-07-31", "They met in Istanbul in July 2024.", "July 2024"),
    ("23", "2025-07-23", "They met on July 23 in Istanbul.", "July 23"),
    ("July 23", "2025-07-23", "It was agreed on July 23, 2024, in Oslo.", "July 23, 2024"),
    ("July 23", "2024-07-23", "It was agreed on July 23, 2024, in Oslo.", "July 23, 2024"),
    ("2024", "2024-01-01..2024-12-31", "It was agreed on July 23, 2024, in Oslo.", "July 23, 2024"),
    ("month", "2025-08-01..2025-08-31", "Deliveries start next month.", "next month"),
    ("September", "2025-09-01..2025-09-30", "Annexed in September 2022 by decree.", "September 2022"),
    ("July 3", "2025-07-03", "The summit of July 3-5 was short.", "July 3-5"),
    ("July 3", "2025-07-03", "Fighting paused between July 3 and August 1.", "between July 3 and August 1"),
    ("2024", "2024-01-01..2024-12-31", "The plan for 2024-2026 is funded.", "2024-2026"),
    ("August", "2025-08-01..2025-08-31", "They will arrive in mid-August.", "mid-August"),
    ("Friday", "2025-07-25", "The answer is due by Friday.", "by Friday"),
    ("July 1", "2025-07-01", "It must be paid before July 1, he said.", "before July 1"),
    ("10 days", "2025-07-15", "It came 10 days ago.", "10 days ago"),
    ("year", "2024-01-01..2024-12-31", "Norway paid last year.", "last year"),
    ("this month", "2025-07-01..2025-07-31", "He said so earlier this month.", "earlier this month"),
    ("Jan. 20", "2025-01-20", "It has grown since Jan. 20, he said.", "since Jan. 20"),
    ("5 July", "2025-07-05", "It ended on 25 July 2025.", "25 July 2025"),
    ("August.", "2025-08-01..2025-08-31", "It is planned between 5 and 8 August.", "between 5 and 8 August"),
    ("2024,", "2024-01-01..2024-12-31", "It was agreed on July 23, 2024, in Oslo.", "July 23, 2024"),
]


@pytest.mark.parametrize(("words", "reading", "quote", "whole"), CUT)
def test_words_cut_out_of_a_larger_expression_disagree(words, reading, quote, whole):
    """Leaving out what changes the meaning is an error, even with the right days, and the message gives the whole expression."""
    at = quote.rindex(words)
    answer = check(words, reading, quote=quote, at=at)
    assert answer.result == "disagrees", answer
    assert whole in answer.message


WHOLE = [
    ("July", "2025-07-01..2025-07-31", "In July, Norway paid."),
    ("July", "2025-07-01..2025-07-31", "It was done in July by Norway."),
    ("July 23", "2025-07-23", "Agreed on July 23, 2025, in Oslo."),
    ("July 23", "2025-07-23", "Agreed on Wednesday, July 23, in Oslo."),
    ("Wednesday", "2025-07-23", "Agreed on Wednesday, July 23, in Oslo."),
    ("July", "2025-07-01..2025-07-31", "In July 10 systems arrived."),
    ("50 days", "2025-07-25..2025-09-13", "Russia must answer within 50 days."),
    ("50 days", "-", "He gave Russia 50 days to strike a deal."),
    ("May", "2025-05-01..2025-05-31", "In May five ships sailed."),
    ("July 3", "2025-07-03", "The first came on July 3, and five more on July 5."),
    ("July 5", "2025-07-05", "Shipments left on July 3 and July 5."),
    ("Monday", "2025-07-21", "On Monday 50 tanks arrived."),
    ("2024", "2024-01-01..2024-12-31", "In 2024 it bought 12 ships."),
    ("Friday", "2025-07-25", "The envoy said on Friday that it may fall."),
    ("2024", "2024-01-01..2024-12-31", "It passed the budget in 2024."),
    ("July 23", "2025-07-23", "It came on July 23 and 10 more came in August."),
    ("2024", "2024-01-01..2024-12-31", "It came. In 2024 more came."),
    ("July 23", "2025-07-23", "They met in Istanbul July 23."),
    ("2024", "2024-01-01..2024-12-31", "It passed 2024's budget."),
    ("July 23", "2025-07-23", "It came on July 23, two years after the war began."),
    ("2026", "2026-01-01..2026-12-31", "In 2026 Norway sends shells to them."),
    ("May", "2025-05-01..2025-05-31", "Those who met in May said that they would have it."),
    ("2026", "2026-01-01..2026-12-31", "It stands in the 2026 talks and the 2026 budget."),
    ("2026", "2026-01-01..2026-12-31", "It stands in Norway's 2026 elections."),
    ("July", "2025-07-01..2025-07-31", "In July Palme said that it was there."),
    ("July", "2025-07-01..2025-07-31", "It was at the July NATO summit that they met."),
    ("by July", "..2025-07-31", "It was known that by July Ukraine would have it."),
]


@pytest.mark.parametrize(("words", "reading", "quote"), WHOLE)
def test_neighbours_that_change_nothing_are_no_cut(words, reading, quote):
    """Prepositions, counts, other dates and the same date in fuller form do not make an expression a part."""
    answer = check(words, reading, quote=quote)
    assert answer.result == "agrees", answer


DOUBTED = [
    ("August 1", "2025-08-01", "They moved the deadline from July 3 to August 1."),
    ("July 3", "2025-07-03", "They moved the deadline from July 3 to August 1."),
    ("2022", "2022-01-01..2022-12-31", "Prices rose after 2022 elections."),
    ("July 23", "2025-07-23", "It came after July 23 talks in Istanbul."),
    ("last week", "2025-07-14..2025-07-20", "It was settled before last week's talks."),
    ("2024", "2024-01-01..2024-12-31", "From 2023 to 2024 aid rose."),
    ("July 23", "2025-07-23", "It came prior to the July 23 vote."),
    ("July 23", "2025-07-24", "It came after July 23 talks in Istanbul."),
    ("July 23", "2025-07-23", "It was decided by the time of the July 23 summit."),
    ("July 23", "2025-07-23", "It must come on July 23 at the latest."),
    ("July 23", "2025-07-23", "It will be so from July 23 onwards."),
    ("July 23", "2025-07-23", "It may come on or about July 23."),
    ("July 23", "2025-07-23", "It came on July 23 (2024)."),
    ("July 23", "2025-07-23", "It came on July 23 and August 4, 2024."),
    ("23 July", "2025-07-23", "It came on 23 July and 4 August 2024."),
    ("July", "2025-07-01..2025-07-31", "It came in July and August 2024."),
    ("July", "2025-07-01..2025-07-31", "It came from July through August."),
    ("late July", "2025-07-21..2025-07-31", "It came in early or late July."),
    ("July", "2025-07-01..2025-07-31", "It came on the last day of July."),
    ("Monday", "2025-07-21", "It came on the first Monday in July."),
    ("2024", "2024-01-01..2024-12-31", "It will come in 2024 or beyond."),
    ("H1", "2025-01-01..2025-06-30", "It came in H1 FY2024."),
    ("2024", "2024-01-01..2024-12-31", "It came in the second and third quarters of 2024."),
    ("2000", "2000-01-01..2000-12-31", "It sends Mirage 2000 jets."),
    ("2024", "2024-01-01..2024-12-31", "It came in 2024's last quarter."),
    ("July 23", "2025-07-23", "It came a day shy of July 23."),
    ("Monday", "2025-07-21", "It came on Monday (July 14)."),
    ("Monday", "2025-07-21", "It came on 14 July, a Monday."),
    ("Monday", "2025-07-21", "It came the Monday before last."),
    ("Monday", "2025-07-21", "It came on Monday of the week before last."),
    ("Friday", "2025-07-25", "It came on Good Friday."),
    ("May", "2025-05-01..2025-05-31", "It was Theresa May who sent it."),
    ("July 23", "2025-07-23", "It came on July 23, in 2024."),
    ("July 23", "2025-07-23", "It came on July 23 two years ago."),
    ("July 23", "2025-07-23", "It came on July 23 of that year, 2023."),
    ("Jul 25", "2025-07-25", "It came on 01 Jul 25."),
    ("July 23", "2025-07-23", "It came in the week ending July 23."),
    ("Monday", "2025-07-21", "It came the previous Monday."),
    ("Monday", "2025-07-28", "It will come Monday week."),
    ("on Monday", "2025-07-28", "It will come a week on Monday."),
    ("Monday", "2025-07-28", "It will come a week on Monday."),
    ("2024", "2024-01-01..2024-12-31", "It came in fiscal 2024."),
    ("2024", "2024-01-01..2024-12-31", "It came in the financial year 2024."),
    ("2024", "2024-01-01..2024-12-31", "It came in FY 2024."),
    ("within two weeks", "2025-07-25..2025-08-08", "It will come within two weeks of the summit."),
    ("within two weeks", "2025-07-25..2025-08-08", "It will come within two weeks after the vote."),
    ("from 1 December", "2025-12-01..", "It will run from 1 December 2025 to 1 June 2026."),
    ("2026", "2026-01-01..2026-12-31", "Norway sends 2026 tons of it."),
    ("2026", "2026-01-01..2026-12-31", "Norway sends 2026 Leopard tanks there."),
    ("2026", "2026-01-01..2026-12-31", "They would get the 2026 shells by then."),
    ("2026", "2026-01-01..2026-12-31", "They would find 2026 reasons for it."),
    ("August", "2025-08-01..2025-08-31", "It came with August Palme, a minister."),
    ("April", "2025-04-01..2025-04-30", "It was April Jones who sent it."),
    ("May", "2025-05-01..2025-05-31", "Theresa May said that they would have it."),
    ("May", "2025-05-01..2025-05-31", "May told them that they would have it."),
    ("July 10", "2025-07-10", "In July 10 launchers were sent there."),
    ("23.07.2025", "2025-07-23", "Das gilt bis 23.07.2025 und nicht mehr, wie das Ministerium und der Minister in der Stadt sagten."),
]


@pytest.mark.parametrize(("words", "reading", "quote"), DOUBTED)
def test_what_stands_beside_a_date_leaves_it_unverified(words, reading, quote):
    """A bound that may belong to the date or to what follows it, and another language, are neither agreed nor disagreed with."""
    assert check(words, reading, quote=quote).result == "not_understood"


def test_the_founding_examples_hold():
    """The readings that the reading rules name."""
    assert read_when("before the end of August", FRIDAY).latest == date(2025, 8, 31)
    assert read_when("before the end of August", FRIDAY).earliest is None
    assert tuple(read_when("earlier this month", FRIDAY).admissible[0]) == (date(2025, 7, 1), FRIDAY)
    assert check("50 days", "2025-08-20..2025-09-13").result == "not_understood"


DAYS = st.dates(date(1900, 3, 1), date(2150, 1, 1))
STYLES = ["%B %d, %Y", "%d %B %Y", "%b. %d, %Y", "%Y-%m-%d", "%d.%m.%Y", "%A, %B %d, %Y", "the %dth of %B %Y", "on %B %d, %Y", "%d %b %Y"]


@given(DAYS, st.sampled_from(STYLES), st.none() | DAYS)
def test_formatted_days_are_read_back(day, style, published):
    """A full date means its own day in every style and for every publication date."""
    words = day.strftime(style).replace("May.", "May")
    assert read_when(words, published).admissible == (Days(day, day),)
    assert check(words, Days(day, day), published).result == "agrees"
    assert check(words, Days(day + timedelta(1), day + timedelta(1)), published).result == "disagrees"


@given(DAYS, st.integers(-200, 200))
def test_days_without_a_year_are_read_back_when_near(published, distance):
    """A day within seven months of publication is among the readings of its yearless form, and comes first within five."""
    day = published + timedelta(distance)
    reading = read_when(f"{day:%B} {day.day}", published)
    assert Days(day, day) in reading.admissible
    if abs(distance) < 150:
        assert reading.admissible[0] == Days(day, day)


VOCABULARY = "July 23 2025 of the end by before next last this week month Monday in 50 days ago - , to and between early mid Q3 summer 2024 within first half year . 31 until".split()  # noqa: SIM905 - as above


@settings(max_examples=400, deadline=None)  # the first name loads the table of states
@given(st.one_of(st.text(max_size=250), st.lists(st.sampled_from(VOCABULARY), max_size=9).map(" ".join)), st.none() | st.dates())
def test_readers_never_raise(text, published):
    """Any text and any publication date, at the edges of the calendar too, give a reading in order or none."""
    reading = read_when(text, published)
    for one in reading.admissible if reading else ():
        assert one.earliest is None or one.latest is None or one.earliest <= one.latest
    assert check(text, "2025-07-23", published, quote=f"by {text} 2025", at=3).result in ("agrees", "disagrees", "not_understood")


@pytest.mark.parametrize("piece", ["July ", "1", "1.", "- ", "before the end of ", "3-", "Monday to ", "U.", "'", "the last "])
def test_hostile_length_costs_nothing(piece):
    """A hundred thousand characters are refused, as words and as a quote, in well under a second."""
    hostile = piece * (100_000 // len(piece))
    begun = time.process_time()  # what others do on the machine does not count
    assert read_when(hostile, FRIDAY) is None
    assert read_when(hostile[:LONGEST_CHARS], FRIDAY) is None
    assert check("July 23", "2025-07-23", quote=f"{hostile} July 23 {hostile}", at=len(hostile) + 1).result
    assert time.process_time() - begun < 1


def test_days_say_themselves():
    """Intervals are shown as people say them."""
    shown = [str(days(written)) for written in ("-", "..2025-08-31", "2025-09-01..", "2025-07-23", "2025-07-01..2025-07-25")]
    assert shown == ["no date", "up to 2025-08-31", "from 2025-09-01", "2025-07-23", "2025-07-01 to 2025-07-25"]


def test_an_interval_that_runs_backwards_is_refused():
    """The model's own interval must run forwards."""
    with pytest.raises(ValueError, match="is after latest"):
        When(as_written="July", earliest=date(2025, 7, 2), latest=date(2025, 7, 1))
