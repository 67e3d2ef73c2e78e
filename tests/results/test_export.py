import contextlib
import csv
import hashlib
import importlib.util
import io
import itertools
import json
import re
import resource
import sqlite3
import sys
import tempfile
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from extractor.errors import LedgerError, UsageError
from extractor.evidence.outcome import Grounded, Outcome, Quarantined, Try
from extractor.facts.catalog import DEFAULT_TYPES, load, type_fingerprint
from extractor.facts.fact import Closed, Fact, Value, Verbatim, registered_name
from extractor.facts.money import Amount, Money
from extractor.facts.party import Party
from extractor.records import Article, Issue, Span
from extractor.results.columns import LEADING, TRAILING, Table
from extractor.results.export import export, guarded
from extractor.runs.ledger import FACTS_NAME, LEDGER_NAME, Ledger
from extractor.runs.rows import Provenance

ALL = ("kept", "repaired", "quarantined", "merged")
FORMATS = ("jsonl", "csv", "parquet", "sqlite")
PLAIN = {
    "id": "fact_id", "fact_type": "fact_type", "verdict": "verdict", "decision": "decision", "article_id": "article_id", "title": "title", "published": "published",
    "source": "source", "url": "url", "model": "model", "prompt": "prompt", "schema": "schema", "raw": "raw",
}  # fmt: skip
PYARROW = importlib.util.find_spec("pyarrow") is not None
needs_pyarrow = pytest.mark.skipif(not PYARROW, reason="pyarrow is not installed: the 'parquet' extra")
each_format = pytest.mark.parametrize("form", [pytest.param(name, marks=[needs_pyarrow] if name == "parquet" else []) for name in FORMATS])


class Tribunal(Closed):
    """Who judged."""

    court: Party
    chamber: Verbatim | None = None


class Ruling(Closed):
    """One ruling."""

    words: Verbatim
    about: list[Verbatim]


class Sanction(Fact):
    """A sanction that somebody imposes on somebody."""

    version: ClassVar[int] = 3

    source: Verbatim | None = Field(default=None, description="A name that every fact's columns have already.")
    targets: list[Party] = Field(description="On whom.")
    tribunal: Tribunal | None = None
    rulings: list[Ruling] = Field(default_factory=list)
    measures: list[Literal["freeze", "ban"]]
    status: bool = Field(description="A name that another type uses for a text.")
    sums: list[Money] = Field(default_factory=list)
    told: Party | Verbatim | None = None


class Count(Value):
    """A count that may be anything."""

    number: int | None
    share: int | float | None
    exact: Amount | None
    either: Decimal | None = None
    on: date | None


class Census(Fact):
    """A count of something."""

    count: Count
    matrix: list[list[Verbatim]]


TYPES = load([*DEFAULT_TYPES, Sanction, Census])
STORED = [
    {
        "name": name,
        "fingerprint": type_fingerprint(TYPES[name]),
        "version": TYPES[name].version,
        "json_schema": TYPES[name].model_json_schema(),
    }
    for name in sorted(TYPES)
]


class Told:
    """What export asks of a ledger, out of a list."""

    def __init__(self, rows, folder="."):
        self.folder = Path(folder)
        self._rows = rows

    def snapshot(self):
        """Nothing changes."""
        return contextlib.nullcontext()

    def fact_types(self):
        """All that there are."""
        return iter(STORED)

    def rows(self, verdicts=ALL, fact_types=()):
        """Those wanted, in the order given."""
        return (row for row in self._rows if row["verdict"] in verdicts and (not fact_types or row["fact_type"] in fact_types))

    def articles(self):
        """One for each article id of the facts."""
        for article_id in sorted({row["article_id"] for row in self.rows()}):
            record = {"id": article_id, "text": "…", "title": None, "published": None, "source": None, "url": None, "language": None}
            yield {"id": article_id, "status": "complete", "cause": None, "reason": None, "present": True, "record": record}


# any fact of any type, its texts full of what formats and spreadsheets trip over

pieces = st.sampled_from(
    ["; ", " | ", ";", "|", ",", '"', "'", "=", "+", "-", "@", "＝", "\t", "\r", "\n", "\r\n", " ", "\x00", "\u2028", "\ufeff", "\ud800", "\udc80", "é", "😀",
     "\\", "\\u003d", "{", "]", '=HYPERLINK("http://x")', "NULL", "null", "0", "-1", "1e5", "true"]
)  # fmt: skip
# a high and a low surrogate side by side are one character in JSON, and so in any ledger
texts = (st.lists(pieces, max_size=6).map("".join) | st.text(st.characters(), max_size=8)).map(lambda text: json.loads(json.dumps(text)))
numbers = st.integers(0, 50) | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(0, 10**40, places=2).map(lambda number: format(number, "f")) | st.from_regex(
    r"[0-9]{1,50}(\.[0-9]{1,12})?", fullmatch=True
)


