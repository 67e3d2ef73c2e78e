"""Whether words cut out of a passage are the whole number expression that stands there: "$10" of "$10-30 billion" is not.

In: a passage and the place of a number in it. Out: `Around`: the expression that stands there, and what leaves it in doubt. Floor: facts.
Before changing it: a wrong "cut" sends a right fact back to the model, so only what surely belongs to the number is called a cut; what may
belong to it is a doubt, and then nothing is believed either way.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from extractor.facts.fact import Check
from extractor.facts.numbers.currencies import read_before
from extractor.facts.numbers.doubts import doubt_about, is_particle
from extractor.facts.numbers.expressions import Expression, may_hold, read_expression
from extractor.facts.numbers.qualifiers import PART, PARTS, PERCENT
from extractor.facts.numbers.tails import is_loose_number, rate_at
from extractor.facts.numbers.tokens import HYPHENS, Token, is_glued, is_kind, tokenize, word_at
from extractor.facts.numbers.written import Written, describe

_CHARS_BEFORE, _CHARS_AFTER = 80, 60  # more than a number expression is long; beyond them a passage says nothing about the number
_PLACES = frozenset({"under", "above", "below", "close"})  # "delivered under two contracts", "close to two bases"
_LOOK_BACK = 12  # tokens: "between an estimated $10 billion and" is 7


class Around(NamedTuple):
    """What stands in a passage where a value's number stands."""

    tokens: list[Token]
    """Of the passage around the number."""
    expression: Expression | None
    """The longest number expression there; None where the number is part of something else."""
    words: str
    """That expression as it is written; where there is none, the name or measure that the number is part of."""
    is_fragment: bool
    """Whether the number is part of a name, a measure or a fraction: "16" of "F-16"."""
    doubt: str
    """What leaves open whether the expression means what it says; "" for nothing."""
    rate: str
    """What makes it a rate ("a year") directly after the value's words; "" where nothing does."""


def _window(text: str, start: int, end: int) -> tuple[str, int]:
    """The passage near a place, cut at spaces, and where it begins."""
    begin, stop = max(0, start - _CHARS_BEFORE), min(len(text), end + _CHARS_AFTER)
    while 0 < begin < start and not text[begin - 1].isspace():
        begin += 1
    while end < stop < len(text) and not text[stop].isspace():
        stop -= 1
    return text[begin:stop], begin


def look_around(text: str, start: int, as_written: str, written: Written | None) -> Around:
    """What stands in a passage where a value's number stands.

    Args:
        text: The passage.
        start: Where in it the value's words begin, a code point.
        as_written: Those words.
        written: What they mean by themselves; None when that is not understood: then all of them are looked for.
    """
    start = max(0, min(start, len(text)))
    end = words_end = start + len(as_written)
    if written is not None:
        own = written.tokens[written.expression.start : written.expression.end]
        start, end = start + own[0].start, start + own[-1].end
    near, begin = _window(text, start, max(end, words_end))
    tokens = tokenize(near)
    start, end, words_end = start - begin, end - begin, words_end - begin
    first = bisect_right(tokens, start, key=lambda token: token.end)
    after = bisect_left(tokens, words_end, key=lambda token: token.start)
    rate = rate_at(tokens, after)
    for at in _beginnings(tokens, first):
        if is_particle(tokens, at, is_own=tokens[at].start >= start):
            continue
        expression = read_expression(tokens, at)
        if expression is not None and tokens[expression.start].start < end and tokens[expression.end - 1].end > start:
            whole = _added_sum(expression, tokens, start)
            words = near[tokens[whole.start].start : tokens[whole.end - 1].end]
            doubt = doubt_about(tokens, whole, after) or _bound_of_the_next(tokens, after, written)
            return Around(tokens, whole, words, is_fragment=False, doubt=doubt, rate=rate)
    left, right, is_fragment = _chunk(tokens, first, end)
    words = near[tokens[left].start : tokens[right - 1].end] if left < right else ""
    return Around(tokens, None, words, is_fragment=is_fragment, doubt=f"it stands inside {words!r}", rate=rate)


def _beginnings(tokens: list[Token], first: int) -> range:
    """The places from which an expression may reach a token, its own included, the furthest first."""
    begin, furthest = first, max(0, first - _LOOK_BACK)
    while begin > furthest and may_hold(tokens[begin - 1]):
        begin -= 1
    return range(begin, min(first + 1, len(tokens)))


