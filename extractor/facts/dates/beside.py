"""What stands beside a date and leaves open whether it is the day that is meant: "prior to the 5 March vote", "5 April or earlier".

In: tokens of a passage and the place of a date among them. Out: the words that do so, or "". Floor: facts.
Before changing it: an expression that is surely larger than its words is read whole in when.py; what is only in doubt is found here.
"""

from typing import Literal

from extractor.facts.dates.calendar import Days
from extractor.facts.dates.datewords import LENGTHS, MONTHS, NUMBERS, ORDINALS, SEASONS, WEEKDAYS, Token
from extractor.facts.dates.stamps import FIRST_YEAR, LAST_YEAR
from extractor.facts.numbers.tokens import THINGS
from extractor.facts.party import country_of

_SKIPPED = frozenset({"the", "a", "in", "on", "at", "of", "this", "that", "(", "-", "next", "last", "coming", "time"})
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
        *("as", "every", "each", "pre", "post", "ending", "expiring", "previous", "preceding", "shy"),
    }
)
_PARTS = frozenset(
    {
        *(
            "start",
            "beginning",
            "middle",
            "end",
            "close",
            "turn",
            "half",
            "quarter",
            "rest",
            "course",
            "night",
            "eve",
            "anniversary",
            "short",
        ),
        *("week", "weeks", "weekend", "day", "days", "months", "years", "quarters", "halves"),
    }
)
"""With "of" behind them: "the week of 3 March"; without, "start" is a verb."""
_PARTS_OF_PERIOD = frozenset({"early", "mid", "late"})
"""Of "early or late March" either is a part."""
_PARTS_OF_DAY = frozenset({"early", "late", "earlier", "later"})
"""With "on" behind them, they leave the day what it is."""
_JOINTS = frozenset({"to", "or", "through", "thru", "until", "till", "'"})
_NAMED_DAYS = frozenset({"a", "good", "black", "easter", "whit"})
"""Before a weekday: "a Saturday" is any, "Good Friday" a certain one."""
_OTHER_YEARS = frozenset({"fiscal", "financial", "budget", "tax", "academic", "fy"})
"""Before a year, or before "year" and its number: twelve other months."""
_OPEN_A_STRETCH = frozenset({"up", "prior", "close", "through", "run", "down", *LENGTHS})
_DETERMINERS = frozenset({"the", "a", "an", "its", "his", "her", "their"})
_PREPOSITIONS = frozenset({"on", "in", "at", "of"})
_BEHIND = (
    *("at the latest", "at the earliest", "at the very latest", "at the very earliest", "at latest", "at earliest"),
    *("or earlier", "or later", "or before", "or after", "or sooner", "or so", "or thereabouts", "or shortly", "or soon", "if not"),
    *("onward", "onwards", "and beyond", "and after", "and later", "the year before", "the year after"),
    *("before last", "of the week before", "or beyond", "or thereafter", "and thereafter", "that year", "of that year", "of the same year"),
)
_LONGEST_BEHIND = 5
"""Tokens: "and April 4, 2026"."""
_COUNTED_FROM = frozenset({"after", "from", "following", "before"})
_IN_A_MONTH = frozenset({"in", "the", "last", "this", "next", "since", "early", "late", "mid", "until", "during", "-", "'", "s"})
"""Before a month that is surely one, whatever name follows: "in August Palme said"."""
_BEFORE_A_YEAR = frozenset(
    {"the", "a", "its", "this", "s", "'", "-", "early", "late", "mid", "in", "since", "during", "of", "(", ",", *MONTHS}
)
"""Before a year that is surely one, whatever is named behind it."""
_AFTER_A_YEAR = frozenset(
    {"and", "or", "but", "as", "when", "while", "after", "before", "with", "for", "to", "at", "by", "on", "if", "that", "which"}
)
_SAYING = frozenset(
    {"said", "says", "told", "tells", "added", "adds", "warned", "warns", "asked", "asks", "argued", "wrote", "promised", "insisted"}
)
"""Behind a month they make it a speaker."""
_THING = 3
"""Words of the thing that is counted."""
_NEXT_DATE = 4
"""So many tokens behind "but" the other date begins: "but on Monday"."""
_DENIAL = 6
"""So many tokens before a date what denies it may stand."""
_DENIALS = frozenset({"not", "never", "cannot", "t"})
"""With the "t" of "won't"."""
_BEFORE_A_DAY = frozenset({"on", "late", "early", "in", "earlier", "reporters", "lawmakers", "journalists", "parliament"})
"""Between a verb and its day: "told reporters late on Tuesday"."""
_PAST = frozenset({"said", "told", "met", "spoke", "began", "wrote", "came", "went", "took", "broke", "fell", "rose"})
"""Of a verb's past and of little else."""
_STATED = frozenset(
    """announced added appealed confirmed declared denied insisted offered pledged promised proposed rejected suggested urged vowed
    warned""".split()  # noqa: SIM905 - a list of words
)
"""Likewise; of others, "the ships delivered on Monday" may be ships that are still to come."""
_NO_PAST = frozenset({"planned", "scheduled", "expected", "postponed", "delayed", "slated"})
"""What was to be: "was planned on Tuesday"."""
_NOT_BEFORE_A_PAST = frozenset(
    """have to get gets being be is are will would could should may might must can want wants wanted need needs see seek seeks
    if unless once until when who which""".split()  # noqa: SIM905 - a list of words
)
"""Before such a word these may make it a thing to come: "will have met on Monday", "want the ships delivered on Monday"."""
_CLAUSE_REACH = 8
"""Tokens of its clause before a verb in "ed"."""
_HELPERS = 3
"""Words that may stand before a verb and say when: "are to be"."""
_SENTENCE_ENDS = frozenset(".!?;")
_REACH = 5
"""So many words may stand between a bound and its date."""


