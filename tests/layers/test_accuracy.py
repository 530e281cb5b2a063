"""Accuracy: golden records, ties, ignored and bad labels."""

import numpy as np
import pytest
from layer_testing import make_layer, run_golden, set_up

from caffe.errors import CaffeError


def accuracy(text=""):
    return make_layer(f'name: "accuracy" type: "Accuracy" accuracy_param {{ {text} }}')


def forward(layer, scores, labels, num_top=1):
    bottoms, tops = set_up(layer, [np.array(scores), np.array(labels)], num_top)
    layer.forward(bottoms, tops)
    return [top.data.tolist() for top in tops]


@pytest.mark.parametrize(
    "name", ["accuracy", "accuracy_ignore", "accuracy_per_class", "accuracy_top3"]
)
def test_golden(name):
    run_golden(name)


@pytest.mark.parametrize(("top_k", "share"), [(1, 0), (2, 0), (3, 1)])
def test_ties_count_against_the_prediction(top_k, share):
    assert forward(accuracy(f"top_k: {top_k}"), [[1, 1, 1, 0]], [1]) == [share]


def test_per_class_without_examples_is_zero():
    scores = [[3, 1, 2], [3, 1, 2], [1, 0, 2]]
    assert forward(accuracy(), scores, [0, 2, 2], 2) == [pytest.approx(2 / 3), [1, 0, 0.5]]


def test_no_label_counts():
    assert forward(accuracy("ignore_label: -1"), [[3, 1], [3, 1]], [-1, -1]) == [0]


def test_another_axis():
    scores = np.array([[[1, 5], [4, 2]]])  # (1, 2, 2), classes last
    assert forward(accuracy("axis: -1"), scores, [[1, 1]]) == [0.5]


def test_bad_label():
    layer = accuracy()
    bottoms, tops = set_up(layer, [np.zeros((3, 10)), np.array([1, 10, 2])])
    layer.forward(bottoms, tops)
    with pytest.raises(CaffeError, match=r"layer 'accuracy'.*label 10 is outside 0\.\.9") as raised:
        layer.check(bottoms)
    assert raised.value.item == 1


def test_too_large_top_k():
    with pytest.raises(CaffeError, match="top_k is 4, but there are only 3 classes"):
        set_up(accuracy("top_k: 4"), [np.zeros((2, 3)), np.zeros(2)])


def test_wrong_number_of_labels():
    with pytest.raises(CaffeError, match="need 2 labels"):
        set_up(accuracy(), [np.zeros((2, 3)), np.zeros(3)])


def test_has_no_gradient():
    layer = accuracy()
    bottoms, tops = set_up(layer, [np.zeros((2, 3)), np.zeros(2)])
    layer.backward(tops, [False, False], bottoms)
    assert not layer.allow_force_backward(0)
    with pytest.raises(CaffeError, match="no gradient"):
        layer.backward(tops, [True, False], bottoms)
