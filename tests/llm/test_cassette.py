import asyncio
import contextlib
import gzip
import http.server
import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.request

import openai
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractor.errors import BugError, CassetteMiss, ExtractorError, LedgerError, SettingsError, UsageError
from extractor.llm import cassette, cassette_wire, cassette_yaml
from extractor.llm.cassette import Manifest, cassettes, read_manifest, write_manifest
from extractor.llm.cassette_yaml import DamagedError, Interaction, dump, file_name, load

KEY_SENT = "sk-test-7f3Kq9ZxW2"
SOCKET_EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.sendto"}
seen_sockets: list[str] | None = None


def _watch(event, args):
    if seen_sockets is not None and event in SOCKET_EVENTS:
        seen_sockets.append(f"{event} {args[1:]}")


sys.addaudithook(_watch)  # cannot be taken away again, hence the list that is None outside `no_sockets`


@contextlib.contextmanager
def no_sockets():
    """Fail when anything in the block connects or resolves a name."""
    global seen_sockets  # noqa: PLW0603
    seen_sockets = []
    try:
        yield
        assert seen_sockets == []
    finally:
        seen_sockets = None


class Server(http.server.ThreadingHTTPServer):
    """Threads and a queue for a crowd."""

    daemon_threads = True
    request_queue_size = 256  # the default of 5 resets connections of a crowd


class Endpoint:
    """A loopback server that answers chat completions; `script` may answer otherwise with (status, headers, body)."""

    def __init__(self):
        self.asked = []
        self.script = lambda number, body: None
        self._numbers = itertools.count()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sent = self.rfile.read(int(self.headers.get("content-length", 0)))
                number = next(endpoint._numbers)
                endpoint.asked.append((self.path, sent))
                body = json.loads(sent) if sent.startswith(b"{") else {}
                status, headers, answer = endpoint.script(number, body) or (
                    200,
                    {},
                    reply(f"answer to {body.get('messages', '?')}", number),
                )
                self.send_response(status)
                for name, value in {
                    "content-type": "application/json",
                    "set-cookie": "session=cookie-secret",
                    "openai-organization": "org-secretcompany",
                    "x-request-id": f"req-{number}",
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST  # noqa: N815 - the base class's name

            def log_message(self, *args):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/private-prefix/v1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        """Stop answering: connections are refused from here on."""
        self._server.shutdown()
        self._server.server_close()


def reply(content, number=0):
    """The body of a chat completion, as vendors write it."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    body = {"id": f"chatcmpl-{number:08d}", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n"


class Asked:
    """A request as vcr hands it over."""

    method = "POST"

    def __init__(self, body, uri="https://llm.example/v1/chat/completions"):
        self.body = body.encode()
        self.uri = uri
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY_SENT}"}


ANSWER = {"status": {"code": 200, "message": "OK"}, "headers": {"Content-Type": ["application/json"]}, "body": {"string": b'{"a": 1}'}}


def record_one(tapes, article, body, error=None):
    """One answered request of an article, without a server, and the error that ends the article."""
    with tapes.article(article):
        request = Asked(body)
        assert not tapes._plays(request)
        tapes._keep(request, ANSWER)
        if error:
            raise error


@pytest.fixture
def endpoint():
    """A running server."""
    server = Endpoint()
    yield server
    server.close()


@contextlib.asynccontextmanager
async def client(url):
    """A vendor's client that never retries, closed at the end."""
    async with openai.AsyncOpenAI(base_url=url, api_key=KEY_SENT, organization="org-secretcompany", max_retries=0, timeout=10) as made:
        made._platform = "Linux"  # else the SDK finds it out in threads, and a client's first requests overtake each other
        yield made


async def ask(made, *words, **more):
    """The exact bytes of one answer."""
    messages = [
        {"role": "system", "content": "Say what the text says.\nNothing else. 東京"},
        *({"role": "user", "content": word} for word in words),
    ]
    raw = await made.chat.completions.with_raw_response.create(model="m", messages=messages, **more)
    return raw.content


def chain(error):
    """An error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def ours(caught):
    """Our error behind the vendor's."""
    return next(error for error in chain(caught.value) if isinstance(error, ExtractorError))


def session(folder, mode, url, article, *words, **more):
    """Ask about one article, one word at a time."""

    async def go():
        async with client(url) as made:
            with tapes.article(article):
                return [await ask(made, word, **more) for word in words]

    with cassettes(folder, mode) as tapes:
        return asyncio.run(go())


def texts(folder):
    """Every cassette by name."""
    return {path.name: path.read_text() for path in folder.glob("*.yaml")}


async def crowd(tapes, url, articles=40, requests=5):
    """Every article asks several things at once, sixteen articles at a time."""
    gate = asyncio.Semaphore(16)
    found = {}

    async def asked(made, article, number):
        await asyncio.sleep(number / 50)  # in the order of their numbers, whatever the machine is busy with
        return await ask(made, f"article {article} 😀", f"question {number}")

    async def one(made, article):
        async with gate:
            with tapes.article(f"news/{article}.txt"):
                found[article] = await asyncio.gather(*(asked(made, article, n) for n in range(requests)))

    async with client(url) as made:
        await asyncio.gather(*(one(made, article) for article in range(articles)))
    return found


def test_a_recorded_run_replays_byte_for_byte_with_the_server_down_and_no_socket(tmp_path, endpoint):
    """Many articles at a time replay exactly, from any base URL, without the network, and everything is played."""
    endpoint.script = lambda number, body: time.sleep(number * 7 % 10 / 1000)
    with cassettes(tmp_path / "made" / "here", "record") as tapes:
        recorded = asyncio.run(crowd(tapes, endpoint.url))
        assert tapes._shelves == {}
    endpoint.close()
    assert len(endpoint.asked) == 200
    with no_sockets(), cassettes(tmp_path / "made" / "here", "replay") as tapes:
        assert asyncio.run(crowd(tapes, "http://127.0.0.1:9/other/v7")) == recorded
        assert not tapes.unplayed()
        assert tapes._shelves == {}
    assert len(texts(tmp_path / "made" / "here")) == 40


def test_recording_again_changes_only_the_lines_that_answered_otherwise(tmp_path, endpoint):
    """A second recording gives the same files but for the ids of the answers, whatever the order they came in."""
    before = {}
    endpoint.script = lambda number, body: time.sleep((number * 7 % 10 + len(before)) / 500)
    for _ in range(2):
        before = texts(tmp_path)
        with cassettes(tmp_path, "record") as tapes:
            asyncio.run(crowd(tapes, endpoint.url, articles=8))
    after = texts(tmp_path)
    assert after.keys() == before.keys()
    for name, text in after.items():
        pairs = list(zip(before[name].splitlines(), text.splitlines(), strict=True))
        changed = [new for old, new in pairs if old != new]
        assert len(changed) == 5
        assert all("chatcmpl-" in line for line in changed)


def test_interactions_stand_in_the_order_of_asking_not_of_answering(tmp_path, endpoint):
    """The first request asked is the first in the file, though its answer comes last."""
    endpoint.script = lambda number, body: time.sleep(0.15 - 0.05 * int(body["messages"][1]["content"]))

    async def go():
        async with client(endpoint.url) as made:
            with tapes.article("a"):
                first = asyncio.create_task(ask(made, "0"))
                await asyncio.sleep(0.03)
                await asyncio.gather(first, ask(made, "1"), ask(made, "2"))

    with cassettes(tmp_path, "record") as tapes:
        asyncio.run(go())
    rows = load((tmp_path / "a.yaml").read_text()).interactions
    assert [json.loads(row.sent)["messages"][1]["content"] for row in rows] == ["0", "1", "2"]


def test_a_changed_request_is_a_miss_that_says_what_differs(tmp_path, endpoint):
    """The miss is reachable behind the vendor's error, names article, field and position, and nothing is sent."""
    session(
        tmp_path, "record", endpoint.url, "a/1", "something else", "The rage über 東京 is told here at some length, for a test of cutting."
    )
    with no_sockets(), pytest.raises(openai.APIConnectionError) as caught:
        session(tmp_path, "replay", endpoint.url, "a/1", "The rage über Tokio is told here at some length, for a test of cutting.")
    miss = ours(caught)
    assert isinstance(miss, CassetteMiss)
    assert miss.article_id == "a/1"
    text = str(miss)
    assert "'a/1'" in text
    assert "closest is interaction 2 of 2; differs in messages[1].content at char 14" in text
    assert "über 東京 is told" in text
    assert "über Tokio is told" in text
    assert len(text) < 400
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("words", "more", "expected"),
    [
        (["one"], {"seed": 5}, "seed is new: 5"),
        (["two"], {"temperature": 0.5}, "(and in 1 other place(s))"),
        (["one", "one"], {}, "already played 1 time(s)"),
    ],
)
def test_a_miss_tells_new_keys_more_places_and_repeats(tmp_path, endpoint, words, more, expected):
    """Each kind of difference has words of its own."""
    session(tmp_path, "record", endpoint.url, "a", "one")
    with pytest.raises(openai.APIConnectionError) as caught:
        session(tmp_path, "replay", endpoint.url, "a", *words, **more)
    assert expected in str(ours(caught))


