"""Scale: the peak memory of a long run is at most 1.3 times that of a short one, and an article costs no more time in it.

Each run is a process of its own, in which peak memory and CPU time are measured. A function answers there in the place of HTTP, so that
100,000 articles take minutes; with `--http` a real endpoint does, in this process.
"""

import argparse
import asyncio
import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kill import Endpoint, write_articles
from resume import TYPES, first_run
from targets import at_most

from extractor.runs import folder as folders
from extractor.settings import resolve

COUNTS = 1_000, 10_000, 100_000
MEMORY_TARGET = 1.3
TIME_TARGET = 1.1
CONCURRENCY = 32


def one_run(folder: Path, base_url: str | None) -> None:
    """What is measured, in a process of its own: prints one JSON object."""
    began, cpu = time.monotonic(), time.process_time()
    if base_url:
        options = folders.RunOptions(paths=(str(folder / "articles"),), out=folder / "out", fact_types=TYPES)
        report = folders.run(options, resolve(base_url=base_url, concurrency=CONCURRENCY))
    else:
        report = asyncio.run(first_run(folder / "articles", folder / "out"))
    taken = {"wall_s": time.monotonic() - began, "cpu_s": time.process_time() - cpu}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"exit_code": report.exit_code, "complete": report.complete, "facts": report.kept, "peak_mb": peak_mb, **taken}))


def measured(count: int, base_url: str | None) -> dict[str, float]:
    """One run over `count` new articles."""
    with tempfile.TemporaryDirectory(prefix="extractor-scale-") as made:
        folder = Path(made)
        write_articles(folder / "articles", count)
        command = [sys.executable, __file__, "--one", made, *(["--base-url", base_url] if base_url else [])]
        found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        found["ledger_mb"] = sum(path.stat().st_size for path in (folder / "out").iterdir()) / 1e6
    if found["complete"] != count:
        raise AssertionError(f"{found['complete']} of {count} articles are complete")
    return found


def main() -> int:
    """Print what the runs took; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="articles of each run, three or more, the shortest first")
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_run(options.one, options.base_url)
        return 0
    endpoint = Endpoint(random.randrange(1 << 30), latency_s=(0.0, 0.0))
    runs: list[dict[str, float]] = []
    with endpoint.server:
        for count in options.counts:
            one = measured(count, endpoint.server.base_url if options.http else None)
            runs.append({"count": count, **one})
            print(
                f"{count:>8,} articles: exit {one['exit_code']}, peak {one['peak_mb']:6.1f} MB, {count / one['wall_s']:6.0f} articles/s, "
                f"{1000 * one['cpu_s'] / count:5.2f} ms of CPU each, run folder {one['ledger_mb']:.1f} MB",
                flush=True,
            )
    memory = runs[-1]["peak_mb"] / runs[0]["peak_mb"]
    # of the articles that a longer run has more than the next shorter one: what starting costs is in both
    more = [
        1000 * (longer["cpu_s"] - shorter["cpu_s"]) / (longer["count"] - shorter["count"]) for shorter, longer in itertools.pairwise(runs)
    ]
    growth = more[-1] / more[0]
    print(f"one article more: {' then '.join(f'{each:.2f} ms' for each in more)} of CPU")
    shortest, longest = options.counts[0], options.counts[-1]
    reached = [
        at_most(f"peak memory of {longest:,} articles, beside {shortest:,}", memory, MEMORY_TARGET, " x"),
        at_most(f"CPU of one article more near {longest:,}, beside near {shortest:,}", growth, TIME_TARGET, " x"),
    ]
    return int(not all(reached))


if __name__ == "__main__":
    sys.exit(main())
