"""Softmax: golden records, gradient, axes."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_layer, run_golden, set_up

from caffe.errors import CaffeError

VALUES = np.random.default_rng(8).normal(size=(2, 4, 3)).astype(np.float32)


@pytest.mark.parametrize("name", ["softmax", "softmax_axis2"])
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gradient(axis):
    check_gradient(make_layer(f'type: "Softmax" softmax_param {{ axis: {axis} }}'), [VALUES])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_sums_to_one_along_its_axis(axis):
    layer = make_layer(f'type: "Softmax" softmax_param {{ axis: {axis} }}')
    bottoms, tops = set_up(layer, [100 * VALUES])
    layer.forward(bottoms, tops)
    np.testing.assert_allclose(tops[0].data.sum(axis), 1, rtol=1e-6)


def test_axis_that_does_not_exist():
    with pytest.raises(CaffeError, match="axis 3 does not exist"):
        set_up(make_layer('type: "Softmax" softmax_param { axis: 3 }'), [VALUES])
