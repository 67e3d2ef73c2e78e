"""A folder becomes a stream of files, by name and in order; hostile trees included.

In: a folder and a pattern below it. Out: `Found` files, and `Skipped` rows for what was passed over. Floor: articles.
Before changing it: it holds one listing per level of depth, never the tree; links are followed, and a folder is entered once, so that a
loop ends; what is not read is written down.
"""

import fnmatch
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from extractor.articles.formats import FORMATS
from extractor.records import Record

SkipReason = Literal[
    "hidden",  # its name, or the name of its folder, begins with a dot
    "unsupported",  # no format has its suffix; the detail is the suffix
    "broken link",  # a link to nothing, or to itself
    "unreadable folder",  # it can not be listed; the detail is the system's reason
    "not a file",  # a pipe, a socket, a device
    "run folder",  # it holds a ledger: what a run wrote is no article
    "written by extractor",  # a page or rows of ours, by how it begins: what was said of articles is none
    "read already",  # a link to what was found before; the detail names that
]

_LEDGER = "ledger.sqlite"  # as runs/ledger.py names it, which stands above this floor

_OURS = {
    ".html": re.compile(rb'<meta name="generator" content="extractor (review|evaluate)">'),
    # facts, as exported or decided on, and how far an article is labelled
    ".jsonl": re.compile(rb'\{("id": ?"b2:[0-9a-f]+", ?"fact_type": ?"|"article_id":"([^"\\]|\\.)*","complete":)'),
}
_HEAD_BYTES = 1_000  # what is ours says so in its first line, or in the head of a page

