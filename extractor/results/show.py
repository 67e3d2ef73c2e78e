"""Facts and runs as people read them: the table of `show`, the summary of `status`.

In: a ledger, read-only. Out: text on a rich console. Floor: results.
Before changing it: it works from the ledger's rows alone, so that facts of any type can be shown without their class.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from extractor.evidence.merge import HOW_TOLD

_EMPTY: tuple[Any, ...] = (None, [], "", "unspecified")
_PIPED_WIDTH = 160  # columns where there is no terminal: `less -S` and files take long lines, and fewer are broken
_NAME_WIDTH = 20  # negotiation_proposal, the longest of the shipped names
_QUOTE_CHARS = 240
_RAW_CHARS = 600
_QUIET = ("name_outside_evidence", "name_in_other_words", "assumed")  # in --json and the review; here they would drown the rest


def console(*, to_terminal: bool) -> Console:
    """Where tables go: as wide as the terminal; in a pipe or file as wide as COLUMNS says, else of a fixed width, without colours."""
    if to_terminal:
        return Console()
    return Console(width=shutil.get_terminal_size((_PIPED_WIDTH, 0)).columns, no_color=True, highlight=False)


def facts(out: Console, rows: Iterable[dict[str, Any]], *, group: str = "article") -> int:
    """Print the facts as one table for each article or type; gives how many there were.

    Args:
        out: Where to.
        rows: From `Ledger.rows`, in article order.
        group: `article` or `type`.
    """
    key = "article_id" if group == "article" else "fact_type"
    ordered = rows if group == "article" else sorted(rows, key=lambda row: row["fact_type"])
    count = 0
    table: Table | None = None
    current: object = None
    for row in ordered:
        if row[key] != current:
            if table is not None:
                out.print(table)
            current = row[key]
            table = _table(row, group)
        if table is not None:
            table.add_row(_kind(row, group), _what(row), _where(row))
        count += 1
    if table is not None:
        out.print(table)
    return count


def status(out: Console, summary: dict[str, Any]) -> None:
    """Print what a run folder holds: articles, facts, failures with their reasons, tokens and cost."""
    articles = summary["articles"]
    counted = [f"{count} {name}" for name, count in articles.items()]
    out.print(
        f"[bold]Articles[/]  {', '.join(counted) or 'none yet'}" + (f", {summary['absent']} no longer there" if summary["absent"] else "")
    )
    table = Table(box=None, pad_edge=False)
    for title, side in (("Facts", "left"), ("kept", "right"), ("repaired", "right"), ("quarantined", "right"), ("merged", "right")):
        table.add_column(title, justify=side)  # type: ignore[arg-type]
    by_type: dict[str, dict[str, int]] = {}
    for entry in summary["facts"]:
        by_type.setdefault(entry["fact_type"], {})[entry["verdict"]] = entry["count"]
    for name, verdicts in by_type.items():
        table.add_row(name, *(str(verdicts.get(verdict, 0)) for verdict in ("kept", "repaired", "quarantined", "merged")))
    out.print(table)
    cost = "unpriced" if summary["cost_usd"] is None else f"${summary['cost_usd']:.4f}"
    unreported = f", {summary['attempts_without_usage']} without reported usage" if summary["attempts_without_usage"] else ""
    out.print(
        f"[bold]Requests[/]  {summary['attempts']}{unreported}: {summary['input_tokens']:,} tokens in "
        f"({summary['cached_tokens']:,} cached), {summary['output_tokens']:,} out, {cost}"
    )
    for failure in summary["failures"]:
        out.print(f"[bold red]{failure['status']}[/] {escape(failure['id'])}: {escape(failure['reason'] or '')}")
    for path, reason in summary["unreadable"].items():
        out.print(f"[bold red]unreadable[/] {escape(path)}: {escape(reason)}")
    if "wrong" in summary:
        out.print(
            f"[bold]Verified[/]  {len(summary['wrong'])} things do not hold" if summary["wrong"] else "[bold]Verified[/]  all of it holds"
        )
        for line in summary["wrong"]:
            out.print(f"  {escape(line)}")
    last = summary["last_run"]
    if last:
        ended = f"ended with exit code {last['exit_code']}" if last["ended_at"] else "did not end (or is running)"
        model = last["manifest"]["settings"]["model"]
        if last["stopped"]:
            out.print(f"[bold red]stopped[/] {escape(last['stopped'])}")
        out.print(
            f"[bold]Last run[/]  number {last['number']}, started {last['started_at']}, {ended}, model {escape(model)}", highlight=False
        )


def values(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each stated field of a fact with its value in a few words, such as `("quantity", "two = 2")`; of any shape when quarantined."""
    value = row["value"] if "value" in row else _parsed(row["raw"])
    if not isinstance(value, dict):
        yield "", _cut(str(value), _RAW_CHARS)
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


