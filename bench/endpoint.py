"""A model endpoint that costs next to nothing: one asyncio process of its own, answers made beforehand, latency as told.

In front of the clients that are compared it must never be what is measured: it neither parses a request's JSON nor writes any, it looks
for an article's number in the bytes and sends the answer that was made for it. `/stats` says when the first request came and the last
answer left, so that start-up is nobody's throughput. `with Endpoint(...) as endpoint` starts one; the styles are base URLs of their own:

    endpoint.url("facts")         this project's arrays as content; also for the bare SDK
    endpoint.url("tools")         the same as a tool's arguments, for instructor's default
    endpoint.url("quotes")        langextract's envelope
    endpoint.url("flat")          DELM's schema as a tool's arguments
"""

import argparse
import asyncio
import json
import math
import random
import re
import subprocess
import sys
import time
import urllib.request
from types import TracebackType
from typing import Any, Self

from corpus import made

_NUMBER = re.compile(rb"Report number ([0-9]{6})")
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_TOOL = re.compile(rb'"tools": ?\[.{0,2000}?"name": ?"([A-Za-z_0-9]+)"', re.DOTALL)
_TOKENS_IN, _TOKENS_OUT = 9_000, 1_100


class Endpoint:
    """The endpoint as a process of its own, for `with`.

    Args:
        latency: `fixed:SECONDS` or `lognormal:MEDIAN,SIGMA`, from the last byte of a request to its answer.
        articles: Answers made beforehand, for the numbers below.
    """

    def __init__(self, latency: str, articles: int) -> None:
        self._command = [sys.executable, __file__, latency, str(articles)]
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is None:
            raise RuntimeError("the endpoint has no stdout")
        self._port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()

    def url(self, style: str) -> str:
        """The base URL that answers in one style."""
        return f"http://127.0.0.1:{self._port}/{style}/v1"

    def stats(self) -> dict[str, float]:
        """`requests`, `seconds` from the first request to the last answer, `most` in flight and `busy` CPU seconds since the last call."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/stats", timeout=10) as response:
            found: dict[str, float] = json.loads(response.read())
        return found


class _State:
    def __init__(self, latency: str, articles: int) -> None:
        kind, _, numbers = latency.partition(":")
        self.values = [float(part) for part in numbers.split(",")]
        self.fixed = kind == "fixed"
        self.random = random.Random(7)
        self.reset()
        self.answers = {style: [_answer(style, number) for number in range(articles)] for style in ("facts", "tools", "quotes", "flat")}

    def reset(self) -> None:
        self.requests = self.now = self.most = 0
        self.first = self.last = 0.0
        self.cpu = time.process_time()

    def wait_s(self) -> float:
        if self.fixed:
            return self.values[0]
        return self.random.lognormvariate(math.log(self.values[0]), self.values[1])


STATE: _State


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer = bytearray()
        self.wanted = 0
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if not self.buffer:
            self.began = time.monotonic()
        self.buffer += data
        if not self.wanted:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            found = _LENGTH.search(self.buffer, 0, end)
            self.wanted = end + 4 + (int(found[1]) if found else 0)
        if len(self.buffer) < self.wanted:
            return
        request, self.buffer, self.wanted = bytes(self.buffer), bytearray(), 0
        style = request.split(b"/", 2)[1].split(b" ", 1)[0].decode()
        if style == "stats":
            state = STATE
            busy = time.process_time() - state.cpu
            told = {"requests": state.requests, "seconds": state.last - state.first, "most": state.most, "busy": busy}
            state.reset()
            self.transport.write(_response(json.dumps(told).encode()))
            return
        STATE.first = STATE.first or self.began
        STATE.requests += 1
        STATE.now += 1
        STATE.most = max(STATE.most, STATE.now)
        found = _NUMBER.search(request)
        number = int(found[1]) if found else 0
        answer = STATE.answers[style][number]
        if style in ("tools", "flat") and (tool := _TOOL.search(request)):
            answer = answer.replace(b"Facts", tool[1])
        asyncio.get_running_loop().call_later(STATE.wait_s(), self._send, _response(answer))

    def _send(self, response: bytes) -> None:
        STATE.now -= 1
        STATE.last = time.monotonic()
        if not self.transport.is_closing():
            self.transport.write(response)


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _answer(style: str, number: int) -> bytes:
    article = made(number)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if style == "quotes":
        items = [{kind: quote, f"{kind}_attributes": {"status": "said"}} for kind, quote in article.quotes]
        message["content"] = json.dumps({"extractions": items})
    elif style == "facts":
        message["content"] = json.dumps(article.answer)
    else:
        said = article.answer if style == "tools" else {"facts": [{"kind": kind, "quote": quote} for kind, quote in article.quotes]}
        function = {"name": "Facts", "arguments": json.dumps(said)}
        message["tool_calls"] = [{"id": "call_0", "type": "function", "function": function}]
    return json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 0,
            "model": "bench",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if message["content"] is None else "stop"}],
            "usage": {"prompt_tokens": _TOKENS_IN, "completion_tokens": _TOKENS_OUT, "total_tokens": _TOKENS_IN + _TOKENS_OUT},
        }
    ).encode()


async def _serve(latency: str, articles: int) -> None:
    global STATE  # noqa: PLW0603 - one endpoint, one process
    STATE = _State(latency, articles)
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("latency")
    parser.add_argument("articles", type=int)
    given = parser.parse_args()
    asyncio.run(_serve(given.latency, given.articles))
