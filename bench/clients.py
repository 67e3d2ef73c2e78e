"""What is compared, each in a process of its own: `python bench/clients.py NAME FOLDER BASE_URL WORKERS` prints one JSON object.

- `extractor`: `extractor run` as a user types it: reading, prompt, client, judging, ledger and `facts.jsonl`.
- `openai`: `chat.completions.create` with the very body that `extractor` sends, under a semaphore; nothing is made of the answer.
- `instructor`: its default use, tools and a `response_model` of the same three lists, with the same texts; nothing is grounded or kept.
"""

import asyncio
import contextlib
import io
import json
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from extractor.runs.folder import RunOptions, requests
from extractor.settings import resolve

MODEL = "bench"


def run_extractor(folder: str, base_url: str, workers: int) -> int:
    """The command itself, into a new run folder."""
    from extractor.cli import main

    with tempfile.TemporaryDirectory(prefix="extractor-bench-") as out:
        arguments = ["run", folder, "--out", out, "--base-url", base_url, "--model", MODEL, "--concurrency", str(workers), "--quiet"]
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = main(arguments)
        if code:
            raise SystemExit(f"exit {code}: {said.getvalue()[-500:]}")
        with (Path(out) / "facts.jsonl").open("rb") as file:
            return sum(1 for _ in file)


def run_openai(folder: str, base_url: str, workers: int) -> int:
    """The SDK alone."""
    import openai

    async def one(client: openai.AsyncOpenAI, body: dict[str, Any]) -> int:
        completion = await client.chat.completions.create(**body)
        said = json.loads(completion.choices[0].message.content or "{}")
        return sum(len(items) for items in said.values())

    async def all_of_them() -> int:
        async with openai.AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0) as client:
            return await _bounded(_bodies(folder, base_url), lambda body: one(client, body), workers)

    return asyncio.run(all_of_them())


def run_instructor(folder: str, base_url: str, workers: int) -> int:
    """Instructor as its front page shows it."""
    import instructor
    import openai
    from pydantic import create_model

    from extractor.facts import catalog

    types = catalog.load(())
    facts = create_model("Facts", **{name: (list[fact_type], ...) for name, fact_type in types.items()})  # type: ignore[call-overload]

    async def one(client: Any, body: dict[str, Any]) -> int:
        found = await client.chat.completions.create(model=MODEL, messages=body["messages"], response_model=facts)
        return sum(len(getattr(found, name)) for name in types)

    async def all_of_them() -> int:
        async with openai.AsyncOpenAI(api_key="none", base_url=base_url) as sdk:
            client = instructor.from_openai(sdk)
            return await _bounded(_bodies(folder, base_url), lambda body: one(client, body), workers)

    return asyncio.run(all_of_them())


async def _bounded(bodies: Iterator[dict[str, Any]], ask: Callable[[dict[str, Any]], Awaitable[int]], workers: int) -> int:
    free, found = asyncio.Semaphore(workers), list[int]()

    async def one(body: dict[str, Any]) -> None:
        try:
            found.append(await ask(body))
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        for body in bodies:
            await free.acquire()
            group.create_task(one(body))
    return sum(found)


def _bodies(folder: str, base_url: str) -> Iterator[dict[str, Any]]:
    """The bodies that the command would send; made before the clock starts, since the SDK's users have theirs anyhow."""
    made = [request.body for request in requests(RunOptions(paths=(folder,)), resolve(base_url=base_url, model=MODEL))]
    return iter(made)


CLIENTS: dict[str, Callable[[str, str, int], int]] = {"extractor": run_extractor, "openai": run_openai, "instructor": run_instructor}


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    name, given_folder, given_url, given_workers = sys.argv[1:]
    count = CLIENTS[name](given_folder, given_url, int(given_workers))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"facts": count, "cpu_s": _used_s(), "peak_mb": peak_mb}))
