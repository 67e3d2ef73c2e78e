"""What bounds or denies a number from further off in its clause: "none of the 10", "at least, they said, 10", "10 tanks, maybe more".

In: tokens and an expression among them. Out: the words that do so, or "". Floor: facts.
Before changing it: the words stand in neighbours.toml. They are only a reason for doubt: what they do to the number is not read.
"""

from extractor.facts.numbers.currencies import read_before
from extractor.facts.numbers.expressions import Expression
from extractor.facts.numbers.numerals import NUMBER_WORDS
from extractor.facts.numbers.qualifiers import PERCENT
from extractor.facts.numbers.tails import is_loose_number
from extractor.facts.numbers.tokens import Token, is_glued, is_kind, word_at, word_list

_PARTS_OF = word_list("parts_of")
_CLAUSE_ENDS = word_list("clause_ends")
_HEDGES = word_list("hedges")
_THING_ENDS = NUMBER_WORDS | _CLAUSE_ENDS
_SHARES = PERCENT | {"per"}
_PAUSES = frozenset({",", "(", "\u2013", "\u2014", "-"})
_REPLACING = _PAUSES | _HEDGES | {"or"}
_ENDING_MARKS = frozenset(".;:!?")
_DETERMINERS = frozenset({"the", "its", "his", "her", "our", "your", "their", "these", "those", "all"})
_ABBREVIATIONS = frozenset({"max", "min"})
_AFFIRMING = frozenset({"only", "just", "merely", "simply"})
_BUT_OR_END = _ENDING_MARKS | {"but"}
_REACH_BEFORE = 6  # tokens: "at least, the officials said, 10" is 6
_ASIDE = 4  # tokens between its commas, and the first of these
_REACH_BEHIND = 5  # words of the thing that is counted: "10 Patriot air defence systems at most"
_REACH_DENIED = 8  # tokens from "not" to its number, and from there to "but"
_REACH_INSTEAD = 4  # tokens from "but" to the number that stands instead: "but with only 40"


