import copy

import pytest
from review_data import SCHEMAS, deal

from extractor.facts import catalog
from extractor.results.form import Form

VALUE = {"evidence": ["Norway sold 7 tanks"], **deal("Norway", "Kenya", number=7, day="2026-03-04")}
DEAL = Form(SCHEMAS["arms_deal"])


def test_shipped_examples_have_the_form_of_their_type():
    """What a type's own class gives is never refused by the JSON Schema that the ledger keeps of it."""
    count = 0
    for fact_type in catalog.load(catalog.available()).values():
        form = Form(fact_type.model_json_schema())
        for fact in (fact for example in fact_type.examples for fact in example.facts if isinstance(fact, fact_type)):
            assert form.objection(fact.model_dump(mode="json")) is None
            count += 1
    assert count > 5


def test_right_value_is_of_its_form():
    """Keys that the schema leaves open are no matter, and a field with a default may be left out."""
    assert DEAL.objection({**VALUE, "note": [1]}) is None
    assert DEAL.objection({name: said for name, said in VALUE.items() if name != "quantity"}) is None


@pytest.mark.parametrize(
    ("path", "said", "told"),
    [
        (("status",), "lost", "status: Input should be 'sought', 'agreed' or 'delivered'"),
        (("is_background",), "false", "is_background: Input should be a valid boolean"),
        (("is_background",), 1, "is_background: Input should be a valid boolean"),
        (("sellers", 0), "Norway", "sellers[0]: Input should be an object"),
        (("sellers", 0, "kind"), None, "sellers[0].kind: Input should be 'state', 'company' or 'unknown'"),
        (("evidence",), [1], "evidence[0]: Input should be a valid string"),
        (("quantity", "minimum"), "7", "quantity.minimum: Input should be a valid integer"),
        (("quantity", "minimum"), 7.5, "quantity.minimum: Input should be a valid integer"),
        (("quantity", "minimum"), 8, "quantity: minimum 8 is greater than maximum 7"),
        (("announced", "earliest"), "2026-02-31", "announced.earliest: Input should be a valid date"),
        (("announced", "earliest"), "4 March", "announced.earliest: Input should be a valid date"),
        (("announced", "earliest"), "2026-03-05", "announced: earliest 2026-03-05 is greater than latest 2026-03-04"),
    ],
)
def test_wrong_value_is_told_by_its_path(path, said, told):
    """Each kind of slip that a hand makes in JSON is found, and the message says where."""
    value = copy.deepcopy(VALUE)
    place = value
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = said
    assert (DEAL.objection(value) or "").startswith(f"it has not the form of its type: {told}")


def test_missing_and_many():
    """A field that must be there is missed, and of many slips the first few are told."""
    assert DEAL.objection({**VALUE, "status": None, "sellers": None, "buyers": None, "item": None}).endswith(" and 1 more")
    assert "item: Field required" in DEAL.objection({name: said for name, said in VALUE.items() if name != "item"})
    assert "the record: Input should be an object" in DEAL.objection([])


def test_every_portable_keyword_binds():
    """Bounds, lengths, patterns, constants, closed objects, unions, moments, and types that hold themselves."""
    node = {"$ref": "#/$defs/Node"}
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "words": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 1, "maxItems": 2},
            "version": {"const": 1},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
            "at": {"type": "string", "format": "date-time"},
            "tree": node,
        },
        "$defs": {"Node": {"type": "object", "properties": {"below": {"type": "array", "items": node}}, "required": ["below"]}},
    }
    right = {
        "share": 1,
        "code": "NOR",
        "words": ["aa"],
        "version": 1,
        "either": None,
        "at": "2026-03-04T05:06:07Z",
        "tree": {"below": [{"below": []}]},
    }
    form = Form(schema)
    assert form.objection(right) is None
    assert form.objection({"either": "x"}) is None
    wrong = {
        "share": [0, 1.5, True],
        "code": ["nor", "NORW"],
        "words": [[], ["a"], ["aa"] * 3],
        "version": [2],
        "either": [1.5],
        "at": ["noon"],
        "tree": [{"below": [{}]}],
        "other": [1],
    }
    for name, values in wrong.items():
        for value in values:
            assert form.objection({**right, name: value}), (name, value)


def test_broken_schema_is_told():
    """A ledger whose schema cannot be read is no reason to let everything through."""
    assert "cannot be read" in Form({"type": "object", "properties": {"x": {"$ref": "#/$defs/Nowhere"}}}).objection({})
