"""Facts as people read them: the table of `show`.

In: a ledger, read-only. Out: text on a rich console. Floor: results.
Before changing it: it works from the ledger's rows alone, so that facts of any type can be shown without their class.
"""

import itertools
import json
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from extractor.evidence.merge import HOW_TOLD

_EMPTY: tuple[Any, ...] = (None, [], "", "unspecified")
_PIPED_WIDTH = 160  # columns where there is no terminal: `less -S` and files take long lines, and fewer are broken
_SIDE_BY_SIDE = 110  # columns from which the quotes stand beside the fields rather than below them
_NAME_WIDTH = 18  # quantity_delivered, the longest of the shipped fields: facts of all types stand in line
_INDENT, _GAP, _LEAST = 4, 4, 16  # columns: before a fact's lines, between fields and quotes, and for a value at least
_BLANK = Text(" " * _INDENT)
_QUOTE_CHARS = 240
_RAW_CHARS = 600
_QUIET = ("name_outside_evidence", "name_in_other_words", "assumed")  # in --json and the review; here they would drown the rest
_COLOURS = {"kept": "green", "repaired": "yellow", "quarantined": "red", "merged": "dim"}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


class _Console(Console):
    """A console that leaves a closed pipe to the command line: rich would end the process, with the code of a bug of ours."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, to_terminal: bool) -> Console:
    """Where tables go: as wide as the terminal; in a pipe or file as wide as COLUMNS says, else of a fixed width.

    Colours on a terminal alone, unless the environment says otherwise: `FORCE_COLOR=1 extractor show RUN_DIR | less -R`, or NO_COLOR.
    """
    if to_terminal:
        return _Console()
    return _Console(width=shutil.get_terminal_size((_PIPED_WIDTH, 0)).columns, highlight=False)


def facts(out: Console, rows: Iterable[dict[str, Any]], *, group: str = "article") -> int:
    """Print each fact, under a title for each article or type, as it is read, then which flags were left out; gives how many facts.

    Args:
        out: Where to.
        rows: From `Ledger.rows`, those of one group side by side.
        group: `article` or `type`.
    """
    key = "article_id" if group == "article" else "fact_type"
    count = 0
    left_out: Counter[str] = Counter()
    current: object = None
    for row in rows:
        if row[key] != current:
            if current is not None:
                out.print()
            out.print(Text("\n").join(_wrapped(out, _title(row, group), out.width)), soft_wrap=True)
            current = row[key]
        out.print(_fact(out, row, group), soft_wrap=True)  # it fits as it is
        count += 1
        left_out.update(issue["code"] for issue in row["issues"] if _is_quiet(issue))
    if left_out:
        flags = ", ".join(f"{left_out[code]:,} {code}" for code in _QUIET if left_out[code])
        out.print(Text("\n").join(_wrapped(out, Text(f"\nNot shown: {flags}; --json or `extractor review` has them.", "dim"), out.width)))
    return count


def told(count: int, verdict: str, fact_types: Sequence[str], counts: Iterable[Mapping[str, Any]]) -> str:
    """How many facts were shown, and how many quarantined ones of the same types were not.

    Args:
        count: Facts shown.
        verdict: What was asked for: a verdict, `believed` or `all`.
        fact_types: Types asked for; () for all.
        counts: Facts by type and verdict, as `Ledger.summary` has them.
    """
    said = counted(count, "fact" if verdict == "all" else f"{verdict} fact")
    left = sum(
        entry["count"] for entry in counts if entry["verdict"] == "quarantined" and (not fact_types or entry["fact_type"] in fact_types)
    )
    hidden = left if verdict not in ("all", "quarantined") else 0
    return f"{said}; {hidden:,} quarantined: --verdict quarantined" if hidden else said


def values(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each stated field of a fact with its value in a few words, such as `("quantity", "two = 2")`; of any shape when quarantined.

    What reads badly on one line, such as several terms, is parted by line breaks.
    """
    value = row["value"] if "value" in row else _parsed(row["raw"])
    if not isinstance(value, dict):
        yield "raw", cut(str(value), _RAW_CHARS)
        return
    for name, said in value.items():
        if name not in HOW_TOLD and said not in _EMPTY:
            yield name, _short(said, row.get("countries", {}), name)
    told = value.get("attribution")
    if isinstance(told, dict):
        who = " via ".join(str(name) for name in (told.get("speaker"), told.get("relayed_by")) if name)
        background = ", background" if value.get("is_background") is True else ""
        yield "told", f"{told.get('certainty')}{f' by {who}' if who else ''}{background}"


