import asyncio
import gc
import json
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from openai._utils._json import openapi_dumps
from pydantic import Field, SecretStr

from extractor.errors import CassetteMiss, EndpointError, SettingsError, UsageError
from extractor.facts.fact import Fact
from extractor.fingerprint import fingerprint
from extractor.llm import transport as transport_module
from extractor.llm import wire as wire_module
from extractor.llm.client import Client
from extractor.llm.endpoint import Endpoint
from extractor.llm.modes import MODES, tidy
from extractor.llm.responses import retry_after_s
from extractor.records import Attempt, Call, Prompt, Reply
from extractor.schemas import FundingSource, NegotiationProposal, WeaponsTransfer
from extractor.settings import Settings
from extractor.testing import Fault, LoopbackEndpoint, Raw, completion, mode_of

KEY = "sk-proj-AbCdEf0123456789_secret-tail"
SHIPPED = {"weapons_transfer": WeaponsTransfer, "funding_source": FundingSource, "negotiation_proposal": NegotiationProposal}


class Rumour(Fact):
    """A rumour, as the article tells it.

    Only what is called one.
    """

    title: str = Field(description="What the rumour is called.")
    default: str | None = Field(default=None, description="What holds otherwise.")
    weight: int = Field(default=3, description="From 1 to 5.")


TYPES = {"rumour": Rumour, "funding_source": FundingSource}
GOOD = {"rumour": [{"title": "a"}, {"title": "b"}], "funding_source": []}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Waits are a hundredth, and no setting comes from the machine that the tests run on."""
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    monkeypatch.setattr(transport_module, "_BLIND_PAUSE_S", 0.02)
    monkeypatch.setattr(transport_module, "_AFTER_PAUSE_S", 0.01)
    # reading the certificates takes 30 ms a client, and no test here speaks TLS
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "HTTP_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["aiohttp", "httpx"])
def library(request, monkeypatch):
    """What carries the requests: aiohttp, or httpx as through a proxy."""
    if request.param == "httpx":
        monkeypatch.setattr(wire_module.Wire, "_is_plain", lambda *_: False)
    return request.param


def _call(number=0, kind="extract", types=TYPES, user=None):
    prompt = Prompt(name="extract.v1", system="Rules.", user=user or f"Article number {number}.")
    return Call(kind=kind, article_id=f"a{number}", fact_types=tuple(types), prompt=prompt)


class Run(NamedTuple):
    """What became of some calls."""

    results: list[Reply | BaseException]
    attempts: list[Attempt]
    requests: list[dict]
    times: list[float]
    client: Client

    @property
    def reply(self):
        """The only reply; an error is raised."""
        (result,) = self.results
        if isinstance(result, BaseException):
            raise result
        return result

    @property
    def modes(self):
        """How each request carried its schema."""
        return [mode_of(request) for request in self.requests]


def _run(answer, *, calls=None, mode="json_schema/strict", at_once=False, types=TYPES, **options):
    """Real calls to a real server on loopback, one after the other or all at once."""
    with LoopbackEndpoint(answer) as endpoint:
        assert endpoint.base_url.startswith("http://127.0.0.1:")
        settings = Settings(
            **{"base_url": endpoint.base_url, "model": "some-model", "api_key": SecretStr(KEY), "attempts": 2, "timeout_s": 20} | options
        )
        attempts: list[Attempt] = []

        async def ask_all():
            async with Client(settings, types, mode=mode) as client:
                asked = [client.ask(call, lambda _, attempt: attempts.append(attempt)) for call in calls or [_call()]]
                if at_once:
                    return await asyncio.gather(*asked, return_exceptions=True), client
                results = []
                for ask in asked:
                    results += await asyncio.gather(ask, return_exceptions=True)
                return results, client

        results, client = asyncio.run(ask_all())
    return Run(results, attempts, endpoint.requests, endpoint.times, client)


def _error(status, message="no", headers=None, **fields):
    return Raw({"error": {"message": message, **fields}}, status, headers or {})


def _text(request, text, **options):
    return Raw(completion(request, text, **options))


def _with(request, **changes):
    """A good completion with changed fields of its first choice's message, or of the whole (`top_…`)."""
    body = completion(request, GOOD)
    for name, value in changes.items():
        if name.startswith("top_"):
            body[name[4:]] = value
        else:
            body["choices"][0]["message"][name] = value
    return Raw(body)


def _in_turn(answers, then=None):
    """One answer after the other, then always `then`."""
    left = iter(answers)

    def answer(request):
        return next(left, then)(request)

    return answer


def _tool(arguments):
    return {"id": "c", "type": "function", "function": {"name": "Facts", "arguments": arguments}}


