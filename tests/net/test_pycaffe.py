"""pycaffe's interface to a net."""

import re

import numpy as np
import pytest
from net_testing import fill_inputs, inner_product, inputs, loss, make_net

import caffe
from caffe import CaffeError

DATA = inputs(data=(4, 5), label=(4,))
TEXT = (
    'name: "small" ' + DATA + inner_product("a", "data", "a", 4) + inner_product("b", "a", "b", 3)
)


@pytest.fixture
def net():
    net = make_net(TEXT)
    fill_inputs(net)
    return net


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(TEXT)
    return path


def test_names_and_order(net) -> None:
    assert list(net.blobs) == ["data", "label", "a", "b"]
    assert list(net.params) == ["a", "b"]
    assert net.inputs == ["data", "label"]
    assert net.outputs == ["b", "label"]
    assert list(net.layer_dict) == list(net._layer_names) == ["input", "a", "b"]
    assert [layer.type for layer in net.layers] == ["Input", "InnerProduct", "InnerProduct"]
    assert net.bottom_names["b"] == ["a"]
    assert net.top_names["input"] == ["data", "label"]
    assert net.layer_dict["a"].blobs[0].shape == (4, 5)
    assert net.name == "small"
    assert net._blob_names[net._top_ids(1)[0]] == "a"
    assert net._bottom_ids(2) == net._top_ids(1)
    blob = net.blobs["data"]
    assert (blob.num, blob.channels, blob.height, blob.width) == (4, 5, 1, 1)
    assert (blob.shape, blob.count, blob.data.dtype) == ((4, 5), 20, np.float32)


def test_constructors(file, tmp_path, net) -> None:
    weights = tmp_path / "w.caffemodel"
    net.save(weights)
    for made in (
        caffe.Net(str(file), str(weights), caffe.TEST),
        caffe.Net(file, caffe.TEST, weights=weights),
        caffe.Net(str(file), phase=caffe.TEST, weights=str(weights)),
    ):
        assert made.phase == caffe.TEST
        np.testing.assert_array_equal(made.params["a"][0].data, net.params["a"][0].data)
    with pytest.raises(TypeError, match="give a phase"):
        caffe.Net(str(file))


def test_a_prototxt_mistake_is_an_exception_with_its_place(file) -> None:
    file.write_text(TEXT.replace("num_output", "num_outputs", 1))
    with pytest.raises(CaffeError, match=re.escape("did you mean 'num_output'?")):
        caffe.Net(str(file), caffe.TEST)


def test_forward_returns_the_outputs_and_what_is_asked_for(net) -> None:
    out = net.forward()
    assert set(out) == {"b", "label"}
    assert out["b"] is net.blobs["b"].data or np.shares_memory(out["b"], net.blobs["b"].data)
    assert set(net.forward(blobs=["a"])) == {"a", "b", "label"}
    assert set(net.forward(end="a")) == {"a"}


def test_forward_start_runs_only_what_follows(net) -> None:
    net.forward()
    net.blobs["a"].data[...] = 1
    out = net.forward(start="b")
    wanted = net.params["b"][0].data.sum(1) + net.params["b"][1].data
    np.testing.assert_allclose(out["b"], [wanted] * 4, rtol=1e-5)


def test_forward_takes_inputs(net) -> None:
    data = np.ones((4, 5))
    out = net.forward(data=data, label=np.zeros(4))["b"].copy()
    net.blobs["data"].data[...] = 1
    np.testing.assert_array_equal(net.forward()["b"], out)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net.forward(data=np.ones((4, 5))), "not the net's inputs"),
        (lambda net: net.forward(data=np.ones((3, 5)), label=np.zeros(4)), "not batch sized"),
        (
            lambda net: net.forward(data=np.ones((4, 6)), label=np.zeros(4)),
            "takes the shape (4, 5)",
        ),
        (lambda net: net.forward(start="c"), "has no layer 'c'"),
        (lambda net: net.forward(end="bb"), "did you mean 'b'?"),
        (lambda net: net.forward(start="b", end="a"), "comes after layer 'a'"),
        (lambda net: net.backward(start="a", end="b"), "comes before layer 'b'"),
        (lambda net: net.forward_all(foo=np.ones((4, 5))), "not the net's inputs"),
        (lambda net: net.forward_all(data=[], label=[]), "no items"),
        (lambda net: net.forward(blobs=["dat"]), "did you mean 'data'?"),
        (lambda net: net.backward(c=np.ones((4, 3))), "not the net's outputs"),
    ],
)
def test_wrong_calls(net, call, message: str) -> None:
    with pytest.raises(CaffeError, match=re.escape(message)):
        call(net)
    net.forward()


