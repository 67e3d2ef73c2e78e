"""The SQLite copy of a run's facts: plain tables that Datasette and any SQL tool open well.

In: columns, rows of facts, articles. Out: a new database file. Floor: results.
Before changing it: this is a copy for reading, not the ledger; it holds no state of a run and is written whole each time. Table and
column names are a promise to people's queries.
"""

import math
import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from extractor.results.columns import FACT_NUMBER, LEADING, TRAILING, Cell, Column, Kind, Table, clean, compact, joined, parties

_INT64 = range(-(2**63), 2**63)
_INT64_DIGITS = 19

_AFFINITY: Mapping[Kind, str] = {"integer": "INTEGER", "number": "NUMERIC", "decimal": "NUMERIC", "boolean": "INTEGER"}
_CONSTRAINTS: Mapping[str, str] = {
    "fact_id": " NOT NULL",
    "fact_type": " NOT NULL",
    "verdict": " NOT NULL",
    "article_id": " NOT NULL REFERENCES articles (article_id)",
    "details_json": " NOT NULL",
}

_ARTICLES = """
CREATE TABLE articles (
    article_id TEXT PRIMARY KEY, title TEXT, published TEXT, source TEXT, url TEXT, language TEXT,
    status TEXT NOT NULL, cause TEXT, reason TEXT, present INTEGER NOT NULL, text TEXT NOT NULL
) WITHOUT ROWID;
"""

_PARTS = """
CREATE TABLE evidence (
    fact_number INTEGER NOT NULL REFERENCES facts (fact_number), n INTEGER NOT NULL, quote TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, PRIMARY KEY (fact_number, n)
) WITHOUT ROWID;
CREATE TABLE parties (
    fact_number INTEGER NOT NULL REFERENCES facts (fact_number), n INTEGER NOT NULL, role TEXT NOT NULL, path TEXT NOT NULL,
    name TEXT, kind TEXT, on_behalf_of TEXT, country TEXT, PRIMARY KEY (fact_number, n)
) WITHOUT ROWID;
CREATE TABLE issues (
    fact_number INTEGER NOT NULL REFERENCES facts (fact_number), n INTEGER NOT NULL, severity TEXT NOT NULL, code TEXT NOT NULL,
    path TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (fact_number, n)
) WITHOUT ROWID;
"""

_INDEXES = """
CREATE INDEX facts_by_id ON facts (fact_id);
CREATE INDEX facts_by_article ON facts (article_id);
CREATE INDEX facts_by_type ON facts (fact_type, verdict);
CREATE INDEX parties_by_name ON parties (name);
CREATE INDEX parties_by_country ON parties (country, role);
CREATE INDEX issues_by_code ON issues (code);
"""

_VIEWS = """
CREATE VIEW evidence_in_context AS
SELECT facts.fact_number, facts.fact_type, facts.verdict, facts.article_id, articles.title, evidence.n,
    substr(articles.text, max(evidence.start - 99, 1), min(evidence.start, 100)) AS before,
    evidence.quote,
    substr(articles.text, evidence."end" + 1, 100) AS after
FROM evidence JOIN facts USING (fact_number) JOIN articles USING (article_id);
CREATE VIEW party_facts AS
SELECT parties.role, parties.name, parties.kind, parties.on_behalf_of, parties.country,
    facts.fact_number, facts.fact_type, facts.verdict, facts.article_id, facts.published
FROM parties JOIN facts USING (fact_number);
"""

_OURS = frozenset({"articles", "facts", "evidence", "parties", "issues", "evidence_in_context", "party_facts"})


def write_sqlite(path: Path, table: Table, rows: Iterable[dict[str, Any]], articles: Iterable[dict[str, Any]]) -> int:
    """Write a new database: `articles`, `facts`, a table and a view for each fact type, `evidence`, `parties`, `issues`.

    Args:
        path: Where to; nothing is there yet.
        table: The columns.
        rows: Facts as `Ledger.rows` gives them.
        articles: As `Ledger.articles` gives them.

    Returns:
        How many facts were written.

    Raises:
        OSError: The file cannot be written: SQLite's own error, which no other file need know.
    """
    try:
        return _write(path, table, rows, articles)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def _write(path: Path, table: Table, rows: Iterable[dict[str, Any]], articles: Iterable[dict[str, Any]]) -> int:
    names = _table_names(table)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # the file takes its place only when it is whole: there is nothing to roll back to, and nothing to wait for
        db.executescript("PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;")
        _make_tables(db, table, names)
        db.execute("BEGIN")
        db.executemany(_insertion("articles", 11), map(_article, articles))
        count = _fill(db, table, names, rows)
        db.execute("COMMIT")
        db.executescript(_INDEXES)
        db.executescript(_VIEWS)
        taken = {*names.values(), *_OURS}
        for fact_type, name in names.items():
            view = _free(f"{name}_facts", taken)
            taken.add(view)
            db.execute(_type_view(view, name, table.of_type[fact_type].values()))
    return count


def _table_names(table: Table) -> dict[str, str]:
    """Each type's table: its registered name, unless one of ours or SQLite's has it."""
    names: dict[str, str] = {}
    for fact_type in table.of_type:
        free = fact_type.casefold() not in _OURS and not fact_type.casefold().startswith("sqlite_")
        names[fact_type] = _free(fact_type if free else f"type_{fact_type}", {*names.values(), *_OURS})
    return names


