"""Wiring and running nets: what runs forward and backward, sharing, loss weights."""

import re

import numba
import numpy as np
import pytest
from net_testing import (
    GOLDEN,
    fill_inputs,
    inner_product,
    inputs,
    lenet_text,
    loss,
    make_net,
    mnist,
)

import caffe
from caffe import CaffeError

DATA = inputs(data=(4, 5), label=(4,))


def test_lenet_is_wired_as_caffe_wires_it(caffe_log) -> None:
    """The lines that Caffe logs while it makes the training net, but for the data layer's own."""
    golden = (GOLDEN / "lenet" / "caffe_train.log").read_text()
    golden = golden[golden.index("Initializing net from") : golden.index("Creating test net")]
    wanted = re.findall(r"^I\d+ [\d:.]+ +\d+ \S+\] (.*)$", golden, re.M)
    make_net(lenet_text())
    logged = [record.getMessage() for record in caffe_log.records]
    own = r"^$|mnist|input|output data size|Initializing net|Creating layer loss"
    assert [x for x in logged if not re.search(own, x)] == [
        x for x in wanted if not re.search(own, x)
    ]


def test_first_batch_of_lenet_agrees_with_caffe() -> None:
    """Blobs, gradients and parameter gradients of LeNet's first batch from its recorded weights."""
    record = np.load(GOLDEN / "lenet" / "first_batch.npz")
    net = make_net(lenet_text())
    net.copy_from(GOLDEN / "lenet" / "lenet_init.caffemodel")
    images, labels = mnist("train", 64)
    net.blobs["data"].data[...] = images * np.float32(0.00390625)
    net.blobs["label"].data[...] = labels
    net.forward_backward()
    for key in record.files:
        kind, name, *index = key.split("/")
        if kind == "paramdiff":
            found = net.params[name][int(index[0])].diff
        else:
            found = getattr(net.blobs[name], kind)
        wanted = record[key]
        np.testing.assert_allclose(
            found, wanted, rtol=2e-4, atol=2e-5 * np.abs(wanted).max(), err_msg=key
        )


def test_lenets_gradients_are_the_same_bits_for_any_number_of_threads() -> None:
    net = make_net(lenet_text())
    fill_inputs(net, classes=10)
    before = numba.get_num_threads()
    gradients = []
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            net.clear_param_diffs()
            net.forward_backward()
            gradients.append([blob.diff.copy() for blob in net.learnable_params])
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradients_stop_at_data_and_at_frozen_layers() -> None:
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    net = make_net(
        DATA
        + inner_product("a", "data", "a", 4, frozen)
        + inner_product("b", "a", "b", 3)
        + loss("b")
    )
    assert net._wiring.layer_need_backward == [False, False, True, True]
    assert net._wiring.bottom_need_backward[2:] == [[False], [True, False]]
    fill_inputs(net)
    net.forward_backward()
    assert not net.params["a"][0].diff.any()
    assert net.params["b"][0].diff.any()


def test_only_one_parameter_frozen() -> None:
    net = make_net(DATA + inner_product("a", "data", "a", 3, "param { lr_mult: 0 }") + loss("a"))
    fill_inputs(net)
    net.forward_backward()
    assert not net.params["a"][0].diff.any()
    assert net.params["a"][1].diff.any()


def test_force_backward_reaches_the_data_but_not_the_labels() -> None:
    net = make_net("force_backward: true " + DATA + inner_product("a", "data", "a", 3) + loss("a"))
    fill_inputs(net)
    net.forward_backward()
    assert net.blobs["data"].diff.any()
    assert net._wiring.bottom_need_backward[-1] == [True, False]


def test_propagate_down_stops_a_gradient() -> None:
    text = DATA + inner_product("a", "data", "a", 4) + inner_product("b", "a", "b", 3, "{}")
    net = make_net(text.replace("{}", "propagate_down: false") + loss("b"))
    fill_inputs(net)
    net.forward_backward()
    assert net.params["b"][0].diff.any()
    assert not net.params["a"][0].diff.any()
    with pytest.raises(CaffeError, match="layer .b.*2 propagate_down entries for 1 bottoms"):
        make_net(text.replace("{}", "propagate_down: false propagate_down: true") + loss("b"))


def test_propagate_down_can_ask_for_the_gradient_of_data() -> None:
    text = DATA + inner_product("a", "data", "a", 3, "propagate_down: true") + loss("a")
    net = make_net(text)
    fill_inputs(net)
    net.forward_backward()
    assert net.blobs["data"].diff.any()


def test_layers_that_lead_to_no_loss_are_left_out() -> None:
    net = make_net(
        DATA
        + inner_product("a", "data", "a", 3)
        + inner_product("idle", "data", "idle", 2)
        + loss("a")
    )
    names = [layer.name for layer in net.layers]
    need = dict(zip(names, net._wiring.layer_need_backward, strict=True))
    assert need["a"]
    assert not need["idle"]
    assert net.outputs == ["idle", "loss"]


