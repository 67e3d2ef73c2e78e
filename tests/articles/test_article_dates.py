"""Publication dates in values and file names: never guessed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.articles.dates import date_in_name, parse_date

JULY_25 = date(2025, 7, 25)


@pytest.mark.parametrize(
    "value",
    [
        "2025-07-25",
        " 2025/7/25 ",
        "2025-07-25T10:00:00Z",
        "2025-07-25T23:59:59.123+02:00",
        "2025-07-25 10:00",
        "2025-07-25 10:00:00 +0200",
        "25 July 2025",
        "25 Jul. 2025",
        "25th July, 2025",
        "July 25, 2025",
        "JULY 25 2025",
        "Friday, July 25, 2025",
        "Fri, 25 Jul 2025 10:00:00 GMT",
        "Fri, 25 Jul 2025 10:00:00 +0200",
        "July 25, 2025 at 10:30",
        "July 25, 2025 Friday",
        "25 July 2025, Friday 10:30 GMT",
        "25.07.2025",
        "25.7.2025 10:30",
        "25/07/2025",
        "07/25/2025 10:30:00",
        "25-07-2025",
    ],
)
def test_a_value_that_names_one_day_is_that_day(value):
    """The day is the one written, whatever the time and the zone beside it."""
    assert parse_date(value) == JULY_25


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2025-13-45",
        "2025-02-30",
        "07/08/2025",
        "07-08-2025",
        "13/13/2025",
        "25/07.2025",
        "25.07.25",
        "2025-07/25",
        "2025-07",
        "July 2025",
        "32 July 2025",
        "0001-01-01",
        "9999-12-31",
        "yesterday",
        "2025-07-25 and more",
        "20250725",
        "٢٠٢٥-٠٧-٢٥",
        "1" * 10_000,
    ],
)
def test_a_value_that_could_be_two_days_or_none_is_no_date(value):
    """Ambiguous, impossible and partial dates are None."""
    assert parse_date(value) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2025-07-25-foo", JULY_25),
        ("foo_20250725", JULY_25),
        ("20250725", JULY_25),
        ("foo 2025.07.25 bar", JULY_25),
        ("foo_2025_07_25", JULY_25),
        ("2025-07-25T1030_foo", JULY_25),
        ("20250725T103000", JULY_25),
        ("2025-07-25_20250725", JULY_25),
        ("2025-07-25_2025-07-26", None),
        ("20251345", None),
        ("18990725", None),
        ("1989-12-31", None),
        ("1990-01-01", date(1990, 1, 1)),
        ("2101-01-01", None),
        ("120250725", None),
        ("202507251", None),
        ("a20250725b", None),
        ("a20250725", None),
        ("20250725b", None),
        ("000_27dd18b8ded3c445", None),
        ("2025-07", None),
        ("20250725103000", None),
        ("caf\udce9 2025-07-25", JULY_25),
    ],
)
def test_a_file_name_gives_a_date_only_when_it_is_one(name, expected):
    """Eight digits count with edges around them and a year in 1990..2100; two different dates are none."""
    assert date_in_name(name) == expected


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_every_plausible_day_is_read_in_every_form(day):
    """Forms written by strftime come back as the day they were made of."""
    for form in ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y 08:00:00 GMT"):
        assert parse_date(day.strftime(form)) == day
    assert date_in_name(day.strftime("x_%Y%m%d")) == date_in_name(day.strftime("%Y-%m-%d x")) == day


@given(st.text(max_size=80))
def test_any_value_is_a_date_or_none(text):
    """No text makes the parsers fail."""
    assert parse_date(text) is None or isinstance(parse_date(text), date)
    assert date_in_name(text) is None or isinstance(date_in_name(text), date)
