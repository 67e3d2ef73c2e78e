"""`make bench`: run every measurement, one after another, and write `docs/performance.md` out of what they print.

    python bench/report.py [--quick] [--only NAME ...]

Every measurement is a script of its own that prints its table, then a line for each target, and ends with 1 where one is missed. What
was printed is kept in `bench/results`, so that some can be measured again (`--only`) and the page written anew. Quick runs are for
looking, not for the page.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from targets import LINE

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
INTRODUCTION = """Measured by `make bench`, which takes about an hour on two cores; `make bench QUICK=1` takes minutes and writes nothing.
All endpoints are on loopback, in a process of their own; peers run in environments of their own, in turn with this project. The machine was
shared: ratios hold, absolute times do not."""
PACKAGES = ("openai", "instructor", "pydantic", "tenacity", "vcrpy")


class Bench(NamedTuple):
    """One measurement."""

    title: str
    full: tuple[str, ...]
    """Arguments of the whole measurement."""
    quick: tuple[str, ...]
    """Arguments of one that takes seconds."""


BENCHES = {
    "startup": Bench("Start-up", (), ("--rounds", "3")),
    "grounding": Bench("Grounding beside langextract", (), ("--rounds", "3")),
    "tokens": Bench("Tokens, and what a repair costs", (), ()),
    "throughput": Bench(
        "Throughput and CPU beside the peers", ("--rounds", "2"), ("--articles", "300", "--rounds", "1", "--workers", "32")
    ),
    "replay": Bench("Replay, ledger and export", (), ("--interactions", "10", "500", "--articles", "300")),
    "scale": Bench("Growth from 1,000 to 100,000 articles", (), ("--counts", "500", "1000", "2000")),
    "resume": Bench("A second run over unchanged articles", (), ("--articles", "3000")),
    "kill": Bench("Kills", ("--quiet",), ("--kills", "5")),
    "review": Bench("The review page with 10,000 facts", (), ()),
    "cpu_client": Bench("CPU of one call, part by part", (), ("--rounds", "2")),
}


def measure(name: str, bench: Bench, *, quick: bool) -> None:
    """Run one and keep what it prints, under the command that prints it again."""
    arguments = bench.quick if quick else bench.full
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    print(f"== {bench.title}", flush=True)
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    lines = [f"$ {' '.join(('python', f'bench/{name}.py', *arguments))}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    if process.returncode not in (0, 1):
        raise SystemExit(f"bench/{name}.py ended with {process.returncode}")
    lines.append(f"took {time.monotonic() - began:.0f} s, {datetime.now(UTC):%Y-%m-%d}")
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def page() -> str:
    """The page, out of what is kept."""
    kept = {name: path.read_text(encoding="utf-8").splitlines() for name in BENCHES if (path := RESULTS / f"{name}.txt").exists()}
    targets = [line.removeprefix(LINE) for lines in kept.values() for line in lines if line.startswith(LINE)]
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    parts = [
        "# Performance",
        "<!-- written by bench/report.py: run `make bench` -->",
        INTRODUCTION,
        f"Python {platform.python_version()}, {versions}; peers as pinned in `bench/peers`.",
        "| what | target | measured | |\n|---|---|---|---|\n" + "\n".join(f"| {target} |" for target in targets),
        (HERE / "notes.md").read_text(encoding="utf-8").strip(),
    ]
    for name, lines in kept.items():
        parts += [f"## {BENCHES[name].title}", "```text\n" + "\n".join(line for line in lines if not line.startswith(LINE)) + "\n```"]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Measure, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="seconds for each instead of minutes; writes nothing")
    parser.add_argument("--only", nargs="*", choices=list(BENCHES), default=list(BENCHES), help="none: write the page anew")
    given = parser.parse_args()
    for name in given.only:
        measure(name, BENCHES[name], quick=given.quick)
    if not given.quick:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