def _bound_of_the_next(tokens: list[Token], after: int, written: Written | None) -> str:
    """What follows the words and takes their last ones for itself: "three launchers and at least" of "at least 120 missiles"; or ""."""
    if written is None or written.tail.bound is None:
        return ""
    counts_on = is_loose_number(tokens, after) or read_before(tokens, after) is not None
    asks_for_more = is_kind(tokens, after, "word") and word_at(written.tokens, len(written.tokens) - 2) == "at"
    return f"{tokens[after].text!r} stands after it" if counts_on or asks_for_more else ""


def _added_sum(expression: Expression, tokens: list[Token], start: int) -> Expression:
    """The sum in brackets, where that is the one meant."""
    for also in expression.also:
        if also.start > expression.start and tokens[also.start].start <= start < tokens[also.end - 1].end:
            return also
    return expression


def _chunk(tokens: list[Token], first: int, end: int) -> tuple[int, int, bool]:
    """The run of adjoining tokens in which a number stands that is no expression, and whether it is surely part of something else."""
    last = max((at for at, token in enumerate(tokens) if token.start < end), default=first)
    left, right = first, last + 1
    while is_glued(tokens, left) and is_kind(tokens, left - 1, "word", "number", "dash", "alien"):
        left -= 1
    while is_glued(tokens, right) and is_kind(tokens, right, "word", "number", "dash", "alien"):
        right += 1
    named = left < first and (is_kind(tokens, first - 1, "word") or tokens[first - 1].text in HYPHENS)
    measured = is_kind(tokens, last + 1, "word") and is_glued(tokens, last + 1)
    share_at = right if not is_kind(tokens, last + 1, "dash") or not is_glued(tokens, last + 1) else last + 2
    shared = word_at(tokens, share_at) in PERCENT | PARTS | PART or (
        word_at(tokens, right) == "per" and word_at(tokens, right + 1) == "cent"
    )
    if shared:
        right = max(right, share_at + 1 + (word_at(tokens, right) == "per"))
    return left, min(right, len(tokens)), named or measured or shared


def check_cut(as_written: str, written: Written | None, around: Around) -> Check | None:
    """Whether a value's words are the whole number expression of the passage.

    Args:
        as_written: The value's words.
        written: What they mean by themselves; None when that is not understood.
        around: What stands in the passage where they stand.

    Returns:
        `disagrees` when they are surely a part of it, `not_understood` when they may be, None when they are all of it.
    """
    whole = around.expression
    if around.is_fragment:
        return Check("disagrees", f"{as_written!r} is not a number by itself: it is part of {around.words!r}.")
    if written is None:
        return _check_unread(as_written, around)
    if whole is None or not whole.is_sure or around.doubt:
        doubt = around.doubt or f"{around.words!r} can be read in more than one way"
        return Check("not_understood", f"{as_written!r} may be part of something larger: {doubt}.")
    if _same(written.expression, whole):
        return None
    if word_at(around.tokens, whole.start) in _PLACES:
        return Check("not_understood", f"{around.words!r} may tell of a place or a bound.")
    return Check("disagrees", _cut_message(as_written, around.words, whole))


def _same(own: Expression, whole: Expression) -> bool:
    numbers = (own.minimum, own.maximum, own.approximate) == (whole.minimum, whole.maximum, whole.approximate)
    if not numbers or (own.currency is None) != (whole.currency is None):
        return False
    return own.currency is None or whole.currency is None or own.currency.default == whole.currency.default


def _check_unread(as_written: str, around: Around) -> Check | None:
    """Words that mean nothing by themselves ("billion"), where a larger expression holds them."""
    whole = around.expression
    larger = whole is not None and as_written.strip() in around.words and as_written.strip() != around.words
    if whole is None or not larger or around.doubt or not whole.is_sure:
        return None
    return Check("disagrees", _cut_message(as_written, around.words, whole))


def _cut_message(as_written: str, words: str, whole: Expression) -> str:
    means = describe(whole.minimum, whole.maximum, approximate=whole.approximate)
    return f"{as_written!r} is cut out of {words!r}, which means {means}; as_written must have all of it."
