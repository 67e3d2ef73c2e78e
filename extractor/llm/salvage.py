"""What a reply holds: every closed item of the asked arrays, whatever is broken around it.

In: a model's text and the asked fact types. Out: `Cut`, the items as they were written; `read_reply`, the same as a `Reply`. Floor: llm.
Before changing it: an item is taken whole or not at all, so a cut text never gives half a fact or `12` of `125`; and everything
here is one pass (strings and brackets are tokens, nothing recurses), so that a hostile megabyte costs little more than an honest one.
"""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from extractor.records import AttemptOutcome, RawItem, Reply

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LINE_STRING = r'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'  # JSON has no bare line break in a string, so a stray quote harms one line at most
_TOKEN = re.compile(rf'{_STRING}|[{{}}\[\]"]', re.DOTALL)
_LINE_TOKEN = re.compile(rf'{_LINE_STRING}|[{{}}\[\]"]')
_CLOSED_STRING = re.compile(_STRING, re.DOTALL)
_LITERAL = re.compile(r'[^,\[\]{}"]+')  # a number, true, null, NaN, or anything else that is no string and no bracket
_BETWEEN = re.compile(r"[\s,]*")
_COLON = re.compile(r"\s*:")
_MEMBER = re.compile(rf"[\s,]*({_STRING})\s*:\s*", re.DOTALL)
_NULL = re.compile(r"null(?!\w)")
_START = re.compile(r'\{(?=\s*+["}])|\[(?=\s*+\{)')
_SIBLING = re.compile(r"[\s\]}]*,\s*")
_THOUGHT = re.compile(r"<(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_OPENER = {"}": "{", "]": "["}

_FAILED_STARTS = 32
"""Places that may look like the start of a JSON object and be none before the search for an intact one ends: each may read all the rest."""

_NESTED = 2
"""Levels of JSON written inside a JSON string that are opened: `{"arguments": "{\\"…\\": []}"}` is one."""

_DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)  # asked where a value ends: an int of 5,000 digits is no error


class Cut(NamedTuple):
    """What could be read out of a text."""

    items: tuple[RawItem, ...]
    """Closed elements of the asked arrays, in the order written: of any JSON type, and not even JSON where the model made an error."""
    missing: tuple[str, ...]
    """Asked types of which no array was begun."""
    whole: bool | None
    """True: the text has an intact JSON object with asked arrays. False: only closed items could be read. None: nothing of the shape."""


class _Array(NamedTuple):
    """One asked array, as it stands in the text."""

    elements: list[tuple[int, int]]
    end: int
    """Where reading goes on; the end of the text where the array was cut."""


class _Found(NamedTuple):
    """The arrays of one type in the last object that has any."""

    region: int
    """Number of that object, in the order written."""
    whole: bool
    arrays: list[_Array]


def cut(text: str, fact_types: Sequence[str]) -> Cut:
    """Every closed element of the arrays named by `fact_types`, wherever the object with these arrays stands in `text`.

    It survives a cut tail, missing and extra commas, missing brackets, code fences, prose, reasoning, wrapping objects, unknown keys,
    literals that JSON does not have and any nesting. An array that is null is empty, a value that is no array is one item, and the
    elements of duplicate keys are all kept. An item with an error inside is kept as it was written, where its end can be told.
    Where the text has several such objects, each type is taken from the last one that has it: a draft is superseded by what follows.

    Args:
        text: What the model said, whole.
        fact_types: Registered names, in catalogue order.

    Returns:
        The items, the types without an array and whether the text was intact. It raises for no text.
    """
    return _cut(text, tuple(fact_types), _NESTED)


