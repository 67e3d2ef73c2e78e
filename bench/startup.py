"""Start-up: the CPU of `extractor --help` beside `python -c "import click"`, interleaved; the target is a ratio of at most 1.6."""

import resource
import statistics
import subprocess
import sys

ROUNDS = 15
TARGET = 1.6
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import click": [sys.executable, "-c", "import click"],
    "extractor --help": [sys.executable, "-m", "extractor", "--help"],
    "extractor schemas": [sys.executable, "-m", "extractor", "schemas"],
}


def cpu_s(command: list[str]) -> float:
    """User and system seconds of one run of `command`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Print medians and ratios; 1 when the target is missed."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            times[name].append(cpu_s(command))
    click = statistics.median(times["import click"])
    for name, taken in times.items():
        print(f"{name:<20} {statistics.median(taken) * 1000:7.1f} ms CPU   {statistics.median(taken) / click:5.2f} x import click")
    reached = statistics.median(times["extractor --help"]) / click <= TARGET
    print(f"target: extractor --help at most {TARGET} x import click: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
