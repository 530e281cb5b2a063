"""Silence: takes blobs so that the net does not list them as its outputs."""

from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class Silence(Layer):
    """Makes nothing of any number of bottoms; their gradient is zero."""

    type = "Silence"
    num_bottom = (1, None)
    num_top = (0, 0)
    has_gpu_twin = True

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """There is no top."""

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """There is nothing to compute."""

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Zero the bottoms' diffs."""
        for blob, wanted in zip(bottom, propagate_down, strict=True):
            if wanted:
                self.kernels.fill(0.0, self.diff(blob, -1))
