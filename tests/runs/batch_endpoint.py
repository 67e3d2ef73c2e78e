"""A provider with files and batches on loopback, as the API's pages describe them, and the ways in which one goes wrong.

https://platform.openai.com/docs/api-reference/batch, https://platform.openai.com/docs/api-reference/files
"""

import contextlib
import email
import email.policy
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from extractor.testing import completion


class BatchEndpoint:
    """Files, batches and chat completions.

    Args:
        answer: Request body to answer, as `LoopbackEndpoint` takes it.
        looks: How often a batch must be looked at before it is over.
        mangle: Called with the number of a batch (from 1) and its rows of output and of errors, as dicts; gives `(status, output, errors)`,
            rows as dicts or as lines.
        max_requests: In one batch; one with more fails.
    """

    def __init__(self, answer, *, looks=1, mangle=None, max_requests=50_000):
        self.answer = answer
        self.looks = looks
        self.mangle = mangle or (lambda _, output, errors: ("completed", output, errors))
        self.max_requests = max_requests
        self.files = {}
        self.batches = {}
        self.inputs = {}
        self.calls = []
        self.uploads = []
        self.ticks = 0
        self.made_at = {}
        self.pages = 0
        self.fail = []  # `(method, path prefix, status, body or None)`: each answers one request
        self.lose_answer_of = []  # paths whose next request is carried out, and its answer lost
        self.queue_room = None  # requests that may be on their way; None for any number
        self.lock = threading.RLock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.endpoint = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def base_url(self):
        """Such as `http://127.0.0.1:40123/v1`."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()

    @property
    def asked(self):
        """Bodies of all requests in batches that were not refused as a whole, in order: what is paid for."""
        return [body for number in sorted(self.inputs) for body in self.inputs[number]]

    def made(self, status=None):
        """Batches, those of one status alone where one is given."""
        return [batch for batch in self.batches.values() if status in (None, batch["status"])]

    def now(self):
        """A clock that ticks with each file and batch."""
        self.ticks += 1
        return self.ticks

    # the API

    def upload(self, headers, data):
        """POST /files."""
        message = email.message_from_bytes(
            b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n" + data, policy=email.policy.HTTP
        )
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in message.iter_parts()}
        assert parts["purpose"] == b"batch"
        name = f"file-{len(self.files) + 1}"
        self.files[name] = parts["file"]
        self.uploads.append(name)
        self.made_at[name] = self.now()
        about = {"created_at": self.made_at[name], "filename": "x.jsonl", "purpose": "batch"}
        return {"id": name, "object": "file", "bytes": len(parts["file"]), **about}

    def make(self, wanted):
        """POST /batches."""
        assert wanted["endpoint"] == "/v1/chat/completions"
        assert wanted["completion_window"] == "24h"
        name = f"batch_{len(self.batches) + 1}"
        if wanted["input_file_id"] not in self.files:
            return 400, {"error": {"message": f"No such File object: {wanted['input_file_id']}", "code": None}}
        lines = self.files[wanted["input_file_id"]].split(b"\n")
        rows = [json.loads(line) for line in lines if line]
        batch = {
            "id": name,
            "object": "batch",
            "endpoint": wanted["endpoint"],
            "input_file_id": wanted["input_file_id"],
            "completion_window": "24h",
            "created_at": self.now(),
            "status": "in_progress",
            "request_counts": {"total": len(rows), "completed": 0, "failed": 0},
            "errors": None,
            "output_file_id": None,
            "error_file_id": None,
        }
        wrong = None
        if len(rows) > self.max_requests:
            wrong = "too_many_tasks"
        elif len({row["custom_id"] for row in rows}) < len(rows):
            wrong = "duplicate_custom_id"
        elif any(row["method"] != "POST" or row["url"] != wanted["endpoint"] or len(row["custom_id"]) > 64 for row in rows):
            wrong = "mismatched_url"
        elif self.queue_room is not None:
            queued = sum(other["request_counts"]["total"] for other in self.made("in_progress"))
            wrong = "token_limit_exceeded" if queued + len(rows) > self.queue_room else None
        if wrong:
            batch |= {
                "status": "failed",
                "errors": {"object": "list", "data": [{"code": wrong, "message": f"It is {wrong}.", "line": None}]},
            }
        else:
            self.inputs[len(self.batches) + 1] = [row["body"] for row in rows]
        batch["_rows"], batch["_looks"] = rows, 0
        self.batches[name] = batch
        return 200, self.shown(batch)

    def look(self, name):
        """GET /batches/ID."""
        batch = self.batches.get(name)
        if batch is None:
            return 404, {"error": {"message": f"No batch found with id '{name}'.", "type": "invalid_request_error", "code": None}}
        batch["_looks"] += 1
        if batch["status"] == "in_progress" and batch["_looks"] >= self.looks:
            self.finish(batch)
        return 200, self.shown(batch)

    def finish(self, batch):
        """Answer every request of a batch."""
        output, errors = [], []
        for row in batch["_rows"]:
            answer = self.answer(row["body"])
            status, body = answer if isinstance(answer, tuple) else (200, completion(row["body"], answer))
            line = {
                "id": f"batch_req_{row['custom_id'][:12]}",
                "custom_id": row["custom_id"],
                "response": {"status_code": status, "request_id": "req", "body": body},
                "error": None,
            }
            (output if status == 200 else errors).append(line)
        number = list(self.batches).index(batch["id"]) + 1
        random.Random(number).shuffle(output)  # noqa: S311 - answers come in any order
        batch["status"], output, errors = self.mangle(number, output, errors)
        for field, rows in (("output_file_id", output), ("error_file_id", errors)):
            if rows:
                name = f"file-{len(self.files) + 1}"
                lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
                self.files[name] = b"\n".join(lines) + b"\n"
                batch[field] = name
        batch["request_counts"] |= {"completed": len(output), "failed": len(errors)}

    @staticmethod
    def shown(batch):
        """A batch as the API gives it."""
        return {name: value for name, value in batch.items() if not name.startswith("_")}

    def respond(self, method, path, headers, data):
        """Status and body for one request."""
        path, _, query = path.partition("?")
        path = path.removeprefix("/v1")
        for failure in self.fail:
            if failure[0] == method and path.startswith(failure[1]):
                self.fail.remove(failure)
                return failure[2], failure[3] or {"error": {"message": "It is broken."}}
        if method == "POST" and path == "/chat/completions":
            request = json.loads(data)
            self.calls.append(request)
            answer = self.answer(request)
            return answer if isinstance(answer, tuple) else (200, completion(request, answer))
        if method == "POST" and path == "/files":
            return 200, self.upload(headers, data)
        if method == "POST" and path == "/batches":
            return self.make(json.loads(data))
        if method == "GET" and path == "/batches":
            self.pages += 1
            newest_first = [self.shown(batch) for batch in reversed(self.batches.values())]
            after = query.partition("after=")[2].partition("&")[0]
            if after:
                names = [batch["id"] for batch in newest_first]
                newest_first = newest_first[names.index(after) + 1 :]
            page = newest_first[:2]  # small pages, so that the next ones are asked for
            return 200, {
                "object": "list",
                "data": page,
                "has_more": len(newest_first) > len(page),
                "last_id": page[-1]["id"] if page else None,
            }
        if method == "GET" and path.startswith("/batches/"):
            return self.look(path.removeprefix("/batches/"))
        if method == "GET" and path.startswith("/files/") and not path.endswith("/content"):
            name = path.removeprefix("/files/")
            found = (200, {"id": name, "object": "file", "created_at": self.made_at.get(name)})
            return found if name in self.files else (404, {"error": {"message": f"No such File object: {name}"}})
        if method == "GET" and path.endswith("/content"):
            name = path.split("/")[2]
            return (200, self.files[name]) if name in self.files else (404, {"error": {"message": f"No such File object: {name}"}})
        return 404, {"error": {"message": f"Invalid URL ({method} {path})"}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Keeps quiet."""

    def handle(self):
        """Serves one connection."""
        with contextlib.suppress(OSError):  # the client went away
            super().handle()

    def do_GET(self):
        """Answers."""
        self.answer("GET")

    def do_POST(self):
        """Answers."""
        self.answer("POST")

    def answer(self, method):
        """Reads one request and sends its answer."""
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("transfer-encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        endpoint = self.server.endpoint
        with endpoint.lock:
            status, body = endpoint.respond(method, self.path, self.headers, data)
            path = self.path.removeprefix("/v1").partition("?")[0]
            lost = (method, path) in endpoint.lose_answer_of
            if lost:
                endpoint.lose_answer_of.remove((method, path))
        if lost:
            self.close_connection = True
            return
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
