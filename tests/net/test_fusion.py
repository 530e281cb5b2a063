"""Layers that run as one: what a reader of the blobs sees is what the layers one by one compute."""

import numpy as np
import pytest
from kernel_testing import ON_GPU
from net_testing import fill_inputs, inner_product, inputs, loss, make_net

from caffe.layers.convolution_max_pooling import ConvolutionMaxPooling
from caffe.net import fusion

NET = (
    inputs(data=(4, 2, 11, 10), label=(4,))
    + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool" top: "conv2"
  convolution_param { num_output: 5 kernel_size: 2 weight_filler { type: "xavier" } } }
layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
"""
    + inner_product("ip", "pool2", "ip", 3)
    + loss("ip")
)


def two_nets(monkeypatch, text=NET):
    """The net as it runs, and one with equal weights whose layers run one by one."""
    fused = make_net(text)
    with monkeypatch.context() as patched:
        patched.setattr(ConvolutionMaxPooling, "fits", staticmethod(lambda *_: False))
        plain = make_net(text)
    assert fused._pairs
    assert not plain._pairs
    plain.share_with(fused)
    for net in (fused, plain):
        fill_inputs(net)
    return fused, plain


def assert_same(fused, plain, blobs, params=True):
    for name in blobs:
        for kind in ("data", "diff"):
            ours, wanted = (getattr(net.blobs[name], kind) for net in (fused, plain))
            np.testing.assert_allclose(ours, wanted, 1e-5, 1e-6, err_msg=f"{name}.{kind}")
    for name in fused.params if params else ():
        for ours, wanted in zip(fused.params[name], plain.params[name], strict=True):
            np.testing.assert_allclose(ours.diff, wanted.diff, 1e-5, 1e-6, err_msg=name)


def test_every_blob_is_right_after_whole_passes(monkeypatch):
    fused, plain = two_nets(monkeypatch)
    for net in (fused, plain):
        net.forward_backward()
    assert not fused.blobs["conv"].has_diff
    assert_same(fused, plain, fused.blobs)


def test_a_gradient_that_was_read_stays_right(monkeypatch):
    """The reader may hold the array: later passes write into it. (From the GPU it is a copy.)"""
    fused, plain = two_nets(monkeypatch)
    held = None
    for seed in range(3):
        for net in (fused, plain):
            fill_inputs(net, seed)
            net.clear_param_diffs()
            net.forward_backward()
        if held is None or ON_GPU:
            held = fused.blobs["conv"].diff
        np.testing.assert_allclose(held, plain.blobs["conv"].diff, 1e-5, 1e-6)
        assert_same(fused, plain, fused.blobs)


def test_a_gradient_outlives_the_next_forward(monkeypatch):
    """Until the next backward a blob's diff is that of the last one."""
    fused, plain = two_nets(monkeypatch)
    for net in (fused, plain):
        net.forward_backward()
        fill_inputs(net, seed=5)
        net.forward()
    assert_same(fused, plain, ["conv", "conv2"])


@pytest.mark.parametrize(("start", "end"), [("loss", "ip"), ("loss", "pool2"), ("pool2", "conv2")])
def test_passes_over_a_part_of_the_net(monkeypatch, start, end):
    fused, plain = two_nets(monkeypatch)
    for net in (fused, plain):
        net.forward_backward()
        fill_inputs(net, seed=7)
        net.forward(end="conv2")
        net.forward(start="pool2")
        net.backward(start=start, end=end)
    assert_same(fused, plain, fused.blobs)


def test_other_shapes(monkeypatch):
    fused, plain = two_nets(monkeypatch)
    for net in (fused, plain):
        net.forward_backward()
        net.blobs["data"].reshape(3, 2, 11, 10)
        net.blobs["label"].reshape(3)
        fill_inputs(net, seed=2)
        net.clear_param_diffs()
        net.forward_backward()
    assert_same(fused, plain, fused.blobs)


@pytest.mark.parametrize(
    "change",
    [
        ("pool: MAX kernel_size: 2", "pool: AVE kernel_size: 2"),
        ("kernel_size: 2 stride: 2", "kernel_size: 2 stride: 1"),
        ("num_output: 6 kernel_size: 3", "num_output: 6 kernel_size: 3 dilation: 2"),
        ('bottom: "conv" top: "pool"', 'bottom: "conv" top: "pool" top: "mask"'),
    ],
)
def test_where_layers_stay_apart(change):
    assert change[0] in NET
    assert 1 in make_net(NET)._pairs
    assert 1 not in fusion.find_pairs(make_net(NET.replace(*change, 1))._wiring)


def test_a_second_reader_keeps_layers_apart():
    text = NET + 'layer { name: "reader" type: "Silence" bottom: "conv" }'
    assert sorted(make_net(text)._pairs) == [4]


def test_a_frozen_convolution(monkeypatch):
    """No gradient where no learning rate asks for one."""
    frozen = NET.replace(
        'top: "conv"\n', 'top: "conv" param { lr_mult: 0 } param { lr_mult: 0 }\n', 1
    )
    fused, plain = two_nets(monkeypatch, frozen)
    for net in (fused, plain):
        net.forward_backward()
    assert_same(fused, plain, ["conv2", "pool2"])
    assert not fused.params["conv"][0].diff.any()
