"""Whether two values say the same: by what they mean, not by how they are written.

In: a gold value and a predicted one, as JSON. Out: a `Comparison`. Floor: results.
Before changing it: a value is known by the shape of its JSON alone, so that a user's own fact type is compared without its class. Gold and
prediction are treated alike, and a value always equals itself. docs/gold.md states every rule and threshold that stands here.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, cast

from extractor.facts.party import Party, PartyKind
from extractor.results.evaluation.assign import assign

TEXT_WITHIN = 0.6
"""Token F1 from which a text is right that holds all words of the other: "Patriot systems" is, for "Patriot air defense systems" (0.67);
"tanks" is not, for "Leopard 2A4 tanks" (0.5)."""
TEXT_BESIDE = 0.8
"""Token F1 from which a text is right that has words of its own: "Sokil-3 interceptor drones" is not, for "Sokil-3 reconnaissance drones"
(0.75)."""
TEXT_REGROUPED = 0.9
"""Token F1 from which a list of texts is right that cuts the same words in other places."""
DAYS_RIGHT = 0.8
"""Jaccard index of days from which an interval is right: two days of 25 may differ, a single day may not."""
OPEN_DAYS = 31
"""How far an open end reaches beyond the outermost day stated: a day invented for "by the end of August" costs half."""

_SCALE = 1_000_000  # similarities as whole numbers
_EMPTY: tuple[Any, ...] = (None, "", "unspecified")
_PROOF = frozenset({"evidence", "quote"})  # judged apart, by where it stands


class Comparison(NamedTuple):
    """What became of one field."""

    similarity: float
    """0 to 1; it decides which facts belong together."""
    is_right: bool
    """Whether the prediction says what gold says; both may say nothing."""
    predicted: int
    """Values predicted: the elements of a list, 1 for anything else that is stated, 0 for nothing."""
    predicted_right: int
    """Those of them that are right."""
    wanted: int
    """Values in gold, counted likewise."""
    wanted_right: int
    """Those of them that were found."""


class Words(NamedTuple):
    """A text: closed words, names, verbatim passages."""

    tokens: tuple[str, ...]
    """Folded words in order, "the" and "a" left out."""
    numbers: tuple[str, ...]
    """Those of them with digits."""


class Plain(NamedTuple):
    """A yes or a bare number."""

    value: object


class Number(NamedTuple):
    """An interval of a quantity or of money."""

    low: Decimal | None
    high: Decimal | None
    currency: str | None
    words: Words


class Days(NamedTuple):
    """An interval of days, as ordinals, inclusive; None for an open end."""

    first: int | None
    last: int | None
    words: Words


class Who(NamedTuple):
    """A party."""

    kind: str
    country: str | None
    name: Words | None
    initials: str
    """Of a name of several words: "eu"."""


class Parts(NamedTuple):
    """An object of any other shape, inside a list."""

    fields: tuple[tuple[str, "Prepared"], ...]


class Many(NamedTuple):
    """A list; its order means nothing."""

    items: tuple["Prepared", ...]


Prepared = Words | Plain | Number | Days | Who | Parts | Many
"""A value made ready for comparing."""


def prepare_fact(value: Mapping[str, Any]) -> dict[str, Prepared]:
    """The stated fields of a fact, by dotted path; objects of no known shape are taken apart, evidence is left out.

    None, "", [], false and "unspecified" all state nothing, as a key that is not there.
    """
    return {name: ready for name, raw in flat(value).items() if (ready := prepare(raw)) is not None}


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields of a fact as they are compared, by dotted path such as `attribution.speaker`."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if name in _PROOF:
            continue
        path = f"{prefix}{name}"
        if isinstance(inner, dict) and is_parts(inner):
            found.update(flat(inner, f"{path}."))
        else:
            found[path] = inner
    return found


def is_parts(value: Mapping[str, Any]) -> bool:
    """Whether an object is none of the known shapes, so that its fields are compared one by one."""
    interval = "as_written" in value and ("minimum" in value or "maximum" in value)
    return not (interval or "earliest" in value or "latest" in value or "as_written" in value or ("name" in value and "kind" in value))


def prepare(value: Any) -> Prepared | None:
    """A value ready for comparing; None when it states nothing."""
    if value in _EMPTY or value is False:
        return None
    if isinstance(value, str):
        return _day(value) or words(value)
    if isinstance(value, (list, tuple)):
        items = tuple(ready for item in value if (ready := prepare(item)) is not None)
        return Many(items) if items else None
    if not isinstance(value, dict):
        return Plain(Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value)
    if "earliest" in value or "latest" in value:
        return Days(_ordinal(value.get("earliest")), _ordinal(value.get("latest")), words(str(value.get("as_written") or "")))
    if "as_written" in value:
        currency = value.get("currency")
        low, high = _decimal(value.get("minimum")), _decimal(value.get("maximum"))
        return Number(low, high, str(currency) if currency else None, words(str(value["as_written"] or "")))
    if "name" in value and "kind" in value:
        return _who(value.get("name"), value.get("kind"), value.get("on_behalf_of"))
    parts = tuple((name, ready) for name, raw in sorted(flat(value).items()) if (ready := prepare(raw)) is not None)
    return Parts(parts) if parts else None


def size(value: Prepared | None) -> int:
    """How many values it states."""
    if value is None:
        return 0
    return len(value.items) if isinstance(value, Many) else 1


def compare_any(allowed: Sequence[Prepared | None], predicted: Prepared | None) -> Comparison:
    """The best of the comparisons with each value that gold allows; with the first of equally good ones."""
    if len(allowed) == 1:
        return compare(allowed[0], predicted)
    best: Comparison | None = None
    for gold in allowed:
        found = compare(gold, predicted)
        if best is None or (found.is_right, found.similarity) > (best.is_right, best.similarity):
            best = found
    return best or compare(None, predicted)


def compare(gold: Prepared | None, predicted: Prepared | None) -> Comparison:
    """What became of one field: None states nothing."""
    if gold is None or predicted is None:
        nothing = gold is None and predicted is None
        return Comparison(float(nothing), nothing, size(predicted), 0, size(gold), 0)
    if gold == predicted:
        count = size(gold)
        return Comparison(1.0, True, count, count, count, count)
    if isinstance(gold, Many) and isinstance(predicted, Many):
        return _lists(gold, predicted)
    similarity, right = _single(gold, predicted)
    return Comparison(similarity, right, size(predicted), int(right), size(gold), int(right))


# by shape


def _single(gold: Prepared, predicted: Prepared) -> tuple[float, bool]:
    match gold, predicted:
        case Words(), Words():
            return _texts(gold, predicted)
        case Number(), Number():
            return _numbers(gold, predicted)
        case Days(), Days():
            return _days(gold, predicted)
        case Who(), Who():
            return _parties(gold, predicted)
        case Parts(), Parts():
            return _parts(gold, predicted)
    return float(gold == predicted), gold == predicted


def _texts(gold: Words, predicted: Words) -> tuple[float, bool]:
    if gold.tokens == predicted.tokens:
        return 1.0, True
    if set(gold.tokens).isdisjoint(predicted.tokens):
        return 0.0, False
    shared = sum((Counter(gold.tokens) & Counter(predicted.tokens)).values())
    total = len(gold.tokens) + len(predicted.tokens)
    f1 = 2 * shared / total
    mine, theirs = set(gold.numbers), set(predicted.numbers)
    if not (mine <= theirs or theirs <= mine):
        return f1 / 2, False  # "F-16 jets" are no "F-35 jets", whatever else they share
    within = shared == min(len(gold.tokens), len(predicted.tokens))
    return f1, f1 >= (TEXT_WITHIN if within else TEXT_BESIDE)


def _numbers(gold: Number, predicted: Number) -> tuple[float, bool]:
    if gold.low is gold.high is predicted.low is predicted.high is None:
        similarity, right = _texts(gold.words, predicted.words)  # "dozens": only the words can differ
    else:
        ends = (gold.low == predicted.low) + (gold.high == predicted.high)
        right = ends == 2  # noqa: PLR2004 - both ends
        overlap = (gold.low is None or predicted.high is None or gold.low <= predicted.high) and (
            predicted.low is None or gold.high is None or predicted.low <= gold.high
        )
        same_words = gold.words.tokens == predicted.words.tokens
        similarity = max(ends / 2, 0.5 if same_words else 0.25 if overlap else 0.0)  # the same words misread are still the same mention
    if gold.currency != predicted.currency:
        return similarity / 2, False
    return similarity, right


def _days(gold: Days, predicted: Days) -> tuple[float, bool]:
    stated = [end for end in (gold.first, gold.last, predicted.first, predicted.last) if end is not None]
    if not stated:
        return _texts(gold.words, predicted.words)
    low, high = min(stated) - OPEN_DAYS, max(stated) + OPEN_DAYS
    same_words = 0.5 if gold.words.tokens and gold.words.tokens == predicted.words.tokens else 0.0
    if (gold.first is gold.last is None) or (predicted.first is predicted.last is None):
        return same_words, False
    first = [low if days.first is None else days.first for days in (gold, predicted)]
    last = [high if days.last is None else days.last for days in (gold, predicted)]
    shared = max(0, min(last) - max(first) + 1)
    both = (last[0] - first[0] + 1) + (last[1] - first[1] + 1) - shared
    jaccard = shared / both if both > 0 else 0.0
    return max(jaccard, same_words), jaccard >= DAYS_RIGHT


_SURE = 0.9  # similarity of parties that are the same under different names; the same name is 1


def _parties(gold: Who, predicted: Who) -> tuple[float, bool]:
    apart = gold.country is not None and predicted.country is not None and gold.country != predicted.country
    if gold.name == predicted.name and gold.name is not None and not apart:
        return 1.0, True
    if gold.kind == predicted.kind == "person" and gold.name and predicted.name:
        few, more = sorted((set(gold.name.tokens), set(predicted.name.tokens)), key=len)
        if few and few <= more and not apart:
            return _SURE, True  # "Erdogan" for "Recep Tayyip Erdogan"
        return (0.5 if gold.country and gold.country == predicted.country else 0.0), False
    if gold.country and predicted.country:
        return (0.0, False) if apart else (_SURE, True)
    if gold.name is None or predicted.name is None:
        unnamed = gold.name is predicted.name and (gold.kind == predicted.kind or "unknown" in (gold.kind, predicted.kind))
        return (_SURE, True) if unnamed else (0.0, False)
    if "state" in (gold.kind, predicted.kind):
        return _texts(gold.name, predicted.name)[0] / 2, False  # "Korea" is not "South Korea"
    if (gold.initials and predicted.name.tokens == (gold.initials,)) or (predicted.initials and gold.name.tokens == (predicted.initials,)):
        return _SURE, True
    return _texts(gold.name, predicted.name)


def _parts(gold: Parts, predicted: Parts) -> tuple[float, bool]:
    mine, theirs = dict(gold.fields), dict(predicted.fields)
    found = [compare(mine.get(name), theirs.get(name)) for name in sorted({*mine, *theirs})]
    return sum(one.similarity for one in found) / len(found), all(one.is_right for one in found)


def _lists(gold: Many, predicted: Many) -> Comparison:
    if len(gold.items) == len(predicted.items) == 1:
        return compare(gold.items[0], predicted.items[0])
    # the order of a list means nothing, so it must not decide between equal assignments either
    mine, theirs = sorted(gold.items, key=repr), sorted(predicted.items, key=repr)
    grid = [[compare(one, other) for other in theirs] for one in mine]
    bonus = _SCALE * (min(len(mine), len(theirs)) + 1)
    pairs = assign([[round(cell.similarity * _SCALE) + bonus * cell.is_right for cell in line] for line in grid])
    right = sum(grid[row][column].is_right for row, column in pairs)
    similarity = sum(grid[row][column].similarity for row, column in pairs) / max(len(mine), len(theirs))
    whole = right == len(mine) == len(theirs)
    if not whole and len(mine) != len(theirs) and _is_regrouped(mine, theirs):
        return Comparison(max(similarity, _SURE), True, len(theirs), len(theirs), len(mine), len(mine))
    return Comparison(similarity, whole, len(theirs), right, len(mine), right)


def _is_regrouped(mine: Sequence[Prepared], theirs: Sequence[Prepared]) -> bool:
    """Whether two lists of passages hold the same words, cut in other places: where one ends is nobody's fact."""
    texts = [item for item in (*mine, *theirs) if isinstance(item, Words)]
    if len(texts) < len(mine) + len(theirs) or max(len(text.tokens) for text in texts) == 1:
        return False
    one, other = (Counter(token for text in side for token in cast("Words", text).tokens) for side in (mine, theirs))
    shared = sum((one & other).values())
    return 2 * shared / (one.total() + other.total()) >= TEXT_REGROUPED


