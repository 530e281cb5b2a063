"""In the first run: what the backward pass needs is compiled by a second process.

Numba compiles on one thread. While this process runs forward, another makes the same net and runs
it backward, on zeros: the machine code lies in the cache folder when this one gets there.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from typing import Any

import numba

from ..kernels.cache_folder import cache_folder
from ..kernels.cpu.jit import SOURCES
from ..proto import caffe_pb2
from .graph import Graph

MOST_VALUES = 1 << 26  # in all blobs: the second process has its own, and computes with them


def compile_backward_ahead(net: Graph, param: Any) -> None:
    """Have another process compile the kernels of a net's backward pass, which waits for it.

    param: the NetParameter that `net` was made of

    Nothing is done where it would not help: with one thread, on the GPU, without a folder for
    machine code, or where the net is so large that its memory would be missed. Should the process
    fail, this one compiles what is missing.
    """
    small = sum(blob.count for blob in net.blobs.values()) <= MOST_VALUES
    if not small or net.on_device or numba.get_num_threads() == 1 or not cache_folder(SOURCES):
        return
    # The package may have been found by a path that only this process knows.
    program = f"import sys; sys.path[:] = {sys.path}; import {__name__} as c; c.run_backward()"
    with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:
        file.write(param.SerializeToString())
        file.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=os.environ | {"NUMBA_NUM_THREADS": "1"},
            stdin=file,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        net.before_backward = process.wait


def run_backward() -> None:
    """What that process does: it runs the net that standard input describes backward."""
    net = Graph(caffe_pb2.NetParameter.FromString(sys.stdin.buffer.read()))
    net.backward_from_to(len(net.layers) - 1, 0)
