"""Convolution: golden records, gradients, forms and their checks."""

import numpy as np
import pytest
from kernel_testing import cpu_only
from layer_testing import check_gradient, make_blob, make_layer, run_golden, set_up

from caffe.errors import CaffeError
from caffe.kernels import cpu
from caffe.layers.blob import Blob

GOLDEN = [
    "conv_1x1",
    "conv_3d",
    "conv_dilation",
    "conv_group",
    "conv_hw",
    "conv_lenet1",
    "conv_lenet2",
    "conv_nobias",
    "conv_pad_stride",
    "conv_two_bottoms",
]
FILLERS = 'weight_filler { type: "gaussian" std: 1 } bias_filler { type: "gaussian" std: 1 }'


def convolution(fields):
    return make_layer(f'type: "Convolution" convolution_param {{ {fields} {FILLERS} }}')


def values(*shape):
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ("num_output: 4 kernel_size: 3 stride: 2", (2, 3, 6, 4)),
        ("num_output: 2 kernel_size: 3 dilation: 2 pad: 1", (1, 2, 7, 6)),
        (
            "num_output: 6 group: 3 kernel_h: 2 kernel_w: 1 pad_w: 1 stride_h: 2 stride_w: 1",
            (2, 3, 4, 3),
        ),
        ("num_output: 2 kernel_size: 1", (2, 3, 3, 2)),
        ("num_output: 2 kernel_size: 3 pad: 1", (1, 2, 5)),
        (
            "num_output: 2 kernel_size: 2 kernel_size: 1 kernel_size: 3 bias_term: false",
            (1, 2, 3, 2, 4),
        ),
        ("num_output: 2 kernel_size: 2 axis: 2", (2, 2, 3, 4)),
        ("num_output: 3 axis: -1", (2, 2, 4)),
    ],
)
def test_gradient(fields, shape):
    check_gradient(convolution(fields), [values(*shape)])


def test_gradient_of_two_bottoms():
    layer = convolution("num_output: 2 kernel_size: 2")
    check_gradient(layer, [values(2, 2, 3, 3), values(2, 2, 3, 3)[::-1]], num_top=2)


def test_sobel():
    """A convolution with the Sobel kernel is the one with [1 2 1]^T followed by [-1 0 1]."""
    image = values(1, 3, 8, 9)
    whole = convolution("num_output: 1 kernel_size: 3 stride: 2 bias_term: false")
    bottoms, tops = set_up(whole, [image])
    whole.blobs[0].data[...] = np.outer([1, 2, 1], [-1, 0, 1])
    whole.forward(bottoms, tops)
    first = convolution(
        "num_output: 1 kernel_h: 3 kernel_w: 1 stride_h: 2 stride_w: 1 bias_term: false"
    )
    rows, columns = set_up(first, [image])
    first.blobs[0].data[...] = np.reshape([1, 2, 1], (3, 1))
    first.forward(rows, columns)
    second = convolution(
        "num_output: 1 kernel_h: 1 kernel_w: 3 stride_h: 1 stride_w: 2 bias_term: false"
    )
    _, result = set_up(second, columns)
    second.blobs[0].data[...] = [-1, 0, 1]
    second.forward(columns, result)
    np.testing.assert_allclose(tops[0].data, result[0].data, atol=1e-5)


def test_engine_and_force_nd_im2col_change_nothing():
    plain = convolution("num_output: 2 kernel_size: 3")
    other = convolution("num_output: 2 kernel_size: 3 engine: CUDNN force_nd_im2col: true")
    results = []
    for layer in (plain, other):
        bottoms, tops = set_up(layer, [values(1, 2, 4, 4)])
        layer.blobs[0].data[...] = values(2, 2, 3, 3)
        layer.blobs[1].data[...] = 1
        layer.forward(bottoms, tops)
        results.append(tops[0].data)
    np.testing.assert_array_equal(*results)


def test_a_changed_shape_keeps_the_parameters():
    layer = convolution("num_output: 2 kernel_size: 3")
    bottoms, tops = set_up(layer, [values(1, 2, 4, 4)])
    before = [blob.data.copy() for blob in layer.blobs]
    bottoms[0].reshape(3, 2, 7, 5)
    layer.reshape(bottoms, tops)
    assert tops[0].shape == (3, 2, 5, 3)
    for blob, data in zip(layer.blobs, before, strict=True):
        np.testing.assert_array_equal(blob.data, data)
    bottoms[0].data[...] = 0
    layer.forward(bottoms, tops)
    np.testing.assert_array_equal(tops[0].data[0, :, 0, 0], layer.blobs[1].data)


