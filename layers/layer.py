"""The contract that every layer keeps."""

import abc
from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar

from ..errors import CaffeError
from ..kernels import cpu
from ..kernels.synced_memory import SyncedArray
from .blob import Blob, View
from .fillers import fill
from .workspace import Workspace

TRAIN, TEST = 0, 1  # the phases, as pycaffe numbers them


class Layer(abc.ABC):
    """One operation of the net: top = f(bottom; blobs).

    The net calls, in this order: the constructor, `setup` once, `reshape` after setup and whenever
    the shape of a bottom has changed, then `forward` and `backward` as often as it likes.

    A subclass names its `type`, says how many bottoms and tops it takes, and writes the methods
    that it needs. There is one forward and one backward: the device is chosen by `kernels`, the
    twin that the layer was handed. So a layer asks for arrays with `data`, `diff`, `array` and
    `floats`, which give those of its device. A layer with `has_gpu_twin` does nothing else with
    them than hand them to its kernels; others get the CPU's twin, also in a net on the GPU.

    Attributes
        param: the layer's LayerParameter
        phase: TRAIN or TEST
        kernels: the twin (caffe.kernels.cpu or cuda) whose functions compute
        blobs: the learnable parameters, made by `setup`
        param_propagate_down: for each of `blobs`, whether backward computes its diff
        workspace: memory for the time of a forward or backward; a net's layers share theirs
    """

    type: ClassVar[str] = ""
    num_bottom: ClassVar[tuple[int, int | None]] = (1, 1)  # fewest, most (None: any number)
    num_top: ClassVar[tuple[int, int | None]] = (1, 1)
    same_num_bottom_top: ClassVar[bool] = False
    auto_top_blobs: ClassVar[bool] = False  # tops that the prototxt leaves out are made anonymously
    in_place: ClassVar[bool] = False  # whether a top may be the bottom of the same index
    has_gpu_twin: ClassVar[bool] = False  # whether it can compute on the GPU
    default_loss_weight: ClassVar[float] = 0.0  # of the first top: 1 for a loss layer

    def __init__(self, param: Any, phase: int = TEST, kernels: ModuleType = cpu):
        self.param = param
        self.phase = phase
        self.kernels = kernels
        self.on_device = kernels is not cpu
        self.blobs: list[Blob] = []
        self.param_propagate_down: list[bool] = []
        self.workspace = Workspace()

    @property
    def name(self) -> str:
        """The layer's name in the net."""
        return self.param.name

    def error(self, message: str, item: int | None = None, bottom: int = 0) -> CaffeError:
        """The exception to raise for bad input: the message with this layer's name before it.

        item, bottom: of which item of which bottom it speaks, if of one.
        """
        return CaffeError(f"layer '{self.name}' ({self.type}): {message}", item, bottom)

    def check_blob_counts(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Raise CaffeError where the number of bottoms or tops is not one that the layer takes."""
        for blobs, (fewest, most), word in (
            (bottom, self.num_bottom, "bottom"),
            (top, self.num_top, "top"),
        ):
            if len(blobs) >= fewest and (most is None or len(blobs) <= most):
                continue
            if fewest == most:
                wanted = f"exactly {fewest}"
            elif most is not None and len(blobs) > most:
                wanted = f"at most {most}"
            else:
                wanted = f"at least {fewest}"
            raise self.error(f"takes {wanted} {word} blob(s), but the prototxt gives {len(blobs)}")
        if self.same_num_bottom_top and len(bottom) != len(top):
            raise self.error(
                f"makes one top for each bottom, but has {len(bottom)} bottom and {len(top)} top"
            )

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Once: check the parameters; make and fill `blobs`."""

    @abc.abstractmethod
    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Shape the tops and whatever else depends on the bottoms' shapes."""

    @abc.abstractmethod
    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Compute the tops' data from the bottoms' data."""

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """From the tops' diff, overwrite the diff of each bottom with `propagate_down`, and add
        to the diff of each of `blobs` with `param_propagate_down`."""

    def check(self, bottom: Sequence[Blob]) -> None:
        """Raise CaffeError, naming the item, for what the last forward found wrong in the bottoms'
        data. The net asks after each forward, but on the GPU, which does not wait for the host,
        only when something did go wrong."""

    def data(self, blob: Blob, shape: View | None = None) -> Any:
        """A blob's data where this layer computes, in this shape (the blob's unless given)."""
        view = blob.shape if shape is None else shape
        return blob.device_data_as(view) if self.on_device else blob.data_as(view)

    def diff(self, blob: Blob, shape: View | None = None) -> Any:
        """A blob's diff where this layer computes, in this shape (the blob's unless given)."""
        view = blob.shape if shape is None else shape
        return blob.device_diff_as(view) if self.on_device else blob.diff_as(view)

    def array(self, array: SyncedArray) -> Any:
        """An array that the layer keeps beside its blobs, where this layer computes."""
        return array.device() if self.on_device else array.host()

    def floats(self, count: int) -> Any:
        """`count` floats of the workspace, where this layer computes."""
        return self.workspace.floats(count, on_device=self.on_device)

    def operations(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> int:
        """How many operations the products of one forward are by their definition, a multiply-add
        counted as two; 0 for a layer without products. Backward does as many for each gradient."""
        return 0

    def allow_force_backward(self, bottom_index: int) -> bool:
        """Whether `force_backward` may ask for this bottom's gradient (not for labels)."""
        return True

    def canonical_axis(self, axis: int, num_axes: int) -> int:
        """The axis counted from the front; negative ones count from the end.

        Raises CaffeError for an axis that the blob does not have.
        """
        if not -num_axes <= axis < num_axes:
            raise self.error(f"axis {axis} does not exist in a blob of {num_axes} axes")
        return axis % num_axes

    def add_parameter(self, shape: Sequence[int], filler: Any) -> None:
        """Append a learnable parameter of this shape, filled as the FillerParameter says."""
        blob = Blob(*shape)
        fill(blob, filler, self.error, self.kernels)
        self.blobs.append(blob)
        self.param_propagate_down.append(True)
