"""kernels/cpu, kernels/cuda and kernels/reference are twins: the same files, functions, parameters.

What each package exports is its public face; files may have helpers that others import. The GPU's
are looked at where numba-cuda is installed; it takes no GPU.
"""

import importlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caffe.kernels import cpu, reference

HOST_ONLY = {"split_records"}  # its records are read on the host
GPU_ONLY = {  # what trains without the host's help
    "Recording",
    "begin_update",
    "collect",
    "next_row",
    "resident_batch",
    "synchronize",
}
CPU_MACHINERY = {  # how kernels are compiled, and what several of them share
    "aligned",
    "average_strips",
    "channels_last",
    "convolution_2d",
    "convolution_2d_backward",
    "convolution_lanes",
    "convolution_lanes_weight",
    "convolution_nd",
    "convolution_plan",
    "convolution_sparse",
    "dot_kernel",
    "exponential",
    "frequency_kernel",
    "jit",
    "lanes_kernel",
    "lanes_plan",
    "line_copy",
    "line_sum",
    "max_strips",
    "micro_kernel",
    "packing",
    "parallel",
    "part",
    "pooling_plan",
    "pooling_strip",
    "roofline",
    "row_product",
    "shares",
    "shifted_copies",
    "sparse_plan",
    "tile_product",
    "tile_transform",
    "vector",
    "weighted_sum",
    "winograd",
    "winograd_gradients",
    "winograd_lines",
    "winograd_matrices",
    "winograd_plan",
    "winograd_tiles",
    "winograd_weight",
    "winograd_windows",
}
CUDA_MACHINERY = {
    "channel_sums",
    "convolution_loads",
    "convolution_products",
    "kernel_cache",
    "labels",
    "launch",
    "pooling_windows",
    "recording",
    "register_tile",
    "resident_batch",
    "roofline",
    "row_sums",
    "slices",
    "tally",
    "teams",
    "tile_choice",
    "tile_product",
    "vector_load",
    "window_values",
}
FUNCTIONS = {name for name in cpu.__all__ if callable(getattr(cpu, name))}
CONSTANTS = set(cpu.__all__) - FUNCTIONS


@pytest.fixture
def cuda() -> Any:
    """The GPU's twin."""
    numba_cuda = pytest.importorskip("numba.cuda")
    if getattr(numba_cuda, "implementation", "") != "NVIDIA":
        pytest.skip("the package numba-cuda is missing")
    return importlib.import_module("caffe.kernels.cuda")


def plain_function(kernel: Any) -> Any:
    """The Python function of a compiled kernel."""
    return getattr(kernel, "py_func", kernel)


def file_of(kernel: Any) -> str:
    return plain_function(kernel).__module__.rpartition(".")[2]


def check_files(twin: Any, names: set[str], machinery: set[str]) -> None:
    """Every file but the machinery has a kernel of these names, and no other has one."""
    files = {path.stem for path in Path(twin.__file__).parent.glob("*.py")} - {"__init__"}
    assert machinery <= files
    assert files - machinery == {file_of(getattr(twin, name)) for name in names}


def check_function(twin: Any, name: str) -> None:
    """It takes what the CPU's takes, and stands in a file of the same name."""
    kernel, other = (getattr(package, name) for package in (cpu, twin))
    taken, others = (inspect.signature(plain_function(k)).parameters for k in (kernel, other))
    assert list(taken) == list(others)
    assert file_of(kernel) == file_of(other)


def check_constants(twin: Any) -> None:
    for name in CONSTANTS:
        np.testing.assert_array_equal(getattr(twin, name), getattr(cpu, name), err_msg=name)


def test_the_same_names():
    assert set(cpu.__all__) == set(reference.__all__)


def test_the_same_names_but_for_a_few(cuda):
    assert set(cuda.__all__) - GPU_ONLY == set(cpu.__all__) - HOST_ONLY


def test_every_file_exports_its_kernels():
    check_files(cpu, FUNCTIONS, CPU_MACHINERY)
    check_files(reference, FUNCTIONS, set())


def test_every_file_exports_its_kernels_for_the_gpu(cuda):
    check_files(cuda, FUNCTIONS - HOST_ONLY, CUDA_MACHINERY)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_same_parameters_in_the_same_file(name):
    check_function(reference, name)


@pytest.mark.parametrize("name", sorted(FUNCTIONS - HOST_ONLY))
def test_the_same_parameters_in_the_same_file_for_the_gpu(name, cuda):
    check_function(cuda, name)


def test_the_same_constants():
    check_constants(reference)


def test_the_same_constants_for_the_gpu(cuda):
    check_constants(cuda)