def test_a_miss_tells_keys_that_are_gone_and_numbers_that_differ(tmp_path, endpoint):
    """A key that was recorded and is not asked any more is named with its value."""
    session(tmp_path, "record", endpoint.url, "a", "one", temperature=0.5)
    for more, expected in ({}, "temperature is gone: recorded 0.5"), ({"temperature": 1}, "differs in temperature: recorded 0.5, now 1"):
        with pytest.raises(openai.APIConnectionError) as caught:
            session(tmp_path, "replay", endpoint.url, "a", "one", **more)
        assert expected in str(ours(caught))


def test_an_article_without_a_file_is_a_miss_that_says_so(tmp_path, endpoint):
    """Nothing recorded is told apart from a changed request."""
    session(tmp_path, "record", endpoint.url, "a", "one")
    with pytest.raises(openai.APIConnectionError) as caught:
        session(tmp_path, "replay", endpoint.url, "b", "one")
    assert "nothing recorded for this article" in str(ours(caught))


def test_another_endpoint_is_a_miss_that_names_both(tmp_path, endpoint):
    """A request to another path is not compared field by field."""
    session(tmp_path, "record", endpoint.url, "a", "one")
    with (
        cassettes(tmp_path, "replay") as tapes,
        tapes.article("a"),
        pytest.raises(CassetteMiss, match="GET /models, recorded is only POST /chat/comp"),
    ):
        urllib.request.urlopen(endpoint.url + "/models")  # noqa: S310 - loopback


