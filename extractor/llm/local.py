"""A model file on this machine, asked through the same client as any endpoint: no key, no network, no server to run.

In: settings that name a GGUF file. Out: the same settings fitted to file and machine, and a server on loopback. Floor: llm.
Before changing it: the server is a process of its own (`llm/local_server.py`), so that a crash in native code costs a request and not
the ledger; and its port and token, which are new each time, must reach no key, no ledger and no message. The file's identity does.
"""

import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from extractor.errors import SettingsError
from extractor.llm.gguf import Gguf, read_gguf
from extractor.settings import Settings

CONTEXT_TOKENS = 24_576
"""Tokens that one request and its answer may have: rules, schemas and examples take 8,000 to 10,000, an article's part 4,000, which leaves
the rest for the answer. A longer article is cut in parts, whatever the model could hold: memory is paid for in advance."""

LEAST_CONTEXT_TOKENS = 12_288
"""Where memory is short the context is halved down to this; below it, rules and a part hardly leave room for an answer."""

TIMEOUT_S = 1_800.0
"""Seconds for one attempt where none are set: without a GPU a model of 8 billion parameters may read and write for many minutes."""

_PROCESSORS_FOR_SLOT, _MOST_SLOTS = 4, 4  # articles at a time: they share the processors, and each takes its context's memory
_REMEMBERED = 1  # contexts kept aside: a repair begins otherwise than an extraction, and reading all rules anew takes minutes
_MIB = 1 << 20
_WORK_BYTES = 512 * _MIB  # what llama.cpp needs beside weights and context, at its usual batch of 512 tokens
_LOG_CHARS = 600  # of the server's log in a message: its last lines say why it ended
_SERVER = Path(__file__).with_name("local_server.py")


