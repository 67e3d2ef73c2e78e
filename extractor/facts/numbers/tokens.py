"""A text cut into the pieces that number expressions are made of.

In: text. Out: `Token`s with their places. Floor: facts.
Before changing it: places are code points of the text as given; nothing is normalised, so that a token can be quoted.
"""

import functools
import re
import tomllib
from importlib.resources import files
from typing import Literal, NamedTuple

Kind = Literal["number", "word", "dash", "mark", "alien", "break"]


class Token(NamedTuple):
    """A piece of a text: a run of digits with its separators, a word, or one other character."""

    kind: Kind
    """`alien`: digits and letters that this grammar does not read (superscripts, ½, other scripts' digits). `break`: a blank line."""
    text: str
    """As it stands in the text."""
    word: str
    """In lower case, with a straight apostrophe, for look-up."""
    start: int
    """First code point in the text."""
    end: int
    """One past the last code point."""
    glued: bool
    """True when nothing stands between it and the token before."""


_RUN = re.compile(r"[\S\u00a0\u2009\u202f]+|\n[^\S\n]*\n")  # of characters without spaces, but those within numbers; or a blank line
_PIECE = re.compile(
    r"""
      (?P<word>(?:[A-Za-z]\.){2,} | [^\W\d_]+(?:['’][^\W\d_]+)*)
    | (?P<number>[0-9]+(?:[.,'’\u00a0\u2009\u202f][0-9]+)*)
    | (?P<dash>[-\u2010-\u2015])
    | (?P<break>\n[^\S\n]*\n)
    | (?P<alien>[\d_])
    | (?P<mark>\S)
    """,
    re.VERBOSE,
)
_LONGEST_KEPT = 60  # characters of a run that is remembered: in other scripts, and in hostile texts, a run may be of any length
HYPHENS = frozenset("-\u2010\u2011")
RANGE_DASHES = HYPHENS | {"\u2012", "\u2013"}  # an em dash stands between clauses, not between numbers


_LISTS: dict[str, str] = tomllib.loads((files("extractor.facts.numbers") / "neighbours.toml").read_text(encoding="utf-8"))


def word_list(name: str) -> frozenset[str]:
    """One list of neighbours.toml."""
    return frozenset(_LISTS[name].split())


THINGS = word_list("things")
"""What this news counts, in the plural."""


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, in order; whitespace is left out, except that a blank line is a token."""
    tokens: list[Token] = []
    last = -1
    for run in _RUN.finditer(text):
        offset, found = run.start(), run[0]
        for kind, piece, word, begin, end in _pieces(found) if len(found) <= _LONGEST_KEPT else _pieces.__wrapped__(found):
            start, stop = offset + begin, offset + end
            tokens.append(tuple.__new__(Token, (kind, piece, word, start, stop, start == last)))  # a hundred an article: past its __new__
            last = stop
    return tokens


@functools.lru_cache(maxsize=4096)  # the same few thousand make up most of any text
def _pieces(run: str) -> list[tuple[Kind, str, str, int, int]]:
    """The tokens of a run of characters without spaces: kind, text and word, where in it they begin and end."""
    pieces = []
    for match in _PIECE.finditer(run):
        kind: Kind = match.lastgroup  # type: ignore[assignment]  # the group names are the kinds
        piece = word = match[0]
        if kind == "word":
            if piece.isascii() or piece.replace("’", "").replace("'", "").isalpha():
                word = piece.casefold().replace("’", "'")
            else:
                kind = "alien"  # "²" and "½" count as word characters, not as letters
        pieces.append((kind, piece, word, *match.span()))
    return pieces


def word_at(tokens: list[Token], at: int) -> str:
    """The word for look-up at a place, or the mark itself; "" past either end."""
    return tokens[at].word if 0 <= at < len(tokens) else ""


def is_kind(tokens: list[Token], at: int, *kinds: Kind) -> bool:
    """Whether a token of one of these kinds stands at a place."""
    return 0 <= at < len(tokens) and tokens[at].kind in kinds


def is_glued(tokens: list[Token], at: int) -> bool:
    """Whether a token stands at a place and adjoins the one before it."""
    return 0 < at < len(tokens) and tokens[at].glued
