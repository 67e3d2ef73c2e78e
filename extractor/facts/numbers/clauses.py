"""What bounds or denies a number from further off in its clause: "none of the 10", "at least, they said, 10", "10 tanks, maybe more".

In: tokens and an expression among them. Out: the words that do so, or "". Floor: facts.
Before changing it: the words stand in neighbours.toml. They are only a reason for doubt: what they do to the number is not read.
"""

from extractor.facts.numbers.expressions import Expression
from extractor.facts.numbers.numerals import NUMBER_WORDS
from extractor.facts.numbers.tails import is_loose_number, word_list
from extractor.facts.numbers.tokens import Token, is_glued, is_kind, word_at

_PARTS_OF = word_list("parts_of")
_CLAUSE_ENDS = word_list("clause_ends")
_ENDING_MARKS = frozenset(".;:!?")
_DETERMINERS = frozenset({"the", "its", "his", "her", "our", "your", "their", "these", "those", "all"})
_ABBREVIATIONS = frozenset({"max", "min"})
_REACH_BEFORE = 6  # tokens: "at least, the officials said, 10" is 6
_ASIDE = 4  # tokens between its commas, and the first of these
_REACH_BEHIND = 5  # words of the thing that is counted: "10 Patriot air defence systems at most"


def _phrases(name: str) -> tuple[frozenset[tuple[str, ...]], int]:
    found = frozenset(tuple(phrase.split("_")) for phrase in word_list(name))
    return found, max(map(len, found))


_FAR_BOUNDS, _LONGEST_FAR = _phrases("far_bounds")
_BOUNDS_BEHIND, _LONGEST_BEHIND = _phrases("bounds_behind")


def _phrase_at(tokens: list[Token], at: int, phrases: frozenset[tuple[str, ...]], longest: int) -> int:
    """How many words the longest phrase at a place has; 0 where none stands there."""
    words = tuple(word_at(tokens, at + step) for step in range(longest))
    return next((length for length in range(longest, 0, -1) if words[:length] in phrases), 0)


def bound_before(tokens: list[Token], expression: Expression) -> str:
    """The words that stand before an expression, apart from it, and bound or deny it; "" for none."""
    for at in range(expression.start - 1, max(-1, expression.start - 1 - _REACH_BEFORE), -1):
        token = tokens[at]
        if token.text == "." and is_glued(tokens, at) and word_at(tokens, at - 1) in _ABBREVIATIONS:
            continue
        if token.kind == "break" or token.text in _ENDING_MARKS or token.word in _CLAUSE_ENDS or is_loose_number(tokens, at):
            return ""
        if token.text == "," and not _belongs_to_an_aside(tokens, at, expression.start):
            return ""
        length = _phrase_at(tokens, at, _FAR_BOUNDS, _LONGEST_FAR)
        is_part = token.word in _PARTS_OF and word_at(tokens, at + 1) == "of"
        if length == 0 and is_part and (word_at(tokens, at + 2) in _DETERMINERS or at + 2 == expression.start):
            length = 2
        if length == 0 and token.word.endswith("n't") and at == expression.start - 1:
            length = 1
        if length and at + length <= expression.start:
            return " ".join(token.text for token in tokens[at : at + length])
    return ""


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
        begin = at + 1 if word_at(tokens, at) == "," else at
        length = _phrase_at(tokens, begin, _BOUNDS_BEHIND, _LONGEST_BEHIND)
        if length and not (word_at(tokens, begin) == "at" and _counts_on(tokens, begin + length)):
            return " ".join(token.text for token in tokens[begin : begin + length])
        if begin > at or not is_kind(tokens, at, "word") or tokens[at].word in NUMBER_WORDS | _CLAUSE_ENDS:
            return ""
    return ""


def _counts_on(tokens: list[Token], at: int) -> bool:
    """Whether what follows "at least" is another number, to which it belongs: "10 at least two of which …"."""
    return is_loose_number(tokens, at)
