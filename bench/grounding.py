"""Grounding beside langextract's aligner, in one interleaved run: the same quotes, the same articles, the same rounds.

    python bench/grounding.py [--rounds 7] [--alone]

30 quotes in articles of 3,000 and 30,000 characters; as they stand, and with other white space, quote marks and case; in the article's
order, grouped by type as a reply with one array a type has them, and shuffled. Of each quote the right place is known: `right` is exactly
that, `part` overlaps it, `wrong` lies elsewhere, `none` was not found. Times are medians of processor time for a whole article, index
included; langextract runs in a process and an environment of its own, and its imports are not counted.

Ends with 1 where a target is missed: 2 ms and 10 ms, 30 of 30 right, and 100 times langextract's speed at 30,000 characters, by
type and shuffled.
"""

import argparse
import json
import platform
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from peers_setup import PEERS, peer_python
from targets import at_least, at_most

from extractor.evidence.ground import Ground

QUOTES = 30
TARGETS_MS = {3_000: 2.0, 30_000: 10.0}
TIMES_FASTER = 100
"""At 30,000 characters, in the orders that replies have: an array for each type, or any."""

TYPES = ("weapons_transfer", "funding_source", "negotiation_proposal")
STATES = ("Norway", "Germany", "Estonia", "Kenya", "the Dutch government", "Poland", "South Korea", "Brazil", "Portugal", "Jordan")
ACTS = ("will hand over", "has ordered", "is to receive", "pays for", "asked Berlin for", "agreed to lend", "approved the sale of")
ITEMS = (
    "patrol boats",
    "Leopard 2 tanks",
    "“Gepard” anti-aircraft guns",
    "155 mm howitzers",
    "TB2 drones",
    "coastal radars",
    "field hospitals",
)
ENDS = ("the ministry said on Monday.", "two officials told reporters.", "according to a statement – without a date.", "parliament heard.")

Place = tuple[int, int]


class Case(NamedTuple):
    """One article and what is looked for in it."""

    size: int
    variant: str
    order: str
    text: str
    quotes: list[tuple[str, str]]
    """Type and quote, in the order of a reply."""
    places: list[Place]
    """Where each stands."""


class Found(NamedTuple):
    """One round over a case."""

    ms: float
    spans: list[Place | None]


def article(size: int, seed: int) -> tuple[str, list[Place]]:
    """A text of about `size` code points in paragraphs, and the places of its first clauses, each of which stands there once."""
    chance = random.Random(seed)
    text, places = "", []
    while len(text) < size:
        number = 1_000 + len(places) * 7 + chance.randrange(7)
        clause = f"{chance.choice(STATES)} {chance.choice(ACTS)} {number:,} {chance.choice(ITEMS)}"
        places.append((len(text), len(text) + len(clause)))
        text += f"{clause}, {chance.choice(ENDS)}" + chance.choice((" ", " ", " ", "\n\n"))
    return text, places


def disguised(quote: str) -> str:
    """The same words in capitals, with other quote marks and dashes, and a line break and blanks that the article does not have."""
    return quote.upper().replace("“", '"').replace("”", '"').replace(" ", "\n", 1).replace(" ", "  ", 2)


def cases() -> Iterator[Case]:
    """Every size, variant and order."""
    for size in TARGETS_MS:
        text, places = article(size, seed=size)
        chosen = sorted(random.Random(7).sample(places, QUOTES))
        for variant, change in (("exact", str), ("ws, quotes, case", disguised)):
            listed = [(TYPES[number % len(TYPES)], change(text[start:end]), (start, end)) for number, (start, end) in enumerate(chosen)]
            shuffled = random.Random(8).sample(listed, len(listed))
            for order, rows in (("article", listed), ("by type", sorted(listed, key=lambda row: row[0])), ("shuffled", shuffled)):
                yield Case(size, variant, order, text, [row[:2] for row in rows], [row[2] for row in rows])


