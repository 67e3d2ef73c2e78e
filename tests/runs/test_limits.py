import asyncio
import time

import pytest

from extractor.errors import LimitReached, SettingsError
from extractor.llm.prices import Price, price_of
from extractor.records import Usage
from extractor.runs import limits as limits_module
from extractor.runs.limits import Limits, estimate_tokens
from extractor.settings import Settings

PRICE = Price(1.0, 0.1, 10.0, 1.25)
WINDOW_S = 0.4


@pytest.fixture
def short_minute(monkeypatch):
    monkeypatch.setattr(limits_module, "WINDOW_S", WINDOW_S)


def body(text):
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def times_of(limits, requests):
    """When each of the requests was admitted, in seconds from the first."""

    async def admitted(text):
        ticket = await limits.admit(body(text))
        at = time.monotonic()
        limits.settle(ticket, Usage(input_tokens=estimate_tokens(text), output_tokens=1, attempts=1))
        return at

    async def main():
        return await asyncio.gather(*(admitted(text) for text in requests))

    times = asyncio.run(main())
    return [at - times[0] for at in times]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("Norway will give 13 tanks to Ukraine, the ministry said. " * 20, 200, 320),
        ("Норвегия передаст Украине тринадцать танков, сообщили в министерстве. " * 20, 350, 600),
        ("挪威将向乌克兰提供十三辆坦克。" * 20, 250, 350),
        ("", 1, 1),
    ],
    ids=["Latin", "Cyrillic", "Chinese", "empty"],
)
def test_tokens_are_estimated_by_script(text, low, high):
    """An estimate needs no tokenizer and lies within the range that real ones give for the script."""
    assert low <= estimate_tokens(text) <= high


def test_no_more_requests_in_a_window_than_allowed(short_minute):
    """With three requests a window, the fourth waits for the first to leave it."""
    times = times_of(Limits(Settings(rpm=3), None), ["a"] * 7)
    assert times[2] < WINDOW_S / 2
    assert times[3] >= WINDOW_S * 0.9
    assert times[6] >= WINDOW_S * 1.8


def test_no_more_tokens_in_a_window_than_allowed(short_minute):
    """Tokens count as they were really used: what was reserved and not used makes room at once."""
    text = "word " * 200
    assert times_of(Limits(Settings(tpm=10_000), None), [text] * 3)[2] < WINDOW_S / 2
    assert times_of(Limits(Settings(tpm=300), None), [text] * 2)[1] >= WINDOW_S * 0.9


def test_a_request_larger_than_the_whole_limit_is_sent_alone(short_minute):
    """A limit smaller than one request slows the run, and does not stop it for ever."""
    times = times_of(Limits(Settings(tpm=10), None), ["word " * 100] * 2)
    assert times[1] >= WINDOW_S * 0.9


def test_winding_down_ends_every_wait():
    """Those that wait for room are refused at once, and so are those that come after."""

    async def main():
        limits = Limits(Settings(rpm=1), None)
        await limits.admit(body("first"))
        waiting = [asyncio.ensure_future(limits.admit(body("word"))) for _ in range(3)]
        await asyncio.sleep(0.02)
        assert not any(one.done() for one in waiting)
        limits.wind_down()
        ended = await asyncio.wait_for(asyncio.gather(*waiting, limits.admit(body("late")), return_exceptions=True), 5)
        assert [type(one) for one in ended] == [LimitReached] * 4

    asyncio.run(main())


def test_money_is_reserved_before_the_request():
    """Requests under way count with their estimates, so that no number of them at once exceeds the limit."""

    async def main():
        limits = Limits(Settings(max_cost_usd=0.05), PRICE)
        tickets = [await limits.admit(body("word")) for _ in range(4)]  # 1,000 expected answer tokens at 10 USD a million each
        with pytest.raises(LimitReached, match="--max-cost"):
            await limits.admit(body("word"))
        return limits, tickets

    limits, tickets = asyncio.run(main())
    limits.settle(tickets[0], Usage(input_tokens=1, output_tokens=10, attempts=1))
    asyncio.run(limits.admit(body("word")))


def test_what_nobody_reported_keeps_its_estimate():
    """A broken answer may have been billed: its reservation is spent, not given back."""

    async def main():
        limits = Limits(Settings(max_cost_usd=0.025), PRICE)
        for _ in range(2):
            limits.settle(await limits.admit(body("word")), Usage(attempts=1, unreported=1))
        with pytest.raises(LimitReached):
            await limits.admit(body("word"))

    asyncio.run(main())


def test_what_no_model_was_asked_costs_nothing():
    """A request that was turned away gives its reservation back, and says nothing about what answers cost."""

    async def main():
        limits = Limits(Settings(max_cost_usd=0.025), PRICE)
        for _ in range(5):
            limits.settle(await limits.admit(body("word")), Usage())
        return limits.output_tokens()

    assert asyncio.run(main()) == limits_module.FIRST_OUTPUT_TOKENS


def test_what_others_spend_during_a_wait_is_reckoned_with(short_minute):
    """A request that waited for its minute is not sent where an answer meanwhile has used up the money."""

    async def main():
        limits = Limits(Settings(max_cost_usd=0.025, rpm=1), PRICE)
        first = await limits.admit(body("word"))
        second = asyncio.create_task(limits.admit(body("word")))
        await asyncio.sleep(WINDOW_S / 4)
        limits.settle(first, Usage(input_tokens=1, output_tokens=2_500, attempts=1))
        with pytest.raises(LimitReached, match="--max-cost"):
            await second

    asyncio.run(main())


def test_estimates_are_corrected_by_what_was_used():
    """After an answer with three times the estimated tokens, the next request is reserved at three times."""

    async def main():
        limits = Limits(Settings(), PRICE)
        ticket = await limits.admit(body("word " * 100))
        limits.settle(ticket, Usage(input_tokens=ticket.estimated * 3, output_tokens=50, attempts=1))
        assert limits.ratio == 3
        assert limits.output_tokens() == 50

    asyncio.run(main())


def test_a_limit_on_cost_needs_a_price():
    """An unknown model is unpriced, never free: the run does not start."""
    with pytest.raises(SettingsError, match="--price"):
        Limits(Settings(model="somebody-s-own", max_cost_usd=1), price_of(Settings(model="somebody-s-own", api_key="k")))


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        (Settings(model="gpt-5-mini", api_key="k"), True),
        (Settings(model="gpt-5-mini", base_url="https://api.openai.com/v1"), True),
        (Settings(model="gpt-5-mini", base_url="http://127.0.0.1:8000/v1"), False),
        (Settings(model="qwen3:14b", base_url="http://127.0.0.1:8000/v1", price_usd=(0.5, 1.5)), True),
        (Settings(model="reference-answers", api_key="k"), False),
    ],
)
def test_prices_are_those_of_the_asked_endpoint_alone(settings, known):
    """A local server may call its model anything: a price is taken from the endpoint's own provider or from the user."""
    price = price_of(settings)
    assert (price is not None) is known
    if price:
        assert 0 < price.cached_usd <= price.input_usd < price.output_usd


def test_cached_tokens_cost_their_own_price():
    """The part read from the provider's cache is priced as such."""
    assert PRICE.cost_usd(Usage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=100_000)) == pytest.approx(0.6 + 0.04 + 1.0)
