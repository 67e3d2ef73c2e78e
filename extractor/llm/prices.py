"""What tokens cost: from the table of genai-prices, or as the user says; an unknown model is unpriced, never free.

In: a model, its endpoint, tokens. Out: US dollars. Floor: llm; the only file that imports genai_prices.
Before changing it: a price is taken only from the provider whose endpoint is asked, since a local server may call its model anything.
"""

from typing import NamedTuple

from extractor.llm.endpoint import endpoint
from extractor.records import Usage
from extractor.settings import Settings

BATCH_SHARE = 0.5
"""Of the price, for requests in a batch: https://platform.openai.com/docs/guides/batch, "50% cost discount"."""

WRITTEN_SHARE = 1.25
"""Of a price given by the user, for tokens put into the cache for five minutes, which only Anthropic reports and charges so:
https://docs.claude.com/en/docs/build-with-claude/prompt-caching, "1.25 times the base input tokens price"."""

_PER = 1_000_000  # prices are given for a million tokens


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input_usd: float
    """For tokens of the request."""
    cached_usd: float
    """For tokens of the request that the provider read from its cache."""
    output_usd: float
    """For tokens generated."""
    written_usd: float
    """For tokens of the request that the provider put into its cache."""

    def cost_usd(self, usage: Usage) -> float:
        """US dollars for these tokens; tokens that the endpoint did not report cost nothing here, so it may be a lower bound."""
        fresh = usage.input_tokens - usage.cached_tokens - usage.written_tokens
        sent = fresh * self.input_usd + usage.cached_tokens * self.cached_usd + usage.written_tokens * self.written_usd
        return (sent + usage.output_tokens * self.output_usd) / _PER


def price_of(settings: Settings) -> Price | None:
    """The price of a run's model; None when neither the user nor the table of prices knows it.

    Args:
        settings: A local model costs nothing; else `price_usd` wins; then the table, for the endpoint's own provider alone.
    """
    if settings.local is not None:
        return Price(0.0, 0.0, 0.0, 0.0)
    if settings.price_usd is not None:
        given_input, given_output = settings.price_usd
        return Price(given_input, given_input, given_output, WRITTEN_SHARE * given_input)
    asked = endpoint(settings)
    if asked.is_loopback:  # nobody sells there, and the table takes a tenth of a second to load
        return None
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    def dollars(**tokens: int) -> float:
        return float(calc_price(Tokens(**tokens), model_ref=asked.model, provider_api_url=asked.url).total_price)

    try:
        # a million of each: prices that step up with the length of a request are taken at their highest, which errs on the safe side
        cached = dollars(input_tokens=_PER, cache_read_tokens=_PER)
        written = dollars(input_tokens=_PER, cache_write_tokens=_PER)
        return Price(dollars(input_tokens=_PER), cached, dollars(output_tokens=_PER), written)
    except LookupError:
        return None
