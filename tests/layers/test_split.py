"""Split: golden record, gradient, shared memory."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_layer, run_golden, set_up

VALUES = np.arange(6).reshape(2, 3)


def test_golden():
    run_golden("split")


@pytest.mark.parametrize("num_top", [1, 2, 4])
def test_gradient(num_top):
    check_gradient(make_layer('type: "Split"'), [VALUES], num_top=num_top)


def test_tops_share_the_data_but_not_the_diff():
    layer = make_layer('type: "Split"')
    bottoms, tops = set_up(layer, [VALUES], num_top=2)
    layer.forward(bottoms, tops)
    assert all(np.shares_memory(top.data, bottoms[0].data) for top in tops)
    assert not np.shares_memory(tops[0].diff, tops[1].diff)