def values_of(schema, defs):
    """Values of a JSON Schema, as a fact's value may have them."""
    if "$ref" in schema:
        return values_of(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return st.one_of([values_of(arm, defs) for arm in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-(10**30), 10**30)
        case "number":
            return numbers
        case "array":
            return st.lists(values_of(schema["items"], defs), max_size=2)
        case "object":
            return st.fixed_dictionaries({name: values_of(about, defs) for name, about in schema["properties"].items()})
    if schema.get("format") == "date":
        return st.dates().map(date.isoformat)
    return decimals if schema.get("pattern") == r"^[0-9]+(\.[0-9]+)?$" else texts


spots = st.builds(lambda start, length: {"start": start, "end": start + length}, st.integers(0, 10**6), st.integers(1, 500))
quotes = st.builds(lambda quote, spot: {"quote": quote, **spot}, texts, spots)
issues = st.fixed_dictionaries(
    {"severity": st.sampled_from(["error", "warning"]), "code": st.sampled_from(["a", "b_c"]), "path": texts, "message": texts}
)
tries = st.lists(st.fixed_dictionaries({"raw": texts, "issues": st.lists(issues, max_size=1)}), max_size=1)


@st.composite
def facts(draw):
    kind = draw(st.sampled_from(STORED))
    verdict = draw(st.sampled_from(ALL))
    row = {
        "id": draw(st.sampled_from(["b2:1", "b2:2"])), "fact_type": kind["name"], "verdict": verdict, "article_id": draw(st.sampled_from(["a.txt", "=b.txt"])),
        "title": draw(st.none() | texts), "published": draw(st.none() | st.dates().map(date.isoformat)), "source": draw(st.none() | texts),
        "url": draw(st.none() | texts),
    }  # fmt: skip
    if verdict in ("kept", "repaired"):
        row["value"] = draw(values_of(kind["json_schema"], kind["json_schema"]["$defs"]))
        row["spans"] = draw(st.dictionaries(texts, st.tuples(st.integers(0, 9), st.integers(10, 99)).map(list), max_size=1))
        row["countries"] = draw(
            st.dictionaries(
                st.sampled_from(["suppliers[0]", "beneficiary", "tribunal.court", "targets[1]"]),
                st.sampled_from(["UKR", "NOR"]),
                max_size=3,
            )
        )
        if draw(st.booleans()):
            row["decision"] = draw(st.sampled_from(["accept", "edit"]))
    else:
        row["raw"] = draw(texts)
    row["evidence"] = draw(st.lists(quotes, max_size=3))
    row["issues"] = draw(st.lists(issues, max_size=2))
    row["tries"] = draw(tries)
    return {**row, "model": draw(texts), "prompt": "extract.v1 b2:0", "schema": kind["fingerprint"]}


# reading back by the rules of docs/columns.md

SKIPPED = re.compile(r"[\s\"'\x00-\x20\u00ad\u200b-\u200f\u2060\ufeff]")
TRIGGERS = "=+-@＝＋－＠"
BREAKS = "\t\r\n"


def unguarded(text):
    """The text that a guarded one was, written without regard to how guarding is coded."""
    if re.match(r"'+[\t\r\n]", text):
        text = text[1:]
    kept = []
    for at, sign in enumerate(text):
        start = at + 1
        while start > 0 and SKIPPED.match(text[start - 1]):
            start -= 1
        run = text[start : at + 1]
        begins = start == 0 or text[start - 1] == ";" or any(mark in run for mark in BREAKS)
        if not (sign == "'" and text[at + 1 : at + 2] and text[at + 1] in TRIGGERS and begins):
            kept.append(sign)
    return "".join(kept)


def whole(cells):
    """A row out of the columns that every fact has."""
    row = {field: cells[column] for field, column in PLAIN.items()}
    for field in ("raw", "decision"):  # those that a row need not have
        if row[field] is None:
            del row[field]
    if cells["value_json"] is not None:
        row["value"] = json.loads(cells["value_json"])
    row |= json.loads(cells["details_json"])
    return row


def read(path):
    """Every row of an export, whole."""
    match path.suffix:
        case ".jsonl":
            return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        case ".csv":
            return [whole({name: unguarded(cell) or None for name, cell in row.items()}) for row in read_csv(path)]
        case ".parquet":
            rows = read_parquet(path)
            return [whole({**row, "published": row["published"].isoformat() if row["published"] else None}) for row in rows]
        case _:
            return [whole(row) for row in read_sqlite(path, "SELECT * FROM facts ORDER BY fact_number")]


def read_csv(path):
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_parquet(path):
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()


def read_sqlite(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as db:
        cursor = db.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


@each_format
@settings(deadline=None, max_examples=60)
@given(rows=st.lists(facts(), max_size=3))
def test_round_trip_is_exact(form, rows):
    """What is read back from any format equals the ledger's rows, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"facts.{form}"
        assert export(Told(rows), path, verdicts=ALL) == len(rows)
        assert read(path) == rows


@given(text=texts)
@settings(max_examples=500)
def test_guard_can_be_taken_away(text):
    """Guarding loses nothing: the documented way back gives every text."""
    assert unguarded(guarded(text)) == text


@given(text=texts, separator=st.sampled_from([None, ";", "\t", "\n", "\r"]))
@settings(max_examples=500)
def test_guarded_text_begins_no_formula(text, separator):
    """Wherever a spreadsheet begins a cell, at the text's start or after a separator it was set to, no formula follows."""
    for cell in guarded(text).split(separator) if separator else [guarded(text)]:
        bare = re.sub(r"^[\s\"\x00-\x20\u00ad\u200b-\u200f\u2060\ufeff]+", "", cell)
        assert not bare.startswith(tuple(TRIGGERS))
    assert not guarded(text).startswith(tuple(BREAKS))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-2%", "'-2%"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ('"=1', "\"'=1"),
        ("'=1", "''=1"),
        ("\t=1", "'\t'=1"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ("a\n- b", "a\n'- b"),
        ("1 = 1, a-b, x@y", "1 = 1, a-b, x@y"),
        ("plain", "plain"),
        ("", ""),
    ],
)  # fmt: skip
def test_formulas_are_made_inert(text, written):
    """An apostrophe stands before what a spreadsheet would run, and nowhere else."""
    assert guarded(text) == written


def test_guard_takes_linear_time():
    """A hostile text of a million signs costs no more than reading it."""
    started = time.monotonic()
    for hostile in ("\t" * 1_000_000, "'" * 1_000_000, ";" * 1_000_000, "\n- " * 300_000, '"' * 999_999 + "="):
        guarded(hostile)
    assert time.monotonic() - started < 10


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(facts(), min_size=1, max_size=2), separator=st.sampled_from(",;\t"))
def test_no_cell_of_a_csv_is_a_formula(rows, separator):
    """Opened with a comma, a semicolon or a tab for separator, no cell but a plain number begins as a formula does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.csv"
        export(Told(rows), path, verdicts=ALL)
        content = path.read_text(encoding="utf-8-sig")
    cells = itertools.chain.from_iterable(csv.reader(io.StringIO(content, newline=""), delimiter=separator))
    if separator != ",":
        cells = itertools.chain.from_iterable(re.split(r"[\r\n]", line) for line in cells)
    for cell in cells:
        bare = re.sub(r"^[\s\"\x00-\x20\u00ad\u200b-\u200f\u2060\ufeff]+", "", cell)
        assert not bare.startswith(tuple(TRIGGERS)) or re.match(r"-[0-9]", bare), cell


# a real ledger: the worked examples of the types that ship, and one of a type of our own


def grounded(article, value, number=0, **more):
    spots = tuple(Span(start=article.text.index(quote), end=article.text.index(quote) + len(quote)) for quote in value.evidence)
    name = registered_name(type(value))
    return Grounded(
        id=f"b2:{article.id}:{name}:{number}", fact_type=name, article_id=article.id, verdict="kept", value=value, evidence=spots, **more
    )


def sanction(article):
    value = Sanction.model_validate(
        {
            "evidence": ["froze the assets of Sandvik Bank; Nord Trust"],
            "attribution": {"speaker": "Karin Holm", "relayed_by": "Postimees", "certainty": "claimed"},
            "is_background": False,
            "source": "a note",
            "targets": [
                {"name": "Sandvik Bank; Nord Trust", "kind": "company"},
                {"name": None, "kind": "person", "on_behalf_of": "Estonia"},
            ],
            "tribunal": {"court": {"name": "Estonia", "kind": "state"}, "chamber": "the third"},
            "rulings": [{"words": "froze", "about": ["assets", "accounts"]}],
            "measures": ["freeze", "ban"],
            "status": True,
            "sums": [{"as_written": "$5", "minimum": "5", "maximum": "5", "currency": "USD"}],
            "told": "a note",
        }
    )
    return Grounded(
        id="b2:sanction", fact_type="sanction", article_id=article.id, verdict="repaired", value=value,
        evidence=(Span(start=11, end=55),), countries={"targets[1]": "EST", "tribunal.court": "EST"},
        issues=(Issue.warning("unverified", "sums[0]", "=unsure"), Issue.warning("assumed", "sums[0]", "USD")),
        tries=(Try(json_text='{"broken": ', issues=(Issue.error("schema", "", "not whole"),)),),
    )  # fmt: skip


SANCTIONED = Article(
    id="z/sanctions.txt",
    text="The court, froze the assets of Sandvik Bank; Nord Trust on Monday.",
    title="=Frozen",
    published=date(2026, 2, 1),
    source="Wire",
)


def outcomes():
    """What a run would remember: one article for each type that ships, and one of the sanction, with all four verdicts."""
    for name in DEFAULT_TYPES:
        for number, example in enumerate(TYPES[name].examples):
            article = Article(id=f"{name}-{number}.txt", text=example.text, published=example.published)
            yield Outcome(
                article=article, status="complete", facts=tuple(grounded(article, fact, place) for place, fact in enumerate(example.facts))
            )
    bad = Quarantined(
        id="b2:bad",
        fact_type="sanction",
        article_id=SANCTIONED.id,
        tries=(Try(json_text='{"evidence": "no list"}', issues=(Issue.error("schema", "evidence", "no list"),)),),
    )
    twin = Quarantined(
        id="b2:twin", fact_type="sanction", article_id=SANCTIONED.id, verdict="merged", tries=bad.tries, evidence=(Span(start=0, end=3),)
    )
    yield Outcome(article=SANCTIONED, status="complete", facts=(sanction(SANCTIONED),), quarantined=(bad, bad), merged=(twin,))
    yield Outcome(article=Article(id="empty.txt", text="Nothing here."), status="failed", reason="refused", cause="refusal")


def remember(ledger, outcome):
    provenance = Provenance("a-model", "extract.v1 b2:0", {entry["name"]: entry["fingerprint"] for entry in STORED})
    ledger.outcome(outcome, key="k", judge_version=1, provenance=provenance)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with Ledger(folder) as ledger:
        ledger.start_run(
            {},
            {
                entry["name"]: (entry["fingerprint"], entry["version"], entry["json_schema"])
                for entry in STORED
                if entry["name"] != "census"
            },
        )
        for outcome in outcomes():
            remember(ledger, outcome)
        ledger.end_run(0, all_seen=True)
    return folder


@pytest.fixture
def ledger(run_folder):
    with Ledger(run_folder, read_only=True) as opened:
        yield opened


@each_format
def test_every_format_has_the_ledgers_rows(ledger, tmp_path, form):
    """Every format has the same rows in article order, whatever their verdict."""
    path = tmp_path / f"facts.{form}"
    rows = list(ledger.rows(ALL))
    assert export(ledger, path, verdicts=ALL) == len(rows) > 10
    assert read(path) == rows
    assert [row["article_id"] for row in rows] == sorted(row["article_id"] for row in rows)


def test_jsonl_is_the_runs_own_file(ledger, tmp_path):
    """Believed facts as JSONL are the lines of `facts.jsonl`, in article order."""
    export(ledger, tmp_path / "facts.jsonl")
    own = (ledger.folder / FACTS_NAME).read_bytes().splitlines()
    assert sorted((tmp_path / "facts.jsonl").read_bytes().splitlines()) == sorted(own)


@each_format
def test_same_ledger_gives_same_bytes(ledger, tmp_path, form):
    """Two exports of one ledger are equal byte for byte, whatever the file is called."""
    export(ledger, tmp_path / f"one.{form}", verdicts=ALL)
    export(ledger, tmp_path / f"another.{form}", verdicts=ALL)
    assert (tmp_path / f"one.{form}").read_bytes() == (tmp_path / f"another.{form}").read_bytes()


@each_format
def test_only_the_wanted_types_and_verdicts_are_written(ledger, tmp_path, form):
    """Types and verdicts choose the rows; believed facts are the default."""
    path = tmp_path / f"facts.{form}"
    assert export(ledger, path, fact_types=("sanction",), verdicts=("quarantined",)) == 2
    assert {(row["fact_type"], row["verdict"]) for row in read(path)} == {("sanction", "quarantined")}
    assert export(ledger, path, fact_types=("sanction", "funding_source")) == len(read(path)) > 1
    assert {row["fact_type"] for row in read(path)} == {"sanction", "funding_source"}
    assert {row["verdict"] for row in read(path)} == {"kept", "repaired"}


@each_format
def test_no_fact_gives_a_file_with_columns(ledger, tmp_path, form):
    """An export without facts is a whole file: its columns are there, its rows are none."""
    path = tmp_path / f"facts.{form}"
    assert export(ledger, path, fact_types=("funding_source",), verdicts=("quarantined",)) == 0
    assert read(path) == []
    if form == "csv":
        assert path.read_bytes().startswith(b"\xef\xbb\xbffact_id,")
        assert path.read_bytes().count(b"\r\n") == 1
    if form == "parquet":
        assert "amount_minimum" in pytest.importorskip("pyarrow.parquet").read_schema(path).names
    if form == "sqlite":
        assert read_sqlite(path, "SELECT amount_minimum FROM funding_source_facts") == []


def test_csv_columns_of_a_users_type(ledger, tmp_path):
    """A type known by its stored JSON Schema alone is flattened like one of ours, and lists in lists stay whole as JSON."""
    path = tmp_path / "facts.csv"
    export(ledger, path, fact_types=("sanction",))
    (row,) = read_csv(path)
    own = list(row)[len(LEADING) : -len(TRAILING)]
    assert own == [
        "source_2", "targets", "targets_kinds", "targets_on_behalf_of", "targets_countries", "tribunal_court", "tribunal_court_kind",
        "tribunal_court_on_behalf_of", "tribunal_court_country", "tribunal_chamber", "rulings", "measures", "status", "sums", "told",
    ]  # fmt: skip
    assert {name: row[name] for name in own} == {
        "source_2": "a note",
        "targets": "Sandvik Bank; Nord Trust; ",
        "targets_kinds": "company; person",
        "targets_on_behalf_of": "; Estonia",
        "targets_countries": "; EST",
        "tribunal_court": "Estonia",
        "tribunal_court_kind": "state",
        "tribunal_court_on_behalf_of": "",
        "tribunal_court_country": "EST",
        "tribunal_chamber": "the third",
        "rulings": '[{"words":"froze","about":["assets","accounts"]}]',
        "measures": "freeze; ban",
        "status": "true",
        "sums": '[{"as_written":"$5","minimum":"5","maximum":"5","currency":"USD","approximate":false,"also_stated":[]}]',
        "told": '"a note"',
    }
    assert [row[name] for name in ("title", "source", "published", "speaker", "relayed_by", "certainty", "is_background", "issues")] == [
        "'=Frozen", "Wire", "2026-02-01", "Karin Holm", "Postimees", "claimed", "false", "unverified; assumed",
    ]  # fmt: skip
    assert [row[name] for name in ("evidence", "evidence_start", "evidence_end", "evidence_spans")] == [
        "froze the assets of Sandvik Bank; Nord Trust",
        "11",
        "55",
        "11-55",
    ]
    assert json.loads(row["details_json"])["tries"][0]["raw"] == '{"broken": '


def test_several_quotes_are_joined_with_their_offsets(ledger, tmp_path):
    """A fact with two quotes has both in one cell, the first one's offsets in theirs, and all offsets as text."""
    export(ledger, tmp_path / "facts.csv", fact_types=("weapons_transfer",))
    row = read_csv(tmp_path / "facts.csv")[0]
    text = TYPES["weapons_transfer"].examples[0].text
    spans = [tuple(map(int, span.split("-"))) for span in row["evidence_spans"].split("; ")]
    assert len(spans) == 2
    assert " | ".join(text[start:end] for start, end in spans) == row["evidence"]
    assert (int(row["evidence_start"]), int(row["evidence_end"])) == spans[0]


