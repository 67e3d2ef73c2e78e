"""A whole reading, nine facts of three types out of one article: what the vocabulary must be able to carry, and what it must refuse.

The article is invented; its structure is that of a real one: a payer who is no supplier, funds measured in systems, a range of money,
an offer with a guarded answer, an ultimatum counted in days, a rejected demand and two standing positions.
"""

import json
from datetime import date

import pytest

from extractor.evidence.outcome import Grounded
from extractor.evidence.validate import Believed, Judge
from extractor.llm.prompt import envelope
from extractor.records import Article, RawItem, Reply
from extractor.runs.flow import Plan, flow
from extractor.schemas import FundingSource, NegotiationProposal, WeaponsTransfer

TYPES = {"weapons_transfer": WeaponsTransfer, "funding_source": FundingSource, "negotiation_proposal": NegotiationProposal}
ARTICLE = Article(
    id="summit.txt",
    title="Quiroga: Envoys sound out a summit",
    published=date(2025, 3, 21),
    text=(
        "Quiroga: Envoys sound out a summit\n\n"
        "LA PAZ\n\n"
        "Bolivian President Ana Quiroga said on Friday that envoys of both sides are weighing a summit with Paraguay's Hugo Benitez.\n\n"
        "Benitez says that he is willing to see Quiroga, though only “once everything else is settled”.\n\n"
        "In Montevideo on March 19, Bolivia's chief negotiator Teresa Mamani suggested a summit before the end of April.\n\n"
        "That would fit the ultimatum of Brazilian President Luiza Prado, who earlier this month told Paraguay to sign a truce within "
        "40 days or lose its trade privileges.\n\n"
        "Paraguay's negotiator Ramon Ayala was cautious. “First the homework, then the banquet,” the agency IPN quoted Ayala.\n\n"
        "Paraguay insists that Bolivia give up the three northern districts, an idea that La Paz calls absurd.\n\n"
        "Bolivia refuses to discuss borders until after a truce and vows never to accept Paraguay's claim to the salt flats.\n\n"
        "Under a plan by which Andean states purchase Brazilian arms for Bolivia, Quiroga is looking for money for 8 Falcao air defense "
        "batteries. “Brazil's president is going to sell us these batteries and hand them over,” she told reporters.\n\n"
        "Money for three batteries is in hand, Quiroga said: Chile pays for two and Uruguay for one.\n\n"
        "She added that Brasilia and La Paz have settled on a contract of between $4-6 billion under which Bolivia supplies drones to Brazil."
    ),
)

BRAZIL, BOLIVIA, PARAGUAY = ({"name": name, "kind": "state"} for name in ("Brazil", "Bolivia", "Paraguay"))
HUNT = "Quiroga is looking for money for 8 Falcao air defense batteries"
IN_HAND = "Money for three batteries is in hand, Quiroga said: Chile pays for two and Uruguay for one."
CLAIMED = {"speaker": "Ana Quiroga", "certainty": "claimed"}
ASSERTED = {"certainty": "asserted"}


def fact(*evidence, attribution=ASSERTED, **fields):
    return {"evidence": list(evidence), "attribution": attribution, "is_background": False} | fields


def person(name, state):
    return {"name": name, "kind": "person", "on_behalf_of": state}


def funded(funder, words, count):
    return fact(
        IN_HAND,
        HUNT,
        attribution=CLAIMED,
        funders=[{"name": funder, "kind": "state"}],
        beneficiary=BOLIVIA,
        purpose="8 Falcao air defense batteries",
        funded_quantity={"as_written": words, "minimum": count, "maximum": count},
        part_of="three batteries",
        commitment_level="commitment",
        aid_type="military",
    )


