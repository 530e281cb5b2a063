"""What layers that compare scores with labels have in common.

Scores have the classes on one axis: (outer, classes, inner). There is one label for each of the
outer * inner positions, a whole number in 0..classes-1 or the one that is to be ignored.
"""

import math
from typing import Any

from ..errors import CaffeError
from .blob import Blob
from .layer import Layer


def score_view(layer: Layer, scores: Blob, label: Blob, axis: int) -> tuple[int, int, int]:
    """The scores' shape as (outer, classes, inner).

    Raises CaffeError for an axis that does not exist, and where the labels are not outer * inner.
    """
    shape = scores.shape
    axis = layer.canonical_axis(axis, len(shape))
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    if outer * inner != label.count:
        raise layer.error(
            f"scores of shape {shape} with the classes on axis {axis} need {outer * inner} labels, "
            f"but the label blob of shape {label.shape} has {label.count}"
        )
    return outer, shape[axis], inner


def ignored_label(layer: Layer, param: Any) -> float:
    """The `ignore_label` of a LossParameter or AccuracyParameter, as kernels take it."""
    if param.HasField("ignore_label"):
        return float(param.ignore_label)
    return layer.kernels.NO_LABEL


def label_error(layer: Layer, label: Blob, position: int, classes: int) -> CaffeError:
    """The exception for the label (bottom 1) at this flat position, which is no class."""
    value = float(label.data.reshape(-1)[position])
    item = position // (label.count // label.shape[0]) if label.shape else 0
    if value.is_integer():
        problem = f"label {value:.0f} is outside 0..{classes - 1}"
    else:
        problem = f"label {value:g} is not a whole number in 0..{classes - 1}"
    return layer.error(
        f"{problem}, in item {item} of the batch; mend the data or the number of outputs",
        item,
        bottom=1,
    )