def test_frozen_parameters_get_no_gradient():
    layer = convolution("num_output: 2 kernel_size: 3")
    bottoms, tops = set_up(layer, [values(1, 2, 4, 4)])
    layer.param_propagate_down = [False, False]
    tops[0].diff[...] = 1
    layer.backward(tops, [False], bottoms)
    assert not layer.blobs[0].diff.any()
    assert not layer.blobs[1].diff.any()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("kernel_size: 3", "needs num_output"),
        ("num_output: 2", "kernel_size must be given once, or once for each of the 2"),
        ("num_output: 2 kernel_size: 0", "kernel_size must be above 0"),
        ("num_output: 2 kernel_size: 1 kernel_size: 1 kernel_size: 1", "given 3 times"),
        ("num_output: 2 kernel_size: 2 kernel_h: 2", "either kernel_size or kernel_h and kernel_w"),
        ("num_output: 2 kernel_h: 2", r"kernel_size must be above 0 along each axis, .*\(2, 0\)"),
        ("num_output: 2 kernel_size: 2 stride: 0", "stride must be above 0"),
        ("num_output: 2 kernel_size: 2 stride_h: 2", r"stride must be above 0 .*\(2, 0\)"),
        ("num_output: 2 kernel_size: 2 dilation: 0", "dilation must be above 0"),
        ("num_output: 2 kernel_size: 2 pad: 1 pad_h: 1", "either pad or pad_h and pad_w"),
        ("num_output: 2 kernel_size: 2 group: 3", "4 channels, which group 3 does not divide"),
        ("num_output: 3 kernel_size: 2 group: 2", "num_output 3 is not a multiple of group 2"),
        ("num_output: 2 kernel_size: 2 group: 0", "group must be above 0"),
        ("num_output: 2 kernel_size: 2 axis: 4", "axis 4 does not exist"),
        ("num_output: 2 kernel_size: 3 dilation: 4", "spans 9 x 9, .* padded input, 5 x 6"),
        ("num_output: 2 kernel_h: 2 kernel_w: 2 axis: 2", "are for 2 spatial axes"),
    ],
)
def test_errors(fields, message):
    with pytest.raises(CaffeError, match=f"layer 'under_test' .Convolution.: .*{message}"):
        set_up(convolution(fields), [values(1, 4, 5, 6)])


def test_bottoms_that_differ():
    layer = convolution("num_output: 2 kernel_size: 2")
    with pytest.raises(CaffeError, match=r"one shape, .*\(1, 2, 3, 3\) and \(1, 2, 3, 4\)"):
        set_up(layer, [values(1, 2, 3, 3), values(1, 2, 3, 4)], num_top=2)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 3, 4, 4), "the weights are for 2 input channels"), ((1, 2, 4), "number of axes")],
)
def test_a_changed_shape_that_does_not_fit(shape, message):
    layer = convolution("num_output: 2 kernel_size: 3")
    set_up(layer, [values(1, 2, 4, 4)])
    with pytest.raises(CaffeError, match=message):
        layer.reshape([make_blob(values(*shape))], [Blob()])


@cpu_only
@pytest.mark.parametrize("engine", ["DEFAULT", "CAFFE", "CUDNN"])
def test_only_caffes_engine_rounds_as_caffe_does(engine):
    bottom = values(32, 20, 12, 12)  # enough for the way with few multiplications
    layer = convolution(f"num_output: 50 kernel_size: 5 engine: {engine}")
    bottoms, tops = set_up(layer, [bottom])
    layer.forward(bottoms, tops)
    direct = np.empty_like(tops[0].data)
    workspace = np.empty(layer.workspace_size, np.float32)
    weight, bias = (blob.data for blob in layer.blobs)
    form = ((0, 0), (1, 1), (1, 1), 1, workspace, True)
    cpu.convolution_forward(bottom, weight, bias, direct, *form)
    assert (direct == tops[0].data).all() == (engine == "CAFFE")
    np.testing.assert_allclose(tops[0].data, direct, atol=1e-5 * np.abs(direct).max())