def read_reply(outcome: AttemptOutcome, text: str, fact_types: Sequence[str], error: str | None = None) -> Reply:
    """The reply in an attempt's text, without a client: the same for a fresh attempt and for one out of the ledger.

    Args:
        outcome: Of the attempt. `ok`, `partial` and `unparsable` are judged again from the text. `length` becomes `ok` where the
            text is whole and complete, since a model may pad a finished answer up to the limit. The others stay as they are.
        text: What the model said, whole.
        fact_types: Registered names that were asked for, in catalogue order.
        error: Why the attempt failed, in words; None where only the text can tell.

    Returns:
        A reply without usage and cost, which belong to attempts.
    """
    if outcome not in ("ok", "partial", "unparsable", "length", "content_filter"):
        return Reply(outcome=outcome, text=text, missing=tuple(fact_types), error=error)
    found = cut(text, fact_types)
    if outcome in ("ok", "partial", "unparsable"):
        outcome = "ok" if found.whole else "partial" if found.items else "unparsable"
        error = None  # an older judgement's words
    elif outcome == "length" and found.whole and not found.missing:
        outcome, error = "ok", None
    if outcome != "ok" and error is None:
        error = _in_words(outcome, found, text, fact_types)
    return Reply(outcome=outcome, text=text, items=found.items, missing=found.missing, error=error)


def members(json_text: str) -> list[tuple[str, str]] | None:
    """The keys of a JSON object and the text of each value as it was written, keys that stand twice included; None for anything else."""
    try:
        if not isinstance(_DECODER.decode(json_text), dict):
            return None
    except (ValueError, RecursionError):
        return None
    found = []
    at = json_text.index("{") + 1
    while key := _MEMBER.match(json_text, at):
        end = _DECODER.raw_decode(json_text, key.end())[1]
        found.append((str(_DECODER.decode(key[1])), json_text[key.end() : end]))
        at = end
    return found


def _in_words(outcome: AttemptOutcome, found: Cut, text: str, fact_types: Sequence[str]) -> str:
    read = f"{len(found.items)} closed items were read"
    if outcome == "length":
        return f"The answer was cut at the output limit, after {len(text)} characters; {read}."
    if outcome == "content_filter":
        return f"The provider withheld the answer; {read}."
    if outcome == "partial":
        return f"The answer is not whole JSON; {read}."
    return f"The answer ({len(text)} characters) holds no item and no whole JSON object with {', '.join(map(repr, fact_types))}."


def _cut(text: str, fact_types: tuple[str, ...], nested: int) -> Cut:
    found: dict[str, _Found] = {}
    for start in _answer_starts(text) if fact_types else ():
        later = _Reader(text).find(fact_types, start)
        if later and (not found or _all_whole(later)):
            found = later
        if _all_whole(found):
            break
    if not found:
        return (_inside_string(text, fact_types, nested) if nested else None) or Cut((), fact_types, None)
    spans = sorted(
        (span, name, index)
        for name, last in found.items()
        for index, span in enumerate(span for array in last.arrays for span in array.elements)
    )
    items = tuple(RawItem(fact_type=name, index=index, json_text=text[start:end]) for (start, end), name, index in spans)
    return Cut(items, tuple(name for name in fact_types if name not in found), _all_whole(found))


def _all_whole(found: dict[str, _Found]) -> bool:
    return bool(found) and all(last.whole for last in found.values())


