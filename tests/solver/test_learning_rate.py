"""The seven learning-rate policies against their formulas."""

import math

import pytest
from solver_testing import solver_param

from caffe.errors import CaffeError
from caffe.solver.learning_rate import LearningRate


def rates(text: str, iterations: range) -> list[float]:
    rate = LearningRate(solver_param(text))
    return [rate(t) for t in iterations]


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ('lr_policy: "fixed" base_lr: 0.1', lambda t: 0.1),
        ('lr_policy: "step" base_lr: 0.1 gamma: 0.5 stepsize: 3', lambda t: 0.1 * 0.5 ** (t // 3)),
        ('lr_policy: "exp" base_lr: 0.1 gamma: 0.9', lambda t: 0.1 * 0.9**t),
        (
            'lr_policy: "inv" base_lr: 0.1 gamma: 0.1 power: 0.75',
            lambda t: 0.1 * (1 + 0.1 * t) ** -0.75,
        ),
        (
            'lr_policy: "multistep" base_lr: 0.1 gamma: 0.1 stepvalue: 2 stepvalue: 5',
            lambda t: 0.1 * 0.1 ** ((t >= 2) + (t >= 5)),
        ),
        ('lr_policy: "multistep" base_lr: 0.1 gamma: 0.1', lambda t: 0.1),
        (
            'lr_policy: "poly" base_lr: 0.1 power: 2 max_iter: 10',
            lambda t: 0.1 * max(1 - t / 10, 0) ** 2,
        ),
        (
            'lr_policy: "sigmoid" base_lr: 0.1 gamma: -0.5 stepsize: 6',
            lambda t: 0.1 / (1 + math.exp(0.5 * (t - 6))),
        ),
    ],
)
def test_policy(text, formula) -> None:
    assert rates(text, range(13)) == pytest.approx([formula(t) for t in range(13)], rel=1e-5)


def test_sigmoid_far_from_its_middle_is_a_number() -> None:
    text = 'lr_policy: "sigmoid" base_lr: 0.1 gamma: -1 stepsize: 10'
    assert rates(text, range(100000, 100001))[0] == pytest.approx(0, abs=1e-300)


def test_multistep_logs_each_step(caffe_log) -> None:
    rates('lr_policy: "multistep" base_lr: 1 gamma: 0.1 stepvalue: 2 stepvalue: 5', range(8))
    assert [record.getMessage() for record in caffe_log.records] == [
        "MultiStep Status: Iteration 2, step = 1",
        "MultiStep Status: Iteration 5, step = 2",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('lr_policy: "stpe" base_lr: 1', "unknown lr_policy 'stpe'; did you mean 'step'"),
        ('lr_policy: "zzzzz" base_lr: 1', "unknown lr_policy 'zzzzz'; use fixed, step"),
        ("base_lr: 1", "lr_policy is not given"),
        ('lr_policy: "fixed"', "lr_policy 'fixed' needs base_lr"),
        ('lr_policy: "inv" base_lr: 1', "needs gamma and power"),
        ('lr_policy: "step" base_lr: 1 gamma: 1', "needs stepsize"),
        ('lr_policy: "step" base_lr: 1 gamma: 1 stepsize: 0', "stepsize is 0"),
        ('lr_policy: "poly" base_lr: 1 power: 1', "needs max_iter"),
    ],
)
def test_what_does_not_fit(text, message) -> None:
    with pytest.raises(CaffeError, match=message):
        LearningRate(solver_param(text))


@pytest.mark.parametrize(
    "text",
    [
        'lr_policy: "exp" base_lr: 1 gamma: 10',
        'lr_policy: "poly" base_lr: 1 power: 1 max_iter: 0',
    ],
)
def test_a_rate_that_is_no_number(text) -> None:
    with pytest.raises(CaffeError, match="learning rate of iteration 5000 is not a number"):
        rates(text, range(5000, 5001))


def test_what_is_changed_takes_effect() -> None:
    param = solver_param('lr_policy: "exp" base_lr: 1 gamma: 0.5')
    rate = LearningRate(param)
    assert rate(2) == 0.25
    param.base_lr, param.gamma = 2, 0.25
    assert rate(2) == 0.125
    param.lr_policy = "fixed"
    assert rate(2) == 2
    param.lr_policy = "fixd"
    with pytest.raises(CaffeError, match="did you mean 'fixed'"):
        rate(2)
