"""The words around a number that bound it or make it approximate, and the edges at which a number may begin and end.

In: tokens. Out: `Bound`s, and whether what adjoins a number leaves it a number: "at least", "or so"; not "F-16". Floor: facts.
Before changing it: a phrase that leaves open what it does to the number ("just over") is `unsure`, and then nothing is read.
"""

from typing import Literal, NamedTuple

from extractor.facts.numbers.tokens import HYPHENS, RANGE_DASHES, THINGS, Token, is_glued, is_kind, word_at, word_list

Bound = Literal["least", "most", "about", "plain", "definite", "unsure"]
"""What a phrase does to a number; `plain` and `definite` ("the", "its") do nothing, but what stands before a `definite` one is no bound."""


def _phrases(bound: Bound, *phrases: str) -> dict[tuple[str, ...], Bound]:
    return {tuple(phrase.split()): bound for phrase in phrases}


_BEFORE = {
    **_phrases(
        "least", "at least", "more than", "over", "no fewer than", "no less than", "not less than", "not fewer than", "a minimum of"
    ),
    **_phrases(
        "least", "minimum of", "minimum", "at a minimum", "upwards of", "upward of", "in excess of", "exceeding", "above", "well over"
    ),
    **_phrases("least", "far more than", "much more than", "well above", "greater than"),
    **_phrases("most", "up to", "as many as", "as much as", "at most", "no more than", "not more than", "less than", "fewer than", "under"),
    **_phrases("most", "below", "a maximum of", "maximum of", "maximum", "up to a maximum of", "well under", "well below", "lower than"),
    **_phrases("least", "at the least", "at the very least"),
    **_phrases("most", "at the most", "at the very most", "not exceeding", "max", "max .", "a max of", "max of"),
    **_phrases("about", "about", "around", "nearly", "some", "roughly", "approximately", "approx", "approx .", "almost", "an estimated"),
    **_phrases("about", "estimated", "estimated at", "close to", "circa", "ca", "ca .", "~", "≈", "in the region of", "on the order of"),
    **_phrases("about", "close on", "in the order of", "something like", "in the neighborhood of", "in the neighbourhood of"),
    **_phrases("definite", "the", "these", "those", "all", "its", "their", "his", "her", "our", "the other", "the remaining", "all of the"),
    **_phrases("plain", "a total of", "total of", "another", "additional", "an additional", "a further", "further", "an extra", "extra"),
    **_phrases(
        "plain", "exactly", "precisely", "only", "just", "a mere", "a combined", "a record", "a whopping", "other", "an initial", "worth"
    ),
    **_phrases("plain", "anything", "anywhere", "somewhere"),  # before "between", "from", "in the region of"
    # a little above or below: the text leaves open how much, and whether the number itself is meant
    **_phrases("unsure", "just over", "just under", "just above", "just below", "just more than", "just less than", "just shy of"),
    **_phrases(
        "unsure", "a little over", "a little under", "a little more than", "a little less than", "little more than", "slightly over"
    ),
    **_phrases("unsure", "slightly more than", "slightly less than", "slightly under", "slightly above", "slightly below", "not quite"),
    **_phrases("unsure", "as few as", "as little as", "next to"),
}
_AFTER = {
    **_phrases("least", "or more", "or over", "or above", "at least", "at a minimum"),
    **_phrases("most", "or fewer", "or less", "or under", "at most", "at the most"),
    **_phrases("about", "or so", "or thereabouts"),
}
WORDS = frozenset(word for phrase in (*_BEFORE, *_AFTER) for word in phrase) | {"plus"}
"""Every word that qualifies a number, as `Token.word`."""
_LONGEST = max(len(phrase) for phrase in _BEFORE)
PREFIX_WORDS = frozenset(phrase[0] for phrase in _BEFORE)
_SUFFIX_WORDS = frozenset(phrase[0] for phrase in _AFTER)
_PLACES = frozenset({"about", "around", "over", "above", "below", "under"})  # before "another 10" these may be of place or topic
PERCENT = frozenset({"%", "‰", "percent", "pct", "percentage", "percentages"})
PARTS = frozenset({"halves", "thirds", "quarters", "fourths", "fifths", "sixths", "sevenths", "eighths", "ninths", "tenths", "hundredths"})
PART = frozenset({"half", "third", "quarter", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "hundredth"})
_CLOSING_MARKS = frozenset(".,;:!?…)]}\"'’”»›“([")
_OPENING_MARKS = frozenset("([{\"'‘’“„«‹”,;:!?*•…\u2014\u2015")  # with the em dash, which stands between clauses
_ARITHMETIC = frozenset({"×", "/", "+", "=", "*", "^", "±", "<", ">", "°", "#", "№", "&", "x"})


_PACKAGES = word_list("packages")


class Phrase(NamedTuple):
    """A phrase that qualifies a number, and where it ends."""

    bound: Bound
    """What it does."""
    end: int
    """Index of the token after it."""


