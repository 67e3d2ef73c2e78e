"""A value that is written down is read back, whatever the number and the form; and no other value is read from it."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from extractor.facts.money import Money
from extractor.facts.quantity import Quantity
from extractor.facts.when import When

SENTENCE = "Norway said that it would have {} there, as the two sides had agreed."
START = SENTENCE.index("{")
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905 - twenty strings
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905 - as above


def spelled(number: int) -> str:
    """A number below a million in English words, with "and" and hyphens as in print."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{ONES[number // 100]} hundred" + (f" and {spelled(number % 100)}" if number % 100 else "")
    rest = number % 1000
    return f"{spelled(number // 1000)} thousand" + (f" {'and ' if rest < 100 else ''}{spelled(rest)}" if rest else "")


BOUNDS = {
    "{}": (1, 1, False),
    "at least {}": (1, None, False),
    "no fewer than {}": (1, None, False),
    "more than {}": (1, None, False),
    "up to {}": (None, 1, False),
    "no more than {}": (None, 1, False),
    "as many as {}": (None, 1, False),
    "about {}": (1, 1, True),
    "nearly {}": (1, 1, True),
    "a total of {}": (1, 1, False),
    "another {}": (1, 1, False),
}
"""How a number is qualified: whether it is the least and the most, and approximate."""
bounds = st.sampled_from(sorted(BOUNDS))


def agrees(value: Quantity | Money | When, published: date | None = None) -> str:
    """The result of checking a value whose words stand in a sentence."""
    return value.check(quote=SENTENCE.format(value.as_written), start=START, published=published).result


@given(
    st.integers(2, 999_999), bounds, st.sampled_from([spelled, "{:,}".format]), st.sampled_from(["", " systems", " air defence systems"])
)
def test_a_count_is_read_back(number, bound, write, unit):
    """In digits and in words, under every bound; and never as its neighbour."""
    assume(write is spelled or not 1900 <= number <= 2100)
    least, most, about = BOUNDS[bound]
    words = bound.format(write(number)) + unit
    ends = {"minimum": number if least else None, "maximum": number if most else None}
    assert agrees(Quantity(as_written=words, **ends, approximate=about)) == "agrees", words
    beside = {end: None if value is None else value + 1 for end, value in ends.items()}
    assert agrees(Quantity(as_written=words, **beside, approximate=about)) == "disagrees", words


@given(st.integers(2, 900), st.integers(1, 99), st.sampled_from(["between {} and {}", "{} to {}", "{}-{}", "from {} to {}"]), st.booleans())
def test_a_range_of_counts_is_read_back(low, more, form, in_words):
    """Both ends are the numbers that stand there."""
    high = low + more
    assume(not (in_words and "-" in form))
    words = form.format(*(spelled(end) if in_words else f"{end}" for end in (low, high)))
    assert agrees(Quantity(as_written=words, minimum=low, maximum=high)) == "agrees", words
    assert agrees(Quantity(as_written=words, minimum=low, maximum=high + 1)) == "disagrees", words


FORMS = {
    "${}": "USD",
    "US${}": "USD",
    "€{}": "EUR",
    "£{}": "GBP",
    "EUR {}": "EUR",
    "NOK {}": "NOK",
    "A${}": "AUD",
    "{} euros": "EUR",
    "{} US dollars": "USD",
    "{} Norwegian kroner": "NOK",
    "{} hryvnias": "UAH",
}
SCALES = {"": 1, " thousand": 10**3, " million": 10**6, " billion": 10**9, "bn": 10**9}


@given(
    st.decimals(min_value=1, max_value=999, places=1) | st.integers(1, 999).map(Decimal),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(sorted(SCALES)),
    bounds,
)
def test_a_sum_is_read_back(number, form, scale, bound):
    """With a sign, a code or a word, with and without a magnitude, under every bound; and never as another sum or currency."""
    least, most, about = BOUNDS[bound]
    words = bound.format(form.format(f"{number}{scale}"))
    amount = number * SCALES[scale]
    ends = {"minimum": amount if least else None, "maximum": amount if most else None}
    assert agrees(Money(as_written=words, **ends, approximate=about, currency=FORMS[form])) == "agrees", words
    assert agrees(Money(as_written=words, **ends, approximate=about, currency="JPY")) == "disagrees", words
    thousandfold = {end: None if value is None else value * 1000 for end, value in ends.items()}
    assert agrees(Money(as_written=words, **thousandfold, approximate=about, currency=FORMS[form])) == "disagrees", words


DAY = timedelta(1)
ON_DAYS = [
    "{0:%B} {0.day}, {0.year}",
    "{0.day} {0:%B} {0.year}",
    "{0:%Y-%m-%d}",
    "{0.day:02}.{0.month:02}.{0.year}",
    "{0:%b}. {0.day}, {0.year}",
]
SIDES = {"{}": (0, 0), "on {}": (0, 0), "by {}": (None, 0), "before {}": (None, -1), "since {}": (0, None), "after {}": (1, None)}


@given(
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.sampled_from(ON_DAYS),
    st.sampled_from(sorted(SIDES)),
    st.none() | st.just(date(2025, 3, 13)),
)
def test_a_day_is_read_back(day, form, side, published):
    """A day with its year in every form, bounded from either side; and never as the next day or another year."""
    assume(day.month != 5 or "%b" not in form)  # nobody writes "May."
    first, last = SIDES[side]
    words = side.format(form.format(day))
    ends = {"earliest": None if first is None else day + first * DAY, "latest": None if last is None else day + last * DAY}
    if published is None or not (side.startswith("since") and day > published):
        assert agrees(When(as_written=words, **ends), published) == "agrees", words
    for moved in (3 * DAY, -400 * DAY):
        beside = {end: None if value is None else value + moved for end, value in ends.items()}
        assert agrees(When(as_written=words, **beside), published) != "agrees", words


@given(st.integers(1950, 2090), st.integers(1, 12), st.integers(1, 4), st.sampled_from(["month", "quarter", "half", "year"]))
def test_a_period_is_read_back(year, month, quarter, unit):
    """A month, a quarter, a half and a year are all of their days, and no single one."""
    half = 1 + quarter % 2
    first, months, words = {
        "month": (month, 1, f"in {date(year, month, 1):%B} {year}"),
        "quarter": (3 * quarter - 2, 3, f"in the {('first', 'second', 'third', 'fourth')[quarter - 1]} quarter of {year}"),
        "half": (6 * half - 5, 6, f"in the {('first', 'second')[half - 1]} half of {year}"),
        "year": (1, 12, f"in {year}"),
    }[unit]
    earliest = date(year, first, 1)
    after = first + months - 1
    latest = date(year + after // 12, after % 12 + 1, 1) - DAY
    assert agrees(When(as_written=words, earliest=earliest, latest=latest)) == "agrees", words
    assert agrees(When(as_written=words, earliest=earliest, latest=earliest)) == "disagrees", words
    assert agrees(When(as_written=words, earliest=earliest, latest=latest + DAY)) == "disagrees", words
