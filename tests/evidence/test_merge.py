"""One fact told twice is one record: what covers what, and what never does."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.evidence.merge import Reading, covered, told
from extractor.facts.fact import Closed, Fact, Verbatim
from extractor.records import Span


class Sum(Closed):
    """A part of a fact."""

    low: str | None = None
    high: str | None = None


class Ship(Fact):
    """A ship that moves."""

    name: Verbatim
    port: Verbatim | None = None
    kind: str = "unspecified"
    tags: list[str] = []  # noqa: RUF012 - Pydantic copies it
    cost: Sum | None = None


def ship(name="Aurora", *, background=False, certainty="asserted", quote="q", **fields):
    return Ship.model_validate(
        {"evidence": [quote], "attribution": {"certainty": certainty}, "is_background": background, "name": name} | fields
    )


def reading(value, *edges, answer=0, fact_type="ship"):
    return Reading(fact_type, told(value), tuple(Span(start=start, end=end) for start, end in edges or [(0, 9)]), answer)


def test_what_a_fact_states_leaves_out_how_it_is_told():
    """Evidence, attribution and background do not make another fact of it."""
    assert told(ship(background=True, certainty="claimed", quote="other")) == told(ship())
    assert set(told(ship())) == {"name", "port", "kind", "tags", "cost", "doubted"}


def test_an_exact_repeat_is_covered_by_the_first_wherever_it_stands():
    """The same statement from other words, in the same answer or another, is one record: the first."""
    readings = [reading(ship()), reading(ship(), (50, 60)), reading(ship("Borea")), reading(ship(), (90, 99), answer=2)]
    assert covered(readings) == {1: 0, 3: 0}


@pytest.mark.parametrize(
    "other",
    [{"name": "Borea"}, {"port": "Oslo"}, {"kind": "ferry"}, {"tags": ["old"]}, {"cost": {"low": "1"}}],
    ids=lambda other: next(iter(other)),
)
def test_facts_that_differ_in_a_stated_value_stay_apart(other):
    """Within one answer, one differing value makes two records, though their evidence overlaps."""
    assert covered([reading(ship()), reading(ship(**other))]) == {}


def test_the_same_value_of_another_type_stays():
    """Types are told apart by registered name."""
    assert covered([reading(ship()), reading(ship(), fact_type="boat")]) == {}


def test_of_two_readings_of_an_overlap_the_fuller_stays():
    """Two answers read the same passage: the one that says more covers the other, whichever came first."""
    poor, full = ship(), ship(port="Oslo", kind="ferry", tags=["old"], cost={"low": "1", "high": "2"})
    assert covered([reading(poor, (0, 9)), reading(full, (5, 20), answer=1)]) == {0: 1}
    assert covered([reading(full, (0, 9)), reading(poor, (5, 20), answer=1)]) == {1: 0}


def test_two_readings_that_contradict_each_other_both_stay():
    """What differs in a stated value is never merged, in an overlap neither."""
    assert covered([reading(ship(port="Oslo")), reading(ship(port="Bergen"), answer=1)]) == {}
    assert covered([reading(ship(port="Oslo")), reading(ship(kind="ferry"), answer=1)]) == {}
    assert covered([reading(ship(cost={"low": "1"})), reading(ship(cost={"low": "1", "high": "2"}), answer=1)]) == {}


def test_a_poorer_reading_of_other_words_stays():
    """Saying less is no repeat when the words are others, or the answer is the same: it may be another event."""
    poor, full = ship(), ship(port="Oslo")
    assert covered([reading(poor, (0, 9)), reading(full, (9, 20), answer=1)]) == {}
    assert covered([reading(poor, (0, 9)), reading(full, (0, 9))]) == {}


def test_a_chain_ends_at_the_one_that_stays():
    """A covers B, and C says more than A: both are named as covered by C."""
    readings = [reading(ship(), answer=0), reading(ship(), answer=1), reading(ship(port="Oslo"), answer=2)]
    assert covered(readings) == {0: 2, 1: 2}


values = st.builds(
    ship, name=st.sampled_from("ab"), port=st.sampled_from([None, "Oslo", "Bergen"]), kind=st.sampled_from(["unspecified", "ferry"])
)
readings = st.builds(
    lambda value, start, answer: reading(value, (start, start + 10), answer=answer), values, st.integers(0, 15), st.integers(0, 1)
)


@given(st.lists(readings, max_size=8))
def test_what_stays_covers_what_goes_and_no_two_that_stay_are_the_same(listed):
    """The covering one stays and states all that the covered one states; no two that stay state the same."""
    cover = covered(listed)
    assert not set(cover.values()) & set(cover)
    for place, by in cover.items():
        less, more = listed[place].stated, listed[by].stated
        assert all(value == more[name] or value in (None, [], "unspecified") for name, value in less.items())
    stay = [one.stated for place, one in enumerate(listed) if place not in cover]
    assert all(one not in stay[:place] for place, one in enumerate(stay))


def test_a_draft_whose_every_word_was_read_again_is_covered_whatever_it_says():
    """The answer that followed a broken one read the same words: its meaning stands. One word more, and the draft stays beside it."""
    words = (Span(start=2, end=5), Span(start=6, end=9))
    draft = reading(ship(kind="ferry"))._replace(is_draft=True, words=words)
    whole = reading(ship(kind="tug"), answer=1)._replace(words=(*words, Span(start=20, end=30)))
    assert covered([draft, whole]) == {0: 1}
    assert covered([whole, draft]) == {1: 0}
    assert covered([draft._replace(words=(*words, Span(start=40, end=45))), whole]) == {}
    assert covered([draft._replace(is_draft=False), whole]) == {}
    assert covered([draft._replace(words=()), whole]) == {}


def test_of_a_draft_and_the_same_fact_given_again_the_latter_stays():
    """Whichever stands first in the article's order."""
    draft, whole = reading(ship())._replace(is_draft=True), reading(ship(), answer=1)
    assert covered([draft, whole]) == {0: 1}
    assert covered([whole, draft]) == {1: 0}


@pytest.mark.parametrize("answers", [1, 2])
def test_ten_thousand_facts_of_one_passage_cost_little(answers):
    """A reply of 10,000 facts, or two of 5,000 about the same words, is merged in time linear in their number."""
    value = told(ship())
    listed = [Reading("ship", value | {"name": str(number // 2)}, (Span(start=0, end=9),), number % answers) for number in range(10_000)]
    began = time.perf_counter()
    assert covered(listed) == {number: number - 1 for number in range(1, 10_000, 2)}
    assert time.perf_counter() - began < 10


def test_a_denied_fact_is_not_the_asserted_one():
    """Two readings that agree in all they state are two facts when one of them is denied."""
    denied = ship().model_copy(update={"attribution": ship().attribution.model_copy(update={"certainty": "denied"})})
    assert told(denied) != told(ship())