def test_shared_columns_of_two_types_are_one(ledger, tmp_path):
    """Types together have each column once; where two types give it different kinds, it holds text."""
    together = Table(entry for entry in STORED if entry["name"] in ("sanction", "weapons_transfer", "funding_source"))
    names = [column.name for column in together.columns]
    assert len(names) == len(set(names))
    assert names.count("recipients") == names.count("status") == 1
    assert {column.name: column.kind for column in together.own}["status"] == "text"
    assert {column.name: column.kind for column in Table(entry for entry in STORED if entry["name"] == "sanction").own}[
        "status"
    ] == "boolean"
    export(ledger, tmp_path / "facts.csv")
    rows = read_csv(tmp_path / "facts.csv")
    assert {row["status"] for row in rows if row["fact_type"] == "sanction"} == {"true"}
    assert "in_delivery" in {row["status"] for row in rows if row["fact_type"] == "weapons_transfer"}


def test_older_version_of_a_type_keeps_its_columns():
    """Facts of an older version fill its own columns, which come after those of the newest."""

    def version(mark, **fields):
        return {"name": "t", "fingerprint": mark, "json_schema": {"properties": fields}}

    text, count = {"type": "string"}, {"type": "integer"}
    table = Table([version("new", who=text, how=count), version("old", Who=text, how=text, gone=text)])
    assert [(column.name, column.kind) for column in table.own] == [("who", "text"), ("how", "text"), ("gone", "text")]
    row = {"fact_type": "t", "countries": {}}
    assert table.own_cells({**row, "schema": "new", "value": {"who": "a", "how": 2}}) == {"who": "a", "how": "2", "gone": None}
    assert table.own_cells({**row, "schema": "old", "value": {"Who": "a", "how": "b", "gone": "c"}}) == {
        "who": "a",
        "how": "b",
        "gone": "c",
    }
    assert table.own_cells({**row, "schema": "lost", "value": {"who": "a", "how": 3}}) == {"who": "a", "how": "3", "gone": None}
    assert table.own_cells({**row, "fact_type": "other", "schema": "x", "value": {}}) is None


