"""TanH: golden record, gradient, in place."""

import numpy as np
from layer_testing import check_gradient, make_blob, make_layer, run_golden

VALUES = np.random.default_rng(7).normal(size=(2, 3, 4)).astype(np.float32)


def test_golden():
    run_golden("tanh")


def test_gradient():
    check_gradient(make_layer('type: "TanH"'), [VALUES])


def test_in_place():
    layer = make_layer('type: "TanH"')
    blob = make_blob(VALUES)
    layer.reshape([blob], [blob])
    layer.forward([blob], [blob])
    blob.diff[...] = 1
    layer.backward([blob], [True], [blob])
    np.testing.assert_allclose(blob.data, np.tanh(VALUES), rtol=1e-6)
    np.testing.assert_allclose(blob.diff, 1 - np.tanh(VALUES) ** 2, rtol=1e-5)