WHOLE = json.dumps(GOOD)
ANSWERS = {
    # name: (what the server does, outcome, HTTP requests with two attempts allowed)
    "good": (lambda r: GOOD, "ok", 1),
    "fenced": (lambda r: f"Here you are:\n```json\n{WHOLE}\n```\nAnything else?", "ok", 1),
    "no usage": (lambda r: _text(r, WHOLE, usage=False), "ok", 1),
    "arguments as an object": (lambda r: _with(r, content=None, tool_calls=[_tool(GOOD)]), "ok", 1),
    "two tool calls": (lambda r: _with(r, content=None, tool_calls=[_tool('{"rumour": [1], "funding_source": []}'), _tool('{"rumour": [2]}')]), "ok", 1),
    "content in parts": (lambda r: _with(r, tool_calls=None, content=[{"type": "text", "text": WHOLE[:9]}, {"type": "text", "text": WHOLE[9:]}]), "ok", 1),
    "missing comma": (lambda r: WHOLE.replace("}, {", "} {"), "partial", 1),
    "cut, and called finished": (lambda r: WHOLE[:40], "partial", 1),
    "prose": (lambda r: "I found two rumours.", "unparsable", 1),
    "other keys": (lambda r: {"facts": []}, "unparsable", 1),
    "cut at the limit": (lambda r: _text(r, WHOLE[:40], finish_reason="length"), "length", 1),
    "nothing but reasoning": (lambda r: _text(r, "", finish_reason="length"), "length", 1),
    "whole at the limit": (lambda r: _text(r, WHOLE + "   ", finish_reason="length"), "ok", 1),
    "refusal": (lambda r: _text(r, "", refusal="I cannot help with that."), "refusal", 1),
    "withheld": (lambda r: _text(r, "", finish_reason="content_filter"), "content_filter", 1),
    "prompt withheld": (lambda r: _error(400, code="content_filter"), "content_filter", 1),
    "prompt flagged": (lambda r: _error(403, "input was flagged by moderation"), "content_filter", 1),
    "no text": (lambda r: _text(r, ""), "no_content", 1),
    "null content": (lambda r: _with(r, content=None, tool_calls=None), "no_content", 1),
    "no choices": (lambda r: _with(r, top_choices=[]), "empty", 2),
    "null choices": (lambda r: _with(r, top_choices=None), "empty", 2),
    "error under 200": (lambda r: Raw({"error": {"message": "upstream failed", "code": 502}}), "error_body", 2),
    "overflow under 200": (lambda r: Raw({"error": {"message": "x", "code": "context_length_exceeded"}}), "context_overflow", 1),
    "html": (lambda r: Raw("<html>hello</html>", headers={"content-type": "text/html"}), "not_json", 2),
    "html called json": (lambda r: Raw("<html>hello</html>"), "not_json", 2),
    "no body": (lambda r: Raw(b""), "not_json", 2),
    "an array": (lambda r: Raw("[]"), "not_json", 2),
    "null": (lambda r: Raw("null"), "not_json", 2),
    "choices of another type": (lambda r: _with(r, top_choices="abc"), "not_json", 2),
    "choice of another type": (lambda r: _with(r, top_choices=[5]), "not_json", 2),
    "null message": (lambda r: _with(r, top_choices=[{"index": 0, "message": None}]), "not_json", 2),
    "deep nesting": (lambda r: Raw("[" * 100_000), "not_json", 2),
    "bytes": (lambda r: Raw(b"\xff\xfe\x00"), "not_json", 2),
    "not gzip": (lambda r: Raw(b"plain", headers={"content-encoding": "gzip"}), "not_json", 2),
    "429": (lambda r: _error(429), "rate_limited", 2),
    "500": (lambda r: _error(500), "server_error", 2),
    "501": (lambda r: _error(501), "server_error", 1),
    "503 in html": (lambda r: Raw("<html>busy</html>", 503, {"content-type": "text/html"}), "server_error", 2),
    "529": (lambda r: _error(529), "server_error", 2),
    "408": (lambda r: _error(408), "server_error", 2),
    "409": (lambda r: _error(409), "server_error", 2),
    "500, not again": (lambda r: _error(500, headers={"x-should-retry": "false"}), "server_error", 1),
    "400": (lambda r: _error(400), "bad_request", 1),
    "413": (lambda r: _error(413), "bad_request", 1),
    "422 of another form": (lambda r: Raw({"detail": "no"}, 422), "bad_request", 1),
    "418 without a body": (lambda r: Raw(b"", 418), "bad_request", 1),
    "overflow, OpenAI": (lambda r: _error(400, code="context_length_exceeded"), "context_overflow", 1),
    "overflow, llama.cpp": (lambda r: _error(400, type="exceed_context_size_error", n_ctx=4096), "context_overflow", 1),
    "overflow, vLLM": (lambda r: Raw({"object": "error", "message": "This model's maximum context length is 4096 tokens."}, 400), "context_overflow", 1),
    "dropped": (lambda r: Fault("drop"), "reset", 2),
    "half a body": (lambda r: Fault("half"), "reset", 2),
    "reset": (lambda r: Fault("reset"), "reset", 2),
}  # fmt: skip


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("mode", ["json_schema/strict", "tools/strict", "md_json"])
@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_has_its_outcome_and_every_request_its_attempt(name, mode):
    """Whatever a server does becomes one outcome, the same in every mode; each HTTP request is one logged attempt with its usage."""
    answer, outcome, requests = ANSWERS[name]
    run = _run(
        lambda r: GOOD if r["messages"][1]["content"].startswith("first") else answer(r), mode=mode, calls=[_call(user="first"), _call()]
    )
    first, reply = run.results
    assert first.outcome == "ok"
    assert reply.outcome == outcome
    assert run.modes == [mode] * (1 + requests)
    attempts = run.attempts[1:]
    assert [attempt.outcome for attempt in attempts] == [outcome] * requests
    assert reply.usage.attempts == requests
    assert reply.usage.unreported == sum(attempt.usage.unreported for attempt in attempts)
    assert all((attempt.usage.input_tokens > 0) is (attempt.usage.unreported == 0) for attempt in attempts)
    assert all((attempt.error is None) == (outcome == "ok") for attempt in attempts)
    assert all(attempt.key == run.client.key(_call()) and attempt.mode == mode for attempt in attempts)


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("good", 2),
        ("two tool calls", 2),
        ("missing comma", 2),
        ("cut at the limit", 1),
        ("cut, and called finished", 1),
        ("prose", 0),
        ("refusal", 0),
    ],
)
def test_items_are_what_closed(name, items):
    """A reply's items are the closed elements of its text, however it ended."""
    reply = _run(ANSWERS[name][0]).reply
    assert len(reply.items) == items
    assert all(json.loads(item.json_text) is not None for item in reply.items)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("answer", [Fault("hang"), Fault("drip", every_s=0.01), Raw(b"{}", delay_s=5)], ids=["hang", "drip", "late"])
def test_slow_answer_is_a_timeout(answer):
    """An attempt ends after `timeout_s` even when bytes keep dripping, which never trips a read timeout."""
    began = time.monotonic()
    run = _run(lambda r: answer, timeout_s=0.25)
    assert run.reply.outcome == "timeout"
    assert len(run.requests) == len(run.attempts) == 2
    assert time.monotonic() - began < 3


def test_usage_of_failed_attempts_counts():
    """Tokens of an attempt that failed were paid for, so they are in the reply's usage beside those of the one that worked."""
    run = _run(_in_turn([lambda r: _with(r, top_choices=[]), lambda r: _error(500), lambda r: GOOD]), attempts=5)
    usage = run.reply.usage
    assert (usage.attempts, usage.unreported) == (3, 1)
    assert [attempt.usage.unreported for attempt in run.attempts] == [0, 1, 0]
    assert usage.input_tokens == 2 * run.attempts[0].usage.input_tokens > 0
    assert run.reply.outcome == "ok"


