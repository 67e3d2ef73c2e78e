"""Every error this package raises, on the ground floor.

ExtractorError
├── UsageError            the caller's move: a path that does not exist, an unknown fact type, two options that exclude each other
│   └── SchemaError       a fact type that breaks a rule of this package, or a file that holds none
├── SettingsError         no key, no endpoint, a value out of bounds
├── ArticleError          this input cannot be read; the run goes on
├── ModelError            one article's call failed (refused, cut, unparsable, timed out); the run goes on
├── EndpointError         the endpoint refuses everything (401, 403, 404, quota); the run stops, resumable
├── LimitReached          a limit of the run (calls, money) is reached; the run stops, resumable
├── CassetteMiss          replaying, and the request is not recorded
├── LedgerError           the run folder is locked, full, read-only or not ours
└── BugError              ours

Before changing it: each message says what happened, the value, what was expected and the next move; each error survives pickle.
"""

import functools
from typing import Any


class ExtractorError(Exception):
    """The root: catch this to catch everything this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls cls(*args), which loses keyword-only attributes; workers send errors by pickle
        return functools.partial(_rebuild, type(self)), (self.args, self.__dict__)


def _rebuild(kind: type[ExtractorError], args: tuple[Any, ...], state: dict[str, Any]) -> ExtractorError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(ExtractorError):
    """The call itself is wrong; nothing was asked."""


class SchemaError(UsageError):
    """A fact type breaks a rule, is unknown, or its file cannot be loaded; nothing was asked."""


class SettingsError(ExtractorError):
    """A setting is missing or out of bounds; nothing was asked."""


class ArticleError(ExtractorError):
    """One input cannot be read as an article; the others are not concerned."""


class ModelError(ExtractorError):
    """One article got no usable answer.

    Attributes:
        outcome: Name of what happened, one of `records.AttemptOutcome`; `unreadable` for what was no article.
    """

    def __init__(self, message: str, *, outcome: str = "unparsable") -> None:
        super().__init__(message)
        self.outcome = outcome


class EndpointError(ExtractorError):
    """The endpoint refuses every request: wrong key, no permission, no such model or path, quota used up.

    Attributes:
        status: HTTP status, or None where nothing answered.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class LimitReached(ExtractorError):  # noqa: N818 - it is a stop that the user asked for, not a fault
    """A limit that the user set is reached; what is done is kept and the same command goes on."""


class CassetteMiss(ExtractorError):  # noqa: N818 - the field's word: a miss
    """Replaying, and this request is not in the cassettes.

    Attributes:
        article_id: The article whose request it was.
    """

    def __init__(self, message: str, *, article_id: str = "") -> None:
        super().__init__(message)
        self.article_id = article_id


class LedgerError(ExtractorError):
    """The run folder cannot be used: locked by another run, full, read-only, damaged or of a newer version."""


class BugError(ExtractorError):
    """Something that cannot happen did: please report it with the message."""
