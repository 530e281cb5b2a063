"""Graph: layers wired together and run. What the solver drives."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..kernels import twins
from ..kernels.synced_memory import Arena, SyncedMemory
from ..layers.blob import Blob
from ..layers.layer import Layer
from ..proto.prototxt import format_message
from . import backward_plan, weights
from .launched_passes import LaunchedPasses
from .splits import insert_splits
from .state import filter_net
from .wiring import wire


class Graph(LaunchedPasses):
    """The layers that a NetParameter describes, wired and ready to run.

    Attributes, as in pycaffe
        name, phase: of the net
        blobs: name -> Blob, in the order in which they are made
        params: layer name -> its parameter blobs
        layers, layer_dict: the layers, in order and by name
        inputs, outputs: names of the input blobs and of the blobs that no layer reads
        bottom_names, top_names: layer name -> names of its bottoms or tops
    and those of `Passes`

    Raises CaffeError where a layer, blob, shape or parameter does not fit.
    """

    def __init__(
        self, param: Any, phase: int | None = None, level: int = 0, stages: Sequence[str] = ()
    ):
        """Wire an (upgraded) NetParameter. Without a phase its own `state` selects the layers."""
        own = type(param)()
        own.CopyFrom(param)
        if phase is not None:
            own.state.phase = phase
            own.state.level = level
            own.state.stage.extend(stages)
        if not own.layer:
            raise CaffeError(f"net '{own.name}': describes no layers")
        filtered = filter_net(own)
        logger.info("Initializing net from parameters: \n%s", format_message(filtered).rstrip())
        self.name: str = param.name
        self.phase: int = filtered.state.phase
        self.debug_info: bool = param.debug_info
        self.kernels = twins.current()
        wiring = wire(insert_splits(filtered))
        backward_plan.prune(wiring)
        if param.force_backward:
            backward_plan.force(wiring)
        wiring.parameters.share()
        self._wiring = wiring
        self._diff_arena: Arena | None = None
        self._index_names()
        self._prepare_run()
        for name in self.outputs:
            logger.info("This network produces output %s", name)
        logger.info("Network initialization done.")

    def _index_names(self) -> None:
        wiring, names = self._wiring, self._wiring.blob_names
        self.layers: list[Layer] = wiring.layers
        self.layer_dict = OrderedDict((layer.name, layer) for layer in wiring.layers)
        self.blobs = OrderedDict(zip(names, wiring.blobs, strict=True))
        self.params = OrderedDict(
            (layer.name, layer.blobs) for layer in wiring.layers if layer.blobs
        )
        self.inputs = [names[i] for i in wiring.input_ids]
        self.outputs = [names[i] for i in wiring.output_ids]
        self.bottom_names = OrderedDict(
            (layer.name, [names[b] for b in ids])
            for layer, ids in zip(wiring.layers, wiring.bottom_ids, strict=True)
        )
        self.top_names = OrderedDict(
            (layer.name, [names[b] for b in ids])
            for layer, ids in zip(wiring.layers, wiring.top_ids, strict=True)
        )
        self._layer_names = [layer.name for layer in wiring.layers]
        self._blob_names = names

    def operations(self, i: int) -> tuple[int, int]:
        """How many operations the products of layer i are by their definition, forward and
        backward (see Layer.operations), 0 where backward passes the layer by."""
        layer, bottom = self.layers[i], self._bottoms[i]
        forward = layer.operations(bottom, self._tops[i])
        if not self._wiring.layer_need_backward[i]:
            return forward, 0
        by_bottoms = sum(self._wiring.bottom_need_backward[i]) * forward // max(len(bottom), 1)
        return forward, sum(layer.param_propagate_down[:1]) * forward + by_bottoms

    @property
    def learnable_params(self) -> list[Blob]:
        """The blobs that a solver updates; a shared one stands here once."""
        return self._wiring.parameters.learnable

    @property
    def params_lr(self) -> list[float]:
        """For each of learnable_params the multiplier of the learning rate."""
        return self._wiring.parameters.lr

    @property
    def params_weight_decay(self) -> list[float]:
        """For each of learnable_params the multiplier of the weight decay."""
        return self._wiring.parameters.decay

    @property
    def blob_loss_weights(self) -> "OrderedDict[str, float]":
        """Blob name -> its weight in the loss, 0 for most."""
        weight_of = OrderedDict.fromkeys(self._blob_names, 0.0)
        for ids, layer_weights in zip(self._wiring.top_ids, self._wiring.loss_weights, strict=True):
            for blob_id, weight in zip(ids, layer_weights, strict=True):
                weight_of[self._blob_names[blob_id]] = weight
        return weight_of

    def clear_param_diffs(self) -> None:
        """Set the gradients of all parameters to zero."""
        for diff in self._gathered_diffs():
            self.kernels.fill(0.0, diff)

    def _gathered_diffs(self) -> list[Any]:
        if self._diff_arena is not None:
            return [self.array(self._diff_arena)]
        return [
            blob.device_diff_as(-1) if self.on_device else blob.diff_as(-1)
            for blob in self.learnable_params
        ]

    def array(self, memory: SyncedMemory | Arena) -> Any:
        """Memory beside the blobs, as an array where this net computes."""
        return memory.device() if self.on_device else memory.host()

    def gather_parameters(self) -> tuple[Arena, Arena]:
        """Move the learnable parameters together: their data and their diffs, each one memory, so
        that an update is one pass over them. Returns both."""
        data, diff = self._wiring.parameters.gather(self.kernels.SEGMENT)
        self._diff_arena = diff
        return data, diff

    def copy_from(self, path: str | os.PathLike[str]) -> None:
        """Load weights by layer name from a .caffemodel. Raises CaffeError where they don't fit;
        the net is then as it was."""
        weights.copy_layers(weights.load(path), self.layer_dict, str(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to a .caffemodel, whole or not at all."""
        weights.save(self.to_proto(), path)

    def to_proto(self, write_diff: bool = False) -> Any:
        """The NetParameter of a .caffemodel: layers and weights, with their diffs if asked."""
        return weights.net_to_proto(self.name, self.layers, write_diff)

    def share_with(self, other: "Graph") -> None:
        """Let the layers of this net use the weights (the same memory) of the other net's layers
        of the same name. Raises CaffeError where shapes differ."""
        for source in other.layers:
            layer = self.layer_dict.get(source.name)
            if layer is None:
                logger.info("Ignoring source layer %s", source.name)
                continue
            mine, theirs = [b.shape for b in layer.blobs], [b.shape for b in source.blobs]
            if mine != theirs:
                raise layer.error(f"cannot share weights: shapes {theirs} and {mine} differ")
            for blob, shared in zip(layer.blobs, source.blobs, strict=True):
                blob.share_data(shared)

    def cursors(self) -> Iterator[Any]:
        """Where each data layer stands: SolverState.Cursor messages, for an exact resume."""
        return (layer.cursor() for layer in self.layers if hasattr(layer, "cursor"))

    def seek(self, cursors: Sequence[Any]) -> None:
        """Put the data layers where `cursors` says. Layers that it does not name stay."""
        for cursor in cursors:
            layer = self.layer_dict.get(cursor.layer)
            if layer is not None and hasattr(layer, "seek"):
                layer.seek(cursor)