def test_cached_tokens_are_counted():
    """The part of the prompt that the provider had cached is told apart."""
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107, "prompt_tokens_details": {"cached_tokens": 64}}
    usage = _run(lambda r: _with(r, top_usage=usage)).reply.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (100, 64, 7)


def test_cached_tokens_that_are_counted_apart_are_added():
    """More tokens from the cache than were sent are no part of them: a cost below that of the tokens sent, or below 0, is never told."""
    usage = {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17, "prompt_tokens_details": {"cached_tokens": 900}}
    run = _run(lambda r: _with(r, top_usage=usage), price_usd=(1.0, 1.0))
    assert (run.reply.usage.input_tokens, run.reply.usage.cached_tokens) == (910, 900)
    assert run.reply.cost_usd == pytest.approx(917e-6)


@pytest.mark.parametrize("count", [-9000, 10**25, 1.5, None], ids=str)
def test_tokens_that_cannot_be_are_not_reported(count):
    """A number that is no number of tokens is told as none: it would be taken off the cost, or not go into a ledger."""
    usage = {"prompt_tokens": count, "completion_tokens": 7, "total_tokens": 7}
    reply = _run(lambda r: _with(r, top_usage=usage)).reply
    assert (reply.outcome, reply.usage.unreported, reply.usage.input_tokens) == ("ok", 1, 0)


# --- waiting


def test_retry_after_stops_everybody():
    """One 429 with Retry-After is a pause for all: no request arrives before it ends."""
    seen = Counter()

    def answer(request):
        user = request["messages"][1]["content"]
        seen[user] += 1
        return GOOD if seen[user] > 1 else _error(429, headers={"retry-after": "1"})

    run = _run(answer, calls=[_call(number) for number in range(8)], at_once=True, attempts=3)
    assert {reply.outcome for reply in run.results} == {"ok"}
    assert len(run.requests) == len(run.attempts) == 16
    last_refusal, first_later = run.times[7], run.times[8]
    assert first_later - last_refusal >= 0.9
    assert all(attempt.retry_after_s == 1 for attempt in run.attempts[:8])


def test_pause_beyond_the_budget_fails_at_once():
    """A wait that the call cannot outlast is not begun, and calls that come during it send nothing."""
    began = time.monotonic()
    run = _run(lambda r: _error(429, headers={"retry-after": "30"}), calls=[_call(1), _call(2)], retry_budget_s=2)
    first, second = run.results
    assert (first.outcome, first.usage.attempts) == ("rate_limited", 1)
    assert (second.outcome, second.usage.attempts) == ("rate_limited", 0)
    assert "30 s" in second.error or "29 s" in second.error
    assert len(run.requests) == len(run.attempts) == 1
    assert time.monotonic() - began < 3


def test_wish_to_wait_is_granted_for_a_server_error_too():
    """A 500 that says how long to wait is sent again after that time, not after our own."""
    run = _run(_in_turn([lambda r: _error(500, headers={"retry-after-ms": "300"})], then=lambda r: GOOD))
    assert run.reply.outcome == "ok"
    assert run.times[1] - run.times[0] >= 0.3


def test_attempts_and_budget_bound_the_requests():
    """A server that fails for ever gets `attempts` requests, and one where there is no time to wait."""
    assert len(_run(lambda r: _error(500), attempts=5).requests) == 5
    assert len(_run(lambda r: _error(500), attempts=5, retry_budget_s=0).requests) == 1


@pytest.fixture
def in_new_york(monkeypatch):
    """The clock of a machine that is not set to UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7), ({"retry-after": "0.5"}, 0.5), ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30), ({"retry-after": "Sun, 22 Nov 2026 12:00:30 -0000"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0), ({"retry-after": "soon"}, None), ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None), ({"retry-after": "inf"}, None), ({}, None), ({"retry-after-ms": "x", "retry-after": "3"}, 3),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_all_its_forms(headers, seconds, in_new_york):
    """Seconds, milliseconds and HTTP dates, which are GMT wherever we are, are understood; what is none of them is no wish."""
    assert retry_after_s(headers, now=datetime(2026, 11, 22, 12, tzinfo=UTC)) == seconds


# --- the walk through the modes


def _accepting(*modes, otherwise=lambda r: _error(400, "unknown field")):
    return lambda request: GOOD if mode_of(request) in modes else otherwise(request)


def test_first_mode_that_gives_the_shape_is_kept():
    """A server that takes strict schemas costs no request beyond the calls themselves."""
    run = _run(lambda r: GOOD, mode=None, calls=[_call(1), _call(2)])
    assert run.modes == ["json_schema/strict"] * 2
    assert run.client.mode == "json_schema/strict"


@pytest.mark.parametrize(
    "otherwise", [lambda r: _error(400), lambda r: _error(422), lambda r: _error(501), lambda r: "prose", lambda r: ""]
)
@pytest.mark.parametrize("mode", MODES)
def test_walk_ends_at_the_mode_that_works(mode, otherwise):
    """Modes are tried best first, each once; what they cost is in the call's usage, and the next call goes straight to the right one."""
    run = _run(_accepting(mode, otherwise=otherwise), mode=None, calls=[_call(1), _call(2)])
    walked = list(MODES)[: list(MODES).index(mode) + 1]
    assert run.modes == [*walked, mode]
    assert [result.outcome for result in run.results] == ["ok", "ok"]
    assert run.results[0].usage.attempts == len(walked)
    assert len(run.attempts) == len(run.requests)


def test_server_that_crashes_on_a_schema_is_walked_past():
    """A 500 for an unknown response_format is tried twice at first, then taken for the mode's fault."""
    run = _run(_accepting("tools/strict", otherwise=lambda r: _error(500)), mode=None, attempts=5)
    assert run.modes == ["json_schema/strict"] * 2 + ["tools/strict"]
    assert run.client.mode == "tools/strict"


def test_server_that_ignores_formats_ends_where_the_schema_is_in_the_prompt():
    """Where neither schema nor tool reaches the model, it is told in words."""
    run = _run(lambda r: f"Sure:\n{WHOLE}" if "json_schema" in r["messages"][0]["content"] else "prose", mode=None)
    assert run.client.mode == "json"
    assert run.reply.outcome == "ok"


