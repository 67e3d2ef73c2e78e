"""Anthropic's Messages API, over a loopback server that speaks it: the same outcomes, one request an attempt, no key of another vendor."""

import asyncio
import json
import ssl
import sys

import pytest
from answers import is_repair, misquoted, transfer
from pydantic import SecretStr

from extractor import Extractor
from extractor.errors import EndpointError, SettingsError
from extractor.llm import anthropic
from extractor.llm import transport as transport_module
from extractor.llm.client import Client
from extractor.llm.endpoint import endpoint
from extractor.llm.prices import price_of
from extractor.records import Call, Prompt
from extractor.schemas import FundingSource, WeaponsTransfer
from extractor.settings import ENVIRONMENT, Settings, resolve
from extractor.testing import Fault, LoopbackEndpoint, Raw, message, mode_of

TYPES = {"weapons_transfer": WeaponsTransfer, "funding_source": FundingSource}
GOOD = {"weapons_transfer": [{"a": 1}, {"b": "ü"}], "funding_source": []}
KEY = "sk-ant-api03-AbCdEf0123456789"
TEXT = "Norway will give 13 tanks to Ukraine, the ministry in Oslo said."


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transport_module, "_BACKOFF_S", 0.005)
    monkeypatch.setattr(transport_module, "_BLIND_PAUSE_S", 0.02)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None, raising=False)


def settings(server, **options):
    return Settings(
        **{"model": "anthropic/claude-x", "base_url": f"anthropic+{server.base_url}", "api_key": SecretStr(KEY), "attempts": 2} | options
    )


def ask(answer, **options):
    """One call to a real server on loopback: its reply, its attempts, what the server saw."""
    attempts = []
    call = Call(
        kind="extract", article_id="a", fact_types=tuple(TYPES), prompt=Prompt(name="extract.v1", system="Rules.", user="Article \ud800.")
    )

    async def asked(server):
        async with Client(settings(server, **options), TYPES) as client:
            return await client.ask(call, lambda _, attempt: attempts.append(attempt))

    with LoopbackEndpoint(answer) as server:
        return asyncio.run(asked(server)), attempts, server


def test_the_body_is_a_forced_tool_behind_a_cached_prefix(monkeypatch):
    """The schema is a tool that must be called, closed and complete; the system text ends in a cache mark; the model's name loses its prefix."""
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another-accounts")
    reply, attempts, server = ask(lambda request: GOOD, temperature=0.5)
    (body,), (headers,) = server.requests, server.headers
    assert (reply.outcome, attempts[0].mode, mode_of(body)) == ("ok", "tools", "tools")
    assert [item.json_text for item in reply.items] == ['{"a": 1}', '{"b": "ü"}']
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("claude-x", anthropic.MAX_TOKENS, 0.5)
    assert body["system"] == [{"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral"}}]
    assert body["messages"] == [{"role": "user", "content": "Article ?."}]
    (tool,) = body["tools"]
    assert body["tool_choice"] == {"type": "tool", "name": tool["name"], "disable_parallel_tool_use": True}
    assert list(tool["input_schema"]["properties"]) == tool["input_schema"]["required"] == list(TYPES)
    assert tool["input_schema"]["additionalProperties"] is False
    assert [value for name, value in headers.items() if name in ("x-api-key", "authorization")] in ([KEY], [f"Bearer {KEY}"])
    assert set(body) == {"model", "max_tokens", "messages", "system", "temperature", "tools", "tool_choice"}


def refusing(status, kind, words):
    return lambda request: Raw({"type": "error", "error": {"type": kind, "message": words}}, status)


