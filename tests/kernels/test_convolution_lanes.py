"""Convolution with its outputs in the lanes, where it serves: against the definitions, and against
the way that it takes the place of."""

import numpy as np
import pytest
from kernel_testing import assert_same_bits_for_any_threads, cpu_only

from caffe.kernels import cpu, reference
from caffe.kernels.cpu import convolution_2d, lanes_plan, winograd_plan
from caffe.kernels.cpu.convolution_plan import make_plan
from caffe.kernels.cpu.lanes_kernel import WIDTH
from caffe.kernels.cpu.max_pooling import max_pooling_forward
from caffe.kernels.reference.im2col import output_shape

pytestmark = cpu_only

CASES = {  # images, channels, size, outputs, kernel, pad, stride, dilation, group; serves data
    "padded": (6, 8 * WIDTH, (7, 6), 2 * WIDTH, (3, 3), (1, 1), (1, 1), (1, 1), 1, True),
    "not padded": (2, 8 * WIDTH, (6, 5), 2 * WIDTH, (3, 2), (0, 0), (1, 1), (1, 1), 1, True),
    "groups, narrow": (3, 8 * WIDTH, (9, 8), 6 * WIDTH, (5, 3), (2, 1), (1, 1), (1, 1), 2, True),
    "strided": (3, 8 * WIDTH, (11, 9), WIDTH, (3, 3), (1, 2), (2, 3), (1, 1), 1, False),
    "dilated": (2, 8 * WIDTH, (11, 9), 4 * WIDTH, (3, 3), (2, 1), (1, 1), (2, 1), 1, True),
    "one axis": (5, 32 * WIDTH, (12,), 4 * WIDTH, (5,), (2,), (1,), (1,), 1, True),
    "much padded": (2, 8 * WIDTH, (4, 4), WIDTH, (3, 3), (4, 1), (1, 1), (1, 1), 1, False),
    "many outputs": (2, 8 * WIDTH, (30, 31), WIDTH, (3, 3), (1, 1), (1, 1), (1, 1), 1, True),
}


@pytest.fixture(autouse=True)
def no_other_way(monkeypatch):
    """Not with few multiplications, which some of the shapes would be worth; and for any number of
    channels, of which narrow vectors make few."""
    monkeypatch.setattr(winograd_plan, "KERNELS", ())
    monkeypatch.setattr(lanes_plan, "LEAST_DEPTH", 1)
    for plan in (winograd_plan.winograd_plan, make_plan):
        plan.cache_clear()
    yield
    for plan in (winograd_plan.winograd_plan, make_plan):
        plan.cache_clear()


class Case:
    def __init__(self, name):
        num, channels, size, outputs, kernel, *form, self.group, self.serves_data = CASES[name]
        rng = np.random.default_rng(0)
        top_shape = (num, outputs, *output_shape(size, kernel, *form))
        self.bottom, self.weight, self.bias, self.top_diff = (
            rng.normal(size=shape).astype(np.float32)
            for shape in (
                (num, channels, *size),
                (outputs, channels // self.group, *kernel),
                (outputs,),
                top_shape,
            )
        )
        count = cpu.convolution_workspace(
            self.bottom.shape, self.weight.shape, top_shape, form[1], self.group
        )
        self.form = (*map(tuple, form), self.group, np.full(count, np.nan, np.float32))
        self.plan = make_plan(self.bottom.shape, self.weight.shape, *self.form[:3])

    def forward(self, kernels):
        top = np.full_like(self.top_diff, np.nan)
        kernels.convolution_forward(self.bottom, self.weight, self.bias, top, *self.form)
        return top

    def backward_data(self, kernels):
        diff = np.full_like(self.bottom, np.nan)
        kernels.convolution_backward_data(self.top_diff, self.weight, diff, *self.form)
        return diff

    def backward_weight(self, kernels):
        diff = self.weight.copy()
        kernels.convolution_backward_weight(self.bottom, self.top_diff, diff, *self.form)
        return diff


@pytest.mark.parametrize("operation", ["forward", "backward_data", "backward_weight"])
@pytest.mark.parametrize("name", CASES)
def test_against_the_definition(name, operation):
    case = Case(name)
    assert case.plan.forward
    assert case.plan.weight
    assert bool(case.plan.data) == case.serves_data
    actual, expected = (getattr(case, operation)(kernels) for kernels in (cpu, reference))
    np.testing.assert_allclose(actual, expected, 1e-5, 1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["padded", "strided", "groups, narrow"])
def test_forward_has_the_bits_of_the_other_way(name):
    """It adds in the same order; what it leaves out are zeros."""
    case = Case(name)
    plan, top = case.plan._replace(forward=None), np.full_like(case.top_diff, np.nan)
    arrays = (case.bottom, case.weight, case.bias, top)
    convolution_2d.forward(plan, *arrays, case.group, case.form[-1])
    np.testing.assert_array_equal(case.forward(cpu), top)


def test_the_same_bits_for_any_number_of_threads():
    case = Case("padded")
    operations = (case.forward, case.backward_data, case.backward_weight)
    assert_same_bits_for_any_threads(lambda: [operation(cpu) for operation in operations])


def test_pooling_with_it():
    case = Case("groups, narrow")
    top, shape = case.forward(cpu), (*case.top_diff.shape[:2], 5, 4)
    window = ((2, 2), (0, 0), (2, 2))
    expected, places = np.empty(shape, np.float32), np.empty(shape, np.int32)
    max_pooling_forward(top, expected, places, *window)
    pad, stride, _, group, workspace = case.form
    actual, mask = np.full_like(expected, np.nan), np.full_like(places, -1)
    written = np.full_like(top, np.nan)
    arrays = (case.bottom, case.weight, case.bias, written, actual, mask)
    cpu.convolution_max_pooling_forward(*arrays, pad, stride, group, window, workspace)
    np.testing.assert_array_equal(written, top)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(mask, places)


def test_a_plan_leaves_out_what_no_pixel_sees():
    """8 x 8 pixels under a 5 x 5 kernel, padded by 2: 0.72 of the products are inside."""
    plan = make_plan((8, WIDTH * 8, 8, 8), (WIDTH, WIDTH * 8, 5, 5), (2, 2), (1, 1), (1, 1))
    slide = plan.forward
    products = slide.bounds[slide.kinds, -1].sum() * slide.height
    assert products < 0.85 * slide.steps.shape[1] * len(slide.places)