def test_openrouter_without_tool_hosts_is_walked_past():
    """OpenRouter answers 404 for a feature that no host of the model has; that is no missing model."""
    run = _run(_accepting("json", otherwise=lambda r: _error(404, "No endpoints found that support tool use")), mode=None)
    assert run.client.mode == "json"


def test_broken_server_is_no_evidence_against_modes():
    """When everything is a 500, the article fails as such, after a bounded number of requests, and the modes stay open."""
    run = _run(lambda r: _error(500), mode=None, attempts=5)
    assert run.reply.outcome == "server_error"
    assert len(run.requests) == 7
    assert run.client.mode is None


@pytest.mark.parametrize("nonsense", ["I cannot read.", "", '{"other": []}'])
def test_nonsense_for_ever_costs_a_bounded_number_of_requests(nonsense):
    """Two calls may walk in vain; after that each call costs one request and fails by itself."""
    run = _run(lambda r: nonsense, mode=None, calls=[_call(number) for number in range(5)])
    assert len(run.requests) == 6 + 6 + 1 + 1 + 1
    assert {reply.outcome for reply in run.results} == {"unparsable" if nonsense else "no_content"}
    assert run.client.mode == "json_schema/strict"


def test_incomplete_answers_for_ever_settle_on_the_mode_that_gave_them():
    """An object without some of the arrays is not the shape, but nearer to it than prose: its mode is taken when the walk ends."""
    run = _run(
        _accepting(otherwise=lambda r: {"rumour": [1]} if mode_of(r) == "json" else "prose"), mode=None, calls=[_call(n) for n in range(3)]
    )
    assert run.client.mode == "json"
    assert [(reply.outcome, reply.missing) for reply in run.results] == [("ok", ("funding_source",))] * 3
    assert len(run.requests) == 13


@pytest.mark.parametrize("name", ["refusal", "withheld", "429", "half a body", "overflow, OpenAI", "nothing but reasoning", "html"])
def test_what_befell_the_article_is_no_evidence_against_a_mode(name):
    """The first article's own bad luck is its reply; the walk starts anew with the next call."""
    run = _run(_in_turn([ANSWERS[name][0]] * ANSWERS[name][2], then=lambda _: GOOD), mode=None, calls=[_call(1), _call(2)])
    assert [reply.outcome for reply in run.results] == [ANSWERS[name][1], "ok"]
    assert set(run.modes) == {"json_schema/strict"}


def test_answer_cut_before_any_array_proves_no_mode():
    """A model that spent its whole limit on reasoning has shown nothing of the shape."""
    run = _run(ANSWERS["nothing but reasoning"][0], mode=None)
    assert run.client.mode is None


@pytest.mark.parametrize("name", ["cut at the limit", "missing comma"])
def test_broken_off_answer_shows_the_shape(name):
    """An answer that broke off inside an asked array proves its mode."""
    run = _run(ANSWERS[name][0], mode=None)
    assert run.client.mode == "json_schema/strict"
    assert len(run.requests) == 1


@pytest.fixture
def far(monkeypatch):
    """The endpoint is as good as on another machine, where a wrong guess may be billed."""
    monkeypatch.setattr(Endpoint, "is_loopback", property(lambda _: False))


@pytest.mark.usefixtures("far")
def test_first_calls_at_once_walk_once():
    """Sixteen calls at the start wait for one walk."""
    run = _run(_accepting("tools"), mode=None, calls=[_call(number) for number in range(16)], at_once=True)
    assert run.modes == ["json_schema/strict", "tools/strict", "json_schema"] + ["tools"] * 16
    assert {reply.outcome for reply in run.results} == {"ok"}


def test_first_calls_at_once_do_not_wait_where_a_guess_is_free():
    """Sixteen calls at the start of a run on this machine are all on the wire before the first is answered."""
    together = threading.Barrier(16, timeout=20)

    def answer(request):
        together.wait()
        return GOOD

    run = _run(answer, mode=None, calls=[_call(number) for number in range(16)], at_once=True)
    assert {reply.outcome for reply in run.results} == {"ok"}
    assert run.modes == ["json_schema/strict"] * 16
    assert run.client.mode == "json_schema/strict"


@pytest.mark.parametrize("otherwise", [lambda r: _error(400), lambda r: "prose"])
def test_a_wrong_guess_costs_one_request_a_call(otherwise):
    """Those that guessed wrong wait for one walk, which does not ask again what was refused, and ask in the mode that it found."""
    together = threading.Barrier(8, timeout=20)

    def answer(request):
        if mode_of(request) == "json_schema/strict":
            together.wait()
        return _accepting("tools", otherwise=otherwise)(request)

    run = _run(answer, mode=None, calls=[_call(number) for number in range(8)], at_once=True)
    assert {reply.outcome for reply in run.results} == {"ok"}
    assert Counter(run.modes) == {"json_schema/strict": 8, "tools/strict": 1, "json_schema": 1, "tools": 8}
    assert run.client.mode == "tools"


def test_a_right_guess_leaves_a_call_all_its_attempts():
    """A call that the guess was given up for too early goes on once another call has shown that the guess was right."""
    tries = Counter()

    def answer(request):
        article = request["messages"][-1]["content"]
        tries[article] += 1
        return _error(500) if "number 0" in article and tries[article] < 4 else GOOD

    run = _run(answer, mode=None, calls=[_call(number) for number in range(3)], at_once=True, attempts=4)
    assert [reply.outcome for reply in run.results] == ["ok"] * 3
    assert set(run.modes) == {"json_schema/strict"}
    assert len(run.requests) == 6


def test_an_answer_is_never_asked_for_twice():
    """A good answer to a guess counts, though another call has found another mode in the meantime."""
    walked = threading.Event()

    def answer(request):
        if "number 0" in request["messages"][-1]["content"]:
            assert walked.wait(20)
            return GOOD
        return GOOD if mode_of(request) == "tools/strict" else _error(400)

    async def ask_all(base_url):
        async with Client(Settings(base_url=base_url), TYPES) as client:
            slow = asyncio.create_task(client.ask(_call(0)))
            await asyncio.sleep(0)
            assert (await client.ask(_call(1))).outcome == "ok"
            walked.set()
            return (await slow).outcome, client.mode

    with LoopbackEndpoint(answer) as endpoint:
        assert asyncio.run(ask_all(endpoint.base_url)) == ("ok", "tools/strict")
    assert Counter(mode_of(request) for request in endpoint.requests) == {"json_schema/strict": 2, "tools/strict": 1}


