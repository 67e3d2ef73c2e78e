"""An endpoint on this machine that answers as it is told.

In: a function from request body to answer. Out: an OpenAI-compatible HTTP server on loopback. Floor: testing, beside cli.
Before changing it: it speaks real HTTP over real sockets, since the SDK's transports cannot be patched by the usual mocks, and it
imports nothing but the standard library and our errors, so that a test file that imports it stays cheap.
"""

import contextlib
import ipaddress
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from extractor.errors import UsageError

_THREADS = 256
"""Connections served at a time; one more is refused, so that a runaway test cannot take the machine."""

_JOIN_S = 5.0
"""Seconds that closing waits for a connection's thread; none needs more, since closing wakes all waits."""

_CHARS_PER_TOKEN = 4  # the usual rule of thumb for English


class Raw(NamedTuple):
    """A response given byte for byte."""

    body: bytes | str | Mapping[str, Any] = b""
    """A mapping is sent as JSON, a text as UTF-8."""
    status: int = 200
    """HTTP status."""
    headers: Mapping[str, str] = {}
    """Beside content-length and, unless given, content-type `application/json`."""
    delay_s: float = 0.0
    """Seconds before the first byte."""


FaultKind = Literal["drop", "half", "reset", "hang", "drip"]


class Fault(NamedTuple):
    """A response that goes wrong on the wire."""

    kind: FaultKind
    """`drop`: closed without a byte. `half`: closed in the middle of the body. `reset`: the same with a TCP reset.
    `hang`: headers, then nothing. `drip`: one byte of the body at a time."""
    every_s: float = 0.05
    """Seconds between the bytes of a drip."""


Answer = dict[str, Any] | str | Raw | Fault
"""A dict is the answer's JSON object and a str its text, both wrapped into the completion or message that fits the request."""


class LoopbackEndpoint:
    """An OpenAI-compatible endpoint on loopback, for `with`: it is up on entry, and gone with all its threads on exit.

    ```python
    with LoopbackEndpoint(lambda request: {"weapons_transfer": []}) as endpoint:
        extractor = Extractor([WeaponsTransfer], base_url=endpoint.base_url, model="any")
    ```

    Args:
        answer: Called with each request's parsed body, in the thread of its connection; what it raises is answered with status 500
            and raised again on exit.
        host: A loopback address to bind; the port is free and chosen by the system.

    Attributes:
        requests: Parsed request bodies, in order of arrival.
        times: `time.monotonic()` at each arrival.
        headers: Request headers by lower-case name, in order of arrival.

    Raises:
        UsageError: `host` is no loopback address.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], Answer], *, host: str = "127.0.0.1") -> None:
        try:
            loopback = ipaddress.IPv4Address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise UsageError(f"Host {host!r} is no IPv4 loopback address; expected one such as '127.0.0.1'.")
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.headers: list[dict[str, str]] = []
        self._answer = answer
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._errors: list[Exception] = []
        self._server = _Server((host, 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, name="loopback", daemon=True)

    @property
    def base_url(self) -> str:
        """Such as `http://127.0.0.1:40123/v1`; nothing is answered outside it."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join(_JOIN_S)
        self._server.server_close()
        if error is None and self._errors:
            raise self._errors[0]

    def _respond(self, path: str, request: dict[str, Any], headers: dict[str, str]) -> Raw | Fault:
        if not path.startswith("/v1/"):
            return Raw({"error": {"message": f"nothing at {path}; this endpoint answers under {self.base_url}"}}, 404)
        with self._lock:
            self.requests.append(request)
            self.times.append(time.monotonic())
            self.headers.append(headers)
        try:
            answer = self._answer(request)
            if isinstance(answer, (Raw, Fault)):
                return answer
            return Raw((message if path.endswith("/messages") else completion)(request, answer))
        except Exception as error:  # noqa: BLE001 - whatever the test's function raises belongs to the test, on exit
            self._errors.append(error)
            return Raw({"error": {"message": f"the test's answer raised {error!r}"}}, 500)