def _phrase_at(tokens: list[Token], at: int, table: dict[tuple[str, ...], Bound]) -> Phrase | None:
    """The longest phrase of a table at a place; the caller has seen that one may begin there."""
    words = tuple(word_at(tokens, at + step) for step in range(_LONGEST))
    for length in range(_LONGEST, 0, -1):
        if bound := table.get(words[:length]):
            return Phrase(bound, at + length)
    return None


def prefix_at(tokens: list[Token], at: int) -> Phrase | None:
    """The one phrase at a place that stands before a number: "at least", "about", "the"."""
    phrase = _phrase_at(tokens, at, _BEFORE) if word_at(tokens, at) in PREFIX_WORDS else None
    if phrase and is_glued(tokens, phrase.end) and is_kind(tokens, phrase.end - 1, "word"):
        return None  # "CA$5 million", "over-10"
    return phrase


class Prefixes(NamedTuple):
    """All that qualifies a number from before it."""

    start: int
    """Index of the first token that bears on the number: "the" and "a total of" are left out."""
    end: int
    """Index of the number's first token, if there is one."""
    bounds: tuple[Bound, ...]
    """What the phrases do."""


def prefixes_at(tokens: list[Token], at: int) -> Prefixes | None:
    """The phrases that begin at a place; None where they are no qualifiers of a number ("talks over the 10 systems")."""
    start = here = at
    bounds: list[Bound] = []
    while phrase := prefix_at(tokens, here):
        qualified = any(bound not in {"plain", "definite"} for bound in bounds)
        if qualified and phrase.bound == "definite":
            return None
        if qualified and phrase.bound == "plain" and word_at(tokens, here - 1) in _PLACES:
            bounds.append("unsure")
        if not qualified and phrase.bound in {"plain", "definite"}:
            start = phrase.end
        bounds.append(phrase.bound)
        here = phrase.end
    return Prefixes(start, here, tuple(bounds))


def starts_cleanly(tokens: list[Token], at: int) -> bool:
    """Whether a number expression may begin here: not inside "F-16", "twenty-three", "10/12" or "No.5"."""
    if at == 0:
        return True
    before = tokens[at - 1]
    if not tokens[at].glued:
        return before.word not in _ARITHMETIC
    return before.text in _OPENING_MARKS


def ends_cleanly(tokens: list[Token], at: int) -> bool:
    """Whether a number expression may end before this token: not inside "155mm", "two-thirds", "13.5%", "10-year" or "10:30"."""
    if at >= len(tokens):
        return True
    token = tokens[at]
    is_share = token.word in PERCENT or token.word in PARTS or (token.word == "per" and word_at(tokens, at + 1) == "cent")
    if is_share or token.word in _ARITHMETIC:
        return False
    return not token.glued or _closes(tokens, at) or counts_a_package(tokens, at)


def counts_a_package(tokens: list[Token], at: int) -> bool:
    """Whether a hyphen, a thing in the singular and a package of it stand at a place, as in "20-tank package"."""
    joins = is_kind(tokens, at, "dash") and is_glued(tokens, at) and is_glued(tokens, at + 1) and tokens[at].text in HYPHENS
    return joins and f"{word_at(tokens, at + 1)}s" in THINGS and word_at(tokens, at + 2) in _PACKAGES and not tokens[at + 2].glued


def _closes(tokens: list[Token], at: int) -> bool:
    """Whether a token that adjoins a number ends it."""
    token = tokens[at]
    if token.kind == "dash":
        return token.text not in RANGE_DASHES
    if token.kind != "mark" or token.text not in _CLOSING_MARKS:
        return token.kind == "break"
    return token.text in "([" or not (is_glued(tokens, at + 1) and is_kind(tokens, at + 1, "number", "alien", "word"))


def joins_by_dash(tokens: list[Token], at: int) -> bool:
    """Whether a dash stands here without spaces, as in "10-12"."""
    return is_kind(tokens, at, "dash") and tokens[at].text in RANGE_DASHES and is_glued(tokens, at) and is_glued(tokens, at + 1)


def suffix_at(tokens: list[Token], at: int) -> Phrase | None:
    """What qualifies a number from behind it: "or more", "-plus", "+"."""
    if word_at(tokens, at) == "+" and is_glued(tokens, at) and not is_glued(tokens, at + 1):
        return Phrase("least", at + 1)
    if joins_by_dash(tokens, at) and tokens[at].text in HYPHENS and word_at(tokens, at + 1) == "plus":
        return Phrase("least", at + 2)
    phrase = _phrase_at(tokens, at, _AFTER) if word_at(tokens, at) in _SUFFIX_WORDS else None
    if phrase is None or word_at(tokens, phrase.end) == "than":
        return None
    if word_at(tokens, at) == "at" and is_kind(tokens, phrase.end, "word", "number"):
        return None  # "10 at least two of which …"
    return phrase