def test_calls_that_wait_for_a_walk_hold_no_place():
    """One place on the wire, and calls that failed with it: the one that walks still gets there."""

    def answer(request):
        if mode_of(request) == "json_schema/strict":
            return _error(500) if "number 0" in request["messages"][-1]["content"] else _error(400)
        return GOOD

    async def ask_all(base_url):
        free = asyncio.Semaphore(1)

        @asynccontextmanager
        async def place():
            async with free:
                yield

        async with Client(Settings(base_url=base_url, attempts=2), TYPES) as client:
            async with asyncio.timeout(20):
                return await asyncio.gather(*(client.ask(_call(number), place=place) for number in (1, 0, 2, 3)))

    with LoopbackEndpoint(answer) as endpoint:
        assert {reply.outcome for reply in asyncio.run(ask_all(endpoint.base_url))} == {"ok"}


def test_an_odd_article_does_not_undo_a_right_guess():
    """A call that got no shape where the others did is answered as it is, in the mode that they have settled."""
    settled = threading.Event()

    def answer(request):
        if "number 0" not in request["messages"][-1]["content"]:
            return GOOD
        assert settled.wait(20)
        return "prose"

    async def ask_all(base_url):
        async with Client(Settings(base_url=base_url), TYPES) as client:
            odd = asyncio.create_task(client.ask(_call(0)))
            await asyncio.gather(*(client.ask(_call(number)) for number in range(1, 4)))
            settled.set()
            return await odd

    with LoopbackEndpoint(answer) as endpoint:
        assert asyncio.run(ask_all(endpoint.base_url)).outcome == "unparsable"
    assert [mode_of(request) for request in endpoint.requests] == ["json_schema/strict"] * 4


def test_remembered_mode_that_is_refused_is_walked_again():
    """A mode out of an earlier run may be stale: eight calls find that out, one of them walks."""
    run = _run(_accepting("tools/strict"), mode="json_schema/strict", calls=[_call(number) for number in range(8)], at_once=True)
    assert Counter(run.modes) == {"json_schema/strict": 8, "tools/strict": 8}
    assert {reply.outcome for reply in run.results} == {"ok"}
    assert run.client.mode == "tools/strict"


def test_late_refusal_of_a_stale_mode_is_asked_again():
    """A call whose refusal comes after another call has found the right mode is no lost call."""
    slow = Raw({"error": {"message": "no"}}, 400, delay_s=0.3)
    otherwise = lambda r: slow if "number 1" in r["messages"][1]["content"] else _error(400)  # noqa: E731
    run = _run(_accepting("tools/strict", otherwise=otherwise), mode="json_schema/strict", calls=[_call(1), _call(2)], at_once=True)
    assert {reply.outcome for reply in run.results} == {"ok"}
    assert run.modes == ["json_schema/strict"] * 2 + ["tools/strict"] * 2


def test_proven_mode_is_not_doubted():
    """A 400 in a mode that has worked is the article's own."""
    run = _run(lambda r: _error(400) if "number 2" in r["messages"][1]["content"] else GOOD, calls=[_call(number) for number in range(4)])
    assert [reply.outcome for reply in run.results] == ["ok", "ok", "bad_request", "ok"]
    assert len(run.requests) == 4


def test_server_that_refuses_every_mode_ends_the_run_at_the_second_call():
    """One article may be odd; two that no mode can carry mean that nothing will work."""
    run = _run(lambda r: _error(400, "strange request"), mode=None, calls=[_call(1), _call(2)])
    first, second = run.results
    assert first.outcome == "bad_request"
    assert isinstance(second, EndpointError)
    assert "No mode works" in str(second)
    assert "strange request" in str(second)
    assert len(run.requests) == 12


def test_broken_server_does_not_count_towards_the_end():
    """A walk through nothing but 500s says nothing about the modes, so one odd article after it does not end the run."""
    run = _run(lambda r: _error(500 if "number 1" in r["messages"][1]["content"] else 400), mode=None, calls=[_call(1), _call(2)])
    assert [reply.outcome for reply in run.results] == ["server_error", "bad_request"]


# --- what ends the run


@pytest.mark.parametrize("mode", [None, "tools/strict"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_error(401, f"Incorrect API key provided: {KEY}"), ["OPENAI_API_KEY", "base_url / --base-url", "401"]),
        (_error(403, "Project proj_abc123 has no access"), ["some-model", "OPENAI_API_KEY", "403"]),
        (_error(404, "The model does not exist"), ["some-model", "model / --model", "base_url / --base-url", "404"]),
        (Raw("404 page not found", 404), ["some-model", "--base-url"]),
        (_error(402, "Insufficient balance of org-abc123"), ["quota", "credit"]),
        (_error(429, "You exceeded your current quota", code="insufficient_quota"), ["quota", "credit"]),
        (_error(400, "Unsupported value: 'temperature'", param="temperature"), ["'temperature'", "refused"]),
        (_error(400, "invalid model ID", code="invalid_model"), ["some-model", "--model"]),
    ],
)  # fmt: skip
def test_what_concerns_every_call_ends_the_run(answer, words, mode):
    """A refusal that every call would meet is raised after one request, with the next move and without a secret."""
    run = _run(lambda r: answer, mode=mode)
    (error,) = run.results
    assert isinstance(error, EndpointError)
    assert error.status == answer.status
    assert all(word in str(error) for word in words)
    assert len(run.requests) == len(run.attempts) == 1
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


@pytest.mark.usefixtures("far")
def test_calls_that_waited_for_the_walk_hear_its_end():
    """Calls behind the first do not each ask a dead endpoint again."""
    run = _run(lambda r: _error(401), mode=None, calls=[_call(number) for number in range(8)], at_once=True)
    assert all(isinstance(error, EndpointError) and error.status == 401 for error in run.results)
    assert len(run.requests) == 1


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("mode", [None, "json_schema/strict"])
def test_nothing_listening_ends_the_run_soon(mode):
    """A refused connection at the very start says that no server is there, after three tries."""
    attempts = []

    async def ask():
        settings = Settings(base_url=f"http://127.0.0.1:{_free_port()}/v1", attempts=20)
        async with Client(settings, TYPES, mode=mode) as client:
            await client.ask(_call(), lambda _, attempt: attempts.append(attempt))

    with pytest.raises(EndpointError, match=r"Nothing answers at 'http://127.*Is the server running\? Check base_url / --base-url"):
        asyncio.run(ask())
    assert [attempt.outcome for attempt in attempts] == ["no_connection"] * 3