def test_schema_that_contains_itself_ends():
    """A schema that refers to itself is taken apart down to where it does, and is JSON from there."""
    node = {"type": "object", "properties": {"label": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
    loop = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Loop"}, {"type": "integer"}]}
    schema = {"$defs": {"Node": node, "Loop": loop}, "properties": {"tree": {"$ref": "#/$defs/Node"}, "loop": {"$ref": "#/$defs/Loop"}}}
    table = Table([{"name": "t", "fingerprint": "f", "json_schema": schema}])
    assert [(column.name, column.kind) for column in table.own] == [("tree_label", "text"), ("tree_next", "json"), ("loop", "json")]


@needs_pyarrow
def test_parquet_columns_are_typed(ledger, tmp_path):
    """Numbers, sums, dates, truths and lists come out of Parquet as what they are."""
    export(ledger, tmp_path / "facts.parquet", fact_types=("weapons_transfer",))
    first, _, third = read_parquet(tmp_path / "facts.parquet")[:3]
    assert first["quantity_minimum"] == 19.0
    assert first["announced_earliest"] == date(2026, 1, 13)
    assert first["is_background"] is False
    assert first["suppliers"] == ["Denmark"]
    assert first["price_minimum"] is None
    assert first["evidence"][0].keys() == {"quote", "start", "end"}
    assert third["price_minimum"] == Decimal(80_000_000)
    assert third["suppliers"] == [None]


@needs_pyarrow
@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("0.125", Decimal("0.125")),
        ("99999999999999999999999999999999.999999", Decimal("99999999999999999999999999999999.999999")),
        ("1.5000000000", Decimal("1.5")),
        ("0.0000000000", Decimal(0)),
        ("0.00000000100", None),
        ("0.00000100", Decimal("0.000001")),
        ("100000000000000000000000000000000", None),
        ("0.1234567", None),
        ("no number", None),
    ],
)
def test_sums_beyond_parquets_decimal_are_null_there(tmp_path, written, read_as):
    """A sum is exact in its decimal column or null, never rounded; `value_json` has it whatever its size."""
    row = count_row(exact=written)
    export(Told([row]), tmp_path / "facts.parquet")
    (found,) = read_parquet(tmp_path / "facts.parquet")
    assert found["count_exact"] == read_as
    assert json.loads(found["value_json"])["count"]["exact"] == written


