"""Who: a party to a fact, and the table that knows which state a name stands for.

In: names, texts. Out: `Party`, `country_of`, `mentions`. Floor: facts.
Before changing it: what a name stands for is data and lives in countries.toml; here are only the rules by which it is looked up.
"""

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from itertools import chain
from typing import Literal, NamedTuple

from pydantic import Field

from extractor.facts.fact import Closed, Name

PartyKind = Literal[
    "state", "government_body", "company", "armed_group", "intergovernmental", "person", "group_of_states", "other", "unknown"
]

_LONGEST_NAME_CHARS = 200
"""No name of a state or of its bodies is longer; more is not read."""


_REACH_CHARS = 60
"""On either side of a name: longer than what may make it a part of another."""


class Party(Closed):
    """One party: a state, body, company, group or person that the text names."""

    name: Name | None = Field(
        description=(
            "As the text has it: a person in the fullest form it uses; a state as a noun where the text has one ('Netherlands' rather than "
            "'Dutch'). Never corrected, never translated. Null only where the text speaks of an unnamed party."
        ),
    )
    kind: PartyKind = Field(description="What it is; unknown for an unnamed party.")
    on_behalf_of: Name | None = Field(
        default=None,
        description="The state or body a person or government body speaks or acts for, as the text names it; otherwise null.",
    )

    def country(self) -> str | None:
        """The state this party is or acts for, as ISO 3166-1 alpha-3.

        Returns:
            For a state, the one its name stands for; for a government body or a person, the one it acts for, and for a body that names none
            the one in its own name. None for everything else: a company is not the state it sits in.
        """
        return country_of(self.state_name())

    def state_name(self) -> str:
        """The one of its names in which its state is looked for; "" for a party that is no state's."""
        match self.kind:
            case "state":
                return self.name or ""
            case "government_body":
                return self.on_behalf_of or self.name or ""
            case "person":
                return self.on_behalf_of or ""
            case _:
                return ""


def country_of(name: str) -> str | None:
    """The state that a name stands for, as ISO 3166-1 alpha-3 (XKX for Kosovo, a user-assigned code).

    Args:
        name: A state, its demonym, its capital, or a body of its government: "Norway", "Dutch", "the Kremlin", "Russia's foreign ministry".
            Letter case and diacritics do not matter, except for short capitals: "US" is a state, "us" is not.

    Returns:
        None for what is not known to be exactly one state: companies, persons, "Congo", "Korea", the European Union, states that are gone.
    """
    return None if len(name) > _LONGEST_NAME_CHARS else _country_of(name)


@functools.lru_cache(maxsize=4096)  # a corpus names the same few states
def _country_of(name: str) -> str | None:
    words = _words(name)
    words = _without_article(words)
    while words and words[-1] in _SIGNS:
        words = words[:-1]
    table = _table()
    found: set[str | None] = set()
    others: list[str] = []
    at = 0
    while at < len(words):
        length, code = table.match(words, at)
        if length:
            found.add(code)
        else:
            others.append(_fold(words[at]))
        at += length or 1
    if len(found) != 1:
        return None
    return next(iter(found)) if not others or _is_government(others, table) else None


def _without_article(words: list[str]) -> list[str]:
    """A name without the article before it; "El Salvador" and "La Paz" have it as their own."""
    while words and _fold(words[0]) in _ARTICLES and not _table().match(words, 0).length:
        words = words[1:]
    if words and words[0].casefold().startswith(("l'", "l’")) and not _table().match(words, 0).length:
        words = [words[0][len("l'") :], *words[1:]]
    return words


