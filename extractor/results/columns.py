"""One fact as one flat row: which columns there are, what each means, and how a fact fills them.

In: the JSON Schemas that a ledger keeps, and its rows of facts. Out: a `Table` of named, typed columns. Floor: results.
Before changing it: column names are a promise to every spreadsheet and query built on an export. They come from the schemas and never
from the rows, so that a type whose class is gone still has its columns, and an export of a million facts is written as it is read.
After a change, docs/generate_columns.py makes docs/columns.md anew.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "integer", "number", "decimal", "date", "boolean", "names", "texts", "quotes", "json"]
"""What a column holds; docs/columns.md says how each format writes it."""

NAME_SEPARATOR = "; "
TEXT_SEPARATOR = " | "
FACT_NUMBER = "fact_number"
"""The key that the SQLite copy adds: a fact's place in the export, from 1. No column may have this name."""

Cell = str | int | float | bool | list[Any] | None
"""One value by the kind of its column: a list for `names`, `texts` and `quotes`, the text itself for `decimal`, `date` and `json`."""


class Column(NamedTuple):
    """One column of an export."""

    name: str
    """Its name, the same in every format."""
    kind: Kind
    """What it holds."""
    meaning: str
    """A sentence or two for people."""


LEADING = (
    Column("fact_id", "text", "Made from the article, the type and what the fact states: the same fact has the same id in every run."),
    Column("fact_type", "text", "Registered name of its type, such as `weapons_transfer`."),
    Column(
        "verdict",
        "text",
        "`kept`, `repaired` (believed after a correction), `quarantined` (not believed) or `merged` (repeats a kept one).",
    ),
    Column(
        "decision",
        "text",
        "With `--decisions`: `accept` or `edit` where a reviewer vouches for the fact as it stands here, whatever the verdict.",
    ),
    Column("article_id", "text", "The article: its path under the argument it was found by."),
    Column("title", "text", "The article's headline."),
    Column("published", "date", "The article's publication date."),
    Column("source", "text", "The outlet, where the article's file names it."),
    Column("url", "text", "Where it was published, where the file says it."),
    Column("evidence", "quotes", "The article's own words that prove the fact."),
    Column("evidence_start", "integer", "Where the first quote begins in the article's text: a code point, counted from 0."),
    Column("evidence_end", "integer", "Where the first quote ends, exclusive."),
    Column("evidence_spans", "text", "Start and end of every quote, such as `120-180; 200-240`."),
    Column("speaker", "text", "Whose statement it is; empty when the article itself says it."),
    Column("relayed_by", "text", "Who passes the speaker's words on, such as a news agency."),
    Column("certainty", "text", "`asserted`, `claimed`, `probable`, `possible`, `denied` or `disputed`."),
    Column("is_background", "boolean", "Whether the article only recalls it as earlier news."),
    Column(
        "issues", "names", "Codes of what is wrong with it (`quarantined`) or could not be verified; the messages are in `details_json`."
    ),
)
"""The columns that every fact has, before those of its type. What the model says of a fact is empty for one that is not believed."""

TRAILING = (
    Column("model", "text", "The model that was asked."),
    Column("prompt", "text", "Name and fingerprint of the prompt."),
    Column("schema", "text", "Fingerprint of the fact type: its fields, descriptions and worked examples."),
    Column("raw", "text", "For `quarantined` and `merged`: the JSON text as the model gave it."),
    Column(
        "value_json",
        "json",
        "The whole fact as the model, or a reviewer, stated it; empty for `quarantined` and `merged` that no reviewer vouches for.",
    ),
    Column(
        "details_json",
        "json",
        "Everything else that the JSONL row has: `spans` and `countries` by field path, `evidence`, `issues` with their messages, `tries` "
        "(earlier versions). It also repeats a field that its own column cannot hold exactly, such as an empty text.",
    ),
)
"""The columns that every fact has, after those of its type."""

_PLAIN = {
    "id": "fact_id",
    **{
        name: name
        for name in (
            "fact_type",
            "verdict",
            "decision",
            "article_id",
            "title",
            "published",
            "source",
            "url",
            "model",
            "prompt",
            "schema",
            "raw",
        )
    },
}
"""Fields of a row that are columns as they are."""

_BASE_FIELDS = ("evidence", "attribution", "is_background")
"""Fields of every fact type: they are in `LEADING`."""
_PARTY_FIELDS = {"name", "kind", "on_behalf_of"}
_DECIMAL_PATTERN = r"^[0-9]+(\.[0-9]+)?$"
"""By which the sums of `Money` are known (facts/money.py)."""
_NUMERIC: frozenset[str | None] = frozenset({"integer", "number", "decimal"})
_TEXTUAL: frozenset[str | None] = frozenset({"text", "date", "decimal"})

