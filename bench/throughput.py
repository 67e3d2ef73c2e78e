"""Throughput and CPU: 1,000 articles against an endpoint that takes 200 ms, beside the bare SDK, instructor, langextract and DELM.

What is timed is first request to last answer, as the endpoint saw it, so that nobody's start-up counts; the ideal is `articles / workers`
times the latency. The column `extractor` says how many times as long as `extractor` a client took. CPU for each article is the slope
between a small and a large run of each client, so that imports do not count either. Clients are run in turn, round after round, and
compared by the medians of their ratios within a round.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from corpus import write
from endpoint import Endpoint
from peers_setup import peer_python
from targets import at_least, at_most

HERE = Path(__file__).parent
FIXED, LOGNORMAL = "fixed:0.2", "lognormal:0.2,0.6"
"""Of an answer. The second has its median at 200 ms, its mean at 240 ms, and one in a hundred over 800 ms."""
STYLES = {"extractor": "facts", "openai": "facts", "instructor": "tools", "langextract": "quotes", "delm": "flat"}
FACTS = 5
IN_FLIGHT = 32
SMALL = 64


class Taken(NamedTuple):
    """What one client took."""

    seconds: float
    """First request to last answer."""
    cpu_s: float
    """Of its process, start-up included."""
    peak_mb: float
    most: int
    """Requests in flight at most."""


class Row(NamedTuple):
    """One client under one latency and bound: medians over the rounds."""

    latency: str
    workers: int
    client: str
    per_s: float
    """Articles a second."""
    of_ideal: float | None
    """Share of what the latency alone would allow; None where it varies."""
    times: float
    """How many times as long as `extractor` it took."""
    cpu_ms: float
    """For each article, start-up taken out."""
    peak_mb: float

    def __str__(self) -> str:
        ideal = f"{self.of_ideal:6.2f}" if self.of_ideal else "      "
        return (
            f"{self.latency:<18} {self.workers:>4} {self.client:<12} {self.per_s:9.1f}/s {ideal} {self.times:8.2f} x "
            f"{self.cpu_ms:8.2f} ms {self.peak_mb:6.0f} MB"
        )


def one(client: str, folder: Path, count: int, endpoint: Endpoint, workers: int) -> Taken:
    """One client over all articles of a folder; it must find every fact and ask every article once."""
    peer = client in ("langextract", "delm")
    command = (
        [peer_python(client), str(HERE / "peers" / f"run_{client}.py")] if peer else [sys.executable, str(HERE / "clients.py"), client]
    )
    endpoint.stats()
    done = subprocess.run([*command, str(folder), endpoint.url(STYLES[client]), str(workers)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{client}: {done.stderr[-2000:]}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    stats = endpoint.stats()
    if stats["requests"] != count or said["facts"] != FACTS * count:
        raise RuntimeError(f"{client}: {stats['requests']} requests and {said['facts']} facts for {count} articles")
    return Taken(stats["seconds"], said["cpu_s"], said["peak_mb"], int(stats["most"]))


def ideal_s(latency: str, count: int, workers: int) -> float | None:
    """Seconds that a fixed latency alone takes; None for another."""
    kind, _, value = latency.partition(":")
    return float(value) * count / workers if kind == "fixed" else None


def measure(latency: str, workers: int, clients: list[str], count: int, rounds: int) -> list[Row]:
    """All clients in turn, round after round, on new endpoints of one latency."""
    with tempfile.TemporaryDirectory(prefix="extractor-bench-") as made, Endpoint(latency, count) as endpoint:
        large, small = write(Path(made) / "large", count), write(Path(made) / "small", SMALL)
        taken: dict[str, list[Taken]] = {client: [] for client in clients}
        for _ in range(rounds):
            for client in clients:
                taken[client].append(one(client, large, count, endpoint, workers))
        starts = {client: one(client, small, SMALL, endpoint, workers).cpu_s for client in clients}
    ideal = ideal_s(latency, count, workers)
    return [
        Row(
            latency,
            workers,
            client,
            per_s=statistics.median(count / run.seconds for run in runs),
            of_ideal=ideal and statistics.median(ideal / run.seconds for run in runs),
            times=statistics.median(run.seconds / own.seconds for run, own in zip(runs, taken[clients[0]], strict=True)),
            cpu_ms=statistics.median(1000 * (run.cpu_s - starts[client]) / max(1, count - SMALL) for run in runs),
            peak_mb=statistics.median(run.peak_mb for run in runs),
        )
        for client, runs in taken.items()
    ]


def targets(rows: list[Row]) -> bool:
    """Whether every target is reached whose clients were measured at 32 in flight; prints each."""
    found = {(row.latency, row.client): row for row in rows if row.workers == IN_FLIGHT}
    own, reached = found.get((FIXED, "extractor")), []
    if own and own.of_ideal:
        reached.append(at_least("articles/s at 200 ms, 32 in flight, of the ideal", own.of_ideal, 0.92))
    for latency, client, limit in (
        (FIXED, "openai", 1.0),
        (FIXED, "langextract", 1.6),
        (LOGNORMAL, "openai", 0.95),
        (LOGNORMAL, "langextract", 3.0),
    ):
        if row := found.get((latency, client)):
            what = "the bare SDK" if client == "openai" else client
            kind = "200 ms" if latency == FIXED else "lognormal latency"
            reached.append(at_least(f"articles/s at {kind}, 32 in flight, beside {what}", row.times, limit, " x"))
    bare = found.get((FIXED, "openai"))
    if own and bare:
        reached.append(at_most("CPU for each article, all of the product, beside the bare SDK's call", own.cpu_ms / bare.cpu_ms, 2.0, " x"))
    return all(reached)


def main() -> int:
    """Print the table, and write the figures as JSON where asked; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--beside", nargs="*", default=list(STYLES)[1:], choices=list(STYLES)[1:], help="what else is measured")
    given = parser.parse_args()
    print(f"{'latency':<18} {'':>4} {'client':<12} {'articles':>11} {'ideal':>6} {'extractor':>10} {'CPU each':>11} {'peak':>9}")
    rows: list[Row] = []
    for latency in (FIXED, LOGNORMAL):
        for workers in given.workers:
            for row in measure(latency, workers, ["extractor", *given.beside], given.articles, given.rounds):
                rows.append(row)
                print(row, flush=True)
    return int(not targets(rows))


if __name__ == "__main__":
    sys.exit(main())