def mentions(text: str) -> set[str]:
    """The states that a text mentions under any of their names, demonyms or capitals, as ISO 3166-1 alpha-3.

    Names count as whole words with a capital first letter, so that "polish" and "turkey" are none. It takes time linear in the text.
    """
    words = _words(text)
    table = _table()
    codes: set[str] = set()
    at = 0
    while at < len(words):
        if words[at][0].isupper() or words[at] in table.small_firsts:
            length, code = table.match(words, at)
            if length:
                if code is not None and not (length == 1 and _names_a_person(words, at, table)):
                    codes.add(code)
                at += length
                continue
        at += 1
    return codes


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a state's name in a text is the whole of the name that stands there.

    It is not in "South Sudan", "Gulf of Guinea", "Bank of China", "Paris-based" or "Michael Jordan", and not where the text speaks of a
    namesake: Georgia of Atlanta, or "Lebanon, Pennsylvania". A longer name of the same state ("Kingdom of Norway") does no harm.

    Args:
        text: The article.
        start: Where the name begins, a code point.
        end: One past its last code point.
    """
    if _COMPOUND.match(text, end):
        return False
    table = _table()
    nearby = (text[max(0, start - _REACH_CHARS) : start], text[start:end], text[end : end + _REACH_CHARS])
    before, name, after = map(_words, nearby)
    words, first = [*before, *name, *after], len(before)
    last = first + len(name)
    own = country_of(text[start:end])
    may_be_longer = table.shared.get(_fold(name[0]), _NO_CODES) - {own} if name else True
    for at in range(max(0, first - table.longest + 1), first + 1) if may_be_longer else ():
        length, code = table.match(words, at)
        if at + length > first and (at < first or at + length > last) and code != own:
            return False
    if _is_of_an_institution(words, first, last, table):
        return False
    if len(name) != 1:
        return True
    folded = _fold(name[0])
    return not (
        _names_a_person(words, first, table)
        or _is_surname(words, first, table)
        or any(place in text for place in table.elsewhere.get(folded, ()))
    )


class _Alias(NamedTuple):
    """One name in the table."""

    rest: tuple[str, ...]
    """Its words after the first, folded."""
    code: str | None
    """The state; None for a name that is known to be none, or not exactly one."""
    capitals: str
    """The words as they must be written, for a short name in capitals; "" otherwise."""


class _Match(NamedTuple):
    """What stands at a place in a text."""

    length: int
    """In words; 0 where no name of the table begins."""
    code: str | None
    """The state; None for none, or not exactly one."""


_NOTHING = _Match(0, None)
_NO_CODES: frozenset[str | None] = frozenset()


class _Table(NamedTuple):
    """countries.toml, ready for look-ups."""

    aliases: dict[str, tuple[_Alias, ...]]
    """By first word, folded; the longest first."""
    heads: frozenset[str]
    """Words, and runs of words, that make a name one of a government's body."""
    modifiers: frozenset[str]
    """Words that may stand beside a head."""
    given_names: frozenset[str]
    """Names of states that are also names of persons."""
    before_states: frozenset[str]
    """Words that make no person's name with a state's, whatever their first letter."""
    elsewhere: dict[str, tuple[str, ...]]
    """Names of states that are also ones elsewhere, and what an article about that has."""
    institutions_of: frozenset[str]
    """What takes a name behind its "of" into its own, when it has a capital."""
    titles_of: frozenset[str]
    """Likewise, in any case."""
    institutions_behind: frozenset[str]
    """What takes the name before it into its own, when it has a capital."""
    between_institutions: frozenset[str]
    """What may stand between such a name and that."""
    shared: dict[str, frozenset[str | None]]
    """What the names stand for that have a word beside others, by that word, folded."""
    regions_behind: frozenset[tuple[str, ...]]
    """Parts of federal states, as written, that tell a town from its namesake."""
    longest: int
    """Words of the longest name."""
    small_firsts: frozenset[str]
    """First words of names that begin with a small letter, such as "state of Georgia"."""

    def match(self, words: list[str], at: int) -> _Match:
        """The longest name that begins at `words[at]`, which are as written."""
        for alias in self.aliases.get(_fold(words[at]), ()):
            length = 1 + len(alias.rest)
            here = words[at : at + length]
            if len(here) < length or any(_fold(word) != rest for word, rest in zip(here[1:], alias.rest, strict=True)):
                continue
            if alias.capitals and _bare("".join(here)) != alias.capitals:
                continue
            return _Match(length, alias.code)
        return _NOTHING


