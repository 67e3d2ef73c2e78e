"""The words of dates: tokens, the vocabulary, and a cursor that reads them one after the other.

In: a text. Out: `Token`, `tokenise`, `Cursor`. Floor: facts.
Before changing it: only English words and numeric dates are known, so that words of another language are never half understood.
"""

import functools
import re
from collections.abc import Collection
from typing import NamedTuple

from extractor.facts.dates.calendar import Portion


class Token(NamedTuple):
    """One word, number or sign."""

    word: str
    """Case-folded; dashes are "-" and apostrophes "'"."""
    raw: str
    """As written."""
    start: int
    """First code point in the text."""
    end: int
    """One past the last code point."""

    @property
    def number(self) -> int | None:
        """Its value, when it is up to four plain digits."""
        return int(self.word) if len(self.word) <= 4 and self.word.isascii() and self.word.isdigit() else None  # noqa: PLR2004 - years have four


_TOKEN_FORMS = (
    r"[0-9]+(?:,[0-9]{3})+(?![0-9])",  # "2,000" stays whole, so that no part of it is taken for a day
    r"[0-9]+\.[0-9](?![0-9.])",  # and so does "1.5"; "23.07.2025" falls apart into its numbers
    r"[0-9]+(?:st|nd|rd|th|s)?\b",
    r"[0-9]+",
    r"[qh][1-4]\b",
    r"[^\W\d_]+",
    r"\S",
)
_TOKEN = re.compile("|".join(_TOKEN_FORMS), re.IGNORECASE)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-") | dict.fromkeys(map(ord, "’ʼ`"), "'")

# Words that are something else in small letters ("may", "march", "sun"): these name a month or a day only with a capital.
_CAPITAL_ONLY = frozenset({"may", "march", "mar", "sun", "sat", "mon", "wed", "dec", "jan"})


def tokenise(text: str) -> tuple[Token, ...]:
    """The words, numbers and signs of `text`, in order; linear in its length."""
    found = []
    for match in _TOKEN.finditer(text.translate(_DASHES)):
        raw = match.group()
        word = raw.casefold()
        if word in _CAPITAL_ONLY and not raw[0].isupper():
            word = f"({word})"
        found.append(Token(word, raw, match.start(), match.end()))
    return tuple(found)


_MONTH_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
SHORT_MONTHS = {name[:3]: number for name, number in MONTHS.items() if name != "may"} | {"sept": 9}
MONTHS |= SHORT_MONTHS
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = {name: number for number, name in enumerate(_DAY_NAMES)}
SHORT_WEEKDAYS = {name[:3]: number for name, number in WEEKDAYS.items()} | {"tues": 1, "thur": 3, "thurs": 3}
WEEKDAYS |= SHORT_WEEKDAYS
SEASONS = frozenset({"spring", "summer", "autumn", "fall", "winter"})
LENGTHS = {f"{name}{ending}": name for name in ("hour", "day", "week", "fortnight", "month", "year", "decade") for ending in ("", "s")}
_NUMBER_NAMES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {name: number for number, name in enumerate(_NUMBER_NAMES, 1)}
NUMBERS |= {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "final": 4, "last": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
PORTIONS: dict[str, Portion] = {"end": "end", "close": "end", "beginning": "start", "start": "start", "middle": "mid"}
EDGES: dict[str, Portion] = {"early": "early", "mid": "mid", "late": "late"}
DAY_PARTS = frozenset({"morning", "afternoon", "evening", "night", "lunchtime"})
BEFORE = ("before", "prior to", "ahead of")
BY = ("by", "no later than", "not later than", "at the latest by", "on or before", "up to")
UNTIL = ("until", "till", "through", "up until", "up till")
AFTER = ("after", "following")
SINCE = ("since", "ever since")
NOT_BEFORE = ("no earlier than", "not earlier than", "not before", "on or after", "no sooner than")
FROM = (
    "starting in",
    "starting on",
    "starting from",
    "starting",
    "beginning in",
    "beginning on",
    "from",
    "as of",
    "as from",
    "as early as",
    "effective",
)
NOT_UNTIL = ("not until", "not till")
INSIDE = (
    "sometime in",
    "some time in",
    "in the course of",
    "over the course of",
    "in",
    "during",
    "throughout",
    "over",
    "within",
    "for",
    "at",
)
BETWEEN = ("to", "until", "till", "through", "-", "and", "or")
AHEAD = ("next", "coming", "upcoming")
BEHIND = ("last", "past", "recent")
VAGUE = ("a few", "a couple of", "couple of", "few", "several", "many")
HEDGES = (
    "at least",
    "more than",
    "less than",
    "fewer than",
    "no more than",
    "up to",
    "about",
    "around",
    "nearly",
    "almost",
    "roughly",
    "some",
)
UNRESOLVED = frozenset({"soon", "recently", "previously", "shortly", "currently", "lately", "eventually", "immediately"})

_PHRASES = (*BEFORE, *BY, *UNTIL, *AFTER, *SINCE, *NOT_BEFORE, *FROM, *NOT_UNTIL, *INSIDE, *BETWEEN, *AHEAD, *BEHIND, *VAGUE, *HEDGES)
_OTHER = "the of on this previous current earlier later ago today tonight yesterday tomorrow half between not s time"
VOCABULARY = frozenset(
    {*MONTHS, *WEEKDAYS, *SEASONS, *LENGTHS, *NUMBERS, *ORDINALS, *PORTIONS, *EDGES, *DAY_PARTS, *_OTHER.split(), *"-,./()'"}
    | {f"{letter}{number}" for letter in "qh" for number in range(1, 5)}
    | {"weekend", "quarter"}
    | {word for phrase in _PHRASES for word in phrase.split()}
)
"""Every word that a date may hold; the search for what adjoins a date stops at the first other word."""


@functools.cache
def _by_first(phrases: tuple[str, ...]) -> dict[str, list[tuple[str, list[str]]]]:
    """Phrases of a rule by their first word, each with the words after it, in the rule's order; there are some sixty rules."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for phrase in phrases:
        first, *rest = phrase.split()
        found.setdefault(first, []).append((phrase, rest))
    return found


class Cursor:
    """A place in a list of tokens; rules move it forward and put it back when they do not apply."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether every token has been read."""
        return self.at >= len(self.tokens)

    def holds(self, words: Collection[str]) -> bool:
        """Whether one of `words` is among the tokens: a rule that needs one looks no further without it."""
        return any(token.word in words for token in self.tokens)

    def peek(self, ahead: int = 0) -> Token | None:
        """The token `ahead` places on; None past the end."""
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def eat(self, *phrases: str) -> str | None:
        """The first of `phrases` that stands here, read; None when none does. Words are compared whole."""
        token = self.peek()
        if token is None:
            return None
        for phrase, rest in _by_first(phrases).get(token.word, ()):
            if not rest or rest == [beside.word for beside in self.tokens[self.at + 1 : self.at + 1 + len(rest)]]:
                self.at += 1 + len(rest)
                return phrase
        return None

    def eat_any(self, words: Collection[str]) -> str | None:
        """The token here, read, when it is one of `words`."""
        token = self.peek()
        if token is None or token.word not in words:
            return None
        self.at += 1
        return token.word

    def eat_number(self, low: int, high: int) -> int | None:
        """A plain number from `low` to `high`, both included, read."""
        token = self.peek()
        if token is None or token.number is None or not low <= token.number <= high:
            return None
        self.at += 1
        return token.number
