"""Whether a passage is plainly English, the language of the grammars: elsewhere "1,234", "billion" and "bis zu 10" mean other things.

In: a passage and a place in it. Out: yes or no. Floor: facts.
Before changing it: a passage counts as another language until its words show that it is English; in it values are flagged, never judged.
"""

import functools
import re
import tomllib
from importlib.resources import files

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
    english = others = small = 0
    for word in _WORD.findall(text.replace("’", "'")):
        folded = word.casefold()
        small += word[0].islower()
        if folded in _ENGLISH or folded.endswith(("'s", "n't")):
            english += 1
        elif folded in _OTHERS or (word[0].islower() and not word.isascii()):
            others += 1
    return english > others and english * _LEAST_SHARE >= small
