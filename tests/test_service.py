import asyncio
import contextlib
import gc
import json
import os
import random
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
import uvicorn
from answers import TRANSFER, transfer

from extractor import Extractor
from extractor.llm import transport as transport_module
from extractor.testing import Fault, LoopbackEndpoint, Raw

FOLDER = Path(__file__).parent.parent / "examples" / "service"
sys.path.insert(0, str(FOLDER))

import service  # noqa: E402 - its folder is on the path only now

sys.path.remove(str(FOLDER))

pytestmark = [
    # anyio forgets a connection attempt that is cancelled before its first step: https://github.com/agronholm/anyio
    pytest.mark.filterwarnings("ignore:coroutine 'connect_tcp:RuntimeWarning"),
    # the endpoint of the tests complains when a cancelled request breaks off in the middle of its body
    pytest.mark.filterwarnings("ignore:Exception in thread loopback-connection:pytest.PytestUnhandledThreadExceptionWarning"),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No test here speaks TLS, and waits before trying again are a hundredth."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)


def text_of(number):
    return f"Norway will give {number} tanks to Ukraine, the ministry in Oslo said."


def number_of(request):
    return int(re.findall(r"Norway will give (\d+) tanks", request["messages"][-1]["content"])[-1])


def numbered(request):
    """An answer that is right for the article asked about, and wrong for every other."""
    number = number_of(request)
    counted = {**TRANSFER["quantity"], "as_written": f"{number} tanks", "minimum": number, "maximum": number}
    return {"weapons_transfer": [transfer(evidence=[f"Norway will give {number} tanks to Ukraine"], quantity=counted)]}


def numbers_in(outcome):
    return [fact["value"]["quantity"]["minimum"] for fact in outcome["facts"]]


def wait_until(holds, seconds=20.0):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.005)


def handles():
    """How many of each kind of file, socket and pipe this process has open."""
    found = Counter()
    for handle in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the one that listed them
            found[re.sub(r"[0-9]+", "#", str(handle.readlink()))] += 1
    return found


@contextlib.contextmanager
def serving(endpoint, monkeypatch, **environment):
    """The service on a free port, in a thread; gives an HTTP client for it. At the end it has shut down by itself."""
    monkeypatch.setenv("EXTRACTOR_BASE_URL", endpoint.base_url)
    monkeypatch.setenv("SERVICE_FACT_TYPES", "weapons_transfer")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_level="warning", timeout_graceful_shutdown=10))
    thread = threading.Thread(target=server.run, name="service")
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


class Holding:
    """An endpoint's answers: held until `let_go`, or until the client goes away, which is counted."""

    def __init__(self, holds):
        self.endpoint = None
        self.dropped = []
        self.under_way = 0
        self._holds, self._released, self._lock = holds, threading.Event(), threading.Lock()

    def let_go(self):
        """Answer what is held, and everything after it."""
        self._released.set()

    def __call__(self, request):
        """One request's answer, when it may go."""
        with self._lock:
            self.under_way += 1
        try:
            connection = self.endpoint._server._open[threading.current_thread()]
            while self._holds(request) and not self._released.is_set() and not self.endpoint._closing.is_set():
                if select.select([connection], [], [], 0.01)[0] and connection.recv(1, socket.MSG_PEEK) == b"":
                    self.dropped.append(number_of(request))
                    return Fault("drop")
            return numbered(request)
        finally:
            with self._lock:
                self.under_way -= 1


@contextlib.contextmanager
def holding(holds=lambda request: True):
    held = Holding(holds)
    with LoopbackEndpoint(held) as endpoint:
        held.endpoint = endpoint
        yield held


def lines_of(response):
    return [json.loads(line) for line in response.text.splitlines()]


