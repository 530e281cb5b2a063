"""Helpers of the net tests: nets from prototxt text, and what was logged."""

import gzip
import re
from pathlib import Path

import numpy as np
from google.protobuf import text_format

import caffe
from caffe.net import Net
from caffe.proto import caffe_pb2

GOLDEN = Path(__file__).parent.parent / "golden"


def make_net(text: str, phase: int = caffe.TRAIN, **state) -> Net:
    return Net.from_param(text_format.Parse(text, caffe_pb2.NetParameter()), phase, **state)


def inputs(**shapes: tuple[int, ...]) -> str:
    """An Input layer with one top of each name."""
    tops = " ".join(f'top: "{name}"' for name in shapes)
    dims = " ".join(
        f"shape {{ {' '.join(f'dim: {length}' for length in shape)} }}" for shape in shapes.values()
    )
    return f'layer {{ name: "input" type: "Input" {tops} input_param {{ {dims} }} }}\n'


def inner_product(name: str, bottom: str, top: str, outputs: int, more: str = "") -> str:
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" {more} '
        f'inner_product_param {{ num_output: {outputs} weight_filler {{ type: "gaussian" }} }} }}\n'
    )


def loss(bottom: str, more: str = "") -> str:
    return (
        'layer { name: "loss" type: "SoftmaxWithLoss" '
        f'bottom: "{bottom}" bottom: "label" top: "loss" {more} }}\n'
    )


def fill_inputs(net: Net, seed: int = 0, classes: int = 3) -> None:
    """Random data in every input; whole numbers below `classes` in one called label."""
    rng = np.random.default_rng(seed)
    for name in net.inputs:
        shape = net.blobs[name].shape
        values = rng.integers(0, classes, shape) if name == "label" else rng.normal(size=shape)
        net.blobs[name].data[...] = values


def lenet_text() -> str:
    """LeNet's training net as Caffe logged it, with Input blobs in place of the database."""
    log = (GOLDEN / "lenet" / "caffe_train.log").read_text()
    text = log[log.index("Initializing net from parameters") :].split("\n", 1)[1]
    text = text[: re.search(r"^I\d+", text, re.M).start()]
    text = re.sub(r"state \{.*?\n\}\n", "", text, count=1, flags=re.S)
    data_layer = re.search(r'layer \{\n  name: "mnist".*?\n\}\n', text, re.S).group()
    return text.replace(data_layer, inputs(data=(64, 1, 28, 28), label=(64,)))


def mnist(kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images (count, 1, 28, 28), as bytes, and labels of MNIST's "train" or "t10k"."""
    folder = Path(__file__).parents[2] / "data" / "mnist"
    with gzip.open(folder / f"{kind}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(16 + count * 784)[16:], np.uint8)
    with gzip.open(folder / f"{kind}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + count)[8:], np.uint8)
    return images.reshape(count, 1, 28, 28), labels
