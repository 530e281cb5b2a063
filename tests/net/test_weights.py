"""Weights in and out of .caffemodel files."""

import os

import numpy as np
import pytest
from net_testing import GOLDEN, inner_product, inputs, lenet_text, loss, make_net, mnist

import caffe
from caffe import CaffeError
from caffe.proto import caffe_pb2

DATA = inputs(data=(4, 5), label=(4,))
INIT = GOLDEN / "lenet" / "lenet_init.caffemodel"


def weights_of(net) -> dict[str, list[np.ndarray]]:
    return {name: [blob.data.copy() for blob in blobs] for name, blobs in net.params.items()}


def assert_equal(found, wanted) -> None:
    assert list(found) == list(wanted)
    for name in wanted:
        for one, other in zip(found[name], wanted[name], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_save_and_load_keep_every_bit(tmp_path) -> None:
    text = DATA + inner_product("a", "data", "a", 3) + loss("a")
    net, other = make_net(text), make_net(text)
    net.save(tmp_path / "x.caffemodel")
    other.copy_from(tmp_path / "x.caffemodel")
    assert_equal(weights_of(other), weights_of(net))
    assert os.listdir(tmp_path) == ["x.caffemodel"]


def test_a_file_of_caffes_is_read_and_written_alike(tmp_path) -> None:
    """Every weight of Caffe's file comes back, and so do the layers' parameters."""
    net = make_net(lenet_text())
    net.copy_from(INIT)
    net.save(tmp_path / "ours.caffemodel")
    theirs, ours = caffe_pb2.NetParameter(), caffe_pb2.NetParameter()
    theirs.ParseFromString(INIT.read_bytes())
    ours.ParseFromString((tmp_path / "ours.caffemodel").read_bytes())
    assert ours.name == theirs.name
    found = {layer.name: layer for layer in ours.layer}
    for layer in theirs.layer[1:]:
        assert found[layer.name] == layer


def test_diffs_are_written_when_asked() -> None:
    net = make_net(DATA + inner_product("a", "data", "a", 3))
    net.params["a"][1].diff[...] = [1, 2, 3]
    assert list(net.to_proto(write_diff=True).layer[-1].blobs[1].diff) == [1, 2, 3]
    assert not net.to_proto().layer[-1].blobs[1].diff


def test_old_four_axis_shapes_load(tmp_path) -> None:
    net = make_net(DATA + inner_product("a", "data", "a", 3))
    param = net.to_proto()
    for blob in param.layer[-1].blobs:
        count = len(blob.data)
        blob.ClearField("shape")
        blob.num, blob.channels, blob.height, blob.width = 1, 1, count // 5 if count > 3 else 1, 0
        blob.width = count // blob.height
    param.layer[-1].blobs[0].data[0] = 42
    path = tmp_path / "old.caffemodel"
    path.write_bytes(param.SerializeToString())
    net.copy_from(path)
    assert net.params["a"][0].data[0, 0] == 42


def test_weights_stored_as_double_load(tmp_path) -> None:
    net = make_net(DATA + inner_product("a", "data", "a", 3))
    param = net.to_proto()
    blob = param.layer[-1].blobs[1]
    del blob.data[:]
    blob.double_data.extend([0.5, 1.5, 2.5])
    path = tmp_path / "double.caffemodel"
    path.write_bytes(param.SerializeToString())
    net.copy_from(path)
    assert net.params["a"][1].data.tolist() == [0.5, 1.5, 2.5]


def test_layers_are_matched_by_name(tmp_path, caffe_log) -> None:
    source = make_net(DATA + inner_product("a", "data", "a", 3) + inner_product("b", "a", "b", 2))
    target = make_net(DATA + inner_product("z", "data", "z", 3) + inner_product("b", "z", "b", 2))
    before = weights_of(target)
    source.save(tmp_path / "x.caffemodel")
    target.copy_from(tmp_path / "x.caffemodel")
    assert_equal({"b": weights_of(target)["b"]}, {"b": weights_of(source)["b"]})
    assert_equal({"z": weights_of(target)["z"]}, {"z": before["z"]})
    assert "Ignoring source layer a" in [r.getMessage() for r in caffe_log.records]


def test_misfits_say_both_shapes_and_change_nothing(tmp_path) -> None:
    source = make_net(DATA + inner_product("a", "data", "a", 3) + inner_product("b", "a", "b", 2))
    target = make_net(DATA + inner_product("a", "data", "a", 3) + inner_product("b", "a", "b", 4))
    before = weights_of(target)
    source.save(tmp_path / "x.caffemodel")
    message = (
        r"x\.caffemodel: cannot copy param 0 weights from layer 'b'; shape mismatch\. "
        r"Source param shape is 2 3 \(6\); target param shape is 4 3 \(12\)\. .*rename the layer"
    )
    with pytest.raises(CaffeError, match=message):
        target.copy_from(tmp_path / "x.caffemodel")
    assert_equal(weights_of(target), before)


def test_number_of_blobs_must_fit(tmp_path) -> None:
    source = make_net(DATA + inner_product("a", "data", "a", 3))
    no_bias = inner_product("a", "data", "a", 3).replace(
        "num_output", "bias_term: false num_output"
    )
    source.save(tmp_path / "x.caffemodel")
    with pytest.raises(
        CaffeError, match="incompatible number of blobs for layer 'a'.*2, the net 1"
    ):
        make_net(DATA + no_bias).copy_from(tmp_path / "x.caffemodel")


def test_weights_of_another_model_are_refused(tmp_path) -> None:
    make_net(DATA + inner_product("x", "data", "x", 3)).save(tmp_path / "x.caffemodel")
    net = make_net(DATA + inner_product("a", "data", "a", 3))
    with pytest.raises(CaffeError, match=r"x\.caffemodel: no layer with weights has the name"):
        net.copy_from(tmp_path / "x.caffemodel")


def test_opencv_reads_our_files(tmp_path) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV 4 is not installed")
    prototxt = (GOLDEN.parents[1] / "examples" / "mnist" / "lenet.prototxt").read_text()
    net = make_net(prototxt, caffe.TEST)
    images = mnist("t10k", 64)[0] * np.float32(0.00390625)
    net.save(tmp_path / "lenet.caffemodel")
    (tmp_path / "lenet.prototxt").write_text(prototxt)
    theirs = cv2.dnn.readNetFromCaffe(
        str(tmp_path / "lenet.prototxt"), str(tmp_path / "lenet.caffemodel")
    )
    theirs.setInput(images)
    np.testing.assert_allclose(net.forward(data=images)["prob"], theirs.forward(), atol=1e-6)


@pytest.mark.parametrize("keep", [0.3, 0.999])
def test_truncated_files_are_refused(tmp_path, keep: float) -> None:
    whole = INIT.read_bytes()
    path = tmp_path / "cut.caffemodel"
    path.write_bytes(whole[: int(len(whole) * keep)])
    net = make_net(lenet_text())
    before = weights_of(net)
    with pytest.raises(CaffeError, match=r"cut\.caffemodel"):
        net.copy_from(path)
    assert_equal(weights_of(net), before)


def test_missing_file(tmp_path) -> None:
    with pytest.raises(CaffeError, match=r"nowhere\.caffemodel"):
        make_net(DATA).copy_from(tmp_path / "nowhere.caffemodel")


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    net = make_net(DATA + inner_product("a", "data", "a", 3))
    path = tmp_path / "x.caffemodel"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CaffeError, match=r"x\.caffemodel: No space left on device"):
        net.save(path)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["x.caffemodel"]
