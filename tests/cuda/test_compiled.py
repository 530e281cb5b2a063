"""Every CUDA kernel compiles for the GPUs that we name, without a GPU, into what we meant it to be:
all in registers, and the products' inner loops of wide loads and fused multiply-adds."""

import os
import re

import pytest

from tests.cuda.compiled import compile_all, find_ptxas

if os.environ.get("NUMBA_ENABLE_CUDASIM", "0") != "0":
    pytest.skip("the simulator compiles nothing", allow_module_level=True)
pytest.importorskip("numba_cuda")
if find_ptxas() is None:
    pytest.skip("ptxas is missing: pip install 'numba-caffe[cuda]'", allow_module_level=True)

from caffe.kernels import cuda
from caffe.kernels.cuda.tile_choice import TILES
from tests.cuda.calls import all_calls

LAUNCH_NOTHING = {
    "Recording",
    "convolution_max_pooling_workspace",
    "convolution_workspace",
    "synchronize",
}
CALL_OTHERS = {"convolution_backward", "convolution_max_pooling_backward"}  # and launch no more


@pytest.fixture(scope="module")
def results():
    return compile_all()


def test_every_function_has_a_call():
    functions = {name for name in cuda.__all__ if callable(getattr(cuda, name))}
    assert {call.function for call in all_calls()} == functions - LAUNCH_NOTHING - CALL_OTHERS


def test_nothing_spills_out_of_the_registers(results):
    """Nor does any array of a thread lie in memory."""
    spilled = [
        (launch.function, launch.case, launch.kernel.py_func.__qualname__, each[:4])
        for launch, compiled in results
        for each in compiled
        if each.spilled or each.stack
    ]
    assert not spilled


def test_products_multiply_in_registers(results):
    """Of the slices in shared memory, each thread loads four values at once, and multiplies each
    by four or eight."""
    products = [
        (launch, each)
        for launch, compiled in results
        if launch.kernel.py_func.__module__.endswith("tile_product")
        for each in compiled
    ]
    assert products
    for launch, compiled in products:
        loads = len(re.findall(r"ld\.shared\.v4\.f32", compiled.ptx))
        multiplies = len(re.findall(r"fma\.rn\.f32", compiled.ptx))
        # The loop is written out; more multiply-adds are the stores'.
        fitting = [
            tile
            for tile in TILES
            if loads == (tile.row_groups + tile.column_groups) * tile.depth
            and multiplies >= tile.sums * tile.depth
        ]
        assert fitting, (launch.function, launch.case, loads, multiplies)
        assert not re.search(r"\.f64|\.local", compiled.ptx), (launch.function, launch.case)


def test_the_largest_product_fits_twice(results):
    """Two blocks of 256 threads have 128 registers a thread."""
    (gemm, *_) = [
        compiled
        for launch, compiled in results
        if launch.function == "gemm" and launch.case.startswith("4096, A B")
    ]
    assert all(each.registers <= 128 for each in gemm)
