"""The command, killed and interrupted: what was answered stays, and the same command goes on."""

import importlib
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from extractor.runs.ledger import LEDGER_NAME

BENCH = Path(__file__).parents[2] / "bench"
SOON_S = 20.0


@pytest.fixture(autouse=True)
def _interruptible():
    """A process that was started in the background ignores Ctrl-C, and its children with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def kill(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module("kill")


def wait_for(condition, process):
    until = time.monotonic() + SOON_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)


def stored_attempts(out):
    db = sqlite3.connect(out / LEDGER_NAME)
    try:
        return db.execute("SELECT COUNT(*) FROM attempts").fetchone()[0]
    finally:
        db.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kills_at_random_moments_lose_and_double_nothing(kill, tmp_path):
    """After each SIGKILL and at the end: one outcome per article, every fact once, the file as the ledger, and no call in vain."""
    endpoint = kill.Endpoint(seed=7)
    with endpoint.server:
        trial = kill.Trial(tmp_path, 500, endpoint)
        assert kill.kill_at_random(trial, 5, seed=7) > 0
        assert trial.finish() == 0
        trial.check(whole=True)
        assert endpoint.requests <= 500 + 5 * kill.CONCURRENCY
        before = endpoint.requests
        assert trial.finish() == 0
        assert endpoint.requests == before


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)], ids=["SIGTERM", "SIGINT"])
def test_a_signal_finishes_what_is_in_flight(kill, tmp_path, number):
    """Every request that was sent is remembered, the exit code names the signal, and the same command asks only the rest."""
    endpoint = kill.Endpoint(seed=3)
    with endpoint.server:
        trial = kill.Trial(tmp_path, 100, endpoint)
        with trial.start() as process:
            wait_for(lambda: endpoint.requests >= 40, process)
            process.send_signal(number)
            _, said = process.communicate(timeout=SOON_S)
        assert process.returncode == 128 + number
        assert number.name in said
        assert 40 <= endpoint.requests < 100
        assert stored_attempts(trial.out) == endpoint.requests
        trial.check()
        assert len(trial.done) == endpoint.requests
        assert trial.finish() == 0
        trial.check(whole=True)
    assert endpoint.requests == 100


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_second_signal_stops_at_once(kill, tmp_path, number):
    """What hangs in flight is left behind, what was answered is kept, and the same command asks the rest."""
    endpoint = kill.Endpoint(seed=3)
    with endpoint.server:
        trial = kill.Trial(tmp_path, 100, endpoint)
        with trial.start() as process:
            wait_for(lambda: endpoint.requests >= 40, process)
            endpoint.latency_s = (60.0, 60.0)
            # once so many are asked after the change, all places are taken by answers that will not come
            stuck = endpoint.requests + kill.CONCURRENCY
            wait_for(lambda: endpoint.requests >= min(stuck, 100), process)
            process.send_signal(number)
            time.sleep(0.5)
            assert process.poll() is None
            began = time.monotonic()
            process.send_signal(number)
            _, said = process.communicate(timeout=SOON_S)
        assert time.monotonic() - began < 10
        assert process.returncode == 128 + number
        assert "Traceback" not in said
        asked = endpoint.requests
        trial.check()
        assert 0 < len(trial.done) < 100
        endpoint.latency_s = kill.LATENCY_S
        assert trial.finish() == 0
        trial.check(whole=True)
    assert asked < endpoint.requests <= 100 + kill.CONCURRENCY


@pytest.mark.slow
def test_two_runs_over_one_folder_do_not_mix(kill, tmp_path):
    """The second says that another run uses the folder, asks nothing and leaves the first alone."""
    endpoint = kill.Endpoint(seed=3)
    with endpoint.server:
        trial = kill.Trial(tmp_path, 60, endpoint)
        endpoint.latency_s = (1.0, 1.0)
        with trial.start() as process:
            wait_for(lambda: endpoint.requests >= 1, process)
            with trial.start() as second:
                _, said = second.communicate(timeout=SOON_S)
            assert second.returncode == 4
            assert "Another run" in said
            endpoint.latency_s = (0.0, 0.01)
            process.communicate(timeout=SOON_S)
        assert process.returncode == 0
        trial.check(whole=True)
    assert endpoint.requests == 60
