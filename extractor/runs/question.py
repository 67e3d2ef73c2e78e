"""What a run asks of every article, and of one, as fingerprints: equal ones are not asked twice.

In: fingerprints of prompts and fact types, settings, an article. Out: keys. Floor: runs.
Before changing it: keys are stored, so another way of making them asks every article of every run folder again.
"""

from collections.abc import Mapping
from typing import Any

from extractor.fingerprint import fingerprint
from extractor.records import Article


def question_key(schemas: Mapping[str, str], prompts: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """Fingerprint of what is asked of every article alike.

    Args:
        schemas: Fingerprint of each fact type by name.
        prompts: Fingerprint of each prompt by name.
        settings: As a run's manifest has them.
    """
    sampling = [settings["temperature"], settings["max_output_tokens"]]
    return fingerprint({"types": dict(schemas), "prompts": dict(prompts), "model": settings["model"], "sampling": sampling})


def outcome_key(article: Article, question: str, part_chars: int) -> str:
    """Fingerprint of everything that is asked about one article.

    Args:
        article: Its text, title and date count; where it came from does not.
        question: From `question_key`.
        part_chars: Code points in one call at most; it counts for a longer article alone, since a shorter one is never cut.
    """
    parts = part_chars if len(article.text) > part_chars else None
    return fingerprint([question, article.text, article.title, str(article.published), parts])