MAGIC = re.compile(r"[*?\[]")
"""What makes an argument a glob."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Skipped(Record):
    """A file or folder below an argument that is not read."""

    path: Path
    """As reached from the argument; for a folder, all that is in it."""
    reason: SkipReason
    """Why."""
    detail: str = ""
    """More about the reason, as said there."""


class Found(NamedTuple):
    """A file to read."""

    id: str
    """POSIX path below the folder that was walked, always valid UTF-8."""
    path: str
    """How to open it."""
    identity: tuple[int, int]
    """Device and inode: equal for two ways to one file."""


class Pattern:
    """Which paths below a folder are meant: shell wildcards, `**` for any folders; a folder that matches stands for all that is in it.

    As in a shell, `*`, `?` and `[…]` stay inside one name and match no leading dot.

    Args:
        text: Names joined by `/`, such as `**/*.txt`; "" for everything.
    """

    def __init__(self, text: str) -> None:
        names = [name for name in text.split("/") if name not in ("", ".")]
        # None stands for **; a state is the number of names matched so far, and the last one is "all of it"
        self._names = [None if name == "**" else re.compile(fnmatch.translate(name)) for name in names]
        self._dotted = [name.startswith(".") for name in names]
        self._end = len(names)
        self.start = self._closed({0})
        self.suffixes = FORMATS.keys() | _suffix_named(names)
        """Suffixes that are read, in lower case."""

    def accepts(self, states: frozenset[int]) -> bool:
        """Whether a path that led to `states` is meant."""
        return self._end in states

    def step(self, states: frozenset[int], name: str, *, dotted_only: bool = False) -> frozenset[int]:
        """The states after going into `name`; empty when nothing below can match.

        Args:
            states: Where the folder stands.
            name: A name in that folder.
            dotted_only: Count only names of the pattern that spell out a leading dot.
        """
        reached: set[int] = set()
        for state in states:
            if state == self._end or self._names[state] is None:
                if not dotted_only:
                    reached.add(state)
            elif (expected := self._names[state]) and (self._dotted[state] or not dotted_only) and expected.match(name):
                reached.add(state + 1)
        return self._closed(reached)

    def _closed(self, states: set[int]) -> frozenset[int]:
        for state in range(self._end):
            if state in states and self._names[state] is None:
                states.add(state + 1)  # ** may also be no folder at all
        return frozenset(states)


def id_of(name: str) -> str:
    """`name` as a part of an id: itself where it is one line of Unicode, else with the bytes in question and `%` percent-encoded."""
    if _UNPRINTABLE.search(name) is None:
        return name
    return "".join(_percent(char) if char == "%" or _UNPRINTABLE.match(char) else char for char in name)


def describe_skipped(skipped: Iterable[Skipped]) -> str:
    """How many were skipped and why, in one line such as `5 skipped: 4 unsupported (.jpg 3, .png 1), 1 hidden`; `nothing skipped`."""
    rows = list(skipped)
    suffixes = Counter(row.detail for row in rows if row.reason == "unsupported")
    kinds = ", ".join(f"{suffix} {count}" for suffix, count in sorted(suffixes.items(), key=lambda item: (-item[1], item[0])))
    reasons = sorted(Counter(row.reason for row in rows).items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{count} {reason}" + (f" ({kinds})" if reason == "unsupported" else "") for reason, count in reasons]
    return f"{len(rows)} skipped: {', '.join(parts)}" if rows else "nothing skipped"


def walk(folder: str, pattern: Pattern, skipped: dict[str, Skipped]) -> Iterator[Found]:
    """The files below `folder` that `pattern` means and a format reads, sorted by id (code points); lazily, one folder listed at a time.

    Args:
        folder: An existing folder; "" is the working folder.
        pattern: What is meant below it.
        skipped: Gets a row for each file or folder that is meant, but not read, by path.
    """
    return _Walk(pattern, skipped).files(folder or ".")


class _Entry(NamedTuple):
    key: str  # a folder's ends in / and so sorts as the ids below it do
    name: str
    path: str
    is_folder: bool


class _Level(NamedTuple):
    prefix: str  # of ids
    states: frozenset[int]
    entries: Iterator[_Entry]


class _Walk:
    def __init__(self, pattern: Pattern, skipped: dict[str, Skipped]) -> None:
        self._pattern = pattern
        self._skipped = skipped
        self._entered: dict[tuple[int, int, frozenset[int]], str] = {}
        self._levels: list[_Level] = []  # a list and not recursion: a path may be two thousand folders deep

    def files(self, folder: str) -> Iterator[Found]:
        self._enter(folder, "", self._pattern.start)
        while self._levels:
            level = self._levels[-1]
            entry = next(level.entries, None)
            if entry is None:
                self._levels.pop()
            elif states := self._states(level, entry):
                if entry.is_folder:
                    self._enter(entry.path, level.prefix + entry.key, states)
                elif self._pattern.accepts(states) and (identity := self._identity(entry)):
                    yield Found(level.prefix + entry.key, entry.path, identity)

    def _enter(self, path: str, prefix: str, states: frozenset[int]) -> None:
        try:
            status = Path(path).stat()
            where = (status.st_dev, status.st_ino, states)
            if where in self._entered:
                self._skip(path, "read already", f"the same folder as {self._entered[where]!r}")
            else:
                self._entered[where] = path
                names = _listing(path)
                if _LEDGER in names:
                    self._skip(path, "run folder")
                else:
                    self._levels.append(_Level(prefix, states, _entries(path, names)))
        except OSError as error:
            self._skip(path, "unreadable folder", error.strerror or str(error))

    def _states(self, level: _Level, entry: _Entry) -> frozenset[int]:
        states = self._pattern.step(level.states, entry.name)
        if not entry.name.startswith("."):
            return states
        dotted = self._pattern.step(level.states, entry.name, dotted_only=True)
        if not dotted and (states if entry.is_folder else self._pattern.accepts(states)):
            self._skip(entry.path, "hidden")
        return dotted

    def _identity(self, entry: _Entry) -> tuple[int, int] | None:
        suffix = Path(entry.name).suffix.lower()
        if suffix not in self._pattern.suffixes:
            self._skip(entry.path, "unsupported", suffix or "no suffix")
            return None
        try:
            status = Path(entry.path).stat()
        except OSError as error:
            self._skip(entry.path, "broken link", error.strerror or str(error))
            return None
        if not stat.S_ISREG(status.st_mode):
            self._skip(entry.path, "not a file")
            return None
        if suffix in _OURS and _is_ours(entry.path, suffix):
            self._skip(entry.path, "written by extractor")
            return None
        return status.st_dev, status.st_ino

    def _skip(self, path: str, reason: SkipReason, detail: str = "") -> None:
        self._skipped.setdefault(path, Skipped(path=Path(path), reason=reason, detail=detail))


def _is_ours(path: str, suffix: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:  # said where it is read
        return False
    begins = _OURS[suffix]
    return (begins.search(head) if suffix == ".html" else begins.match(head)) is not None


def _listing(folder: str) -> list[str]:
    """The names in a folder in the order of their ids, a folder's with `/` behind it."""
    names = []
    with os.scandir(folder) as listing:
        for item in listing:
            try:
                is_folder = item.is_dir()
            except OSError:  # a link to itself
                is_folder = False
            names.append(f"{item.name}/" if is_folder else item.name)
    names.sort()  # two names may come to one id, and must come in the same order each time
    names.sort(key=id_of)
    return names


def _entries(folder: str, names: list[str]) -> Iterator[_Entry]:
    """What stands in a folder, in the order of `names`, which are let go meanwhile: there may be a hundred thousand."""
    names.reverse()
    while names:
        name = names.pop()
        plain = name.removesuffix("/")
        yield _Entry(id_of(name), plain, os.path.join(folder, plain), name != plain)  # noqa: PTH118 - a Path takes longer


def _suffix_named(names: list[str]) -> set[str]:
    """The suffix that a glob spells out: who writes `*.log` wants .log files, as if each were named."""
    last = names[-1] if names else "*"
    suffix = Path(last).suffix.lower()
    return set() if MAGIC.search(suffix or last) else {suffix}


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))
