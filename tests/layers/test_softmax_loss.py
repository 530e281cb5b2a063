"""SoftmaxWithLoss: golden records, gradient, normalisation, bad labels."""

import numpy as np
import pytest
from layer_testing import check_gradient, make_layer, run_golden, set_up

from caffe.errors import CaffeError

SCORES = np.random.default_rng(3).normal(size=(2, 5, 3, 2)).astype(np.float32)
LABELS = np.random.default_rng(4).integers(0, 5, (2, 1, 3, 2)).astype(np.float32)


@pytest.mark.parametrize(
    "name",
    [
        "softmax_loss",
        "softmax_loss_batchsize",
        "softmax_loss_full",
        "softmax_loss_large",
        "softmax_loss_none",
        "softmax_loss_spatial_ignore",
        "softmax_loss_weight",
    ],
)
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize(
    "loss_param", ["", "ignore_label: 2", "normalization: FULL", "normalization: NONE"]
)
def test_gradient(loss_param):
    layer = make_layer(f'type: "SoftmaxWithLoss" loss_param {{ {loss_param} }}')
    check_gradient(layer, [SCORES, LABELS], check_bottom=[0])


def test_gradient_along_another_axis():
    layer = make_layer('type: "SoftmaxWithLoss" softmax_param { axis: -1 }')
    scores = np.moveaxis(SCORES, 1, -1)
    check_gradient(layer, [scores, LABELS[:, 0]], check_bottom=[0])


@pytest.mark.parametrize(
    ("loss_param", "divisor"),
    [
        ("", 10),
        ("ignore_label: 4", 8),
        ("ignore_label: 4 normalization: FULL", 10),
        ("ignore_label: 4 normalization: BATCH_SIZE", 5),
        ("ignore_label: 4 normalization: NONE", 1),
        ("ignore_label: 4 normalize: true", 8),
        ("ignore_label: 4 normalize: false", 5),
        ("ignore_label: 4 normalize: false normalization: FULL", 10),
    ],
)
def test_normalizations(loss_param, divisor):
    labels = np.array([[0, 1], [2, 4], [1, 1], [4, 3], [0, 2]])
    scores = np.zeros((5, 5, 2))  # every probability is 1/5
    layer = make_layer(f'type: "SoftmaxWithLoss" loss_param {{ {loss_param} }}')
    bottoms, tops = set_up(layer, [scores, labels])
    layer.forward(bottoms, tops)
    counted = 8 if "ignore" in loss_param else 10
    assert float(tops[0].data) == pytest.approx(np.log(5) * counted / divisor)


def test_all_labels_ignored_gives_no_loss_and_no_gradient():
    layer = make_layer('type: "SoftmaxWithLoss" loss_param { ignore_label: 255 }')
    bottoms, tops = set_up(layer, [SCORES, np.full_like(LABELS, 255)])
    layer.forward(bottoms, tops)
    tops[0].diff[...] = 1
    layer.backward(tops, [True, False], bottoms)
    assert tops[0].data == 0
    assert not bottoms[0].diff.any()


def test_second_top_is_the_softmax():
    layer = make_layer('type: "SoftmaxWithLoss"')
    bottoms, tops = set_up(layer, [SCORES, LABELS], num_top=2)
    layer.forward(bottoms, tops)
    power = np.exp(SCORES)
    np.testing.assert_allclose(tops[1].data, power / power.sum(1, keepdims=True), rtol=1e-5)


def test_nan_scores_give_a_nan_loss():
    layer = make_layer('type: "SoftmaxWithLoss"')
    bottoms, tops = set_up(layer, [np.full((1, 3), np.nan), np.zeros(1)])
    layer.forward(bottoms, tops)
    assert np.isnan(tops[0].data)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (10, "label 10 is outside 0..9"),
        (-1, "label -1 is outside 0..9"),
        (1.5, "label 1.5 is not a whole number in 0..9"),
        (np.nan, "label nan is not a whole number in 0..9"),
        (np.inf, "label inf is not a whole number in 0..9"),
    ],
)
def test_bad_label_names_value_and_item(label, text):
    labels = np.array([3, 0, label, 12])
    layer = make_layer('name: "loss" type: "SoftmaxWithLoss"')
    bottoms, tops = set_up(layer, [np.zeros((4, 10)), labels])
    layer.forward(bottoms, tops)
    with pytest.raises(CaffeError, match=f"layer 'loss'.*{text}.*item 2") as raised:
        layer.check(bottoms)
    assert raised.value.item == 2


def test_item_of_a_bad_label_in_an_image():
    labels = LABELS.copy()
    labels[1, 0, 0, 1] = 5
    layer = make_layer('type: "SoftmaxWithLoss"')
    bottoms, tops = set_up(layer, [SCORES, labels])
    layer.forward(bottoms, tops)
    with pytest.raises(CaffeError, match="label 5 is outside 0..4") as raised:
        layer.check(bottoms)
    assert raised.value.item == 1


def test_wrong_number_of_labels():
    with pytest.raises(CaffeError, match="12 labels"):
        set_up(make_layer('type: "SoftmaxWithLoss"'), [SCORES, np.zeros((2, 5))])


def test_different_batch_sizes():
    with pytest.raises(CaffeError, match="first axis"):
        set_up(make_layer('type: "SoftmaxWithLoss"'), [SCORES, np.zeros((3, 4))])


def test_no_gradient_for_labels():
    layer = make_layer('type: "SoftmaxWithLoss"')
    bottoms, tops = set_up(layer, [SCORES, LABELS])
    layer.forward(bottoms, tops)
    assert layer.allow_force_backward(0)
    assert not layer.allow_force_backward(1)
    with pytest.raises(CaffeError, match="labels"):
        layer.backward(tops, [True, True], bottoms)
