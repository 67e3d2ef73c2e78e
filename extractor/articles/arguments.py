"""What the user named, checked before anything is read.

In: the arguments as written. Out: `Argument`s that exist, or a `UsageError` that says which do not and what was near. Floor: articles.
Before changing it: a path that exists is that path, wildcards in its name or not; only then is it a glob.
"""

import difflib
import os
import stat
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from extractor.articles.walk import MAGIC
from extractor.errors import UsageError

_FORMS = "Name a file, a folder, a quoted glob such as 'news/**/*.txt', or - for standard input."
_NAMES_COMPARED = 10_000  # names of one folder; difflib compares about that many in a tenth of a second


class Argument(NamedTuple):
    """One argument that exists."""

    given: str
    """As it was written."""
    kind: Literal["stdin", "file", "folder", "glob"]
    """What it is. `file` is whatever is there and is no folder."""
    base: str
    """The folder that ids are relative to; "" is the working folder."""
    rest: str
    """A file's name, a glob's pattern below `base`; else ""."""
    identity: tuple[int, int] = (-1, -1)
    """Device and inode of a file, which two ways to it share; (-1, -1) for all else."""


def parse_arguments(paths: Sequence[str | os.PathLike[str]]) -> list[Argument]:
    """The arguments, in their order.

    Raises:
        UsageError: There are none, or one is not there; all that are wrong are named.
    """
    if isinstance(paths, (str, bytes, os.PathLike)):  # a string is a sequence of strings, too
        raise UsageError(f"Paths are {paths!r}, a single one; give a list: [{paths!r}].")
    if not paths:
        raise UsageError(f"No path was named. {_FORMS}")
    arguments, problems = [], []
    for path in paths:
        try:
            arguments.append(_parsed(os.fspath(path)))
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return arguments


def _parsed(given: str) -> Argument:
    if given == "-":
        return Argument(given, "stdin", "", "")
    if not given:
        raise UsageError(f"Path {given!r} is empty. {_FORMS}")
    try:
        status = Path(given).stat()
    except (FileNotFoundError, NotADirectoryError):
        status = None
    except (OSError, ValueError) as error:  # ValueError: a zero byte, or characters that no file name has
        raise UsageError(f"Path {given!r} can not be looked at: {getattr(error, 'strerror', None) or error}. {_FORMS}") from error
    if status is not None:
        if stat.S_ISDIR(status.st_mode):
            return Argument(given, "folder", given, "")
        base, name = os.path.split(given)
        return Argument(given, "file", base, name, (status.st_dev, status.st_ino))
    if Path(given).is_symlink():
        raise UsageError(
            f"Path {given!r} is a link to {str(Path(given).readlink())!r}, which does not exist. Mend the link, or name the file itself."
        )
    if MAGIC.search(given):
        base, rest = _split_glob(given)
        if Path(base).is_dir():
            return Argument(given, "glob", base, rest)
        raise UsageError(f"No folder {base!r} for the glob {given!r}{_near(base)}")
    raise UsageError(f"No such file or folder: {given!r}{_near(given)}")


def _split_glob(given: str) -> tuple[str, str]:
    names = given.split("/")
    first = next(number for number, name in enumerate(names) if MAGIC.search(name))
    base = "/".join(names[:first])
    return ("/" if given.startswith("/") and not base else base), "/".join(names[first:])


def _near(given: str) -> str:
    """The rest of the sentence: which part of `given` is missing, and what stands there under a similar name."""
    path = Path(given)
    there = next((parent for parent in path.parents if parent.exists()), Path())
    missing, *below = path.relative_to(there).parts or (".",)
    if not there.is_dir():
        return f": {str(there)!r} is a file, not a folder. {_FORMS}"
    try:
        with os.scandir(there) as listing:
            names = {entry.name.lower(): entry.name for entry in islice(listing, _NAMES_COMPARED)}
    except OSError as error:
        return f": {str(there)!r} can not be listed ({error.strerror}). {_FORMS}"
    said = f" (there is no {missing!r} in {str(there)!r})" if below or there != Path() else ""
    close = [names[name] for name in difflib.get_close_matches(missing.lower(), sorted(names), n=3)]
    if not close:
        return f"{said}. {_FORMS}"
    return f"{said}; did you mean {' or '.join(repr(str(there.joinpath(name, *below))) for name in close)}?"
