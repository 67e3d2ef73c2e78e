"""What a run would ask and cost, before it asks: for `--dry-run`, and for the word of warning when something has changed.

In: articles, a session, a ledger. Out: `Estimate`, or a sentence. Floor: runs.
Before changing it: repairs are not in the estimate, since nobody knows them; the sentence says so.
"""

from collections.abc import Iterable
from typing import Any

from extractor.llm.prices import price_of
from extractor.records import Article, Record, Usage
from extractor.runs.flow import flow
from extractor.runs.ledger import Ledger
from extractor.runs.limits import FIRST_OUTPUT_TOKENS, estimate_body
from extractor.runs.run import Unreadable
from extractor.runs.session import Session


class Estimate(Record):
    """What a run would do."""

    articles: int
    """Articles that would be asked."""
    unchanged: int
    """Articles that are done and would not be asked."""
    unreadable: int
    """Inputs that cannot be read."""
    calls: int
    """Requests for these articles, one for each part of a long one; repairs come on top."""
    input_tokens: int
    """About how many tokens these requests have."""
    output_tokens: int
    """About how many tokens the answers have: the run folder's own mean, or about three facts for each request."""
    cost_usd: float | None
    """US dollars for both; None when the model's price is not known."""


def estimate(articles: Iterable[Article | Unreadable], session: Session, *, limit: int | None = None) -> Estimate:
    """What a run over these articles would ask; nothing is sent.

    Args:
        articles: As a run would read them.
        session: As a run would ask.
        limit: Articles to ask at most; None for all.
    """
    asked = unchanged = unreadable = calls = tokens = 0
    for article in articles:
        if isinstance(article, Unreadable):
            unreadable += 1
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
        articles=asked, unchanged=unchanged, unreadable=unreadable, calls=calls, input_tokens=tokens, output_tokens=output, cost_usd=cost
    )


def what_changed(ledger: Ledger, session: Session, manifest: dict[str, Any]) -> str | None:
    """One sentence when the folder's articles will be asked again, with why and about how much; None when nothing that matters changed.

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
    before, now = last["manifest"], manifest
    changed = [f"the {name} prompt" for name in now["prompts"] if now["prompts"][name] != before["prompts"].get(name)]
    changed += [
        f"{name}'s schema" for name in now["schemas"] if name in before["schemas"] and now["schemas"][name] != before["schemas"][name]
    ]
    if set(now["schemas"]) != set(before["schemas"]):
        changed.append(f"the fact types ({', '.join(before['schemas'])} before)")
    changed += [
        f"{name} ({before['settings'].get(name)!r} before)"
        for name in ("model", "temperature", "max_output_tokens", "part_chars")
        if now["settings"][name] != before["settings"].get(name)
    ]
    if (published := before["options"].get("published")) != now["options"].get("published"):
        changed.append(f"--published ({published or 'not given'} before)")
    if not changed:
        return None
    share = done / max(1, summary["attempts"])
    tokens = round((summary["input_tokens"] + summary["output_tokens"]) * min(1.0, share))
    price = price_of(session.settings)
    used = Usage(
        input_tokens=round(summary["input_tokens"] * min(1.0, share)), output_tokens=round(summary["output_tokens"] * min(1.0, share))
    )
    cost = f"about ${price.cost_usd(used):.2f}" if price else "at an unknown price"
    return (
        f"Since the last run {', '.join(changed)} changed: up to {done:,} articles of this folder will be asked again, "
        f"about {tokens:,} tokens, {cost}, repairs not counted."
    )
