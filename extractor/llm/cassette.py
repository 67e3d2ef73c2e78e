"""Cassettes: what was asked and answered over HTTP, recorded per article and played back without a network; the only file that imports vcr.

In: a folder, and the requests that pass while it is open. Out: one readable file per article, a manifest, and on replay the same answers.
Floor: llm.
Before changing it: vcr patches every HTTP library of the process, so one folder is open at a time; which article a request belongs to is
known from a context variable, so a request from a task or thread that was started outside `article()` is refused, not guessed.
Host and API prefix are never part of a request's identity nor of a file: a private base URL is a secret, and any endpoint may replay.

Other HTTP calls that the process makes meanwhile pass through here as well: inside `article()` they are recorded and played like any other,
outside it they are refused with a `BugError`. A service that has other things to fetch records and replays in a process of its own.
"""

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr, ValidationError

from extractor.errors import BugError, CassetteMiss, LedgerError, SettingsError, UsageError
from extractor.llm.cassette_wire import FIRST_UNANSWERED, body_of, digest_of, endpoint_path, explain_miss, kept
from extractor.llm.cassette_yaml import DamagedError, Interaction, dump, file_name, load
from extractor.records import Record
from extractor.settings import Settings

Mode = Literal["record", "replay"]
"""`record` asks the endpoint and keeps the answers; `replay` gives recorded answers and asks nobody."""

# --- the manifest ----------------------------------------------------------------------------------------------------------------

MANIFEST = "manifest.json"
"""Beside the cassettes, which end in `.yaml`: no article's file can have this name."""

_MANIFEST_FORMAT = "extractor cassettes"
_MANIFEST_VERSION = 1
_DEFAULTS = Settings()
_SHAPE = ("model", "temperature", "max_output_tokens", "part_chars", "repairs")  # settings that shape a request, or what is asked
_UNUSED_KEY = SecretStr("not-used")  # replaying sends nothing


class Manifest(Record):
    """How the cassettes of a folder were recorded: a replay asks in exactly this way."""

    model: str
    """As it stands in the requests."""
    mode: str | None
    """How the schema travelled, such as `json_schema/strict`; None when no call had chosen one."""
    fact_types: tuple[str, ...]
    """Registered names, in catalogue order."""
    prompts: tuple[str, ...]
    """Template and version, such as `extract.v1`."""
    fingerprints: Mapping[str, str] = {}
    """Fingerprint of each fact type's schema, by registered name: tells which type has changed since."""
    temperature: float | None = _DEFAULTS.temperature
    """As `Settings.temperature`."""
    max_output_tokens: int | None = _DEFAULTS.max_output_tokens
    """As `Settings.max_output_tokens`."""
    part_chars: int = _DEFAULTS.part_chars
    """As `Settings.part_chars`, in code points."""
    repairs: int = _DEFAULTS.repairs
    """As `Settings.repairs`."""

    def asked(self, settings: Settings) -> Settings:
        """`settings` with what shapes a request as it was recorded, and a key where there is none: nobody is asked."""
        shape = {name: getattr(self, name) for name in _SHAPE}
        return settings.model_copy(update={**shape, "api_key": settings.api_key or _UNUSED_KEY})

    def told_otherwise(self, settings: Settings) -> str | None:
        """What `settings` was given outright and `asked` leaves aside, with what holds instead, in a sentence; None for nothing."""
        given = ((name, getattr(self, name), getattr(settings, name)) for name in _SHAPE if name in settings.model_fields_set)
        left = [f"{name} is {recorded!r} and not {other!r}" for name, recorded, other in given if recorded != other]
        return f"A replay asks as it was recorded: {', '.join(left)}." if left else None


