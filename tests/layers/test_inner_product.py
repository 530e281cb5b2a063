"""InnerProduct: golden records, gradients, shapes and errors."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_blob, make_layer, run_golden, set_up

from caffe.errors import CaffeError
from caffe.layers.blob import Blob

FILLERS = 'weight_filler { type: "gaussian" std: 1 } bias_filler { type: "gaussian" std: 1 }'


def inner_product(fields):
    return make_layer(f'type: "InnerProduct" inner_product_param {{ {fields} {FILLERS} }}')


def values(*shape):
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    "name", ["ip_axis2", "ip_lenet1", "ip_lenet2", "ip_nobias", "ip_transpose"]
)
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ("num_output: 5", (3, 2, 4)),
        ("num_output: 5 transpose: true", (3, 8)),
        ("num_output: 2 axis: -1", (2, 2, 3)),
        ("num_output: 3 axis: 0 bias_term: false", (4,)),
    ],
)
def test_gradient(fields, shape):
    check_gradient(inner_product(fields), [values(*shape)])


@pytest.mark.parametrize(
    ("fields", "weight", "top"),
    [
        ("num_output: 10", (10, 60), (2, 10)),
        ("num_output: 10 transpose: true", (60, 10), (2, 10)),
        ("num_output: 10 axis: 2", (10, 20), (2, 3, 10)),
        ("num_output: 10 axis: -1", (10, 5), (2, 3, 4, 10)),
    ],
)
def test_shapes(fields, weight, top):
    layer = inner_product(fields)
    _, tops = set_up(layer, [values(2, 3, 4, 5)])
    assert [blob.shape for blob in layer.blobs] == [weight, (10,)]
    assert tops[0].shape == top


def test_a_changed_batch_keeps_the_parameters():
    layer = inner_product("num_output: 3")
    bottoms, tops = set_up(layer, [values(2, 4)])
    before = [blob.data.copy() for blob in layer.blobs]
    bottoms[0].reshape(7, 2, 2)
    layer.reshape(bottoms, tops)
    assert tops[0].shape == (7, 3)
    for blob, data in zip(layer.blobs, before, strict=True):
        np.testing.assert_array_equal(blob.data, data)


def test_num_output_is_needed():
    with pytest.raises(CaffeError, match="layer 'under_test' .InnerProduct.: .*num_output"):
        set_up(inner_product(""), [values(2, 3)])


def test_a_bottom_that_does_not_fit():
    layer = inner_product("num_output: 3")
    set_up(layer, [values(2, 4)])
    with pytest.raises(CaffeError, match=r"are for 4 inputs, .*\(2, 5\) gives 5"):
        layer.reshape([make_blob(values(2, 5))], [Blob()])


def test_an_axis_that_does_not_exist():
    with pytest.raises(CaffeError, match="axis 2 does not exist in a blob of 2 axes"):
        set_up(inner_product("num_output: 3 axis: 2"), [values(2, 4)])