def count_row(**count):
    value = {
        "count": {"as_written": "x", "number": None, "share": None, "exact": None, "either": None, "on": None, **count},
        "matrix": [["a"], []],
    }
    told = {"evidence": ["x"], "attribution": {"speaker": None, "relayed_by": None, "certainty": "asserted"}, "is_background": True}
    return {
        "id": "b2:1", "fact_type": "census", "verdict": "kept", "article_id": "a", "title": None, "published": None, "source": None, "url": None,
        "value": {**told, **value}, "spans": {}, "countries": {}, "evidence": [{"quote": "x", "start": 0, "end": 1}], "issues": [], "tries": [],
        "model": "m", "prompt": "p", "schema": type_fingerprint(Census),
    }  # fmt: skip


@each_format
def test_numbers_beyond_a_type_lose_nothing(tmp_path, form):
    """Numbers that a format's type cannot hold are null or nearest there, and exact in the fact's JSON."""
    row = count_row(number=2**70, share=10**400, exact="9" * 400, on="2026-01-02")
    path = tmp_path / f"facts.{form}"
    export(Told([row]), path)
    assert read(path) == [row]
    if form == "csv":
        assert [read_csv(path)[0][f"count_{name}"] for name in ("number", "share", "exact", "on")] == [
            str(2**70),
            str(10**400),
            "9" * 400,
            "2026-01-02",
        ]
    elif form == "parquet":
        assert [read_parquet(path)[0][f"count_{name}"] for name in ("number", "share", "exact", "on")] == [
            None,
            None,
            None,
            date(2026, 1, 2),
        ]
    elif form == "sqlite":
        (found,) = read_sqlite(path, "SELECT * FROM census")
        assert [found[f"count_{name}"] for name in ("number", "share", "exact", "on")] == [float(2**70), None, None, "2026-01-02"]