# --- what it answers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["Tanks for Ukraine", " Tanks\nfor  Ukraine", text_of(13).split()[0], None])
def test_the_answer_is_the_library_s_outcome(monkeypatch, title):
    """The body is the `Outcome` that `extract` gives for the same text, as JSON; `many` gives the same one."""
    asked = {"text": text_of(13), "published": "2026-03-04", "title": title, "id": "a1"}
    with LoopbackEndpoint(numbered) as endpoint:
        with serving(endpoint, monkeypatch) as client:
            alone = client.post("/extract", json=asked)
            many = client.post("/extract/many", json={"articles": [asked]})
        with Extractor(["weapons_transfer"]) as extractor:
            expected = extractor.extract(text_of(13), published="2026-03-04", title=title, id="a1")
    assert (alone.status_code, alone.headers["content-type"]) == (200, "application/json")
    found = alone.json()
    assert found == json.loads(expected.model_dump_json())
    assert numbers_in(found) == [13]
    line, end = lines_of(many)
    assert end == {"end": {"outcomes": 1}}
    for outcome in (line["outcome"], found):
        outcome["article"].pop("origins")  # `many` is given an article, whose fields came from nowhere else
    assert line["outcome"] == found


def test_a_request_may_ask_for_some_of_the_fact_types(monkeypatch):
    """Only the types named are asked for; one that the service does not have is the client's move, and nothing is asked."""

    def types_in(request):
        return list(request["response_format"]["json_schema"]["schema"]["properties"])

    def empty(request):
        return {name: [] for name in types_in(request)}

    with LoopbackEndpoint(empty) as endpoint:
        with serving(endpoint, monkeypatch, SERVICE_FACT_TYPES="weapons_transfer,funding_source") as client:
            assert client.post("/extract", json={"text": text_of(13)}).status_code == 200
            one = {"text": text_of(14), "fact_types": ["funding_source"]}
            assert client.post("/extract", json=one).status_code == 200
            many = {"articles": [{"id": "a", "text": text_of(15)}], "fact_types": ["funding_source"]}
            assert client.post("/extract/many", json=many).status_code == 200
            unknown = client.post("/extract", json={"text": text_of(16), "fact_types": ["negotiation_proposal"]})
            assert (unknown.status_code, unknown.json()["error"]["type"]) == (422, "UsageError")
            assert client.post("/extract/many", json={**many, "fact_types": ["negotiation_proposal"]}).status_code == 422
        asked = [types_in(request) for request in endpoint.requests]
    assert asked == [["weapons_transfer", "funding_source"], ["funding_source"], ["funding_source"]]


def test_the_health_asks_no_model(monkeypatch):
    """It says with which model it serves; no request leaves."""
    with LoopbackEndpoint(numbered) as endpoint, serving(endpoint, monkeypatch, EXTRACTOR_MODEL="some-model") as client:
        assert client.get("/health").json() == {"status": "ok", "model": "some-model"}
        assert endpoint.requests == []


@pytest.mark.slow
def test_two_hundred_at_once_are_all_matched_and_leave_nothing(monkeypatch):
    """Each of 200 concurrent requests gets the facts of its own text; after the service has ended no file, socket or thread is left."""

    async def all_at_once(url):
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(client.post("/extract", json={"text": text_of(number)}) for number in range(100, 300)))

    with LoopbackEndpoint(numbered) as endpoint:
        with serving(endpoint, monkeypatch):
            pass  # what is opened once for all
        gc.collect()
        opened, running = handles(), threading.active_count()
        with serving(endpoint, monkeypatch, EXTRACTOR_CONCURRENCY="64") as client:
            answers = asyncio.run(all_at_once(str(client.base_url)))
        wait_until(lambda: threading.active_count() <= running)
        gc.collect()
        wait_until(lambda: handles() == opened)
    assert [answer.status_code for answer in answers] == [200] * 200
    assert [numbers_in(answer.json()) for answer in answers] == [[number] for number in range(100, 300)]
    assert len(endpoint.requests) == 200