def test_the_same_request_asked_again_is_recorded_each_time_and_played_in_order(tmp_path, endpoint):
    """Identical requests replay their own answers, first asked first, and then miss."""
    recorded = session(tmp_path, "record", endpoint.url, "a", "same", "same", "same")
    assert len(set(recorded)) == 3
    assert session(tmp_path, "replay", endpoint.url, "a", "same", "same", "same") == recorded


def test_requests_that_mean_the_same_are_the_same():
    """Key order, spacing, host, prefix and query do not count; every value does, and so do method and endpoint."""
    asked = cassette_wire.digest_of("POST", "https://a.example/v1/responses", b'{"a": 1, "b": [2, 3]}')
    assert asked == cassette_wire.digest_of("POST", "http://b:8000/x/openai/v9beta/responses?key=1", b'{"b":[2,3],"a":1}')
    others = [
        ("POST", "https://a.example/v1/responses", b'{"a": 1, "b": [3, 2]}'),
        ("POST", "https://a.example/v1/responses", b'{"a": true, "b": [2, 3]}'),
        ("POST", "https://a.example/v1/responses", b'{"a": 1.0, "b": [2, 3]}'),
        ("PUT", "https://a.example/v1/responses", b'{"a": 1, "b": [2, 3]}'),
        ("POST", "https://a.example/v1/embeddings", b'{"a": 1, "b": [2, 3]}'),
        ("POST", "https://a.example/v1/responses", b'{"a": NaN}'),
        ("POST", "https://a.example/v1/responses", b"\xff"),
        ("POST", "https://a.example/v1/responses", b""),
    ]
    assert len({asked, *(cassette_wire.digest_of(*other) for other in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("given_body", "expected"),
    [(None, b""), (b"x", b"x"), (bytearray(b"x"), b"x"), ("é", "é".encode()), ({"a": 1}, b'{"a": 1}'), (iter([b"x", "y"]), b"xy")],
)
def test_a_body_is_bytes_whatever_the_http_library_hands_over(given_body, expected):
    """Bytes from httpx, text or parts from urllib, the JSON value itself from aiohttp."""
    request = Asked("")
    request.body = given_body
    assert cassette_wire.body_of(request) == expected


def test_what_nothing_asked_for_is_reported(tmp_path, endpoint):
    """Interactions that were not played and files that were never opened are listed."""
    with cassettes(tmp_path, "record") as tapes:
        asyncio.run(crowd(tapes, endpoint.url, articles=3, requests=3))
        assert not tapes.unplayed()

    async def go():
        async with client(endpoint.url) as made:
            with tapes.article("news/1.txt"):
                await ask(made, "article 1 😀", "question 1")

    with cassettes(tmp_path, "replay") as tapes:
        asyncio.run(go())
        left = tapes.unplayed()
    assert left
    assert left.interactions == {"news/1.txt": (1, 3)}
    assert left.files == tuple(sorted([file_name("news/0.txt"), file_name("news/2.txt")]))


def test_recording_lists_files_of_articles_it_did_not_ask_about(tmp_path, endpoint):
    """Stale files are named, not deleted."""
    session(tmp_path, "record", endpoint.url, "old", "one")
    with cassettes(tmp_path, "record") as tapes:
        assert tapes.unplayed().files == ("old.yaml",)


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_a_request_outside_an_article_is_refused(tmp_path, endpoint, mode):
    """Nothing is guessed, sent or recorded for a request that belongs to no article."""

    async def go():
        async with client(endpoint.url) as made:
            await ask(made, "one")

    with cassettes(tmp_path, mode), pytest.raises(openai.APIConnectionError) as caught:
        asyncio.run(go())
    assert isinstance(ours(caught), BugError)
    assert "outside `article()`" in str(ours(caught))
    assert endpoint.asked == []


def test_threads_and_tasks_started_inside_an_article_belong_to_it(tmp_path, endpoint):
    """`to_thread` and child tasks are attributed, and a task that outlives the article still has its answer kept."""

    async def go():
        async with client(endpoint.url) as made:
            with tapes.article("a"):
                await asyncio.to_thread(lambda: urllib.request.urlopen(endpoint.url + "/responses", b"{}").read())  # noqa: S310 - loopback
                late = asyncio.create_task(ask(made, "late"))
                await asyncio.sleep(0)
            await late

    with cassettes(tmp_path, "record") as tapes:
        asyncio.run(go())
        assert tapes._shelves == {}
    assert len(load((tmp_path / "a.yaml").read_text()).interactions) == 2


def test_two_threads_with_loops_of_their_own_record_side_by_side(tmp_path, endpoint):
    """Articles on different event loops do not mix."""
    with cassettes(tmp_path, "record") as tapes:

        def work(name):
            async def go():
                async with client(endpoint.url) as made:
                    with tapes.article(name):
                        await asyncio.gather(*(ask(made, name, str(n)) for n in range(10)))

            asyncio.run(go())

        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name in ("a", "b", "c"):
        rows = load((tmp_path / f"{name}.yaml").read_text()).interactions
        assert [json.loads(row.sent)["messages"][1]["content"] for row in rows] == [name] * 10


def test_only_one_folder_is_open_at_a_time_and_closing_gives_http_back(tmp_path):
    """The second one is refused plainly; after an error inside, nothing stays patched or taken."""
    import httpx2

    before = httpx2.AsyncHTTPTransport.handle_async_request, http.client.HTTPConnection
    with contextlib.suppress(ZeroDivisionError), cassettes(tmp_path, "record"):
        assert httpx2.AsyncHTTPTransport.handle_async_request is not before[0]
        with pytest.raises(UsageError, match="open already"), cassettes(tmp_path, "replay"):
            pass
        raise ZeroDivisionError
    assert (httpx2.AsyncHTTPTransport.handle_async_request, http.client.HTTPConnection) == before
    with cassettes(tmp_path, "replay"):
        pass


def test_entering_an_article_again_keeps_what_this_run_recorded_and_played(tmp_path, endpoint):
    """Record adds to this run's file and replaces an earlier run's; replay goes on where it was."""

    async def go(*words):
        found = []
        async with client(endpoint.url) as made:
            for word in words:
                with tapes.article("a"):
                    assert len(tapes._shelves) == 1
                    found.append(await ask(made, word))
                assert tapes._shelves == {}
        return found

    session(tmp_path, "record", endpoint.url, "a", "of an earlier run")
    with cassettes(tmp_path, "record") as tapes:
        recorded = asyncio.run(go("same", "other", "same"))
    assert "of an earlier run" not in (tmp_path / "a.yaml").read_text()
    with cassettes(tmp_path, "replay") as tapes:
        assert asyncio.run(go("same", "other", "same")) == recorded
        with pytest.raises(openai.APIConnectionError) as caught:
            asyncio.run(go("same"))
        assert not tapes.unplayed()
    assert "already played 2 time(s)" in str(ours(caught))


def test_an_article_without_an_answer_keeps_its_file(tmp_path, endpoint):
    """A recording that reaches no server destroys nothing."""
    session(tmp_path, "record", endpoint.url, "a", "one")
    before = texts(tmp_path)
    endpoint.close()
    with pytest.raises(openai.APIConnectionError):
        session(tmp_path, "record", endpoint.url, "a", "two")
    assert texts(tmp_path) == before


def test_an_error_that_was_answered_later_is_not_kept(tmp_path, endpoint):
    """A 429 gives its place to the success after it, and the replay never sees it."""
    endpoint.script = lambda number, body: (429, {"retry-after": "60"}, b'{"error": {"message": "slow"}}') if number in (0, 1) else None

    async def go():
        async with client(endpoint.url) as made:
            with tapes.article("a"):
                for _ in range(2):
                    with pytest.raises(openai.RateLimitError):
                        await ask(made, "first")
                await ask(made, "second")
                await ask(made, "first")

    with cassettes(tmp_path, "record") as tapes:
        asyncio.run(go())
    rows = load((tmp_path / "a.yaml").read_text()).interactions
    assert [(row.status, json.loads(row.sent)["messages"][1]["content"]) for row in rows] == [(200, "first"), (200, "second")]
    session(tmp_path, "replay", endpoint.url, "a", "first", "second")


def test_an_error_whose_twin_was_answered_late_is_not_kept_either():
    """Of two identical requests in flight, the answer counts though it was asked first and came last."""
    shelf = cassette._Shelf()
    first, second = shelf.issue(), shelf.issue()
    shelf.answer("digest", second, row(status=429))
    shelf.answer("digest", first, row(status=200))
    assert {number: made.status for number, made in shelf.rows.items()} == {0: 200}
    assert shelf.numbers == {"digest": [0]}


def test_an_error_that_was_never_answered_replays_at_once(tmp_path, endpoint):
    """It is kept once, without the wait it asked for, and tells the client not to retry."""
    endpoint.script = lambda number, body: (503, {"retry-after": "60"}, b"busy")

    async def go(times):
        async with client(endpoint.url) as made:
            with tapes.article("a"):
                for _ in range(times):
                    with pytest.raises(openai.InternalServerError) as caught:
                        await ask(made, "one")
        return caught.value.response

    with cassettes(tmp_path, "record") as tapes:
        asyncio.run(go(3))
    with cassettes(tmp_path, "replay") as tapes:
        response = asyncio.run(go(1))
        assert not tapes.unplayed()
    assert response.status_code == 503
    assert response.text == "busy"
    assert dict(response.headers) == {"content-type": "application/json", "x-should-retry": "false"}


def test_a_redirected_endpoint_replays_its_answer(tmp_path, endpoint):
    """The hop is not kept: its address would be the endpoint's."""
    elsewhere = f"http://127.0.0.1:{endpoint.port}/v1/chat/completions"
    endpoint.script = lambda number, body: (307, {"location": elsewhere}, b"") if number == 0 else None
    recorded = session(tmp_path, "record", endpoint.url, "a", "one")
    assert len(endpoint.asked) == 2
    with no_sockets():
        assert session(tmp_path, "replay", endpoint.url, "a", "one") == recorded


def test_no_file_holds_keys_accounts_cookies_or_the_endpoints_address(tmp_path, endpoint):
    """What vendors put into headers and quote in error bodies never reaches a file; the rest of the message does."""
    url = f"http://user-name:pass-word@127.0.0.1:{endpoint.port}/private-prefix/v1"
    quoted = (
        f"Incorrect key {KEY_SENT} or sk-ab***yz. (Bearer abc.DEF) for org-Abc123xyz in proj_99887766; user-name, pass-word; "
        f"see http://127.0.0.1:{endpoint.port}/help and 127.0.0.1, not 1127.0.0.10"
    )
    error = json.dumps({"error": {"message": quoted}}).encode()
    endpoint.script = lambda number, body: [(401, {}, error), (200, {}, error), None][number]

    async def go():
        async with client(url) as made:
            with tapes.article("a"):
                with pytest.raises(openai.AuthenticationError):
                    await ask(made, "one")
                await ask(made, "two")
                await ask(made, "three")

    with cassettes(tmp_path, "record") as tapes:
        asyncio.run(go())
    text = (tmp_path / "a.yaml").read_text()
    secrets = [
        "sk-",
        "abc.DEF",
        "org-",
        "proj_",
        "user-name",
        "pass-word",
        "cookie",
        "req-",
        "private-prefix",
        "authorization",
        "stainless",
    ]
    assert [secret for secret in [*secrets, str(endpoint.port), " 127.0.0.1", "//127"] if secret.lower() in text.lower()] == []
    assert text.count("Incorrect key [scrubbed] or [scrubbed]. (Bearer [scrubbed]) for [scrubbed] in [scrubbed]") == 2
    assert "see http://endpoint/help and endpoint, not 1127.0.0.10" in text
    assert set(yaml.safe_load(text)["interactions"][2]["response"]["headers"]) == {"content-type"}


@pytest.mark.parametrize("host", ["vllm", "error", "llm.internal"])
def test_a_hosts_name_is_scrubbed_where_it_is_an_address_and_the_json_stays_json(host):
    """A short host name may also be a word, or a key of the answer."""
    request = Asked("", f"http://{host}:8000/v1/chat/completions")
    found = json.loads(cassette_wire._scrub(json.dumps({"error": f"http://{host}/x {host}:8000 {host} refused"}).encode(), request))
    assert found == {"error": f"http://endpoint/x endpoint {'endpoint' if '.' in host else host} refused"}


def test_an_ordinary_answer_is_never_scrubbed(tmp_path, endpoint):
    """Words of an article that look like a key stay exact, since they are no error's."""
    endpoint.script = lambda number, body: (200, {}, reply('The leak shows sk-1234567890 and "error" from org-anisation.'))
    recorded = session(tmp_path, "record", endpoint.url, "a", "one")
    assert session(tmp_path, "replay", endpoint.url, "a", "one") == recorded
    assert b"sk-1234567890" in recorded[0]


def test_a_compressed_answer_is_stored_as_text(tmp_path, endpoint):
    """Gzip is undone in the file; an encoding that cannot be undone keeps its bytes and its header."""
    endpoint.script = lambda number, body: (200, {"content-encoding": "gzip"}, gzip.compress(reply("gezippt 😀")))
    recorded = session(tmp_path, "record", endpoint.url, "a", "one")
    assert "gezippt 😀" in (tmp_path / "a.yaml").read_text()
    assert session(tmp_path, "replay", endpoint.url, "a", "one") == recorded
    assert cassette_wire._decompress(b"\x8f\xff", "br") == (b"\x8f\xff", False)
    assert cassette_wire._decompress(b"\x1f\x8b\xff", "gzip") == (b"\x1f\x8b\xff", False)
    assert cassette_wire._decompress(b'{"undone": "by aiohttp"}', "zstd") == (b'{"undone": "by aiohttp"}', True)


def test_other_http_libraries_inside_an_article_are_recorded_whole(tmp_path, endpoint):
    """A call of the same process to another host passes through unharmed and replays."""
    picture = bytes(range(256)) * 10
    endpoint.script = lambda number, body: (200, {"content-type": "image/png"}, picture)

    def fetch():
        with (
            tapes.article("a"),
            urllib.request.urlopen(f"http://127.0.0.1:{endpoint.port}/v1/pictures/7?key=hidden", timeout=5) as response,
        ):
            return response.status, response.headers["content-type"], response.read()

    with cassettes(tmp_path, "record") as tapes:
        assert fetch() == (200, "image/png", picture)
    endpoint.close()
    assert "hidden" not in (tmp_path / "a.yaml").read_text()
    with no_sockets(), cassettes(tmp_path, "replay") as tapes:
        assert fetch() == (200, "image/png", picture)


# --- names -----------------------------------------------------------------------------------------------------------------------

HOSTILE = [
    "a/1", "a-1", "a 1", "A-1", "a_1", "../../etc/passwd", "..", ".", "", "/", "\\", "C:\\x", "con", "CON", "con.txt", "nul", "lpt1.x", ".hidden",
    "a.", "a..b", "東京.txt", "münchen", "munchen", "mu\u0308nchen", "news#1", "news#2", "x" * 300, "x" * 301, "x" * 80, "a\x00b", "a\nb", "\udcff", "manifest",
    "-rf", "yes", "null", "2025-07-25.txt", "{}", "[1]", file_name("a/1").removesuffix(".yaml"), "a\u202eb", " ", "README",
]  # fmt: skip


def test_hostile_ids_get_names_of_their_own_inside_the_folder(tmp_path):
    """No id reaches another folder, a hidden or device file, or another id's file, where case is ignored neither; none is lost."""
    with cassettes(tmp_path, "record") as tapes:
        for number, article in enumerate(HOSTILE):
            record_one(tapes, article, f'{{"n": {number}}}')
    names = [path.name for path in tmp_path.iterdir()]
    assert len({name.casefold() for name in names}) == len(HOSTILE) == len(names)
    assert all(
        name.isascii() and len(name) <= 85 and name[0].isalnum() and name.split(".")[0] not in ("con", "nul", "lpt1") for name in names
    )
    for article in HOSTILE:
        assert load((tmp_path / file_name(article)).read_text()).article_id == article
    with cassettes(tmp_path, "replay") as tapes:
        for number, article in enumerate(HOSTILE):
            with tapes.article(article):
                assert tapes._plays(Asked(f'{{"n": {number}}}'))
        assert not tapes.unplayed()


@given(st.lists(st.text(st.sampled_from("aA1-./ é\u0130ß"), max_size=6), unique=True, max_size=20))
def test_distinct_ids_have_distinct_names(ids):
    """However alike two ids are, their files differ on every file system."""
    assert len({file_name(article).casefold() for article in ids}) == len(ids)


# --- the file format -------------------------------------------------------------------------------------------------------------

AWKWARD = st.sampled_from([
    "yes", "No", "null", "~", "1e5", "1_000", "0x1F", "010", "12:30:45", "2025-07-25", "=", "<<", "---", "...", "- a", "? a", "a: b", "a #b", "#", "%", "@",
    "`", "&a", "*a", "!tag", "|", ">", "", " ", "a ", " a", "\t", "a\tb", "a\n", "a\n\n", "\na", "\n", "a\r\nb", "a\rb", "a\u2028b", "a\u0085b", "\x00", "\x7f", "\ufeff",
    "😀", "👨\u200d👩", "a\u00a0b", "\ud800", "\udc00x", "\uffff", "\U0010ffff", "x" * 5000, "a\n b", " a\nb", "a \nb", "a\n\nb", "'", '"', "\\", "\\n", "$json", "{}", "[]",
    '{"a": [1, "yes"]}', '{"a":"\\ud800"}', "{", "[1, 2", "a\u202eb", '{"$json": 1}', '[{"a": "{\\"b\\": \\"c\\\\nd\\"}"}]',
])  # fmt: skip
TEXT = st.one_of(AWKWARD, st.text(max_size=20), st.text(st.sampled_from("ab \n\t\r:#-'\"é😀\u2028"), max_size=30))
NUMBER = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1e22, 1e-7, -0.0, 5e-324, 10**400, 1.0])
)
KEY = st.one_of(TEXT, st.sampled_from(["$json", "$lines", "$base64", "value", "k" * 2000, "y"]))
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEY, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def json_bodies(draw):
    """JSON as clients and servers write it, and JSON inside JSON."""
    value = draw(VALUE)
    if draw(st.booleans()):
        value = {"content": json.dumps(value, indent=draw(st.sampled_from([None, 2])))}
    ascii_only = draw(st.booleans())
    layout = draw(st.sampled_from([{"separators": (",", ":")}, {}, {"indent": 2}, {"indent": 4}]))
    text = json.dumps(value, ensure_ascii=ascii_only, **layout) + draw(st.sampled_from(["", "\n", "\n\n", " "]))
    return text.encode("utf-8", "surrogatepass")


