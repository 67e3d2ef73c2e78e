"""The door to optional libraries: an import that names its extra, and their failures as ours.

In: a module's name, a block that calls into it. Out: the module; `ArticleError`s. Floor: articles.
Before changing it: such libraries are imported when a file needs them and never before; what they raise on a hostile file is unknowable,
so here, and only here, every exception is caught.
"""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from extractor.errors import ArticleError, ExtractorError

_REASON_CHARS = 200  # of a vendor's message: some quote the file


def load(module: str, *, extra: str, kind: str, label: str) -> ModuleType:
    """The module, imported now.

    Its log is silenced unless the program listens to it: what it has to say about a file is in our errors and origins.

    Args:
        module: As in an import statement; a submodule is given itself.
        extra: The extra of this package that brings it.
        kind: What it reads, such as `PDF`.
        label: The file, as messages name it.

    Raises:
        ArticleError: It is not installed. The run goes on: a folder may hold other formats as well.
    """
    try:
        found = importlib.import_module(module)
    except ImportError as error:  # also where it is there and one of its own parts is not
        raise ArticleError(
            f'{label} can not be read ({error}). Reading {kind} needs the {extra!r} extra: pip install "grounded-fact-extractor[{extra}]"'
        ) from error
    logger = logging.getLogger(module.partition(".")[0])
    if not logger.handlers:  # without one, Python prints warnings to stderr
        logger.addHandler(logging.NullHandler())
    return found


@contextmanager
def guarded(label: str, kind: str, advice: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into one `ArticleError`; our own errors pass.

    Args:
        label: The file, as messages name it.
        kind: What it was read as, such as `a PDF document`.
        advice: The next move, a sentence.
    """
    try:
        yield
    except ExtractorError:
        raise
    except Exception as error:  # parsers of others fail on broken files in every way: KeyError, RecursionError, …
        reason = " ".join(str(error).split())[:_REASON_CHARS]
        said = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
        raise ArticleError(f"{label} is not readable as {kind} ({said}). {advice}") from error