def test_many_stream_in_order_of_completion(monkeypatch):
    """The first line is there while the others are still asked; every article has its line, and the last line says how many."""
    with holding(lambda request: 105 <= number_of(request) < 200) as held, serving(held.endpoint, monkeypatch) as client:
        client.post("/extract", json={"text": text_of(300)})  # the first call finds the mode out, and others wait for it
        articles = [{"id": f"a{number}", "text": text_of(number)} for number in range(109, 99, -1)]
        with client.stream("POST", "/extract/many", json={"articles": articles}) as response:
            assert response.headers["content-type"] == "application/x-ndjson"
            lines = response.iter_lines()
            early = [json.loads(next(lines)) for _ in range(5)]
            assert held.under_way == 5
            held.let_go()
            late = [json.loads(line) for line in lines]
    found = {line["outcome"]["article"]["id"]: numbers_in(line["outcome"]) for line in [*early, *late[:-1]]}
    assert found == {f"a{number}": [number] for number in range(100, 110)}
    assert {line["outcome"]["article"]["id"] for line in early} == {f"a{number}" for number in range(100, 105)}
    assert late[-1] == {"end": {"outcomes": 10}}


# --- clients that go away ---------------------------------------------------------------------------------------------------------


def test_a_client_that_goes_away_cancels_its_request_to_the_model(monkeypatch):
    """The endpoint sees the connections of exactly those articles dropped; the others are answered, and nothing is left under way."""
    with holding(lambda request: number_of(request) < 200) as held, serving(held.endpoint, monkeypatch) as client:
        assert client.post("/extract", json={"text": text_of(300)}).status_code == 200
        for number in (100, 101):
            with pytest.raises(httpx.ReadTimeout):
                client.post("/extract", json={"text": text_of(number)}, timeout=0.5)
        wait_until(lambda: sorted(held.dropped) == [100, 101] and held.under_way == 0)
        extractor = service.app.state.extractor
        wait_until(lambda: not asyncio.all_tasks(extractor._loop._loop))
        assert numbers_in(client.post("/extract", json={"text": text_of(301)}).json()) == [301]


@pytest.mark.parametrize("when", ["before the first line", "in the middle"])
def test_a_client_that_leaves_a_stream_cancels_what_is_left(monkeypatch, when):
    """Requests under way are dropped and the articles not yet begun are never asked."""
    first_held = 100 if when == "before the first line" else 101
    with (
        holding(lambda request: first_held <= number_of(request) < 200) as held,
        serving(held.endpoint, monkeypatch, EXTRACTOR_CONCURRENCY="4") as client,
    ):
        assert client.post("/extract", json={"text": text_of(300)}).status_code == 200
        articles = [{"id": str(number), "text": text_of(number)} for number in range(100, 160)]
        asked = {"method": "POST", "url": "/extract/many", "json": {"articles": articles}, "timeout": 1}
        with contextlib.suppress(httpx.ReadTimeout), client.stream(**asked) as response:
            lines = response.iter_lines()  # kept: without it the connection is closed
            assert numbers_in(json.loads(next(lines))["outcome"]) == [100]
            wait_until(lambda: held.under_way == 4)
        wait_until(lambda: held.dropped and held.under_way == 0)
        wait_until(lambda: not asyncio.all_tasks(service.app.state.extractor._loop._loop))
        assert len(held.endpoint.requests) <= 1 + 1 + 4 + 1
        assert numbers_in(client.post("/extract", json={"text": text_of(301)}).json()) == [301]


# --- when something goes wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_endpoint_that_fails_half_the_time_costs_time_alone(monkeypatch):
    """Clients that ask again as README.md says all get the facts of their own text; most need not, since the service asks again itself."""
    kinds = [Raw({"error": {"message": "overloaded"}}, 503), Fault("reset"), Fault("half"), Raw({}, 429, {"retry-after": "0"})]
    coin, lock = random.Random(6), threading.Lock()  # noqa: S311 - it guards nothing

    def flaky(request):
        with lock:
            fails, kind = coin.random() < 0.5, coin.choice(kinds)
        return kind if fails else numbered(request)

    async def answered(client, number):
        for again in range(10):
            answer = await client.post("/extract", json={"text": text_of(number)})
            assert answer.status_code in (200, 503)
            if answer.status_code == 200 and answer.json()["status"] == "complete":
                return again, answer.json()
        raise AssertionError(answer.text)

    async def all_at_once(url):
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            return await asyncio.gather(*(answered(client, number) for number in range(100, 180)))

    with LoopbackEndpoint(flaky) as endpoint, serving(endpoint, monkeypatch) as client:
        answers = asyncio.run(all_at_once(str(client.base_url)))
    assert [numbers_in(found) for _, found in answers] == [[number] for number in range(100, 180)]
    assert sum(again == 0 for again, _ in answers) >= 60
    assert len(endpoint.requests) > 120


