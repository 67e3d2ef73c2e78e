"""Gold: the facts that somebody who read the articles says are there.

In: a JSONL file, or a folder of them. Out: `Gold`. Floor: results.
Before changing it: a line is a row of the export with a few keys more, so that rows corrected by hand and decisions of the review page are
gold as they are; docs/gold.md is the contract.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

from pydantic import Field

from extractor.errors import UsageError
from extractor.fingerprint import canonical_json, fingerprint
from extractor.records import Record
from extractor.results.evaluation.compare import flat

_OURS = ("article_id", "fact_type", "value", "evidence", "optional", "alternatives", "decision", "complete")
_CLOSE = 0.8  # difflib's ratio from which an unknown key is taken for a slip of one of ours: "optionnal", "alternative"
_NUMBERS = ("minimum", "maximum")
_DATES = ("earliest", "latest")

Decision = Literal["accept", "reject", "edit"]


class GoldQuote(Record):
    """One passage that proves a gold fact."""

    quote: str
    """Its words."""
    start: int | None = None
    """First code point in the article's text, inclusive; None where gold gives no offsets."""
    end: int | None = None
    """One past the last code point, exclusive; None likewise."""


class GoldFact(Record):
    """One fact that is there, or, among `Gold.rejected`, one that is known to be wrong."""

    article_id: str
    """The article it stands in, as the run names it."""
    fact_type: str
    """Registered name of its type."""
    value: dict[str, Any]
    """Its fields, as the export has them; a key that is not there states nothing."""
    evidence: tuple[GoldQuote, ...] = ()
    """The passages that prove it; empty when gold gives none, and then none are compared."""
    optional: bool = False
    """Right if given, not missed if absent."""
    alternatives: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    """Further values that are right, by field path such as `status` or `attribution.certainty`."""
    where: str = ""
    """File and line."""
    decision: Decision | None = None
    """What a reviewer decided; None for a plain fact."""
    id: str | None = None
    """The row of a run that was decided on, where the line names it."""
    form: str | None = None
    """Fingerprint of the JSON Schema that its type had then, where the line names it."""


class Gold(Record):
    """What is known about some articles."""

    facts: tuple[GoldFact, ...]
    """The facts that are there."""
    rejected: tuple[GoldFact, ...] = ()
    """Facts that somebody looked at and found wrong."""
    articles: dict[str, bool]
    """Every article that gold speaks of, and whether it is fully labelled: only then is a fact that gold does not have wrong."""
    path: str = ""
    """The file or folder, as it was given."""
    fingerprint: str = ""
    """Of the content of every file."""
    notes: tuple[str, ...] = ()
    """What was left out and why."""

    def only(self, fact_types: Iterable[str]) -> "Gold":
        """The same gold for some types alone; the articles stay."""
        kinds = set(fact_types)
        return self.model_copy(
            update={
                "facts": tuple(fact for fact in self.facts if fact.fact_type in kinds),
                "rejected": tuple(fact for fact in self.rejected if fact.fact_type in kinds),
            }
        )


