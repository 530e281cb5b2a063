"""What loss layers have in common."""

from collections.abc import Sequence
from typing import Any

from .blob import Blob
from .layer import Layer

FULL, VALID, BATCH_SIZE, NONE = 0, 1, 2, 3  # LossParameter.NormalizationMode


class LossLayer(Layer):
    """Takes predictions and labels; makes a scalar, which the prototxt need not name.

    Its loss weight, 1 unless given, is found in `top[0].diff`.
    """

    num_bottom = (2, 2)
    auto_top_blobs = True
    default_loss_weight = 1.0

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """A scalar top. Raises CaffeError unless both bottoms have the same first axis."""
        if bottom[0].shape[:1] != bottom[1].shape[:1]:
            raise self.error(
                f"predictions and labels differ in their first axis: their shapes are "
                f"{bottom[0].shape} and {bottom[1].shape}"
            )
        top[0].reshape()

    def allow_force_backward(self, bottom_index: int) -> bool:
        """Labels have no gradient."""
        return bottom_index != 1

    def check_propagate_down(self, propagate_down: Sequence[bool]) -> None:
        """Raise CaffeError where a gradient of the labels is asked for."""
        if propagate_down[1]:
            raise self.error("cannot propagate a gradient down to its labels")


def normalization(loss_param: Any) -> int:
    """The mode of a LossParameter; `normalize` is the old field: VALID if true, else BATCH_SIZE."""
    if loss_param.HasField("normalize") and not loss_param.HasField("normalization"):
        return VALID if loss_param.normalize else BATCH_SIZE
    return loss_param.normalization


def normalizer(mode: int, outer: int, inner: int) -> float:
    """What a summed loss is divided by, at least 1: the number of all labels (FULL), of items
    (BATCH_SIZE), or 1 (NONE); 0 stands for the number of labels that are not ignored (VALID)."""
    divisors = {FULL: outer * inner, BATCH_SIZE: outer, NONE: 1}
    return 0.0 if mode == VALID else float(max(divisors[mode], 1))
