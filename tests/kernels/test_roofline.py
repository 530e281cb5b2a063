"""The machine's limits: no figure is asserted, only that the work is done and counted."""

import numba
import numpy as np
import pytest
from kernel_testing import cpu_only

from caffe.errors import CaffeError
from caffe.kernels.cpu import roofline

pytestmark = cpu_only

LIMITS = (roofline.multiply_add_peak, roofline.memory_bandwidth)
MOST = numba.config.NUMBA_NUM_THREADS


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(roofline, "SECONDS", 0.001)
    monkeypatch.setattr(roofline, "COPIED", 1001)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_a_number_and_the_number_of_threads_stays(limit) -> None:
    users = numba.get_num_threads()
    for threads in (1, MOST):
        assert 0 < limit(threads) < np.inf
    assert numba.get_num_threads() == users


@pytest.mark.parametrize("limit", LIMITS)
def test_threads_that_there_are_not(limit) -> None:
    for threads in (0, -1, MOST + 1):
        with pytest.raises(CaffeError, match=f"cannot measure {threads} threads: give a number"):
            limit(threads)


def test_the_product_that_is_timed() -> None:
    """Every thread fills its own tile, and each value is the sum of DEPTH products."""
    a, b = np.full(roofline.ROWS, 0.5, np.float32), np.full(roofline.COLUMNS, 2.0, np.float32)
    c = np.zeros((3, roofline.ROWS, roofline.COLUMNS), np.float32)
    roofline._multiply(3, a, b, c.reshape(-1))
    assert (c == roofline.DEPTH).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_the_copy_that_is_timed(threads) -> None:
    source, target = np.arange(99, dtype=np.float32), np.zeros(99, np.float32)
    roofline._copy(threads, source, target)
    np.testing.assert_array_equal(target, source)
