"""Grounding: 30 quotes in any order in an article of 3,000 and of 30,000 characters, exact and in other typography and case.

Targets: at most 2 ms and 10 ms for the whole of it, index included, and 30 of 30 in the right place.
"""

import random
import statistics
import sys
import time

from extractor.evidence.ground import Ground

ROUNDS = 25
QUOTES = 30
TARGETS_MS = {3_000: 2.0, 30_000: 10.0}
WORDS = "the ministry said that tanks shells and drones would arrive from Oslo before winter".split()  # noqa: SIM905 - read as a line


def article(size: int, seed: int) -> tuple[str, list[tuple[int, int]]]:
    """A text of about `size` code points in paragraphs, and the places of sentences that occur once."""
    chance = random.Random(seed)
    text, places = "", []
    while len(text) < size:
        sentence = " ".join(chance.choices(WORDS, k=12)) + f" “number {len(places)}” – {chance.randint(10, 99)} in all."
        places.append((len(text), len(text) + len(sentence)))
        text += sentence + chance.choice([" ", " ", "\n\n"])
    return text, places


def disguised(quote: str) -> str:
    """The same words with other quote marks, dashes, white space and case."""
    return quote.replace("“", '"').replace("”", '"').replace("–", "-").replace(" ", "  ", 3).upper()


def main() -> int:
    """Print medians; 1 when a target is missed."""
    failed = False
    for size, target in TARGETS_MS.items():
        text, places = article(size, seed=size)
        chosen = random.Random(7).choices(places, k=QUOTES)
        for kind, change in (("exact", str), ("typography and case", disguised)):
            quotes = [change(text[start:end]) for start, end in chosen]
            taken = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                ground = Ground(text)
                found = [ground.find(quote) for quote in quotes]
                taken.append((time.perf_counter() - began) * 1000)
            right = sum(
                (start, end) in [(span.start, span.end) for span in spans] for (start, end), spans in zip(chosen, found, strict=True)
            )
            median = statistics.median(taken)
            missed = median > target or right < QUOTES
            failed |= missed
            verdict = "  MISSED" if missed else ""
            print(f"{len(text):>7} chars, {kind:<20} {median:6.2f} ms (target {target:g}), {right}/{QUOTES} right{verdict}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
