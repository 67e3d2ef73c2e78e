"""What the client adds to a call: CPU of the bare `openai.create`, of our `Client.ask` and of a whole `aextract`, interleaved.

The endpoint is a process of its own that answers every request with the same bytes, so that its CPU is not in the figures. Each way
sends the same body; rounds alternate, and the figure is the median over rounds of CPU (user and system) for a call.

    python bench/cpu_client.py [--rounds 7] [--calls 300] [--flight 64] [--profile ask]
"""

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import pstats
import resource
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import openai
from targets import at_most

from extractor.api import Extractor
from extractor.facts import catalog
from extractor.facts.fact import Fact
from extractor.llm.client import Client
from extractor.llm.prompt import extract_prompt
from extractor.records import Article, Call
from extractor.settings import Settings
from extractor.testing import completion

MODE = "json_schema/strict"
TARGET = 2.0  # everything on (reading, prompt, client, judging, ledger) beside the bare SDK

Way = Callable[[int], Awaitable[object]]


def article_and_facts() -> tuple[Article, dict[str, list[dict[str, object]]], dict[str, type[Fact]]]:
    """An article of about 3,000 characters that begins with a worked example, and an answer that holds in it: no repair is asked for."""
    types = catalog.load(())
    name, example = next((name, kind.examples[0]) for name, kind in types.items())
    facts: dict[str, list[dict[str, object]]] = {each: [] for each in types}
    facts[name] = [fact.model_dump(mode="json") for fact in example.facts]
    text = (example.text + "\n\n" + "Nobody else spoke about it. " * 200)[:3000]
    return Article(id="a", text=text, published=example.published), facts, types


def serve(answer: bytes, port: "multiprocessing.SimpleQueue[int]") -> None:
    """An endpoint that reads requests and sends `answer`, for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
                await reader.readexactly(length)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def forever() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1024)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


def cpu_s() -> float:
    """User and system seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def burst(way: Way, calls: int, flight: int) -> float:
    """CPU seconds for a call, over `calls` of them with `flight` at a time."""
    free = asyncio.Semaphore(flight)

    async def one(number: int) -> None:
        async with free:
            await way(number)

    before = cpu_s()
    await asyncio.gather(*(one(number) for number in range(calls)))
    return (cpu_s() - before) / calls


async def measure(base_url: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """CPU seconds for a call by way, one figure a round."""
    shown, facts, types = article_and_facts()
    settings = Settings(base_url=base_url, model="some-model", concurrency=options.flight)
    sdk = openai.AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0)
    client = Client(settings, types, mode=MODE)

    def article(number: int) -> Article:
        return shown.model_copy(update={"id": f"a{number}", "text": f"{shown.text} {number}"})

    def call(number: int) -> Call:
        return Call(kind="extract", article_id=f"a{number}", fact_types=tuple(types), prompt=extract_prompt(article(number), types))

    bodies = {number: client.body(call(number)) for number in range(options.calls)}
    asked = {number: call(number) for number in range(options.calls)}
    with tempfile.TemporaryDirectory() as folder:
        whole = Extractor(list(types.values()), settings=settings)
        kept = Extractor(list(types.values()), settings=settings, ledger=Path(folder))
        ways: dict[str, Way] = {
            "openai.create": lambda number: sdk.chat.completions.create(**bodies[number]),
            "Client.ask": lambda number: client.ask(asked[number]),
            "aextract": lambda number: whole.aextract(article(number)),
            "aextract, ledger": lambda _: kept.aextract(article(next(fresh))),
        }
        fresh = iter(range(10_000_000))
        outcome = await whole.aextract(article(-1))
        if outcome.usage.attempts != 1 or len(outcome.facts) != sum(map(len, facts.values())):
            raise SystemExit(f"The article does not hold what is answered: {outcome.usage}, {outcome.quarantined}")
        if options.profile:
            await burst(ways[options.profile], 64, options.flight)
            with cProfile.Profile() as profile:
                await burst(ways[options.profile], options.calls, options.flight)
            pstats.Stats(profile).sort_stats(options.sort).print_stats(70)
            ways = {}
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            await burst(way, 64, options.flight)  # connections, caches
        for _ in range(options.rounds):
            for name, way in ways.items():
                taken[name].append(await burst(way, options.calls, options.flight))
        await asyncio.gather(asyncio.to_thread(whole.close), asyncio.to_thread(kept.close))
    await client.aclose()
    await sdk.close()
    return taken


def main() -> int:
    """Print medians and ratios; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--flight", type=int, default=64)
    parser.add_argument("--profile", metavar="WAY", help="profile this way instead")
    parser.add_argument("--sort", default="tottime", help="of the profile (default: tottime)")
    options = parser.parse_args()
    _, facts, _ = article_and_facts()
    body = json.dumps(completion({}, facts)).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    port: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
    server = multiprocessing.Process(target=serve, args=(head + body, port), daemon=True)
    server.start()
    try:
        taken = asyncio.run(measure(f"http://127.0.0.1:{port.get()}/v1", options))
    finally:
        server.terminate()
        server.join()
    if options.profile:
        return 0
    count = sum(map(len, facts.values()))
    print(f"openai {openai.__version__}; {options.rounds} rounds of {options.calls} calls, {count} facts each")
    bare = taken["openai.create"]
    ratios = {name: statistics.median(one / other for one, other in zip(each, bare, strict=True)) for name, each in taken.items()}
    for name, each in taken.items():
        print(f"{name:<28} {statistics.median(each) * 1000:6.2f} ms CPU a call   {ratios[name]:5.2f} x openai.create")
    return int(
        not at_most(
            "CPU of `aextract` with a ledger, beside the bare SDK's call with the same body", ratios["aextract, ledger"], TARGET, " x"
        )
    )


if __name__ == "__main__":
    sys.exit(main())