def test_backward_from_given_diffs() -> None:
    net = make_net("force_backward: true " + TEXT.replace('top: "label"', "", 1).replace(
        "shape { dim: 4 } ", ""))  # fmt: skip
    fill_inputs(net)
    net.forward()
    diff = np.ones((4, 3), np.float32)
    out = net.backward(b=diff, diffs=["a"])
    assert set(out) == {"data", "a"}
    wanted = diff @ net.params["b"][0].data @ net.params["a"][0].data
    np.testing.assert_allclose(out["data"], wanted, rtol=1e-4, atol=1e-6)
    net.blobs["data"].diff[...] = 0
    assert set(net.backward(start="b", end="b", b=diff)) == {"a"}
    assert not net.blobs["data"].diff.any()


def test_reshape_changes_the_batch(net) -> None:
    before = net.forward()["b"][:2].copy()
    data = net.blobs["data"].data[:2].copy()
    net.blobs["data"].reshape(2, 5)
    net.reshape()
    assert net.blobs["b"].shape == (2, 3)
    net.blobs["data"].data[...] = data
    np.testing.assert_array_equal(net.forward()["b"], before)


def test_forward_sees_a_reshaped_input_by_itself(net) -> None:
    net.blobs["data"].reshape(7, 5)
    net.blobs["data"].data[...] = 1
    assert net.forward()["b"].shape == (7, 3)


@pytest.mark.parametrize("count", [4, 8, 10, 3])
def test_forward_all_takes_any_number_of_items(net, count: int) -> None:
    data = np.random.default_rng(1).normal(size=(count, 5)).astype(np.float32)
    outs = net.forward_all(blobs=["a"], data=data, label=np.zeros(count))
    assert outs["b"].shape == (count, 3)
    wanted = data @ net.params["a"][0].data.T + net.params["a"][1].data
    np.testing.assert_allclose(outs["a"], wanted, rtol=1e-4, atol=1e-5)


def test_forward_backward_all() -> None:
    net = make_net("force_backward: true " + TEXT + loss("b"))
    data = np.random.default_rng(2).normal(size=(10, 5)).astype(np.float32)
    labels = np.arange(10) % 3
    outs, diffs = net.forward_backward_all(blobs=["b"], data=data, label=labels)
    assert outs["loss"].shape == (3,)
    assert outs["b"].shape == (10, 3)
    assert diffs["data"].shape == (10, 5)
    assert diffs["data"].any(axis=1).all()


def test_share_with(net) -> None:
    other = make_net(TEXT)
    other.share_with(net)
    net.params["a"][0].data[...] = 3
    assert (other.params["a"][0].data == 3).all()
    narrow = make_net(TEXT.replace("num_output: 4", "num_output: 2"))
    with pytest.raises(CaffeError, match="layer 'a'.*cannot share weights"):
        narrow.share_with(net)


def test_clear_param_diffs(net) -> None:
    net.params["a"][0].diff[...] = 1
    net.clear_param_diffs()
    assert not net.params["a"][0].diff.any()


def test_set_input_arrays() -> None:
    memory = (
        'layer { name: "m" type: "MemoryData" top: "data" top: "label" '
        "memory_data_param { batch_size: 2 channels: 1 height: 1 width: 5 } }\n"
    )
    net = make_net(memory + inner_product("a", "data", "a", 3))
    data = np.arange(20, dtype=np.float32).reshape(4, 1, 1, 5)
    net.set_input_arrays(data, np.arange(4, dtype=np.float32))
    for batch in range(3):
        net.forward()
        start = batch * 2 % 4
        np.testing.assert_array_equal(net.blobs["data"].data, data[start : start + 2])
        np.testing.assert_array_equal(net.blobs["label"].data, [start, start + 1])


def test_set_input_arrays_needs_a_memory_data_layer(net) -> None:
    with pytest.raises(CaffeError, match="MemoryData"):
        net.set_input_arrays(np.zeros((4, 1, 1, 5), np.float32), np.zeros(4, np.float32))


def test_weights_survive_an_error(net) -> None:
    before = net.params["a"][0].data.copy()
    with pytest.raises(CaffeError):
        net.copy_from("nowhere.caffemodel")
    np.testing.assert_array_equal(net.params["a"][0].data, before)
