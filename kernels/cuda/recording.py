"""Launches, recorded once and repeated with one call: a CUDA graph.

A launch costs the host some 17 us, more than most kernels take; repeating a graph of dozens costs
less than one. The graph holds the kernels with their arguments as they were, numbers and addresses:
what is to change from one repetition to the next must lie in the GPU's memory.
"""

import functools
from collections.abc import Callable
from typing import Any

from numba import cuda

from .launch import SIMULATED, redirected

if not SIMULATED:
    from cuda.core import Device, StreamOptions


@functools.cache
def _stream(device_id: int) -> Any:
    """Where recordings run, one after the other. Other work of ours is on CUDA's default stream:
    this one waits for that, and that for this."""
    return Device(device_id).create_stream(options=StreamOptions(nonblocking=False))


class Recording:
    """What `run` launches, to be repeated. All kernels must have run before, with arguments of the
    same types, and all memory be allocated: nothing may be compiled, loaded or copied meanwhile."""

    def __init__(self, run: Callable[[], None]):
        self._launches: list[tuple] = []  # keeps their arrays alive
        if SIMULATED:
            with redirected(self._note):
                run()
            return
        device = Device(cuda.get_current_device().id)
        device.set_current()  # in this thread
        self._stream = _stream(device.device_id)
        builder = device.create_graph_builder().begin_building()

        def capture(kernel: Any, blocks: Any, threads: Any, arguments: tuple) -> None:
            self._note(kernel, blocks, threads, arguments)
            kernel[blocks, threads, builder](*arguments)

        with redirected(capture):
            run()
        self._graph = builder.end_building().complete()
        builder.close()
        self._graph.upload(self._stream)

    def _note(self, kernel: Any, blocks: Any, threads: Any, arguments: tuple) -> None:
        self._launches.append((kernel, blocks, threads, arguments))

    def replay(self) -> None:
        """Launch it all once more, after what was launched before. Does not wait for it."""
        if SIMULATED:
            for kernel, blocks, threads, arguments in self._launches:
                kernel[blocks, threads](*arguments)
        else:
            self._graph.launch(self._stream)