def test_sqlite_numbers_can_be_reckoned_with(tmp_path):
    """Whole numbers and sums are integers in SQLite, others floats, so that queries can add and compare them."""
    export(Told([count_row(number=-3, share=0.25, exact="610000000"), count_row(share=2.0, exact="0.50")]), tmp_path / "facts.db")
    rows = read_sqlite(tmp_path / "facts.db", "SELECT count_number, count_share, count_exact, matrix FROM census_facts")
    assert [list(row.values()) for row in rows] == [[-3, 0.25, 610000000, '[["a"],[]]'], [None, 2, 0.5, '[["a"],[]]']]


def test_sqlite_copy_is_sound_and_joins(ledger, tmp_path):
    """The copy's keys hold, its parts join to the facts, and quotes stand where the articles' text has them."""
    path = tmp_path / "facts.sqlite"
    count = export(ledger, path, verdicts=ALL)
    assert read_sqlite(path, "PRAGMA foreign_key_check") == []
    assert read_sqlite(path, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert read_sqlite(path, "SELECT COUNT(*) AS n FROM facts") == [{"n": count}]
    assert read_sqlite(path, "SELECT status, reason, present FROM articles WHERE article_id = 'empty.txt'") == [
        {"status": "failed", "reason": "refused", "present": 1}
    ]
    assert read_sqlite(
        path, "SELECT path, role, name, country FROM parties JOIN facts USING (fact_number) WHERE fact_type = 'sanction' ORDER BY n"
    ) == [
        {"path": "targets[0]", "role": "targets", "name": "Sandvik Bank; Nord Trust", "country": None},
        {"path": "targets[1]", "role": "targets", "name": None, "country": "EST"},
        {"path": "tribunal.court", "role": "tribunal.court", "name": "Estonia", "country": "EST"},
    ]
    assert len(read_sqlite(path, "SELECT * FROM issues JOIN facts USING (fact_number) WHERE verdict = 'quarantined'")) == 2
    joined = 'SELECT text, quote, start, "end" FROM evidence JOIN facts USING (fact_number) JOIN articles USING (article_id)'
    assert all(row["text"][row["start"] : row["end"]] == row["quote"] for row in read_sqlite(path, joined))
    for row in read_sqlite(path, "SELECT text, before, quote, after FROM evidence_in_context JOIN articles USING (article_id)"):
        assert row["before"] + row["quote"] + row["after"] in row["text"]
    stated = read_sqlite(path, "SELECT * FROM weapons_transfer_facts ORDER BY fact_number")
    assert [row["designation"] for row in stated] == ["Leopard 1 tanks", "Leopard 1 tanks", "mortar carriers"]
    assert list(stated[0]) == [
        "fact_number",
        *(column.name for column in Table(e for e in STORED if e["name"] == "weapons_transfer").columns),
    ]


def test_sqlite_tables_keep_clear_of_each_other(tmp_path, monkeypatch):
    """A user's type may be called like one of our tables, a reserved word or another type's view."""
    names = ("issues", "sqlite_x", "select", "a", "a_facts", "Evidence")
    schema = {
        "properties": {
            "fact_number": {"type": "string"},
            "order": {"type": "string"},
            "Order": {"type": "string"},
            'a"b': {"type": "string"},
        }
    }
    monkeypatch.setattr(Told, "fact_types", lambda self: ({"name": name, "fingerprint": name, "json_schema": schema} for name in names))
    value = {"fact_number": "n", "order": "1", "Order": "2", 'a"b': "3"}
    rows = [{**count_row(), "fact_type": name, "schema": name, "value": value} for name in names]
    export(Told(rows), tmp_path / "facts.sqlite")
    assert read(tmp_path / "facts.sqlite") == rows
    for table in ("type_issues", "type_sqlite_x", '"select"', "a", "a_facts", "type_Evidence"):
        (found,) = read_sqlite(tmp_path / "facts.sqlite", f"SELECT * FROM {table}")  # noqa: S608 - the names above
        assert list(found.values())[1:] == ["n", "1", "2", "3"]
    assert len(read_sqlite(tmp_path / "facts.sqlite", "SELECT * FROM a_facts_2")) == 1


class Failing(Told):
    """A ledger, and a disk, that fail half way."""

    def __init__(self, error):
        super().__init__([count_row()] * 6_000)
        self.error = error

    def fact_types(self):
        """One will do."""
        return (entry for entry in STORED if entry["name"] == "census")

    def rows(self, verdicts=ALL, fact_types=()):
        """Rows, until it fails."""
        for number, row in enumerate(super().rows(verdicts, fact_types)):
            if number == 5_500:
                raise self.error
            yield row


@each_format
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), LedgerError("damaged")])
def test_failure_half_way_leaves_the_old_file(tmp_path, form, error):
    """Whatever stops an export, the file is what it was before and nothing is left beside it."""
    path = tmp_path / f"facts.{form}"
    path.write_bytes(b"old")
    with pytest.raises(
        LedgerError if isinstance(error, OSError) else type(error),
        match="cannot be written.*No space left" if isinstance(error, OSError) else None,
    ):
        export(Failing(error), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@each_format
def test_full_disk_is_told_and_leaves_nothing(tmp_path, form):
    """A write that the system refuses ends in one clear error, without half a file."""
    path = tmp_path / f"facts.{form}"
    row = count_row()
    rows = [{**row, "title": hashlib.sha512(bytes([number % 256, number // 256])).hexdigest()} for number in range(3_000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        with pytest.raises(LedgerError, match=r"cannot be written: .*Nothing was left behind"):
            export(Told(rows), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@each_format
def test_existing_file_and_link_are_replaced_whole(ledger, tmp_path, form):
    """An older file gives way to the new one; a link stays a link, and what it leads to is replaced."""
    real, link = tmp_path / "real.bin", tmp_path / f"facts.{form}"
    real.write_bytes(b"old " * 100_000)
    link.symlink_to(real)
    export(ledger, link)
    assert link.is_symlink()
    export(ledger, tmp_path / f"plain.{form}")
    assert real.read_bytes() == (tmp_path / f"plain.{form}").read_bytes()


@pytest.mark.parametrize("name", ["facts", "facts.txt", "facts.json", "-", "facts.csv.gz"])
def test_unknown_suffix_names_the_four(ledger, tmp_path, name):
    """A file name that says no format is refused with those there are."""
    with pytest.raises(UsageError, match=r"\.jsonl, \.csv, \.parquet or \.sqlite"):
        export(ledger, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_suffix_is_read_without_case(ledger, tmp_path):
    """`.CSV` is CSV."""
    assert export(ledger, tmp_path / "FACTS.CSV") == len(read_csv(tmp_path / "FACTS.CSV"))


def test_places_where_nothing_can_be_written_are_refused(ledger, tmp_path):
    """A missing folder, a folder in place of a file, and a database in use are told before anything is written."""
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        export(ledger, tmp_path / "nowhere" / "facts.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        export(ledger, tmp_path / "folder.csv")
    (tmp_path / "busy.sqlite-wal").touch()
    with pytest.raises(UsageError, match=r"busy\.sqlite-wal"):
        export(ledger, tmp_path / "busy.sqlite")
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises((LedgerError, UsageError)):
        export(ledger, loop)


@pytest.mark.parametrize("name", [LEDGER_NAME, FACTS_NAME])
def test_runs_own_files_are_never_replaced(ledger, tmp_path, name):
    """An export onto the run's own ledger or facts file is refused, also through a link."""
    before = (ledger.folder / name).read_bytes()
    (tmp_path / "run").symlink_to(ledger.folder)
    for folder in (ledger.folder, tmp_path / "run"):
        with pytest.raises(UsageError, match="the run's own file"):
            export(ledger, folder / name)
    assert (ledger.folder / name).read_bytes() == before


def test_unknown_type_and_verdict_are_refused(ledger, tmp_path):
    """A misspelt type or verdict is told with those there are, instead of an empty file."""
    with pytest.raises(UsageError, match=r"No fact type 'weapon'.*sanction"):
        export(ledger, tmp_path / "facts.csv", fact_types=("weapon",))
    with pytest.raises(UsageError, match=r"No verdict 'good'.*quarantined"):
        export(ledger, tmp_path / "facts.csv", verdicts=("good",))
    assert list(tmp_path.iterdir()) == []


def test_missing_pyarrow_names_the_extra(ledger, tmp_path, monkeypatch):
    """Without pyarrow, Parquet is refused with the command that installs it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r'pip install "grounded-fact-extractor\[parquet\]"'):
        export(ledger, tmp_path / "facts.parquet")
    assert list(tmp_path.iterdir()) == []


def test_export_shows_one_moment_of_a_run_that_goes_on(run_folder, tmp_path):
    """Facts and articles are of one moment, although a run adds to the ledger while they are read."""

    class Watched(Ledger):
        def fact_types(self):
            found = list(super().fact_types())
            with contextlib.closing(sqlite3.connect(folder / LEDGER_NAME)) as db, db:
                db.execute("DELETE FROM facts WHERE article_id = ?", (SANCTIONED.id,))
                db.execute("DELETE FROM articles WHERE id = ?", (SANCTIONED.id,))
            return iter(found)

    folder = tmp_path / "run"
    with Ledger(folder) as ledger:
        ledger.start_run({}, {"sanction": (type_fingerprint(Sanction), 3, Sanction.model_json_schema())})
        remember(ledger, Outcome(article=SANCTIONED, status="complete", facts=(sanction(SANCTIONED),)))
    with Watched(folder, read_only=True) as ledger:
        assert export(ledger, tmp_path / "facts.sqlite") == 1
        assert export(ledger, tmp_path / "later.sqlite") == 0
    assert read_sqlite(tmp_path / "facts.sqlite", "PRAGMA foreign_key_check") == []


@pytest.mark.slow
@each_format
def test_twenty_thousand_facts_take_seconds(ledger, tmp_path, form):
    """A large run leaves in seconds, whatever the format."""
    rows = list(ledger.rows(ALL))
    many = Told(list(itertools.islice(itertools.cycle(rows), 20_000)))
    started = time.monotonic()
    assert export(many, tmp_path / f"facts.{form}", verdicts=ALL) == 20_000
    assert time.monotonic() - started < 20


def test_column_page_is_what_the_code_writes():
    """docs/columns.md is made from the code; after a change, docs/generate_columns.py makes it anew."""
    script = Path(__file__).parents[2] / "docs" / "generate_columns.py"
    spec = importlib.util.spec_from_file_location("generate_columns", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page()
