"""ReLU: golden records, gradient, in place."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_blob, make_layer, run_golden

VALUES = np.random.default_rng(6).normal(size=(2, 3, 4)).astype(np.float32)


@pytest.mark.parametrize("name", ["relu", "relu_leaky"])
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize("slope", [0, 0.1])
def test_gradient(slope):
    layer = make_layer(f'type: "ReLU" relu_param {{ negative_slope: {slope} }}')
    check_gradient(layer, [VALUES], kink=0, kink_range=0.01)


@pytest.mark.parametrize("slope", [0, 0.25])
def test_in_place(slope):
    layer = make_layer(f'type: "ReLU" relu_param {{ negative_slope: {slope} }}')
    blob = make_blob(VALUES)
    layer.setup([blob], [blob])
    layer.reshape([blob], [blob])
    layer.forward([blob], [blob])
    np.testing.assert_array_equal(blob.data, np.where(VALUES > 0, VALUES, slope * VALUES))
    blob.diff[...] = 2
    layer.backward([blob], [True], [blob])
    np.testing.assert_array_equal(blob.diff, np.where(VALUES > 0, 2, 2 * slope))
