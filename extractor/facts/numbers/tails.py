"""The words that may follow a number inside `as_written`: its unit, a name, a rate; and the words around it that leave it unsure.

In: tokens. Out: `Tail`, or None where what follows may change the number. Floor: facts.
Before changing it: the lists stand in neighbours.toml; a word that is in none of them is taken for a unit.
"""

from typing import NamedTuple

from extractor.facts.numbers.numerals import NUMBER_WORDS
from extractor.facts.numbers.qualifiers import Bound, suffix_at
from extractor.facts.numbers.tokens import HYPHENS, Token, is_glued, is_kind, word_at, word_list

MAGNITUDES = word_list("magnitudes")
MEASURES = word_list("measures")
MONTHS = word_list("months")
_TAIL_QUALIFIERS = word_list("tail_qualifiers")
_NOT_IN_TAIL = MAGNITUDES | MEASURES | _TAIL_QUALIFIERS | NUMBER_WORDS
_NOT_FIRST_IN_TAIL = frozenset({"to", "and", "by", "but"}) | word_list("joins_abroad")
_RATE_UNITS = word_list("rate_units")
_RATES = word_list("rates")
QUOTE_MARKS = frozenset("\"'‘’“”„«»")
_LONGEST_TAIL = 16
_WHOLE = frozenset({"the", "its", "their", "his", "her", "these", "those"})
_LAST_LATIN = 0x24F  # the end of Latin Extended-B: after it come scripts whose numerals this grammar does not know


class Tail(NamedTuple):
    """What follows a number."""

    bound: Bound | None
    """What its last words do to the number: "systems or more"; None for nothing."""
    rate: str
    """What makes the number a rate ("a year"); "" where nothing does."""
    words: int
    """How many words it has."""


def rate_at(tokens: list[Token], at: int) -> str:
    """The words at a place that make the number before them a rate; "" where there are none."""
    word, following = word_at(tokens, at), word_at(tokens, at + 1)
    if word in {"a", "an"} and following in _RATE_UNITS:
        return f"{word} {following}"
    if word in {"per", "every"}:
        return f"{word} {following}" if is_kind(tokens, at + 1, "word") and following not in NUMBER_WORDS else ""
    return word if word in _RATES else ""


def is_loose_number(tokens: list[Token], at: int) -> bool:
    """Whether a number stands at a place by itself: not inside a name ("F-16s", "155mm", "two-seat", "Leopard 2A6")."""
    if word_at(tokens, at) in NUMBER_WORDS:
        return not (
            is_kind(tokens, at + 1, "dash") and is_glued(tokens, at + 1) and is_kind(tokens, at + 2, "word") and is_glued(tokens, at + 2)
        )
    if not is_kind(tokens, at, "number"):
        return False
    if tokens[at].glued and is_kind(tokens, at - 1, "word", "dash"):
        return False
    if is_glued(tokens, at + 1) and is_kind(tokens, at + 1, "word", "dash"):
        return False
    return word_at(tokens, at + 1) != "mm"


def _is_model_number(tokens: list[Token], at: int) -> bool:
    """Whether a capitalised name stands before its number: "Leopard 2", "Type 23"."""
    return (
        is_kind(tokens, at, "number") and tokens[at].text.isdigit() and is_kind(tokens, at - 1, "word") and tokens[at - 1].text[0].isupper()
    )


def is_latin(token: Token) -> bool:
    """Whether a token has no letter of another script: there, any word may be a magnitude or a bound."""
    return ord(max(token.text)) <= _LAST_LATIN or token.kind != "word"


def _is_plain(tokens: list[Token], at: int, first: int) -> bool:
    """Whether a token may stand in the tail that begins at `first` without a bearing on the number before it."""
    token = tokens[at]
    if token.kind == "number":
        return not is_loose_number(tokens, at) or _is_model_number(tokens, at)
    if token.kind == "word":
        in_a_name = is_glued(tokens, at) or is_glued(tokens, at + 1)
        if token.word in NUMBER_WORDS:
            return not is_loose_number(tokens, at)
        if token.word == "mm" and at > first and is_kind(tokens, at - 1, "number"):
            return True  # "two 155 mm howitzers"
        return is_latin(token) and token.text not in MONTHS and (in_a_name or token.word not in _NOT_IN_TAIL)
    if token.kind == "dash":
        return token.text in HYPHENS and is_glued(tokens, at)
    return token.text in QUOTE_MARKS or (at == len(tokens) - 1 and token.text in ".,;:")


def read_tail(tokens: list[Token], at: int) -> Tail | None:
    """What follows a number up to the end of the text; None where it may change the number, or is too long to be a unit."""
    if len(tokens) - at > _LONGEST_TAIL or (word_at(tokens, at) in _NOT_FIRST_IN_TAIL and not rate_at(tokens, at)):
        return None
    rate = ""
    words = 0
    here = at
    if word_at(tokens, here) == "of" and word_at(tokens, here + 1) in _WHOLE and is_loose_number(tokens, here + 2):
        here += 3  # "38 of the 108 tanks" are 38
    if word_at(tokens, here) == "more" and word_at(tokens, here + 1) != "than":
        here += 1  # "10 more": an addition
    while here < len(tokens):
        if (suffix := suffix_at(tokens, here)) and suffix.end == len(tokens):
            return Tail(suffix.bound, rate, words)
        if more := rate_at(tokens, here):
            rate = rate or more
            here += 1 + (" " in more)
            continue
        by_itself = not is_glued(tokens, here) and not is_glued(tokens, here + 1)
        if (by_itself and word_at(tokens, here) in {"a", "an", "more"}) or not _is_plain(tokens, here, at):
            return None
        words += tokens[here].kind == "word"
        here += 1
    return Tail(None, rate, words)
