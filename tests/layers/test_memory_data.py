"""The MemoryData layer."""

import re

import numpy as np
import pytest
from layer_testing import make_layer, set_up

from caffe.errors import CaffeError

DATA = np.random.default_rng(1701).standard_normal((6, 2, 3, 4)).astype(np.float32)
LABELS = np.arange(6, dtype=np.float32)


def make(more=""):
    layer = make_layer(
        'type: "MemoryData" memory_data_param { batch_size: 2 channels: 2 height: 3 width: 4 } '
        + more
    )
    return layer, set_up(layer, [], 2)[1]


@pytest.mark.parametrize("labels", [LABELS, LABELS.reshape(6, 1, 1, 1)])
def test_batches_go_round(labels):
    layer, tops = make()
    assert [top.shape for top in tops] == [(2, 2, 3, 4), (2,)]
    layer.reset(DATA, labels)
    for step in range(5):
        layer.forward([], tops)
        start = step * 2 % 6
        np.testing.assert_array_equal(tops[0].data, DATA[start : start + 2])
        np.testing.assert_array_equal(tops[1].data, LABELS[start : start + 2])
    layer.reset(DATA[4:], LABELS[4:])
    layer.forward([], tops)
    assert tops[1].data.tolist() == [4, 5]


def test_forward_without_data():
    layer, tops = make()
    with pytest.raises(CaffeError, match="has no data yet; call net.set_input_arrays"):
        layer.forward([], tops)


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        (DATA.astype(float), LABELS, "the data array must be float32, but it is float64"),
        (DATA, LABELS.astype(int), "the labels array must be float32, but it is int64"),
        (DATA[:, :, ::-1], LABELS, "the data array must be C-contiguous"),
        (DATA[:, 0].copy(), LABELS, "must be of shape (n, 2, 3, 4), but it is (6, 3, 4)"),
        (DATA, LABELS.reshape(6, 1), "must be of shape (n, 1, 1, 1), but it is (6, 1)"),
        (DATA[:4], LABELS, "must have the same first dimension, not 4 and 6"),
        (DATA[:3], LABELS[:3], "the number of items, 3, must be a multiple of batch_size, 2"),
        (DATA[:0], LABELS[:0], "the number of items, 0, must be"),
    ],
)
def test_unfit_arrays(data, labels, message):
    layer, _ = make()
    with pytest.raises(CaffeError, match=re.escape(message)):
        layer.reset(data, labels)


def test_transformation_is_not_applied(capsys):
    layer, tops = make("transform_param { scale: 2 }")
    layer.reset(DATA, LABELS)
    layer.forward([], tops)
    np.testing.assert_array_equal(tops[0].data, DATA[:2])
    assert "MemoryData does not transform array data on Reset()" in capsys.readouterr().err


def test_missing_sizes():
    layer = make_layer('type: "MemoryData" memory_data_param { batch_size: 2 channels: 3 }')
    with pytest.raises(CaffeError, match="needs batch_size, channels, height and width"):
        set_up(layer, [], 2)