Read = Callable[[dict[str, Any], Mapping[str, str]], Any]
"""Takes what a column holds out of a fact's value and the countries of its parties."""


class _Filled(NamedTuple):
    """A column of a type, and what fills it."""

    column: Column
    read: Read


class _Fill(NamedTuple):
    """Where what a column of one version of a type holds goes."""

    read: Read
    kind: Kind
    """In this version."""
    name: str
    type_kind: Kind
    """Name and kind among the columns of the type, whatever the version."""
    place: int
    table_kind: Kind
    """Place and kind among the columns of all types."""


class Table:
    """The columns of an export and the cells of each fact.

    Args:
        types: Each version of each fact type as `Ledger.fact_types` gives it; of one type the newest comes first.
    """

    def __init__(self, types: Iterable[Mapping[str, Any]]) -> None:
        versions: dict[str, dict[str, list[_Filled]]] = {}
        for entry in types:
            versions.setdefault(entry["name"], {})[entry["fingerprint"]] = _filled(entry["json_schema"])
        self.of_type = {name: _union(filled for plan in plans.values() for filled in plan) for name, plans in versions.items()}
        """The columns that each type adds, by registered name."""
        self.own = tuple(_union(_Filled(column, _nothing) for columns in self.of_type.values() for column in columns.values()).values())
        """The columns that the types add together, each once."""
        self.columns = (*LEADING, *self.own, *TRAILING)
        """All columns of a row, in order."""
        places = {column.name.casefold(): place for place, column in enumerate(self.columns)}
        self._fills = {
            name: {mark: [_fill(filled, self.of_type[name], self.columns, places) for filled in plan] for mark, plan in plans.items()}
            for name, plans in versions.items()
        }

    def common_cells(self, row: Mapping[str, Any]) -> dict[str, Cell]:
        """What `row` has in the columns that every fact has, by column name."""
        evidence = row["evidence"]
        told = row.get("value") or {}
        cells: dict[str, Any] = {column: row.get(field) for field, column in _PLAIN.items()}
        cells |= {
            "evidence": evidence,
            "evidence_start": evidence[0]["start"] if evidence else None,
            "evidence_end": evidence[0]["end"] if evidence else None,
            "evidence_spans": NAME_SEPARATOR.join(f"{quote['start']}-{quote['end']}" for quote in evidence) or None,
            **{name: told.get("attribution", {}).get(name) for name in ("speaker", "relayed_by", "certainty")},
            "is_background": told.get("is_background"),
            "issues": [issue["code"] for issue in row["issues"]],
            "value_json": row.get("value"),
            "details_json": {
                field: value for field, value in row.items() if field != "value" and (field not in _PLAIN or _is_inexact(value))
            },
        }
        return {column.name: fitted(cells[column.name], column.kind) for column in (*LEADING, *TRAILING)}

    def own_cells(self, row: Mapping[str, Any]) -> dict[str, Cell] | None:
        """What `row` has in the columns of its type, by column name; None for one that is not believed, or of a type that is unknown."""
        if (fills := self._fills_of(row)) is None:
            return None
        cells: dict[str, Cell] = dict.fromkeys((column.name for column in self.of_type[row["fact_type"]].values()), None)
        for fill in fills:
            cells[fill.name] = widened(fitted(fill.read(row["value"], row["countries"]), fill.kind), fill.kind, fill.type_kind)
        return cells

    def cells(self, row: Mapping[str, Any]) -> list[Cell]:
        """What `row` has in each of `columns`, in that order."""
        common = self.common_cells(row)
        cells = [common.get(column.name) for column in self.columns]
        for fill in self._fills_of(row) or ():
            if (cell := fitted(fill.read(row["value"], row["countries"]), fill.kind)) is not None:
                cells[fill.place] = widened(widened(cell, fill.kind, fill.type_kind), fill.type_kind, fill.table_kind)
        return cells

    def _fills_of(self, row: Mapping[str, Any]) -> list["_Fill"] | None:
        plans = self._fills.get(row["fact_type"])
        if "value" not in row or not plans:
            return None
        return plans.get(row["schema"]) or next(iter(plans.values()))