def test_an_article_that_fails_is_an_answer_with_its_reason(monkeypatch):
    """What befell one article is its outcome under status 200: refused, or out of attempts; its neighbours are not concerned."""

    def failing(request):
        if number_of(request) == 101:
            return Raw({"error": {"message": "overloaded"}}, 503)
        return numbered(request)

    with LoopbackEndpoint(failing) as endpoint, serving(endpoint, monkeypatch) as client:
        articles = [{"id": str(number), "text": text_of(number)} for number in (100, 101, 102)]
        lines = lines_of(client.post("/extract/many", json={"articles": articles}))
        alone = client.post("/extract", json={"text": text_of(101)})
    found = {line["outcome"]["article"]["id"]: line["outcome"] for line in lines[:-1]}
    assert {name: outcome["status"] for name, outcome in found.items()} == {"100": "complete", "101": "failed", "102": "complete"}
    assert alone.status_code == 200
    assert (alone.json()["status"], alone.json()["cause"]) == ("failed", "server_error")
    assert alone.json()["reason"]


def test_an_endpoint_that_refuses_everything_is_service_unavailable(monkeypatch):
    """A wrong key is the operator's move: 503 with the message, for one text and before the first line of many; no key in it."""
    refused = Raw({"error": {"message": "Incorrect API key provided."}}, status=401)
    with LoopbackEndpoint(lambda request: refused) as endpoint, serving(endpoint, monkeypatch, OPENAI_API_KEY="sk-nobody-knows") as client:
        for answer in (
            client.post("/extract", json={"text": text_of(13)}),
            client.post("/extract/many", json={"articles": [{"id": "a", "text": text_of(13)}]}),
        ):
            assert answer.status_code == 503
            assert answer.json()["error"]["type"] == "EndpointError"
            assert "sk-nobody" not in answer.text


