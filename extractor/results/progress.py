"""How far a run is, on stderr: one line that moves on a terminal, plain lines otherwise.

In: reports. Out: text. Floor: results.
"""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from extractor.evidence.outcome import Outcome
from extractor.results.show import counted
from extractor.runs.run import RunReport, Unreadable

_PLAIN_SECONDS = 5.0  # between two plain lines: a log of an evening's run stays readable


class Progress:
    """Told after each article; shows rate, facts, failures and cost. Failures are named once, as they happen."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True) if self._console.is_terminal and not quiet else None
        self._quiet = quiet
        self._started = time.monotonic()
        self._last_line = self._started
        self._told = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, report: RunReport, what: Outcome | Unreadable | None) -> None:
        """Show the report so far; say what failed."""
        if isinstance(what, Unreadable):
            self.say(f"unreadable {what.path}: {what.reason}")
        elif what is not None and what.status != "complete":
            self.say(f"{what.status} {what.article.id}: {what.reason}")
        now = time.monotonic()
        if self._live:
            self._live.update(Text(self._line(report, now)))
        elif not self._quiet and now - self._last_line >= _PLAIN_SECONDS:
            self._last_line, self._told = now, self._line(report, now)
            self.say(self._told)

    def end(self, report: RunReport) -> None:
        """Say what the run came to."""
        if self._live:
            self._live.stop()
        if not self._quiet:
            if self._line(report, self._last_line) != self._told:  # the line of the last article says it all already
                self.say(self._line(report, time.monotonic()))
            if report.partial or report.failed or report.unchanged_incomplete:
                self.say("With --retry-failed the same command asks what failed again.")

    def _line(self, report: RunReport, now: float) -> str:
        seconds = max(now - self._started, 1e-9)
        parts = [f"{counted(report.done, 'article')} ({report.done / seconds:.1f}/s)"]
        if unchanged := report.unchanged - report.unchanged_incomplete:
            parts.append(f"{unchanged} unchanged")
        parts += [f"{count} {name}" for name in ("replaced", "partial", "failed", "unreadable") if (count := getattr(report, name))]
        if report.unchanged_incomplete:
            parts.append(f"{report.unchanged_incomplete} failed or partial before")
        if report.misses:
            parts.append(counted(report.misses, "miss", "misses"))
        facts = counted(report.kept + report.repaired, "new fact" if report.unchanged else "fact")
        parts.append(f"{facts} ({report.repaired} repaired, {report.quarantined} quarantined)")
        parts.append(counted(report.usage.attempts, "request"))
        if report.usage.attempts:
            parts.append("unpriced" if report.cost_usd is None else f"${report.cost_usd:.4f}")
        return ", ".join(parts)

    def say(self, line: str) -> None:
        """One line for people, above the moving one where there is one."""
        if self._live:
            self._console.print(line, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - a log line, whole whatever the width
