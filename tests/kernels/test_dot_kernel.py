"""The tiles of dot products, of any width, and transposition in registers."""

import numba
import numpy as np
import pytest
from kernel_testing import cpu_only

from caffe.kernels.cpu.dot_kernel import SIDE, make_dot_kernel
from caffe.kernels.cpu.vector import host_width, make_transpose

pytestmark = cpu_only


@pytest.mark.parametrize(("side", "width"), [(SIDE, host_width()), (3, 8), (5, 4), (5, 16)])
@pytest.mark.parametrize("pixels", [1, 16, 41])
def test_dot_kernels_of_any_width(side, width, pixels):
    """Whole tiles and parts of them; nothing outside them is read or written."""
    dot_kernel = make_dot_kernel(side, width)
    images, rows, columns = 3, side + 2, side + 1
    starts = np.arange(columns)[::-1] * (pixels + 1)  # anywhere, in any order

    @numba.njit
    def run(a, b, beta, c, starts, height, length):
        dot_kernel(
            images, pixels, a, 0, pixels, rows * pixels, b, 0, starts, columns * (pixels + 1),
            beta, c, 0, columns, height, length,
        )  # fmt: skip

    rng = np.random.default_rng(1)
    a = rng.normal(size=(images, rows, pixels)).astype(np.float32)
    b = rng.normal(size=(images, columns, pixels + 1)).astype(np.float32)
    before = rng.normal(size=(rows, columns)).astype(np.float32)
    product = np.einsum("nip,njp->ij", a.astype(np.float64), b[:, ::-1, :pixels])
    for height, length in [(side, side), (1, side), (side, 1), (side - 1, side - 1)]:
        # What lies outside must not count.
        left, right = a.copy(), b.copy()
        left[:, height:], right[:, : columns - length], right[:, :, pixels:] = (
            np.nan,
            np.nan,
            np.nan,
        )
        for beta in (1, 0.5, 0):
            c, wanted = before.copy(), before.copy()
            inside = wanted[:height, :length]
            inside[...] = beta * inside + product[:height, :length]
            if beta == 0:
                c[:height, :length] = np.nan
            operands = left.ravel(), right.ravel(), np.float32(beta), c.reshape(-1)
            run(*operands, starts, height, length)
            np.testing.assert_allclose(c, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [4, 8, 16])
def test_transpose_of_any_width(width):
    transpose = make_transpose(width)

    @numba.njit
    def run(source, target):
        transpose(source, 1, width + 2, target, 3, width + 1)

    source = np.arange(width * (width + 2) + 1, dtype=np.float32)
    target = np.full(width * (width + 1) + 3, -1, np.float32)
    run(source, target)
    square = source[1:].reshape(width, width + 2)[:, :width]
    np.testing.assert_array_equal(target[3:].reshape(width, width + 1)[:, :width], square.T)
    assert (target[3:].reshape(width, width + 1)[:, width] == -1).all()