@pytest.mark.usefixtures("library")
def test_server_that_goes_away_fails_no_article():
    """A connection that is refused at every attempt is the endpoint's doing, also when it has answered before: the next would fare the same."""

    async def ask(endpoint):
        async with Client(Settings(base_url=endpoint.base_url, attempts=2), TYPES) as client:
            first = await client.ask(_call(1))
            await asyncio.to_thread(endpoint.__exit__, None, None, None)
            with pytest.raises(EndpointError, match=r"any more.*The same command goes on once it does"):
                await client.ask(_call(2), lambda _, attempt: attempts.append(attempt.outcome))
            return first

    attempts = []
    first = asyncio.run(ask(LoopbackEndpoint(lambda r: GOOD).__enter__()))
    assert (first.outcome, attempts) == ("ok", ["no_connection"] * 2)


# --- what is sent


def _violations(schema, path="$"):
    """What strict decoding would refuse, by my own reading of OpenAI's rules: closed objects, all keys required, no oneOf, no default."""
    if isinstance(schema, list):
        return [found for index, part in enumerate(schema) for found in _violations(part, f"{path}[{index}]")]
    if not isinstance(schema, dict):
        return []
    found = [f"{path}: {key}" for key in ("oneOf", "allOf", "default", "discriminator", "patternProperties") if key in schema]
    if path != "$" and "title" in schema:
        found.append(f"{path}: title")
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            found.append(f"{path}: open")
        if sorted(schema.get("required", [])) != sorted(schema["properties"]):
            found.append(f"{path}: not all required")
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            found += [hit for name, part in value.items() for hit in _violations(part, f"{path}.{name}")]
        elif key not in ("enum", "const", "required"):
            found += _violations(value, f"{path}.{key}")
    return found


def _schema(body):
    if "tools" in body:
        return body["tools"][0]["function"]["parameters"]
    return body["response_format"]["json_schema"]["schema"]


@pytest.fixture(scope="module")
def offline():
    """A client that nobody calls, for looking at bodies."""
    client = Client(
        Settings(base_url="http://127.0.0.1:9/v1", model="some-model", temperature=0.5, max_output_tokens=99), {**SHIPPED, "rumour": Rumour}
    )
    yield client
    asyncio.run(client.aclose())


@pytest.mark.parametrize("kind", ["extract", "repair"])
@pytest.mark.parametrize("mode", ["json_schema/strict", "tools/strict", "json_schema", "tools"])
def test_schema_on_the_wire_is_strict(offline, kind, mode):
    """The shipped types and a user's go out closed, complete and without what strict decoding refuses; descriptions go with them."""
    types = {**SHIPPED, "rumour": Rumour}
    body = offline.body(_call(kind=kind, types=types), mode)
    schema = _schema(body)
    assert _violations(schema) == []
    assert list(schema["properties"]) == list(types)
    holder = body["tools"][0]["function"] if "tools" in body else body["response_format"]["json_schema"]
    assert holder.get("strict", False) is mode.endswith("/strict")
    text = json.dumps(schema)
    for fact in types.values():
        assert json.dumps(fact.__doc__.splitlines()[0])[1:-1] in text
        assert all(json.dumps(field.description)[1:-1] in text for field in fact.model_fields.values() if field.description)
    assert set(schema["$defs"]["Rumour"]["properties"]) >= {"title", "default", "weight"}
    assert mode_of(body) == mode


def test_tidying_keeps_data_and_names():
    """Only keywords go: a field's name, an allowed value and an example may be called title or default."""
    schema = {
        "title": "Facts",
        "properties": {"default": {"title": "Default", "enum": ["title"], "examples": [{"title": 1}]}},
        "default": {},
    }
    assert tidy(schema) == {"title": "Facts", "properties": {"default": {"enum": ["title"], "examples": [{"title": 1}]}}}


def test_violations_are_seen():
    """The check above can fail."""
    bad = {"type": "object", "properties": {"a": {"oneOf": []}, "b": {"default": 1, "title": "B"}}, "required": ["a"]}
    assert len(_violations(bad)) == 5


@pytest.mark.parametrize("mode", ["json", "md_json"])
def test_schema_in_words_is_dense(offline, mode):
    """In modes without a schema on the wire it stands in the static system message, without indentation."""
    system, user = offline.body(_call(), mode)["messages"]
    assert system["content"].startswith("Rules.\n")
    assert '"properties":{"rumour":{' in system["content"]
    assert "\n " not in system["content"]
    assert user["content"].startswith("Article number 0.")


@pytest.mark.parametrize("mode", MODES)
def test_body_is_what_is_sent(mode):
    """`body` and `key` are of exactly the JSON that goes over the wire, so that ledger and cassettes may rely on them."""
    prompt = "Ärger – {{ braces }} {% for %} \0 😀 \ud800 system user"
    run = _run(lambda r: GOOD, mode=mode, calls=[_call(user=prompt)], temperature=0.2, max_output_tokens=500)
    body = run.client.body(_call(user=prompt))
    assert run.requests == [body]
    assert body["temperature"] == 0.2
    assert body["max_tokens"] == 500
    assert prompt.replace("\ud800", "?") in body["messages"][-1]["content"]
    assert run.client.key(_call(user=prompt)) == run.attempts[0].key


def test_key_depends_on_the_endpoint_and_the_body(offline):
    """The same question to another endpoint is another question."""
    assert offline.key(_call()) == fingerprint([offline.frame(_call()).mark, _call().prompt.user, "http://127.0.0.1:9/v1"])
    assert offline.key(_call(1)) != offline.key(_call(2))
    assert offline.key(_call(), "json") != offline.key(_call(), "tools")


