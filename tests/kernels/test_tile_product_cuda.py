"""The tiled product that the CUDA kernels are made of: every tile, at ragged edges, in parts."""

import numpy as np
import pytest
from kernel_testing import ON_GPU, cases

if not ON_GPU:
    pytest.skip("of the GPU's kernels", allow_module_level=True)

from numba import cuda

from caffe.kernels.cuda.launch import device
from caffe.kernels.cuda.row_sums import make_row_sums
from caffe.kernels.cuda.tile_choice import SMALL_TILE, TILES
from caffe.kernels.cuda.tile_product import make_product
from caffe.kernels.cuda.vector_load import load4, store4


def multiply(m, n, k, along_k, wide, choice):
    """The product of two random matrices, and what it should be. Each value is to be stored once,
    on zeros, and what lies beyond the edges is not to be asked for."""
    rng = np.random.default_rng(0)
    left = rng.normal(size=(m, k)).astype(np.float32)
    right = rng.normal(size=(k, n)).astype(np.float32)
    a_along_k = b_along_k = along_k

    @device
    def load_a(a, _, i, p):
        if i >= m or p >= k:
            return np.float32(np.nan)
        return a[i * k + p] if a_along_k else a[p * m + i]

    @device
    def load_b(b, _, p, j):
        if j >= n or p >= k:
            return np.float32(np.nan)
        return b[j * k + p] if b_along_k else b[p * n + j]

    @device
    def load_a4(a, _, i, p):
        return load4(a, i * k + p if a_along_k else p * m + i)

    @device
    def load_b4(b, _, p, j):
        return load4(b, j * k + p if b_along_k else p * n + j)

    @device
    def store(c, one, i, j, value):
        c[i * n + j] += one[0] * value

    @device
    def store_four(c, one, i, j, values):
        first, second, third, fourth = load4(c, i * n + j)
        at = i * n + j
        store4(
            c, at, (first + values[0], second + values[1], third + values[2], fourth + values[3])
        )

    product = make_product(
        m, n, k, load_a4 if wide else load_a, load_b4 if wide else load_b, store,
        a_along_k=along_k, b_along_k=along_k, a_wide=wide, b_wide=wide,
        store_four=store_four if wide else None, choice=choice,
    )  # fmt: skip
    a = cuda.to_device(np.ascontiguousarray(left if along_k else left.T))
    b = cuda.to_device(np.ascontiguousarray(right.T if along_k else right))
    c, one = cuda.to_device(np.zeros((m, n), np.float32)), cuda.to_device(np.ones(1, np.float32))
    product(a, a, b, b, c, one)
    return c.copy_to_host(), left.astype(np.float64) @ right


# A tile's rows and columns, and what they are less of or more than; along K; four at a time.
EDGES = [(1, -3, True, False), (-5, 2, False, False), (-4, 4, True, True), (0, -12, False, True)]


@pytest.mark.parametrize("tile", cases([SMALL_TILE, *TILES]), ids=str)
@pytest.mark.parametrize(("more_rows", "more_columns", "along_k", "wide"), cases(EDGES))
def test_every_tile_at_its_edges(tile, more_rows, more_columns, along_k, wide):
    depth = tile.depth + (4 if wide else 1)
    shape = tile.rows + more_rows, tile.columns + more_columns, depth
    actual, expected = multiply(*shape, along_k, wide, (tile, 1))
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("depth", [0, 1, 4, 12, 13, 21])
@pytest.mark.parametrize("parts", [1, 2, 3, 100])
def test_parts_of_any_length(depth, parts):
    """More parts than steps, too."""
    actual, expected = multiply(5, 3, depth, True, False, (SMALL_TILE, parts))
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_whole_tiles():
    for wide in (False, True):
        actual, expected = multiply(32, 16, 8, False, wide, (SMALL_TILE, 2))
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", cases([(1, 1), (9, 19), (2, 8)], [(1000, 333), (64, 500)]))
def test_row_sums(shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    @device
    def store(c, extra, j, value):
        c[j] = value + extra[j]

    c, extra = np.zeros(shape[1], np.float32), np.ones(shape[1], np.float32)
    c, extra = cuda.to_device(c), cuda.to_device(extra)
    make_row_sums(*shape, store)(cuda.to_device(values), c, extra)
    expected = values.sum(axis=0, dtype=np.float64) + 1
    np.testing.assert_allclose(c.copy_to_host(), expected, rtol=1e-5, atol=1e-4)
