"""Start-up: the CPU of whole commands beside `python -c "import click"`, interleaved; `--help` costs at most 1.6 times that."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from targets import at_most

TARGET = 1.6
ROOT = Path(__file__).parent.parent
EXTRACTOR = [sys.executable, "-m", "extractor"]
DEMO = [str(ROOT / "examples/articles/tank-swap.txt"), "--replay", str(ROOT / "cassettes/demo"), "--quiet"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""As a user's: without that variable Python compiles every module once, not at each start."""
HEAVY = ("openai", "instructor", "vcr", "trafilatura", "pyarrow")


def commands(place: str) -> dict[str, list[str]]:
    """What is measured, by name; the run folder of the first replay is looked at by the others."""
    subprocess.run([*EXTRACTOR, "run", *DEMO, "--out", f"{place}/run"], check=True, capture_output=True, env=ENVIRONMENT)
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import click": [sys.executable, "-c", "import click"],
        "import extractor": [sys.executable, "-c", "import extractor"],
        "from extractor import Extractor": [sys.executable, "-c", "from extractor import Extractor"],
        "extractor --help": [*EXTRACTOR, "--help"],
        "extractor schemas": [*EXTRACTOR, "schemas"],
        "extractor status": [*EXTRACTOR, "status", f"{place}/run"],
        "extractor show": [*EXTRACTOR, "show", f"{place}/run"],
        "extractor run, nothing new": [*EXTRACTOR, "run", *DEMO, "--out", f"{place}/run"],
        "extractor run, one article replayed": [
            "sh",
            "-c",
            f"rm -rf {place}/new; {' '.join([*EXTRACTOR, 'run', *DEMO])} --out {place}/new",
        ],
    }


def used(command: list[str]) -> float:
    """User and system seconds of one run of `command`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported(command: list[str]) -> list[str]:
    """Which of the heavy packages a command imports."""
    said = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]], check=True, capture_output=True, text=True, env=ENVIRONMENT
    ).stderr
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.splitlines() if line.startswith("import time:")}
    return sorted(names & set(HEAVY))


def main() -> int:
    """Print medians and ratios; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="extractor-bench-") as place:
        measured = commands(place)
        for command in measured.values():
            used(command)  # compiles, and fills the disk cache
        times: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(given.rounds):
            for name, command in measured.items():
                times[name].append(used(command))
        heavy = {name: imported(command) for name, command in measured.items() if command[0] == sys.executable}
    click = statistics.median(times["import click"])
    found = {name: (1000 * statistics.median(taken), statistics.median(taken) / click) for name, taken in times.items()}
    for name, (cpu_ms, clicks) in found.items():
        print(f"{name:<36} {cpu_ms:7.1f} ms CPU  {clicks:5.2f} x import click  {', '.join(heavy.get(name, ()))}")
    vendors = sum(name in ("openai", "instructor") for looking in ("extractor status", "extractor show") for name in heavy[looking])
    reached = [
        at_most("CPU of `extractor --help`, beside `import click`", found["extractor --help"][1], TARGET, " x"),
        at_most("SDKs that `status` and `show` import", vendors, 0),
    ]
    return int(not all(reached))


if __name__ == "__main__":
    sys.exit(main())
