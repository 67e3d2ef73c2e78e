"""What a run would ask and cost, before it asks: for `--dry-run`, and for the word of warning when something has changed.

In: articles, a session, a ledger. Out: `Estimate`, or a sentence. Floor: runs.
Before changing it: repairs are not in the estimate, since nobody knows them; the sentence says so.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from extractor.llm.prices import price_of
from extractor.records import Article, Record, Usage
from extractor.runs.flow import flow
from extractor.runs.ledger import Ledger
from extractor.runs.limits import FIRST_OUTPUT_TOKENS, estimate_body
from extractor.runs.question import question_key
from extractor.runs.run import Unreadable
from extractor.runs.session import Session

UNREADABLE_NAMED = 5
"""Inputs that cannot be read that an estimate names at most."""


class Estimate(Record):
    """What a run would do."""

    articles: int
    """Articles that would be asked."""
    unchanged: int
    """Articles that are done and would not be asked."""
    unreadable: int
    """Inputs that cannot be read."""
    unreadable_named: dict[str, str]
    """Why, by input: the first few of them."""
    calls: int
    """Requests for these articles, one for each part of a long one; repairs come on top."""
    input_tokens: int
    """About how many tokens these requests have."""
    output_tokens: int
    """About how many tokens the answers have: the run folder's own mean, or about three facts for each request."""
    cost_usd: float | None
    """US dollars for both; None when the model's price is not known."""
    over_max_cost_usd: float | None = None
    """The limit on cost that a run would reach before its end, in US dollars; None when it would not, as far as its cost is known."""


def estimate(articles: Iterable[Article | Unreadable], session: Session, *, limit: int | None = None) -> Estimate:
    """What a run over these articles would ask; nothing is sent.

    Args:
        articles: As a run would read them.
        session: As a run would ask.
        limit: Articles to ask at most; None for all.
    """
    asked = unchanged = unreadable = calls = tokens = 0
    named: dict[str, str] = {}
    for article in articles:
        if isinstance(article, Unreadable):
            unreadable += 1
            if len(named) < UNREADABLE_NAMED:
                named[article.path] = article.reason
        elif session.done([article]):
            unchanged += 1
        elif limit is None or asked < limit:
            asked += 1
            for call in next(flow(article, session.plan)):
                calls += 1
                tokens += estimate_body(session.client.body(call))
    spent = session.memory.ledger.summary() if session.memory.ledger else None
    reported = spent["attempts"] - spent["attempts_without_usage"] if spent else 0
    answer = spent["output_tokens"] / reported if spent and reported else FIRST_OUTPUT_TOKENS
    output = round(calls * answer)
    price = price_of(session.settings)
    cost = price.cost_usd(Usage(input_tokens=tokens, output_tokens=output)) if price else None
    return Estimate(
        articles=asked,
        unchanged=unchanged,
        unreadable=unreadable,
        unreadable_named=named,
        calls=calls,
        input_tokens=tokens,
        output_tokens=output,
        cost_usd=cost,
    )


def what_changed(ledger: Ledger, session: Session, manifest: dict[str, Any]) -> str | None:
    """What is worth saying when the folder's articles will be asked again: why, about how much, and which facts leave; else None.

    Args:
        ledger: Of the run folder, before this run is begun in it.
        session: As this run will ask.
        manifest: Of this run.
    """
    summary = ledger.summary()
    last = summary["last_run"]
    done = sum(summary["articles"].values())
    if last is None or not done:
        return None
    changed = _changes(last["manifest"], manifest)
    if not changed:
        return None
    said = f"Since the last run {', '.join(changed)} changed: up to {done:,} article{'s' * (done != 1)} of this folder will be asked again"
    if manifest["options"].get("replay"):
        said += ", out of the cassettes, which costs nothing."
    else:
        asked = _asked(manifest)
        remembered = not session.memory.ask_anew and any(_asked(run) == asked for run in ledger.manifests())
        said += (
            f"{' unless their answers are remembered, at most' * remembered or ','} {_cost(summary, done, session)}, repairs not counted."
        )
    leaving: Counter[str] = Counter()
    for entry in summary["facts"]:
        if entry["verdict"] in ("kept", "repaired") and entry["fact_type"] not in manifest["schemas"]:
            leaving[entry["fact_type"]] += entry["count"]
    if leaving:
        facts = ", ".join(f"{name} {count:,}" for name, count in leaving.items())
        said += (
            f" Facts of types that are not asked now ({facts}) leave show, status and export with these articles; "
            "--out names a folder of its own for other types."
        )
    return said


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of a manifest that matters to what is asked is not as it was, each with what it was and is."""
    changed = [f"the {name} prompt" for name in now["prompts"] if now["prompts"][name] != before["prompts"].get(name)]
    changed += [
        f"{name}'s schema" for name in now["schemas"] if name in before["schemas"] and now["schemas"][name] != before["schemas"][name]
    ]
    if set(now["schemas"]) != set(before["schemas"]):
        changed.append(f"the fact types ({', '.join(before['schemas'])} before, {', '.join(now['schemas'])} now)")
    changed += [
        f"{name} ({before['settings'].get(name)!r} before, {now['settings'][name]!r} now)"
        for name in ("model", "temperature", "max_output_tokens", "part_chars")
        if now["settings"][name] != before["settings"].get(name)
    ]
    was, published = (manifest["options"].get("published") or "not given" for manifest in (before, now))
    if was != published:
        changed.append(f"--published ({was} before, {published} now)")
    return changed


def _asked(manifest: dict[str, Any]) -> tuple[object, ...]:
    """What a run asked, and whom: replies to the same are found again."""
    settings = manifest["settings"]
    question = question_key(manifest["schemas"], manifest["prompts"], settings)
    return question, settings["part_chars"], settings["base_url"], manifest["options"].get("published")


def _cost(summary: dict[str, Any], done: int, session: Session) -> str:
    """Tokens and dollars for asking `done` articles again, as this folder's requests were on average."""
    share = min(1.0, done / max(1, summary["attempts"]))
    used = Usage(input_tokens=round(summary["input_tokens"] * share), output_tokens=round(summary["output_tokens"] * share))
    price = price_of(session.settings)
    cost = f"about ${price.cost_usd(used):.2f}" if price else "at an unknown price"
    return f"about {used.input_tokens + used.output_tokens:,} tokens, {cost}"
