"""Makes docs/columns.md: every column of an export, out of the code that writes it.

In: nothing, or `--check`. Out: the page beside this file. A test fails when the page is stale.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from extractor.facts import catalog
from extractor.results.columns import LEADING, TRAILING, Column, Table

PAGE = Path(__file__).with_name("columns.md")

HEAD = """\
# Columns of an export

<!-- made by docs/generate_columns.py: change extractor/results/columns.py or that script, not this page -->

`extractor export RUN_DIR -o FILE` writes one row for each fact, in article order, then in the order in which the facts were given. The suffix
says how: `.jsonl`, `.csv`, `.parquet`, `.sqlite` (or `.db`). All four hold the same rows, and the same run folder gives the same bytes
(Parquet and SQLite: with the same version of pyarrow and SQLite). The file is replaced only once it is whole.

- **JSONL** has each row as the run's own `facts.jsonl` has it: nested, nothing flattened, nothing lost.
- **CSV and Parquet** have the columns below: those of every fact, those of each type in the order of its fields, then the rest. With several
  types, a column that two of them have is one column; if its kinds differ there, it is text.
- **SQLite** has the columns of every fact in the table `facts` and those of each type in a table named after it: see the end of this page.

`--verdict` says which facts (those believed, unless said otherwise), `--schema NAME` of which type. `--decisions FILE` applies what was decided
on the [review page](review.md): rejected facts are left out, with what only repeated them; edited ones are as edited; a quarantined one that
was accepted or edited is exported with the believed ones. The column `decision` says so, `verdict` stays what the code had found, and what an edit
replaced stands in `tries`. A decision that cannot be applied (the fact is not in the run, its words are not in the article, its value has not the form
of its type) is named on stderr.

Offsets are half-open ranges `[start, end)` of code points in the article's text: Python's `text[start:end]` is the quote.

## Kinds

An unknown value is an empty cell in CSV and null elsewhere, never 0. An empty list is an empty list in Parquet, an empty cell in CSV and null
in SQLite.

| kind | CSV | Parquet | SQLite |
|---|---|---|---|
| text | text | `string` | `TEXT` |
| integer | digits | `int64` | `INTEGER` |
| number | digits, with a point where it has a fraction | `double` | `NUMERIC` |
| decimal | digits, exact | `decimal128(38, 6)` | `NUMERIC` |
| date | `YYYY-MM-DD` | `date32` | `TEXT`, `YYYY-MM-DD` |
| boolean | `true` or `false` | `bool` | `INTEGER`, 1 or 0 |
| names | joined by a semicolon and a space | `list<string>` | `TEXT`, joined likewise |
| texts | joined by a bar between spaces | `list<string>` | `TEXT`, joined likewise |
| quotes | the quotes, joined by a bar between spaces | `list<struct<quote, start, end>>` | `TEXT`, joined likewise; the table `evidence` has each |
| json | compact JSON | `string` | `TEXT` |

A number that a type cannot hold is null there: in Parquet an integer beyond 64 bits, a decimal of more than six places or of more than 32
digits before the point; in SQLite a number beyond any float, while sums of more than 64 bits or with a fraction are rounded to a float.
`value_json` has every number exactly. CSV never rounds.

## Reading a fact back

Any format gives the whole fact back, exactly:

