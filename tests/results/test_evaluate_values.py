import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.results.evaluation.compare import compare, compare_any, flat, prepare, prepare_fact


def _money(minimum, maximum, currency="EUR", as_written="a sum"):
    return {"as_written": as_written, "minimum": minimum, "maximum": maximum, "currency": currency, "approximate": False}


def _days(earliest, latest, as_written="then"):
    return {"as_written": as_written, "earliest": earliest, "latest": latest}


def _party(name, kind="state", on_behalf_of=None):
    return {"name": name, "kind": kind, "on_behalf_of": on_behalf_of}


def _found(gold, predicted):
    return compare(prepare(gold), prepare(predicted))


SAME = [
    (_money("2100000000", "2100000000"), _money(2.1e9, "2.1E+9", as_written="€2.1 billion")),
    (_money(None, None, None, "dozens"), _money(None, None, None, "Dozens")),
    (_days("2025-08-20", "2025-09-13"), _days("2025-08-21", "2025-09-13", "50 days")),
    (_days(None, "2025-08-31"), _days(None, "2025-08-31", "by the end of August")),
    (_days(None, None, "earlier this month"), _days(None, None, "earlier this month")),
    ("2025-08-20", "2025-08-20"),
    (_party("Netherlands"), _party("the Dutch")),
    (_party("Russia"), _party("Kremlin")),
    (_party("Norway"), _party("Norwegian Defense Ministry", "government_body")),
    (_party("Recep Tayyip Erdogan", "person", "Turkey"), _party("Erdoğan", "person", "Turkish")),
    (_party("Rustem Umerov", "person", "Ukraine"), _party("Ukraine")),
    (_party("European Union", "intergovernmental"), _party("EU", "intergovernmental")),
    (_party("Stribog", "company"), _party("STRIBOG", "other")),
    (_party(None, "unknown"), _party(None, "company")),
    ("Patriot air defense systems", "Patriot systems"),
    ("the Bastion's armored vehicles", "Bastion armored vehicles"),
    ("anti‑ship miss\u00adiles", "anti-ship missiles"),
    ("Flugabwehrsysteme vom Typ Iris-T", "FLUGABWEHRSYSTEME vom Typ Iris‑T"),
    ([_party("Germany"), _party("France")], [_party("French"), _party("Berlin")]),
    (["a truce of 21 days", "to begin by March 15"], ["a truce of 21 days, to begin by March 15"]),
    (["withdrawal", "territory"], ["territory", "withdrawal"]),
    (
        [{"party": _party("Ukraine"), "stance": "accepted", "quote": "yes"}],
        [{"party": _party("Kyiv"), "stance": "accepted", "quote": "they said yes"}],
    ),
    (None, "unspecified"),
    ([], None),
    (False, None),
]

DIFFERENT = [
    (_money("5", "5"), _money("5000000", "5000000")),
    (_money("5", "5", "EUR"), _money("5", "5", "USD")),
    (_money("40", None), _money("40", "40")),
    (_money("60", "80"), _money("70", "70")),
    (_money(None, None, None, "dozens"), _money(None, None, None, "hundreds")),
    (_money("0", "0"), None),
    (_days("2025-07-23", "2025-07-23"), _days("2025-07-24", "2025-07-24")),
    (_days("2025-07-01", "2025-07-25"), _days("2025-07-25", "2025-07-25")),
    (_days(None, "2025-08-31"), _days("2025-08-01", "2025-08-31")),
    (_days(None, None, "next month"), _days("2025-08-01", "2025-08-31", "next month")),
    (_party("Norway"), _party("Sweden")),
    (_party("South Korea"), _party("Korea")),
    (_party("Rustem Umerov", "person", "Ukraine"), _party("Volodymyr Zelensky", "person", "Ukraine")),
    (_party("John Smith", "person", "Canada"), _party("John Smith", "person", "Australia")),
    (_party(None, "unknown"), _party("Stribog", "company")),
    ("F-16 fighter jets of the Danish air force", "F-35 fighter jets of the Danish air force"),
    ("Leopard 2A4 tanks", "tanks"),
    ("Sokil-3 interceptor drones", "Sokil-3 reconnaissance drones"),
    ("agreed", "ordered"),
    (["withdrawal", "territory"], ["territory"]),
    (["a truce of 21 days in all of the country", "no flights"], ["a truce of 21 days in all of the country"]),
    ([{"party": _party("Ukraine"), "stance": "accepted"}], [{"party": _party("Ukraine"), "stance": "rejected"}]),
    (True, None),
    ("drones", None),
]