def _make_tables(db: sqlite3.Connection, table: Table, names: Mapping[str, str]) -> None:
    common = ", ".join(_definition(column) for column in (*LEADING, *TRAILING))
    db.executescript(_ARTICLES)
    db.execute(f"CREATE TABLE facts ({FACT_NUMBER} INTEGER PRIMARY KEY, {common})")
    for fact_type, name in names.items():
        own = "".join(f", {_quoted(column.name)} {_affinity(column)}" for column in table.of_type[fact_type].values())
        db.execute(f"CREATE TABLE {_quoted(name)} ({FACT_NUMBER} INTEGER PRIMARY KEY REFERENCES facts ({FACT_NUMBER}){own})")
    db.executescript(_PARTS)


def _fill(db: sqlite3.Connection, table: Table, names: Mapping[str, str], rows: Iterable[dict[str, Any]]) -> int:
    kinds = {column.name: column.kind for column in (*LEADING, *TRAILING)}
    own_kinds = {fact_type: {column.name: column.kind for column in columns.values()} for fact_type, columns in table.of_type.items()}
    number = 0
    for number, row in enumerate(rows, start=1):
        _insert(db, "facts", number, table.common_cells(row), kinds)
        if (cells := table.own_cells(row)) is not None:
            _insert(db, names[row["fact_type"]], number, cells, own_kinds[row["fact_type"]])
        db.executemany(
            _insertion("evidence", 5),
            [(number, n, clean(quote["quote"]), quote["start"], quote["end"]) for n, quote in enumerate(row["evidence"])],
        )
        db.executemany(_insertion("parties", 8), _parties(number, row))
        db.executemany(
            _insertion("issues", 6),
            [
                (number, n, *(clean(issue[field]) for field in ("severity", "code", "path", "message")))
                for n, issue in enumerate(row["issues"])
            ],
        )
    return number


def _insert(db: sqlite3.Connection, name: str, number: int, cells: Mapping[str, Cell], kinds: Mapping[str, Kind]) -> None:
    values = [_stored(joined(cell, kinds[column]), kinds[column]) for column, cell in cells.items()]
    db.execute(_insertion(name, len(values) + 1), (number, *values))


def _stored(cell: Cell, kind: Kind) -> Cell:
    """A cell as SQLite holds it: a number beyond 64 bits as the nearest float, and one beyond any float not at all."""
    if cell is None or kind not in ("integer", "number", "decimal"):
        return cell
    try:
        number = Decimal(str(cell))
        whole = number == number.to_integral_value() and number.adjusted() < _INT64_DIGITS and int(number) in _INT64
    except InvalidOperation:
        return None
    nearest = int(number) if whole else float(number)
    return nearest if math.isfinite(nearest) else None


def _article(article: Mapping[str, Any]) -> list[Cell]:
    record = article["record"]
    told = [record.get(name) for name in ("title", "published", "source", "url", "language")]
    cells = [article["id"], *told, article["status"], article["cause"], article["reason"], article["present"], record["text"]]
    return [clean(cell) if isinstance(cell, str) else cell for cell in cells]


def _parties(number: int, row: Mapping[str, Any]) -> list[tuple[Cell, ...]]:
    """A row of `parties` for each party of a fact; its role is its path without places in lists."""
    countries = row.get("countries", {})
    return [
        (number, n, _role(path), path, *(_text(party[field]) for field in ("name", "kind", "on_behalf_of")), countries.get(path))
        for n, (path, party) in enumerate(parties(row.get("value")))
    ]


def _role(path: str) -> str:
    return re.sub(r"\[[0-9]+\]", "", path)


def _text(value: object) -> str | None:
    return None if value is None else clean(value) if isinstance(value, str) else compact(value)


def _type_view(view: str, name: str, columns: Iterable[Column]) -> str:
    """One type's facts with all that is known of them, in one row each."""
    wanted = [
        *(f"facts.{_quoted(column)}" for column in (FACT_NUMBER, *(column.name for column in LEADING))),
        *(f"own.{_quoted(column.name)}" for column in columns),
        *(f"facts.{_quoted(column.name)}" for column in TRAILING),
    ]
    source = f"{_quoted(name)} AS own JOIN facts USING ({FACT_NUMBER})"
    return f"CREATE VIEW {_quoted(view)} AS SELECT {', '.join(wanted)} FROM {source}"  # noqa: S608 - quoted names only


def _free(name: str, taken: set[str]) -> str:
    """A name that is not taken, letter case aside, as SQLite compares them."""
    known = {other.casefold() for other in taken}
    number, free = 1, name
    while free.casefold() in known:
        number += 1
        free = f"{name}_{number}"
    return free


def _definition(column: Column) -> str:
    return f"{_quoted(column.name)} {_affinity(column)}{_CONSTRAINTS.get(column.name, '')}"


def _affinity(column: Column) -> str:
    return _AFFINITY.get(column.kind, "TEXT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _insertion(name: str, columns: int) -> str:
    return f"INSERT INTO {_quoted(name)} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - a quoted name and marks only
