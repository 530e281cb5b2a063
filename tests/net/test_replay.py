"""Passes that are repeated as a list of kernel calls compute exactly what the layers do."""

import numpy as np
import pytest
from kernel_testing import ON_GPU
from net_testing import fill_inputs, inner_product, inputs, loss, make_net

from caffe.errors import CaffeError

pytestmark = pytest.mark.skipif(ON_GPU, reason="the GPU repeats passes in its own way")

NET = (
    inputs(data=(4, 2, 11, 10), label=(4,))
    + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
"""
    + inner_product("ip", "pool", "ip", 3)
    + 'layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }'
    + inner_product("ip2", "ip", "ip2", 3)
    + loss("ip2")
)


def two_nets(text=NET):
    """A net that repeats its passes, and one with equal weights that runs layer by layer."""
    repeated, plain = make_net(text), make_net(text)
    plain.share_with(repeated)
    plain._replay = None
    return repeated, plain


def train(nets, seed):
    """A pass over new data; the loss of each net."""
    losses = []
    for net in nets:
        fill_inputs(net, seed)
        net.clear_param_diffs()
        losses.append(net.forward_backward())
    return losses


def count_forwards(monkeypatch, net):
    """A list that grows with each forward of the net's last layer."""
    calls = []
    forward = net.layers[-1].forward
    monkeypatch.setattr(net.layers[-1], "forward", lambda *a: (calls.append(1), forward(*a)))
    return calls


def assert_same(nets):
    repeated, plain = nets
    for name in repeated.blobs:
        for kind in ("data", "diff"):
            ours, wanted = (getattr(net.blobs[name], kind) for net in nets)
            np.testing.assert_array_equal(ours, wanted, err_msg=f"{name}.{kind}")
    for name in repeated.params:
        for ours, wanted in zip(repeated.params[name], plain.params[name], strict=True):
            np.testing.assert_array_equal(ours.diff, wanted.diff, err_msg=name)


def test_repeated_passes_compute_what_layers_do(monkeypatch):
    nets = two_nets()
    for seed in range(3):
        train(nets, seed)
    calls = count_forwards(monkeypatch, nets[0])
    ours, wanted = train(nets, 5)
    assert not calls
    assert ours == wanted
    assert_same(nets)


def test_new_weights_are_used():
    nets = two_nets()
    for seed in range(4):
        train(nets, seed)
        nets[0].params["ip"][0].data[...] *= 0.5
    train(nets, 4)
    assert_same(nets)


def test_a_forward_in_between_leaves_the_gradient_of_the_last_backward():
    nets = two_nets()
    for seed in range(4):
        train(nets, seed)
    for net in nets:
        fill_inputs(net, 7)
        net.forward()
    train(nets, 8)
    for net in nets:
        fill_inputs(net, 9)
        net.forward()
    assert_same(nets)


def test_a_gradient_that_is_read_between_repetitions():
    """From then on it is written, so that what was noted no longer is what is to be done."""
    nets = two_nets()
    for seed in range(4):
        train(nets, seed)
    held = nets[0].blobs["conv"].diff
    for seed in range(4, 8):
        train(nets, seed)
        np.testing.assert_array_equal(held, nets[1].blobs["conv"].diff)
    assert_same(nets)


def test_other_shapes_and_other_memory(monkeypatch):
    nets = two_nets()
    for seed in range(3):
        train(nets, seed)
    calls = count_forwards(monkeypatch, nets[0])
    for net in nets:
        net.blobs["data"].reshape(3, 2, 11, 10)
        net.blobs["label"].reshape(3)
    for seed in range(3, 6):
        train(nets, seed)
    assert 0 < len(calls) < 3
    other = make_net(NET)
    fill_inputs(other)
    for net in nets:
        net.params["ip"][0].share_data(other.params["ip"][0])
    for seed in range(6, 9):
        train(nets, seed)
    assert_same(nets)


def test_a_bad_label_is_found_and_named():
    nets = two_nets()
    for seed in range(3):
        train(nets, seed)
    for net in nets:
        net.blobs["label"].data[1] = 7
    with pytest.raises(CaffeError, match=r"layer 'loss'.*label 7"):
        nets[0].forward_backward()
    train(nets, 4)
    assert_same(nets)


def test_debug_info_runs_layer_by_layer(monkeypatch):
    net = make_net(NET)
    for seed in range(3):
        train([net], seed)
    calls = count_forwards(monkeypatch, net)
    net.debug_info = True
    train([net], 3)
    assert calls == [1]


def test_a_net_with_data_made_on_the_way_is_not_repeated():
    """What comes behind the first layer that computes would be left out of the list."""
    feeding = 'layer { name: "late" type: "DummyData" top: "late" dummy_data_param { shape {} } }'
    late = NET + feeding + 'layer { name: "reader" type: "Silence" bottom: "late" }'
    assert make_net(NET)._replay is not None
    assert make_net(late)._replay is None
