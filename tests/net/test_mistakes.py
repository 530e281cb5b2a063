"""What does not fit in a net is said in one line that names layer, blobs and record."""

import re

import pytest
from net_testing import (
    GOLDEN,
    fill_inputs,
    inner_product,
    inputs,
    loss,
    make_net,
)

from caffe import CaffeError

DATA = inputs(data=(4, 5), label=(4,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DATA + inner_product("a", "data", "data2", 3).replace("InnerProduct", "InerProduct"),
            "layer 'a': there is no layer type 'InerProduct'; did you mean 'InnerProduct'?",
        ),
        (DATA + inner_product("a", "data", "label", 3), "top blob 'label' is already made"),
        (DATA + inner_product("a", "daat", "a", 3), "unknown bottom blob 'daat'"),
        (DATA + inner_product("a", "data", "a", 3, 'top: "b"'), "takes exactly 1 top"),
        (
            DATA + inner_product("a", "data", "a", 3, "param {} param {} param {}"),
            "3 param entries",
        ),
        (
            DATA + inner_product("a", "data", "a", 3, "loss_weight: 1 loss_weight: 1"),
            "2 loss_weight",
        ),
    ],
)
def test_mistakes_name_the_layer(text: str, message: str) -> None:
    with pytest.raises(CaffeError, match=re.escape(message)):
        make_net(text)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (inner_product("b", "a", "a", 3), "layer 'b' (InnerProduct): cannot work in place"),
        (loss("data"), "bottom: 'data' 4 2 (8), 'label' 3 (3)"),
        (inner_product("b", "a", "b", 3).replace("num_output: 3", "num_output: 1000000000"),
         "layer 'b' (InnerProduct): "),
    ],
)  # fmt: skip
def test_what_does_not_fit_names_layer_and_blobs(more: str, message: str) -> None:
    text = inputs(data=(4, 2), label=(3,)) + inner_product("a", "data", "a", 3)
    with pytest.raises(CaffeError, match=re.escape(message)):
        make_net(text + more)


def test_a_net_without_layers() -> None:
    with pytest.raises(CaffeError, match="net 'bare': describes no layers"):
        make_net('name: "bare"')


def test_two_layers_of_one_name_are_warned_of(caffe_log) -> None:
    make_net(DATA + inner_product("a", "data", "x", 3) + inner_product("a", "data", "y", 3))
    assert "Several layers are named 'a'" in caffe_log.text


def data_layer(name: str, data: str, label: str) -> str:
    return (
        f'layer {{ name: "{name}" type: "Data" top: "{data}" top: "{label}" data_param {{ '
        f'source: "{GOLDEN}/data/mnist_100_lmdb" backend: LMDB batch_size: 5 }} }}\n'
    )


def test_a_bad_label_names_its_own_record() -> None:
    """Also behind a split, and with another database in the net."""
    text = data_layer("one", "data", "other") + data_layer("two", "data2", "label")
    silence = 'layer { name: "s" type: "Silence" bottom: "other" bottom: "data2" }\n'
    accuracy = 'layer { name: "acc" type: "Accuracy" bottom: "a" bottom: "label" top: "acc" }\n'
    net = make_net(text + silence + inner_product("a", "data", "a", 8) + accuracy + loss("a"))
    net.layer_dict["one"].record_name = lambda item: "the wrong database"
    net.forward()  # the first five labels are 7, 2, 1, 0 and 4
    message = r"label 9 is outside 0\.\.7.*record '00000007' of .*mnist_100_lmdb"
    with pytest.raises(CaffeError, match=message):
        net.forward()


def test_a_bad_label_from_an_input_blames_no_record() -> None:
    text = data_layer("one", "data", "other") + inputs(label=(5,))
    net = make_net(text + inner_product("a", "data", "a", 3) + loss("a"))
    net.blobs["label"].data[3] = 4
    with pytest.raises(CaffeError, match="label 4 is outside") as caught:
        net.forward()
    assert "record" not in str(caught.value)


def test_a_bad_label_names_the_item(caffe_log) -> None:
    net = make_net(DATA + inner_product("a", "data", "a", 3) + loss("a"))
    fill_inputs(net)
    net.blobs["label"].data[2] = 7
    with pytest.raises(CaffeError, match=r"layer 'loss'.*7") as caught:
        net.forward()
    assert caught.value.item == 2
    net.blobs["label"].data[2] = 0
    assert net.forward()["loss"] > 0