def doubt_beside(tokens: tuple[Token, ...], first: int, last: int, given: Days) -> str:
    """The words beside tokens `first` to `last` that may change which days are meant, or put them in another year than is given; or ""."""
    return (
        _before(tokens, first)
        or _behind(tokens, first, last)
        or _denied(tokens, first, last)
        or _named_or_counted(tokens, first, last)
        or _other_year(tokens, first, last, given)
    )


def _adjoining(tokens: tuple[Token, ...], first: int) -> str:
    """The word directly before a date that makes it another one, or none; "" for none."""
    if tokens[first].word == "from" and first and (tokens[first - 1].word in LENGTHS or tokens[first - 1].word in {"on", "away"}):
        return tokens[first - 1].raw  # "a week from 5 March"
    if tokens[first].word == "on" and _is_length(tokens, first - 1):
        return tokens[first - 1].raw  # "a week on Monday"
    here = first - 2 if first and tokens[first - 1].word == "year" else first - 1
    if here >= 0 and tokens[here].word in _OTHER_YEARS:
        return tokens[here].raw
    if first and tokens[first].word in MONTHS and tokens[first - 1].word[0].isdigit():
        return tokens[first - 1].raw  # "01 Mar 25"
    if _is_named(tokens, first) or (first and tokens[first].word in WEEKDAYS and tokens[first - 1].word in _NAMED_DAYS):
        return tokens[first - 1].raw
    return ""


def _before(tokens: tuple[Token, ...], first: int) -> str:
    if word := _adjoining(tokens, first):
        return word
    names = 0
    for at in range(first - 1, max(-1, first - 1 - _REACH), -1):
        word = tokens[at].word
        if word in _PARTS_OF_DAY and tokens[at + 1].word == "on":
            return ""
        if word in _BOUNDS or (word in _PARTS and tokens[at + 1].word in {"of", "-"}):
            return tokens[at].raw
        if word in {"to", "or", "and"}:
            return word if at and _is_open(tokens, at) else ""
        if tokens[at + 1].word == "on" and _is_length(tokens, at):
            return tokens[at].raw
        if word in _SKIPPED:
            continue
        is_noun = tokens[at + 1].word in _PREPOSITIONS  # "before the vote on 5 March"
        if names or at == 0 or is_noun or tokens[at - 1].word not in _DETERMINERS:  # "before the planned 5 March vote"
            return ""
        names += 1
    return ""


def _is_named(tokens: tuple[Token, ...], first: int) -> bool:
    """Whether a name inside a sentence may have the year or month behind it as its own: "Mirage 2000"; not "Kyiv July 23"."""
    if first < 2 or not (_is_year(tokens[first]) or tokens[first].word in MONTHS) or tokens[first - 2].word in {".", "!", "?"}:  # noqa: PLR2004 - a word before the name
        return False
    if first + 1 < len(tokens) and tokens[first + 1].word[0].isdigit():
        return False
    name = tokens[first - 1]
    return name.raw[0].isupper() and not _is_of_a_date(name) and name.word not in SEASONS | _SKIPPED | {"q", "h"}


