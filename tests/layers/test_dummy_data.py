"""DummyData: shapes, fillers, what is filled again."""

import numpy as np
import pytest
from layer_testing import make_layer, set_up

from caffe.errors import CaffeError
from caffe.io.rng import set_random_seed


def dummy(text):
    return make_layer(f'name: "dummy" type: "DummyData" dummy_data_param {{ {text} }}')


def test_without_a_filler_all_is_zero():
    layer = dummy("shape { dim: 2 dim: 3 }")
    _, tops = set_up(layer, [], num_top=2)
    layer.forward([], tops)
    assert [top.data.tolist() for top in tops] == [[[0, 0, 0], [0, 0, 0]]] * 2


def test_old_fields_one_a_top():
    layer = dummy("num: 5 num: 4 channels: 3 height: 2 width: 1 width: 6")
    _, tops = set_up(layer, [], num_top=2)
    assert [top.shape for top in tops] == [(5, 3, 2, 1), (4, 3, 2, 6)]


def test_constants_are_filled_once_and_others_at_each_forward():
    set_random_seed(1)
    layer = dummy(
        "shape { dim: 3 } shape { dim: 50 } "
        'data_filler { value: 7 } data_filler { type: "gaussian" std: 2 }'
    )
    _, tops = set_up(layer, [], num_top=2)
    assert tops[0].data.tolist() == [7, 7, 7]
    assert not tops[1].data.any()
    layer.forward([], tops)
    first = tops[1].data.copy()
    tops[0].data[...] = 1
    layer.forward([], tops)
    assert tops[0].data.tolist() == [1, 1, 1]
    assert first.any()
    assert not np.array_equal(tops[1].data, first)


def test_one_random_filler_for_all():
    layer = dummy('shape { dim: 20 } data_filler { type: "uniform" min: 1 max: 2 }')
    _, tops = set_up(layer, [], num_top=2)
    layer.forward([], tops)
    for top in tops:
        assert top.data.min() >= 1
        assert top.data.max() <= 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs 1 or 3 of dummy_data_param's shape .* has 0"),
        ("shape { dim: 1 } shape { dim: 2 }", "needs 1 or 3 .*shape"),
        ("shape { dim: 1 } data_filler {} data_filler {}", "needs 1 or 3 .*data_filler"),
        ("shape { dim: 1 } num: 1", "not both"),
        ("num: 1 channels: 2", "needs 1 or 3 .*height"),
        ('shape { dim: 1 } data_filler { type: "gausian" }', "did you mean 'gaussian'"),
    ],
)
def test_mistakes(text, message):
    layer = dummy(text)
    with pytest.raises(CaffeError, match=f"layer 'dummy' .*{message}"):
        layer.forward([], set_up(layer, [], num_top=3)[1])