def test_a_stream_that_breaks_off_says_so_in_its_last_line(monkeypatch):
    """After the status is sent, an endpoint that begins to refuse everything is the last line, and there is no line `end`."""

    def until_quota(request):
        return numbered(request) if number_of(request) == 100 else Raw({"error": {"message": "No such key."}}, status=401)

    with LoopbackEndpoint(until_quota) as endpoint, serving(endpoint, monkeypatch, EXTRACTOR_CONCURRENCY="1") as client:
        answer = client.post("/extract/many", json={"articles": [{"id": str(n), "text": text_of(n)} for n in (100, 101, 102)]})
    first, last = lines_of(answer)
    assert answer.status_code == 200
    assert numbers_in(first["outcome"]) == [100]
    assert last["error"]["type"] == "EndpointError"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/extract", {"text": "  "}, "no text"),
        ("/extract", {"text": 7}, "text: "),
        ("/extract", {}, "text: "),
        ("/extract", {"text": "x", "published": "yesterday"}, "; write it as YYYY-MM-DD"),
        ("/extract", {"text": "x", "publised": "2026-03-04"}, "publised: "),
        ("/extract", {"text": "x", "id": " "}, "id"),
        ("/extract", b"{", "JSON"),
        ("/extract", b'{"text": "\\ud800", "title": 1}', "title"),
        ("/extract/many", {"articles": []}, "articles: "),
        ("/extract/many", {"articles": [{"text": "x"}]}, "articles.0.id: "),
        ("/extract/many", {"articles": [{"id": " ", "text": "x"}]}, "articles.0.id: "),
        ("/extract/many", {"articles": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}, "'a'"),
        ("/extract/many", {"articles": [{"id": "a"}]}, "articles.0.text: "),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(monkeypatch, path, body, says):
    """Status 422 in one form, naming the field; nothing was asked."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with LoopbackEndpoint(numbered) as endpoint, serving(endpoint, monkeypatch) as client:
        answer = client.post(path, content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, endpoint.requests) == (422, [])
        assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/extracts", 404), ("GET", "/extract", 405)])
def test_a_path_or_method_that_is_not_there_is_told_in_the_same_form(monkeypatch, method, path, status):
    """As README.md says of every error; a 405 still names the methods that there are."""
    with LoopbackEndpoint(numbered) as endpoint, serving(endpoint, monkeypatch) as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "UsageError"
    assert f"{method} {path}" in answer.json()["error"]["message"]
    assert (answer.headers.get("allow") == "POST") is (status == 405)


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"SERVICE_FACT_TYPES": "weapon_transfer"}, {"EXTRACTOR_TIMEOUT": "-1"}])
def test_a_wrong_setting_stops_it_before_it_listens(monkeypatch, environment, capfd):
    """The process ends with the reason instead of answering every request with it."""
    with LoopbackEndpoint(numbered) as endpoint:
        ended = subprocess.run(command(), env=environ(endpoint, **environment), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert next(iter(environment.values())).removesuffix(".0") in ended.stderr


# --- the end of the process -------------------------------------------------------------------------------------------------------


def command(port=0, grace=20):
    return [
        sys.executable, "-m", "uvicorn", "--app-dir", str(FOLDER), "service:app", "--port", str(port),
        "--timeout-graceful-shutdown", str(grace), "--log-level", "info",
    ]  # fmt: skip


def environ(endpoint, **more):
    return {
        **os.environ,
        "EXTRACTOR_BASE_URL": endpoint.base_url,
        "SERVICE_FACT_TYPES": "weapons_transfer",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@contextlib.contextmanager
def process(endpoint, *, grace=20, **environment):
    """The service in a process of its own; gives it and its address."""
    with subprocess.Popen(command(grace=grace), env=environ(endpoint, **environment), stderr=subprocess.PIPE, text=True) as started:
        try:
            for line in started.stderr:
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    break
            yield started, found.group()
        finally:
            started.kill()


@pytest.mark.slow
def test_requests_in_flight_are_answered_before_it_stops(tmp_path):
    """SIGTERM: what is under way is answered, nobody new is let in, the ledger has every outcome and is free for the next process."""
    with holding() as held, process(held.endpoint, SERVICE_LEDGER=str(tmp_path)) as (started, url):
        with httpx.Client(base_url=url, timeout=30) as client, contextlib.ExitStack() as stack:
            answers = []
            asking = [
                threading.Thread(target=lambda n=n: answers.append(client.post("/extract", json={"text": text_of(n), "id": f"a{n}"})))
                for n in range(100, 108)
            ]
            stream = threading.Thread(
                target=lambda: answers.append(client.post("/extract/many", json={"articles": [{"id": "s", "text": text_of(108)}]}))
            )
            for thread in [*asking, stream]:
                thread.start()
                stack.callback(thread.join, 30)
            wait_until(lambda: held.under_way >= 1)  # the first call finds the mode out, the others wait for it
            time.sleep(0.5)
            started.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses(url))
            held.let_go()
        assert started.wait(30) in (0, -signal.SIGTERM)
    assert sorted(answer.status_code for answer in answers) == [200] * 9
    found = sorted(json.loads(line)["value"]["quantity"]["minimum"] for line in (tmp_path / "facts.jsonl").read_text().splitlines())
    assert found == list(range(100, 109))
    with LoopbackEndpoint(numbered) as endpoint, Extractor(["weapons_transfer"], base_url=endpoint.base_url, ledger=tmp_path) as extractor:
        extractor.extract(text_of(109))


def refuses(url):
    try:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=1):
            return False
    except OSError:
        return True


@pytest.mark.slow
def test_it_stops_when_the_grace_is_over():
    """A model that never answers does not hold the process: after the grace its request is cancelled and the process is gone."""
    with holding() as held, process(held.endpoint, grace=1) as (started, url), httpx.Client(base_url=url, timeout=30) as client:
        lost = threading.Thread(target=_post_quietly, args=(client,))
        lost.start()
        wait_until(lambda: held.under_way == 1)
        started.send_signal(signal.SIGTERM)
        started.wait(20)
        wait_until(lambda: held.dropped == [100])
        lost.join(20)


def _post_quietly(client):
    with contextlib.suppress(httpx.HTTPError):
        client.post("/extract", json={"text": text_of(100)})
