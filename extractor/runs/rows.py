"""A fact as one row of JSON: the same in the ledger, in `facts.jsonl`, in every export and on the review page.

In: believed and quarantined facts with their article. Out: JSON texts. Floor: runs.
Before changing it: rows are stored, so a renamed key is a migration of the ledger; the gold format is these rows too.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from extractor.evidence.outcome import Grounded, Quarantined
from extractor.records import Article, Span

_ROW = json.JSONEncoder(ensure_ascii=False, check_circular=False)  # rows are made here, and hold no circle


class Provenance(NamedTuple):
    """What the facts of a run were made with; it stands in every row."""

    model: str
    prompt: str
    """Name and fingerprint of the extract prompt."""
    schemas: Mapping[str, str]
    """Fingerprint of each fact type by name."""


def row_of(fact: Grounded[Any] | Quarantined, article: Article, provenance: Provenance) -> str:
    """One fact as the JSON text of its row."""
    row: dict[str, Any] = {
        "id": fact.id,
        "fact_type": fact.fact_type,
        "verdict": fact.verdict,
        "article_id": article.id,
        "title": article.title,
        "published": article.published.isoformat() if article.published else None,
        "source": article.source,
        "url": article.url,
    }
    if isinstance(fact, Grounded):
        row["value"] = fact.value.model_dump(mode="json")
        row["spans"] = {path: [span.start, span.end] for path, span in fact.spans.items()}
        row["countries"] = fact.countries
    else:
        row["raw"] = fact.tries[-1].json_text
    row["evidence"] = [_quoted(span, article.text) for span in fact.evidence]
    row["issues"] = [issue.model_dump() for issue in fact.issues]
    row["tries"] = [
        {"raw": attempt.json_text, "issues": [issue.model_dump() for issue in attempt.issues]}
        for attempt in (fact.tries if isinstance(fact, Grounded) else fact.tries[:-1])
    ]
    row["model"] = provenance.model
    row["prompt"] = provenance.prompt
    row["schema"] = provenance.schemas.get(fact.fact_type)
    return storable(_ROW.encode(row))


def _quoted(span: Span, text: str) -> dict[str, Any]:
    return {"quote": span.of(text), "start": span.start, "end": span.end}


def storable(text: str) -> str:
    """`text` as UTF-8 can hold it: a lone surrogate, which a model may write, becomes its escape."""
    # SQLite keeps UTF-8; a lone surrogate in a model's text would not go in
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text