def ours(case: Case) -> Found:
    """This project: the index is built anew each time."""
    began = time.process_time()
    ground = Ground(case.text)
    found = [ground.find(quote) for _, quote in case.quotes]
    taken = (time.process_time() - began) * 1000
    return Found(taken, [(spans[0].start, spans[0].end) if spans else None for spans in found])


@contextmanager
def langextract() -> Iterator[Callable[[Case], Found]]:
    """The peer, in a process of its own that lives as long as the block."""
    command = [peer_python("langextract"), str(PEERS / "align_langextract.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        if process.stdin is None or process.stdout is None or not process.stdout.readline():
            raise SystemExit("langextract does not start")
        send, receive = process.stdin, process.stdout

        def ask(case: Case) -> Found:
            print(json.dumps({"text": case.text, "quotes": case.quotes}), file=send, flush=True)
            answer = json.loads(receive.readline())
            return Found(answer["ms"], [tuple(span) if span else None for span in answer["spans"]])

        yield ask
        send.close()


def judged(found: Sequence[Place | None], places: Sequence[Place]) -> Counter[str]:
    """How many spans are right, partly right, wrong or missing."""

    def kind(span: Place | None, place: Place) -> str:
        if span is None:
            return "none"
        return "right" if span == place else "part" if span[0] < place[1] and place[0] < span[1] else "wrong"

    return Counter(map(kind, found, places))


def measure(case: Case, tools: dict[str, Callable[[Case], Found]], rounds: int) -> dict[str, Any]:
    """One row of the table: medians over rounds in which the tools take turns; a round before them is not counted."""
    row: dict[str, Any] = {"size": case.size, "chars": len(case.text), "variant": case.variant, "order": case.order}
    taken: dict[str, list[float]] = {name: [] for name in tools}
    for number in range(rounds + 1):
        for name, tool in tools.items():
            found = tool(case)
            row[f"{name} places"] = judged(found.spans, case.places)
            if number:
                taken[name].append(found.ms)
    return row | {f"{name} ms": statistics.median(times) for name, times in taken.items()}


def targets(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every target is reached; prints each by its worst row."""
    reached = [at_least(f"quotes in the right place, of {QUOTES}", min(row["ours places"]["right"] for row in rows), QUOTES)]
    for size, limit_ms in TARGETS_MS.items():
        slowest = max(row["ours ms"] for row in rows if row["size"] == size)
        reached.append(at_most(f"grounding {QUOTES} quotes in {size:,} characters", slowest, limit_ms, " ms"))
    ratios = [
        row["langextract ms"] / row["ours ms"]
        for row in rows
        if "langextract ms" in row and row["size"] == max(TARGETS_MS) and row["order"] != "article"
    ]
    if ratios:
        reached.append(at_least("grounding beside langextract, 30,000 characters, by type or shuffled", min(ratios), TIMES_FASTER, " x"))
    return all(reached)


def shown(places: Counter[str]) -> str:
    """Counts in one column."""
    return "/".join(str(places[kind]) for kind in ("right", "part", "wrong", "none"))


def main() -> int:
    """Print the table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--alone", action="store_true", help="without langextract")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, median of {options.rounds} rounds; places: right/part/wrong/none of {QUOTES}")
    print(f"{'chars':>6} {'variant':<17}{'order':<9}{'ours':>9} {'places':<11}{'langextract':>12} {'places':<11}{'ratio':>6}")
    rows = []
    with langextract() if not options.alone else nothing() as peer:
        tools = {"ours": ours} | ({"langextract": peer} if peer else {})
        for case in cases():
            row = measure(case, tools, options.rounds)
            rows.append(row)
            line = f"{row['chars']:>6} {case.variant:<17}{case.order:<9}{row['ours ms']:6.2f} ms {shown(row['ours places']):<11}"
            if peer:
                ratio = row["langextract ms"] / row["ours ms"]
                line += f"{row['langextract ms']:9.1f} ms {shown(row['langextract places']):<11}{ratio:5.0f}x"
            print(line, flush=True)
    return int(not targets(rows))


@contextmanager
def nothing() -> Iterator[None]:
    """No peer."""
    yield None


if __name__ == "__main__":
    sys.exit(main())
