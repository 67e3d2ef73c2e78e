"""When: a date or an interval with its words, and the grammar that reads them against the publication date.

In: the model's reading, the quote it stands in, the publication date. Out: `When` and its check, `read_when`. Floor: facts.
"""

import functools
import re
from datetime import date
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from extractor.facts.dates.beside import doubt_beside, tense_before
from extractor.facts.dates.calendar import OPEN, Days, shift
from extractor.facts.dates.datewords import AFTER, BEFORE, BY, NOT_BEFORE, NOT_UNTIL, SINCE, UNTIL, VOCABULARY, Token, tokenise
from extractor.facts.dates.intervals import WhenReading, read_tokens
from extractor.facts.english import is_english
from extractor.facts.fact import Check, Value, Verbatim

LONGEST_CHARS = 200
"""Longer words are no date; they are not read, so that hostile text costs nothing."""
SPEECH_DAYS = 4
"""Words may count from when they were said: "tomorrow" in a statement of Monday, printed on Wednesday. So many days before publication
a reading is not excluded, only unverified."""
_LONGEST_TOKENS = 24
_REACH_CHARS = 60
"""How far on either side of the words the quote is searched for the rest of their expression."""
_REACH_TOKENS = 5
_YEAR = re.compile(r"(?<![0-9])(?:1[89]|2[01])[0-9]{2}(?![0-9])")
_SHOWN = 3
"""So many readings are named in a message."""