def fitted(settings: Settings) -> Settings:
    """The settings with what file and machine decide where the user did not: model, articles at a time, context, threads, timeout.

    Settings that name no model file are given back as they are.

    Args:
        settings: What was set outright is kept. `concurrency` is the number of articles that the server works on at a time.

    Raises:
        SettingsError: The file is none, or too long a context, another endpoint or another model is asked for beside it.
    """
    if settings.local is None:
        if settings.local_context or settings.local_threads:
            raise SettingsError("--context and --threads are for a local model; name its file with --local FILE.gguf.")
        return settings
    if settings.base_url is not None:
        raise SettingsError("--local and --base-url exclude each other: the one is a model file, the other a running server.")
    model = read_gguf(settings.local)
    if "model" in settings.model_fields_set and settings.model != model.identity:
        raise SettingsError(f"--local and --model exclude each other: the model is the file {settings.local.name!r}.")
    if model.context_tokens and (settings.local_context or 0) > model.context_tokens:
        raise SettingsError(f"--context {settings.local_context} is more than the {model.context_tokens} tokens of {model.path.name!r}.")
    processors = _processors()
    given = settings.model_fields_set
    slots = settings.concurrency if "concurrency" in given else max(1, min(_MOST_SLOTS, processors // _PROCESSORS_FOR_SLOT))
    context = settings.local_context or min(CONTEXT_TOKENS, model.context_tokens or CONTEXT_TOKENS)
    free = _free_bytes()
    while free is not None and _needed_bytes(model, slots, context) > free:
        if slots > 1 and "concurrency" not in given:
            slots -= 1
        elif context // 2 >= LEAST_CONTEXT_TOKENS and settings.local_context is None:
            context //= 2
        else:
            break
    return settings.model_copy(
        update={
            "model": model.identity,
            "concurrency": slots,
            "local_context": context,
            "local_threads": settings.local_threads or max(1, processors // 2),  # two of them are mostly one core
            "timeout_s": settings.timeout_s if "timeout_s" in given else TIMEOUT_S,
        }
    )


class LocalServer:
    """llama.cpp's server for one model file, for `with`: it answers on entry, and is gone on exit, whatever happened.

    Args:
        settings: As `fitted` gives them.

    Attributes:
        url: Its base URL, once it is started; another each time.
        key: The token that it wants; another each time.

    Raises:
        SettingsError: The extra is missing, the model cannot be loaded, or it does not fit into memory.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.local is None:
            raise SettingsError("There is no model file to serve: set `local`.")
        if importlib.util.find_spec("xllamacpp") is None:
            raise SettingsError("Asking a model file needs the 'local' extra: pip install \"grounded-fact-extractor[local]\"")
        self._settings = settings
        self._name = settings.local.name
        self._path = settings.local
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server; it has no name, so a crash leaves none behind
        self.url = ""
        self.key = secrets.token_urlsafe(32)

    def start(self) -> Self:
        """Load the model and answer; it takes as long as reading the file does.

        Raises:
            SettingsError: The model cannot be loaded, or it does not fit into memory.
        """
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own file, by our own interpreter
                [sys.executable, "-P", str(_SERVER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C is for the run, which finishes what is in flight
            )
            answer = self._told(self._process)
        except BaseException:
            self.close()
            raise
        if "url" not in answer:
            log = self._last_words()
            self.close()
            said = answer.get("error") or "its process ended"
            raise SettingsError(f"Model file {str(self._path)!r} cannot be served: {said.rstrip('.')}.{log}")
        self.url = f"{answer['url']}/v1"
        return self

    def ended(self) -> str | None:
        """Why the server ended by itself, with the next move; None while it runs."""
        status = self._process.poll() if self._process else None
        if status is None:
            return None
        how = f"exit code {status}" if status >= 0 else _signal_name(-status)
        hint = " Perhaps memory ran out: try a smaller file, --context or --concurrency." if status == -signal.SIGKILL else ""
        return f"The embedded server of {self._name!r} has ended by itself ({how}).{hint}{self._last_words()} The same command goes on."

    def close(self) -> None:
        """End the server; a second call does nothing."""
        process, self._process = self._process, None
        if process:
            process.kill()  # it holds nothing that would be worth a gentler end
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalServer({self._name!r})"

    def _told(self, process: "subprocess.Popen[bytes]") -> dict[str, str]:
        settings = self._settings
        context, threads = settings.local_context or CONTEXT_TOKENS, settings.local_threads or 1
        model = read_gguf(self._path)
        asked: dict[str, Any] = {
            "path": str(self._path),
            "slots": settings.concurrency,
            "context": context,
            "threads": threads,
            "cache_mib": -(-_REMEMBERED * context * model.token_bytes // _MIB),
            "key": self.key,
            "too_little_memory": _too_little(model, settings.concurrency, context),
        }
        to_server, from_server = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        with suppress(BrokenPipeError):  # it has ended: its log says why
            to_server.write(json.dumps(asked).encode() + b"\n")
            to_server.flush()
        answer: dict[str, str] = json.loads(from_server.readline() or b"{}")
        return answer

    def _last_words(self) -> str:
        if self._log.closed:
            return ""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_CHARS))
        log = " ".join(self._log.read().decode("utf-8", "replace").split())
        return f" Its log ends: {log}" if log else ""


def _too_little(model: Gguf, slots: int, context: int) -> str | None:
    """What to say where the machine's memory does not hold the model; None where it does, or nobody knows."""
    needed, free = _needed_bytes(model, slots, context), _free_bytes()
    if free is None or needed <= free:
        return None
    return (
        f"{slots} times {context:,} tokens of context and {_gb(model.size_bytes)} of weights need about {_gb(needed)} of memory, and "
        f"{_gb(free)} are free. Take a smaller file (fewer parameters, or a stronger quantisation), or less --concurrency and --context"
    )


def _needed_bytes(model: Gguf, slots: int, context: int) -> int:
    return model.size_bytes + (slots + _REMEMBERED) * context * model.token_bytes + _WORK_BYTES


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _processors() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_bytes() -> int | None:
    """Memory that can be had without swapping, within the limit of a container; None where the system does not say (not Linux)."""
    free: list[int] = []
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free.append(int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024)
    with suppress(OSError, ValueError, KeyError):
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
        cached = int(stat["inactive_file"]) + int(stat["active_file"])  # a model file that was read before is in there
        free.append(max(0, limit - used + cached))
    return min(free) if free else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
