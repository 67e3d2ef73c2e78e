"""What stands beside a date and leaves open whether it is the day that is meant: "prior to the 5 March vote", "5 April or earlier".

In: tokens of a passage and the place of a date among them. Out: the words that do so, or "". Floor: facts.
Before changing it: an expression that is surely larger than its words is read whole in when.py; what is only in doubt is found here.
"""

from extractor.facts.dates.datewords import MONTHS, WEEKDAYS, Token

_SKIPPED = frozenset({"the", "a", "in", "on", "at", "of", "this", "that", "(", "next", "last", "coming", "time"})
"""Between a bound and its date: "prior to the 5 March vote", "by the time of the 5 April summit"."""
_BOUNDS = frozenset(
    {
        *("before", "prior", "ahead", "by", "until", "till", "through", "thru", "after", "following", "since", "from", "between", "within"),
        *("about", "around", "circa", "ca", "approximately", "approx", "roughly", "some", "near", "nearly", "almost", "towards", "toward"),
        *(
            "than",
            "not",
            "nor",
            "never",
            "instead",
            "except",
            "but",
            "up",
            "into",
            "beyond",
            "past",
            "earlier",
            "later",
            "early",
            "late",
            "mid",
        ),
    }
)
_PARTS = frozenset(
    {
        *("start", "beginning", "middle", "end", "close", "turn", "half", "quarter", "rest", "course", "night", "eve", "anniversary"),
        *("week", "weeks", "weekend", "days", "months", "years"),
    }
)
"""With "of" behind them: "the week of 3 March"; without, "start" is a verb."""
_BEHIND = (
    "at the latest",
    "at the earliest",
    "at the very latest",
    "at the very earliest",
    "at latest",
    "at earliest",
    "or earlier",
    "or later",
    "or before",
    "or after",
    "or sooner",
    "or so",
    "or thereabouts",
    "onward",
    "onwards",
    "and beyond",
    "and after",
    "and later",
    "if not",
)
_REACH = 5
"""So many words may stand between a bound and its date."""


def doubt_beside(tokens: tuple[Token, ...], first: int, last: int) -> str:
    """The words beside tokens `first` to `last` that may change which days are meant; "" for none."""
    return _before(tokens, first) or _behind(tokens, last)


def _before(tokens: tuple[Token, ...], first: int) -> str:
    for at in range(first - 1, max(-1, first - 1 - _REACH), -1):
        word = tokens[at].word
        if word in _BOUNDS or (word in _PARTS and tokens[at + 1].word in {"of", "-"}):
            return tokens[at].raw
        if word == "to":
            return "to" if at and _is_of_a_date(tokens[at - 1]) else ""
        if word not in _SKIPPED:
            return ""
    return ""


def _is_of_a_date(token: Token) -> bool:
    return (
        token.word in MONTHS
        or token.word in WEEKDAYS
        or token.word[0].isdigit()
        or token.word in {"up", "prior", "year", "months", "week", "down"}
    )


def _behind(tokens: tuple[Token, ...], last: int) -> str:
    here = last + 1 if last < len(tokens) and tokens[last].word == "," else last
    for phrase in _BEHIND:
        words = phrase.split()
        if [token.word for token in tokens[here : here + len(words)]] == words:
            return phrase
    if last + 1 < len(tokens) and tokens[last].word == "to" and _is_of_a_date(tokens[last + 1]):
        return "to"
    return ""
