"""A run as one HTML page to review it in: articles with their evidence, facts beside them, decisions that come back as gold.

In: a ledger. Out: one file that fetches nothing and opens from disk. Floor: results.
Before changing it: every text on the page comes from articles and models. It travels as JSON and is shown as text nodes; the page's own
policy forbids the browser to run or fetch anything but the one script and style sheet that are hashed here.
"""

import base64
import hashlib
import json
import math
import os
import re
import secrets
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, get_args

from extractor.errors import LedgerError, UsageError
from extractor.fingerprint import fingerprint
from extractor.records import FactVerdict
from extractor.results.show import counted
from extractor.runs.ledger import Ledger

_SUFFIXES = (".html", ".htm")
_SCRIPTS = ("1_read.js", "2_facts.js", "3_filter.js", "4_text.js", "5_cards.js", "6_form.js", "7_overview.js", "8_page.js")
_EXACT = "\0number"  # 1_read.js knows it
_SAFE_INTEGER = 2**53 - 1  # beyond it JavaScript's numbers skip integers
_PLAIN_FLOATS = (1e-6, 1e21)  # in between, JavaScript writes a float as Python does: without an exponent


def review(ledger: Ledger, path: Path) -> Counter[str]:
    """Write the review page of a run; an existing file is replaced once the new one is whole.

    The same ledger gives the same bytes. Decisions are not in the file: the browser keeps them by article and fact, so that a page made
    anew after the run went on has them again.

    Args:
        ledger: Of the run; opened for looking is enough.
        path: Where to; it ends in `.html`, and its folder must exist.

    Returns:
        How many rows are on the page, by verdict: every one of the ledger's.

    Raises:
        UsageError: Another suffix, a folder, or no such folder.
        LedgerError: The file cannot be written (disk full, no permission), or the run folder cannot be read.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"The review is an HTML page: {str(path)!r} must end in .html.")
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder: name a file.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{str(path)!r} cannot be written: there is no folder {str(path.absolute().parent)!r}. Make it first.")
    with ledger.snapshot():  # types, articles and facts of one moment, whatever a run adds meanwhile
        data = page_data(ledger.fact_types(), ledger.articles(), ledger.rows(get_args(FactVerdict)), ledger.summary())
    _write(path.resolve(), page(data))
    return Counter(fact["verdict"] for fact in data["rows"])


def told(counts: Mapping[str, int]) -> str:
    """What is on a page, by verdict: `56 facts and 5 more to look at (3 quarantined, 2 merged)`."""
    facts = counted(counts.get("kept", 0) + counts.get("repaired", 0), "fact")
    others = {verdict: counts[verdict] for verdict in ("quarantined", "merged") if counts.get(verdict)}
    said = ", ".join(f"{count:,} {verdict}" for verdict, count in others.items())
    return f"{facts} and {sum(others.values()):,} more to look at ({said})" if others else facts


def page_data(
    types: Iterable[Mapping[str, Any]], articles: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]], summary: Mapping[str, Any]
) -> dict[str, Any]:
    """What is embedded in the page, without what every row of an article repeats.

    Args:
        types: As `Ledger.fact_types` gives them.
        articles: As `Ledger.articles` gives them.
        rows: As `Ledger.rows` gives them, of every verdict.
        summary: As `Ledger.summary` gives it.
    """
    told = [_article(article) for article in articles]
    place = {article["id"]: index for index, article in enumerate(told)}
    made: dict[tuple[str | None, ...], int] = {}
    facts = [_fact(row, place[row["article_id"]], made) for row in rows]
    schemas: dict[str, dict[str, Any]] = {}
    for entry in types:
        schemas.setdefault(entry["name"], {})[entry["fingerprint"]] = entry["json_schema"]
    codes = {code for fact in facts for code in fact.get("countries", {}).values()}
    return {
        "about": _about(summary, [*made]),
        "notes": list(_notes(summary)),
        "types": [{"name": name, "schemas": found} for name, found in schemas.items()],
        "countries": {code: name for code, name in _country_names().items() if code in codes},
        "articles": told,
        "made": [list(one) for one in made],
        "rows": facts,
    }


def page(data: Mapping[str, Any]) -> str:
    """The whole page for what `page_data` gives."""
    source = _source()
    parts = {"POLICY": source.policy, "STYLE": source.style, "SCRIPT": source.script, "DATA": embedded(data)}
    return re.sub(r"@@([A-Z]+)@@", lambda slot: parts[slot[1]], source.frame)


def embedded(data: object) -> str:
    """Data as JSON that can stand in a script element: nothing in it ends the element, opens a comment or breaks a line of script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x7f", "\\u007f")
    # a lone surrogate can stand in a JSON text as an escape alone
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class _Source(NamedTuple):
    """The page without its data."""

    frame: str
    style: str
    script: str
    policy: str