def _phrases(name: str) -> dict[str, list[tuple[str, ...]]]:
    """The phrases of a list by their first word, the longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted((tuple(phrase.split("_")) for phrase in word_list(name)), key=len, reverse=True):
        found.setdefault(phrase[0], []).append(phrase)
    return found


_FAR_BOUNDS = _phrases("far_bounds")
_BOUNDS_BEHIND = _phrases("bounds_behind")


def _phrase_at(tokens: list[Token], at: int, phrases: dict[str, list[tuple[str, ...]]]) -> int:
    """How many words the longest phrase at a place has; 0 where none stands there."""
    if (word := word_at(tokens, at)) not in phrases:
        return 0
    for phrase in phrases[word]:
        if all(word_at(tokens, at + step) == word for step, word in enumerate(phrase)):
            return len(phrase)
    return 0


def bound_before(tokens: list[Token], expression: Expression) -> str:
    """The words that stand before an expression, apart from it, and bound or deny it; "" for none."""
    for at in range(expression.start - 1, max(-1, expression.start - 1 - _REACH_BEFORE), -1):
        token = tokens[at]
        if token.text == "." and is_glued(tokens, at) and word_at(tokens, at - 1) in _ABBREVIATIONS:
            continue
        if token.kind == "break" or token.text in _ENDING_MARKS or token.word in _CLAUSE_ENDS:
            return ""
        if is_loose_number(tokens, at):  # "not one of the 10", "zero of 12"; what stands before another number bounds that
            if word_at(tokens, at - 1) == "/" and word_at(tokens, at + 1) == "of":
                return " ".join(token.text for token in tokens[at - 1 : at + 2])  # "1/8 of the 40"
            before = at - 1 if word_at(tokens, at - 1) == "not" else at
            length = _phrase_at(tokens, before, _FAR_BOUNDS)
            return " ".join(token.text for token in tokens[before : before + length])
        if expression.is_bounded and (token.word == "not" or token.word.endswith("n't")):
            return token.text  # "did not send more than 10" is at most 10
        if token.text == "," and not _belongs_to_an_aside(tokens, at, expression.start):
            return ""
        length = _phrase_at(tokens, at, _FAR_BOUNDS)
        is_part = token.word in _PARTS_OF and word_at(tokens, at + 1) == "of"
        if length == 0 and is_part and (word_at(tokens, at + 2) in _DETERMINERS or at + 2 == expression.start):
            length = 2
        if length == 0 and token.word.endswith("n't") and at == expression.start - 1:
            length = 1
        if length and at + length <= expression.start:
            if _adds(tokens, at, expression.start):
                return ""
            return " ".join(token.text for token in tokens[at : at + length])
    return ""


def _adds(tokens: list[Token], at: int, start: int) -> bool:
    """Whether "not only" affirms the number behind its "but": "not only money but 14 tanks"."""
    last = start - 2 if word_at(tokens, start - 1) == "also" else start - 1
    return word_at(tokens, at) == "not" and word_at(tokens, at + 1) in {"only", "just"} and at + 1 < last and word_at(tokens, last) == "but"


def _belongs_to_an_aside(tokens: list[Token], at: int, start: int) -> bool:
    """Whether a comma before a number leaves its clause one: "at least, they said, 10", not "more than planned, worth 10"."""
    return at == start - 1 or any(token.text == "," for token in (*tokens[max(0, at - _ASIDE) : at], *tokens[at + 1 : start]))


def bound_behind(tokens: list[Token], expression: Expression, after: int) -> str:
    """The words that stand behind an expression and the thing it counts, and bound it; "" for none.

    Args:
        tokens: Of the passage.
        expression: One that stands in it.
        after: Index of the token after the value's words, which may go on after the expression.
    """
    here = max(after, expression.end)
    for at in range(here, here + _REACH_BEHIND + 1):
        word = word_at(tokens, at)
        if word in _REPLACING and (hedged := _replaced(tokens, at, by_hedge_alone=at > here)):
            return hedged
        begin = at + 1 if word == "," else at
        length = _phrase_at(tokens, begin, _BOUNDS_BEHIND)
        if is_kind(tokens, begin + length, "dash") and is_glued(tokens, begin + length):
            length = 0  # "10 short-range missiles"
        if length and not _is_about_the_next(tokens, begin, begin + length, after_comma=begin > at):
            return " ".join(token.text for token in tokens[begin : begin + length])
        if begin > at or word in _THING_ENDS or not is_kind(tokens, at, "word"):
            return ""
    return ""


def denied_before(tokens: list[Token], expression: Expression, after: int) -> str:
    """The word that denies a number for which another stands behind "but": "not" in "will not send 60 tanks but 40"; "" for none.

    Args:
        tokens: Of the passage.
        expression: One that stands in it.
        after: Index of the token after the value's words, which may go on after the expression.
    """
    here = max(after, expression.end)
    but = next((at for at in range(here, here + _REACH_DENIED) if word_at(tokens, at) in _BUT_OR_END), here)
    instead = range(but + 1, but + 1 + _REACH_INSTEAD)
    if word_at(tokens, but) != "but" or not any(is_loose_number(tokens, at) or read_before(tokens, at) for at in instead):
        return ""
    for at in range(expression.start - 1, max(-1, expression.start - 1 - _REACH_DENIED), -1):
        token = tokens[at]
        if token.kind == "break" or token.text in _ENDING_MARKS or token.word in _CLAUSE_ENDS:
            return ""
        if token.word in {"not", "never", "cannot"} or token.word.endswith("n't"):
            return "" if word_at(tokens, at + 1) in _AFFIRMING else token.text
    return ""


def _is_about_the_next(tokens: list[Token], begin: int, end: int, *, after_comma: bool) -> bool:
    """Whether a phrase bounds what follows: "10 tanks, more than planned" are 10, and so are "10 at least two of which …"."""
    compares = word_at(tokens, end - 1) == "than"
    return (compares and after_comma) or ((compares or word_at(tokens, begin) == "at") and is_loose_number(tokens, end))


def _replaced(tokens: list[Token], at: int, *, by_hedge_alone: bool) -> str:
    """The words at a place that put another number in the place of the one before: "20, possibly 30", "20 (or 30)"; "" for none."""
    here = at + (word_at(tokens, at) in _PAUSES)
    has_or = word_at(tokens, here) == "or"
    here += has_or
    hedges = 0
    while word_at(tokens, here) in _HEDGES:
        here, hedges = here + 1, hedges + 1
    is_share = word_at(tokens, here + 1) in _SHARES
    is_number = is_loose_number(tokens, here) and not is_share
    # "€7 billion (or $8 billion)" is the same sum again
    replaces = (hedges and (is_number or read_before(tokens, here) is not None)) or (has_or and is_number and not by_hedge_alone)
    return " ".join(token.text for token in tokens[at : here + 1]) if replaces else ""