def read_gold(path: Path) -> Gold:
    """Gold out of a JSONL file, or out of every `*.jsonl` of a folder.

    Raises:
        UsageError: There is no such file, it holds no gold, or a line is not as docs/gold.md says; the message names file and line.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"Gold folder {str(path)!r} holds no .jsonl file; docs/gold.md has the format.")
    contents = [(file, _text(file, "Gold", "Name a .jsonl file or a folder of them.")) for file in files]
    lines = [line for file, text in contents for line in _lines(file, text)]
    if not lines:
        raise UsageError(f"Gold {str(path)!r} has no lines; docs/gold.md has the format.")
    mark = fingerprint([[file.name, text] for file, text in contents])
    return _gathered(lines).model_copy(update={"path": str(path), "fingerprint": mark})


def gold_from(lines: Iterable[Mapping[str, Any]]) -> Gold:
    """Gold out of lines that are read already, such as rows of an export.

    Raises:
        UsageError: A line is not as docs/gold.md says; the message counts lines from 1.
    """
    return _gathered([Line(f"line {number}", dict(data)) for number, data in enumerate(lines, start=1)])


class Line(NamedTuple):
    """One line of a file of gold or decisions."""

    where: str
    """File and line."""
    data: dict[str, Any]
    """The object that stands there."""


def lines_of(path: Path, what: str) -> list[Line]:
    """The lines of one JSONL file, blank ones left out.

    Args:
        path: The file.
        what: How messages call it, such as `Decisions`.

    Raises:
        UsageError: The file cannot be read, or a line is no JSON object; the message names file and line.
    """
    return list(_lines(path, _text(path, what, "Name the .jsonl file that the review page exported.")))


def _text(path: Path, what: str, next_move: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{what} {str(path)!r} cannot be read: {error.strerror or error}. {next_move}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} {str(path)!r} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error


def _lines(path: Path, text: str) -> Iterator[Line]:
    # not splitlines(): U+2028 and its like may stand inside a JSON string
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            data = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where}: not JSON: {error}. Each line is one JSON object.") from error
        if not isinstance(data, dict):
            raise UsageError(f"{where}: a JSON object is expected, {_cut(data)} is none.")
        yield Line(where, data)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


class _Known(NamedTuple):
    """A line by which an article, or a fact of it, was spoken of before."""

    where: str
    rejected: bool


def _gathered(lines: Iterable[Line]) -> Gold:
    facts: list[GoldFact] = []
    rejected: list[GoldFact] = []
    notes: list[str] = []
    said: dict[str, tuple[bool, str]] = {}
    decided: dict[str, bool] = {}
    known: dict[str, _Known] = {}
    for where, data in lines:
        _check_keys(where, data)
        article = _string(where, data, "article_id")
        decided.setdefault(article, False)
        if "fact_type" not in data and "value" not in data:
            complete = _complete(where, data)
            if article in said and said[article][0] != complete:
                raise UsageError(
                    f"{where}: article {article!r} has complete {complete}, but {not complete} at {said[article][1]}; keep one."
                )
            said[article] = (complete, where)
            continue
        decision = decision_of(Line(where, data))
        decided[article] |= decision is not None
        fact = _fact(where, data, article, decision)
        if fact is None:
            notes.append(f"{where}: rejected, and its words are no JSON object, so no prediction can equal it.")
            continue
        mark = canonical_json([article, fact.fact_type, {name: value for name, value in fact.value.items() if name != "evidence"}])
        is_wrong = decision == "reject"
        if (before := known.get(mark)) is not None:
            if before.rejected != is_wrong:
                raise UsageError(f"{where}: the same fact is right and rejected (see {before.where}); keep one of the two lines.")
            notes.append(f"{where}: the same fact as at {before.where}; counted once.")
            continue
        known[mark] = _Known(where, is_wrong)
        (rejected if is_wrong else facts).append(fact)
    articles = {article: said[article][0] if article in said else not by_decisions for article, by_decisions in decided.items()}
    return Gold(facts=tuple(facts), rejected=tuple(rejected), articles=articles, notes=tuple(notes))


def _check_keys(where: str, data: Mapping[str, Any]) -> None:
    for key in data:
        if key not in _OURS and (close := difflib.get_close_matches(key, _OURS, n=1, cutoff=_CLOSE)):
            raise UsageError(f"{where}: key {key!r} is unknown; {close[0]!r} is meant?")


def _complete(where: str, data: Mapping[str, Any]) -> bool:
    complete = data.get("complete")
    if not isinstance(complete, bool):
        raise UsageError(
            f"{where}: a line has either 'fact_type' and 'value' (a fact) or 'complete': true or false (an article); "
            f"this one has {', '.join(map(repr, data)) or 'nothing'}."
        )
    return complete


def _fact(where: str, data: Mapping[str, Any], article: str, decision: Decision | None) -> GoldFact | None:
    """The fact of a line; None for a rejected item that has no value."""
    value = data.get("value")
    if value is None and isinstance(data.get("raw"), str):
        value = _read_raw(data["raw"])  # a quarantined row has no value, only the words of the model
        if value is None and decision == "reject":
            return None
    if not isinstance(value, dict):
        raise UsageError(f"{where}: 'value' must be an object with the fact's fields, {_cut(data.get('value'))} is none.")
    _check_value(where, value, "")
    optional = data.get("optional", False)
    if not isinstance(optional, bool):
        raise UsageError(f"{where}: 'optional' must be true or false, {_cut(optional)} is neither.")
    return GoldFact(
        article_id=article,
        fact_type=_string(where, data, "fact_type"),
        value=value,
        evidence=_evidence(where, data["evidence"] if "evidence" in data else value.get("evidence")),
        optional=optional,
        alternatives=_alternatives(where, data.get("alternatives"), value),
        where=where,
        decision=decision,
        id=_named(data, "id"),
        form=_named(data, "schema"),
    )


def _named(data: Mapping[str, Any], key: str) -> str | None:
    return value if isinstance(value := data.get(key), str) else None


def _read_raw(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _string(where: str, data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where}: {key!r} must be a text that is not empty, {_cut(value)} is none.")
    return value


def decision_of(line: Line) -> Decision | None:
    """What a reviewer said of a line's fact; None when nobody did.

    Raises:
        UsageError: Something else than accept, reject or edit.
    """
    where, data = line
    given = data.get("decision")
    for decision in get_args(Decision):
        if given == decision:
            return cast("Decision", decision)
    if given is not None:
        raise UsageError(f"{where}: 'decision' must be accept, reject or edit, {_cut(given)} is none of them.")
    return None


def _evidence(where: str, given: object) -> tuple[GoldQuote, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise UsageError(f"{where}: 'evidence' must be a list of quotes, {_cut(given)} is none.")
    quotes: list[GoldQuote] = []
    for item in given:
        quote = {"quote": item} if isinstance(item, str) else item
        if not isinstance(quote, dict) or not isinstance(quote.get("quote"), str):
            raise UsageError(
                f"{where}: a quote in 'evidence' is a text, or an object with 'quote', 'start' and 'end'; {_cut(item)} is neither."
            )
        start, end = quote.get("start"), quote.get("end")
        if (start is None) != (end is None) or not (start is None or (_is_whole(start) and _is_whole(end) and 0 <= start < end)):
            raise UsageError(
                f"{where}: 'start' and 'end' of {_cut(quote['quote'])} must be code points, 0 <= start < end; [{start!r}, {end!r}) is not."
            )
        quotes.append(GoldQuote(quote=quote["quote"], start=start, end=end))
    return tuple(quotes)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _alternatives(where: str, given: object, value: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise UsageError(f"{where}: 'alternatives' must be an object of lists by field, {_cut(given)} is none.")
    fields = flat(value)
    for path, options in given.items():
        if not isinstance(options, list) or not options:
            raise UsageError(f"{where}: the alternatives of {path!r} must be a list of values, {_cut(options)} is none.")
        inner = sorted(name for name in fields if name.startswith(f"{path}."))
        if inner:
            raise UsageError(f"{where}: {path!r} is compared field by field; give alternatives for {', '.join(map(repr, inner))}.")
        is_list = isinstance(fields.get(path), list)
        for option in options:
            if option is not None and fields.get(path) is not None and isinstance(option, list) != is_list:
                form = f'lists: "{path}": [[…], […]]' if is_list else "single values"
                raise UsageError(f"{where}: the alternatives of {path!r} must be {form}; {_cut(option)} is not.")
            _check_value(where, {path: option}, "")
    return {path: tuple(options) for path, options in given.items()}


def _check_value(where: str, value: object, path: str) -> None:
    """Refuse dates and numbers that cannot be compared, before they count as differing."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            _check_value(where, item, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            at = f"{path}.{name}" if path else name
            if name in _DATES and not _is_day(inner):
                raise UsageError(f"{where}: {at} must be a day such as '2026-03-31' or null, {_cut(inner)} is neither.")
            if name in _NUMBERS and "as_written" in value and not _is_number(inner):
                raise UsageError(f"{where}: {at} must be a number or null, {_cut(inner)} is neither.")
            _check_value(where, inner, at)


def _is_day(value: object) -> bool:
    try:
        return value is None or (isinstance(value, str) and bool(date.fromisoformat(value)))
    except ValueError:
        return False


def _is_number(value: object) -> bool:
    try:
        return value is None or (not isinstance(value, bool) and isinstance(value, (int, float, str)) and Decimal(str(value)).is_finite())
    except InvalidOperation:
        return False


_SHOWN_CHARS = 60


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