def _parsed(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _title(row: dict[str, Any], group: str) -> Text:
    if group == "type":
        return Text(plain(row["fact_type"]), style="bold underline")
    told = Text(plain(row["article_id"]), style="bold")
    return told.append(f" · {row['published'] or 'no date'} · {plain(row['title'] or 'no headline')}", style="not bold")


def _fact(out: Console, row: dict[str, Any], group: str) -> Text:
    """One fact: what it is and what became of it, its fields, and the words that prove it, beside or below them.

    Laid out by hand: rich's tables take some ten times as long, and fill every line with spaces up to the full width.
    """
    named = row["fact_type"] if group == "article" else f"{row['article_id']} · {row['published'] or 'no date'}"
    head = Text.assemble("  ", (plain(named), "bold cyan"), "  ", (row["verdict"], _COLOURS[row["verdict"]]))
    inner = max(out.width - _INDENT, _LEAST)
    if out.width < _SIDE_BY_SIDE:
        below = [*_fields(out, row, inner), *_where(out, row, inner)]
        lines = [_BLANK + line for line in below]
    else:
        left = inner * 6 // 11
        fields, quotes = _fields(out, row, left - _GAP), _where(out, row, inner - left)
        lines = []
        for field, quote in itertools.zip_longest(fields, quotes, fillvalue=Text("")):
            lines.append(_BLANK + field)
            if quote:
                lines[-1].append(" " * (left - field.cell_len)).append_text(quote)
    return Text("\n").join([Text(""), head, *lines])


def _fields(out: Console, row: dict[str, Any], width: int) -> list[Text]:
    lines: list[Text] = []

    def add(name: str, value: Text, style: str = "dim") -> None:
        indent = max(_NAME_WIDTH, len(name)) + 2
        for place, line in enumerate(_wrapped(out, value, max(width - indent, _LEAST))):
            lines.append(Text(name.ljust(indent) if place == 0 else " " * indent, style=style if place == 0 else "") + line)

    if row["verdict"] == "quarantined":
        add("", Text("not believed; the model said", style="red"))
    for name, value in values(row):
        for place, line in enumerate(value.split("\n")):
            add("" if place else plain(name), Text(plain(line)))
    for issue in row["issues"]:
        if issue["severity"] == "error":
            add("wrong", _flag(issue), "red")
        elif not _is_quiet(issue):
            add("flagged", _flag(issue), "yellow")
    if row["verdict"] != "quarantined":
        for issue in (issue for attempt in row["tries"][:1] for issue in attempt["issues"] if issue["severity"] == "error"):
            add("at first", _flag(issue), "yellow")
    elif row["tries"]:
        add("", Text(f"{counted(len(row['tries']), 'earlier version')} failed as well", style="dim"))
    return lines


def _is_quiet(issue: Mapping[str, str]) -> bool:
    return issue["severity"] == "warning" and issue["code"] in _QUIET


def _flag(issue: dict[str, str]) -> Text:
    return Text.assemble((f"{plain(issue['path'] or 'the record')}: ", "dim"), plain(issue["message"]))


def _where(out: Console, row: dict[str, Any], width: int) -> list[Text]:
    if not row["evidence"]:
        return [Text("none of its quotes is in the article", style="red")]
    return [
        line
        for quote in row["evidence"]
        for line in _wrapped(
            out, Text.assemble(f"“{cut(plain(quote['quote']), _QUOTE_CHARS)}”", (f" [{quote['start']},{quote['end']})", "dim")), width
        )
    ]


def _wrapped(out: Console, text: Text, width: int) -> Iterable[Text]:
    if text.cell_len <= width:
        return [text]
    lines = text.wrap(out, width)
    for line in lines:
        line.rstrip()
    return lines


def _short(value: Any, countries: dict[str, str], path: str) -> str:
    if isinstance(value, list):
        told = [_short(item, countries, f"{path}[{index}]") for index, item in enumerate(value)]
        return (", " if all(_is_name(item) for item in value) else "\n").join(told)
    if not isinstance(value, dict):
        return str(value)
    if "as_written" in value:
        reading = _reading(value)
        return str(value["as_written"]) if reading == value["as_written"] else f"{value['as_written']} = {reading}"
    if "kind" in value and "name" in value:
        code = f" ({countries[path]})" if path in countries else ""
        behalf = f" for {value['on_behalf_of']}" if value.get("on_behalf_of") else ""
        return f"{value['name'] or value['kind']}{behalf}{code}"
    inner = (f"{name} {_short(item, countries, f'{path}.{name}')}" for name, item in value.items() if item not in _EMPTY)
    return "; ".join(inner)


def _is_name(item: Any) -> bool:
    """Whether a list of such items reads well on one line: parties and single words, but no sentences and no records."""
    return " " not in item if isinstance(item, str) else not isinstance(item, dict) or "kind" in item


def _reading(value: dict[str, Any]) -> str:
    low, high = ("minimum", "maximum") if "minimum" in value else ("earliest", "latest")
    first, last = (grouped(value.get(bound)) for bound in (low, high))
    said = first if first == last else f"{first} to {last}"
    if value.get(low) is None and value.get(high) is None:
        said = "open"
    return " ".join(part for part in ("about" if value.get("approximate") else "", said, value.get("currency") or "") if part)


def grouped(bound: Any) -> str:
    """`10000000` as `10,000,000`; dates and what else it may be as it is; `…` for an open end."""
    if bound is None:
        return "…"
    try:
        return f"{int(bound):,}" if float(bound) == int(float(bound)) else str(bound)
    except (TypeError, ValueError, OverflowError):
        return str(bound)


def plain(text: str) -> str:
    """A text on one line without signs that steer a terminal or turn the direction of writing."""
    line = " ".join(text.split())
    if line.isprintable():  # nearly always: Python calls no sign printable that is meant here
        return line
    return "".join(sign if unicodedata.category(sign) not in ("Cc", "Cs") and sign not in _BIDI else "\ufffd" for sign in line)


def counted(count: int, one: str, more: str = "") -> str:
    """`1 article`, `2,000 articles`; `more` where the plural is not `one` with an s."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def cut(text: str, length: int) -> str:
    """At most `length` code points of a text."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def as_json(out: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Each row as one line of JSON, for `jq` and other programs."""
    for row in out:
        yield json.dumps(row, ensure_ascii=False)
