"""Kills: SIGKILL at random moments of a run, resumed each time; nothing may be lost, doubled or asked in vain.

The endpoint lives here and counts; each run is a process of its own. After every kill the run folder is opened, as a resume would, and
compared with what has been answered. `python bench/kill.py` makes 50 kills over 500 articles at concurrency 32.
"""

import argparse
import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from targets import at_most

from extractor.runs.ledger import FACTS_NAME, LEDGER_NAME, Ledger
from extractor.testing import LoopbackEndpoint, Raw, completion

CONCURRENCY = 32
LATENCY_S = 0.02, 0.2
"""Of an answer, at random between these: with 32 in flight a run takes some seconds, so that kills find it at work."""
STUCK_S = 120.0
IDLE_S = 2.5
"""Of every fifth kill, the longest time from the start, whatever has been answered by then: it may hit the start or the end."""

_SENTENCE = re.compile(r"Norway will give ([0-9]+) tanks to Ukraine")
_NUMBER = re.compile(r"report ([0-9]+)")


class Found(NamedTuple):
    """The facts of one article: what the ledger and `facts.jsonl` must hold."""

    status: str
    counts: tuple[int, ...]


def article_id(number: int) -> str:
    """The file that article `number` stands in."""
    return f"a{number:06}.txt"


def counts_of(number: int) -> tuple[int, ...]:
    """How many tanks each fact of article `number` tells of: none, one or two facts."""
    return tuple(1000 * place + number for place in range(1, number % 3 + 1))


def write_articles(folder: Path, count: int) -> Path:
    """Articles of one small paragraph per fact, of their own numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        facts = "\n\n".join(f"Norway will give {tanks} tanks to Ukraine, report {number} said." for tanks in counts_of(number))
        text = f"date 2026-03-04 The report {number}\n\nNothing else was in report {number}.\n\n{facts}\n"
        (folder / article_id(number)).write_text(text, encoding="utf-8")
    return folder


def transfer(quote: str, tanks: int) -> dict[str, Any]:
    """A right answer about one sentence."""
    return {
        "evidence": [quote],
        "attribution": {"speaker": None, "relayed_by": None, "certainty": "asserted"},
        "is_background": False,
        "suppliers": [{"name": "Norway", "kind": "state", "on_behalf_of": None}],
        "recipients": [{"name": "Ukraine", "kind": "state", "on_behalf_of": None}],
        "payers": [],
        "designation": "tanks",
        "category": "armoured_vehicle",
        "quantity": {"as_written": f"{tanks} tanks", "minimum": tanks, "maximum": tanks, "approximate": False, "unit": "tanks"},
        "quantity_delivered": None,
        "transfer_type": "unspecified",
        "status": "pledged",
        "price": None,
        "announced": None,
        "delivery_due": None,
        "delivered_on": None,
    }


def answer_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of the article in `request`."""
    text = request["messages"][-1]["content"]
    return {"weapons_transfer": [transfer(found.group(), int(found[1])) for found in _SENTENCE.finditer(text)]}


def number_of(request: Mapping[str, Any]) -> int:
    """Which article `request` asks about."""
    found = _NUMBER.search(request["messages"][-1]["content"])
    if found is None:
        raise ValueError("the request holds no report's number")
    return int(found[1])


class Endpoint:
    """What answers the runs: late by chance, counting, and the same address for all of them."""

    def __init__(self, seed: int, latency_s: tuple[float, float] = LATENCY_S) -> None:
        self.asked: Counter[int] = Counter()
        """Requests by article."""
        self.latency_s = latency_s
        self._random = random.Random(seed)
        self._guard = threading.Lock()
        self.server = LoopbackEndpoint(self._answer)

    @property
    def requests(self) -> int:
        """So far."""
        with self._guard:
            return self.asked.total()

    def _answer(self, request: dict[str, Any]) -> Raw:
        with self._guard:
            self.asked[number_of(request)] += 1
            delay_s = self._random.uniform(*self.latency_s)
        return Raw(completion(request, answer_of(request)), delay_s=delay_s)