1. `value_json` is the fact's `value` as JSON; where it is empty (`quarantined` and `merged`, which have `raw`) the row has none.
2. The columns `fact_id` (the row's `id`), `fact_type`, `verdict`, `decision`, `article_id`, `title`, `published`, `source`, `url`, `model`, `prompt`,
   `schema` and `raw` are fields of the row as they are; an empty one is null (`decision` and `raw`: the row does not have it).
3. `details_json` is an object with the row's other fields. A field of it that is also a column holds in place of the column: a text that
   is empty, or that has a lone surrogate, which no UTF-8 file can hold (its column shows it as `\\ud800`).

The other columns repeat what is in these, for people and queries. A name that itself contains `; `, or a quote that contains ` | `, is
ambiguous in a joined column; in `value_json` it is not.

## CSV

UTF-8 with a byte order mark (without it Excel reads the machine's old code page; Python: `encoding="utf-8-sig"`; pandas, Polars and DuckDB
skip it; pandas takes the text `NA` for a missing one unless told `keep_default_na=False`), commas, quotes doubled, lines end in CRLF (RFC 4180). A cell may hold line breaks.

An article can say anything, also what a spreadsheet takes for a formula. So in cells of kind text, names, texts and quotes:

1. an apostrophe goes before each `=`, `+`, `-` or `@` (full-width ones too) that opens the cell or follows a semicolon, a tab or a line break;
   spaces, quotes, control and invisible characters in between do not count: `=1+1` is written `'=1+1`, and `a; -b` is `a; '-b`;
2. an apostrophe goes before the whole cell when it then begins with a tab or a line break, apostrophes before that not counted.

To read such a cell exactly, take away the apostrophe of 2, then those of 1. Numbers, dates and booleans are never touched. In JSON columns the
sign after a semicolon or an opening quote is written as a JSON escape (`\\u003d` for `=`), which any JSON parser reads back.
A spreadsheet shows no more than 32,767 characters of a cell; Python's `csv` needs `csv.field_size_limit(2**31 - 1)` for longer ones than 131,072.
"""  # noqa: E501 - a page, not code

RULES = """\
## Columns of your own fact types

They come from the type's JSON Schema, which the run folder keeps, so the class need not be there. For a field `f`:

| field | columns |
|---|---|
| a text, `Literal`, `bool`, date or number | `f` |
| one closed object (`Quantity`, `Money`, `When`, your own) | `f_` and the name of each of its fields, to any depth |
| one `Party` | `f` (its name), `f_kind`, `f_on_behalf_of`, `f_country` |
| a list of `Party` | `f` (the names), `f_kinds`, `f_on_behalf_of`, `f_countries`, one entry for each party |
| a list of texts | `f` |
| a field that may be a text or a number | `f`, as text |
| any other list, and a field that may be an object or something else | `f`, as JSON |

A name that a column of every fact has already gets `_2`: a field `source` becomes `source_2`. Where a run folder holds several versions of a
type, its columns are those of the newest, then those that only older ones have.
"""  # noqa: E501 - as above

SQLITE = """\
## Tables of the SQLite copy

`fact_number` is a fact's place in the export, from 1, and the key that joins the tables.

| table or view | a row for | columns |
|---|---|---|
| `articles` | each article of the run, with or without facts | `article_id`, `title`, `published`, `source`, `url`, `language`, `status`, `cause`, `reason`, `present`, `text` |
| `facts` | each fact | `fact_number`, then the columns of every fact |
| one table for each type, such as `weapons_transfer` | each believed fact of the type | `fact_number`, then the type's columns |
| `evidence` | each quote | `fact_number`, `n`, `quote`, `start`, `end` |
| `parties` | each party of each believed fact | `fact_number`, `n`, `role` (such as `suppliers`), `path` (such as `suppliers[0]`), `name`, `kind`, `on_behalf_of`, `country` |
| `issues` | each issue | `fact_number`, `n`, `severity`, `code`, `path`, `message` |
| view `weapons_transfer_facts`, and so on | each believed fact of the type | the same columns as the CSV of that type, after `fact_number` |
| view `evidence_in_context` | each quote | the quote with up to 100 characters before and after it |
| view `party_facts` | each party of each believed fact | the party, with its fact's type, verdict and article |

A type that is called like one of these tables has `type_` before its name.
"""  # noqa: E501 - as above


def page() -> str:
    """The whole page."""
    types = catalog.load(catalog.DEFAULT_TYPES)
    table = Table({"name": name, "fingerprint": "", "json_schema": fact_type.model_json_schema()} for name, fact_type in types.items())
    parts = [HEAD, RULES, "## Columns of every fact, in front\n", _listed(LEADING)]
    for name, columns in table.of_type.items():
        parts += [f"## Columns of `{name}`\n", _listed(columns.values())]
    parts += ["## Columns of every fact, at the end\n", _listed(TRAILING), SQLITE]
    return "\n".join(parts)


def _listed(columns: Iterable[Column]) -> str:
    lines = ["| column | kind | meaning |", "|---|---|---|"]
    for column in columns:
        meaning = column.meaning.replace("|", "\\|")
        lines.append(f"| `{column.name}` | {column.kind} | {meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else "docs/columns.md is stale: run docs/generate_columns.py")
    PAGE.write_text(page(), encoding="utf-8")
