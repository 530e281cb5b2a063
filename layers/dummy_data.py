"""DummyData: blobs of fillers' values, for tests and timing."""

from collections.abc import Sequence
from typing import Any

from ..proto import caffe_pb2
from .blob import Blob
from .fillers import fill
from .layer import Layer
from .registry import register

LEGACY_FIELDS = ("num", "channels", "height", "width")


@register
class DummyData(Layer):
    """Each top has a shape and a filler of its own, or all have the same.

    A constant filler fills its top once; any other fills it at each forward.
    """

    type = "DummyData"
    num_bottom = (0, 0)
    num_top = (1, None)

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Shape the tops and fill the constant ones.

        Raises CaffeError where the number of shapes or fillers is neither 1 nor that of the tops.
        """
        param = self.param.dummy_data_param
        fillers = param.data_filler or [caffe_pb2.FillerParameter(type="constant")]
        self.fillers = self._for_each_top("data_filler", fillers, len(top))
        for blob, shape in zip(top, self._shapes(param, len(top)), strict=True):
            blob.reshape(*shape)
        self._fill(top, constant=True)

    def _shapes(self, param: Any, num_top: int) -> list[tuple[int, ...]]:
        """The tops' shapes, from `shape` or from the older four fields."""
        if not any(getattr(param, field) for field in LEGACY_FIELDS):
            shapes = self._for_each_top("shape", param.shape, num_top)
            return [tuple(shape.dim) for shape in shapes]
        if param.shape:
            raise self.error("give either shape or num, channels, height and width, not both")
        lengths = [
            self._for_each_top(field, getattr(param, field), num_top) for field in LEGACY_FIELDS
        ]
        return list(zip(*lengths, strict=True))

    def _for_each_top(self, field: str, values: Sequence[Any], num_top: int) -> Sequence[Any]:
        if len(values) == 1:
            return [values[0]] * num_top
        if len(values) != num_top:
            one_or_all = "1" if num_top == 1 else f"1 or {num_top}"
            raise self.error(
                f"needs {one_or_all} of dummy_data_param's {field} for {num_top} top blob(s), "
                f"but has {len(values)}"
            )
        return values

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Setup has shaped the tops; there is no bottom to follow."""

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Draw new values for the tops that are not constant."""
        self._fill(top, constant=False)

    def _fill(self, top: Sequence[Blob], *, constant: bool) -> None:
        for blob, filler in zip(top, self.fillers, strict=True):
            if (filler.type == "constant") == constant:
                fill(blob, filler, self.error)
