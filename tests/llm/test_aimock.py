"""The client against a mock endpoint that nobody here wrote: aimock (npm, @copilotkit/aimock), with its faults switched on.

`.ci/run` installs it into `tests/aimock`; without it these tests are skipped.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from answers import TRANSFER, transfer, write_articles

from extractor import EndpointError, Extractor, RunOptions, Settings, run
from extractor.llm import transport as transport_module
from extractor.runs.ledger import LEDGER_NAME, Ledger
from extractor.schemas import WeaponsTransfer

SERVER = Path(__file__).parent.parent / "aimock" / "node_modules" / ".bin" / "llmock"
pytestmark = [
    pytest.mark.aimock,
    pytest.mark.skipif(
        not SERVER.exists() or shutil.which("node") is None, reason="aimock is not installed: npm ci --prefix tests/aimock (needs node)"
    ),
]
COUNT = 12
GOOD = {"weapons_transfer": [transfer()]}


class Aimock:
    """One process of it."""

    def __init__(self, process, url):
        self.process = process
        self.url = url

    def call(self, method, path, body=None):
        """Its control interface; the parsed answer and the response's headers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return json.loads(response.read() or b"null"), response.headers

    def chaos(self, **rates):
        """Switch faults on; none given switches all off."""
        self.call("DELETE", "/__aimock/chaos")
        if rates:
            self.call("POST", "/__aimock/chaos", rates)

    @property
    def requests(self):
        """How many completions it was asked for, by its own count."""
        return sum(entry["path"] == "/v1/chat/completions" for entry in self.call("GET", "/__aimock/journal")[0])


@pytest.fixture(scope="module")
def aimock(tmp_path_factory):
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    good = {"match": {"userMessage": "13 tanks"}, "response": {"content": json.dumps(GOOD)}}
    called = {"name": "Facts", "arguments": json.dumps(GOOD)}
    in_tools = {"match": {"userMessage": "by tool"}, "response": {"toolCalls": [called]}}
    fixtures.write_text(json.dumps({"fixtures": [in_tools, good]}))
    command = [str(SERVER), "-p", "0", "-h", "127.0.0.1", "-f", str(fixtures), "--journal-max", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said = ""
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)):
                line = process.stdout.readline()
                assert line, said
                said += line
            yield Aimock(process, found[0])
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _calm(aimock, monkeypatch):
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.01)
    aimock.chaos()
    aimock.call("POST", "/__aimock/reset/journal")
    yield
    aimock.chaos()


def over(aimock, tmp_path, **settings):
    """A run over a dozen articles, and again for what failed."""
    folder = tmp_path / "articles"
    if not folder.exists():
        write_articles(folder, COUNT)
    options = RunOptions(paths=(str(folder),), fact_types=("weapons_transfer",), out=tmp_path / "out", retry_failed=True)
    chosen = Settings(**{"base_url": f"{aimock.url}/v1", "model": "m", "concurrency": 6, "attempts": 12, "timeout_s": 20} | settings)
    return run(options, chosen)


def told(tmp_path):
    with Ledger(tmp_path / "out", read_only=True) as ledger:
        return sorted((row["article_id"], row["value"]["quantity"]["as_written"]) for row in ledger.rows())


def stored(tmp_path):
    db = sqlite3.connect(tmp_path / "out" / LEDGER_NAME)
    try:
        return [outcome for (outcome,) in db.execute("SELECT outcome FROM attempts")]
    finally:
        db.close()


EVERYTHING = [(f"a{number:02}.txt", "13 tanks") for number in range(COUNT)]
CHAOS = {
    "calm": ({}, set()),
    "500": ({"dropRate": 0.3}, {"server_error"}),
    "malformed": ({"malformedRate": 0.3}, {"not_json"}),
    "disconnect": ({"disconnectRate": 0.3}, {"reset"}),
    "429": ({"rateLimitRate": 0.15}, {"rate_limited"}),
    "all": ({"dropRate": 0.1, "malformedRate": 0.1, "disconnectRate": 0.1}, {"server_error", "not_json", "reset"}),
}


