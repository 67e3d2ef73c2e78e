"""A provider's batches, half the price within a day: files of requests go up, files of answers come down.

In: lines of requests. Out: batch states and rows of answers. Floor: llm; it speaks through the SDK that `Client` holds.
Before changing it: making a batch is the one request here that costs money, so it is never repeated before a look at the list of batches.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import IO, Any, NamedTuple, Protocol

from extractor.errors import EndpointError
from extractor.llm.endpoint import Endpoint
from extractor.llm.modes import sendable
from extractor.llm.responses import Heard, of_completion, of_status
from extractor.records import AttemptOutcome, Usage

MAX_REQUESTS = 50_000
"""Requests in one batch at most: https://platform.openai.com/docs/api-reference/batch/create, `input_file_id`."""

MAX_BYTES = 200_000_000
"""Bytes of one input file at most: "200 MB" on the same page, read as the smaller of its two meanings."""

URL = "/v1/chat/completions"
"""Of every request; a name in the provider's format, whatever the base URL."""

WINDOW = "24h"
"""The one completion window that there is."""

QUEUE_FULL = "token_limit_exceeded"
"""Error code of a batch that failed since too many tokens of the account are in the queue: nothing of it was asked."""

GIVEN_UP = "unknown to the provider"
"""Status of a batch that is no longer waited for."""

NOT_RUN = Usage(attempts=1)
"""Of a request that was not run: nothing is owed for it."""

_PAGE = 100  # batches in one page of the list, the most that the API gives
_LISTED = 100_000  # batches to look through at most, where the list does not show that older ones cannot be meant
_CREATE_TRIES = 5
_CREATE_WAIT_S = 2.0  # before a look whether a batch was made after all: the list may lag behind
_KEY = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,64})"')
_OVER = frozenset({"completed", "expired", "cancelled", "failed", GIVEN_UP})  # whatever else a provider says, answers may still come
_STATUSES = range(100, 600)  # of HTTP
_LINE_CHARS = 200  # of a line that cannot be read, in an error
_CODES: Mapping[str, AttemptOutcome] = {"batch_expired": "timeout", "batch_cancelled": "timeout", "rate_limit_exceeded": "rate_limited"}


