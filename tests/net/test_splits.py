"""The Split layers that are inserted behind blobs with several consumers."""

import pytest
from google.protobuf import text_format

from caffe import CaffeError
from caffe.net.splits import insert_splits
from caffe.proto import caffe_pb2


def split(text: str) -> caffe_pb2.NetParameter:
    return insert_splits(text_format.Parse(text, caffe_pb2.NetParameter()))


def layer(name: str, bottoms: str, tops: str, more: str = "") -> str:
    fields = [f'bottom: "{b}"' for b in bottoms.split()] + [f'top: "{t}"' for t in tops.split()]
    return f'layer {{ name: "{name}" {" ".join(fields)} {more} }}\n'


def wires(param: caffe_pb2.NetParameter) -> list[tuple[str, list[str], list[str]]]:
    return [(each.name, list(each.bottom), list(each.top)) for each in param.layer]


def test_one_consumer_needs_no_split() -> None:
    text = layer("d", "", "data label") + layer("ip", "data", "ip") + layer("l", "ip label", "loss")
    assert split(text) == text_format.Parse(text, caffe_pb2.NetParameter())


def test_lenet_test_phase_names() -> None:
    text = (
        layer("mnist", "", "data label")
        + layer("ip2", "data", "ip2")
        + layer("accuracy", "ip2 label", "accuracy")
        + layer("loss", "ip2 label", "loss")
    )
    assert wires(split(text)) == [
        ("mnist", [], ["data", "label"]),
        ("label_mnist_1_split", ["label"], ["label_mnist_1_split_0", "label_mnist_1_split_1"]),
        ("ip2", ["data"], ["ip2"]),
        ("ip2_ip2_0_split", ["ip2"], ["ip2_ip2_0_split_0", "ip2_ip2_0_split_1"]),
        ("accuracy", ["ip2_ip2_0_split_0", "label_mnist_1_split_0"], ["accuracy"]),
        ("loss", ["ip2_ip2_0_split_1", "label_mnist_1_split_1"], ["loss"]),
    ]


def test_in_place_layers_split_only_their_last_value() -> None:
    text = (
        layer("d", "", "data")
        + layer("ip", "data", "ip")
        + layer("relu", "ip", "ip")
        + layer("a", "ip", "a")
        + layer("b", "ip", "b")
    )
    assert wires(split(text))[2:] == [
        ("relu", ["ip"], ["ip"]),
        ("ip_relu_0_split", ["ip"], ["ip_relu_0_split_0", "ip_relu_0_split_1"]),
        ("a", ["ip_relu_0_split_0"], ["a"]),
        ("b", ["ip_relu_0_split_1"], ["b"]),
    ]


def test_a_loss_weight_is_a_use() -> None:
    text = (
        layer("d", "", "data") + layer("e", "data", "e", "loss_weight: 0.5") + layer("f", "e", "f")
    )
    result = split(text)
    assert wires(result)[1:] == [
        ("e", ["data"], ["e"]),
        ("e_e_0_split", ["e"], ["e_e_0_split_0", "e_e_0_split_1"]),
        ("f", ["e_e_0_split_1"], ["f"]),
    ]
    assert not result.layer[1].loss_weight
    assert list(result.layer[2].loss_weight) == [0.5, 0]


def test_splitting_twice_changes_nothing() -> None:
    text = layer("d", "", "data") + layer("a", "data", "a") + layer("b", "data", "b")
    once = split(text)
    assert insert_splits(once) == once


@pytest.mark.parametrize(
    ("bottom", "hint"),
    [("dta", "did you mean 'data'"), ("later", "layer 'z' makes it, but stands later")],
)
def test_unknown_bottom(bottom: str, hint: str) -> None:
    text = layer("d", "", "data") + layer("ip", bottom, "ip") + layer("z", "data", "later")
    with pytest.raises(CaffeError, match=rf"layer 'ip'.*unknown bottom blob '{bottom}'.*{hint}"):
        split(text)