def _table(row: dict[str, Any], group: str) -> Table:
    title = f"{row['article_id']} · {row['published'] or 'no date'} · {row['title'] or ''}" if group == "article" else row["fact_type"]
    table = Table(title=escape(title), title_justify="left", title_style="bold", expand=True, show_lines=True)
    table.add_column("fact" if group == "article" else "article", overflow="fold", min_width=_NAME_WIDTH)
    table.add_column("what it says", ratio=1)
    table.add_column("where it says so [start, end)", ratio=1)
    return table


def _kind(row: dict[str, Any], group: str) -> Group:
    colour = {"kept": "green", "repaired": "yellow", "quarantined": "red", "merged": "dim"}[row["verdict"]]
    return Group(Text(row["fact_type"] if group == "article" else row["article_id"]), Text(row["verdict"], style=colour))


def _what(row: dict[str, Any]) -> Group:
    stated = Text("")
    if row["verdict"] == "quarantined":
        stated.append("the model said ", style="bold")
    for place, (name, value) in enumerate(values(row)):
        stated.append(" · " if place else "")
        stated.append(f"{name} ", style="dim").append(value)
    flags = [issue for issue in row["issues"] if issue["code"] not in _QUIET]
    lines = [stated, *(_flag("wrong" if issue["severity"] == "error" else "flagged", issue) for issue in flags)]
    if row["verdict"] == "quarantined":
        if row["tries"]:
            lines.append(Text(f"{len(row['tries'])} earlier version(s) failed as well", style="dim"))
    else:
        for attempt in row["tries"][:1]:
            lines += [_flag("at first", issue) for issue in attempt["issues"] if issue["severity"] == "error"]
    return Group(*lines)


def _flag(when: str, issue: dict[str, str]) -> Text:
    return Text.assemble((f"{when}, {issue['path'] or 'the record'}: ", "yellow"), issue["message"])


def _where(row: dict[str, Any]) -> Group:
    if not row["evidence"]:
        return Group(Text("none of its quotes is in the article", style="red"))
    return Group(
        *(
            Text.assemble((f"[{quote['start']}, {quote['end']}) ", "cyan"), f"“{_cut(' '.join(quote['quote'].split()), _QUOTE_CHARS)}”")
            for quote in row["evidence"]
        )
    )


def _short(value: Any, countries: dict[str, str], path: str) -> str:
    if isinstance(value, list):
        return ", ".join(_short(item, countries, f"{path}[{index}]") for index, item in enumerate(value))
    if not isinstance(value, dict):
        return str(value)
    if "as_written" in value:
        return f"{value['as_written']} = {_reading(value)}"
    if "kind" in value and "name" in value:
        code = f" ({countries[path]})" if path in countries else ""
        behalf = f" for {value['on_behalf_of']}" if value.get("on_behalf_of") else ""
        return f"{value['name'] or value['kind']}{behalf}{code}"
    inner = (f"{name} {_short(item, countries, f'{path}.{name}')}" for name, item in value.items() if item not in _EMPTY)
    return "; ".join(inner)


def _reading(value: dict[str, Any]) -> str:
    low, high = ("minimum", "maximum") if "minimum" in value else ("earliest", "latest")
    first, last = (_grouped(value.get(bound)) for bound in (low, high))
    if first is None and last is None:
        said = "open"
    elif first == last:
        said = str(first)
    else:
        said = f"{first if first is not None else '…'} to {last if last is not None else '…'}"
    return " ".join(part for part in ("about" if value.get("approximate") else "", said, value.get("currency") or "") if part)


def _grouped(bound: Any) -> Any:
    """`10000000` as `10,000,000`; dates and None as they are."""
    try:
        return f"{int(bound):,}" if float(bound) == int(float(bound)) else bound
    except (TypeError, ValueError):
        return bound


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def as_json(out: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Each row as one line of JSON, for `jq` and other programs."""
    for row in out:
        yield json.dumps(row, ensure_ascii=False)
