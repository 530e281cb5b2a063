"""Helpers of the layer tests: make a layer, replay a golden record, check a gradient.

layer = make_layer('type: "ReLU" relu_param { negative_slope: 0.1 }')
run_golden("relu_leaky")
check_gradient(layer, [array])
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from kernel_testing import SIMULATED

from caffe.layers.blob import Blob
from caffe.layers.layer import TRAIN, Layer
from caffe.layers.registry import create_layer
from caffe.proto import caffe_pb2

GOLDEN = Path(__file__).parents[1] / "golden" / "layers"
MOST_SIMULATED = 5000  # values of a record


def make_layer(param: "str | caffe_pb2.LayerParameter", phase: int = TRAIN) -> Layer:
    """The layer of a LayerParameter, or of the text inside `layer { ... }`."""
    if isinstance(param, str):
        param = text_format.Parse(param, caffe_pb2.LayerParameter())
    if not param.name:
        param.name = "under_test"
    return create_layer(param, phase)


def make_blob(values: np.ndarray) -> Blob:
    """A blob that holds a copy of `values`."""
    values = np.asarray(values, np.float32)
    blob = Blob()
    blob.reshape(*values.shape)
    blob.data[...] = values
    return blob


def set_up(
    layer: Layer, bottom: Sequence["Blob | np.ndarray"], num_top: int = 1
) -> tuple[list[Blob], list[Blob]]:
    """What the net does before the first forward. Returns the bottom and top blobs."""
    bottoms = [blob if isinstance(blob, Blob) else make_blob(blob) for blob in bottom]
    tops = [Blob() for _ in range(num_top)]
    layer.check_blob_counts(bottoms, tops)
    layer.setup(bottoms, tops)
    layer.reshape(bottoms, tops)
    return bottoms, tops


def assert_agrees(actual: np.ndarray, expected: np.ndarray, what: str = "") -> None:
    """Equal shapes; relative 2e-4 or absolute 2e-5 of the largest magnitude expected."""
    assert actual.shape == expected.shape, what
    largest = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(actual, expected, rtol=2e-4, atol=2e-5 * largest, err_msg=what)


def run_golden(name: str) -> tuple[Layer, list[Blob], list[Blob]]:
    """Replay the record tests/golden/layers/NAME.npz, forward and backward, on the layer alone.

    A record without any nonzero gradient is replayed forward only. Bottom diffs start as NaN and
    parameter diffs as 1, which finds a layer that adds where it should overwrite, or the other way
    round. Returns the layer, its bottoms and its tops.
    """
    record = np.load(GOLDEN / f"{name}.npz")
    if SIMULATED and sum(values.size for values in record.values()) > MOST_SIMULATED:
        pytest.skip("too large for the simulator")
    net = text_format.Parse(str(record["prototxt"]), caffe_pb2.NetParameter())
    param = next(layer for layer in net.layer if layer.name == "under_test")
    layer = create_layer(param, int(record["phase"]))
    bottoms, tops = set_up(layer, _numbered(record, "bottom"), len(param.top))
    for blob, values in zip(layer.blobs, _numbered(record, "param"), strict=True):
        assert blob.shape == values.shape
        blob.data[...] = values

    layer.forward(bottoms, tops)
    for i, values in enumerate(_numbered(record, "top")):
        assert_agrees(tops[i].data, values, f"{name}: top {i}")
    for i, blob in enumerate(layer.blobs):
        if f"param_after_{i}" in record:
            assert_agrees(blob.data, record[f"param_after_{i}"], f"{name}: param {i} after forward")

    if not any(record[key].any() for key in record if key.startswith(("bottomdiff", "paramdiff"))):
        return layer, bottoms, tops  # Caffe's net saw no need to run this layer's backward
    propagate_down = [f"bottomdiff_{i}" in record for i in range(len(bottoms))]
    for i, blob in enumerate(tops):
        loss_weight = param.loss_weight[i] if param.loss_weight else layer.default_loss_weight
        blob.diff[...] = record.get(f"topdiff_{i}", loss_weight if i == 0 else 0)
    for blob in bottoms:
        blob.diff[...] = np.nan
    for blob in layer.blobs:
        blob.diff[...] = 1
    layer.backward(tops, propagate_down, bottoms)
    for i, blob in enumerate(bottoms):
        if propagate_down[i]:
            assert_agrees(blob.diff, record[f"bottomdiff_{i}"], f"{name}: bottom diff {i}")
        else:
            assert np.isnan(blob.diff).all(), f"{name}: bottom diff {i} was not asked for"
    for i, blob in enumerate(layer.blobs):
        if f"paramdiff_{i}" in record:
            assert_agrees(blob.diff, record[f"paramdiff_{i}"] + 1, f"{name}: param diff {i}")
    return layer, bottoms, tops


def _numbered(record: np.lib.npyio.NpzFile, key: str) -> list[np.ndarray]:
    arrays = []
    while f"{key}_{len(arrays)}" in record:
        arrays.append(record[f"{key}_{len(arrays)}"])
    return arrays


def check_gradient(
    layer: Layer,
    bottom: Sequence[np.ndarray],
    *,
    num_top: int = 1,
    weighted_tops: int | None = None,
    check_bottom: Sequence[int] | None = None,
    step: float = 1e-2,
    threshold: float = 1e-3,
    kink: float = 0.0,
    kink_range: float = -1.0,
) -> None:
    """Compare backward with finite differences, as Caffe's GradientChecker does.

    The objective is a sum of the tops with random weights, of which the first `weighted_tops`
    take part (None: all of them). Every parameter of the layer is checked, and the bottoms in
    `check_bottom` (None: all of them). A bottom value whose magnitude is within `kink_range` of
    `kink` is left out: the function is not smooth there.
    """
    if SIMULATED:
        pytest.skip("hundreds of passes are too many for the simulator")
    rng = np.random.default_rng(1701)
    bottoms, tops = set_up(layer, bottom, num_top)
    checked = range(len(bottoms)) if check_bottom is None else check_bottom
    propagate_down = [i in checked for i in range(len(bottoms))]
    layer.forward(bottoms, tops)
    weighted = tops[:weighted_tops]
    for blob in tops:
        blob.diff[...] = 0
    for blob in weighted:
        blob.diff[...] = rng.uniform(0.5, 1.5, blob.shape) * rng.choice([-1, 1], blob.shape)
    weights = [blob.diff.astype(np.float64) for blob in weighted]

    def objective() -> float:
        layer.forward(bottoms, tops)
        return sum(float((w * top.data).sum()) for w, top in zip(weights, weighted, strict=True))

    for blob in layer.blobs:
        blob.diff[...] = 0
    layer.backward(tops, propagate_down, bottoms)
    named = [(f"bottom {i}", bottoms[i]) for i in checked]
    named += [(f"param {i}", blob) for i, blob in enumerate(layer.blobs)]
    for name, blob in named:
        computed = blob.diff.reshape(-1).copy()
        for i in range(blob.count):
            start = blob.data.flat[i]
            if name.startswith("bottom") and abs(abs(start) - kink) <= kink_range:
                continue
            blob.data.flat[i] = start + step
            above = objective()
            blob.data.flat[i] = start - step
            below = objective()
            blob.data.flat[i] = start
            estimated = (above - below) / (2 * step)
            scale = max(abs(computed[i]), abs(estimated), 1)
            assert abs(computed[i] - estimated) <= threshold * scale, (
                f"{name}, value {i} ({start}): backward gives {computed[i]}, "
                f"differences give {estimated}"
            )