NOT_QUITE = st.sampled_from([
    b'{"a":NaN}', b"[Infinity]", b'{"a":1,"a":2}', b"[1E5]", b"[-0]", b'["\\u00e9", "\xc3\xa9"]', b"[" * 2000, b"[" * 50 + b"]" * 50,
    b'{"' + b"k" * 2000 + b'":1}', b'{"' + "é".encode() * 101 + b'":1}', b"\xef\xbb\xbf{}", b'data: {"a": 1}\n\ndata: [DONE]\n\n',
])  # fmt: skip
BODY = st.one_of(json_bodies(), NOT_QUITE, st.binary(max_size=40), TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))


def row(sent=b"{}", answer=b"{}", **more):
    """An interaction, mostly ordinary."""
    made = {"method": "POST", "uri": "https://endpoint/x", "content_type": None, "status": 200, "reason": "OK", "headers": ()}
    return Interaction(sent=sent, answer=answer, **{**made, **more})


@given(TEXT, st.lists(st.tuples(BODY, BODY), max_size=3))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_body_comes_back_byte_for_byte(article, bodies):
    """Whatever the bytes, the file gives them back; stock YAML readers see the same data, and no line is unreadable."""
    rows = tuple(row(sent, answer) for sent, answer in bodies)
    text = dump(article, rows)
    text.encode("utf-8")
    assert load(text) == (article, rows)
    assert load(text.replace("\n", "\r\n")) == (article, rows)  # a checkout that changes line ends
    assert dump(article, load(text).interactions) == text
    assert yaml.safe_load(text) == cassette_yaml._read(text)
    assert not set(text) & set("\r\t\x00\u2028\u0085\ufeff\u202e")


