"""What stands beside a number expression and leaves open whether it means what it says: "talks about 10", "10 bis 12", "Leopard 2".

In: tokens and an expression among them. Out: a reason for doubt, or "". Floor: facts.
Before changing it: the words stand in neighbours.toml. A doubt costs a warning; a missing one may let a wrong number pass.
"""

from extractor.facts.numbers.asides import doubt_in_asides
from extractor.facts.numbers.clauses import bound_before, bound_behind, denied_before
from extractor.facts.numbers.currencies import read_before
from extractor.facts.numbers.expressions import Expression, read_expression
from extractor.facts.numbers.numerals import NUMBER_WORDS, SCALES
from extractor.facts.numbers.qualifiers import PART, PARTS, PERCENT, counts_a_package, ends_cleanly, prefix_at
from extractor.facts.numbers.tails import MAGNITUDES, MEASURES, MONTHS, is_latin, is_loose_number
from extractor.facts.numbers.tokens import RANGE_DASHES, THINGS, Token, is_glued, is_kind, tokenize, word_at, word_list
from extractor.facts.party import country_of

_QUALIFIERS_ABROAD = word_list("qualifiers_abroad")
_LINKS_ABROAD = word_list("links_abroad")
_COMPARATIVES_ABROAD = word_list("comparatives_abroad")
_JOINS_ABROAD = word_list("joins_abroad")
_NEGATIONS = word_list("negations")
_LENGTHS = word_list("lengths")
_LABELS = word_list("labels")
_NO_MODELS = word_list("no_models")
_LONGEST_MODEL = 4
_TOPICS = word_list("topics")
_OVER_VERBS = word_list("over_verbs")
_CHANGES = tuple(word_list("changes"))
_COUNTING = word_list("counting")
_TITLES = word_list("titles")
_OPENING_MARKS = frozenset("(\"'\u2018\u201c\u201e\u00ab[")
_ONE_PACKAGE = frozenset({"a", "the", "its", "this", "that", "their", "his", "her"})
_ABBREVIATED = MONTHS | {"No", "Nos", "no", "nos"}
_WHOLES = PART | PARTS | PERCENT | {"cent"}
_HAND = frozenset({"hand", "hands", "handed", "handing"})
_LIST_JOINS = frozenset({",", "and", "or", "/"})
_LONGEST_LIST = 6
_CHANGE_WINDOW = 8  # tokens back to the verb of "raised the number of systems from 5 to 7"
_LAST_DAY = 31
_AGES = range(10, 110)
_DAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})


def doubt_about(tokens: list[Token], expression: Expression, after: int) -> str:
    """Why an expression may not mean what it says; "" for no reason.

    Args:
        tokens: Of the passage.
        expression: One that stands in it.
        after: Index of the token after the value's words, which may go on after the expression.
    """
    return (
        _before(tokens, expression)
        or _after(tokens, expression)
        or _shared_magnitude(tokens, expression)
        or doubt_in_asides(tokens, expression, after)
        or _measured(tokens, expression, after)
        or _set_apart(tokens, expression, after)
        or _quoted(bound_before(tokens, expression), "before")
        or _quoted(bound_behind(tokens, expression, after), "after")
        or _quoted(denied_before(tokens, expression, after), "before")
    )


def _quoted(words: str, side: str) -> str:
    return f"{words!r} stands {side} it" if words else ""


def is_particle(tokens: list[Token], at: int, *, is_own: bool) -> bool:
    """Whether "over" belongs to the verb before it: "hand over at least 10", which has a bound of its own, and "handed over 10".

    Args:
        tokens: Of the passage.
        at: Index of the word.
        is_own: Whether a value has it among its words; after "handed" that is one more reading of "handed over 10".
    """
    if word_at(tokens, at) != "over" or word_at(tokens, at - 1) not in _OVER_VERBS:
        return False
    phrase = prefix_at(tokens, at + 1)
    if phrase is not None and phrase.bound not in {"plain", "definite"}:
        return True
    return word_at(tokens, at - 1) in _HAND and not is_own


def holds_no_number(words: str) -> bool:
    """Whether English words hold nothing that could be a number: neither a digit nor a word of counting."""
    if any(char.isnumeric() for char in words):
        return False
    return not any(part in NUMBER_WORDS or part in _COUNTING for token in tokenize(words) for part in token.word.split("-"))


def _is_number_like(tokens: list[Token], at: int) -> bool:
    return is_kind(tokens, at, "number") or word_at(tokens, at) in NUMBER_WORDS


def _is_year(token: Token) -> bool:
    return token.kind == "number" and len(token.text) == len("2025") and token.text[:2] in {"19", "20"}


