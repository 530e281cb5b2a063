"""kernels/cpu and kernels/reference are twins: the same files, functions and parameters.

What each package exports is its public face; files may have helpers that others import.
"""

import inspect
from pathlib import Path
from typing import Any

import pytest

from caffe.kernels import cpu, reference

MACHINERY = {  # of the CPU: how kernels are compiled, and what several of them share
    "__init__",
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
    "line_sum",
    "max_strips",
    "micro_kernel",
    "packing",
    "parallel",
    "part",
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
    "winograd_matrices",
    "winograd_plan",
    "winograd_tiles",
    "winograd_weight",
}
FUNCTIONS = sorted(name for name in cpu.__all__ if callable(getattr(cpu, name)))


def plain_function(kernel: Any) -> Any:
    """The Python function of a compiled kernel."""
    return getattr(kernel, "py_func", kernel)


def test_the_same_names():
    assert sorted(cpu.__all__) == sorted(reference.__all__)


@pytest.mark.parametrize("twin", [cpu, reference], ids=["cpu", "reference"])
def test_every_file_exports_its_kernels(twin):
    folder = Path(twin.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - MACHINERY
    modules = {plain_function(getattr(twin, name)).__module__ for name in FUNCTIONS}
    assert files == {module.rpartition(".")[2] for module in modules}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_parameters_in_the_same_file(name):
    kernel = plain_function(getattr(cpu, name))
    definition = plain_function(getattr(reference, name))
    assert list(inspect.signature(kernel).parameters) == list(
        inspect.signature(definition).parameters
    )
    assert kernel.__module__.rpartition(".")[2] == definition.__module__.rpartition(".")[2]