def _inside_string(text: str, fact_types: tuple[str, ...], nested: int) -> Cut | None:
    """The cut of JSON that is written inside a JSON string, as some servers hand on a tool's arguments; None where there is none."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    for inner in value.values() if isinstance(value, dict) else [value]:
        if isinstance(inner, str) and (found := _cut(inner, fact_types, nested - 1)).whole is not None:
            return found
    return None


def _answer_starts(text: str) -> list[int]:
    """Where the answer may begin: past the reasoning that some models write before it; the end of the text where that never ends."""
    body = text.lstrip()
    if body[:1] in ("{", "[", "`"):
        return [0]  # an answer at once, which may quote such a tag
    opening, closing = _THOUGHT.match(body), _THOUGHT_END.search(text)
    if opening:
        return [closing.end() if closing else len(text)]
    # some servers swallow the opening tag; but without it the closing one may be a word of the answer, so it is the second choice
    return [0, closing.end()] if closing else [0]


class _Reader:
    """One text being read; it counts what failed, so that no failure is paid for many times."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts_left = _FAILED_STARTS

    def find(self, fact_types: tuple[str, ...], position: int) -> dict[str, _Found]:
        """The asked arrays from `position` on, by type; a type that the text does not have is left out."""
        key = re.compile(rf'"({"|".join(map(re.escape, fact_types))})"\s*+:\s*+')
        found: dict[str, _Found] = {}
        intact_until = region = 0
        while match := key.search(self._text, position):
            if match.start() >= intact_until:
                gap = max(position, intact_until)
                begin, intact_until = self._object_around(gap, match.start())
                if begin is not None and not _SIBLING.fullmatch(self._text, gap, begin):
                    region += 1
            whole = match.start() < intact_until
            array = self._array(match.end(), whole=whole)
            position = array.end if array else match.end()
            if array:
                name, last = match[1], found.get(match[1])
                if last and last.region == region:  # a duplicate key, or objects side by side in one array
                    last.arrays.append(array)
                    found[name] = _Found(region, last.whole and whole, last.arrays)
                else:
                    found[name] = _Found(region, whole, [array])
        return found

    def _object_around(self, position: int, key: int) -> tuple[int | None, int]:
        """Where the JSON value around `key` begins, None where it began before `position`; and its end, 0 where it is not intact."""
        broken: int | None = None
        while start := _START.search(self._text, position, key + 1):  # the key's own quote is what `{` must be followed by
            if not self._starts_left:
                return (start.start() if broken is None else broken), 0
            try:
                end = _DECODER.raw_decode(self._text, start.start())[1]
            except (ValueError, RecursionError):
                self._starts_left -= 1
                broken = start.start() if broken is None else broken
                position = start.end()
                continue
            if end > key:
                return start.start(), end
            position = end
        return broken, 0

    def _array(self, at: int, *, whole: bool) -> _Array | None:
        """The value of an asked key; None where there is none yet, or where it is a word in prose rather than a value."""
        if null := _NULL.match(self._text, at):
            return _Array([], null.end())
        opening = self._text[at : at + 1]
        if opening == "[":
            return self._elements(at + 1, whole=whole)
        if opening == "{" or (whole and opening):
            end = self._element(at, whole=whole)
            return _Array([] if end is None else [(at, end)], len(self._text) if end is None else end)
        return None

    def _elements(self, position: int, *, whole: bool) -> _Array:
        text = self._text
        elements: list[tuple[int, int]] = []
        while True:
            between = _BETWEEN.match(text, position)
            position = between.end() if between else position
            if text[position : position + 1] in ("", "]", "}"):
                return _Array(elements, position + (text[position : position + 1] == "]"))
            end = self._element(position, whole=whole)
            if end is None:
                return _Array(elements, len(text))
            if text[position] == '"' and _COLON.match(text, end):
                return _Array(elements, position)  # the array lacks its bracket, and this is the next key
            elements.append((position, position + len(text[position:end].rstrip())))
            position = end

    def _element(self, at: int, *, whole: bool) -> int | None:
        """Where the value that begins at `at` ends; None where the text ends first."""
        if whole:  # what stands in an intact object is intact
            return _DECODER.raw_decode(self._text, at)[1]
        opening = self._text[at]
        if opening == '"':
            string = _CLOSED_STRING.match(self._text, at)
            return string.end() if string else None
        if opening not in "{[":
            literal = _LITERAL.match(self._text, at)
            # a number that ends with the text may be the beginning of a longer one
            return literal.end() if literal and literal.end() < len(self._text) else None
        end = self._closing(_TOKEN, at)
        return self._closing(_LINE_TOKEN, at) if end is None else end

    def _closing(self, tokens: re.Pattern[str], at: int) -> int | None:
        """The end of the object or array that opens at `at`, by its brackets outside strings."""
        stack: list[str] = []
        for token in tokens.finditer(self._text, at):
            char = token[0]
            if char in _OPENER:
                while stack:
                    if stack.pop() == _OPENER[char]:
                        break
                else:
                    return token.start()  # it closes what lies around: the item lacks a bracket of its own and ends here
                if not stack:
                    return token.end()
            elif char != '"':
                if char in "{[":
                    stack.append(char)
            elif tokens is _TOKEN or self._text.find("\n", token.start()) < 0:
                return None
        return None