def _is_day(tokens: list[Token], expression: Expression) -> bool:
    low = expression.minimum
    return low is not None and low <= _LAST_DAY and not expression.has_scale and is_kind(tokens, expression.end - 1, "number")


def _before(tokens: list[Token], expression: Expression) -> str:
    """What stands before an expression and may bear on it."""
    at = expression.start - 1
    while is_kind(tokens, at, "mark") and tokens[at].text in _OPENING_MARKS:
        at -= 1
    if word_at(tokens, at) == "." and is_glued(tokens, at) and (tokens[at - 1].text in _ABBREVIATED):
        at -= 1  # "Feb. 24", "No. 5"
    if at < 0:
        return ""
    if counts_a_package(tokens, expression.end) and word_at(tokens, at) not in _ONE_PACKAGE:
        return f"{tokens[at].text!r} stands before it"  # "two more 20-tank packages"
    if _bears_on(tokens, at, expression) or _is_named(tokens, at, expression) or _is_number_beside(tokens, at):
        return f"{tokens[at].text!r} stands before it"
    return "it may tell of a change rather than a range" if _is_changing(tokens, expression) else ""


def _bears_on(tokens: list[Token], at: int, expression: Expression) -> bool:
    """Whether the word before an expression may bound, negate or multiply it, or makes its "about" a topic."""
    token, before = tokens[at], word_at(tokens, at - 1)
    if not is_latin(token) or token.word in _QUALIFIERS_ABROAD or token.word in _NEGATIONS:
        return True
    if token.word in _LINKS_ABROAD and before in _COMPARATIVES_ABROAD:
        return True
    if token.word == "in" and (_is_number_like(tokens, at - 1)):
        return True  # "one in 10"
    if token.word in {"by", "from"} and any(each.word.startswith(_CHANGES) for each in tokens[max(0, at - _CHANGE_WINDOW) : at]):
        return True  # "fell by 10", "cut to 8 from 10"
    if token.word == "of" and (before in _WHOLES or (before == "group" and tokens[at - 1].text[0].isupper())):
        return True  # "a quarter of a million", "the Group of Seven"
    if token.word == "of" and word_at(tokens, at - 2) == "/" and is_kind(tokens, at - 1, "number"):
        return True  # "2/3 of the 9"
    opening = word_at(tokens, expression.start)
    return (opening in {"about", "over", "around"} and token.word in _TOPICS) or (opening == "over" and token.word in _OVER_VERBS)


def _is_named(tokens: list[Token], at: int, expression: Expression) -> bool:
    """Whether the number is part of a name or a date: "Leopard 2", "No. 5", "July 23"."""
    text = tokens[at].text
    if text in MONTHS and word_at(tokens, at - 1) == "in" and word_at(tokens, expression.end) in THINGS:
        return False  # "in April 14 launchers came"; a day would be on it
    if text in _LABELS or (text in {"no", "nos"} and tokens[at + 1].text == "."):
        return True
    by_digits = is_kind(tokens, expression.start, "number") and not expression.has_scale
    is_model = by_digits and text.isupper() and len(text) <= _LONGEST_MODEL and text not in _NO_MODELS  # "RCH 155", "T 72"
    return is_model or (by_digits and _is_unknown_name(tokens, at)) or (text in MONTHS and _is_day(tokens, expression))


def _is_unknown_name(tokens: list[Token], at: int) -> bool:
    """Whether a name that is no state's, inside a sentence, stands directly before a number and may have it as its own: "Hrim 2"."""
    token = tokens[at]
    if token.kind != "word" or not token.text[0].isupper() or at == 0 or tokens[at - 1].text in '.!?\u201c"':
        return False
    if token.text.isupper() and (token.text in _NO_MODELS or not tokens[at - 1].text.islower()):
        return False  # a headline in capitals; "sends HIMARS 3" is none
    title = at - 2 if tokens[at - 1].text[0].isupper() and tokens[at - 1].word not in _TITLES else at - 1
    if word_at(tokens, title) in _TITLES:
        return False  # "gives President Volodymyr Zelenskyy 14 tanks"
    return token.text not in MONTHS and token.word not in _DAYS and country_of(token.text) is None


def _is_number_beside(tokens: list[Token], at: int) -> bool:
    """Whether another number stands before the expression, and no year or day that ends there by itself."""
    token = tokens[at]
    if token.word in _JOINS_ABROAD and _is_number_like(tokens, at - 1):
        return True
    if token.kind == "dash":
        return _is_number_like(tokens, at - 1) and (_is_number_like(tokens, at + 1) or read_before(tokens, at + 1) is not None)
    if token.word in SCALES and is_kind(tokens, at + 1, "number"):
        return True  # "15 million 300 thousand"
    return token.kind == "number" and is_loose_number(tokens, at) and not _is_year(token) and not _is_of_a_month(tokens, at)


