"""What tests have a model say: whole facts with one field changed, and articles they stand in."""

import copy
import json

ARTICLE = """ date 2026-03-04 Norway sends tanks

Norway will give 13 tanks to Ukraine, the ministry in Oslo said on Monday.

The tanks come from a depot in Rena. Nobody else spoke about {topic}.
"""

TRANSFER = {
    "evidence": ["Norway will give 13 tanks to Ukraine"],
    "attribution": {"speaker": None, "relayed_by": None, "certainty": "asserted"},
    "is_background": False,
    "suppliers": [{"name": "Norway", "kind": "state", "on_behalf_of": None}],
    "recipients": [{"name": "Ukraine", "kind": "state", "on_behalf_of": None}],
    "payers": [],
    "designation": "tanks",
    "category": "armoured_vehicle",
    "quantity": {"as_written": "13 tanks", "minimum": 13, "maximum": 13, "approximate": False, "unit": "tanks"},
    "quantity_delivered": None,
    "transfer_type": "unspecified",
    "status": "pledged",
    "price": None,
    "announced": None,
    "delivery_due": None,
    "delivered_on": None,
}


def transfer(**changes):
    """A right answer about `ARTICLE`, with some of its fields changed."""
    return {**copy.deepcopy(TRANSFER), **changes}


def misquoted():
    """The same with another number in its quote and value: it must never be believed."""
    return transfer(
        evidence=["Norway will give 18 tanks to Ukraine"],
        quantity={"as_written": "18 tanks", "minimum": 18, "maximum": 18, "approximate": False, "unit": "tanks"},
    )


def is_repair(request):
    """Whether a request body asks for repairs."""
    return request["messages"][0]["content"].startswith("You correct")


def answering(*transfers, repairs=()):
    """An endpoint's answers: these transfers to every extraction, and `repairs` (entries of a repair array) to every repair."""

    def answer(request):
        if is_repair(request):
            return {"weapons_transfer": list(repairs)}
        wanted = json.dumps(request)
        return {
            name: list(transfers) if name == "weapons_transfer" else []
            for name in ("weapons_transfer", "funding_source", "negotiation_proposal")
            if name in wanted
        }

    return answer


def write_articles(folder, count=1):
    """Articles of their own text and length each, `a00.txt` and on: of one length, their repairs would be one question."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"a{number:02}.txt").write_text(ARTICLE.format(topic=f"topic {number}{'!' * number}"), encoding="utf-8")
    return folder


def told_apart(folder):
    """The articles of a folder, each with a first paragraph of its own, so that their repairs are different requests."""
    for number, path in enumerate(sorted(folder.iterdir())):
        path.write_text(path.read_text(encoding="utf-8").replace("on Monday.", f"on Monday in hall {number}."), encoding="utf-8")
    return folder