class BatchState(NamedTuple):
    """Where a batch is."""

    id: str
    """The provider's name for it."""
    status: str
    """`completed`, `expired`, `cancelled`, `failed` or `GIVEN_UP` once it is over; else `in_progress` or a word of the provider's own."""
    total: int = 0
    """Requests in it; 0 until it is validated."""
    answered: int = 0
    """Requests with an answer."""
    refused: int = 0
    """Requests with an error."""
    files: tuple[str, ...] = ()
    """Ids of its output and error files, those that there are."""
    codes: frozenset[str] = frozenset()
    """Error codes of a batch that failed as a whole."""
    error: str = ""
    """Their messages, without secrets."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in _OVER


class Row(NamedTuple):
    """One line of an output or error file."""

    key: str
    """Its `custom_id`; "" where none can be read."""
    heard: Heard
    """What came back for that request."""
    line: str
    """The line as it was."""


class Insist(Protocol):
    """Sends a request, again while the transport fails."""

    async def __call__(self, send: Callable[[], Awaitable[Any]], what: str, *, tries: int | None = None) -> Any:
        """What `send` gives.

        Args:
            send: Sends it once.
            what: Names the request in an error.
            tries: At most so many; None for as many as the settings allow.

        Raises:
            EndpointError: It is refused, or does not get through.
        """


def may_pass(error: EndpointError) -> bool:
    """Whether an endpoint that refused may do otherwise later: it did not answer, was busy, or was broken."""
    return error.status is None or error.status == HTTPStatus.TOO_MANY_REQUESTS or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def request_line(key: str, body: Mapping[str, Any]) -> bytes:
    """One line of an input file."""
    return json.dumps({"custom_id": key, "method": "POST", "url": URL, "body": body}, ensure_ascii=False).encode() + b"\n"


class BatchFiles:
    """The files and batches of one endpoint; made by `Client.batch_files`.

    Args:
        sdk: The SDK's client.
        endpoint: Where it leads.
        insist: The client's retry policy.
        completion: Makes the SDK's unchecked completion out of a parsed body.
    """

    def __init__(self, sdk: Any, endpoint: Endpoint, insist: Insist, completion: Callable[[Mapping[str, Any]], Any]) -> None:
        self._sdk = sdk
        self._endpoint = endpoint
        self._insist = insist
        self._completion = completion
        self._uploaded_at: dict[str, int | None] = {}

    async def upload(self, file: IO[bytes]) -> str:
        """The id at the provider of an input file with the bytes of `file`; nothing is owed for it.

        Raises:
            EndpointError: It is refused, or the endpoint has no files.
        """

        async def send() -> Any:
            file.seek(0)  # the last try may have read half of it
            return await self._sdk.files.create(file=("requests.jsonl", file), purpose="batch")

        try:
            uploaded = await self._insist(send, "The requests of a batch cannot be uploaded")
        except EndpointError as error:
            if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED):
                raise
            raise EndpointError(
                f"{self._endpoint.shown!r} takes no batches ({error.status} for /files). Run without --batch.", status=error.status
            ) from error
        name = self._id(uploaded)
        self._uploaded_at[name] = _created_at(uploaded)
        return name

    async def require_file(self, file_id: str) -> None:
        """Nothing, where this key's account has an input file that an earlier process uploaded.

        Raises:
            EndpointError: It has not, with status 404, or the endpoint does not say.
        """
        try:
            found = await self._insist(lambda: self._sdk.files.retrieve(file_id), f"Input file {file_id!r} cannot be looked at")
        except EndpointError as error:
            if error.status not in (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED):
                raise
        else:
            self._uploaded_at[file_id] = _created_at(found)

    async def create(self, file_id: str) -> BatchState:
        """The batch over an input file: the one that there is, else a new one.

        Raises:
            EndpointError: It is refused, or the endpoint does not say whether it was made; a later call finds out.
        """
        for left in reversed(range(_CREATE_TRIES)):
            if found := await self._find(file_id):
                return found
            try:
                made = await self._insist(
                    lambda: self._sdk.batches.create(input_file_id=file_id, endpoint=URL, completion_window=WINDOW),
                    "The batch cannot be made",
                    tries=1,
                )
                return self._state(made)
            except EndpointError as error:
                if not (left and may_pass(error)):
                    raise
                await asyncio.sleep(_CREATE_WAIT_S)
        raise AssertionError  # the last try has returned or raised

    async def state(self, batch_id: str) -> BatchState:
        """Where a batch is now.

        Raises:
            EndpointError: It is unknown, or the endpoint does not say.
        """
        return self._state(await self._insist(lambda: self._sdk.batches.retrieve(batch_id), f"Batch {batch_id!r} cannot be looked at"))

    async def download(self, file_id: str, file: IO[bytes]) -> None:
        """Put the bytes of an output or error file into `file`, a part at a time."""

        async def send() -> None:
            file.seek(0)
            file.truncate()
            async with self._sdk.files.with_streaming_response.content(file_id) as response:
                async for part in response.iter_bytes():
                    file.write(part)

        await self._insist(send, f"The answers in file {file_id!r} cannot be fetched")

    def rows(self, file: IO[bytes]) -> Iterator[Row]:
        """The rows of a file that was fetched, one at a time, whatever its lines are."""
        file.seek(0)
        for line in file:  # at line feeds alone: JSON may hold every other line separator
            if stripped := line.strip():
                yield self._row(stripped)

    def _row(self, line: bytes) -> Row:
        text = line.decode("utf-8", "replace")
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict) or not isinstance(parsed.get("custom_id"), str):
            found = _KEY.search(line)
            begins = self._endpoint.scrub(text[:_LINE_CHARS])
            return Row(found[1].decode("utf-8", "replace") if found else "", Heard("not_json", f"Its row is broken: {begins}"), text)
        return Row(sendable(parsed["custom_id"]), self._heard(parsed.get("response"), parsed.get("error")), text)

    def _heard(self, response: Any, error: Any) -> Heard:
        if isinstance(response, Mapping):
            status, body = response.get("status_code"), response.get("body")
            if status == HTTPStatus.OK:
                return of_completion(self._endpoint, self._completion(body) if isinstance(body, dict) else body)
            if isinstance(status, int) and status in _STATUSES:
                return of_status(self._endpoint, status, {}, body)
        if isinstance(error, Mapping):
            code, message = str(error.get("code") or ""), str(error.get("message") or "")
            said = self._endpoint.scrub(f"{code}: {message}" if code else message) or "an error without a message"
            return Heard(_CODES.get(code, "server_error"), said, usage=NOT_RUN)
        return Heard("not_json", "Its row has neither an answer nor an error.")

    async def _find(self, file_id: str) -> BatchState | None:
        uploaded_at = self._uploaded_at.get(file_id)

        async def send() -> Any:
            seen = 0
            newer: int | None = None
            async for batch in self._sdk.batches.list(limit=_PAGE):
                seen += 1
                if batch.input_file_id == file_id:
                    return batch
                made_at = _created_at(batch)
                # a batch is younger than its file; that older ones follow is taken from the list itself
                ends = uploaded_at is not None and newer is not None and made_at is not None and made_at < uploaded_at and made_at < newer
                if ends:
                    return None
                if seen >= _LISTED:
                    raise EndpointError(
                        f"{self._endpoint.shown!r} lists more than {_LISTED:,} batches: whether one over {file_id!r} was made cannot be "
                        "known, and nothing is sent. A run into another folder (out / --out) asks, and perhaps pays, anew."
                    )
                newer = made_at
            return None

        found = await self._insist(send, "The list of batches cannot be read")
        return None if found is None else self._state(found)

    def _id(self, answer: Any) -> str:
        """The id of a file or a batch; without one the answer is a gateway's page, perhaps, and a later one may be right."""
        found = getattr(answer, "id", None)
        if not isinstance(found, str) or not found:
            raise EndpointError(f"{self._endpoint.shown!r} gives an answer under status 200 that names no file and no batch.")
        return found

    def _state(self, batch: Any) -> BatchState:
        name = self._id(batch)
        counts = batch.request_counts
        errors = (batch.errors.data if batch.errors else None) or []
        return BatchState(
            id=name,
            status=str(batch.status).lower(),
            total=(counts.total if counts else None) or 0,
            answered=(counts.completed if counts else None) or 0,
            refused=(counts.failed if counts else None) or 0,
            files=tuple(file for file in (batch.output_file_id, batch.error_file_id) if file),
            codes=frozenset(error.code for error in errors if error.code),
            error=self._endpoint.scrub("; ".join(error.message for error in errors if error.message)),
        )


def _created_at(answer: Any) -> int | None:
    """Unix seconds, by the provider's clock; None where it does not say."""
    found = getattr(answer, "created_at", None)
    return found if isinstance(found, int) else None
