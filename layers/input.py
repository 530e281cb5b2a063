"""Input: tops whose data the user fills in before forward."""

from collections.abc import Sequence

from .blob import Blob
from .layer import Layer
from .registry import register


@register
class Input(Layer):
    """Shapes its tops by input_param.shape: one for all of them, or one each; or none, where the
    user reshapes them. Their data is whatever the user wrote there."""

    type = "Input"
    num_bottom = (0, 0)
    num_top = (1, None)

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Shape the tops. Once, so that a later reshape by the user stays."""
        shapes = self.param.input_param.shape
        if len(shapes) not in (0, 1, len(top)):
            raise self.error(
                "give input_param.shape once, once for each top, or not at all: there are "
                f"{len(shapes)} shapes and {len(top)} tops"
            )
        for i, blob in enumerate(top):
            if shapes:
                blob.reshape(*shapes[i if len(shapes) > 1 else 0].dim)

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """The user decides."""

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """The user fills in the data."""
