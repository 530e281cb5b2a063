"""The Input layer."""

import pytest
from layer_testing import make_layer, set_up

from caffe.errors import CaffeError


def tops(shapes, number):
    text = " ".join(f"shape {{ dim: {' dim: '.join(map(str, shape))} }}" for shape in shapes)
    layer = make_layer(f'type: "Input" input_param {{ {text} }}')
    return layer, set_up(layer, [], number)[1]


def test_one_shape_for_all_tops():
    _, (first, second) = tops([(2, 3)], 2)
    assert first.shape == second.shape == (2, 3)


def test_one_shape_each():
    _, (first, second) = tops([(2, 3), (4,)], 2)
    assert (first.shape, second.shape) == ((2, 3), (4,))


def test_no_shape_leaves_it_to_the_user():
    tops([], 2)


def test_user_decides_after_setup():
    layer, [top] = tops([(2, 3)], 1)
    top.reshape(5, 3)
    top.data[...] = 7
    layer.reshape([], [top])
    layer.forward([], [top])
    assert top.shape == (5, 3)
    assert (top.data == 7).all()


def test_wrong_number_of_shapes():
    with pytest.raises(CaffeError, match="there are 2 shapes and 3 tops"):
        tops([(2, 3), (4,)], 3)
