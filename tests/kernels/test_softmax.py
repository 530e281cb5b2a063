"""Softmax, its loss and the counting of right answers, against their definitions."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import (
    assert_same_bits_for_any_threads,
    assert_twins_agree,
    cases,
    cpu_only,
    examples,
)

from caffe.kernels import cpu
from caffe.kernels.cpu.exponential import exponential

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 12), st.integers(1, 6))
SEEDS = st.integers(0, 2**32 - 1)
LARGE = (7, 300, 90)  # takes threads
MANY = cases([(3, 30, 13), (2, 130, 1)], [LARGE, (300, 10, 1), (150, 3, 300)])


def scores_and_labels(shape, seed):
    values = np.random.default_rng(seed)
    scores = (5 * values.normal(size=shape)).astype(np.float32)
    return scores, values.integers(0, shape[1], (shape[0], shape[2])).astype(np.float32)


def loss_of(bottom, label, ignore, normalizer):
    """Forward of both twins compared; prob, loss and status."""
    out = np.full_like(bottom, np.nan), np.zeros(1, np.float32), np.zeros(2, np.int32)
    (_, _, *left), _ = assert_twins_agree(
        "softmax_loss_forward", bottom, label, ignore, normalizer, *out
    )
    return left


def check_gradient(bottom, label, ignore, normalizer, prob, status):
    weight, out = np.array([0.3], np.float32), np.full_like(bottom, np.nan)
    assert_twins_agree(
        "softmax_loss_backward", prob, label, ignore, weight, normalizer, status, out
    )


def accuracy_of(bottom, label, ignore, top_k, classes=True):
    """Of both twins compared; share, class_share and status."""
    class_share = np.full(bottom.shape[1] if classes else 0, 7, np.float32)
    out = np.full(1, 7, np.float32), class_share, np.zeros(1, np.int32)
    (_, _, *left), _ = assert_twins_agree("accuracy", bottom, label, ignore, top_k, *out)
    return left


@settings(max_examples=examples(60), deadline=None)
@given(shape=SHAPES, seed=SEEDS)
def test_softmax(shape, seed):
    bottom, _ = scores_and_labels(shape, seed)
    top_diff, out = bottom[:, ::-1].copy(), np.full_like(bottom, np.nan)
    (_, top), _ = assert_twins_agree("softmax_forward", bottom, out)
    assert_twins_agree("softmax_backward", top, top_diff, out, atol=1e-5)


@pytest.mark.parametrize("shape", MANY)
def test_softmax_of_many(shape):
    bottom, _ = scores_and_labels(shape, 1)
    (_, top), _ = assert_twins_agree("softmax_forward", bottom, np.empty_like(bottom))
    assert_twins_agree("softmax_backward", top, bottom, np.empty_like(bottom), atol=1e-5)


@cpu_only
def test_exponential():
    @numba.njit
    def exponentials(x, out):
        for i in range(x.size):
            out[i] = exponential(x[i])

    x = np.append(np.linspace(-110, 88, 50_001), [0, -0.0, -1e30, -np.inf, np.nan])
    x = x.astype(np.float32)
    out = np.empty_like(x)
    exponentials(x, out)
    exact = np.exp(x.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_max_ulp(out[:-1], exact[:-1], 1)
    assert np.isnan(out[-1])


@pytest.mark.filterwarnings("ignore:overflow")
def test_softmax_of_huge_scores():
    bottom = np.array([[[1e30], [3e38], [-3e38]], [[500.0], [499.0], [-np.inf]]], np.float32)
    assert_twins_agree("softmax_forward", bottom, np.empty_like(bottom))


@settings(max_examples=examples(60), deadline=None)
@given(
    shape=SHAPES,
    seed=SEEDS,
    ignore=st.sampled_from([cpu.NO_LABEL, 0.0, 3.0, -1.0, 255.0]),
    normalizer=st.sampled_from([0.0, 1.0, 7.0]),
)
def test_softmax_loss(shape, seed, ignore, normalizer):
    bottom, label = scores_and_labels(shape, seed)
    label[np.random.default_rng(seed).random(label.shape) < 0.2] = 0 if np.isnan(ignore) else ignore
    prob, _, status = loss_of(bottom, label, ignore, normalizer)
    assert status[1] == -1
    check_gradient(bottom, label, ignore, normalizer, prob, status)


@pytest.mark.parametrize("shape", MANY)
def test_softmax_loss_of_many(shape):
    bottom, label = scores_and_labels(shape, 2)
    prob, _, status = loss_of(bottom, label, 4.0, 0.0)
    check_gradient(bottom, label, 4.0, 0.0, prob, status)


def test_loss_of_an_impossible_label_is_finite():
    bottom = np.array([[[0], [-1000]]], np.float32)
    label = np.array([[1]], np.float32)
    _, loss, status = loss_of(bottom, label, cpu.NO_LABEL, 0.0)
    assert loss[0] == pytest.approx(-np.log(np.finfo(np.float32).tiny))
    assert status.tolist() == [1, -1]


def test_no_label_counts():
    bottom, label = scores_and_labels((2, 3, 4), 1)
    label[:] = 2
    prob, loss, status = loss_of(bottom, label, 2.0, 0.0)
    assert (loss[0], *status) == (0, 0, -1)
    check_gradient(bottom, label, 2.0, 0.0, prob, status)
    share, class_share, _ = accuracy_of(bottom, label, 2.0, 1)
    assert [share[0], *class_share] == [0, 0, 0, 0]


@pytest.mark.parametrize("wrong", [12, -1, 0.5, np.nan, np.inf, -np.inf, 1e30])
def test_the_first_bad_label_is_found(wrong):
    bottom, label = scores_and_labels((4, 12, 3), 3)
    label[2, 1] = label[3, 2] = wrong
    _, loss, status = loss_of(bottom, label, cpu.NO_LABEL, 0.0)
    assert np.isnan(loss[0])
    assert status.tolist() == [10, 2 * 3 + 1]
    share, _, status = accuracy_of(bottom, label, cpu.NO_LABEL, 1)
    assert np.isnan(share[0])
    assert status[0] == 2 * 3 + 1


@settings(max_examples=examples(60), deadline=None)
@given(shape=SHAPES, seed=SEEDS, top_k=st.integers(1, 4), ties=st.booleans(), classes=st.booleans())
def test_accuracy(shape, seed, top_k, ties, classes):
    bottom, label = scores_and_labels(shape, seed)
    if ties:
        bottom = np.round(bottom / 5)
    accuracy_of(bottom, label, 2.0, top_k, classes)


@pytest.mark.parametrize("shape", MANY)
def test_accuracy_of_many(shape):
    bottom, label = scores_and_labels(shape, 5)
    accuracy_of(bottom, label, cpu.NO_LABEL, 2)


@cpu_only
def test_same_bits_for_any_threads():
    bottom, label = scores_and_labels(LARGE, 4)

    def call():
        top, prob, diff, loss_diff = (np.empty_like(bottom) for _ in range(4))
        loss, status = np.empty(1, np.float32), np.empty(2, np.int32)
        cpu.softmax_forward(bottom, top)
        cpu.softmax_backward(top, bottom, diff)
        cpu.softmax_loss_forward(bottom, label, 3.0, 0.0, prob, loss, status)
        cpu.softmax_loss_backward(prob, label, 3.0, loss, 0.0, status, loss_diff)
        return [top, prob, diff, loss_diff, loss, status]

    assert_same_bits_for_any_threads(call)
