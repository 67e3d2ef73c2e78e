"""Structured facts out of news articles: Pydantic schemas, verbatim evidence, nothing lost in silence.

The names below are the promise of this package; everything else may change. They are imported when first used, so that
`import extractor` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor.api import Extractor
    from extractor.errors import (
        ArticleError,
        BugError,
        CassetteMiss,
        EndpointError,
        ExtractorError,
        LedgerError,
        LimitReached,
        ModelError,
        SchemaError,
        SettingsError,
        UsageError,
    )
    from extractor.evidence.outcome import Grounded, Outcome, Quarantined, Try
    from extractor.facts.fact import Attribution, Check, Closed, Example, Fact, Name, Quote, Value, Verbatim
    from extractor.facts.money import Money
    from extractor.facts.party import Party
    from extractor.facts.quantity import Quantity
    from extractor.facts.when import When
    from extractor.records import Article, Issue, Span, Usage
    from extractor.runs.folder import RunOptions, arun, run
    from extractor.runs.run import RunReport
    from extractor.settings import Settings

_WHERE = {
    "api": ("Extractor",),
    "errors": (
        "ArticleError", "BugError", "CassetteMiss", "EndpointError", "ExtractorError", "LedgerError", "LimitReached", "ModelError",
        "SchemaError", "SettingsError", "UsageError",
    ),
    "evidence.outcome": ("Grounded", "Outcome", "Quarantined", "Try"),
    "facts.fact": ("Attribution", "Check", "Closed", "Example", "Fact", "Name", "Quote", "Value", "Verbatim"),
    "facts.money": ("Money",),
    "facts.party": ("Party",),
    "facts.quantity": ("Quantity",),
    "facts.when": ("When",),
    "records": ("Article", "Issue", "Span", "Usage"),
    "runs.folder": ("RunOptions", "arun", "run"),
    "runs.run": ("RunReport",),
    "settings": ("Settings",),
}  # fmt: skip

__all__ = [  # noqa: RUF022 - sorted as people read it, not as ASCII does
    "Article", "ArticleError", "Attribution", "BugError", "CassetteMiss", "Check", "Closed", "EndpointError", "Example", "Extractor",
    "ExtractorError", "Fact", "Grounded", "Issue", "LedgerError", "LimitReached", "ModelError", "Money", "Name", "Outcome", "Party",
    "Quantity", "Quarantined", "Quote", "RunOptions", "RunReport", "SchemaError", "Settings", "SettingsError", "Span", "Try",
    "UsageError", "Usage", "Value", "Verbatim", "When", "arun", "run",
]  # fmt: skip


def __getattr__(name: str) -> object:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