def test_two_losses_add_up_with_their_weights() -> None:
    text = DATA + inner_product("a", "data", "a", 3)
    one, half = (make_net(text + loss("a", f"loss_weight: {w}")) for w in (1, 0.5))
    fill_inputs(one)
    fill_inputs(half)
    half.share_with(one)
    assert half.forward_loss() == pytest.approx(one.forward_loss() / 2, rel=1e-6)
    one.forward_backward()
    half.forward_backward()
    np.testing.assert_allclose(half.params["a"][0].diff, one.params["a"][0].diff / 2, rtol=1e-6)
    assert half.blob_loss_weights["loss"] == 0.5


def test_a_loss_weight_on_any_top() -> None:
    """A loss weight on an ordinary layer makes the sum of its outputs a loss."""
    net = make_net(inputs(data=(4, 5)) + inner_product("a", "data", "a", 3, "loss_weight: 2"))
    fill_inputs(net)
    found = net.forward_backward()
    assert found == pytest.approx(2 * net.blobs["a"].data.sum(), rel=1e-5)
    np.testing.assert_allclose(net.params["a"][1].diff, [8, 8, 8])
    net.blobs["data"].reshape(2, 5)
    fill_inputs(net)
    net.clear_param_diffs()
    net.forward_backward()
    np.testing.assert_allclose(net.params["a"][1].diff, [4, 4, 4])


def test_loss_without_a_top_is_counted_but_no_output() -> None:
    text = DATA + inner_product("a", "data", "a", 3) + loss("a").replace('top: "loss"', "")
    net = make_net(text)
    fill_inputs(net)
    assert net.forward_loss() > 0
    assert net.outputs == []


def test_a_blob_with_two_consumers_gets_the_sum_of_their_gradients() -> None:
    text = (
        "force_backward: true "
        + inputs(data=(2, 3))
        + inner_product("a", "data", "a", 2, "loss_weight: 1")
        + inner_product("b", "data", "b", 2, "loss_weight: 1")
    )
    net = make_net(text)
    net.forward_backward()
    total = net.params["a"][0].data.sum(0) + net.params["b"][0].data.sum(0)
    np.testing.assert_allclose(net.blobs["data"].diff, [total, total], rtol=1e-5)


def test_in_place_layers_share_their_bottom() -> None:
    relu = 'layer { name: "relu" type: "ReLU" bottom: "a" top: "a" }'
    net = make_net(DATA + inner_product("a", "data", "a", 3) + relu + loss("a"))
    fill_inputs(net)
    net.forward_backward()
    assert (net.blobs["a"].data >= 0).all()
    assert net.top_names["relu"] == net.bottom_names["relu"] == ["a"]


def test_a_loss_weight_on_an_in_place_layer_holds_in_every_pass() -> None:
    tanh = 'layer { name: "t" type: "TanH" bottom: "a" top: "a" loss_weight: 3 }'
    net = make_net(DATA + inner_product("a", "data", "a", 3) + tanh)
    fill_inputs(net)
    gradients = []
    for _ in range(3):
        net.clear_param_diffs()
        net.forward_backward()
        gradients.append(net.params["a"][0].diff.copy())
    wanted = (3 * (1 - net.blobs["a"].data ** 2)).T @ net.blobs["data"].data
    for gradient in gradients:
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-6)


def test_debug_info_calls_named_parameters_by_name(caffe_log) -> None:
    named = 'param { name: "w" }'
    make_net("debug_info: true " + DATA + inner_product("a", "data", "a", 3, named)).forward_loss()
    assert "[Forward] Layer a, param blob w data: " in caffe_log.text
    assert "[Forward] Layer a, param blob 1 data: " in caffe_log.text


def test_debug_info_logs_every_blob(caffe_log) -> None:
    net = make_net("debug_info: true " + DATA + inner_product("a", "data", "a", 3) + loss("a"))
    fill_inputs(net)
    net.forward_backward()
    lines = [r.getMessage() for r in caffe_log.records if r.getMessage().startswith("    [")]
    mean = np.abs(net.blobs["a"].data).mean()
    assert f"    [Forward] Layer a, top blob a data: {mean:g}" in lines
    assert any(line.startswith("    [Backward] Layer a, param blob 1 diff: ") for line in lines)
    assert re.match(
        r"    \[Backward\] All net params \(data, diff\): L1 norm = \(.+, .+\); L2 norm = ",
        lines[-1],
    )


def test_phase_level_and_stage_select_layers() -> None:
    text = DATA + inner_product("a", "data", "a", 3, 'include { stage: "deploy" min_level: 1 }')
    assert list(make_net(text, caffe.TEST).params) == []
    assert list(make_net(text, caffe.TEST, level=1, stages=["deploy"]).params) == ["a"]


def test_layers_know_their_phase() -> None:
    net = make_net(
        inputs(data=(1, 2)) + inner_product("a", "data", "a", 2, "phase: TRAIN"), caffe.TEST
    )
    assert [layer.phase for layer in net.layers] == [caffe.TEST, caffe.TRAIN]
