"""A run's facts as a file for other programs: JSONL, CSV, Parquet or SQLite, the same rows in each.

In: a ledger. Out: one file, whole or not at all. Floor: results.
Before changing it: the same ledger gives the same bytes, so no time, no random order and no machine's name goes in; rows are written as
they are read, so that a million of them take no more memory than a thousand.
"""

import csv
import io
import itertools
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args

from extractor.errors import LedgerError, UsageError
from extractor.records import FactVerdict
from extractor.results.columns import Cell, Kind, Table, joined
from extractor.results.decisions import Decisions
from extractor.results.export_sqlite import write_sqlite
from extractor.runs.ledger import FACTS_NAME, LEDGER_NAME, LOCK_NAME, Ledger

BELIEVED: tuple[FactVerdict, ...] = ("kept", "repaired")

Rows = Iterable[dict[str, Any]]

_ROW_GROUP = 5_000
"""Rows that Parquet writes at a time: some 20 MB of quotes and JSON, and large enough for readers that skip by group."""
_DECIMAL_DIGITS, _DECIMAL_PLACES = 38, 6  # the widest decimal that Parquet readers share; no currency has more than four places
_INT64 = range(-(2**63), 2**63)


def export(
    ledger: Ledger,
    path: Path,
    *,
    fact_types: Sequence[str] = (),
    verdicts: Sequence[str] = BELIEVED,
    decisions: Decisions | None = None,
) -> int:
    """Write facts to a file, in article order and the order given there; an existing file is replaced once the new one is whole.

    Args:
        ledger: Of the run; opened for looking is enough.
        path: Where to; its suffix says how: `.jsonl`, `.csv`, `.parquet`, `.sqlite` or `.db`. Its folder must exist.
        fact_types: Registered names of the types wanted; () for all. They also decide on the columns of CSV and Parquet.
        verdicts: Which facts; those that are believed unless said otherwise.
        decisions: A reviewer's: rejected facts are left out whatever the verdicts, edited ones are as edited, and a quarantined one that
            was accepted or edited is among the believed ones. Its `passed_over` is to be told afterwards.

    Returns:
        How many facts were written.

    Raises:
        UsageError: Another suffix, no such folder, no such type or verdict, a file of the run itself, or pyarrow is missing for Parquet.
        LedgerError: The file cannot be written (disk full, no permission), or the run folder cannot be read.
    """
    write = _writer(path)
    target = _target(path, ledger.folder)
    if unknown := [verdict for verdict in verdicts if verdict not in get_args(FactVerdict)]:
        raise UsageError(f"No verdict {unknown[0]!r}; there are {', '.join(get_args(FactVerdict))}.")
    with ledger.snapshot():  # types, articles and facts of one moment, whatever a run adds meanwhile
        types = list(ledger.fact_types())
        if strange := [name for name in fact_types if name not in {entry["name"] for entry in types}]:
            there = ", ".join(sorted({entry["name"] for entry in types})) or "none"
            raise UsageError(f"No fact type {strange[0]!r} in {str(ledger.folder)!r}; there are: {there}.")
        table = Table(entry for entry in types if not fact_types or entry["name"] in fact_types)
        with _replacing(target) as fresh:
            return write(fresh, table, _wanted(ledger, verdicts, fact_types, decisions, types), ledger.articles())


def _wanted(
    ledger: Ledger, verdicts: Sequence[str], fact_types: Sequence[str], decisions: Decisions | None, types: Sequence[Mapping[str, Any]]
) -> Rows:
    if decisions is None:
        return ledger.rows(verdicts, fact_types)
    every = decisions.apply(ledger.rows(get_args(FactVerdict), fact_types), ledger.articles(), types, fact_types)
    takes_believed = set(BELIEVED) <= set(verdicts)
    return (row for row in every if row["verdict"] in verdicts or (takes_believed and "decision" in row))


Write = Callable[[Path, Table, Rows, Rows], int]
"""Writes a new file from the columns, the facts and the articles; gives the number of facts."""


