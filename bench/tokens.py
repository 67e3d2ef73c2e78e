"""Tokens: what a request weighs with 1, 3 and 10 fact types, how much of it providers can cache, and what one bad item in ten costs.

Bytes are those on the wire, caught by an endpoint on loopback; tokens are this project's own estimate, since no tokenizer is at hand
without a download. Instructor runs for real, with the same fact types: its whole re-ask is what it sends when one item of ten fails.
"""

import asyncio
import copy
import json
import sys
from typing import Any

import instructor
import openai
from corpus import PUBLISHED, made
from pydantic import create_model
from targets import at_most

from extractor import Extractor
from extractor.facts import catalog
from extractor.facts.fact import Fact
from extractor.runs.limits import estimate_tokens
from extractor.testing import LoopbackEndpoint

GENERATED, SENT = 0.15, 0.40
"""Of a repair, beside instructor's whole re-ask."""
ITEMS = 10


def ten_types() -> list[type[Fact]]:
    """The three types that ship and seven more of their size."""
    shipped = list(catalog.load(()).values())
    return [*shipped, *(_another(f"Other{letter}", kind) for letter, kind in zip("ABCDEFG", shipped * 3, strict=False))]


def _another(name: str, kind: type[Fact]) -> type[Fact]:
    other = type(f"{name}{kind.__name__}", (kind,), {"__doc__": kind.__doc__})
    other.examples = tuple(
        example._replace(facts=tuple(other.model_validate(fact.model_dump()) for fact in example.facts)) for example in kind.examples
    )
    return other


def asked(types: list[type[Fact]], answers: list[dict[str, Any]]) -> list[bytes]:
    """The bodies that one article causes when the endpoint answers so, in order; empty arrays where it has no answer left."""
    sent: list[bytes] = []
    left = iter(answers)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        sent.append(json.dumps(request, ensure_ascii=False).encode())
        return next(left, None) or {name: [] for name in catalog.load(types)}

    with LoopbackEndpoint(answer) as endpoint, Extractor(types, base_url=endpoint.base_url, model="bench") as extractor:
        extractor.extract(made(7).text.partition("\n\n")[2], published=PUBLISHED, title="The report of day 7")
    return sent


def prefix_share(types: list[type[Fact]]) -> float:
    """The part of a request's messages and schema that is the same for another article and comes before what is not.

    Providers put the schema before the messages, so it belongs to the prefix.
    """
    (one,) = asked(types, [])
    body = json.loads(one)
    schema = {name: value for name, value in body.items() if name not in ("model", "messages")}
    first, *rest = (message["content"] for message in body["messages"])
    stable = len(json.dumps(schema, ensure_ascii=False)) + len(first)
    return stable / (stable + sum(len(text) for text in rest))


def ten_items() -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """An answer with ten items, one of which breaks its schema, and that item put right."""
    answer = copy.deepcopy(made(7).answer)
    transfers = answer["weapons_transfer"]
    while sum(len(items) for items in answer.values()) < ITEMS:
        again = copy.deepcopy(transfers[len(transfers) % 2])
        again["designation"] = again["designation"].split()[-1] if len(transfers) == 2 else again["designation"]
        again["is_background"] = len(transfers) % 3 == 0
        again["payers"] = [{"name": again["recipients"][0]["name"], "kind": "state", "on_behalf_of": None}][: len(transfers) - 3]
        again["transfer_type"] = ("loan_lease", "exchange_backfill", "co_production", "smuggling", "sale")[len(transfers) - 2]
        transfers.append(again)
    right = copy.deepcopy(transfers[0])
    transfers[0]["category"] = "tank"
    return answer, right


def repaired_by_us() -> tuple[int, int, float]:
    """Bytes of the repair request, tokens of its answer, and the share of the request that is the same for every repair of that type."""
    answer, right = ten_items()
    types = list(catalog.load(()).values())
    sent: list[dict[str, Any]] = []

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        sent.append(request)
        return answer if len(sent) == 1 else {"weapons_transfer": [{"item": 1, "fact": right}]}

    with LoopbackEndpoint(reply) as endpoint, Extractor(types, base_url=endpoint.base_url, model="bench") as extractor:
        outcome = extractor.extract(made(7).text.partition("\n\n")[2], published=PUBLISHED, title="The report of day 7")
    if len(sent) != 2 or [fact.verdict for fact in outcome.facts].count("repaired") != 1:
        raise RuntimeError(f"{len(sent)} requests, {[fact.verdict for fact in outcome.facts]}, {outcome.quarantined}")
    body = sent[1]
    schema = {name: value for name, value in body.items() if name not in ("model", "messages")}
    stable = len(json.dumps(schema, ensure_ascii=False)) + len(body["messages"][0]["content"])
    size = len(json.dumps(body, ensure_ascii=False).encode())
    return size, estimate_tokens(json.dumps({"weapons_transfer": [{"item": 1, "fact": right}]})), stable / size


def repaired_by_instructor() -> tuple[int, int]:
    """Bytes of the second request and tokens of the second answer, in its default use."""
    answer, right = ten_items()
    good = {**answer, "weapons_transfer": [right, *answer["weapons_transfer"][1:]]}
    types = catalog.load(())
    facts = create_model("Facts", **{name: (list[fact_type], ...) for name, fact_type in types.items()})  # type: ignore[call-overload]
    (first,) = asked(list(types.values()), [])
    sent: list[bytes] = []

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        sent.append(json.dumps(request, ensure_ascii=False).encode())
        return answer if len(sent) == 1 else good

    async def ask(base_url: str) -> None:
        async with openai.AsyncOpenAI(api_key="none", base_url=base_url) as sdk:
            client = instructor.from_openai(sdk)
            messages = json.loads(first)["messages"]
            await client.chat.completions.create(model="bench", messages=messages, response_model=facts, max_retries=1)

    with LoopbackEndpoint(reply) as endpoint:
        asyncio.run(ask(endpoint.base_url))
    return len(sent[-1]), estimate_tokens(json.dumps(good))


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    types = ten_types()
    for count in (1, 3, 10):
        (together,) = asked(types[:count], [])
        alone = sum(len(asked([kind], [])[0]) for kind in types[:count])
        print(
            f"{count:>2} types in one call: {len(together):>7,} bytes, about {estimate_tokens(together.decode()):>6,} tokens, "
            f"{prefix_share(types[:count]):.1%} of it prefix; a call for each type: {alone:>7,} bytes, {alone / len(together):.2f} times"
        )
    ours, our_tokens, our_prefix = repaired_by_us()
    theirs, their_tokens = repaired_by_instructor()
    print(f"one bad item in ten: {ours:,} bytes sent against {theirs:,}; {our_prefix:.0%} of ours is a prefix that providers cache")
    print(f"one bad item in ten: about {our_tokens:,} tokens generated against {their_tokens:,}")
    reached = [
        at_most("tokens generated to repair 1 item in 10, beside a whole re-ask", our_tokens / their_tokens, GENERATED, " x"),
        at_most("bytes sent to repair 1 item in 10, beside a whole re-ask", ours / theirs, SENT, " x"),
    ]
    return int(not all(reached))


if __name__ == "__main__":
    sys.exit(main())
