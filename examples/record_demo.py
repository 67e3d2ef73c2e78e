"""Record the demos' cassettes: the real client against a loopback server that serves the reference answers beside the articles.

No model stands behind them: they exercise the pipeline, planted mistakes included, and measure nothing but it.
`make cassettes` runs this; `cassettes/demo` and `cassettes/sanctions` are replaced.
"""

import json
import re
import shutil
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from extractor.runs.folder import RunOptions, run
from extractor.settings import Settings
from extractor.testing import Answer, LoopbackEndpoint

HERE = Path(__file__).resolve().parent
CASSETTES = HERE.parent / "cassettes"
DEMOS = {"demo": (HERE, ()), "sanctions": (HERE / "sanctions", (f"{HERE / 'sanctions' / 'sanction.py'}:Sanction",))}
"""By folder of cassettes: where `articles/` and `reference_answers/` stand, and the fact types asked for (none: the three that ship)."""
MODEL = "reference-answers"
"""Stands in the requests, the cassettes and every exported row: nobody shall take these answers for a model's."""

_MIN_PARAGRAPH_CHARS = 40  # a shorter one may stand in two articles


class ReferenceAnswers:
    """Answers each request with the reference answer of the article whose paragraphs it holds, in the order asked.

    Args:
        folder: Where `articles/` and `reference_answers/` stand.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._repairs: Counter[str] = Counter()
        self._answers: dict[str, list[Any]] = {}
        self._parts: dict[str, int] = {}
        self._paragraphs: dict[str, list[str]] = {}
        for path in sorted((folder / "reference_answers").glob("*.json")):
            reference = json.loads(path.read_text(encoding="utf-8"))
            self._answers[path.stem] = reference["answers"]
            self._parts[path.stem] = len(reference.get("parts", [None]))
            text = (folder / "articles" / f"{path.stem}.txt").read_text(encoding="utf-8")
            self._paragraphs[path.stem] = [part for part in text.split("\n\n")[1:] if len(part) >= _MIN_PARAGRAPH_CHARS]

    def __call__(self, request: dict[str, Any]) -> Answer:
        """The next answer for the article that the request is about."""
        system, user = (str(message["content"]) for message in request["messages"])
        article = max(self._paragraphs, key=lambda name: sum(part.strip() in user for part in self._paragraphs[name]))
        answers = self._answers[article]
        if system.startswith("You correct"):
            with self._lock:
                place = self._parts[article] + self._repairs[article]
                self._repairs[article] += 1
        else:
            part = re.search(r"This is part (\d+) of", user)
            place = int(part.group(1)) - 1 if part else 0
        if place >= len(answers):
            raise IndexError(f"{article}: no reference answer number {place + 1}; asked: {user[-2000:]}")
        answer = answers[place]
        return str(answer["raw"]) if "raw" in answer else answer


def main() -> int:
    """Record all; gives the gravest exit code."""
    return max(record(name) for name in DEMOS)


def record(name: str) -> int:
    """Record one demo; gives the run's exit code."""
    folder, fact_types = DEMOS[name]
    cassettes = CASSETTES / name
    shutil.rmtree(cassettes, ignore_errors=True)
    with LoopbackEndpoint(ReferenceAnswers(folder)) as endpoint, tempfile.TemporaryDirectory() as out:
        options = RunOptions(paths=(str(folder / "articles"),), fact_types=fact_types, out=Path(out), record=cassettes)
        # one article at a time: the order of answers is the order of the files
        report = run(options, Settings(model=MODEL, base_url=endpoint.base_url, concurrency=1))
    print(f"{report.complete} articles, {report.kept} kept, {report.repaired} repaired, {report.quarantined} quarantined → {name}/")
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
