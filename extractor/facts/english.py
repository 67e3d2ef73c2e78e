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
_SHARED = frozenset(_TABLE["shared"].split())
_WINDOW_CHARS = 200
"""On either side: a sentence or two. A quotation in another language further off does not count."""
_LEAST_SHARE = 5
"""One small-letter word of so many must be known as English. Running English has about half; names and terms of art are the rest."""
_LEAST_WORDS = 20
"""Known words that an article must have to speak for its tables."""
_FEW_OTHERS = 20
"""Of so many known words one may look like another language's: a name, a quotation."""
_LONGEST_KEPT = 60  # characters of a run that is remembered: in other scripts, and in hostile texts, a run may be of any length
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


class OfEnglish(str):
    """A passage of an article that is plainly English, though the passage may not show it: a table's row, a headline.

    It is a string, so that a check of a user's own type takes it as any other.
    """

    __slots__ = ()


def is_english(passage: str, start: int) -> bool:
    """Whether the words around a place show that the passage is English; False where they show nothing, unless the article does.

    Args:
        passage: Any text; where it is `OfEnglish`, it is enough that every small-letter word in it may be English.
        start: A code point in it; the words up to 200 code points on either side count.
    """
    start = max(0, start)
    shown = _shown(passage[max(0, start - _WINDOW_CHARS) : start + _WINDOW_CHARS])
    return _is_running(shown) or (isinstance(passage, OfEnglish) and not shown.others and not shown.unknown)


def is_english_article(text: str) -> bool:
    """Whether a whole text is plainly English, with hardly a word of another language."""
    shown = _shown(text)
    return _is_running(shown) and shown.english >= max(_LEAST_WORDS, shown.others * _FEW_OTHERS)


def _is_running(shown: "_Shown") -> bool:
    return shown.english > shown.others and shown.english * _LEAST_SHARE >= shown.small


class _Shown(NamedTuple):
    """How many words of a text show something."""

    english: int
    others: int
    small: int
    """Words with a small first letter."""
    unknown: int
    """Those of them that are not known to be English."""


def _shown(text: str) -> _Shown:
    kinds = "".join([_kinds(run) if len(run) <= _LONGEST_KEPT else _kinds.__wrapped__(run) for run in text.split()])
    return _Shown(kinds.count("E"), kinds.count("O"), kinds.count("s"), kinds.count("?"))


@functools.lru_cache(maxsize=4096)  # the same few thousand make up most of any text
def _kinds(run: str) -> str:
    """What the words show that stand in a run of characters without spaces."""
    return "".join(map(_kind, _WORD.findall(run.replace("’", "'"))))


def _kind(word: str) -> str:
    """What a word shows: "E" for English, "O" for another language, "s" for a small first letter, "?" for a word unknown with one."""
    folded = word.casefold()
    small = "s" if word[0].islower() else ""
    if folded in _ENGLISH or folded.endswith(("'s", "n't")):
        return f"E{small}"
    if folded in _OTHERS or (small and not word.isascii()):
        return f"O{small}"
    return f"{small}?" if small and folded not in _SHARED else small