# "U.S." and "U.S.A." are one word; an apostrophe joins ("d'Ivoire"), a hyphen does not; signs keep names from running over them.
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?|[^\W\d_]+(?:['’][^\W\d_]+)*|[.,;:!?()]")
_LONGEST_KEPT = 60  # characters of a run that is remembered: in other scripts, and in hostile texts, a run may be of any length
_SIGNS = frozenset(".,;:!?()")
_COMPOUND = re.compile(r"[-‐‑](?:based|born|class|style|type)\b")
_ARTICLES = frozenset("the la le les der die das den el los las il lo gli de het".split())  # noqa: SIM905 - a list of words
_FUNCTION_WORDS = frozenset({"of", "the", "for", "and", "'s"})


def _words(text: str) -> list[str]:
    kept = [_words_in(run) if len(run) <= _LONGEST_KEPT else _words_in.__wrapped__(run) for run in text.split()]
    return list(chain.from_iterable(kept))


@functools.lru_cache(maxsize=4096)  # the same few thousand make up most of any text
def _words_in(run: str) -> tuple[str, ...]:
    """The words in a run of characters without spaces."""
    return tuple(_WORD.findall(run if run.isascii() else unicodedata.normalize("NFKC", run)))


@functools.lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    """A word for comparison: no case, no diacritics, no possessive, no full stops."""
    plain = word.casefold().replace("’", "'")
    plain = plain.removesuffix("'s") if len(plain) > len("'s") else plain
    if not plain.isascii():
        plain = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    return plain if plain in _SIGNS else plain.replace(".", "").removesuffix("'")


def _bare(word: str) -> str:
    return word.replace(".", "").replace("’s", "").replace("'s", "")


def _names_a_person(words: list[str], at: int, table: _Table) -> bool:
    """Whether "Jordan", "Chad" or "Georgia" stands before another name, and not as "Jordan's"."""
    if words[at].casefold() not in table.given_names or at + 1 >= len(words):
        return False
    return words[at + 1][0].isupper() and _fold(words[at + 1]) not in table.heads | table.modifiers


def _is_surname(words: list[str], at: int, table: _Table) -> bool:
    """Whether "Jordan", "Chad" or "Georgia" stands behind another name: "Michael Jordan"."""
    if words[at].casefold() not in table.given_names or at == 0 or not words[at - 1][0].isupper():
        return False
    return _fold(words[at - 1]) not in table.heads | table.modifiers | table.before_states and not table.match(words, at - 1).length


def _is_of_an_institution(words: list[str], first: int, last: int, table: _Table) -> bool:
    """Whether the name at `words[first:last]` is a part of an institution's, or a town of the same name."""
    before = first - 1 if first and words[first - 1].casefold() == "the" else first
    if before > 1 and words[before - 1].casefold() == "of":
        head = words[before - 2]
        is_central = head.casefold() == "bank" and before > 2 and words[before - 3] in {"National", "Central", "Reserve"}  # noqa: PLR2004 - a word further back
        if head.casefold() in table.titles_of or (head[0].isupper() and _fold(head) in table.institutions_of and not is_central):
            return True
    at = last
    while at < len(words) and words[at].casefold() in table.between_institutions:
        at += 1
    if at < len(words) and words[at][0].isupper() and words[at].casefold() in table.institutions_behind:
        return True
    comma = last + 1 if words[last : last + 1] == ["City"] else last
    return words[comma : comma + 1] == [","] and any(tuple(words[comma + 1 : comma + 1 + size]) in table.regions_behind for size in (1, 2))


def _is_government(others: list[str], table: _Table) -> bool:
    """Whether the words beside a state's name make a body of its government: all of them known, a head among them."""
    phrase = f" {' '.join(others)} "
    known = table.heads | table.modifiers | _FUNCTION_WORDS
    return all(word in known for word in others) and any(f" {head} " in phrase for head in table.heads)


def _lines(entry: dict[str, list[str]]) -> Iterator[str]:
    for names in entry.values():
        yield from names


def _adjectives(stems: list[str], endings: list[str]) -> Iterator[tuple[str, str]]:
    """Every form of every adjective, with its state; `stems` has codes and stems by turns."""
    for code, stem in zip(stems[::2], stems[1::2], strict=True):
        yield from ((stem + ending, code) for ending in endings)


@functools.cache
def _table() -> _Table:
    """The table, read once, at the first look-up."""
    data = tomllib.loads(files("extractor.facts").joinpath("countries.toml").read_text(encoding="utf-8"))
    rules = data["rules"]
    aliases: dict[str, dict[tuple[tuple[str, ...], str], _Alias]] = {}
    shared: dict[str, set[str | None]] = {}
    entries: list[tuple[str, str | None]] = [(name, None) for name in rules["not_one_state"]]
    entries += [(name, code) for code, entry in data["states"].items() for name in _lines(entry)]
    entries += [entry for adjectives in data["adjectives"] for entry in _adjectives(adjectives["stems"].split(), adjectives["endings"])]
    for name, code in entries:
        words = _words(name.rstrip("."))
        folded = [_fold(word) for word in words]
        bare = _bare("".join(words))
        capitals = bare if bare.isupper() and len(bare) <= rules["capitals_up_to"] else ""
        rest = tuple(folded[1:])
        aliases.setdefault(folded[0], {}).setdefault((rest, capitals), _Alias(rest, code, capitals))
        for word in folded if rest else ():
            shared.setdefault(word, set()).add(code)
    return _Table(
        {first: tuple(sorted(found.values(), key=lambda alias: -len(alias.rest))) for first, found in aliases.items()},
        frozenset(rules["government_heads"]),
        frozenset(rules["government_modifiers"]),
        frozenset(rules["given_names"]),
        frozenset(rules["before_states"]),
        {name: tuple(places) for name, places in rules["elsewhere"].items()},
        frozenset(rules["institutions_of"]),
        frozenset(rules["titles_of"]),
        frozenset(rules["institutions_behind"]),
        frozenset(rules["between_institutions"]),
        {word: frozenset(codes) for word, codes in shared.items()},
        frozenset(tuple(region.split()) for region in rules["regions_behind"]),
        max(1 + len(alias.rest) for found in aliases.values() for alias in found.values()),
        frozenset(words[0] for name, _ in entries if (words := _words(name))[0].islower()),
    )
