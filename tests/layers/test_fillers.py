"""Fillers: the distributions, by their bounds and moments."""

import math

import numpy as np
import pytest
from google.protobuf import text_format

from caffe.errors import CaffeError
from caffe.io.rng import set_random_seed
from caffe.layers.blob import Blob
from caffe.layers.fillers import fill
from caffe.proto import caffe_pb2

SHAPE = (20, 30, 4, 5)  # fan_in 600, fan_out 400
FAN = {"FAN_IN": 600, "FAN_OUT": 400, "AVERAGE": 500}


def filled(text, *shape):
    set_random_seed(11)
    blob = Blob(*shape)
    fill(blob, text_format.Parse(text, caffe_pb2.FillerParameter()))
    return blob.data


def test_constant():
    assert filled("", 2, 2).tolist() == [[0, 0], [0, 0]]
    assert filled('type: "constant" value: 2.5', 2).tolist() == [2.5, 2.5]


def test_uniform():
    values = filled('type: "uniform" min: -1 max: 3', *SHAPE)
    assert -1 <= values.min() < -0.99
    assert 2.99 < values.max() <= 3
    assert values.mean() == pytest.approx(1, abs=0.05)


def test_gaussian():
    values = filled('type: "gaussian" mean: 2 std: 0.5', *SHAPE)
    assert values.mean() == pytest.approx(2, abs=0.03)
    assert values.std() == pytest.approx(0.5, rel=0.03)


def test_sparse_gaussian():
    values = filled('type: "gaussian" std: 1 sparse: 5', 20, 600)
    assert np.count_nonzero(values) / values.size == pytest.approx(5 / 20, rel=0.1)
    assert values[values != 0].std() == pytest.approx(1, rel=0.05)


def test_positive_unitball():
    values = filled('type: "positive_unitball"', *SHAPE)
    assert values.min() >= 0
    np.testing.assert_allclose(values.reshape(20, -1).sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("norm", FAN)
def test_xavier(norm):
    values = filled(f'type: "xavier" variance_norm: {norm}', *SHAPE)
    limit = math.sqrt(3 / FAN[norm])
    assert 0.99 * limit < np.abs(values).max() <= limit * (1 + 1e-6)
    assert values.mean() == pytest.approx(0, abs=0.05 * limit)


@pytest.mark.parametrize("norm", FAN)
def test_msra(norm):
    values = filled(f'type: "msra" variance_norm: {norm}', *SHAPE)
    assert values.std() == pytest.approx(math.sqrt(2 / FAN[norm]), rel=0.03)


def test_fan_out_of_a_vector_is_its_count():
    assert np.abs(filled('type: "xavier" variance_norm: FAN_OUT', 300)).max() <= 0.1
    assert np.abs(filled('type: "xavier"', 300)).max() > 1


def test_bilinear_interpolates():
    values = filled('type: "bilinear"', 2, 1, 4, 4)
    line = np.array([0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(values[0, 0], np.outer(line, line))
    np.testing.assert_array_equal(values[0], values[1])
    odd = filled('type: "bilinear"', 1, 1, 3, 3)
    np.testing.assert_allclose(odd[0, 0, 1], [0.5, 1, 0.5])


def test_equal_seeds_give_equal_values():
    text = 'type: "xavier"'
    np.testing.assert_array_equal(filled(text, 4, 5), filled(text, 4, 5))


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ('type: "xavierr"', (2, 2), "no filler type 'xavierr'; did you mean 'xavier'"),
        ('type: "q"', (2, 2), "use constant, uniform"),
        ('type: "uniform" min: 2 max: 1', (2,), "min 2 is above max 1"),
        ('type: "gaussian" std: 0', (2,), "std must be above 0"),
        ('type: "gaussian" sparse: 3', (2, 2), "sparse 3 is above the number of outputs, 2"),
        ('type: "xavier" sparse: 3', (2, 2), "'xavier' cannot be sparse"),
        ('type: "bilinear"', (2, 2), "four axes"),
        ('type: "bilinear"', (1, 1, 2, 3), "four axes"),
        ('type: "constant"', (0, 3), "empty blob"),
    ],
)
def test_mistakes(text, shape, message):
    with pytest.raises(CaffeError, match=message):
        filled(text, *shape)
