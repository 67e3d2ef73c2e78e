"""llama.cpp's server in a process of its own: the child that `llm/local.py` starts.

In: one line of JSON on standard input. Out: one line of JSON on standard output, `{"url": …}` or `{"error": …}`. Floor: llm.
The only file that imports xllamacpp; it is run as a script and imports nothing of ours, so that it starts at once.
Before changing it: native code may crash or hang and must take nothing with it, and whatever becomes of the parent, SIGKILL included,
this process must not outlive it. Its standard input is a pipe whose other end the parent alone holds: its end is the parent's.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any

_LOOK_S = 1.0  # a forked sibling may hold the parent's end of the pipe: then the parent's number tells, within this time


def main() -> None:
    """Serve until the parent is gone."""
    # what native code prints must not stand in the answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = json.loads(sys.stdin.buffer.readline())
    _end_with_pipe()
    if sys.platform != "win32":
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        server, answer = _serve(asked)
    except Exception as error:  # noqa: BLE001 - whatever native code raises is for the parent to tell
        server, answer = None, {"error": str(error) or repr(error)}
    with suppress(BrokenPipeError):
        print(json.dumps(answer), file=answers, flush=True)
    if server is not None:
        sys.stdin.buffer.read()
    os._exit(0)  # no clean-up: native threads may be in the middle of a token


def _serve(asked: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    import xllamacpp

    kinds = xllamacpp.ggml_backend_dev_type
    cpu = (kinds.GGML_BACKEND_DEVICE_TYPE_CPU, kinds.GGML_BACKEND_DEVICE_TYPE_ACCEL)
    if asked["too_little_memory"] and all(device["type"] in cpu for device in xllamacpp.get_device_info()):
        return None, {"error": asked["too_little_memory"]}
    params = xllamacpp.CommonParams()
    params.model.path = asked["path"]
    params.n_parallel = asked["slots"]
    params.n_ctx = asked["slots"] * asked["context"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked["threads"]
    params.n_threads_http = asked["slots"] + 4  # each open connection holds one
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # the system chooses
    params.api_keys = [asked["key"]]
    params.offline = True
    params.warmup = False
    params.ui = params.endpoint_slots = False  # what is being asked is nobody else's business
    params.cache_ram_mib = asked["cache_mib"]  # 8 GiB by default
    params.enable_reasoning = 0  # the answer is held to a grammar from its first token
    params.verbosity = 2  # warnings and errors: the log must not grow with the articles
    server = xllamacpp.Server(params)
    return server, {"url": server.listening_address}


def _end_with_pipe() -> None:
    """Have the kernel end this process with the pipe: while a model loads, native code holds Python's lock, and no thread of ours runs."""
    if sys.platform != "linux":
        return
    import fcntl
    import select

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # it ended before the kernel was told
        os._exit(0)


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(0)


if __name__ == "__main__":
    main()
