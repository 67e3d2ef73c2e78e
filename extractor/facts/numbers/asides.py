"""What stands in brackets or quotation marks behind a number and leaves it in doubt: "€15 [sic] million", "ten (12)", "a 40' hull".

In: tokens and an expression among them. Out: a reason for doubt, or "". Floor: facts.
Before changing it: the words stand in neighbours.toml. The same number again, a year, or the same sum in another currency is no doubt.
"""

from extractor.facts.numbers.expressions import Expression, read_expression
from extractor.facts.numbers.numerals import read_scale
from extractor.facts.numbers.qualifiers import PREFIX_WORDS
from extractor.facts.numbers.tails import MAGNITUDES, QUOTE_MARKS
from extractor.facts.numbers.tokens import Token, is_glued, is_kind, word_at, word_list

_CORRECTIONS = word_list("corrections")
_HEDGES = word_list("hedges")
_BRACKETS = {"(": ")", "[": "]"}
_LONGEST_BRACKET = 12  # tokens
_THING = 5  # words of the thing that is counted: "10 Patriot air defence systems [corrected: 12]"
_NOT_THE_THING = frozenset({"and", "at", "by", "for", "from", "in", "on", "to", "with", "which"})
_OPENED_BY = {'"': '"“„', "”": '“„"', "'": "'‘‚", "’": "‘‚'"}
_ALWAYS_OPEN = frozenset("“„‘‚")


def doubt_in_asides(tokens: list[Token], expression: Expression, after: int) -> str:
    """What stands in brackets or marks behind an expression and may change it; "" for nothing.

    Args:
        tokens: Of the passage.
        expression: One that stands in it.
        after: Index of the token after the value's words, which may go on after the expression.
    """
    if expression.minimum is None and expression.maximum is None:
        return ""
    if _is_measure_mark(tokens, expression.end):
        return f"{tokens[expression.end].text!r} may be a mark of feet, inches or minutes"
    behind = _past_asides(tokens, expression.end)
    if behind > expression.end and not expression.has_scale:
        if read_scale(tokens, behind, money=True).steps:
            return "a magnitude follows the bracket"
        if word_at(tokens, behind) in MAGNITUDES:
            return f"{tokens[behind].text!r} stands after it"
    return _other_number(tokens, expression, max(after, expression.end))


def _closing(tokens: list[Token], at: int) -> int | None:
    """Where the bracket ends that opens at a place; None where none opens or it is long."""
    end = _BRACKETS.get(word_at(tokens, at))
    return next((here for here in range(at + 1, at + _LONGEST_BRACKET) if word_at(tokens, here) == end), None) if end else None


def _past_asides(tokens: list[Token], at: int) -> int:
    """The place behind the brackets and quotation marks that stand at a place."""
    while True:
        if (closing := _closing(tokens, at)) is not None:
            at = closing + 1
        elif word_at(tokens, at) in QUOTE_MARKS:
            at += 1
        else:
            return at


def _is_measure_mark(tokens: list[Token], at: int) -> bool:
    """Whether a mark adjoins digits that closes no quotation in sight: the one of "40' containers"."""
    mark = word_at(tokens, at)
    if mark not in _OPENED_BY or not is_glued(tokens, at) or not is_kind(tokens, at - 1, "number"):
        return False
    for here in range(at - 1, -1, -1):
        text = tokens[here].text
        if text not in QUOTE_MARKS or (text not in _OPENED_BY[mark] and text != mark):
            continue
        opens = text in _ALWAYS_OPEN or (is_glued(tokens, here + 1) and (not tokens[here].glued or tokens[here - 1].text in _BRACKETS))
        return not opens
    return True


def _other_number(tokens: list[Token], expression: Expression, here: int) -> str:
    """The bracket behind an expression and the thing it counts, where it gives another number; "" where it does not."""
    thing = range(here, here + _THING + 1)
    begin = next((at for at in thing if not is_kind(tokens, at, "word") or tokens[at].word in _NOT_THE_THING), here)
    closing = _closing(tokens, begin)
    if closing is None or not _holds_another(tokens, begin + 1, closing, expression, by_editor=tokens[begin].text == "["):
        return ""
    words = {token.word for token in tokens[begin + 1 : closing] if token.kind == "word"}
    corrects = tokens[begin].text == "[" or words & _CORRECTIONS or words <= PREFIX_WORDS | _HEDGES
    return f"{' '.join(token.text for token in tokens[begin : closing + 1])!r} stands after it" if corrects else ""


def _holds_another(tokens: list[Token], at: int, end: int, expression: Expression, *, by_editor: bool) -> bool:
    """Whether a number that is not the expression's stands between two places."""
    while at < end:
        found = read_expression(tokens, at)
        if found is None or found.is_article or (found.minimum is None and found.maximum is None):
            at += 1
            continue
        other_currency = found.currency is not None and (
            expression.currency is None or found.currency.default != expression.currency.default
        )
        is_year = found.is_year and not by_editor
        is_same = found.minimum in {expression.minimum, expression.maximum}
        if not (other_currency or is_year or is_same):
            return True
        at = found.end
    return False