def _writer(path: Path) -> Write:
    ways: Mapping[str, Write] = {
        ".jsonl": _write_jsonl,
        ".csv": _write_csv,
        ".parquet": _write_parquet,
        ".sqlite": write_sqlite,
        ".db": write_sqlite,
    }
    try:
        return ways[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{str(path)!r} does not say what to write: name a file that ends in .jsonl, .csv, .parquet or .sqlite (.db is the same)."
        ) from None


def _target(path: Path, run_folder: Path) -> Path:
    """The file to replace, links followed; never one of the run's own."""
    try:
        target = path.resolve()
        if target.is_symlink():  # from Python 3.13 on, links that lead to each other are left as they are
            raise UsageError(f"{str(path)!r} is a link that leads to itself: name a file.")
        if target.is_dir():
            raise UsageError(f"{str(path)!r} is a folder: name a file.")
        if not target.parent.is_dir():
            raise UsageError(f"{str(path)!r} cannot be written: there is no folder {str(target.parent)!r}. Make it first.")
        if target in [(run_folder / name).resolve() for name in (LEDGER_NAME, FACTS_NAME, LOCK_NAME)]:
            raise UsageError(f"{str(path)!r} is the run's own file: name another.")
        # SQLite would play another file's journal back into the new one
        if beside := [name for name in (f"{target.name}-wal", f"{target.name}-journal") if target.with_name(name).exists()]:
            raise UsageError(f"{str(path)!r} is open in another program, or was left half written: {beside[0]!r} stands beside it.")
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to each other, before Python 3.13
        raise LedgerError(f"{str(path)!r} cannot be written: {error}. Free it, or name another file.") from error
    return target


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A new file's path beside `target`; it takes the place of `target` when all went well, and is gone otherwise."""
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield fresh
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())  # a full network disk may say so only now
        fresh.replace(target)
    except OSError as error:
        before = "What it held before is untouched" if target.exists() else "Nothing was left behind"
        raise LedgerError(f"{str(target)!r} cannot be written: {error}. {before}; free the disk, or name another file.") from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _write_jsonl(path: Path, _table: Table, rows: Rows, _articles: Rows) -> int:
    count = 0
    with path.open("xb") as file:
        for row in rows:
            # a lone surrogate can stand in a JSON text as an escape alone
            file.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace"))
            count += 1
    return count


# CSV

