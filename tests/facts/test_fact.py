"""What a fact is made of: names, closed parts, and the walk that finds every text to be checked."""

from collections.abc import Sequence
from typing import Annotated, Literal, Optional

import pytest
from pydantic import Field, ValidationError

from extractor.facts.fact import Attribution, Check, Closed, Fact, Leaf, Name, Part, Quote, Value, Verbatim, registered_name, walk

BASE = {"evidence": ["q0", "q1"], "attribution": {"speaker": "S", "certainty": "claimed"}, "is_background": False}


class Side(Closed):
    """A part with a name, a quote and a fixed word."""

    name: Name | None
    said: Quote
    tone: Literal["kind", "curt"] = "kind"


class Size(Value):
    """A value with a unit and a code."""

    low: int
    unit: Optional[Verbatim] = None  # noqa: UP045 - both spellings are in use
    code: str | None = None


class Deal(Fact):
    """Every kind of field."""

    plain: str
    terms: list[Verbatim]
    nested: list[list[Name]] | None = None
    sides: list[Side] = Field(default_factory=list)
    size: Size | None = None
    bounded: Annotated[list[Annotated[Verbatim, Field(max_length=9)]], Field(max_length=3)] | None = None
    mixed: Verbatim | Literal["none"] = "none"
    described: Verbatim | None = Field(default=None, description="Its mark stands in the field's metadata or its union.")
    direct: Verbatim = Field(default="", description="The mark stands in the metadata.")


DEAL = Deal.model_validate(
    BASE
    | {
        "plain": "p",
        "terms": ["t0", "t1"],
        "nested": [["n00", "n01"], ["n10"]],
        "sides": [{"name": "A", "said": "a"}, {"name": None, "said": "b", "tone": "curt"}],
        "size": {"as_written": "3 m", "low": 3, "unit": "m", "code": "X"},
        "bounded": ["b0"],
        "mixed": "m",
        "described": "d",
        "direct": "e",
    }
)


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("WeaponsTransfer", "weapons_transfer"),
        ("Sanction", "sanction"),
        ("UNVote", "un_vote"),
        ("VoteUN", "vote_un"),
        ("F16Sale", "f16_sale"),
        ("Sale2026", "sale2026"),
        ("already_snake", "already_snake"),
    ],
)
def test_a_type_is_known_by_its_name_in_snake_case(name, registered):
    """Capitals open a word, runs of capitals are one."""
    assert registered_name(type(name, (Fact,), {"__doc__": "x", "__module__": __name__})) == registered


def test_the_walk_finds_every_text_with_its_role_and_path():
    """Each marked or free text, in lists of any depth, unions and closed parts; fixed words of a Literal are none."""
    leaves = [leaf for leaf in walk(DEAL) if isinstance(leaf, Leaf)]
    assert [(leaf.path, leaf.role, leaf.text) for leaf in leaves] == [
        ("evidence[0]", "quote", "q0"),
        ("evidence[1]", "quote", "q1"),
        ("attribution.speaker", "name", "S"),
        ("plain", None, "p"),
        ("terms[0]", "verbatim", "t0"),
        ("terms[1]", "verbatim", "t1"),
        ("nested[0][0]", "name", "n00"),
        ("nested[0][1]", "name", "n01"),
        ("nested[1][0]", "name", "n10"),
        ("sides[0].name", "name", "A"),
        ("sides[0].said", "quote", "a"),
        ("sides[1].said", "quote", "b"),
        ("size.as_written", "verbatim", "3 m"),
        ("size.unit", "verbatim", "m"),
        ("size.code", None, "X"),
        ("bounded[0]", "verbatim", "b0"),
        ("mixed", "verbatim", "m"),
        ("described", "verbatim", "d"),
        ("direct", "verbatim", "e"),
    ]


def test_the_walk_finds_every_closed_part():
    """Values and parties are found where they stand, so that each can be checked."""
    parts = [(part.path, type(part.value).__name__) for part in walk(DEAL) if isinstance(part, Part)]
    assert parts == [("attribution", "Attribution"), ("sides[0]", "Side"), ("sides[1]", "Side"), ("size", "Size")]


def test_a_fixed_word_is_no_text_and_any_other_word_of_the_field_is():
    """The word "none" is allowed by the type; it is not looked for in the article."""
    fixed = DEAL.model_copy(update={"mixed": "none"})
    assert "mixed" not in [leaf.path for leaf in walk(fixed) if isinstance(leaf, Leaf)]


def test_a_list_of_another_kind_is_walked_as_free_text():
    """The catalogue refuses such a field; where it is used all the same, its texts do not escape the checks."""

    class Loose(Fact):
        """A field that strict decoding does not take."""

        words: Sequence[Verbatim]

    loose = Loose.model_validate(BASE | {"words": ["w"]})
    assert Leaf("words[0]", None, "w") in list(walk(loose))


def test_a_fact_is_closed_and_frozen():
    """Unknown keys are refused in every part, and nobody edits what a model said."""
    for wrong in ({"x": 1}, {"attribution": {"certainty": "claimed", "x": 1}}, {"size": {"as_written": "3", "low": 3, "x": 1}}):
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            Deal.model_validate(BASE | {"plain": "p", "terms": []} | wrong)
    with pytest.raises(ValidationError, match="frozen"):
        DEAL.plain = "other"
    with pytest.raises(ValidationError, match="frozen"):
        DEAL.size.low = 4


def test_every_fact_needs_evidence_attribution_and_background():
    """The base's fields are required of every type; certainty is one of six."""
    with pytest.raises(ValidationError) as caught:
        Fact.model_validate({})
    assert [error["loc"] for error in caught.value.errors()] == [("evidence",), ("attribution",), ("is_background",)]
    with pytest.raises(ValidationError):
        Attribution(certainty="sure")
    assert Attribution(certainty="denied").speaker is None


def test_a_value_without_a_grammar_is_not_understood():
    """A user's value that has no check stays unverified, and never agrees by default."""
    check = Size(as_written="3 m", low=3).check(quote="3 m", start=0, published=None)
    assert check == Check("not_understood", "no grammar reads '3 m'")