BATTERIES = fact(
    "Under a plan by which Andean states purchase Brazilian arms for Bolivia",
    HUNT,
    "Brazil's president is going to sell us these batteries and hand them over",
    attribution=CLAIMED,
    suppliers=[BRAZIL],
    recipients=[BOLIVIA],
    payers=[{"name": "Andean states", "kind": "group_of_states"}],
    designation="Falcao air defense batteries",
    category="air_defence",
    quantity={"as_written": "8", "minimum": 8, "maximum": 8},
    transfer_type="sale",
    status="sought",
)
DRONES = fact(
    "Brasilia and La Paz have settled on a contract of between $4-6 billion under which Bolivia supplies drones to Brazil",
    attribution=CLAIMED,
    suppliers=[BOLIVIA],
    recipients=[BRAZIL],
    designation="drones",
    category="uncrewed_aircraft",
    transfer_type="sale",
    status="agreed",
    price={"as_written": "between $4-6 billion", "minimum": "4000000000", "maximum": "6000000000", "currency": "USD"},
)
CHILE, URUGUAY = funded("Chile", "two", 2), funded("Uruguay", "one", 1)
OFFER = fact(
    "In Montevideo on March 19, Bolivia's chief negotiator Teresa Mamani suggested a summit before the end of April.",
    proposers=[person("Teresa Mamani", "Bolivia")],
    addressees=[PARAGUAY],
    act="offer",
    asks=["meeting"],
    terms=["a summit before the end of April"],
    deadline={"as_written": "before the end of April", "earliest": None, "latest": "2025-04-30"},
    made={"as_written": "March 19", "earliest": "2025-03-19", "latest": "2025-03-19"},
    venue="Montevideo",
    responses=[
        {
            "party": person("Ramon Ayala", "Paraguay"),
            "stance": "deferred",
            "quote": '"First the homework, then the banquet," the agency IPN quoted Ayala',
        }
    ],
    status="open",
)
ULTIMATUM = fact(
    "Brazilian President Luiza Prado, who earlier this month told Paraguay to sign a truce within 40 days or lose its trade privileges",
    proposers=[person("Luiza Prado", "Brazil")],
    addressees=[PARAGUAY],
    act="ultimatum",
    asks=["ceasefire"],
    terms=["sign a truce"],
    deadline={"as_written": "within 40 days", "earliest": "2025-04-10", "latest": "2025-04-30"},
    consequence="lose its trade privileges",
    made={"as_written": "earlier this month", "earliest": "2025-03-01", "latest": "2025-03-21"},
    status="open",
)
DEMAND = fact(
    "Paraguay insists that Bolivia give up the three northern districts, an idea that La Paz calls absurd.",
    proposers=[PARAGUAY],
    addressees=[BOLIVIA],
    act="demand",
    asks=["withdrawal", "territory"],
    terms=["give up the three northern districts"],
    responses=[{"party": BOLIVIA, "stance": "rejected", "quote": "an idea that La Paz calls absurd"}],
    status="rejected",
)
WILLING = fact(
    'Benitez says that he is willing to see Quiroga, though only "once everything else is settled".',
    proposers=[person("Hugo Benitez", "Paraguay")],
    act="position_statement",
    asks=["meeting"],
    terms=["willing to see Quiroga"],
    conditions=['only "once everything else is settled"'],
    status="open",
)
REFUSAL = fact(
    "Bolivia refuses to discuss borders until after a truce and vows never to accept Paraguay's claim to the salt flats.",
    proposers=[BOLIVIA],
    act="position_statement",
    asks=["territory"],
    terms=["never to accept Paraguay's claim to the salt flats"],
    conditions=["until after a truce"],
    status="open",
)
READING = {
    "weapons_transfer": [BATTERIES, DRONES],
    "funding_source": [CHILE, URUGUAY],
    "negotiation_proposal": [OFFER, ULTIMATUM, DEMAND, WILLING, REFUSAL],
}
ANSWER = json.dumps(READING)


@pytest.fixture(scope="module")
def outcome():
    """What comes of the article when a model answers with the nine facts, as a driver of the flow sees it."""
    steps = flow(ARTICLE, Plan(TYPES, repairs=2, part_chars=16_000))
    (call,) = next(steps)
    assert ARTICLE.text in call.prompt.user
    items = tuple(
        RawItem(fact_type=name, index=index, json_text=json.dumps(entry))
        for name, entries in READING.items()
        for index, entry in enumerate(entries)
    )
    with pytest.raises(StopIteration) as end:
        steps.send([Reply(outcome="ok", text=ANSWER, items=items)])
    return end.value.value


def test_the_vocabulary_carries_all_nine_facts(outcome):
    """Each is kept as given, in one call, and none is quarantined or merged with another."""
    assert outcome.status == "complete"
    assert [fact.fact_type for fact in outcome.facts] == [name for name, entries in READING.items() for _ in entries]
    assert {fact.verdict for fact in outcome.facts} == {"kept"}
    assert outcome.quarantined == outcome.merged == ()
    assert len({fact.id for fact in outcome.facts}) == 9
    assert [len(outcome.of(fact_type)) for fact_type in TYPES.values()] == [2, 2, 5]


def test_the_answer_has_the_shape_that_is_asked_for():
    """The nine facts are what the schema on the wire describes."""
    answer = envelope("extract", TYPES).model_validate_json(ANSWER)
    assert [len(getattr(answer, name)) for name in TYPES] == [2, 2, 5]


