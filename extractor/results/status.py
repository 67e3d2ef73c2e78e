"""What a run folder holds, as people read it: `extractor status`.

In: a ledger's summary and failures. Out: text on a rich console. Floor: results.
Before changing it: it must stay a page when ten thousand articles failed: causes are counted, and a few of each are named.
"""

import itertools
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from extractor.results.show import counted, cut, plain

_EXAMPLES = 3
"""Articles named of each cause, unless all are asked for."""
_REASON_CHARS = 300
_EXIT_CODES = {
    0: "all done",
    3: "some articles failed, are partial or could not be read",
    4: "stopped, resumable",
    5: "cassettes lacked some requests",
    130: "interrupted, resumable",
    143: "interrupted, resumable",
}
_STOPPED, _MISSES = 4, 5  # runs/run.py would cost its imports
_VERDICTS = ("kept", "repaired", "quarantined", "merged")
_FLAGS = {
    "fact_types": "--schema",
    "out": "--out",
    "published": "--published",
    "record": "--record",
    "replay": "--replay",
    "workers": "--workers",
    "batch": "--batch",
}
_SETTING_FLAGS = {
    "model": "--model",
    "base_url": "--base-url",
    "local": "--local",
    "local_context": "--context",
    "local_threads": "--threads",
    "concurrency": "--concurrency",
    "timeout_s": "--timeout",
    "repairs": "--repairs",
    "rpm": "--rpm",
    "tpm": "--tpm",
    "max_cost_usd": "--max-cost",
    "price_usd": "--price",
}


def status(
    out: Console, summary: Mapping[str, Any], failures: Iterable[Mapping[str, Any]], *, folder: str, everything: bool = False
) -> None:
    """Print articles, facts, requests and their cost, failures by cause with their reasons, the last run, and what to do next.

    Args:
        out: Where to.
        summary: From `Ledger.summary`, with `wrong` from `Ledger.verify` where that was asked for.
        failures: From `Ledger.failures`: those of one cause together.
        folder: The run folder, as the user named it.
        everything: Name every failure, not a few of each cause.
    """
    states = [f"{count:,} {name}" for name, count in summary["articles"].items()]
    gone = f", {summary['absent']:,} no longer there" if summary["absent"] else ""
    out.print(f"[bold]Articles[/]  {', '.join(states) or 'none yet'}{gone}", highlight=False)
    _facts(out, summary)
    _requests(out, summary)
    more = f"extractor status {shlex.quote(folder)} --all"
    for (state, cause), group in itertools.groupby(failures, key=lambda one: (one["status"], one["cause"])):
        named = ((one["id"], (one["reason"] or "").removeprefix(f"{cause}: ")) for one in group)
        _group(out, f"{state}, {cause or 'of another cause'}", named, more=None if everything else more)
    _group(out, "unreadable", iter(summary["unreadable"].items()), more=None if everything else more)
    if "wrong" in summary:
        wrong = summary["wrong"]
        out.print(
            f"[bold]Verified[/]  {counted(len(wrong), 'thing does not hold', 'things do not hold') if wrong else 'all of it holds'}",
            highlight=False,
        )
        for line in wrong if everything else wrong[: 10 * _EXAMPLES]:
            out.print(f"  {escape(line)}", highlight=False)
        if len(wrong) > 10 * _EXAMPLES and not everything:
            out.print(f"  and {len(wrong) - 10 * _EXAMPLES:,} more: {escape(more)} --verify", highlight=False)
    if last := summary["last_run"]:
        _last_run(out, last)
        _next(out, summary, last, folder)


