"""Whether a passage is plainly English, the language of the grammars: elsewhere "1,234", "billion" and "bis zu 10" mean other things.

In: a passage and a place in it. Out: yes or no. Floor: facts.
Before changing it: a passage counts as another language until its words show that it is English; in it values are flagged, never judged.
"""

import functools
import re
import tomllib
from importlib.resources import files
from typing import NamedTuple

_TABLE: dict[str, str] = tomllib.loads((files("extractor.facts") / "english.toml").read_text(encoding="utf-8"))
_ENGLISH = frozenset(_TABLE["english"].split())
_OTHERS = frozenset(_TABLE["others"].split()) - _ENGLISH
_WINDOW_CHARS = 200
"""On either side: a sentence or two. A quotation in another language further off does not count."""
_LEAST_SHARE = 5
"""One small-letter word of so many must be known as English. Running English has about half; names and terms of art are the rest."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def is_english(passage: str, start: int) -> bool:
    """Whether the words around a place show that the passage is English; False where they show nothing.

    Args:
        passage: Any text.
        start: A code point in it; the words up to 200 code points on either side count.
    """
    start = max(0, start)
    return _is_english(passage[max(0, start - _WINDOW_CHARS) : start + _WINDOW_CHARS])


@functools.lru_cache(maxsize=256)
def _is_english(text: str) -> bool:
    shown = _shown(text)
    return shown.english > shown.others and shown.english * _LEAST_SHARE >= shown.small


class _Shown(NamedTuple):
    """How many words of a text show something."""

    english: int
    others: int
    small: int
    """Words with a small first letter."""


def _shown(text: str) -> _Shown:
    kinds = "".join(map(_kind, _WORD.findall(text.replace("’", "'"))))
    return _Shown(kinds.count("E"), kinds.count("O"), kinds.count("s"))


@functools.lru_cache(maxsize=16_384)
def _kind(word: str) -> str:
    """What a word shows: "E" for English, "O" for another language, "s" for a small first letter."""
    folded = word.casefold()
    small = "s" if word[0].islower() else ""
    if folded in _ENGLISH or folded.endswith(("'s", "n't")):
        return f"E{small}"
    return f"O{small}" if folded in _OTHERS or (small and not word.isascii()) else small
