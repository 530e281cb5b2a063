"""Silence: no tops, zero gradients."""

import numpy as np
from layer_testing import make_layer, set_up


def test_zeroes_the_gradients_asked_for():
    layer = make_layer('type: "Silence"')
    bottoms, tops = set_up(layer, [np.ones((2, 3)), np.ones(4), np.ones(1)], num_top=0)
    layer.forward(bottoms, tops)
    for blob in bottoms:
        blob.diff[...] = 5
    layer.backward(tops, [True, False, True], bottoms)
    assert [float(blob.diff.max()) for blob in bottoms] == [0, 5, 0]