def read_manifest(folder: Path) -> Manifest:
    """How the cassettes in `folder` were recorded.

    Raises:
        UsageError: There is none, it cannot be read, it is not ours, or a newer version wrote it.
    """
    path = folder / MANIFEST
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"No cassettes in {str(folder)!r}: it has no {MANIFEST}. "
            f"Record some with record / --record {folder} (pytest: --extractor-record), or name another folder."
        ) from None
    except (OSError, ValueError) as unreadable:
        raise UsageError(f"Cannot read {str(path)!r} ({unreadable}). Restore it, or record again.") from unreadable
    if not isinstance(value, dict) or value.pop("format", None) != _MANIFEST_FORMAT:
        raise UsageError(
            f"{str(path)!r} is not a manifest of cassettes (no format {_MANIFEST_FORMAT!r}). Name a folder made with record / --record."
        )
    version = value.pop("version", None)
    if version != _MANIFEST_VERSION:
        raise UsageError(f"{str(path)!r} has version {version!r}, this extractor reads {_MANIFEST_VERSION}. Upgrade it, or record again.")
    try:
        return Manifest.model_validate(value)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{str(path)!r} is damaged at {where!r}: {first['msg']}. Restore it, or record again.") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Keep `manifest` in `folder`, which is made where it is missing; the file is replaced whole or not at all.

    Raises:
        LedgerError: The disk is full or the folder cannot be written.
    """
    value = {"format": _MANIFEST_FORMAT, "version": _MANIFEST_VERSION, **manifest.model_dump(mode="json")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / MANIFEST, json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    except OSError as failure:
        raise _unwritable(folder / MANIFEST, failure) from failure


# --- a folder of cassettes -------------------------------------------------------------------------------------------------------

_ARTICLE: ContextVar[str] = ContextVar("extractor_cassette_article")
_PATCHED = threading.Lock()  # the HTTP libraries are the process's own, so is the right to patch them


class Unplayed(NamedTuple):
    """What a replay left aside; false when everything was played."""

    interactions: Mapping[str, tuple[int, ...]]
    """Numbers of the interactions (from 1, as in the file) that nothing asked for, by article id."""
    files: tuple[str, ...]
    """Names of the files that were never opened, sorted; while recording, those of articles that this run did not ask about."""

    def __bool__(self) -> bool:
        return bool(self.interactions or self.files)


class _Ticket(NamedTuple):
    """One request, placed."""

    article_id: str
    digest: str
    number: int
    """Record: its place in the order of issue. Replay: the interaction that answers it."""


class _Shelf:
    """The interactions of one article, while somebody asks about it."""

    def __init__(self, interactions: Iterable[Interaction] = ()) -> None:
        self.rows: dict[int, Interaction] = {}
        self.numbers: dict[str, list[int]] = {}  # by digest, in the order of issue: the lookup that does not grow
        self.issued = 0
        self.users = 0
        self.unsaved = False
        for row in interactions:
            self._put(digest_of(row.method, row.uri, row.sent), self.issue(), row)

    def issue(self) -> int:
        """The next number: taken when a request is sent, since answers come in any order and files must not be reshuffled."""
        self.issued += 1
        return self.issued - 1

    def answer(self, digest: str, number: int, row: Interaction) -> None:
        """Keep a new row; an earlier error or redirect of the same request gives it its place: the client asked again because of it."""
        same = self.numbers.get(digest, [])
        failed = [earlier for earlier in same if self.rows[earlier].status >= FIRST_UNANSWERED]
        for earlier in failed:
            same.remove(earlier)
            del self.rows[earlier]
        self._put(digest, min([number, *failed]), row)
        self.unsaved = True

    def _put(self, digest: str, number: int, row: Interaction) -> None:
        self.rows[number] = row
        self.numbers.setdefault(digest, []).append(number)


class Cassettes:
    """An open folder of cassettes; made by `cassettes()`."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        self.folder = folder
        self.mode = mode
        self._lock = threading.RLock()
        self._shelves: dict[str, _Shelf] = {}
        self._recorded: set[str] = set()  # articles whose file is this run's own
        self._played: dict[str, bytearray] = {}  # a flag per interaction of each article seen: survives leaving and coming back
        self._opened: set[str] = set()  # file names

    @contextmanager
    def article(self, article_id: str) -> Iterator[None]:
        """Requests made inside belong to `article_id`, those of tasks started inside too; its file is written at the end.

        May be entered again, and by several tasks at a time. While recording, what this run was answered replaces the file of an earlier
        run; what an earlier entry of this run recorded is kept, and without any answer the file stays as it is.

        Raises:
            UsageError: Its cassette is damaged.
            LedgerError: The disk is full or the folder cannot be written. Where the body raises too, its error goes first and this one
                comes when the folder is closed.
        """
        with self._lock:
            self._shelf(article_id).users += 1
        token = _ARTICLE.set(article_id)
        done = False
        try:
            yield
            done = True
        finally:
            with suppress(ValueError):  # left in another context than it was entered in, as abandoned generators are
                _ARTICLE.reset(token)
            self._leave(article_id, quiet=not done)

    def unplayed(self) -> Unplayed:
        """What this run has not asked for, up to now."""
        with self._lock:
            rows = {article_id: tuple(n for n, played in enumerate(flags, 1) if not played) for article_id, flags in self._played.items()}
            files = {path.name for path in self.folder.glob("*.yaml")} - self._opened
        return Unplayed({article_id: numbers for article_id, numbers in sorted(rows.items()) if numbers}, tuple(sorted(files)))

    def _shelf(self, article_id: str) -> _Shelf:
        """The article's shelf, out of its file where there is one to go on from."""
        shelf = self._shelves.get(article_id)
        if shelf is None:
            found = self._read(article_id) if self.mode == "replay" or article_id in self._recorded else ()
            shelf = self._shelves[article_id] = _Shelf(found)
            if self.mode == "replay":
                self._played.setdefault(article_id, bytearray(len(shelf.rows)))
        return shelf

    def _read(self, article_id: str) -> tuple[Interaction, ...]:
        path = self.folder / file_name(article_id)
        self._opened.add(path.name)
        try:
            recorded = load(path.read_bytes().decode("utf-8"))
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError, DamagedError) as damage:
            raise UsageError(f"The cassette {str(path)!r} cannot be read: {damage}. Restore it, or record the article again.") from damage
        if recorded.article_id != article_id:
            raise UsageError(
                f"The cassette {str(path)!r} should hold article {article_id!r}, it holds {recorded.article_id!r}. Record it again."
            )
        return recorded.interactions

    def _leave(self, article_id: str, *, quiet: bool) -> None:
        with self._lock:
            shelf = self._shelves[article_id]
            shelf.users -= 1
            if shelf.users:
                return
            try:
                self._save(article_id)
            except LedgerError:
                if not quiet:
                    raise
                # the body's own error goes first; the rows stay and _close tries again

    def _save(self, article_id: str) -> None:
        """Write the article's file where something is new, and forget its rows."""
        shelf = self._shelves[article_id]
        if shelf.unsaved:
            path = self.folder / file_name(article_id)
            try:
                _replace(path, dump(article_id, [row for _, row in sorted(shelf.rows.items())]))
            except OSError as failure:
                raise _unwritable(path, failure) from failure
            self._recorded.add(article_id)
            self._opened.add(path.name)
            shelf.unsaved = False
        if not shelf.users:
            del self._shelves[article_id]

    def _close(self) -> None:
        """Write what is still unwritten: articles in flight, and those whose file could not be written before."""
        failures: list[LedgerError] = []
        with self._lock:
            for article_id in list(self._shelves):
                try:
                    self._save(article_id)
                except LedgerError as failure:
                    failures.append(failure)
        if failures:
            raise failures[0]

    # the three questions vcr asks, in this order, with the same request object

    def _plays(self, request: Any) -> bool:
        """Whether a recorded answer will be given. Places the request, once however often it is asked."""
        if not hasattr(request, "extractor_ticket"):
            request.extractor_ticket = self._place(request)
        return self.mode == "replay"

    def _place(self, request: Any) -> _Ticket:
        article_id = _ARTICLE.get(None)
        if article_id is None:
            raise BugError(
                f"{request.method} {endpoint_path(request.uri)} was asked outside `article()` with cassettes open ({self.mode}). Enter "
                "`article(id)` in the task that asks: tasks started before it and threads of an executor do not see it."
            )
        body = body_of(request)
        digest = digest_of(request.method, request.uri, body)
        with self._lock:
            shelf = self._shelf(article_id)
            if self.mode == "record":
                return _Ticket(article_id, digest, shelf.issue())
            played = self._played[article_id]
            same = shelf.numbers.get(digest, [])
            for number in same:
                if not played[number]:
                    played[number] = 1
                    return _Ticket(article_id, digest, number)
            raise CassetteMiss(explain_miss(article_id, request, body, shelf.rows, played=len(same)), article_id=article_id)

    def _answer(self, request: Any) -> dict[str, Any]:
        """The recorded answer, as vcr wants it."""
        ticket: _Ticket = request.extractor_ticket
        with self._lock:
            row = self._shelf(ticket.article_id).rows[ticket.number]
        headers: dict[str, list[str]] = {}
        for name, value in row.headers:
            headers.setdefault(name, []).append(value)
        return {"status": {"code": row.status, "message": row.reason}, "headers": headers, "body": {"string": row.answer}}

    def _keep(self, request: Any, response: Mapping[str, Any]) -> None:
        """Record an answer."""
        if not hasattr(request, "extractor_ticket"):  # the hops of a redirect come without having been asked about
            request.extractor_ticket = self._place(request)
        ticket: _Ticket = request.extractor_ticket
        row = kept(request, response)
        with self._lock:
            shelf = self._shelf(ticket.article_id)
            shelf.answer(ticket.digest, ticket.number, row)
            if not shelf.users:  # a late answer, whose article has been left
                self._save(ticket.article_id)