_SKIPPED = r"\s\"'\x00-\x20\u00ad\u200b-\u200f\u2060\ufeff"  # what a spreadsheet may pass over before it looks for a formula
_TRIGGER = r"[=+\-@＝＋－＠]"  # the wide forms count where Excel speaks Japanese or Chinese
_BEFORE_TRIGGER = re.compile(rf"(?<![{_SKIPPED}])[{_SKIPPED}]*+(?={_TRIGGER})")  # looks at each run once: linear, whatever the text
_BREAK = re.compile(r"[\t\r\n]")
_OPENING_BREAK = re.compile(r"'*[\t\r\n]")
_FORMULA_IN_JSON = re.compile(rf"(\A\"|;)([{_SKIPPED}]*)({_TRIGGER})")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula, with `'` where one could begin.

    1. `'` goes before each `=`, `+`, `-` or `@` (wide forms too) that opens the cell or follows a semicolon, tab or line break, where a
       spreadsheet that is set to another separator begins a cell; spaces, quotes and invisible signs in between do not count.
    2. `'` goes before the whole text when it then begins with a tab or a line break, `'` before that not counted.

    Taking away what 2 and then 1 would have added gives the text back, since neither sign of a place ends by adding to it.
    Source: https://owasp.org/www-community/attacks/CSV_Injection.
    """
    inert = _BEFORE_TRIGGER.sub(_with_apostrophe, text)
    return f"'{inert}" if _OPENING_BREAK.match(inert) else inert


def _with_apostrophe(run: re.Match[str]) -> str:
    begins = run.start() == 0 or run.string[run.start() - 1] == ";" or _BREAK.search(run[0])
    return f"{run[0]}'" if begins else run[0]


def _csv_cell(cell: Cell, kind: Kind) -> str:
    flat = joined(cell, kind)
    if flat is None:
        return ""
    if isinstance(flat, bool):
        return "true" if flat else "false"
    if kind == "json":
        return _inert_json(str(flat))
    if kind in ("integer", "number") or (kind == "decimal" and _PLAIN_NUMBER.fullmatch(str(flat))):
        return str(flat)
    return guarded(str(flat))


def _inert_json(text: str) -> str:
    if ";" not in text and not text.startswith('"'):
        return text
    return _FORMULA_IN_JSON.sub(lambda found: f"{found[1]}{found[2]}\\u{ord(found[3]):04x}", text)


def _write_csv(path: Path, table: Table, rows: Rows, _articles: Rows) -> int:
    count = 0
    kinds = [column.kind for column in table.columns]
    # utf-8-sig: without the mark Excel takes the file for the machine's old code page; every reader of today skips it
    with path.open("xb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)  # its default dialect is RFC 4180: commas, doubled quotes, CRLF
        lines.writerow(column.name for column in table.columns)
        for row in rows:
            lines.writerow(["" if cell is None else _csv_cell(cell, kind) for cell, kind in zip(table.cells(row), kinds, strict=True)])
            count += 1
    return count


# Parquet


def _write_parquet(path: Path, table: Table, rows: Rows, _articles: Rows) -> int:
    try:
        import pyarrow as pa  # type: ignore[import-not-found, import-untyped, unused-ignore]
        import pyarrow.parquet as pq  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise UsageError("Writing Parquet needs the 'parquet' extra: pip install \"grounded-fact-extractor[parquet]\"") from error
    quote = pa.struct([("quote", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    arrow: Mapping[Kind, Any] = {
        "text": pa.string(),
        "json": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "decimal": pa.decimal128(_DECIMAL_DIGITS, _DECIMAL_PLACES),
        "date": pa.date32(),
        "boolean": pa.bool_(),
        "names": pa.list_(pa.string()),
        "texts": pa.list_(pa.string()),
        "quotes": pa.list_(quote),
    }
    schema = pa.schema([pa.field(column.name, arrow[column.kind]) for column in table.columns])
    count = 0
    with path.open("xb") as file, pq.ParquetWriter(file, schema) as out:
        for group in _groups(map(table.cells, rows), _ROW_GROUP):
            arrays = [
                pa.array([_typed(cells[place], column.kind) for cells in group], type=schema.field(place).type)
                for place, column in enumerate(table.columns)
            ]
            out.write_batch(pa.record_batch(arrays, schema=schema), row_group_size=_ROW_GROUP)
            count += len(group)
    return count


def _groups(cells: Iterable[list[Cell]], size: int) -> Iterator[list[list[Cell]]]:
    iterator = iter(cells)
    while group := list(itertools.islice(iterator, size)):
        yield group


def _typed(cell: Cell, kind: Kind) -> object:
    """A cell as Parquet's own value; None for a number or date that its type cannot hold."""
    if cell is None:
        return None
    match kind:
        case "integer":
            return cell if cell in _INT64 else None
        case "number":
            return _double(cell)
        case "decimal":
            return _decimal(str(cell))
        case "date":
            with suppress(ValueError):
                return date.fromisoformat(str(cell))
            return None
    return cell


def _double(cell: Cell) -> float | None:
    try:
        return float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return None


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() >= _DECIMAL_DIGITS - _DECIMAL_PLACES:
        return None
    sign, digits, exponent = number.as_tuple()
    places = max(-int(exponent), 0)
    kept = digits[: max(len(digits) - max(places - _DECIMAL_PLACES, 0), 0)]
    if any(digits[len(kept) :]):
        return None
    return number if kept == digits else Decimal((sign, kept or (0,), -_DECIMAL_PLACES))
