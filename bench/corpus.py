"""The articles that timings are taken on: about 3,000 characters and five facts each, every one different, with right answers to them.

They are made, not found: names, numbers and dates change from article to article, so that nothing can be cached that a real run could not.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

PUBLISHED = "2026-03-04"
STATES = (
    "Norway",
    "Denmark",
    "Sweden",
    "Finland",
    "Estonia",
    "Latvia",
    "Lithuania",
    "Poland",
    "Romania",
    "Slovakia",
    "Spain",
    "Portugal",
)
MARK = "Report number {number:06}"
"""Stands in every article once, so that an endpoint can tell what it is asked about."""

_FILLER = (
    "The minister spoke after a long session in which members from all parties asked how the stocks at home would be filled again.",
    "Officials declined to go into details, saying only that the talks were open and that another round would follow before the summer.",
    "An opposition speaker called the plan late but right, and asked the government to publish the letters that it had received on it.",
    "Residents near the port said that they had seen nothing unusual, although the road along the quay was closed for most of the morning.",
    "The head of the committee said that the paper would be discussed in public, as the law requires, and that no vote had been set.",
    "Analysts in the capital noted that the tone had changed since the winter, when the same people had warned against any haste.",
    "A spokeswoman for the ministry repeated that the decision lay with parliament and that the cabinet would respect whatever it said.",
    "Newspapers in the region printed long accounts of the visit, most of them on the inside pages, beside the reports on the harvest.",
    "Engineers who know the systems said that crews would have to be trained first, and that this could hardly be done in a few weeks.",
    "The union of railway workers asked for guarantees that night trains would run as before, and was promised an answer in writing.",
)


class Made(NamedTuple):
    """One article and what a careful reader answers about it."""

    number: int
    text: str
    """As it stands in a file, its header line included."""
    answer: dict[str, list[dict[str, Any]]]
    """The three arrays, five items in all; every one of them holds."""
    quotes: tuple[tuple[str, str], ...]
    """Fact type and first quote of each item, for clients that know only those."""


def made(number: int) -> Made:
    """Article `number`, always the same."""
    giver, taker, third = (STATES[(number * step + shift) % len(STATES)] for step, shift in ((1, 0), (1, 5), (1, 9)))
    tanks, shells, millions, more, days = 10 + number % 83, 1000 + number % 8999, 20 + number % 917, 3 + number % 61, 10 + number % 79
    sentences = (
        f"{giver} will give {tanks} Leopard tanks to {taker}, the defence ministry said.",
        f"{third} has ordered {shells} artillery shells from {giver}.",
        f"{giver} has approved a grant of {millions} million euros for the hospitals of {taker}.",
        f"{third} plans to lend {taker} {more} million dollars to repair its power grid.",
        f"The envoy of {giver} offered {taker} a truce of {days} days.",
    )
    paragraphs = [f"{MARK.format(number=number)} was filed from the capital."]
    for place, sentence in enumerate(sentences):
        filler = [_FILLER[(number + place * 2 + step) % len(_FILLER)] for step in range(4)]
        paragraphs.append(" ".join((*filler[:2], sentence, *filler[2:])))
    text = f"date {PUBLISHED} The report of day {number}\n\n" + "\n\n".join(paragraphs) + "\n"
    base = {"attribution": {"speaker": None, "relayed_by": None, "certainty": "asserted"}, "is_background": False}
    give, order, grant, loan, offer = ({**base, "evidence": [sentence]} for sentence in sentences)
    answer = {
        "weapons_transfer": [
            _transfer(give, (giver, taker), ("Leopard tanks", "armoured_vehicle"), tanks, ("donation", "pledged")),
            _transfer(order, (giver, third), ("artillery shells", "ammunition"), shells, ("sale", "ordered")),
        ],
        "funding_source": [
            _funding(grant, (giver, taker), "the hospitals", (f"{millions} million euros", millions, "EUR"), ("commitment", "grant")),
            _funding(loan, (third, taker), "to repair its power grid", (f"{more} million dollars", more, "USD"), ("pledge", "loan")),
        ],
        "negotiation_proposal": [_proposal(offer, giver, taker, f"a truce of {days} days")],
    }
    quotes = tuple((kind, item["evidence"][0]) for kind, items in answer.items() for item in items)
    return Made(number, text, answer, quotes)


def write(folder: Path, count: int, *, first: int = 0) -> Path:
    """`count` articles as files, from number `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        (folder / f"a{number:06}.txt").write_text(made(number).text, encoding="utf-8")
    return folder


def answer_text(number: int) -> str:
    """The right answer as a model would write it."""
    return json.dumps(made(number).answer)


def _state(name: str) -> dict[str, Any]:
    return {"name": name, "kind": "state", "on_behalf_of": None}


def _transfer(base: dict[str, Any], parties: tuple[str, str], item: tuple[str, str], count: int, how: tuple[str, str]) -> dict[str, Any]:
    return {
        **base,
        "suppliers": [_state(parties[0])],
        "recipients": [_state(parties[1])],
        "payers": [],
        "designation": item[0],
        "category": item[1],
        "quantity": {"as_written": str(count), "minimum": count, "maximum": count, "approximate": False, "unit": None},
        "quantity_delivered": None,
        "transfer_type": how[0],
        "status": how[1],
        "price": None,
        "announced": None,
        "delivery_due": None,
        "delivered_on": None,
    }


def _funding(
    base: dict[str, Any], parties: tuple[str, str], purpose: str, money: tuple[str, int, str], how: tuple[str, str]
) -> dict[str, Any]:
    words, millions, currency = money
    return {
        **base,
        "funders": [_state(parties[0])],
        "recipients": [],
        "beneficiary": _state(parties[1]),
        "purpose": purpose,
        "amount": {
            "as_written": words,
            "minimum": f"{millions}000000",
            "maximum": f"{millions}000000",
            "currency": currency,
            "approximate": False,
            "also_stated": [],
        },
        "funded_quantity": None,
        "part_of": None,
        "commitment_level": how[0],
        "instrument": how[1],
        "aid_type": "humanitarian" if currency == "EUR" else "financial",
        "channel": None,
        "announced": None,
    }


def _proposal(base: dict[str, Any], proposer: str, addressee: str, terms: str) -> dict[str, Any]:
    return {
        **base,
        "proposers": [_state(proposer)],
        "addressees": [_state(addressee)],
        "mediators": [],
        "act": "offer",
        "asks": ["ceasefire"],
        "terms": [terms],
        "conditions": [],
        "deadline": None,
        "consequence": None,
        "made": None,
        "venue": None,
        "responses": [],
        "status": "open",
    }
