"""Making batches in a background thread while the net computes."""

import atexit
import queue
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

from ..errors import CaffeError

Batch = TypeVar("Batch")

NOTHING = nullcontext()
_PATIENCE = 10.0  # seconds that close() waits for a batch in the making


class Prefetcher(Generic[Batch]):
    """A queue of ready batches, filled by a thread.

    The batches are made once and go round: the thread fills free ones and queues them; the consumer
    `get`s one, uses it and gives it back with `recycle`. So the queue is never longer than the
    number of batches. The thread is woken when half of them are free, not for each: a thread that
    wakes interrupts a kernel, and finds the caches full of that kernel's data.

    fill: makes the next batch in the memory of the one given. What it raises is raised by the
        `get` that would have returned this batch, and ends the thread.
    batches: the memory, as many as may be ready at a time.
    around: entered by the thread for as long as it runs.

    The thread is a daemon and ends with `close`, when this object is collected, and at exit.
    """

    def __init__(
        self,
        fill: Callable[[Batch], None],
        batches: Iterable[Batch],
        around: AbstractContextManager = NOTHING,
    ):
        free = list(batches)
        self._half = (len(free) + 1) // 2
        self._used: list[Batch] = []  # free, but fewer than half
        self._free: queue.SimpleQueue[list[Batch] | None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[Batch | BaseException] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._free.put(free)
        # The thread must not know this object, or the object would live as long as the thread.
        self._thread = threading.Thread(
            target=_work,
            args=(fill, self._free, self._ready, self._stop, around),
            name="caffe-prefetch",
            daemon=True,
        )
        self._thread.start()
        weakref.finalize(self, _signal, self._free, self._stop).atexit = False
        _open_prefetchers.add(self)

    def get(self) -> Batch:
        """The next batch; waits until it is ready. Raises CaffeError where the thread is gone."""
        while True:
            try:
                item = self._ready.get(timeout=1)
                break
            except queue.Empty:
                if not self._thread.is_alive():
                    raise CaffeError(
                        "the thread that prefetches data has ended: closed, or left behind by a "
                        "fork; make the net in the process that uses it"
                    ) from None
        if isinstance(item, BaseException):
            self._ready.put(item)  # for whoever asks again
            raise item
        return item

    def recycle(self, batch: Batch) -> None:
        """Give a batch back to be filled anew."""
        self._used.append(batch)
        if len(self._used) >= self._half:
            self._free.put(self._used)
            self._used = []

    def close(self) -> None:
        """End the thread. Calling it again changes nothing."""
        _signal(self._free, self._stop)
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)


_open_prefetchers: "weakref.WeakSet[Prefetcher]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # A daemon thread that still runs compiled code while the interpreter ends may crash it.
    for prefetcher in list(_open_prefetchers):
        prefetcher.close()


def _signal(free: queue.SimpleQueue, stop: threading.Event) -> None:
    stop.set()
    free.put(None)  # wakes a thread that waits for a free batch


def _work(
    fill: Callable[[Batch], None],
    free: "queue.SimpleQueue[list[Batch] | None]",
    ready: "queue.SimpleQueue[Batch | BaseException]",
    stop: threading.Event,
    around: AbstractContextManager,
) -> None:
    with around:
        while batches := free.get():
            for batch in batches:
                if stop.is_set():
                    return
                try:
                    fill(batch)
                except BaseException as error:
                    ready.put(error)
                    return
                ready.put(batch)
