"""Which currency a mark, a code or a word stands for: "$", "EUR", "Norwegian kroner".

In: tokens. Out: `Currency`: every ISO 4217 code that the words allow. Floor: facts.
Before changing it: the words stand in currencies.toml. A word that several states use stays open until a state word settles it; only a
bare "$" and a few words have a default.
"""

import tomllib
from importlib.resources import files
from typing import NamedTuple

from extractor.facts.numbers.tokens import Token, is_glued, is_kind, word_at


class Currency(NamedTuple):
    """What a currency mark can stand for."""

    codes: tuple[str, ...]
    """Every ISO 4217 code that it allows."""
    default: str | None
    """The one that is read when nothing says otherwise; None where that would be a guess."""
    words: str = ""
    """The mark as it is written, for messages."""

    @property
    def is_settled(self) -> bool:
        """Whether only one code is possible."""
        return len(self.codes) == 1


def _currency(codes: str) -> Currency:
    """A line of the table: codes, with a star after the one that is read when nothing says otherwise."""
    listed = codes.replace("*", "").split()
    default = listed[0] if len(listed) == 1 or "*" in codes else None
    return Currency(tuple(listed), default)


def _by_word(lines: dict[str, str]) -> dict[str, Currency]:
    return {word: _currency(codes) for words, codes in lines.items() for word in words.split()}


_TABLE = tomllib.loads((files("extractor.facts.numbers") / "currencies.toml").read_text(encoding="utf-8"))
_CODES = {code: _currency(code) for code in _TABLE["codes"].split()}
_PLAIN_CODES = frozenset(_TABLE["plain_codes"].split())
_SIGNS = _by_word(_TABLE["signs"])
_BEFORE_DOLLAR = _by_word(_TABLE["before_dollar"])
_AFTER_DOLLAR = _by_word(_TABLE["after_dollar"])
_SIGN_WORDS = _by_word(_TABLE["sign_words"])
_WORDS = _by_word(_TABLE["words"])
_LOOSE_WORDS = frozenset(_TABLE["loose_words"].split())
_STATES: dict[str, str] = {word: prefix for prefix, words in _TABLE["states"].items() for word in words.split()}
_STATE_OPENINGS = frozenset(word.partition("_")[0] for word in _STATES)


class Marked(NamedTuple):
    """A currency mark and where it ends."""

    end: int
    """Index of the token after it."""
    currency: Currency


MARKS = frozenset({*_SIGNS, *_BEFORE_DOLLAR, *_CODES, *_SIGN_WORDS})
"""What a currency mark before a number begins with, as `Token.word` or `Token.text`."""


_TABLES = (_SIGNS, _BEFORE_DOLLAR, _AFTER_DOLLAR, _SIGN_WORDS, _CODES, _WORDS, _STATES)
WORDS = frozenset(part.casefold() for table in _TABLES for word in table for part in word.split("_"))
"""Every word that a currency is named with, as `Token.word`."""


def _marked(tokens: list[Token], at: int, end: int, currency: Currency) -> Marked:
    words = tokens[at].text + "".join(("" if token.glued else " ") + token.text for token in tokens[at + 1 : end])
    return Marked(end, Currency(currency.codes, currency.default, words))


def read_before(tokens: list[Token], at: int) -> Marked | None:
    """The currency mark that begins at a place and stands before its number: "$", "US$", "EUR", "kr"."""
    if not is_kind(tokens, at, "word", "mark"):
        return None
    token = tokens[at]
    currency = _CODES.get(token.text) or _SIGN_WORDS.get(token.text)
    if currency is None and token.word not in _SIGNS and token.word not in _BEFORE_DOLLAR:
        return None
    following = word_at(tokens, at + 1) if is_glued(tokens, at + 1) else ""
    if token.word in _SIGNS:
        if token.word == "$" and following in _AFTER_DOLLAR and is_kind(tokens, at + 2, "number"):
            return _marked(tokens, at, at + 2, _AFTER_DOLLAR[following])
        return _marked(tokens, at, at + 1, _SIGNS[token.word])
    if following == "$" and token.word in _BEFORE_DOLLAR:
        return _marked(tokens, at, at + 2, _BEFORE_DOLLAR[token.word])
    if currency is not None:
        return _marked(tokens, at, at + 2 if following == "." else at + 1, currency)
    return None


def read_after(tokens: list[Token], at: int, *, scaled: bool) -> Marked | None:
    """The currency that begins at a place and stands after its number: "€", "EUR", "US dollars", "-dollar".

    Args:
        tokens: Of the whole text.
        at: Index of the token after the number.
        scaled: Whether the number has a magnitude; without one, "pounds" may be a weight and "won" a verb.
    """
    if not is_kind(tokens, at, "word", "mark", "dash"):
        return None
    token = tokens[at]
    if token.word in _SIGNS:
        belongs_to_next = is_glued(tokens, at + 1) and is_kind(tokens, at + 1, "number") and not token.glued
        return None if belongs_to_next else _marked(tokens, at, at + 1, _SIGNS[token.word])
    if token.text in _SIGN_WORDS:
        return _marked(tokens, at, at + 1, _SIGN_WORDS[token.text])
    if token.text in _CODES and (scaled or token.text in _PLAIN_CODES):
        return _marked(tokens, at, at + 1, _CODES[token.text])
    return _read_words(tokens, at, scaled=scaled)


def _read_words(tokens: list[Token], at: int, *, scaled: bool) -> Marked | None:
    """A currency word with the state before it: "dollars", "Norwegian kroner", "-euro", "US-Dollar", "pounds sterling"."""
    here = at + 1 if is_kind(tokens, at, "dash") and is_glued(tokens, at) and is_glued(tokens, at + 1) else at
    state, here = _state_at(tokens, here)
    if state and is_kind(tokens, here, "dash") and is_glued(tokens, here):
        here += 1
    word = word_at(tokens, here)
    currency = _WORDS.get(word)
    of_britain = word_at(tokens, here + 1) == "sterling"
    if currency is None or (word in _LOOSE_WORDS and not (scaled or state or of_britain)):
        return None
    if of_britain and "GBP" in currency.codes:
        return _marked(tokens, at, here + 2, _CODES["GBP"])
    if state:
        of_state = tuple(code for code in currency.codes if code.startswith(state))
        currency = Currency(of_state[:1], of_state[0] if of_state else None)
    return _marked(tokens, at, here + 1, currency)


def _state_at(tokens: list[Token], at: int) -> tuple[str, int]:
    word = word_at(tokens, at)
    if word not in _STATE_OPENINGS:
        return "", at
    if state := _STATES.get(f"{word}_{word_at(tokens, at + 1)}"):
        return state, at + 2
    return (_STATES[word], at + 1) if word in _STATES else ("", at)


def states_in(tokens: list[Token]) -> frozenset[str]:
    """The first two letters of the currency codes of all states that a text mentions; the lower-case word "us" is none."""
    found = (_state_at(tokens, at)[0] for at, token in enumerate(tokens) if token.kind == "word" and token.text[0].isupper())
    return frozenset(found) - {""}


def merged(first: Currency | None, second: Currency | None) -> Currency | None:
    """What two marks on one sum allow together; no codes at all where they contradict each other ("$5 million EUR")."""
    if first is None or second is None:
        return first or second
    codes = tuple(code for code in first.codes if code in second.codes)
    default = codes[0] if len(codes) == 1 else (first.default if first.default in codes else None)
    return Currency(codes, default, first.words or second.words)
