"""What a user names becomes a stream of sources, each with an id of its own.

In: files, folders, globs and `-`. Out: `Source`s in a fixed order, and a list of what was skipped. Floor: articles.
Before changing it: ids are keys of the ledger and names of cassettes, so the same arguments over the same files must give the same ids.

The rules of ids:

- An id is the POSIX path below the argument: a file's name; the path inside a folder; for a glob, the path below the folder that
  its first wildcard stands in. Standard input is `stdin`, to which `read` adds its text's fingerprint.
- Arguments are read in their order, and each by id. An id that an earlier source has is made longer by folders above its argument,
  the nearest first, until it is new: `a/news b/news` with `x.txt` in both gives `x.txt` and `news/x.txt`.
- One file is one source, however many arguments, links or names lead to it: the first one counts.
- Bytes that are not UTF-8, control characters and line separators are percent-encoded, and so is `%` in such a name: every id is one
  line of UTF-8.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from extractor.articles.arguments import Argument, parse_arguments
from extractor.articles.formats import SUPPORTED
from extractor.articles.walk import Found, Pattern, Skipped, describe_skipped, id_of, walk
from extractor.errors import UsageError
from extractor.records import Record

STDIN_ID = "stdin"
"""The id of what comes in through standard input."""


class Source(Record):
    """One file, or standard input, that `read` can be given."""

    id: str
    """Unique in a run; the id of its article, where it holds one."""
    path: Path | None
    """How to open it, relative to the working folder as the argument was; None is standard input."""


class Discovery(Iterator[Source]):
    """The sources, in order; it can be gone through once. Made by `discover`."""

    def __init__(self, arguments: Sequence[Argument]) -> None:
        self._skipped: dict[str, Skipped] = {}
        self._read: dict[int, str] = {}
        self._bases: dict[str, str] = {}
        # below one folder two paths come to one id only where bytes were percent-encoded: no other id needs to be remembered
        self._only_base = os.path.join(arguments[0].base, "") if len(arguments) == 1 and arguments[0].base else None  # noqa: PTH118
        # Standard input has no folder to be told apart by, so its id is taken first
        self._ids = {STDIN_ID: "-"} if any(argument.kind == "stdin" for argument in arguments) else {}
        # One file of each argument is looked for now: an empty folder is said before anything is read
        streams = [(argument, self._found(argument)) for argument in arguments]
        firsts = [next(found, None) for _, found in streams]
        empty = [self._nothing(argument) for (argument, _), first in zip(streams, firsts, strict=True) if first is None]
        if empty:
            raise UsageError("\n".join(empty))
        self._sources = chain.from_iterable(
            self._claimed(argument, chain([first], found))
            for (argument, found), first in zip(streams, firsts, strict=True)
            if first is not None
        )

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was passed over so far, each path once; complete when the sources are at their end."""
        return tuple(self._skipped.values())

    def __next__(self) -> Source:
        return next(self._sources)

    def _found(self, argument: Argument) -> Iterator[Found]:
        if argument.kind == "stdin":
            yield Found(STDIN_ID, "-", argument.identity)
        elif argument.kind == "file":
            yield Found(id_of(argument.rest), argument.given, argument.identity)
        else:
            yield from walk(argument.base, Pattern(argument.rest), self._skipped)

    def _claimed(self, argument: Argument, found: Iterator[Found]) -> Iterator[Source]:
        for file in found:
            device, inode = file.identity
            mark = device << 64 | inode  # one number: a pair takes three times its memory, and there may be a hundred thousand
            first = self._read.get(mark)
            if first is None:
                is_stdin = argument.kind == "stdin"
                found_id = self._read[mark] = STDIN_ID if is_stdin else self._new_id(argument, file)
                yield Source(id=found_id, path=None if is_stdin else Path(file.path))
                continue
            first = self._path_of(first)
            # Overlapping arguments lead to the same path and are no news; a link or a second name is
            if _absolute(first) != _absolute(file.path):
                row = Skipped(path=Path(file.path), reason="read already", detail=f"the same file as {first!r}")
                self._skipped.setdefault(file.path, row)

    def _new_id(self, argument: Argument, file: Found) -> str:
        found_id = file.id
        folders: list[str] | None = None
        while found_id in self._ids:
            if folders is None:
                folders = list(_absolute(argument.base).relative_to(_absolute(argument.base).anchor).parts)
            if not folders:
                other = self._path_of(found_id)
                raise UsageError(f"Files {other!r} and {file.path!r} would both be article {file.id!r}. Rename one, or run them apart.")
            found_id = f"{id_of(folders.pop())}/{found_id}"
        base = self._bases.setdefault(argument.base, os.path.join(argument.base, ""))  # noqa: PTH118 - it must end with a separator
        # of a hundred thousand paths, most are their folder's and their id: kept so, they take no memory of their own
        kept = base if base and base + found_id == file.path else file.path
        if self._only_base is None or kept is not base or "%" in found_id:
            self._ids[found_id] = kept
        return found_id

    def _path_of(self, found_id: str) -> str:
        kept = self._ids.get(found_id, self._only_base or "")
        return kept + found_id if kept.endswith(os.sep) else kept

    def _nothing(self, argument: Argument) -> str:
        what = "Folder" if argument.kind == "folder" else "Glob"
        return (
            f"{what} {argument.given!r} leads to no article: looked for {SUPPORTED} there and in the folders below "
            f"({describe_skipped(self.skipped)}). A file of another suffix can be named outright, and is read if it is text."
        )


def _absolute(path: str) -> Path:
    # Not resolve(): a link keeps the name under which the user knows it
    return Path(os.path.normpath(Path(path).absolute()))


def discover(paths: Sequence[str | os.PathLike[str]]) -> Discovery:
    """The sources that `paths` lead to, lazily, in the same order each time; its `skipped` says what was passed over.

    In folders, what is hidden (a leading dot), has a suffix without a format or was written by extractor is skipped; a file that is named
    outright never is.

    Args:
        paths: Files, folders (with all below), globs (`**` for any folders) or `-` for standard input.

    Raises:
        UsageError: A path does not exist, or a folder or glob leads to no article; all arguments are checked before a source is given.
            Also, while sources are given: two files can not be told apart by any folder's name.
    """
    return Discovery(parse_arguments(paths))