def _is_open(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether "to", "or" or "and" joins what follows to a date before it: "1 to 5 March", "close to 5 March", "4 and 5 March"."""
    before = tokens[at - 1]
    if tokens[at].word == "and":
        return before.word[0].isdigit() and (at < 2 or tokens[at - 2].word not in MONTHS)  # noqa: PLR2004 - two tokens back
    return _is_of_a_date(before) or before.word in _PARTS_OF_PERIOD or (tokens[at].word == "to" and before.word in _OPEN_A_STRETCH)


def _is_of_a_date(token: Token) -> bool:
    return token.word in MONTHS or token.word in WEEKDAYS or token.word[0].isdigit()


def _behind(tokens: tuple[Token, ...], first: int, last: int) -> str:
    here = last + 1 if last < len(tokens) and tokens[last].word == "," else last
    for phrase in _BEHIND:
        words = phrase.split()
        if [token.word for token in tokens[here : here + len(words)]] == words:
            return phrase
    if last + 1 < len(tokens) and tokens[last].word in _JOINTS and _is_of_a_date(tokens[last + 1]):
        return tokens[last].word
    return _year_behind(tokens, first, last) or _counted_on(tokens, first, last)


def _year_behind(tokens: tuple[Token, ...], first: int, last: int) -> str:
    """What puts a date without a year into another year: "1 March (2024)", "in March a year ago", "Monday week"; "" for nothing."""
    if any(_is_year(token) for token in tokens[first:last]):
        parts = [token.word for token in tokens[last : last + 3]]
        return " ".join(parts) if parts[:2] == ["'", "s"] and parts[2:] and parts[2] in ORDINALS else ""  # "2024's last quarter"
    after = tokens[last : last + _LONGEST_BEHIND]
    words = [token.word for token in after]
    on_a_weekday = tokens[last - 1].word in WEEKDAYS
    if on_a_weekday and words[:1] == ["("] and len(after) > 1 and _is_of_a_date(after[1]):
        return " ".join(words[:2])  # "Saturday (March 1)"
    if on_a_weekday and (words[:1] == ["week"] or (words[:1] in (["in"], ["of"]) and words[1:2] and words[1] in MONTHS)):
        return " ".join(words[:2])  # "Monday week", "the first Monday in March"
    if words[:1] in (["fy"], ["fiscal"]) or (words[:1] in (["and"], ["or"]) and _has_a_year(after[1:])):
        return words[0]  # "3 March and 4 April 2026"
    at = 1 if words[:1] in ([","], ["("]) else 0
    if len(words) > at + 2 and words[at + 1] in LENGTHS and words[at + 2] in {"ago", "earlier"}:
        return " ".join(words[at : at + 3])
    at += words[at : at + 1] in (["in"], ["back"])
    at += words[at : at + 1] == ["in"]
    return after[at].raw if at and at < len(after) and _is_year(after[at]) else ""


def _has_a_year(tokens: tuple[Token, ...]) -> bool:
    """Whether a day or a month with its year stands here: "4 April 2026", "April 2026", "April 4, 2026"."""
    named = [at for at, token in enumerate(tokens[:2]) if token.word in MONTHS]
    begin = named[0] + 1 if named else len(tokens)
    behind = next((token for token in tokens[begin:] if token.word != "," and (token.number is None or _is_year(token))), None)
    return behind is not None and _is_year(behind)


def _denied(tokens: tuple[Token, ...], first: int, last: int) -> str:
    """What denies a date for which another stands behind "but": "not" in "not start on 5 April but on 7 April"; "" for nothing."""
    but = last + 1 if last < len(tokens) and tokens[last].word == "," else last
    instead = tokens[but + 1 : but + _NEXT_DATE]
    if but >= len(tokens) or tokens[but].word != "but" or not any(_is_of_a_date(token) for token in instead):
        return ""
    before = {token.word for token in tokens[max(0, first - _DENIAL) : first]}
    return "but" if before & _DENIALS else ""


def _other_year(tokens: tuple[Token, ...], first: int, last: int, given: Days) -> str:
    """What puts a day or a month without a year into another year, before it in its sentence: "In 2023 they met, on 20 December"; or ""."""
    date = tokens[first:last]
    if not any(token.word in MONTHS for token in date) or any(_is_year(token) for token in date):
        return ""
    for at in range(first - 2, -1, -1):
        word, following = tokens[at].word, tokens[at + 1]
        if word == "will" or (at and _ends_a_clause(tokens, at)):
            return ""
        if word in {"in", "year"} and _in_an_aside(tokens, at, first):
            continue
        if word == "in" and _is_year(following):
            return "" if any(end is not None and end.year == following.number for end in given) else following.raw
        if word == "year" and following.word in {"earlier", "before"}:
            return f"{word} {following.word}"
    return ""


def _ends_a_clause(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether a sentence ends at a token, not at the full stop of "Feb.", or another clause begins: "met in 2023, and on 1 March …"."""
    before = tokens[at - 1].word
    return before not in MONTHS if tokens[at].word in _SENTENCE_ENDS else tokens[at].word in {"and", "but"} and before == ","


def _in_an_aside(tokens: tuple[Token, ...], at: int, first: int) -> bool:
    """Whether commas part a place from a date behind it, and from what stands before it: "the deal, signed in 2023, ended on 1 March"."""
    begin = next((here for here in range(at, -1, -1) if tokens[here].word in _SENTENCE_ENDS), 0)
    return any(token.word == "," for token in tokens[begin:at]) and any(token.word == "," for token in tokens[at:first])


def tense_before(tokens: tuple[Token, ...], first: int) -> Literal["past", "future", ""]:
    """When the verb directly before a date has what it tells happen: "said on Tuesday", "will meet late on Tuesday"; or ""."""
    at = first - 1
    while at > 0 and tokens[at].word in _BEFORE_A_DAY:
        at -= 1
    if at < 0:
        return ""
    word = tokens[at].word
    helpers = [token.word for token in tokens[max(0, at - _HELPERS) : at] if token.word != "be"]
    before = helpers[-1] if helpers else ""
    if before == "will" or (before == "to" and helpers[-2:-1] in (["is"], ["are"])):
        return "future"
    if word in _PAST:
        return "" if before in _NOT_BEFORE_A_PAST else "past"
    is_passive = word.endswith("ed") and word not in _NO_PAST and before in {"was", "were", "had"}
    if not is_passive and word not in _STATED:
        return ""
    for token in reversed(tokens[max(0, at - _CLAUSE_REACH) : at]):
        if token.word in _NOT_BEFORE_A_PAST:
            return ""
        if token.word in {",", *_SENTENCE_ENDS}:
            break
    return "past"


def _named_or_counted(tokens: tuple[Token, ...], first: int, last: int) -> str:
    """What makes a month a person's name, or a year or day a count of things: "August Palme", "2026 tons", "April 14 launchers"."""
    if last >= len(tokens):
        return ""
    date, after, before = tokens[last - 1], tokens[last], tokens[first - 1].word if first else ""
    if date.word in MONTHS:
        is_month = before in _IN_A_MONTH or first < last - 1
        if before not in _IN_A_MONTH and first == last - 1 and after.word in _SAYING:
            return after.raw  # "Theresa May said"
        named = after.raw[0].isupper() and not after.raw.isupper() and not _is_of_a_date(after) and country_of(after.raw) is None
        return after.raw if named and not is_month else ""
    if date.number is None:
        return ""
    # "in 2026 Norway sends tanks", but "sends 2026 Leopard tanks"
    is_opened = first < last - 1 and not _is_year(tokens[first]) and tokens[first].word not in MONTHS
    reach = 1 if is_opened or before in {"in", "since", "during"} else _THING
    for token in tokens[last : last + reach]:
        if token.word in THINGS:
            return token.raw
        if not token.raw[0].isalpha() or token.word in _AFTER_A_YEAR:
            break
    counts = after.raw[0].islower() and after.word.endswith("s") and after.word not in {"is", "was", "has", "does", "as"}
    return after.raw if _is_year(date) and first == last - 1 and counts and first and before not in _BEFORE_A_YEAR else ""


def _is_length(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether a length of time ends at a place: "two weeks"."""
    return at > 0 and tokens[at].word in LENGTHS and (tokens[at - 1].number is not None or tokens[at - 1].word in NUMBERS)


def _is_year(token: Token) -> bool:
    return token.number is not None and FIRST_YEAR <= token.number <= LAST_YEAR


def _counted_on(tokens: tuple[Token, ...], first: int, last: int) -> str:
    """What a length of time is counted from, where it is named behind it: "within two weeks of the summit"; "" for nothing."""
    if last >= len(tokens) or not _is_length(tokens, last - 1):
        return ""
    word = tokens[last].word
    return word if word in _COUNTED_FROM or (word == "of" and tokens[first].word == "within") else ""
