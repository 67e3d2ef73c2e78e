"""What a run may spend: requests and tokens a minute, money in all; each reserved before a request is sent.

In: estimates before, usage after. Out: permission, or `LimitReached`. Floor: runs.
Before changing it: a reservation is what the run's answers so far let expect, and the actual usage replaces it; what is not reserved is
overspent.
"""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from extractor.errors import LimitReached, SettingsError
from extractor.llm.prices import Price
from extractor.records import Usage
from extractor.settings import Settings

WINDOW_S = 60.0
"""Providers count requests and tokens in a minute."""

FIRST_OUTPUT_TOKENS = 1_000
"""Answer tokens expected before any answer was seen: about three facts; after that the run's own mean, or the setting's maximum."""

# Measured with o200k on news text: characters in a token, by script. Unknown scripts are counted as one token a character.
_SCRIPTS = (
    (re.compile(r"[\u0000-\u024f\u1e00-\u1eff\u2000-\u206f]+"), 4.0),  # Latin, punctuation
    (re.compile(r"[\u0370-\u052f]+"), 3.0),  # Greek, Cyrillic
    (re.compile(r"[\u0590-\u06ff\u0750-\u077f]+"), 2.5),  # Hebrew, Arabic
)


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` has, by script, without a tokenizer; at least 1."""
    rest = len(text)
    tokens = 0.0
    for script, chars in _SCRIPTS:
        found = len(text) - len(script.sub("", text)) if not text.isascii() or script is not _SCRIPTS[0][0] else len(text)
        tokens += found / chars
        rest -= found
        if rest <= 0:
            break
    return max(1, round(tokens + max(rest, 0)))


def estimate_body(body: Mapping[str, Any]) -> int:
    """About how many tokens a request has, its schema included; at least 1."""
    rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
    texts = [str(message["content"]) for message in body["messages"]]
    return estimate_tokens("\n".join([*texts, json.dumps(rest, ensure_ascii=False)]))


class Ticket:
    """One admitted request."""

    def __init__(self, at: float, estimated: int, tokens: float, cost_usd: float) -> None:
        self.at = at
        self.estimated = estimated
        self.tokens = tokens
        self.cost_usd = cost_usd


class Limits:
    """The limits of one run.

    Args:
        settings: `rpm`, `tpm`, `max_cost_usd`; None of them limits nothing.
        price: Of the run's model; None when unknown.

    Raises:
        SettingsError: There is a limit on cost, and the model's price is unknown.
    """

    def __init__(self, settings: Settings, price: Price | None) -> None:
        if settings.max_cost_usd is not None and price is None:
            raise SettingsError(
                f"--max-cost cannot hold: the price of model {settings.model!r} is not known. "
                "Give it with --price IN,OUT in US dollars for a million tokens."
            )
        self._settings = settings
        self._price = price
        self._window: deque[Ticket] = deque()
        self._turn = asyncio.Lock()
        self._ending = asyncio.Event()
        self._spent_usd = 0.0
        self._reserved_usd = 0.0
        self._estimated = self._actual = 0
        self._answers = self._answer_tokens = 0

    @property
    def ratio(self) -> float:
        """Actual tokens of requests for each estimated one, so far in this run; 1 before the first answer."""
        return self._actual / self._estimated if self._estimated else 1.0

    def output_tokens(self) -> float:
        """Tokens that the next answer is expected to have."""
        if self._answers:
            return self._answer_tokens / self._answers
        return float(min(self._settings.max_output_tokens or FIRST_OUTPUT_TOKENS, FIRST_OUTPUT_TOKENS))

    def wind_down(self) -> None:
        """From now on nobody is admitted, those that wait included."""
        self._ending.set()

    async def admit(self, body: Mapping[str, Any]) -> Ticket:
        """A ticket for one request, as soon as the limits allow it; in the order asked.

        Args:
            body: The JSON body that is sent.

        Raises:
            LimitReached: Its estimated cost is more than what is left of `max_cost_usd`, or `wind_down` was called.
        """
        return await self.admit_tokens(estimate_body(body))

    async def admit_tokens(self, estimated: int) -> Ticket:
        """The same for a request of about so many tokens."""
        async with self._turn:
            expected = Usage(input_tokens=round(estimated * self.ratio), output_tokens=round(self.output_tokens()))
            cost = self._price.cost_usd(expected) if self._price else 0.0
            self._require_money(cost)
            ticket = Ticket(0.0, estimated, expected.input_tokens + expected.output_tokens, cost)
            await self._wait_for_room(ticket)
            self._require_money(cost)  # answers that came meanwhile may have cost more than was reserved for them
            ticket.at = time.monotonic()
            if self._settings.rpm or self._settings.tpm:
                self._window.append(ticket)
            self._reserved_usd += cost
            return ticket

    def settle(self, ticket: Ticket, usage: Usage) -> None:
        """Put what a request really used in the place of what was reserved for it; a usage without attempts says that nothing is owed."""
        self._reserved_usd -= ticket.cost_usd
        if not usage.attempts:
            return
        if usage.unreported:
            # nobody says what it cost: a broken answer may have been billed, so the estimate stands
            self._spent_usd += ticket.cost_usd
            return
        if self._price:
            self._spent_usd += self._price.cost_usd(usage)
        ticket.tokens = usage.input_tokens + usage.output_tokens
        self._estimated += ticket.estimated
        self._actual += usage.input_tokens
        self._answers += 1
        self._answer_tokens += usage.output_tokens

    def _require_money(self, cost_usd: float) -> None:
        limit = self._settings.max_cost_usd
        if limit is not None and self._spent_usd + self._reserved_usd + cost_usd > limit:
            raise LimitReached(
                f"The next request would exceed --max-cost {limit:g} USD: {self._spent_usd:.4f} spent, "
                f"{self._reserved_usd:.4f} under way, about {cost_usd:.4f} more. Raise it and run again to go on."
            )

    async def _wait_for_room(self, ticket: Ticket) -> None:
        rpm, tpm = self._settings.rpm, self._settings.tpm
        while True:
            if self._ending.is_set():
                raise LimitReached("The run ended while this request waited for its turn; the same command goes on.")
            now = time.monotonic()
            while self._window and now - self._window[0].at >= WINDOW_S:
                self._window.popleft()
            too_many = rpm is not None and len(self._window) >= rpm
            # a request larger than the whole limit is sent when nothing else was: refusing it would stop the run for ever
            too_much = tpm is not None and bool(self._window) and sum(one.tokens for one in self._window) + ticket.tokens > tpm
            if not (too_many or too_much):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), max(self._window[0].at + WINDOW_S - now, 0.01))