def _is_of_a_month(tokens: list[Token], at: int) -> bool:
    """Whether the name of a month stands before a number: "March 5", "Feb. 24"."""
    before = word_at(tokens, at - 1)
    return before.title() in MONTHS or (before == "." and word_at(tokens, at - 2).title() in MONTHS)


def _is_changing(tokens: list[Token], expression: Expression) -> bool:
    """Whether "from 5 to 7" may say that 5 became 7."""
    if expression.minimum == expression.maximum or not any(token.word == "to" for token in tokens[expression.start : expression.end]):
        return False
    back = tokens[max(0, expression.start - _CHANGE_WINDOW) : expression.start]
    if word_at(tokens, expression.start) != "from" and any(token.word in {"from", "by"} for token in back):
        return True  # "from the present 5 to 7", "by 5 million to 7 million"
    return any(token.kind == "word" and (token.word in {"up", "down"} or token.word.startswith(_CHANGES)) for token in back)


def _after(tokens: list[Token], expression: Expression) -> str:
    """What stands directly after an expression and may bear on it."""
    at = expression.end
    if at >= len(tokens):
        return ""
    token = tokens[at]
    if token.text == "." and word_at(tokens, at + 1).title() in MONTHS and _is_day(tokens, expression):
        return "it may be a date"  # German: "10. Februar"
    # an em dash after "5 million" opens a clause; after bare digits it may make a range
    may_join = token.kind == "dash" and (token.text in RANGE_DASHES or is_kind(tokens, at - 1, "number"))
    joined = may_join and (_is_number_like(tokens, at + 1) or read_before(tokens, at + 1) is not None)
    beside = is_loose_number(tokens, at) and not _is_year(token)
    if (
        joined
        or beside
        or token.kind == "alien"
        or not ends_cleanly(tokens, at)
        or not is_latin(token)
        or _word_changes(tokens, at, expression)
    ):
        return f"{token.text!r} stands after it"
    return ""


def _word_changes(tokens: list[Token], at: int, expression: Expression) -> bool:
    """Whether the word after an expression may multiply it, measure it, compare it or make it a date."""
    token, following = tokens[at], word_at(tokens, at + 1)
    if token.kind != "word":
        return False
    in_a_name = is_glued(tokens, at + 1) and is_kind(tokens, at + 1, "dash", "number")  # "13 T-72 tanks"
    if not in_a_name and (token.word in MAGNITUDES or token.word in MEASURES or token.word in {"point", "plus"}):
        return True
    if token.word == "and" and (word_at(tokens, at + 2) in PART | PARTS or following in PARTS):
        return True  # "two and three quarters"
    if token.word in _JOINS_ABROAD and is_loose_number(tokens, at + 1):
        return True
    return (token.word in {"more", "fewer", "less"} and following == "than") or (token.text in MONTHS and _is_day(tokens, expression))


def _measured(tokens: list[Token], expression: Expression, after: int) -> str:
    """A distance or a time that follows an expression and is not among the value's words."""
    at = expression.end
    left_out = at >= after and word_at(tokens, at) in _LENGTHS and not is_glued(tokens, at)
    return f"{tokens[at].text!r} stands after it" if left_out else ""


def _set_apart(tokens: list[Token], expression: Expression, after: int) -> str:
    """A number by itself between two commas, as the age of a person stands: "the pilot, 34, was hurt"; "" for none."""
    low, end = expression.minimum, expression.end
    is_apart = word_at(tokens, expression.start - 1) == "," == word_at(tokens, end) and after <= end
    return "it may be an age" if is_apart and expression.currency is None and low == expression.maximum and low in _AGES else ""


def _shared_magnitude(tokens: list[Token], expression: Expression) -> str:
    """A magnitude that stands behind a list and may belong to this number too: "10, 20 and 30 million"."""
    if expression.has_scale or (expression.minimum is None and expression.maximum is None):
        return ""
    here = expression.end
    for _ in range(_LONGEST_LIST):
        joins = here
        while word_at(tokens, here) in _LIST_JOINS:
            here += 1
        following = read_expression(tokens, here) if here > joins else None
        if following is None or following.is_article:
            return ""
        if following.has_scale:
            return "a magnitude stands at the end of the list"
        here = following.end
    return ""
