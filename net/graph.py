"""Graph: layers wired together and run. What the solver drives."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..kernels import cpu
from ..kernels.threads import check_process
from ..layers.blob import Blob
from ..layers.layer import Layer
from ..proto.prototxt import format_message
from . import backward_plan, debug, weights
from .fusion import find_pairs
from .splits import insert_splits
from .state import filter_net
from .wiring import wire


class Graph:
    """The layers that a NetParameter describes, wired and ready to run.

    Attributes, as in pycaffe
        name, phase: of the net
        blobs: name -> Blob, in the order in which they are made
        params: layer name -> its parameter blobs
        layers, layer_dict: the layers, in order and by name
        inputs, outputs: names of the input blobs and of the blobs that no layer reads
        bottom_names, top_names: layer name -> names of its bottoms or tops

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
        wiring = wire(insert_splits(filtered))
        backward_plan.prune(wiring)
        if param.force_backward:
            backward_plan.force(wiring)
        wiring.parameters.share()
        self._wiring = wiring
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

    def _prepare_run(self) -> None:
        """Resolve once what every pass needs: each layer's blobs, and the tops with a loss."""
        wiring = self._wiring
        self._bottoms = [wiring.bottoms(i) for i in range(len(wiring.layers))]
        self._tops = [wiring.tops(i) for i in range(len(wiring.layers))]
        self._shapes = [[(blob, blob.shape) for blob in bottom] for bottom in self._bottoms]
        self._losses = [
            [(top, weight) for top, weight in zip(tops, weights, strict=True) if weight]
            for tops, weights in zip(self._tops, wiring.loss_weights, strict=True)
        ]
        self._pairs = find_pairs(wiring)
        self._losses_in_place = {
            i
            for i, losses in enumerate(self._losses)
            if any(blob in self._bottoms[i] for blob, _ in losses)
        }

    def forward_from_to(self, start: int, end: int) -> float:
        """Run the layers `start` to `end` (both included) forward. Returns their loss: the sum
        over the tops with a loss weight of weight * sum(data)."""
        check_process()
        loss, i = 0.0, start
        try:
            while i <= end:
                self._reshape_if_needed(i)
                pair = self._pairs.get(i) if i < end and not self.debug_info else None
                if pair is not None:
                    self._reshape_if_needed(i + 1)
                    pair.forward(self._bottoms[i], self._tops[i], self._tops[i + 1])
                    i += 2
                    continue
                self._settle_diff(i - 1)
                self.layers[i].forward(self._bottoms[i], self._tops[i])
                for blob, weight in self._losses[i]:
                    loss += weight * (blob.data.item() if blob.count == 1 else blob.data.sum())
                if self.debug_info:
                    debug.log_forward(self._wiring, i)
                i += 1
        except CaffeError as error:
            record = ""
            if error.item is not None:
                record = self._wiring.record_name(i, error.bottom, error.item)
            if not record:
                raise
            raise CaffeError(f"{error} ({record})") from error
        return loss

    def backward_from_to(self, start: int, end: int) -> None:
        """Run the layers `start` down to `end` (both included) backward."""
        check_process()
        wiring, i = self._wiring, start
        for below in range(end - 1):
            self._settle_diff(below)
        while i >= end:
            pair = self._pairs.get(i - 1) if i > end and not self.debug_info else None
            if not wiring.layer_need_backward[i]:
                i -= 1
            elif pair is not None:
                pair.backward(
                    self._tops[i],
                    wiring.bottom_need_backward[i - 1],
                    self._tops[i - 1],
                    self._bottoms[i - 1],
                )
                i -= 2
            else:
                if i in self._losses_in_place:
                    wiring.set_loss_weights(i)  # the last backward overwrote them
                self.layers[i].backward(
                    self._tops[i], wiring.bottom_need_backward[i], self._bottoms[i]
                )
                if self.debug_info:
                    debug.log_backward(wiring, i)
                i -= 1

    def _settle_diff(self, i: int) -> None:
        """Compute the gradient that the pair which begins with layer i, if one does, has deferred:
        what it is computed from is about to change."""
        if i in self._pairs and self._tops[i][0].diff_is_deferred:
            _ = self._tops[i][0].diff

    def forward_loss(self) -> float:
        """A whole forward pass. Returns the loss."""
        return self.forward_from_to(0, len(self.layers) - 1)

    def forward_backward(self) -> float:
        """A whole forward and backward pass, as in training. Returns the loss."""
        loss = self.forward_loss()
        self.backward_from_to(len(self.layers) - 1, 0)
        if self.debug_info:
            debug.log_norms(self._wiring.parameters)
        return loss

    def _reshape_if_needed(self, i: int) -> None:
        for blob, shape in self._shapes[i]:
            if blob.shape is not shape:
                self._reshape_layer(i)
                return

    def _reshape_layer(self, i: int) -> None:
        with self._wiring.naming_bottoms(i):
            self.layers[i].reshape(self._bottoms[i], self._tops[i])
        self._shapes[i] = [(blob, blob.shape) for blob in self._bottoms[i]]
        self._wiring.set_loss_weights(i)

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
        for blob in self.learnable_params:
            cpu.fill(0.0, blob.diff_as(-1))

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
