"""GEMM against its definition: any sizes, both operands either way, alpha and beta."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import (
    SIMULATED,
    assert_same_bits_for_any_threads,
    cases,
    cpu_only,
    examples,
    run_kernel,
)

from caffe.kernels import cpu, reference
from caffe.kernels.cpu.gemm import multiply, packed_size
from caffe.kernels.cpu.micro_kernel import Tile, host_tile, make_micro_kernel

SIZES = st.integers(0, 40)
if not SIMULATED:
    SIZES = st.one_of(SIZES, st.sampled_from([63, 64, 65, 255, 256, 257, 300, 513]))


def operands(rows, columns, depth, trans_a, trans_b, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(depth, rows) if trans_a else (rows, depth)).astype(np.float32)
    b = rng.normal(size=(columns, depth) if trans_b else (depth, columns)).astype(np.float32)
    c = rng.normal(size=(rows, columns)).astype(np.float32)
    return a, b, c


def assert_close(actual, expected, depth):
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * (depth + 1) ** 0.5)


@settings(deadline=None, max_examples=examples(150))
@given(
    rows=SIZES,
    columns=SIZES,
    depth=SIZES,
    trans_a=st.booleans(),
    trans_b=st.booleans(),
    alpha=st.sampled_from([1, 0, -0.5]),
    beta=st.sampled_from([0, 1, 0.25]),
)
def test_any_product(rows, columns, depth, trans_a, trans_b, alpha, beta):
    a, b, c = operands(rows, columns, depth, trans_a, trans_b)
    if beta == 0:
        c[:] = np.nan  # must not be read
    expected = c.copy()
    reference.gemm(trans_a, trans_b, alpha, a, b, beta, expected)
    left, _ = run_kernel("gemm", trans_a, trans_b, alpha, a, b, beta, c)
    assert_close(left[-1], expected, depth)


# (M, N, K), trans_a, trans_b
WAYS = {
    "B read in place": ((300, 700, 64), True, False),
    "B's last strip packed": ((70, 203, 330), False, False),
    "B packed": ((700, 600, 300), False, True),
    "A^T by lines that lie a page apart": ((1024, 70, 130), True, False),
    "A^T through several blocks": ((90, 300, 1000), True, False),
    "A and B exchanged": ((64, 500, 800), False, True),
    "A and B exchanged, none packed": ((320, 1300, 400), True, True),
    "rows with rows": ((64, 10, 500), False, True),
    "rows with rows, few with many": ((7, 900, 700), False, True),
    "a row by rows": ((1, 2100, 800), False, True),
    "rows by a column": ((2100, 1, 800), False, False),
    "a column of A^T": ((1000, 1, 2100), True, False),
    "a row by columns": ((1, 1000, 2100), False, False),
}


@cpu_only
@pytest.mark.parametrize(("shape", "trans_a", "trans_b"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("alpha", "beta"), [(1, 0), (1, 0.5), (2, -1)])
def test_every_way_on_any_number_of_threads(shape, trans_a, trans_b, alpha, beta):
    a, b, c = operands(*shape, trans_a, trans_b)
    expected = c.copy()
    reference.gemm(trans_a, trans_b, alpha, a, b, beta, expected)
    if beta == 0:
        c[:] = np.nan

    def call():
        result = c.copy()
        cpu.gemm(trans_a, trans_b, alpha, a, b, beta, result)
        return [result]

    assert_close(call()[0], expected, shape[2])
    assert_same_bits_for_any_threads(call)


# The CPU's ways, and for the GPU whole and ragged tiles, with rows of four floats and others.
SHAPES = cases(
    [((17, 35, 9), False, True), ((36, 20, 70), True, False), ((20, 16, 12), False, False)],
    WAYS.values(),
)


@pytest.mark.parametrize(("shape", "trans_a", "trans_b"), SHAPES)
def test_what_is_not_finite_goes_where_it_belongs(shape, trans_a, trans_b):
    """One row of op(A) and one column of op(B), not the padding beside them."""
    a, b, c = operands(*shape, trans_a, trans_b)
    (a.T if trans_a else a)[-1, -1] = np.nan
    (b.T if trans_b else b)[0, -1] = np.inf
    left, _ = run_kernel("gemm", trans_a, trans_b, 1, a, b, 0, c)
    finite = np.isfinite(left[-1])
    assert not finite[-1].any()
    assert not finite[:, -1].any()
    assert finite[:-1, :-1].all()


@pytest.mark.parametrize(("shape", "trans_a", "trans_b"), SHAPES)
def test_the_same_bits_each_time(shape, trans_a, trans_b):
    a, b, c = operands(*shape, trans_a, trans_b)
    first, second = (run_kernel("gemm", trans_a, trans_b, 1, a, b, 1, c)[0][-1] for _ in "12")
    np.testing.assert_array_equal(first, second)


@cpu_only
@pytest.mark.parametrize(("shape", "trans_a", "trans_b"), WAYS.values(), ids=WAYS)
def test_multiply_gives_the_same_bits_in_the_memory_it_is_given(shape, trans_a, trans_b):
    a, b, c = operands(*shape, trans_a, trans_b)
    expected = c.copy()
    cpu.gemm(trans_a, trans_b, 1, a, b, 1, expected)
    size = packed_size(trans_a, *shape)
    memory = np.full(size + 100, 7, np.float32)
    multiply(trans_a, a, trans_b, np.float32(1), b, np.float32(1), c, memory[:size])
    np.testing.assert_array_equal(c, expected)
    assert (memory[size:] == 7).all()


@cpu_only
@pytest.mark.parametrize(
    "tile", [host_tile(), Tile(5, 4, 16), Tile(6, 2, 8), Tile(4, 3, 8), Tile(10, 2, 4)]
)
@pytest.mark.parametrize("beta", [0, 0.5])
def test_micro_kernels_of_any_width(tile, beta):
    """Whole tiles and every kind of edge, written into a part of C only."""
    micro_kernel = make_micro_kernel(tile)
    rows, columns, stride = tile.rows, tile.columns, tile.columns + 3

    @numba.njit
    def run(a, b, alpha, beta, c, height, width):
        depth = len(a) // rows
        micro_kernel(
            depth, a, 0, 1, rows, b, columns, columns, alpha, beta, c, 2, stride, height, width
        )  # fmt: skip

    rng = np.random.default_rng(1)
    depth = 7
    a = rng.normal(size=(depth, rows)).astype(np.float32)
    b = rng.normal(size=(depth + 1, columns)).astype(np.float32)
    before = rng.normal(size=rows * stride + 2).astype(np.float32)
    product = 1.5 * a.T.astype(np.float64) @ b[1:]
    for height, width in [(rows, columns), (rows - 1, columns), (rows, columns - 1), (1, 1)]:
        c = before.copy()
        run(a.ravel(), b.ravel(), np.float32(1.5), np.float32(beta), c, height, width)
        inside = np.zeros((rows, stride), bool)
        inside[:height, :width] = True
        expected = before.copy()
        tile_of_c = expected[2:].reshape(rows, stride)
        tile_of_c[:height, :width] *= beta
        tile_of_c[:height, :width] += product[:height, :width]
        np.testing.assert_allclose(c, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(
            c[2:].reshape(rows, stride)[~inside], before[2:].reshape(rows, stride)[~inside]
        )