# making ready

_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))  # soft hyphen, zero-width signs, byte-order mark
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b")
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)  # signs of Chinese and Japanese stand alone
_ARTICLES = frozenset({"a", "an", "the"})
_LINKS = frozenset({"of", "the", "for", "and", "in", "on"})
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KINDS = frozenset({"state", "government_body", "person"})


@functools.lru_cache(maxsize=65536)
def words(text: str) -> Words:
    """A text folded into words: no case, no diacritics, no possessive, no English article."""
    plain = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).casefold()
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", _POSSESSIVE.sub("", plain)) if not unicodedata.combining(sign))
    tokens = _TOKEN.findall(plain) or [text]  # a text of signs alone equals itself
    kept = tuple(token for token in tokens if token not in _ARTICLES) or tuple(tokens)
    return Words(kept, tuple(token for token in kept if any(sign.isdigit() for sign in token)))


@functools.lru_cache(maxsize=65536)
def _who(name: object, kind: object, on_behalf_of: object) -> Who:
    called = str(name) if name else None
    country = None
    if kind in _KINDS:
        party = Party.model_construct(name=called, kind=cast("PartyKind", kind), on_behalf_of=str(on_behalf_of) if on_behalf_of else None)
        country = party.country()
    folded = words(called) if called else None
    letters = [token[0] for token in folded.tokens if token not in _LINKS] if folded else []
    return Who(str(kind), country, folded, "".join(letters) if len(letters) > 1 else "")


def _day(text: str) -> Days | None:
    """A bare ISO day as an interval."""
    if not _ISO_DAY.fullmatch(text):
        return None
    day = _ordinal(text)
    return Days(day, day, words(text)) if day is not None else None


def _ordinal(value: object) -> int | None:
    try:
        return date.fromisoformat(value).toordinal() if isinstance(value, str) else None
    except ValueError:
        return None


def _decimal(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
