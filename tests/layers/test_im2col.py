"""Im2col: golden record, gradients, errors."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_layer, run_golden, set_up

from caffe.errors import CaffeError


def im2col(fields):
    return make_layer(f'type: "Im2col" convolution_param {{ {fields} }}')


def test_golden():
    run_golden("im2col")


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ("kernel_size: 3 stride: 2 pad: 1", (2, 2, 5, 4)),
        ("kernel_size: 2 dilation: 2", (1, 2, 4, 5)),
        ("kernel_size: 2 pad: 1", (2, 1, 3, 2, 3)),
        ("kernel_size: 2", (2, 2, 4)),
    ],
)
def test_gradient(fields, shape):
    check_gradient(im2col(fields), [np.random.default_rng(0).normal(size=shape)])


def test_top_shape():
    _, tops = set_up(im2col("kernel_h: 2 kernel_w: 3 stride: 2"), [np.zeros((4, 3, 6, 7))])
    assert tops[0].shape == (4, 18, 3, 3)


def test_kernel_too_large():
    with pytest.raises(CaffeError, match="spans 5 x 5, is larger than the padded input, 3 x 6"):
        set_up(im2col("kernel_size: 5"), [np.zeros((1, 1, 3, 6))])
