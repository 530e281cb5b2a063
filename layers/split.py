"""Split: several tops with the bottom's data. The net inserts it where a blob is used twice."""

from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class Split(Layer):
    """Every top shares the bottom's data; the bottom's diff is the sum of the tops' diffs."""

    type = "Split"
    num_top = (1, None)
    has_gpu_twin = True

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Each top has the bottom's shape."""
        for blob in top:
            blob.reshape(*bottom[0].shape)

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Nothing is copied."""
        for blob in top:
            blob.share_data(bottom[0])

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Add the tops' diffs, in their order."""
        if not propagate_down[0]:
            return
        total = self.diff(bottom[0], -1)
        diffs = [self.diff(blob, -1) for blob in top]
        if len(diffs) == 1:
            self.kernels.copy(diffs[0], total)
            return
        self.kernels.add(diffs[0], diffs[1], total)
        for diff in diffs[2:]:
            self.kernels.add(total, diff, total)