def completion(
    request: Mapping[str, Any],
    answer: Mapping[str, Any] | str,
    *,
    finish_reason: str = "stop",
    refusal: str | None = None,
    usage: bool = True,
) -> dict[str, Any]:
    """The chat completion that carries `answer` back to `request`: as a tool's arguments where it offers tools, else as content.

    Args:
        request: The parsed request body.
        answer: The JSON object, or a text to be sent as it is.
        finish_reason: `stop`, `length`, `content_filter`, …
        refusal: The model's words of refusal; the answer is then left out.
        usage: Whether to report tokens, counted roughly.
    """
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if refusal is not None:
        message |= {"content": None, "refusal": refusal}
    elif tools := request.get("tools"):
        function = {"name": tools[0]["function"]["name"], "arguments": text}
        message |= {"content": None, "tool_calls": [{"id": "call_0", "type": "function", "function": function}]}
    sent = sum(len(str(part.get("content", ""))) for part in request.get("messages", [])) // _CHARS_PER_TOKEN
    written = len(text) // _CHARS_PER_TOKEN + 1
    counted = {
        "prompt_tokens": sent,
        "completion_tokens": written,
        "total_tokens": sent + written,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    return {
        "id": "chatcmpl-loopback",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
    } | ({"usage": counted} if usage else {})


def message(request: Mapping[str, Any], answer: Mapping[str, Any] | str, *, stop_reason: str | None = None) -> dict[str, Any]:
    """The same as `completion` in Anthropic's way: as a tool's input where the request offers tools and `answer` is an object.

    Args:
        request: The parsed request body.
        answer: The JSON object, or a text to be sent as it is.
        stop_reason: `tool_use`, `end_turn`, `max_tokens`, `refusal`, …; None is what fits the answer.
    """
    is_tool = not isinstance(answer, str) and bool(request.get("tools"))
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    used = {"type": "tool_use", "id": "toolu_0", "name": request["tools"][0]["name"], "input": answer} if is_tool else None
    sent = len(json.dumps([request.get("system"), request.get("messages")])) // _CHARS_PER_TOKEN
    return {
        "id": "msg_loopback",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", ""),
        "content": [used or {"type": "text", "text": text}],
        "stop_reason": stop_reason or ("tool_use" if is_tool else "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": sent, "output_tokens": len(text) // _CHARS_PER_TOKEN + 1},
    }


def mode_of(request: Mapping[str, Any]) -> str:
    """How a request carries its schema, by the names that `Attempt.mode` uses: `json_schema/strict`, `md_json` and so on."""
    if tools := request.get("tools"):
        return "tools/strict" if tools[0].get("function", {}).get("strict") else "tools"
    form = request.get("response_format") or {}
    if form.get("type") == "json_schema":
        return "json_schema/strict" if form["json_schema"].get("strict") else "json_schema"
    return "json" if form.get("type") == "json_object" else "md_json"


class _Server(HTTPServer):
    """One thread per connection, at most `_THREADS`, all of them gone after `server_close`."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], endpoint: LoopbackEndpoint) -> None:
        self.endpoint = endpoint
        self.closing = endpoint._closing  # noqa: SLF001 - two halves of one thing
        self._open: dict[threading.Thread, socket.socket] = {}
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            if len(self._open) >= _THREADS:
                self.shutdown_request(request)
                return
            thread = threading.Thread(target=self._serve, args=(request, client_address), name="loopback-connection", daemon=True)
            self._open[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            with contextlib.suppress(OSError):  # the client went away, or closing ended the wait
                self.finish_request(request, client_address)
        finally:
            with self._guard:
                self._open.pop(threading.current_thread(), None)
                self.shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._guard:
            left = dict(self._open)
            for connection in left.values():  # wakes a thread that waits for the next request of an open connection
                with contextlib.suppress(OSError):  # closed already
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in left:
            thread.join(_JOIN_S)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Keeps quiet: the test looks at `requests`."""

    def do_POST(self) -> None:
        """Reads one request and sends its answer."""
        length = int(self.headers.get("content-length") or 0)
        data = self.rfile.read(length)
        if len(data) < length:  # the client went away in the middle of its request
            self.close_connection = True
            return
        answer = self.server.endpoint._respond(self.path, json.loads(data), {k.lower(): v for k, v in self.headers.items()})  # noqa: SLF001
        if isinstance(answer, Fault):
            self._go_wrong(answer)
            return
        body = answer.body if isinstance(answer.body, bytes) else _text(answer.body).encode("utf-8", "surrogatepass")
        if answer.delay_s and self.server.closing.wait(answer.delay_s):
            self.close_connection = True
            return
        self._head(answer.status, answer.headers, len(body))
        self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str], length: int) -> None:
        given = {name.lower(): value for name, value in headers.items()}
        self.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": str(length)} | given).items():
            self.send_header(name, value)
        self.end_headers()

    def _go_wrong(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.kind == "drop":
            return
        body = _text(completion({}, "{}" + " " * 1000)).encode()
        self._head(200, {}, len(body))
        if fault.kind == "drip":
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.server.closing.wait(fault.every_s):
                    return
        elif fault.kind == "hang":
            self.server.closing.wait()
        else:
            self.wfile.write(body[: len(body) // 2])
            if fault.kind == "reset":
                # a linger time of 0 makes the kernel send RST where it would send FIN
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _text(body: str | Mapping[str, Any]) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