def test_the_file_reads_like_a_page():
    """Structure where it is JSON, one fact's field per line, texts as blocks, emoji as themselves."""
    facts = json.dumps(
        {"transfers": [{"quantity": "at least 10", "quote": 'He said: "soon" 😀', "n": None, "certainty": "yes"}]},
        indent=2,
        ensure_ascii=False,
    )
    sent = {"messages": [{"role": "user", "content": "Headline\n\nThe Übung # 1: begins.\n"}], "temperature": 1e22}
    made = row(
        json.dumps(sent, separators=(",", ":"), ensure_ascii=False).encode(),
        json.dumps({"content": facts}, ensure_ascii=False).encode(),
        headers=(("content-type", "application/json"),),
    )
    assert (
        dump("news/1.txt", [made])
        == """\
version: 1
metadata:
  article: news/1.txt
interactions:
  - request:
      method: POST
      uri: "https://endpoint/x"
      headers: {}
      body:
        $json: compact
        value:
          messages:
            - role: user
              content: |
                Headline

                The Übung # 1: begins.
          temperature: 1.0e+22
    response:
      status:
        code: 200
        message: OK
      headers:
        content-type:
          - application/json
      body:
        string:
          $json: spaced
          value:
            content:
              $json: indent2
              value:
                transfers:
                  - quantity: at least 10
                    quote: "He said: \\"soon\\" 😀"
                    "n": null
                    certainty: "yes"
"""
    )