@pytest.mark.parametrize(("gold", "predicted"), SAME)
def test_values_that_mean_the_same_are_right_both_ways(gold, predicted):
    """A value is compared by what it means, and it does not matter which of the two is gold."""
    assert _found(gold, predicted).is_right
    assert _found(predicted, gold).is_right
    assert _found(gold, predicted).similarity >= 0.6


@pytest.mark.parametrize(("gold", "predicted"), DIFFERENT)
def test_values_that_mean_something_else_are_wrong_both_ways(gold, predicted):
    """Likeness of words does not make another number, day, party or thing right."""
    assert not _found(gold, predicted).is_right
    assert not _found(predicted, gold).is_right
    assert _found(gold, predicted).similarity < 1


def test_lists_count_their_elements():
    """Of two predicted parties one is right, and of three wanted ones one was found."""
    found = _found([_party("Norway"), _party("Sweden"), _party("Chile")], [_party("Norwegian"), _party("Peru")])
    assert (found.predicted, found.predicted_right, found.wanted, found.wanted_right) == (2, 1, 3, 1)
    assert found.similarity == pytest.approx(0.9 / 3)


def test_days_are_compared_by_those_in_common():
    """By 31 August against 1 to 31 August: 31 shared days of 62, for an open end reaches 31 days beyond the outermost day."""
    assert _found(_days(None, "2025-08-31"), _days("2025-08-01", "2025-08-31", "in August")).similarity == pytest.approx(31 / 62)
    assert _found(_days("2025-08-01", "2025-08-04"), _days("2025-08-03", "2025-08-06", "later")).similarity == pytest.approx(2 / 6)


def test_the_best_alternative_counts():
    """Gold may allow several values, nothing among them."""
    allowed = [prepare("sought"), prepare("agreed"), None]
    assert compare_any(allowed, prepare("agreed")).is_right
    assert compare_any(allowed, None).is_right
    assert not compare_any(allowed, prepare("ordered")).is_right


def test_objects_of_no_known_shape_are_compared_field_by_field():
    """A user's type needs no class here: its objects are taken apart, its evidence is left out."""
    value = {"evidence": ["x"], "attribution": {"speaker": None, "certainty": "asserted"}, "target": {"site": {"street": "Main Road"}}}
    assert flat(value) == {"attribution.speaker": None, "attribution.certainty": "asserted", "target.site.street": "Main Road"}
    assert sorted(prepare_fact(value)) == ["attribution.certainty", "target.site.street"]


texts = st.text(st.sampled_from("ab 1-é.'"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars
    | st.fixed_dictionaries({"as_written": texts, "minimum": st.none() | st.integers(0, 3), "maximum": st.none() | st.integers(0, 3)})
    | st.fixed_dictionaries({"as_written": texts, "earliest": st.none() | st.dates().map(str), "latest": st.none() | st.dates().map(str)})
    | st.fixed_dictionaries(
        {"name": st.none() | st.sampled_from(["Norway", "Oslo", "Ann Lee"]), "kind": st.sampled_from(["state", "person", "x"])}
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
    max_leaves=6,
)


@given(values, values)
def test_any_two_values_compare(one, other):
    """A value is right against itself; similarity is a share, and being right does not depend on which one is gold."""
    itself, found, turned = _found(one, one), _found(one, other), _found(other, one)
    assert (itself.similarity, itself.is_right) == (1.0, True)
    assert itself.predicted == itself.predicted_right == itself.wanted == itself.wanted_right
    assert 0 <= found.similarity <= 1
    assert found.is_right == turned.is_right
    assert found.predicted_right <= found.predicted
    assert found.wanted_right <= found.wanted