class Trial:
    """One run folder over `count` articles, and what must hold of it whenever no run is on."""

    def __init__(self, folder: Path, count: int, endpoint: Endpoint) -> None:
        self.articles = write_articles(folder / "articles", count)
        self.out = folder / "out"
        self.count = count
        self.endpoint = endpoint
        self.done: set[int] = set()
        """Articles with an outcome, when last looked."""
        self._asked_when_done: dict[int, int] = {}

    def start(self, *options: str) -> "subprocess.Popen[str]":
        """The command, in a process of its own."""
        command = [sys.executable, "-m", "extractor", "run", str(self.articles), "--out", str(self.out), "--schema", "weapons_transfer"]
        command += ["--base-url", self.endpoint.server.base_url, "--concurrency", str(CONCURRENCY), "--quiet", *options]
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def finish(self) -> int:
        """Run to the end; its exit code."""
        with self.start() as process:
            _, said = process.communicate(timeout=STUCK_S)
        if process.returncode:
            print(said, file=sys.stderr)
        return process.returncode

    def check(self, *, whole: bool = False) -> None:
        """Compare the folder with what must be in it.

        Args:
            whole: Every article must have an outcome.

        Raises:
            AssertionError: Something is lost, doubled, out of step or asked in vain.
        """
        if not (self.out / LEDGER_NAME).exists():
            return
        with Ledger(self.out) as ledger:  # as a resume does: it mends what the kill tore
            outcomes = [(row["id"], row["status"]) for row in ledger.articles()]
            rows = list(ledger.rows())
        lines = (self.out / FACTS_NAME).read_text(encoding="utf-8").splitlines()
        done = {int(name[1:-4]) for name, _ in outcomes}
        _require(len(outcomes) == len(done), "an article has two outcomes")
        _require(all(status == "complete" for _, status in outcomes), "an article failed")
        _require(self.done <= done, f"an outcome is lost: {sorted(self.done - done)}")
        _require(not whole or done == set(range(self.count)), f"no outcome for {sorted(set(range(self.count)) - done)}")
        _require([json.loads(line) for line in lines] == rows, "facts.jsonl is not what the ledger has")
        told = sorted((row["article_id"], row["value"]["quantity"]["minimum"]) for row in rows)
        expected = sorted((article_id(number), tanks) for number in done for tanks in counts_of(number))
        _require(told == expected, "a fact is lost or doubled")
        again = [number for number in self.done if self.endpoint.asked[number] > self._asked_when_done[number]]
        _require(not again, f"articles with an outcome were asked again: {again}")
        twice = self._answered_twice()
        _require(not twice, f"a stored answer was paid for again: {twice}")
        self.done = done
        self._asked_when_done = {number: self.endpoint.asked[number] for number in done}

    def _answered_twice(self) -> list[str]:
        db = sqlite3.connect(self.out / LEDGER_NAME)
        try:
            return [
                key for (key,) in db.execute("SELECT article_id FROM attempts WHERE outcome = 'ok' GROUP BY article_id HAVING COUNT(*) > 1")
            ]
        finally:
            db.close()


def _require(holds: bool, why: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise AssertionError(why)


def kill_at_random(trial: Trial, kills: int, seed: int, tell: Callable[[str], None] = lambda _: None) -> int:
    """Start the run and kill it, `kills` times, with a check after each; the number of runs that were killed before their end.

    Most kills come a little after a random number of requests, drawn so that all of them fall into the run; every fifth comes at a
    random time from the start.
    """
    chance = random.Random(seed)
    killed = 0
    for left in range(kills, 0, -1):
        before = trial.endpoint.requests
        ahead = chance.uniform(1, CONCURRENCY + 2 * (trial.count - len(trial.done)) / left)
        until = time.monotonic() + (chance.uniform(0, IDLE_S) if left % 5 == 0 else STUCK_S)
        process = trial.start()
        while process.poll() is None and trial.endpoint.requests < before + ahead and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        trial.check()
        tell(f"kill {kills - left + 1}: exit {process.returncode}, {len(trial.done)} articles done, {trial.endpoint.requests} requests")
    return killed


def main() -> int:
    """Kill, resume, compare, print; 1 when something is lost, doubled or asked too often."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    endpoint = Endpoint(options.seed)
    with tempfile.TemporaryDirectory(prefix="extractor-kill-") as folder, endpoint.server:
        trial = Trial(Path(folder), options.articles, endpoint)
        try:
            killed = kill_at_random(trial, options.kills, options.seed, (lambda _: None) if options.quiet else print)
            code = trial.finish()
            trial.check(whole=True)
        except AssertionError as broken:
            print(f"seed {options.seed}: BROKEN: {broken}")
            return 1
        allowed = options.articles + options.kills * CONCURRENCY
        print(
            f"seed {options.seed}: {killed} of {options.kills} kills before the end, the last run ended with {code}: "
            f"{options.articles} articles with one outcome each, no fact lost or doubled, {endpoint.requests} requests of {allowed} allowed"
        )
        what = f"requests for {options.articles} articles, {options.kills} kills and {CONCURRENCY} in flight"
        return int(not at_most(what, endpoint.requests, allowed) or code != 0)


if __name__ == "__main__":
    sys.exit(main())
