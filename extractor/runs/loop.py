"""A private event loop on a thread of its own: what the library's sync and async calls, from any thread and any loop, run on.

In: coroutines. Out: futures that any thread can wait for. Floor: runs.
Before changing it: it must end with its owner, by `close`, the garbage collector or a fork, and no waiter may be left waiting.
"""

import asyncio
import concurrent.futures
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from extractor.errors import UsageError

T = TypeVar("T")


class PrivateLoop:
    """An event loop on a thread of its own, with a bound on what runs there at a time; closed, or ended when it is garbage collected.

    Args:
        concurrency: Pieces of work at a time.
        last: Closes what the work used, on the same loop, when it ends; it must not lead back to whoever owns this loop.
    """

    def __init__(self, concurrency: int, *, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._guard = threading.Lock()
        self._closed = False
        self._ending = threading.Event()  # set on the loop: what was cancelled before it ends was cancelled by its own waiter
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._loop = asyncio.new_event_loop()
        # the thread does not know `self`: it must not keep alive what nobody closed
        self._thread = threading.Thread(target=_live, args=(self._loop, last, self._ending, self._ended), name="extractor", daemon=True)
        self._thread.start()
        self._stop = weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)
        self._stop.atexit = False  # nobody would wait for the thread, and the system closes what a process leaves open

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
        """Start `work` on the loop, as soon as there is a place; cancelling the future cancels it.

        Raises:
            UsageError: The loop is closed, or was left behind by a fork.
        """
        with self._guard:  # between this check and the loop's end nothing may slip in: it would be waited for in vain
            if self._closed:
                raise UsageError("This Extractor is closed; make a new one.")
            if not self._thread.is_alive():
                raise UsageError("This Extractor's thread is gone, as after a fork; make one Extractor in each process.")
            return asyncio.run_coroutine_threadsafe(self._bounded(work), self._loop)

    async def _bounded(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            async with self._free:
                return await work()
        except asyncio.CancelledError:
            if self._ending.is_set():  # a cancellation would look like the caller's own
                raise UsageError("This Extractor was closed while the article was under way.") from None
            raise

    def close(self) -> None:
        """Cancel all work, whose waiters get a `UsageError`, and wait until the thread has ended; raises what `last` raised."""
        with self._guard:
            self._closed = True
        self._stop()
        self._thread.join()
        if self._ended.done():  # it is not in a forked process, which has no such thread
            self._ended.result()


def _live(
    loop: asyncio.AbstractEventLoop,
    last: Callable[[], Coroutine[Any, Any, None]],
    ending: threading.Event,
    ended: concurrent.futures.Future[None],
) -> None:
    """The life of the thread: all work, and then the end of what it used."""
    try:
        try:
            loop.run_forever()
        finally:
            try:
                loop.run_until_complete(_wind_up(last, ending))
            finally:
                loop.close()
    except BaseException as error:  # noqa: BLE001 - raised by `close`
        ended.set_exception(error)
    else:
        ended.set_result(None)


async def _wind_up(last: Callable[[], Coroutine[Any, Any, None]], ending: threading.Event) -> None:
    ending.set()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    try:
        await last()
    finally:
        loop = asyncio.get_running_loop()
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()