@pytest.mark.parametrize("mode", MODES)
def test_a_frame_and_its_text_are_the_body(offline, mode):
    """The frame is the same for every article, and with the text in its slot it is exactly the JSON of the body."""
    frame = offline.frame(_call(1), mode)
    assert offline.frame(_call(2), mode) is frame
    assert frame.mark == fingerprint(frame.text)
    text = _call(1).prompt.user
    assert json.loads(frame.text.replace(json.dumps("\0user\0")[1:-1], json.dumps(text)[1:-1])) == offline.body(_call(1), mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ['Ärger – \0 😀 "quoted" \\n\n\t', "a", "\0user\0"])
def test_what_is_sent_is_what_the_sdk_would_write(offline, mode, text):
    """Byte for byte, order of keys included: models write the fields in the order of the schema."""
    call = _call(user=text)
    mould = offline._bodies.mould(call, mode)
    body = offline.body(call, mode)
    assert mould.filled(text) == openapi_dumps(body)
    assert mould.chars + len(text) == sum(len(message["content"]) for message in body["messages"])


def test_schema_is_built_once(monkeypatch):
    """However many calls and modes, a set of fact types costs one schema."""
    import openai

    built = []
    true = openai.pydantic_function_tool
    monkeypatch.setattr(openai, "pydantic_function_tool", lambda model: built.append(model) or true(model))
    run = _run(_accepting("md_json"), mode=None, calls=[_call(number) for number in range(10)])
    assert {reply.outcome for reply in run.results} == {"ok"}
    assert len(built) == 1


def test_openai_gets_its_own_name_for_the_limit(monkeypatch):
    """OpenAI's newer models refuse `max_tokens`; the SDK's environment does not move the endpoint."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/elsewhere")

    async def look():
        async with Client(Settings(api_key=SecretStr(KEY), max_output_tokens=9), TYPES) as client:
            return client.body(_call()), str(client._wire.sdk.base_url)

    body, url = asyncio.run(look())
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body
    assert url == "https://api.openai.com/v1/"


def test_proxy_of_the_environment_is_not_between_us_and_loopback(monkeypatch):
    """A local server is reached directly, whatever proxy the machine is set up with."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert _run(lambda r: GOOD).reply.outcome == "ok"


@pytest.mark.parametrize(
    ("url", "proxy", "library"),
    [
        ("http://127.0.0.1:9/v1", "", "AiohttpTransport"),
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9", "AiohttpTransport"),
        ("https://models.example/v1", "", "AiohttpTransport"),
        ("https://models.example/v1", "http://127.0.0.1:9", "AsyncHTTPTransport"),
        ("https://me:hidden@models.example/v1", "", "AsyncHTTPTransport"),
    ],
)
def test_proxies_and_passwords_are_left_to_httpx(monkeypatch, url, proxy, library):
    """Requests go over aiohttp only where both do the same."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    async def look():
        async with Client(Settings(base_url=url, api_key=SecretStr(KEY)), TYPES) as client:
            return type(client._wire.sdk._client._transport).__name__

    assert asyncio.run(look()) == library


@pytest.mark.usefixtures("library")
def test_more_requests_than_either_library_keeps_connections(monkeypatch):
    """The bound is the caller's: 110 requests are on the wire together, where both libraries would stop at 100."""
    together = threading.Barrier(110, timeout=30)

    def answer(request):
        together.wait()
        return GOOD

    run = _run(answer, calls=[_call(number) for number in range(110)], at_once=True, timeout_s=40, attempts=1)
    assert {reply.outcome for reply in run.results} == {"ok"}


# --- secrets, settings, life and death


def test_no_secret_reaches_an_error_an_attempt_or_a_repr():
    """Keys, accounts and passwords are cut out of whatever an endpoint says."""
    spill = f"key {KEY} of org-Ab12 in proj_Cd34, sent as Bearer abc.def to http://user:pass@host, or sk-abcd***wxyz " + "x" * 5000
    run = _run(lambda r: _error(400, spill), calls=[_call()], mode="json")
    shown = repr(run.attempts) + repr(run.results) + repr(run.client)
    for secret in (KEY, "AbCdEf", "org-Ab12", "proj_Cd34", "abc.def", "user:pass", "wxyz"):
        assert secret not in shown
    assert "[secret]" in run.attempts[0].error
    assert len(run.attempts[0].error) <= 500


def test_key_of_any_form_is_hidden():
    """A key that looks like none is cut out all the same, since it is known."""
    run = _run(lambda r: _error(400, "what is Zq93/kfj2? no key"), mode="json", api_key=SecretStr("Zq93/kfj2"))
    assert run.reply.error == "what is [secret]? no key"


def test_password_in_the_base_url_is_not_shown():
    """A base URL with a password is used, and shown without it."""
    with LoopbackEndpoint(lambda r: _error(401)) as endpoint:
        settings = Settings(base_url=endpoint.base_url.replace("127", "me:hidden@127", 1), model="m")

        async def ask():
            async with Client(settings, TYPES) as client:
                assert "hidden" not in repr(client)
                await client.ask(_call())

        with pytest.raises(EndpointError) as raised:
            asyncio.run(ask())
    assert "hidden" not in str(raised.value)
    assert len(endpoint.requests) == 1


def test_settings_are_checked_before_anything_is_sent():
    """Neither key nor endpoint, a base URL that is none and an unknown mode are told at once, with the ways on."""
    with pytest.raises(SettingsError, match=r"OPENAI_API_KEY.*base_url / --base-url.*local / --local.*replay / --replay"):
        Client(Settings(), TYPES)
    for url in ("localhost:8000", "ftp://host/v1", "http://", "http://[::1"):
        with pytest.raises(SettingsError, match="is not one; expected a URL such as"):
            Client(Settings(base_url=url), TYPES)
    with pytest.raises(SettingsError, match=r"'nonsense' is unknown; expected one of json_schema/strict"):
        Client(Settings(base_url="http://127.0.0.1:9/v1"), TYPES, mode="nonsense")


def test_unknown_fact_type_is_the_callers_error(offline):
    """A call for a type that the client was not given is refused by name."""
    with pytest.raises(UsageError, match="'gossip'"):
        offline.body(_call(types=["gossip"]))


def test_base_url_needs_no_key():
    """A local server gets a placeholder for a key."""
    with LoopbackEndpoint(lambda r: GOOD) as endpoint:

        async def ask():
            async with Client(Settings(base_url=endpoint.base_url), TYPES) as client:
                return await client.ask(_call())

        assert asyncio.run(ask()).outcome == "ok"
    assert endpoint.headers[0]["authorization"] == "Bearer no-key"
    assert endpoint.headers[0]["accept-encoding"] == "gzip"
    assert "openai-organization" not in endpoint.headers[0]


