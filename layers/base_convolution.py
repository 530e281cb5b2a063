"""What all layers with a convolution_param share: the form of their windows.

Along each spatial axis (those after `axis`, the channels) a window has a kernel of some positions,
`dilation` apart; windows lie `stride` apart, the first beginning `pad` before the image.
"""

from collections.abc import Sequence

from .blob import Blob
from .layer import Layer


class BaseConvolution(Layer):
    """Reads the windows' form and checks that they fit.

    Attributes, made by `read_form`
        channel_axis: the axis of the channels; those before it number the images
        kernel, pad, stride, dilation: one number for each spatial axis
    """

    def read_form(self, bottom: Blob) -> None:
        """Raises CaffeError for fields that are missing, contradict each other or do not fit the
        number of spatial axes."""
        param = self.param.convolution_param
        self.channel_axis = self.canonical_axis(param.axis, len(bottom.shape))
        self.num_axes = len(bottom.shape)
        self.kernel = self._per_axis("kernel_size", "kernel", None)
        self.pad = self._per_axis("pad", "pad", 0)
        self.stride = self._per_axis("stride", "stride", 1)
        self.dilation = self._per_axis("dilation", None, 1)
        for field, values in (
            ("kernel_size", self.kernel),
            ("stride", self.stride),
            ("dilation", self.dilation),
        ):
            if min(values, default=1) < 1:
                raise self.error(f"{field} must be above 0 along each axis, but is {values}")

    def _per_axis(self, field: str, prefix: str | None, default: int | None) -> tuple[int, ...]:
        """One number for each spatial axis: from the repeated field, given once or for each axis,
        or from its two forms with _h and _w."""
        param = self.param.convolution_param
        spatial = self.num_axes - self.channel_axis - 1
        values = list(getattr(param, field))
        pair = (f"{prefix}_h", f"{prefix}_w")
        if prefix and any(param.HasField(name) for name in pair):
            if spatial != 2:
                raise self.error(
                    f"{pair[0]} and {pair[1]} are for 2 spatial axes, but the bottom has "
                    f"{spatial}; use {field}"
                )
            if values:
                raise self.error(f"give either {field} or {pair[0]} and {pair[1]}, not both")
            return tuple(getattr(param, name) for name in pair)
        if not values and default is not None:
            values = [default]
        if len(values) not in (1, spatial):
            raise self.error(
                f"{field} must be given once, or once for each of the {spatial} spatial axes, "
                f"but is given {len(values)} times"
            )
        return tuple(values * spatial if len(values) == 1 else values)

    def check_axes(self, bottom: Blob) -> None:
        """Raises CaffeError where the bottom's number of axes is not the one at setup."""
        if len(bottom.shape) != self.num_axes:
            raise self.error(
                f"the bottom had {self.num_axes} axes when the layer was made, but its shape is "
                f"now {bottom.shape}; the number of axes must stay"
            )

    def output_shape(self, inputs: Sequence[int]) -> tuple[int, ...]:
        """How many windows fit along each spatial axis:

            (in + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1, rounded down

        Raises CaffeError where none fits.
        """
        extents = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        padded = [i + 2 * p for i, p in zip(inputs, self.pad, strict=True)]
        if any(extent > size for extent, size in zip(extents, padded, strict=True)):
            raise self.error(
                f"the kernel, which spans {_by(extents)}, is larger than the padded input, "
                f"{_by(padded)}; use a smaller kernel or dilation, or more pad"
            )
        axes = zip(padded, extents, self.stride, strict=True)
        return tuple((size - extent) // s + 1 for size, extent, s in axes)


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(str(size) for size in sizes)
