"""How many operations the products of a layer are, forward and backward."""

import pytest
from net_testing import inner_product, inputs, loss, make_net

CONVOLUTION = """
layer { name: "conv" type: "Convolution" bottom: "data" bottom: "more" top: "a" top: "b"
  loss_weight: 1 loss_weight: 1 MORE
  convolution_param { num_output: 6 kernel_size: 3 pad: 1 group: 2 } }
"""
ONE = 2 * 2 * 6 * 25 * (2 * 9)  # of each 2 x 6 x 5 x 5 outputs, 2 channels of a 3 x 3 kernel


@pytest.mark.parametrize(
    ("more", "gradients"),
    [
        ("", 2),
        ("propagate_down: true propagate_down: false", 3),
        ("propagate_down: true propagate_down: true", 4),
        ("param { lr_mult: 0 }", 0),
        ("param { lr_mult: 0 } propagate_down: false propagate_down: true", 1),
    ],
)
def test_convolution(more, gradients) -> None:
    """Two bottoms: the gradient by the weights is as many operations as that by both."""
    net = make_net(inputs(data=(2, 4, 5, 5), more=(2, 4, 5, 5)) + CONVOLUTION.replace("MORE", more))
    assert net.operations(1) == (2 * ONE, gradients * ONE)


@pytest.mark.parametrize("transpose", [False, True])
def test_inner_product(transpose) -> None:
    layers = inner_product("ip1", "data", "ip1", 7) + inner_product("ip2", "ip1", "ip2", 5)
    if transpose:
        layers = layers.replace("inner_product_param {", "inner_product_param { transpose: true ")
    net = make_net(inputs(data=(4, 2, 3), label=(4,)) + layers + loss("ip2"))
    assert [net.operations(i) for i in range(len(net.layers))] == [
        (0, 0),
        (2 * 4 * 7 * 6, 2 * 4 * 7 * 6),
        (2 * 4 * 5 * 7, 2 * 2 * 4 * 5 * 7),
        (0, 0),
    ]
    net.blobs["data"].reshape(1, 2, 3)
    net.blobs["label"].reshape(1)
    net.forward()
    assert net.operations(1)[0] == 2 * 7 * 6