@pytest.mark.parametrize("name", CHAOS)
def test_faults_cost_requests_and_no_facts(name, aimock, tmp_path):
    """Whatever goes wrong now and then, every article ends with its fact, and each request that aimock counted is a row of the ledger."""
    rates, faults = CHAOS[name]
    aimock.chaos(**rates)
    report = over(aimock, tmp_path)
    assert (report.exit_code, report.complete, report.kept) == (0, COUNT, COUNT)
    assert told(tmp_path) == EVERYTHING
    outcomes = stored(tmp_path)
    assert set(outcomes) <= {"ok"} | faults
    assert len(outcomes) == report.usage.attempts == aimock.requests


@pytest.mark.parametrize(
    ("rates", "outcome"),
    [({"dropRate": 1}, "server_error"), ({"malformedRate": 1}, "not_json"), ({"disconnectRate": 1}, "reset"), ({"latencyMs": 5_000}, "timeout")],
    ids=["500", "malformed", "disconnect", "latency"],
)  # fmt: skip
def test_an_outage_stops_the_run_and_is_gone_on_from(rates, outcome, aimock, tmp_path):
    """When nothing is answered the run stops after a bounded number of requests; once it is over, the same command completes the rest."""
    aimock.chaos(**rates)
    report = over(aimock, tmp_path, attempts=2, timeout_s=0.5 if outcome == "timeout" else 20)
    assert (report.exit_code, report.complete) == (4, 0)
    assert set(stored(tmp_path)) == {outcome}
    assert len(stored(tmp_path)) <= 7 * 5  # five articles at the most, each of which may walk the six modes
    aimock.chaos()
    report = over(aimock, tmp_path)
    assert (report.exit_code, report.complete) == (0, COUNT)
    assert told(tmp_path) == EVERYTHING


def test_a_rate_limit_holds_everybody(aimock):
    """After a 429 with Retry-After: 1 nothing is sent for a second, by anyone."""
    with Extractor([WeaponsTransfer], base_url=f"{aimock.url}/v1", model="m", settings=Settings(concurrency=4, attempts=3)) as extractor:
        assert extractor.extract("Norway will give 13 tanks to Ukraine.").facts
        aimock.chaos(rateLimitRate=1)
        began = time.time()
        texts = [f"Norway will give 13 tanks to Ukraine. {number}" for number in range(4)]
        futures = [extractor._begin(number, text, extractor._session) for number, text in enumerate(texts, 1)]
        time.sleep(0.6)
        aimock.chaos()
        assert all(future.result().status == "complete" for future in futures)
    sent = [entry["timestamp"] / 1000 - began for entry in aimock.call("GET", "/__aimock/journal")[0] if "completions" in entry["path"]]
    late = [at for at in sent if at > 0.4]
    assert len(late) == 4
    assert min(late) >= 0.95


def test_tool_calls_of_theirs_are_read(aimock):
    """Their form of a tool call, where ours asked for a schema, is an answer too."""
    with Extractor([WeaponsTransfer], base_url=f"{aimock.url}/v1", model="m") as extractor:
        result = extractor.extract(
            "Norway will give 13 tanks to Ukraine, the ministry in Oslo said on Monday, by tool.", published="2026-03-04"
        )
    assert [fact.value for fact in result.facts] == [WeaponsTransfer.model_validate(TRANSFER)]


def test_an_unknown_request_is_no_article_s_fault(aimock):
    """Their 404 for a request without a fixture concerns the endpoint, and is raised with its words."""
    with (
        Extractor([WeaponsTransfer], base_url=f"{aimock.url}/v1", model="m") as extractor,
        pytest.raises(EndpointError, match="No fixture"),
    ):
        extractor.extract("Nothing happened.")
