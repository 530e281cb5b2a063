"""Batches of a dataset in the GPU's memory, against the definition of what is done to a record."""

import numpy as np
import pytest
from kernel_testing import gpu_only, run_kernel

from caffe.kernels import reference

pytestmark = gpu_only
ITEMS, CHANNELS, ROWS, COLUMNS = 7, 2, 5, 6


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("mean_shape", [(1, 1, 1), (2, 1, 1), (2, 5, 6)])
@pytest.mark.parametrize(("size", "top", "left"), [((5, 6), 0, 0), ((3, 4), 1, 2)])
def test_batches_go_round_and_round(dtype, mean_shape, size, top, left):
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (ITEMS, CHANNELS, ROWS, COLUMNS)).astype(dtype)
    labels, mean = np.arange(ITEMS, dtype=np.float32), rng.normal(size=mean_shape)
    mean = mean.astype(np.float32)
    position, batch = np.array([5], np.int64), 3
    for first in (5, 1, 4):
        out = np.full((batch, CHANNELS, *size), np.nan, np.float32)
        label = np.full(batch, np.nan, np.float32)
        left_arrays, _ = run_kernel(
            "resident_batch", images, labels, position, mean, 0.5, top, left, out, label
        )
        wanted = [(first + n) % ITEMS for n in range(batch)]
        places = np.zeros(batch, bool), np.full(batch, top), np.full(batch, left)
        reference.transform(images[wanted], mean, 0.5, *places, out)
        np.testing.assert_allclose(left_arrays[7], out, rtol=1e-6)
        assert left_arrays[8].tolist() == wanted
        position = left_arrays[2]
        assert position[0] == (first + batch) % ITEMS


def test_without_labels():
    images = np.ones((2, 1, 2, 2), np.uint8)
    arrays, _ = run_kernel(
        "resident_batch",
        images,
        np.zeros(2, np.float32),
        np.zeros(1, np.int64),
        np.zeros((1, 1, 1), np.float32),
        2.0,
        0,
        0,
        np.zeros((3, 1, 2, 2), np.float32),
        np.empty(0, np.float32),
    )
    assert (arrays[7] == 2).all()
