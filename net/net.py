"""Net: pycaffe's interface to a graph of layers."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import CaffeError, suggestion
from ..proto.upgrade import read_net_param
from .batches import batches, join_batches
from .graph import Graph


class Net(Graph):
    """A network of layers, read from a prototxt.

    Net(file, phase), or Net(file, weights, phase) to load weights from a .caffemodel as well.
    Keywords: `level` and `stages` select layers by their rules; `weights` as above.

    Raises CaffeError where a file, layer, blob or shape does not fit.
    """

    def __init__(
        self,
        network_file: str | os.PathLike[str],
        *args: Any,
        phase: int | None = None,
        level: int = 0,
        stages: Sequence[str] | None = None,
        weights: str | os.PathLike[str] | None = None,
    ):
        for value in args:
            if isinstance(value, int) and phase is None:
                phase = value
            elif isinstance(value, str | os.PathLike) and weights is None:
                weights = value
            else:
                raise TypeError(
                    f"Net: cannot use {value!r}: call Net(file, phase) or Net(file, weights, phase)"
                )
        if phase is None:
            raise TypeError("Net: give a phase: caffe.TRAIN or caffe.TEST")
        param = read_net_param(network_file)
        super().__init__(param, phase, level, stages or ())
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def from_param(
        cls, param: Any, phase: int | None = None, level: int = 0, stages: Sequence[str] = ()
    ) -> "Net":
        """A net from an (upgraded) NetParameter. Without a phase its own `state` holds."""
        net = cls.__new__(cls)
        Graph.__init__(net, param, phase, level, stages)
        return net

    def forward(
        self,
        blobs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **inputs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """pycaffe's forward pass.

        blobs: names of blobs to return besides the outputs; start, end: names of the first and the
        last layer to run; inputs: arrays for the input blobs, by name, all of them or none.
        Returns name -> data for the outputs (with `end`: for that layer's tops) and `blobs`. The
        arrays are the blobs' own: copy what must outlive the next pass.
        Raises CaffeError for unknown names and inputs that do not fit.
        """
        first = self._layer_index(start, "start") if start is not None else 0
        last = self._layer_index(end, "end") if end is not None else len(self.layers) - 1
        wanted = self._wanted(self.top_names[end] if end is not None else self.outputs, blobs)
        if first > last:
            raise CaffeError(f"start: layer '{start}' comes after layer '{end}', the end")
        self._feed(inputs, self.inputs, "data", "inputs")
        self.forward_from_to(first, last)
        return {name: self.blobs[name].data for name in wanted}

    def backward(
        self,
        diffs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **top_diffs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """pycaffe's backward pass.

        diffs: names of blobs whose diff to return besides the inputs'; start, end: names of the
        first (topmost) and the last layer to run; top_diffs: arrays for the diffs of the outputs.
        Returns name -> diff for the inputs (with `end`: for that layer's bottoms) and `diffs`.
        Raises CaffeError for unknown names and diffs that do not fit.
        """
        first = self._layer_index(start, "start") if start is not None else len(self.layers) - 1
        last = self._layer_index(end, "end") if end is not None else 0
        wanted = self._wanted(self.bottom_names[end] if end is not None else self.inputs, diffs)
        if first < last:
            raise CaffeError(f"start: layer '{start}' comes before layer '{end}', the end")
        self._feed(top_diffs, self.outputs, "diff", "outputs")
        self.backward_from_to(first, last)
        return {name: self.blobs[name].diff for name in wanted}

    def forward_all(
        self, blobs: Sequence[str] | None = None, **inputs: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Forward passes over any number of items, in batches of the input blobs' size (the last
        one padded with zeros). Returns copies, name -> array with one entry an item."""
        count, parts = batches(inputs, self._batch_size())
        outs = [
            {name: data.copy() for name, data in self.forward(blobs=blobs, **part).items()}
            for part in parts
        ]
        return join_batches(outs, count)

    def forward_backward_all(
        self,
        blobs: Sequence[str] | None = None,
        diffs: Sequence[str] | None = None,
        **arrays: Any,
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Like forward_all, and backward. `arrays` holds the inputs and may hold output diffs.
        Returns all outputs and all diffs."""
        count, parts = batches(arrays, self._batch_size())
        outs, out_diffs = [], []
        for part in parts:
            given = {name: part.pop(name) for name in self.outputs if name in part}
            forward = self.forward(blobs=blobs, **part)
            outs.append({name: data.copy() for name, data in forward.items()})
            backward = self.backward(diffs=diffs, **given)
            out_diffs.append({name: diff.copy() for name, diff in backward.items()})
        return join_batches(outs, count), join_batches(out_diffs, count)

    def _batch_size(self) -> int:
        if not self.inputs:
            raise CaffeError(f"net '{self.name}' has no input blobs to feed; call forward()")
        return self.blobs[self.inputs[0]].shape[0]

    def _wanted(self, always: Sequence[str], more: Sequence[str] | None) -> list[str]:
        wanted = list(dict.fromkeys([*always, *(more or ())]))
        for name in wanted:
            if name not in self.blobs:
                raise CaffeError(
                    f"net '{self.name}' has no blob '{name}'; {suggestion(name, self.blobs)}"
                )
        return wanted

    def _layer_index(self, name: str, which: str) -> int:
        if name not in self.layer_dict:
            raise CaffeError(
                f"{which}: net '{self.name}' has no layer '{name}'; "
                f"{suggestion(name, self.layer_dict)}"
            )
        return self._layer_names.index(name)

    def _feed(self, arrays: dict[str, np.ndarray], names: list[str], part: str, what: str) -> None:
        if not arrays:
            return
        if set(arrays) != set(names):
            raise CaffeError(
                f"the blobs given ({', '.join(arrays)}) are not the net's {what} "
                f"({', '.join(names)}): give all of them, by name"
            )
        for name, array in arrays.items():
            target = getattr(self.blobs[name], part)
            if np.shape(array)[:1] != target.shape[:1]:
                raise CaffeError(
                    f"blob '{name}': is not batch sized: the net takes {target.shape}, "
                    f"given {np.shape(array)}; reshape the blob first, or use forward_all"
                )
            try:
                target[...] = array
            except ValueError as error:
                raise CaffeError(
                    f"blob '{name}': takes the shape {target.shape}, given {np.shape(array)}"
                ) from error

    def reshape(self) -> None:
        """Let every layer shape its tops anew, after an input blob was reshaped."""
        for i in range(len(self.layers)):
            self._reshape_layer(i)

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Give the net's MemoryData layer its data (N, C, H, W) and labels (N,).

        Raises CaffeError where the first layer is no MemoryData layer or the arrays don't fit.
        """
        layer = self.layers[0]
        if not hasattr(layer, "reset"):
            raise layer.error(
                "set_input_arrays may only be called if the first layer is MemoryData"
            )
        layer.reset(data, labels)

    def _bottom_ids(self, i: int) -> list[int]:
        return self._wiring.bottom_ids[i]

    def _top_ids(self, i: int) -> list[int]:
        return self._wiring.top_ids[i]
