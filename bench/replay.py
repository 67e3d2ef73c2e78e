"""Replay, memory and export: a replayed request costs the same whatever else was recorded; how fast the ledger writes and exports.

All of it in one process and in CPU time: what a replay costs is computing, not waiting.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from corpus import PUBLISHED, made
from targets import at_most

from extractor.articles.read import read_text
from extractor.evidence.validate import JUDGE_VERSION
from extractor.facts import catalog
from extractor.llm.cassette import cassettes
from extractor.llm.client import Client
from extractor.llm.modes import FIRST
from extractor.llm.salvage import read_reply
from extractor.records import Article, Attempt, Call, Usage
from extractor.results.export import export
from extractor.runs.flow import Plan, flow
from extractor.runs.ledger import Ledger, Request
from extractor.runs.rows import Provenance
from extractor.settings import Settings
from extractor.testing import LoopbackEndpoint

TARGET = 1.5
"""Of a replayed request with the most interactions, beside one with ten."""
TYPES = catalog.load(())
PLAN = Plan(TYPES, 2, 16_000)


def article(number: int) -> Article:
    """Article `number` of the corpus, as a reader gives it."""
    return read_text(made(number).text.partition("\n\n")[2], id=f"a{number:06}.txt", published=date.fromisoformat(PUBLISHED))


def first_call(number: int) -> Call:
    """What is asked first about article `number`."""
    return next(flow(article(number), PLAN))[0]


async def record(folder: Path, calls: Sequence[Call]) -> None:
    """All calls into one cassette, answered with empty arrays: what is asked weighs more than what is answered."""
    with LoopbackEndpoint(lambda _: {name: [] for name in TYPES}) as endpoint, cassettes(folder, "record") as tapes:
        async with Client(Settings(base_url=endpoint.base_url, model="bench"), TYPES, mode=FIRST) as client:
            with tapes.article("all"):
                for call in calls:
                    await client.ask(call)


async def replayed_ms(folder: Path, calls: Sequence[Call], rounds: int) -> float:
    """CPU milliseconds for each request, opening the cassette included; the median over rounds."""
    taken = []
    for _ in range(rounds):
        with cassettes(folder, "replay") as tapes:
            async with Client(Settings(base_url="http://127.0.0.1:9/v1", model="bench"), TYPES, mode=FIRST) as client:
                began = time.process_time()
                with tapes.article("all"):
                    for call in calls:
                        await client.ask(call)
                taken.append(1000 * (time.process_time() - began) / len(calls))
    return statistics.median(taken)


def remembered(folder: Path, count: int) -> tuple[float, float]:
    """Articles a second that the ledger takes, attempt, verdicts and `facts.jsonl` included; and facts a second read out of it again."""
    client = Client(Settings(base_url="http://127.0.0.1:9/v1", model="bench"), TYPES, mode=FIRST)
    provenance = Provenance("bench", "extract.v1", {})
    done = []
    for number in range(count):
        about, steps = article(number), flow(article(number), PLAN)
        call = next(steps)[0]
        text = json.dumps(made(number).answer)
        try:
            steps.send([read_reply("ok", text, call.fact_types)])
        except StopIteration as end:
            done.append((about, call, client.key(call), client.frame(call), text, end.value))
    with Ledger(folder) as ledger:
        ledger.start_run({}, {})
        began = time.perf_counter()
        for about, call, key, frame, text, outcome in done:
            attempt = Attempt(
                key=key, mode=FIRST, outcome="ok", text=text, usage=Usage(input_tokens=9_000, output_tokens=1_000, attempts=1)
            )
            ledger.attempt(call, attempt, Request(frame, "http://127.0.0.1:9/v1"))
            ledger.outcome(outcome, key=about.id, judge_version=JUDGE_VERSION, provenance=provenance)
        written = count / (time.perf_counter() - began)
    asyncio.run(client.aclose())
    began = time.perf_counter()
    with Ledger(folder, read_only=True) as ledger:
        rows = sum(1 for _ in ledger.rows())
    return written, rows / (time.perf_counter() - began)


def main() -> int:
    """Print the figures; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--articles", type=int, default=2_000, help="for ledger and export")
    given = parser.parse_args()
    replay_ms: list[float] = []
    with tempfile.TemporaryDirectory(prefix="extractor-bench-") as place:
        for count in given.interactions:
            calls = [first_call(number) for number in range(count)]
            folder = Path(place) / f"tapes-{count}"
            asyncio.run(record(folder, calls))
            replay_ms.append(asyncio.run(replayed_ms(folder, calls, rounds=max(3, min(60, 3_000 // count)))))
            print(f"{count:>7,} interactions in one cassette: {replay_ms[-1]:6.2f} ms of CPU for a replayed request")
        run_dir = Path(place) / "run"
        written, read = remembered(run_dir, given.articles)
        print(f"ledger: {written:,.0f} articles/s written, {read:,.0f} facts/s read")
        for suffix in ("jsonl", "csv", "parquet", "sqlite"):
            began = time.perf_counter()
            with Ledger(run_dir, read_only=True) as ledger:
                count = export(ledger, Path(place) / f"facts.{suffix}")
            print(f"export to {suffix:<8} {count / (time.perf_counter() - began):>9,.0f} facts/s")
    most, fewest = given.interactions[-1], given.interactions[0]
    return int(not at_most(f"a replayed request among {most:,} interactions, beside {fewest}", replay_ms[-1] / replay_ms[0], TARGET, " x"))


if __name__ == "__main__":
    sys.exit(main())