def parties(value: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every party in a fact's value with its field path, such as `suppliers[0]`, in field order."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from parties(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        if value.keys() == _PARTY_FIELDS:
            yield path, value
        for name, item in value.items():
            yield from parties(item, f"{path}.{name}" if path else name)


def compact(value: Any) -> str:
    """The shortest JSON text of a value; a lone surrogate, which no UTF-8 file can hold, as its escape, so that it reads back exactly."""
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def clean(text: str) -> str:
    r"""A text that UTF-8 can hold: a lone surrogate is written as `\ud800`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def joined(cell: Cell, kind: Kind) -> Cell:
    """A cell for a format without lists: a list as one text, None when nothing is in it; anything else as it is."""
    if not isinstance(cell, list):
        return cell
    texts = [quote["quote"] for quote in cell] if kind == "quotes" else [item or "" for item in cell]
    return (NAME_SEPARATOR if kind == "names" else TEXT_SEPARATOR).join(texts) if any(texts) else None


def fitted(found: Any, kind: Kind) -> Cell:
    """What was found in a row as a cell of a kind; None for what is absent or is not of that kind."""
    if found is None:
        return None
    if kind == "json":
        return compact(found)
    if kind == "quotes":
        return [{**quote, "quote": clean(quote["quote"])} for quote in found]
    if kind in ("names", "texts"):
        return [clean(item) if isinstance(item, str) else None if item is None else compact(item) for item in found]
    if kind == "boolean":
        return found if isinstance(found, bool) else None
    if kind == "decimal":
        return str(found) if isinstance(found, (str, int, float)) and not isinstance(found, bool) else None
    if kind in ("integer", "number"):
        fits = isinstance(found, int) or (kind == "number" and isinstance(found, float) and math.isfinite(found))
        return found if fits and not isinstance(found, bool) else None
    return clean(found) if isinstance(found, str) else compact(found)


def widened(cell: Cell, kind: Kind, to: Kind) -> Cell:
    """A cell of one kind in a column of another, which is `text` when they differ."""
    if kind == to or cell is None:
        return cell
    flat = joined(cell, kind)
    return flat if flat is None or isinstance(flat, str) else compact(flat)


def _is_inexact(value: Any) -> bool:
    return isinstance(value, str) and (not value or clean(value) != value)


def _nothing(_value: dict[str, Any], _countries: Mapping[str, str]) -> None:
    return None


def _fill(filled: _Filled, of_type: Mapping[str, Column], columns: Sequence[Column], places: Mapping[str, int]) -> _Fill:
    key = filled.column.name.casefold()
    return _Fill(filled.read, filled.column.kind, of_type[key].name, of_type[key].kind, places[key], columns[places[key]].kind)


def _union(filled: Iterable[_Filled]) -> dict[str, Column]:
    """Columns by name without case, the first come first; one that is of several kinds holds text."""
    columns: dict[str, Column] = {}
    for column, _ in filled:
        known = columns.setdefault(column.name.casefold(), column)
        if known.kind != column.kind:
            columns[column.name.casefold()] = known._replace(kind="text")
    return columns


def _filled(schema: dict[str, Any]) -> list[_Filled]:
    """The columns of one fact type, in the order of its fields."""
    flatten = _Flatten(schema.get("$defs", {}))
    taken = {column.name for column in (*LEADING, *TRAILING)} | {FACT_NUMBER}
    plan = []
    for field, about in schema.get("properties", {}).items():
        if field in _BASE_FIELDS:
            continue
        for column, read in flatten.field(field, (field,), about):
            name, number = column.name, 1
            while name.casefold() in taken:
                number += 1
                name = f"{column.name}_{number}"
            taken.add(name.casefold())
            plan.append(_Filled(column._replace(name=name), read))
    return plan


class _Flatten:
    """Takes fields apart until each part is one column.

    Args:
        defs: The schema's `$defs`.
    """

    def __init__(self, defs: Mapping[str, Any]) -> None:
        self._defs = defs

    def field(
        self, name: str, path: Sequence[str], about: Mapping[str, Any], told: str = "", seen: frozenset[str] = frozenset()
    ) -> Iterator[_Filled]:
        """The columns of one field.

        Args:
            name: Of its column, or what theirs begin with.
            path: Where it stands in the value, through objects alone.
            about: Its JSON Schema.
            told: What the fields around it mean.
            seen: Objects around it: one that contains itself is not taken apart.
        """
        part, inner, seen = self._resolved(about, seen)
        told = " ".join(text for text in (told, about.get("description", "")) if text)
        if "enum" in part:
            told += f" One of {', '.join(str(value) for value in part['enum'])}."
        if kind := self._scalar(part, seen):
            yield _Filled(Column(name, kind, told), _getter(path))
        elif inner and part.get("properties", {}).keys() == _PARTY_FIELDS:
            yield from _party(name, path, told)
        elif inner and part.get("properties"):
            for field, below in part["properties"].items():
                yield from self.field(f"{name}_{field}", (*path, field), below, told, seen)
        elif part.get("type") == "array":
            item, _, within = self._resolved(part.get("items", {}), seen)
            if "enum" in item:
                told += f" Each one of {', '.join(str(value) for value in item['enum'])}."
            if item.get("properties", {}).keys() == _PARTY_FIELDS:
                yield from _party_list(name, path, told)
            elif self._scalar(item, within) in _TEXTUAL:
                yield _Filled(Column(name, "names" if "enum" in item or "const" in item else "texts", told), _getter(path, list))
            else:
                yield _Filled(Column(name, "json", told), _getter(path))
        else:
            yield _Filled(Column(name, "json", told), _getter(path))

    def _resolved(self, about: Mapping[str, Any], seen: frozenset[str]) -> tuple[Mapping[str, Any], bool, frozenset[str]]:
        """What a schema refers to, without its null; whether it may be taken apart; and the objects around what is in it."""
        while True:
            if "$ref" in about:
                name = str(about["$ref"]).rpartition("/")[2]
                if name in seen:
                    return {}, False, seen
                about, seen = self._defs.get(name, {}), seen | {name}
                continue
            arms = [arm for arm in about.get("anyOf", ()) if arm.get("type") != "null"]
            if len(arms) != 1:
                return about, True, seen
            about = arms[0]

    def _scalar(self, part: Mapping[str, Any], seen: frozenset[str]) -> Kind | None:
        """The kind of a single value; None for objects, lists and anything that may be one of them."""
        if "anyOf" in part:
            arms = [self._resolved(arm, seen) for arm in part["anyOf"] if arm.get("type") != "null"]
            kinds = {self._scalar(arm, within) for arm, _, within in arms}
            if len(kinds) == 1:
                return kinds.pop()
            if kinds <= _NUMERIC:
                return "decimal" if "decimal" in kinds else "number"
            return None if None in kinds else "text"
        match part.get("type"):
            case "string":
                if part.get("format") == "date":
                    return "date"
                return "decimal" if part.get("pattern") == _DECIMAL_PATTERN else "text"
            case "integer" | "number" | "boolean" as kind:
                return kind  # type: ignore[no-any-return]
        return None


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _getter(path: Sequence[str], shape: type = object) -> Read:
    def read(value: dict[str, Any], _countries: Mapping[str, str]) -> Any:
        found = _at(value, path)
        return found if isinstance(found, shape) else None

    return read


def _party(name: str, path: Sequence[str], told: str) -> Iterator[_Filled]:
    yield _Filled(Column(name, "text", f"Name. {told}".rstrip()), _getter((*path, "name")))
    yield _Filled(Column(f"{name}_kind", "text", f"What kind of party `{name}` is."), _getter((*path, "kind")))
    yield _Filled(Column(f"{name}_on_behalf_of", "text", f"For whom `{name}` speaks or acts."), _getter((*path, "on_behalf_of")))

    def country(value: dict[str, Any], countries: Mapping[str, str]) -> Any:
        return countries.get(".".join(path)) if _at(value, path) is not None else None

    yield _Filled(Column(f"{name}_country", "text", f"The state that `{name}` is or acts for, ISO 3166-1 alpha-3."), country)


def _party_list(name: str, path: Sequence[str], told: str) -> Iterator[_Filled]:
    def each(of: str) -> Read:
        def read(value: dict[str, Any], _countries: Mapping[str, str]) -> Any:
            found = _at(value, path)
            return [_at(item, (of,)) for item in found] if isinstance(found, list) else None

        return read

    def countries(value: dict[str, Any], known: Mapping[str, str]) -> Any:
        found = _at(value, path)
        where = ".".join(path)
        return [known.get(f"{where}[{index}]") for index in range(len(found))] if isinstance(found, list) else None

    same = f"of each in `{name}`, in the same order"
    yield _Filled(Column(name, "names", f"Names; an unnamed one leaves its place empty. {told}".rstrip()), each("name"))
    yield _Filled(Column(f"{name}_kinds", "names", f"Kind {same}."), each("kind"))
    yield _Filled(Column(f"{name}_on_behalf_of", "names", f"For whom it speaks or acts, {same}."), each("on_behalf_of"))
    yield _Filled(Column(f"{name}_countries", "names", f"The state that it is or acts for, ISO 3166-1 alpha-3, {same}."), countries)