@cache
def _source() -> _Source:
    folder = files("extractor.results").joinpath("review_page")
    frame, style = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "page.css"))
    code = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{code}}})();\n'
    # trusted types: where a browser has them, even our own script could not turn a text into markup
    policy = (
        f"default-src 'none'; script-src {_hashed(script)}; style-src {_hashed(style)}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return _Source(frame, style, script, policy)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _article(article: Mapping[str, Any]) -> dict[str, Any]:
    record = article["record"]
    names = ("title", "published", "source", "url", "language")
    return {
        "id": article["id"],
        "key": fingerprint([article["id"], record["text"]]),
        "status": article["status"],
        "reason": article["reason"],
        "present": article["present"],
        **{name: record.get(name) for name in names},
        "text": record["text"],
    }


def _fact(row: Mapping[str, Any], article: int, made: dict[tuple[str | None, ...], int]) -> dict[str, Any]:
    fact: dict[str, Any] = {"id": row["id"], "type": row["fact_type"], "verdict": row["verdict"], "article": article}
    if "value" in row:
        fact |= {"value": _exact(row["value"]), "spans": row["spans"], "countries": row["countries"]}
    else:
        fact["raw"] = row["raw"]
        said = _said(row["raw"])
        if said is not None:
            fact["said"] = said
    fact["evidence"] = [[quote["start"], quote["end"]] for quote in row["evidence"]]  # the words stand in the article
    fact["issues"] = row["issues"]
    fact["tries"] = row["tries"]
    fact["made"] = made.setdefault((row["model"], row["prompt"], row["schema"]), len(made))
    return fact


def _said(raw: str) -> Any:
    """The object that a quarantined item's words are; None for words that are none."""
    try:
        said = json.loads(raw)
        return _exact(said) if isinstance(said, dict) else None
    except (ValueError, RecursionError):
        return None


def _exact(value: Any) -> Any:
    """A JSON value in which numbers that JavaScript would write otherwise are kept digit by digit."""
    if isinstance(value, dict):
        return {name: _exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    if isinstance(value, float):
        low, high = _PLAIN_FLOATS
        is_plain = math.isfinite(value) and not value.is_integer() and low <= abs(value) < high and "e" not in repr(value)
        return value if is_plain else {_EXACT: json.dumps(value)}
    if isinstance(value, int) and abs(value) > _SAFE_INTEGER:
        return {_EXACT: str(value)}
    return value


def _about(summary: Mapping[str, Any], made: Sequence[tuple[str | None, ...]]) -> str:
    """One line: what made these facts, and when."""
    models, prompts = (sorted({one[place] or "" for one in made}) for place in (0, 1))
    parts = [f"model {', '.join(models)}", ", ".join(prompt.partition(" ")[0] for prompt in prompts)] if made else []
    if last := summary["last_run"]:
        parts.append(f"run of {last['started_at'][:16].replace('T', ' ')} UTC")
    return " · ".join(parts)


def _notes(summary: Mapping[str, Any]) -> Iterable[str]:
    if unreadable := summary["unreadable"]:
        yield f"Not read, so not on this page ({len(unreadable)}):\n" + "\n".join(f"{path}: {why}" for path, why in unreadable.items())


@cache
def _country_names() -> Mapping[str, str]:
    """The first name of every state, by code."""
    states = tomllib.loads(files("extractor.facts").joinpath("countries.toml").read_text(encoding="utf-8"))["states"]
    return {code: state["names"][0] for code, state in states.items()}


def _write(target: Path, text: str) -> None:
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with fresh.open("xb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    except OSError as error:
        before = "What it held before is untouched" if target.exists() else "Nothing was left behind"
        raise LedgerError(f"{str(target)!r} cannot be written: {error}. {before}; free the disk, or name another file.") from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