@pytest.mark.parametrize("mode", [None, "json_schema/strict"])
def test_cassette_miss_comes_out_unwrapped_and_is_not_retried(monkeypatch, library, mode):
    """A miss below the HTTP layer is wrapped by the SDK; the caller gets the miss itself, after one look."""
    import aiohttp
    import httpx2

    looked = []

    async def miss(self, *request, **_):
        looked.append(request)
        raise CassetteMiss("nothing recorded", article_id="a0")

    asks = (aiohttp.ClientSession, "_request") if library == "aiohttp" else (httpx2.AsyncHTTPTransport, "handle_async_request")
    monkeypatch.setattr(*asks, miss)
    run = _run(lambda r: GOOD, mode=mode, attempts=5)
    (error,) = run.results
    assert isinstance(error, CassetteMiss)
    assert error.article_id == "a0"
    assert len(looked) == 1
    assert run.attempts == []


@pytest.mark.parametrize("mode", [None, "json_schema/strict"])
def test_cancelled_calls_leave_nothing_behind(mode):
    """Cancelling raises CancelledError at once, in a request as in a wait, and leaves no task."""

    async def cancel(endpoint):
        async with Client(Settings(base_url=endpoint.base_url, attempts=5), TYPES, mode=mode) as client:
            tasks = [asyncio.create_task(client.ask(_call(number))) for number in range(4)]
            while not endpoint.requests:  # noqa: ASYNC110 - the server's thread has no event of this loop
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            return results, left

    for answer in (Fault("hang"), _error(429, headers={"retry-after": "60"})):
        with LoopbackEndpoint(lambda r, answer=answer: answer) as endpoint:
            results, left = asyncio.run(cancel(endpoint))
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert left == set()


def test_what_the_listener_raises_is_passed_on():
    """A ledger that cannot write stops the call before anything follows from the attempt."""

    async def ask(endpoint):
        def full(call, attempt):
            raise OSError("disk full")

        async with Client(Settings(base_url=endpoint.base_url), TYPES) as client:
            await client.ask(_call(), full)

    with LoopbackEndpoint(lambda r: _error(500)) as endpoint, pytest.raises(OSError, match="disk full"):
        asyncio.run(ask(endpoint))
    assert len(endpoint.requests) == 1


def test_closed_client_says_so():
    """Asking after the end is the caller's error, and no connection failure."""
    run = _run(lambda r: GOOD)
    with pytest.raises(UsageError, match="closed"):
        asyncio.run(run.client.ask(_call()))
    gc.collect()


def test_sixty_four_calls_are_in_flight_at_once():
    """Neither the client's pool nor the test server holds back the concurrency that was asked for."""
    together = threading.Barrier(64, timeout=15)

    def answer(request):
        together.wait()
        return GOOD

    run = _run(answer, calls=[_call(number) for number in range(64)], at_once=True, concurrency=64)
    assert {reply.outcome for reply in run.results} == {"ok"}


def test_importing_the_client_does_not_import_the_vendors():
    """A command that asks no model does not pay a second for the SDKs."""
    code = "import sys, extractor.llm.client, extractor.testing; print(sorted({'openai', 'instructor', 'tenacity', 'httpx2', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the endpoint for tests


def test_endpoint_binds_loopback_alone():
    """The test server cannot be reached from elsewhere."""
    for host in ("0.0.0.0", "192.168.0.1", "localhost", "::1"):  # noqa: S104 - refused
        with pytest.raises(UsageError, match="no IPv4 loopback address"):
            LoopbackEndpoint(lambda r: GOOD, host=host)


def test_endpoint_hands_on_what_the_test_raised():
    """A mistake in the test's own answer does not pass as a server error."""
    with pytest.raises(KeyError, match="nope"):
        _run(lambda r: r["nope"])


def test_endpoint_is_gone_on_exit():
    """Leaving closes the port and ends every thread, hanging answers included."""
    with (
        LoopbackEndpoint(lambda r: Fault("hang")) as endpoint,
        socket.create_connection(("127.0.0.1", int(endpoint.base_url.split(":")[2][:-3]))) as idle,
    ):
        idle.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        while not endpoint.requests:
            time.sleep(0.01)
        began = time.monotonic()
        endpoint.__exit__(None, None, None)
        assert time.monotonic() - began < 2
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("loopback")]


def test_an_endpoint_that_fails_now_and_then_is_not_silent():
    """One call that used up its attempts ends alone, while others wait for their second attempt; only a long run of failures is silence."""
    failed = set()

    def answer(request):
        text = request["messages"][-1]["content"]
        if "number 0." in text:
            return _error(503)
        if text not in failed:
            failed.add(text)
            return _error(503)
        return Raw(completion(request, GOOD), delay_s=0.3)

    ran = _run(answer, calls=[_call(number) for number in range(6)], at_once=True)
    assert [result.outcome for result in ran.results] == ["server_error"] + ["ok"] * 5


def test_a_pause_that_begins_while_a_request_waits_for_its_turn_holds_it_too():
    """A limit of ours lets a request out in the middle of the endpoint's pause: it waits for the end of that as well, and owes nothing."""
    settled = []

    class Slow:
        async def admit(self, body):
            late = "number 1." in body["messages"][-1]["content"]
            await asyncio.sleep(0.3 if late else 0)
            return late

        def settle(self, ticket, usage):
            settled.append((ticket, usage.attempts))

    def answer(request):
        return _error(429, headers={"retry-after": "1"}) if len(endpoint.requests) == 1 else GOOD

    async def ask_both():
        async with Client(Settings(base_url=endpoint.base_url, attempts=3), TYPES, mode="json_schema/strict", gate=Slow()) as client:
            return await asyncio.gather(client.ask(_call(0)), client.ask(_call(1)))

    with LoopbackEndpoint(answer) as endpoint:
        replies = asyncio.run(ask_both())
        first, *others = endpoint.times
    assert [reply.outcome for reply in replies] == ["ok", "ok"]
    assert min(others) - first > 0.9
    assert (True, 0) in settled