def test_every_span_points_at_its_words(outcome):
    """All quotes and words stand where the spans say, typography apart."""
    marks = str.maketrans("“”", '""')
    for one in outcome.facts:
        assert isinstance(one, Grounded)
        assert [span.of(ARTICLE.text).translate(marks) for span in one.evidence] == one.value.evidence
    drones = outcome.facts[1]
    assert drones.spans["price.as_written"].of(ARTICLE.text) == "between $4-6 billion"
    assert outcome.facts[4].spans["deadline.as_written"].of(ARTICLE.text) == "before the end of April"
    assert outcome.facts[4].spans["responses[0].quote"].of(ARTICLE.text).startswith("“First the homework")


def test_parties_have_their_states(outcome):
    """A state, a person who speaks for one; a group of states is none."""
    assert outcome.facts[0].countries == {"suppliers[0]": "BRA", "recipients[0]": "BOL"}
    assert outcome.facts[2].countries == {"funders[0]": "CHL", "beneficiary": "BOL"}
    assert outcome.facts[4].countries == {"proposers[0]": "BOL", "addressees[0]": "PRY", "responses[0].party": "PRY"}


def test_only_what_cannot_be_settled_is_flagged(outcome):
    """Names outside the quotes, a bare dollar and a duration whose start is another expression; every number is verified."""
    flagged = [sorted({issue.code for issue in fact.issues}) for fact in outcome.facts]
    assert flagged == [
        ["name_outside_evidence"],
        ["assumed", "name_outside_evidence"],
        ["name_outside_evidence"],
        ["name_outside_evidence"],
        ["name_outside_evidence"],
        ["name_outside_evidence", "unverified"],
        [],
        ["name_outside_evidence"],
        [],
    ]
    assert [issue.path for issue in outcome.facts[5].issues if issue.code == "unverified"] == ["deadline"]


@pytest.mark.parametrize(
    ("kind", "lie", "code", "path"),
    [
        (
            FundingSource,
            CHILE | {"amount": {"as_written": "$4", "minimum": "4", "maximum": "4", "currency": "USD"}},
            "not_in_evidence",
            "amount.as_written",
        ),
        (
            FundingSource,
            CHILE | {"funded_quantity": {"as_written": "two", "minimum": 8, "maximum": 8}},
            "value_disagrees",
            "funded_quantity",
        ),
        (
            WeaponsTransfer,
            BATTERIES | {"quantity": {"as_written": "five", "minimum": 5, "maximum": 5}},
            "not_in_evidence",
            "quantity.as_written",
        ),
        (WeaponsTransfer, BATTERIES | {"quantity": {"as_written": "8", "minimum": 5, "maximum": 8}}, "value_disagrees", "quantity"),
        (WeaponsTransfer, DRONES | {"price": DRONES["price"] | {"minimum": "6000000000"}}, "value_disagrees", "price"),
        (
            WeaponsTransfer,
            DRONES | {"price": DRONES["price"] | {"as_written": "6 billion", "minimum": "6000000000", "currency": None}},
            "value_disagrees",
            "price",
        ),
        (WeaponsTransfer, DRONES | {"price": DRONES["price"] | {"currency": "BOB"}}, "value_disagrees", "price"),
        (
            NegotiationProposal,
            OFFER | {"made": {"as_written": "March 19", "earliest": "2024-03-19", "latest": "2024-03-19"}},
            "value_disagrees",
            "made",
        ),
        (NegotiationProposal, OFFER | {"deadline": OFFER["deadline"] | {"latest": "2025-04-15"}}, "value_disagrees", "deadline"),
        (NegotiationProposal, ULTIMATUM | {"made": ULTIMATUM["made"] | {"earliest": "2025-03-05"}}, "value_disagrees", "made"),
        (NegotiationProposal, DEMAND | {"proposers": [{"name": "Argentina", "kind": "state"}]}, "name_not_in_article", "proposers[0].name"),
        (NegotiationProposal, DEMAND | {"terms": ["give up the four northern districts"]}, "not_in_evidence", "terms[0]"),
        (
            NegotiationProposal,
            WILLING | {"conditions": []} | {"evidence": ["Benitez says that he is willing to see Quiroga."]},
            "quote_not_found",
            "evidence[0]",
        ),
    ],
    ids=[
        "money where there is none",
        "eight funded",
        "a computed remainder",
        "a range made of two numbers",
        "one end of a range twice",
        "a range cut to a figure",
        "another currency",
        "another year",
        "two weeks too early",
        "a day invented for a part of a month",
        "a party that is not there",
        "a number changed in the terms",
        "a quote that leaves out its condition",
    ],
)
def test_a_wrong_reading_of_it_is_refused(kind, lie, code, path):
    """What a careless reader would report, and the article does not say, is an error at its field."""
    verdict = Judge(ARTICLE).judge(json.dumps(lie), kind)
    assert not isinstance(verdict, Believed)
    assert (code, path) in [(issue.code, issue.path) for issue in verdict.issues if issue.severity == "error"]