def test_somebody_elses_cassette_runs_no_code(tmp_path):
    """A tag that makes Python objects is refused by name, and nothing is called."""
    touched = tmp_path / "touched"
    text = dump("a", [row()]).replace(
        "string:\n          $json: compact\n          value: {}",
        f'string: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ["{touched}"]]',
    )
    assert "python/object" in text
    (tmp_path / "a.yaml").write_text(text)
    with cassettes(tmp_path, "replay") as tapes, pytest.raises(UsageError, match="python/object") as caught, tapes.article("a"):
        pass
    assert "a.yaml" in str(caught.value)
    assert not touched.exists()


GOOD = dump("a", [row(b'{"a": "b"}', b'{"c": "d"}'), row(b"text", b"two\nlines \n")])
DAMAGED = {
    "cut in a string": (GOOD[: GOOD.index("endpoint")], "line"),
    "empty": ("", "0 documents"),
    "two documents": (GOOD + "---\n" + GOOD, "2 documents"),
    "a list": ("- a\n", "the file"),
    "another version": (GOOD.replace("version: 1", "version: 2"), "version"),
    "a status that is text": (GOOD.replace("code: 200", 'code: "200"'), "interactions.0.response.status.code"),
    "a body that is a number": (GOOD.replace("body: text", "body: 7"), "a body should be text"),
    "an unknown layout": (GOOD.replace("$json: spaced", "$json: odd"), "$json"),
    "lines that are numbers": (GOOD.replace("- two", "- 2"), "$lines"),
    "a missing part": (GOOD.replace("      method: POST\n", ""), "interactions.0.request.method"),
    "a key twice": (GOOD.replace("version: 1", "version: 1\nversion: 1"), "once"),
    "an alias": (GOOD.replace("body: text", "body: &a [*a]"), "alias"),
    "a date for a version": (GOOD.replace("version: 1", "version: 2025-13-45"), "version"),
    "deep nesting": (GOOD.replace("body: text", "body: " + "[" * 20_000), "nested deeper"),
    "no base64": (GOOD.replace("body: text", "body:\n        $base64: 'ä'"), "base64"),
    "base64 that is no text": (GOOD.replace("article: a", "article: {$base64: /w==}"), "UTF-8"),
    "a huge number": (GOOD.replace("version: 1", "version: " + "9" * 5000), "digits"),
    "a tab": (GOOD.replace("  article", "\tarticle"), "cannot start any token"),
    "an article that is a list": (GOOD.replace("article: a", "article: [a]"), "metadata.article"),
    "another article": (GOOD.replace("article: a", "article: b"), "should hold article 'a'"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_cassette_is_one_clear_error(tmp_path, damage):
    """The message names the file, what is wrong and what to do, before anything is asked."""
    text, expected = DAMAGED[damage]
    assert text != GOOD
    (tmp_path / "a.yaml").write_text(text)
    with cassettes(tmp_path, "replay") as tapes, pytest.raises(UsageError) as caught, tapes.article("a"):
        pass
    assert expected in str(caught.value)
    assert "a.yaml" in str(caught.value)
    assert "ecord" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.integers(0, len(GOOD)), st.binary(max_size=3))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_damage_is_a_traceback(position, noise):
    """Cut or overwritten anywhere, a cassette is read or is a damage we name."""
    text = (GOOD[:position].encode() + noise).decode("utf-8", "replace")
    for damaged in (text, text + GOOD[position + len(noise) :]):
        with contextlib.suppress(DamagedError):
            load(damaged)


def test_bytes_that_are_no_text_are_damage_too(tmp_path):
    """A binary file is named like any damaged one."""
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with cassettes(tmp_path, "replay") as tapes, pytest.raises(UsageError, match=r"a\.yaml"), tapes.article("a"):
        pass


# --- cost, crashes and full disks ------------------------------------------------------------------------------------------------


def test_lookup_costs_the_same_in_a_long_cassette(tmp_path, monkeypatch):
    """A request costs one digest in record and one in replay, and no comparison, however much is recorded."""
    count = {"digest": 0, "compare": 0}
    digest_of, differences = cassette.digest_of, cassette_wire._differences

    def counting(*args):
        count["digest"] += 1
        return digest_of(*args)

    def comparing(*args):
        count["compare"] += 1
        return differences(*args)

    monkeypatch.setattr(cassette, "digest_of", counting)
    monkeypatch.setattr(cassette_wire, "_differences", comparing)
    for size in (5, 500):
        folder = tmp_path / str(size)
        bodies = [f'{{"n": {n}}}' for n in range(size)]
        count["digest"] = 0
        with cassettes(folder, "record") as tapes, tapes.article("a"):
            for body in bodies:
                request = Asked(body)
                tapes._plays(request)
                tapes._keep(request, ANSWER)
        assert count["digest"] == size
        with cassettes(folder, "replay") as tapes, tapes.article("a"):
            count["digest"] = 0
            for body in reversed(bodies):
                request = Asked(body)
                assert tapes._plays(request)
                assert tapes._plays(request)  # some libraries ask twice
                assert tapes._answer(request)["body"]["string"] == b'{"a": 1}'
            assert count == {"digest": size, "compare": 0}
            assert not tapes.unplayed()


def full(self, target):
    """What renaming a file does on a full disk."""
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_old_file_whole_and_http_unpatched(tmp_path, endpoint, monkeypatch):
    """The article's end says so; no part of a file is visible, nothing stays patched, and the end says so again."""
    import httpx2

    real = httpx2.AsyncHTTPTransport.handle_async_request
    session(tmp_path, "record", endpoint.url, "a", "one")
    before = texts(tmp_path)

    def work():
        with cassettes(tmp_path, "record") as tapes:
            monkeypatch.setattr(pathlib.Path, "replace", full)
            with pytest.raises(LedgerError, match=r"a\.yaml"):
                record_one(tapes, "a", "two")

    with pytest.raises(LedgerError, match="No space left"):
        work()
    assert httpx2.AsyncHTTPTransport.handle_async_request is real
    assert texts(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
    monkeypatch.undo()
    with cassettes(tmp_path, "record"):
        pass


def test_room_made_in_time_loses_nothing(tmp_path, monkeypatch):
    """What could not be written at an article's end is written at the folder's."""
    with cassettes(tmp_path, "record") as tapes:
        monkeypatch.setattr(pathlib.Path, "replace", full)
        with pytest.raises(LedgerError):
            record_one(tapes, "a", "{}")
        monkeypatch.undo()
    assert len(load((tmp_path / "a.yaml").read_text()).interactions) == 1


def test_a_full_disk_does_not_hide_the_error_of_the_work(tmp_path, monkeypatch):
    """The body's own error comes out, with the lost file as a note."""

    def work():
        with cassettes(tmp_path, "record") as tapes:
            monkeypatch.setattr(pathlib.Path, "replace", full)
            record_one(tapes, "a", "{}", ZeroDivisionError())

    with pytest.raises(ZeroDivisionError) as caught:
        work()
    assert "No space left" in caught.value.__notes__[0]


def test_an_interrupted_run_keeps_every_answer_it_has(tmp_path):
    """Whatever stops an article, what was answered is in its file, complete and loadable."""

    def work():
        with cassettes(tmp_path, "record") as tapes:
            record_one(tapes, "a", "one", KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        work()
    assert len(load((tmp_path / "a.yaml").read_text()).interactions) == 1


def test_a_folder_that_cannot_be_written_is_found_before_the_first_request(tmp_path, monkeypatch):
    """Nothing is asked that could not be kept."""
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SettingsError, match="Cannot record into"), cassettes(folder, "record"):
            pass
    monkeypatch.setattr(pathlib.Path, "replace", full)
    with pytest.raises(SettingsError, match="No space left"), cassettes(tmp_path, "record"):
        pass


def test_replay_without_a_folder_says_how_to_get_one(tmp_path):
    """A wrong path is a usage error with the next move."""
    with pytest.raises(UsageError, match=r"record / --record .*pytest: --extractor-record"), cassettes(tmp_path / "none", "replay"):
        pass


def test_importing_the_module_does_not_import_vcr():
    """Runs without cassettes do not pay half a second for it."""
    code = "import sys, extractor.llm.cassette; print(sorted({'vcr', 'openai', 'aiohttp', 'httpx2'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}).stdout == "[]\n"


# --- the manifest ----------------------------------------------------------------------------------------------------------------

MANIFEST = Manifest(
    model="gpt-5-mini",
    mode="json_schema/strict",
    fact_types=("weapons_transfer", "funding_source"),
    prompts=("extract.v1", "repair.v1"),
    fingerprints={"weapons_transfer": "b2:00", "funding_source": "b2:01"},
    temperature=0.5,
    part_chars=2000,
    repairs=1,
)


@pytest.mark.parametrize("manifest", [MANIFEST, Manifest(model="m", mode=None, fact_types=(), prompts=())])
def test_a_manifest_comes_back_and_leaves_no_other_file(tmp_path, manifest):
    """What was written is read, over an older one too."""
    write_manifest(tmp_path / "new", MANIFEST)
    write_manifest(tmp_path / "new", manifest)
    assert read_manifest(tmp_path / "new") == manifest
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "has no manifest.json"),
        ("{", "Cannot read"),
        ("[]", "is not a manifest"),
        ('{"name": "my-web-app", "version": 1}', "is not a manifest"),
        ('{"format": "extractor cassettes", "version": 2}', "Upgrade"),
        ('{"format": "extractor cassettes", "version": 1, "model": 7}', "damaged at 'model'"),
        ('{"format": "extractor cassettes", "version": 1, "model": "m", "mode": null, "fact_types": [], "prompts": [], "odd": 1}', "'odd'"),
    ],
)
def test_a_manifest_that_is_absent_broken_newer_or_anothers_is_a_clear_error(tmp_path, text, expected):
    """Each is told apart, with the path and the next move."""
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match=r"ecord|Upgrade") as caught:
        read_manifest(tmp_path)
    assert expected in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_manifest_that_cannot_be_written_is_a_clear_error(tmp_path, monkeypatch):
    """A full disk is named with the file."""
    monkeypatch.setattr(pathlib.Path, "replace", full)
    with pytest.raises(LedgerError, match=r"manifest\.json.*No space left"):
        write_manifest(tmp_path, MANIFEST)
    assert list(tmp_path.iterdir()) == []