def _facts(out: Console, summary: Mapping[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("Facts")
    for verdict in _VERDICTS:
        table.add_column(verdict, justify="right")
    by_type: dict[str, dict[str, int]] = {}
    for entry in summary["facts"]:
        by_type.setdefault(entry["fact_type"], {})[entry["verdict"]] = entry["count"]
    for name, verdicts in by_type.items():
        table.add_row(name, *(f"{verdicts.get(verdict, 0):,}" for verdict in _VERDICTS))
    out.print(table)
    if reasons := summary["quarantined_for"]:
        told = ", ".join(f"{code} {count:,}" for code, count in reasons.items())
        out.print(f"[bold]Quarantined for[/]  {told}   (facts by reason; one may have several)", highlight=False)


def _requests(out: Console, summary: Mapping[str, Any]) -> None:
    cost = "unpriced (--price gives a price)" if summary["cost_usd"] is None else f"${summary['cost_usd']:.4f}"
    silent = summary["attempts_without_usage"]
    unreported = f", {silent:,} without reported usage, so the sums are lower bounds" if silent else ""
    out.print(
        f"[bold]Requests[/]  {summary['attempts']:,}{unreported}: {summary['input_tokens']:,} tokens in "
        f"({summary['cached_tokens']:,} cached), {summary['output_tokens']:,} out, {cost}",
        highlight=False,
    )
    outcomes = summary["attempt_outcomes"]
    if outcomes.keys() - {"ok"}:
        out.print(f"          {', '.join(f'{name} {count:,}' for name, count in outcomes.items())}", highlight=False)


def _group(out: Console, title: str, named: Iterator[tuple[str, str]], *, more: str | None) -> None:
    """One cause: a few of its articles with their reasons, all of them where `more` is None; nothing when there are none."""
    shown = list(named if more is None else itertools.islice(named, _EXAMPLES))
    left = sum(1 for _ in named)
    if not shown:
        return
    out.print(f"[bold red]{escape(title)}[/]  {len(shown) + left:,}", highlight=False)
    for name, reason in shown:
        said = plain(reason) if more is None else cut(plain(reason), _REASON_CHARS)
        out.print(f"  {escape(plain(name))}: {escape(said)}", highlight=False, soft_wrap=more is None)
    if left:
        out.print(f"  and {left:,} more: {escape(more or '')}", highlight=False)


def _last_run(out: Console, last: Mapping[str, Any]) -> None:
    manifest = last["manifest"]
    settings, versions = manifest["settings"], manifest.get("versions", {})
    began = datetime.fromisoformat(last["started_at"])
    if last["ended_at"]:
        took = datetime.fromisoformat(last["ended_at"]) - began
        ended = f"took {_lasting(took)}, exit code {last['exit_code']} ({_EXIT_CODES.get(last['exit_code'], 'unknown')})"
    else:
        ended = "did not end: it was killed, or is running"
    if last["stopped"]:
        out.print(f"[bold red]Stopped[/]  {escape(last['stopped'])}", highlight=False)
    out.print(f"[bold]Last run[/]  number {last['number']}, {began:%Y-%m-%d %H:%M} UTC, {ended}", highlight=False)
    given = [
        f"{name} {settings[name]}"
        for name in manifest.get("given", ())
        if name not in ("model", "base_url") and settings.get(name) is not None
    ]
    replayed = manifest.get("options", {}).get("replay")
    asked = f"model {settings['model']}" + (f", answers replayed from {replayed}" if replayed else f" at {settings['base_url']}")
    out.print(f"          {escape(', '.join([asked, *given]))}", highlight=False)
    made = [f"{name} {mark}" for name, mark in versions.items()] + [f"{name} {mark}" for name, mark in manifest.get("prompts", {}).items()]
    if made:
        out.print(f"          {escape(', '.join(made))}", highlight=False)


def _lasting(took: timedelta) -> str:
    """`4.2 s` under a minute, `1:02:03` from then on."""
    seconds = took.total_seconds()
    return f"{seconds:.1f} s" if round(seconds, 1) < 60 else str(timedelta(seconds=round(seconds)))  # noqa: PLR2004 - a minute


def _next(out: Console, summary: Mapping[str, Any], last: Mapping[str, Any], folder: str) -> None:
    articles, facts = summary["articles"], summary["facts"]
    incomplete = articles.get("failed", 0) + articles.get("partial", 0)
    again = _command(last["manifest"])
    lines = []
    has_misses = last["exit_code"] == _MISSES
    if again and (last["exit_code"] is None or last["exit_code"] >= _STOPPED):
        retried = " --retry-failed" * bool(last["manifest"]["options"].get("retry_failed"))
        lines.append(
            f"{again}{retried}   # {'asks again what the cassettes lacked, once they have it' if has_misses else 'goes on where it ended'}"
        )
    if again and incomplete and not has_misses:
        lines.append(f"{again} --retry-failed   # asks again what failed or is partial: {counted(incomplete, 'article')}")
    if any(entry["verdict"] == "quarantined" for entry in facts):
        lines.append(f"extractor show {shlex.quote(folder)} --verdict quarantined   # what was not believed, and why")
    if any(entry["verdict"] in ("kept", "repaired") for entry in facts):
        lines.append(f"extractor review {shlex.quote(folder)}   # the facts beside their texts")
    for place, line in enumerate(lines):
        out.print(f"{'[bold]Next[/]      ' if place == 0 else '          '}{escape(line)}", highlight=False, soft_wrap=True)


def _command(manifest: Mapping[str, Any]) -> str | None:
    """The last run's own command, as far as the ledger knows it; None for a run of the library.

    Who is asked, how, and what it may cost are in it: without them the articles would go to another model, or its price be no matter.
    """
    options = manifest.get("options") or {}
    if not options.get("paths"):
        return None
    engine = ["--engine", options["engine"]] if options.get("engine", "asyncio") != "asyncio" else []
    settings = {name: manifest["settings"].get(name) for name in manifest.get("given", ())}
    if settings.get("local"):
        settings.pop("model", None)  # it is the file
    if price := settings.get("price_usd"):
        settings["price_usd"] = ",".join(f"{dollars:g}" for dollars in price)
    asked = [] if options.get("replay") else _worded(settings, _SETTING_FLAGS)
    return shlex.join(["extractor", "run", *options["paths"], *_worded(options, _FLAGS), *engine, *asked])


def _worded(values: Mapping[str, Any], flags: Mapping[str, str]) -> list[str]:
    """Values as arguments of the command; what is unset or off has none."""
    words: list[str] = []
    for name, flag in flags.items():
        value = values.get(name)
        for one in value if isinstance(value, list) else [] if value is None or value is False else [value]:
            words += [flag] if one is True else [flag, str(one)]
    return words