class When(Value):
    """A time as an interval of days, both ends included. A day is never invented."""

    as_written: Verbatim = Field(
        description="The words, verbatim: 'July 23', 'earlier this month', 'before the end of August', '50 days'.",
    )
    earliest: date | None = Field(
        description=(
            "First day that the words allow, as YYYY-MM-DD; null where they give none ('before the end of August'). Relative words are "
            "resolved against the publication date; without one they stay null."
        ),
    )
    latest: date | None = Field(
        description=(
            "Last day that the words allow; equal to earliest for a single day; null where they give none. 'Before the end of August': "
            "31 August. A duration counts from both ends of its start, when the start is in the text."
        ),
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise ValueError(f"earliest {self.earliest} is after latest {self.latest}")
        return self

    def check(self, *, quote: str, start: int, published: date | None) -> Check:
        """Whether the interval is what the words mean, and the words are whole.

        Args:
            quote: The passage in which `as_written` stands.
            start: Where in `quote` it begins, a code point.
            published: The article's publication date; None leaves relative words open, and any date given for them disagrees.

        Returns:
            `disagrees` only where the words exclude a day that was given, where fewer days were given than they allow, or where the
            expression goes on beyond `as_written` and means something else; `not_understood` where custom does not settle it, where
            what stands beside the words may change them, and where the passage is not plainly English.
        """
        given = Days(self.earliest, self.latest)
        if not is_english(quote, start):
            return Check(
                "not_understood", f"the date {self.as_written!r} stands in text that is not plainly English; {given} is unverified"
            )
        alone = read_when(self.as_written, published)
        judged = _judge(self.as_written, alone, given, quote, published)
        place = _placed(quote, start, self.as_written)
        fuller, around = _fuller(place, quote, alone, published) if place is not None else (None, (0, 0))
        doubt = "" if place is None else doubt_beside(place.tokens, *around, given)
        if doubt:
            return Check("not_understood", f"{doubt!r} stands beside {self.as_written!r}; {given} is unverified")
        if fuller is None:
            return _in_tense(judged, given, place, published)
        whole = _judge(fuller.text, fuller.reading, given, quote, published)
        if fuller.completes_length or (whole.result == "agrees" and judged.result == "agrees"):
            return whole
        return Check(
            "disagrees",
            f"{self.as_written!r} is a part of {fuller.text!r}, which means {_shown(fuller.reading)}; {given} was given. "
            f"as_written must be the whole expression, and the dates must be what it means",
        )


def _in_tense(check: Check, given: Days, place: "_Placed | None", published: date | None) -> Check:
    """A check without its note of another reading, where the verb before the date settles it: "said on Tuesday", "will meet on Tuesday"."""
    if not check.assumed or place is None or published is None:
        return check
    tense = tense_before(place.tokens, place.first)
    is_past = tense == "past" and given.latest is not None and given.latest <= published
    is_ahead = tense == "future" and given.earliest is not None and given.earliest >= published
    return check._replace(assumed="") if is_past or is_ahead else check


def read_when(text: str, published: date | None) -> WhenReading | None:
    """What the words of a date mean.

    Args:
        text: The words alone, such as "before the end of August"; English, or a numeric date.
        published: What relative words count from; never today's date. None leaves them open: the reading is then `Days(None, None)`.

    Returns:
        None when the words are not understood: another language, 03/04/2025, 31 June, more than `LONGEST_CHARS` characters.
    """
    return None if len(text) > LONGEST_CHARS else _read_when(text, published)


@functools.lru_cache(maxsize=2048)  # "on Monday", "last week": a corpus says the same again and again
def _read_when(text: str, published: date | None) -> WhenReading | None:
    tokens = tokenise(text)
    return read_tokens(tokens, published) if len(tokens) <= _LONGEST_TOKENS else None


def _shown(reading: WhenReading) -> str:
    if reading.relative and reading.admissible == (OPEN,) and not reading.counted:
        return "no date without a publication date"
    return " or ".join(str(days) for days in reading.admissible[:_SHOWN])


def _judge(words: str, reading: WhenReading | None, given: Days, quote: str, published: date | None) -> Check:
    if reading is None:
        return Check("not_understood", f"no grammar reads the date {words!r}; {given} is unverified")
    if given in reading.admissible:
        return Check("agrees", assumed=_other_readings(words, given, reading))
    return _judge_unlisted(words, reading, given, quote, published)


def _judge_unlisted(words: str, reading: WhenReading, given: Days, quote: str, published: date | None) -> Check:
    """Whether a reading that is none of the right ones is excluded, or only unsettled."""
    counted_from = f", counted from {published}" if reading.relative and published else ""
    if reading.counted:
        return Check("not_understood", f"{words!r} counts from a day that it does not name; {given} is unverified")
    year_is_near = reading.relative and any(end is not None and str(end.year) in _YEAR.findall(quote) for end in given)
    if published is None and reading.relative:
        problem = f"{words!r} cannot be resolved without a publication date; earliest and latest must be null, {given} was given"
        return Check("not_understood" if year_is_near else "disagrees", problem)
    problem = f"{words!r} means {_shown(reading)}{counted_from}; {given} was given"
    if given == OPEN or reading.leaves_open(given) or year_is_near:
        return Check("not_understood", problem)
    if published is not None and reading.relative:
        for days in range(1, SPEECH_DAYS + 1):
            said = read_when(words, shift(published, -days))
            if said is not None and given in said.admissible:
                return Check("not_understood", f"{problem}; that would be right if it was said on {shift(published, -days)}")
    return Check("disagrees", problem)


def _other_readings(words: str, given: Days, reading: WhenReading) -> str:
    """A note where the words fit other days as well, none of them shared ("Monday": the last or the next)."""
    others = [days for days in reading.admissible if _apart(days, given)]
    if any(not _apart(days, given) and not _apart(days, others[0]) for days in reading.admissible if others):
        return ""
    return f"{words!r} read as {given}; it may also mean {others[0]}" if others else ""


def _apart(one: Days, two: Days) -> bool:
    if one.earliest is None or one.latest is None or two.earliest is None or two.latest is None:
        return False
    return one.latest < two.earliest or two.latest < one.earliest


class _Fuller(NamedTuple):
    """An expression of which `as_written` is a part."""

    text: str
    reading: WhenReading
    completes_length: bool
    """`as_written` is a length of time, and what adjoins it says where it begins: "within", "the next"."""


class _Placed(NamedTuple):
    """The words of a value among the tokens of their passage."""

    tokens: tuple[Token, ...]
    """Of the passage near the words."""
    offset: int
    """Where in the passage they begin, a code point."""
    first: int
    """Index of the first token of the words."""
    last: int
    """Index of the token after them."""


def _placed(quote: str, start: int, words: str) -> _Placed | None:
    """The words among the tokens near them; None where no token of theirs stands there."""
    if len(words) > LONGEST_CHARS:
        return None
    offset, cut = max(start - _REACH_CHARS, 0), start + len(words) + _REACH_CHARS
    tokens = tokenise(quote[offset:cut])
    if offset:
        tokens = tokens[1:]  # the slice may have begun inside a word, and ended inside one
    if cut < len(quote):
        tokens = tokens[:-1]
    inside = [place for place, token in enumerate(tokens) if token.end > start - offset and token.start < start - offset + len(words)]
    while len(inside) > 1 and tokens[inside[-1]].word in _ENDS:
        inside.pop()  # "June 2026." is no more than "June 2026", and as likely a part of something
    return _Placed(tokens, offset, inside[0], inside[-1] + 1) if inside else None


def _fuller(place: _Placed, quote: str, alone: WhenReading | None, published: date | None) -> tuple[_Fuller | None, tuple[int, int]]:
    """The whole expression in which the words stand, where it certainly means something else than they do alone, and how far it goes.

    Without one, it goes on as far as means the same: in "from 1 December 2025 to …" beyond "from 1 December".
    """
    tokens, offset, first, last = place
    left, right = _reach(tokens, first, -1), _reach(tokens, last - 1, 1)
    same: list[tuple[int, int]] = []
    for size in range(left + right, 0, -1):
        for before in range(min(left, size), max(size - right, 0) - 1, -1):
            begin, end = first - before, last + size - before
            window = tokens[begin:end]
            reading = read_tokens(window, published)
            if reading is None or window[-1].word in _ENDS or not _certain(tokens, begin, first, last, end):
                continue
            if any(begin >= whole[0] and end <= whole[1] for whole in same):
                continue
            if alone is not None and set(alone.admissible) == set(reading.admissible):
                same.append((begin, end))  # "in July" is no more than "July", and neither is a part of it
                continue
            text = quote[offset + window[0].start : offset + window[-1].end]
            completes = alone is not None and alone.counted and end == last
            return _Fuller(text, reading, completes), (begin, end)
    return None, (first, same[0][1] if same else last)  # what stands before the words is no part of them


def _reach(tokens: tuple[Token, ...], place: int, step: int) -> int:
    """How many tokens beside `place` may belong to a date."""
    count = 0
    while count < _REACH_TOKENS:
        beside = place + step * (count + 1)
        if not 0 <= beside < len(tokens):
            break
        token = tokens[beside]
        if token.word not in VOCABULARY and not token.word[0].isdigit():
            break
        count += 1
    return count


_BOUND_WORDS = frozenset(phrase.split()[0] for phrase in (*BEFORE, *BY, *UNTIL, *AFTER, *SINCE, *NOT_BEFORE, *NOT_UNTIL))
_ENDS = frozenset({",", "."})
_JOINTS = frozenset({"to", "or", "and", "until", "till", "through"})
_AFTER_A_DATE = frozenset(  # what may follow without making the date a part of something else
    """and or but the a an it he she they we to in on at of for with when as if that which who will would could may might must should shall
    is was were are has have had said says , . ; : ) ! ? " ” » …""".split()  # noqa: SIM905 - a list of seventy strings is no better to read
)


def _certain(tokens: tuple[Token, ...], begin: int, first: int, last: int, end: int) -> bool:
    """Whether tokens `begin` to `end` surely are one expression around `first` to `last`.

    "After 2022 elections" is not about the time after 2022, "July 10 systems" not about a tenth, "moved from July 3 to August 1" no range.
    """
    added = (*tokens[begin:first], *tokens[last:end])
    following = tokens[end] if end < len(tokens) else None
    if any(token.word in _JOINTS for token in added) and tokens[begin].word not in ("between", "until", "till", "not"):
        return False
    if any(token.word in _JOINTS for token in added[1:]) and tokens[begin].word != "between":
        return False
    if following is None:
        return True
    if begin < first and tokens[begin].word in _BOUND_WORDS:
        return following.word in _AFTER_A_DATE
    counts_something = following.raw[0].islower() and following.word.endswith("s") and following.word not in _AFTER_A_DATE
    return not (counts_something and any(token.word.isdigit() for token in added))