@contextmanager
def cassettes(folder: Path, mode: Mode) -> Iterator[Cassettes]:
    """Record every request into `folder`, or answer every request out of it, for as long as the block lasts.

    Recording asks everything anew and makes the folder; replaying opens no socket. One per process at a time.

    Raises:
        UsageError: Another one is open in this process, or there is no such folder to replay from.
        SettingsError: `folder` cannot be written, found before anything is asked.
        LedgerError: At the end, when files could not be written; added as a note where the block raises an error of its own.
    """
    if not _PATCHED.acquire(blocking=False):
        raise UsageError("Cassettes are open already, and they take every HTTP request of the process. Close them, or use another process.")
    try:
        _check(folder, mode)
        tapes = Cassettes(folder, mode)
        try:
            with _patched(tapes):
                yield tapes
        except BaseException as error:
            try:
                tapes._close()  # noqa: SLF001 - its maker, in the same file
            except LedgerError as lost:
                error.add_note(str(lost))
            raise
        tapes._close()  # noqa: SLF001
    finally:
        _PATCHED.release()


@contextmanager
def _patched(tapes: Cassettes) -> Iterator[None]:
    """Let every HTTP library of the process ask `tapes`."""
    # here, since vcr costs half a second to import and most runs need none
    from vcr.cassette import Cassette  # type: ignore[import-untyped]
    from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

    class Tape(Cassette):  # type: ignore[misc]
        """vcr's cassette with its linear list of interactions replaced by ours."""

        write_protected = False  # else vcr compares a miss with every interaction, to write a message of its own

        def _load(self) -> None:
            self.rewound = True

        def _save(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - vcr's signature
            """Nothing: an error here would leave the HTTP libraries patched, so files are written elsewhere."""

        def filter_request(self, request: Any) -> Any:
            return request

        def can_play_response_for(self, request: Any) -> bool:
            return tapes._plays(request)  # noqa: SLF001 - one thing in two classes, since vcr is imported late

        def play_response(self, request: Any) -> dict[str, Any]:
            return tapes._answer(request)  # noqa: SLF001

        def append(self, request: Any, response: Mapping[str, Any]) -> None:
            tapes._keep(request, response)  # noqa: SLF001

    record_mode = RecordMode.ALL if tapes.mode == "record" else RecordMode.NONE
    with Tape.use(path=str(tapes.folder), record_mode=record_mode):
        yield


# --- files -----------------------------------------------------------------------------------------------------------------------


def _check(folder: Path, mode: Mode) -> None:
    if mode == "replay":
        if not folder.is_dir():
            raise UsageError(
                f"No cassettes at {str(folder)!r}: it is not a folder. "
                f"Record some with record / --record {folder} (pytest: --extractor-record), or name another one."
            )
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        _replace(probe, "")  # now, before the first answer is paid for
        probe.unlink()
    except OSError as failure:
        raise SettingsError(
            f"Cannot record into {str(folder)!r} ({failure.strerror or failure}). Name a folder that can be written."
        ) from failure


def _replace(path: Path, text: str) -> None:
    """Write the file whole or not at all: a reader, or the next run after a crash, never sees a part of it."""
    new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        new.write_bytes(text.encode("utf-8"))
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _unwritable(path: Path, failure: OSError) -> LedgerError:
    why = failure.strerror or failure
    return LedgerError(f"Cannot write {str(path)!r} ({why}): its answers are lost. Make room or change permissions, then record again.")