ANSWERS = {
    # name: (what the server does, outcome, HTTP requests with two attempts allowed)
    "good": (lambda r: GOOD, "ok", 1),
    "text in place of the tool": (lambda r: f"Here:\n```json\n{json.dumps(GOOD)}\n```", "ok", 1),
    "prose": (lambda r: "I found two.", "unparsable", 1),
    "cut at the limit": (lambda r: Raw(message(r, json.dumps(GOOD)[:60], stop_reason="max_tokens")), "length", 1),
    "context used up": (lambda r: Raw(message(r, "", stop_reason="model_context_window_exceeded")), "length", 1),
    "refusal": (lambda r: Raw(message(r, "I cannot.", stop_reason="refusal")), "refusal", 1),
    "no text": (lambda r: Raw(message(r, "")), "no_content", 1),
    "no content": (lambda r: Raw({**message(r, ""), "content": []}), "empty", 2),
    "content of another type": (lambda r: Raw({**message(r, ""), "content": 5}), "not_json", 2),
    "no usage": (lambda r: Raw({**message(r, GOOD), "usage": None}), "ok", 1),
    "html": (lambda r: Raw("<html>", headers={"content-type": "text/html"}), "not_json", 2),
    "no body": (lambda r: Raw(b""), "not_json", 2),
    "overloaded": (refusing(529, "overloaded_error", "Overloaded"), "server_error", 2),
    "rate limited": (refusing(429, "rate_limit_error", "slow down"), "rate_limited", 2),
    "too long": (refusing(400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum"), "context_overflow", 1),
    "dropped": (lambda r: Fault("drop"), "reset", 2),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_has_its_outcome_and_every_request_its_attempt(name):
    """As over OpenAI's API: one outcome whatever the server does, one logged attempt for each HTTP request."""
    answer, outcome, requests = ANSWERS[name]
    reply, attempts, server = ask(answer)
    assert reply.outcome == outcome
    assert [attempt.outcome for attempt in attempts] == [outcome] * requests
    assert len(server.requests) == requests


def test_cached_tokens_are_part_of_the_tokens_sent():
    """Here the API's own count leaves out what the cache had and what was put there; ours does not."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 50, "output_tokens": 7}
    reply, _, _ = ask(lambda r: Raw({**message(r, GOOD), "usage": usage}))
    assert (reply.usage.input_tokens, reply.usage.cached_tokens, reply.usage.output_tokens) == (760, 700, 7)
    assert reply.usage.written_tokens == 50


def test_what_is_put_into_the_cache_costs_a_quarter_more():
    """By the table of prices and by a price of the user's own, in the reply and in whatever counts with it."""
    usage = {"input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 1_000_000, "output_tokens": 0}
    reply, _, _ = ask(lambda r: Raw({**message(r, GOOD), "usage": usage}), price_usd=(4.0, 20.0))
    assert reply.cost_usd == pytest.approx(5.0)
    price = price_of(Settings(model="anthropic/claude-sonnet-4-5", api_key=SecretStr(KEY)))
    assert price.cost_usd(reply.usage) == price.written_usd == pytest.approx(1.25 * price.input_usd)
    assert price.cost_usd(reply.usage + reply.usage) == pytest.approx(2 * price.written_usd)


def test_tokens_that_cannot_be_are_not_reported():
    """A number that is no number of tokens is told as none."""
    usage = {"input_tokens": -10, "cache_read_input_tokens": "all", "output_tokens": 7}
    reply, _, _ = ask(lambda r: Raw({**message(r, GOOD), "usage": usage}))
    assert (reply.outcome, reply.usage.unreported, reply.usage.input_tokens) == ("ok", 1, 0)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusing(401, "authentication_error", f"invalid x-api-key {KEY}"), "ANTHROPIC_API_KEY"),
        (refusing(403, "permission_error", "no"), "ANTHROPIC_API_KEY"),
        (refusing(404, "not_found_error", "model: claude-x"), "No model 'claude-x'"),
        (refusing(400, "invalid_request_error", "Your credit balance is too low to access the API."), "quota is used up"),
    ],
)
def test_what_concerns_every_call_ends_the_run(answer, words):
    """With the vendor's own name for the key, and without the key."""
    with pytest.raises(EndpointError, match=words) as raised:
        ask(answer)
    assert KEY not in str(raised.value)


def test_a_whole_article_repairs_included():
    """Prompt, grounding, repair and result are the same; a repair is a request with a tool of its own."""

    def answer(request):
        is_first = not is_repair({"messages": [{"content": request["system"][0]["text"]}]})
        return {"weapons_transfer": [misquoted()] if is_first else [{"item": 1, "fact": transfer()}]}

    with LoopbackEndpoint(answer) as server, Extractor([WeaponsTransfer], settings=settings(server)) as extractor:
        outcome = extractor.extract(TEXT)
    assert [fact.verdict for fact in outcome.of(WeaponsTransfer)] == ["repaired"]
    assert [request["tools"][0]["name"] for request in server.requests] == ["Facts", "Repairs"]


def test_cassettes_hold_it_too(tmp_path):
    """Recorded and replayed like any other, without the key."""
    with (
        LoopbackEndpoint(lambda request: {"weapons_transfer": [transfer()]}) as server,
        Extractor([WeaponsTransfer], settings=settings(server), record=tmp_path) as extractor,
    ):
        recorded = extractor.extract(TEXT)
    with Extractor(replay=tmp_path) as extractor:
        assert extractor.extract(TEXT).facts == recorded.facts != ()
    assert all(KEY not in path.read_text() for path in tmp_path.iterdir())


def test_a_key_goes_to_its_own_vendor_alone(monkeypatch):
    """OpenAI's key is never sent to Anthropic, nor the other way round; our own variable is for both."""
    monkeypatch.setenv("OPENAI_API_KEY", "openai-key")
    with pytest.raises(SettingsError, match="Set ANTHROPIC_API_KEY"):
        endpoint(resolve(model="anthropic/claude-x"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "anthropic-key")
    assert resolve(model="anthropic/claude-x").api_key.get_secret_value() == "anthropic-key"
    assert resolve(model="gpt-5-mini").api_key.get_secret_value() == "openai-key"
    monkeypatch.setenv("EXTRACTOR_MODEL", "anthropic/claude-x")
    assert resolve().api_key.get_secret_value() == "anthropic-key"
    monkeypatch.setenv("EXTRACTOR_BASE_URL", "https://gateway.example/v1")  # an OpenAI-compatible server that offers such names
    assert resolve().api_key.get_secret_value() == "openai-key"
    monkeypatch.setenv("EXTRACTOR_API_KEY", "own-key")
    assert resolve().api_key.get_secret_value() == "own-key"
    assert ENVIRONMENT["api_key"] == ("EXTRACTOR_API_KEY", "OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("model", "base_url", "api", "sent"),
    [
        ("anthropic/claude-x", None, "anthropic", "claude-x"),
        ("anthropic/claude-x", "anthropic+https://gateway.example/v1", "anthropic", "claude-x"),
        ("anthropic/claude-x", "https://openrouter.ai/api/v1", "openai", "anthropic/claude-x"),
        ("claude-x", "https://gateway.example/v1", "openai", "claude-x"),
    ],
)
def test_model_and_base_url_say_which_api_it_is(model, base_url, api, sent):
    """The prefix alone is Anthropic's own; with a base URL it is a name that an OpenAI-compatible server knows."""
    asked = endpoint(Settings(model=model, base_url=base_url, api_key=SecretStr(KEY)))
    assert (asked.api, asked.model) == (api, sent)
    assert asked.url in (
        "https://api.anthropic.com",
        "https://gateway.example",
        "https://gateway.example/v1",
        "https://openrouter.ai/api/v1",
    )


def test_a_url_of_that_api_needs_such_a_model():
    """Said with what to write."""
    with pytest.raises(SettingsError, match="name a model 'anthropic/…'"):
        endpoint(Settings(model="claude-x", base_url="anthropic+https://gateway.example"))


def test_the_price_is_the_vendors():
    """Looked up without the prefix."""
    assert price_of(Settings(model="anthropic/claude-sonnet-4-5", api_key=SecretStr(KEY))).output_usd > 0


def test_without_the_package_the_extra_is_named(monkeypatch):
    """Before anything is asked."""
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(SettingsError, match=r"grounded-fact-extractor\[anthropic\]"):
        Extractor([WeaponsTransfer], model="anthropic/claude-x", api_key=KEY)


def test_the_other_modes_are_not_this_apis():
    """A mode remembered from another endpoint is refused by name."""
    with pytest.raises(SettingsError, match="expected one of tools"):
        Client(Settings(model="anthropic/claude-x", api_key=SecretStr(KEY)), TYPES, mode="json_schema/strict")
