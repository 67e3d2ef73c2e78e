"""Throughput and CPU: 1,000 articles against an endpoint that takes 200 ms, beside the bare SDK, instructor, langextract and DELM.

What is timed is first request to last answer, as the endpoint saw it, so that nobody's start-up counts; the ideal is the latency alone,
`ceil(articles / workers)` waves of it. CPU for each article is the slope between a small and a large run of each client, so that imports
do not count either. Clients are run in turn, round after round, and compared by the medians of their ratios within a round.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from corpus import write
from endpoint import Endpoint
from peers_setup import peer_python

HERE = Path(__file__).parent
FIXED, LOGNORMAL = "fixed:0.2", "lognormal:0.2,0.6"
"""Of an answer. The second has its median at 200 ms, its mean at 240 ms, and one in a hundred over 800 ms."""
STYLES = {"extractor": "facts", "openai": "facts", "instructor": "tools", "langextract": "quotes", "delm": "flat"}
FACTS = 5
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
    if stats["requests"] != count or (said["facts"] != FACTS * count and client != "delm"):
        raise RuntimeError(f"{client}: {stats['requests']} requests and {said['facts']} facts for {count} articles")
    return Taken(stats["seconds"], said["cpu_s"], said["peak_mb"], int(stats["most"]))


def ideal_s(latency: str, count: int, workers: int) -> float:
    """Seconds that the latency alone takes; for a fixed one, in whole waves."""
    value = float(latency.partition(":")[2].split(",")[0])
    return value * math.ceil(count / workers)


def main() -> int:
    """Print the table, and write the figures as JSON where asked; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--clients", nargs="+", default=list(STYLES), choices=list(STYLES))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="extractor-bench-") as made:
        large, small = write(Path(made) / "large", given.articles), write(Path(made) / "small", SMALL)
        for latency in (FIXED, LOGNORMAL):
            for workers in given.workers:
                with Endpoint(latency, given.articles) as endpoint:
                    taken: dict[str, list[Taken]] = {client: [] for client in given.clients}
                    for _ in range(given.rounds):
                        for client in given.clients:
                            taken[client].append(one(client, large, given.articles, endpoint, workers))
                    starts = {client: one(client, small, SMALL, endpoint, workers).cpu_s for client in given.clients}
                for client, runs in taken.items():
                    cpu = [1000 * (run.cpu_s - starts[client]) / max(1, given.articles - SMALL) for run in runs]
                    found.append(
                        {
                            "latency": latency,
                            "workers": workers,
                            "client": client,
                            "articles": given.articles,
                            "per_s": statistics.median(given.articles / run.seconds for run in runs),
                            "of_ideal": statistics.median(ideal_s(latency, given.articles, workers) / run.seconds for run in runs),
                            "extractor_times": statistics.median(
                                run.seconds / own.seconds for run, own in zip(runs, taken["extractor"], strict=True)
                            )
                            if "extractor" in taken
                            else None,
                            "cpu_ms": statistics.median(cpu),
                            "peak_mb": statistics.median(run.peak_mb for run in runs),
                            "most": max(run.most for run in runs),
                        }
                    )
                    print(_line(found[-1]), flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def _line(row: dict[str, object]) -> str:
    return (
        f"{row['latency']!s:<18} {row['workers']:>4} in flight  {row['client']!s:<12} {row['per_s']:7.1f} articles/s "
        f"{row['of_ideal']:5.2f} of ideal  extractor is {row['extractor_times'] or 0:5.2f} x as fast  "
        f"{row['cpu_ms']:6.2f} ms CPU each  {row['peak_mb']:5.0f} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
