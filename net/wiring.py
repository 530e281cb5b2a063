"""Making the layers of a filtered, split NetParameter and connecting their blobs."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import CaffeError
from ..glog import logger
from ..layers.blob import Blob
from ..layers.layer import Layer
from ..layers.registry import create_layer
from ..layers.workspace import Workspace
from .parameters import Parameters
from .splits import unknown_bottom

AUTOMATIC = "(automatic)"  # the name of a top that the prototxt leaves out


@dataclass
class Wiring:
    """The layers of a net and which blobs they read and write.

    Attributes
        layers: in the order in which they run
        blobs, blob_names: every blob once, in the order in which they are made
        bottom_ids, top_ids: for each layer the indices of its bottoms and tops in `blobs`
        layer_need_backward: for each layer, whether backward runs it
        bottom_need_backward: for each layer and bottom, whether its diff is computed
        loss_weights: for each layer and top its weight in the loss, 0 if none
        input_ids, output_ids: the tops of Input layers; the tops that no layer reads
    """

    layers: list[Layer] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)
    blob_names: list[str] = field(default_factory=list)
    bottom_ids: list[list[int]] = field(default_factory=list)
    top_ids: list[list[int]] = field(default_factory=list)
    layer_need_backward: list[bool] = field(default_factory=list)
    bottom_need_backward: list[list[bool]] = field(default_factory=list)
    loss_weights: list[list[float]] = field(default_factory=list)
    input_ids: list[int] = field(default_factory=list)
    output_ids: list[int] = field(default_factory=list)
    parameters: Parameters = field(default_factory=Parameters)

    def bottoms(self, layer_id: int) -> list[Blob]:
        """The bottom blobs of a layer."""
        return [self.blobs[i] for i in self.bottom_ids[layer_id]]

    def tops(self, layer_id: int) -> list[Blob]:
        """The top blobs of a layer."""
        return [self.blobs[i] for i in self.top_ids[layer_id]]

    @contextlib.contextmanager
    def naming_bottoms(self, layer_id: int) -> Iterator[None]:
        """Add to an error that a layer raises the names and shapes of its bottoms: the layer does
        not know the names."""
        layer = self.layers[layer_id]
        try:
            yield
        except (CaffeError, MemoryError) as error:
            text = f"out of memory. {error}" if isinstance(error, MemoryError) else str(error)
            if not text.startswith("layer "):
                text = str(layer.error(text))
            sources = [self._source(layer_id, index)[1] for index in self.bottom_ids[layer_id]]
            names = [f"'{self.blob_names[i]}' {self.blobs[i].shape_text}" for i in sources]
            raise CaffeError(f"{text} (bottom: {', '.join(names)})" if names else text) from error

    def _source(self, layer_id: int, blob_id: int) -> tuple[int, int]:
        """The layer that made a bottom of a layer, and the blob that it made: behind a Split the
        blob that was split."""
        makers = (i for i in reversed(range(layer_id)) if blob_id in self.top_ids[i])
        maker = next(makers)
        if self.layers[maker].type == "Split":
            return self._source(maker, self.bottom_ids[maker][0])
        return maker, blob_id

    def record_name(self, layer_id: int, bottom: int, item: int) -> str:
        """Which record of a database became an item of a layer's bottom; "" where none did."""
        layer = self.layers[self._source(layer_id, self.bottom_ids[layer_id][bottom])[0]]
        return layer.record_name(item) if hasattr(layer, "record_name") else ""

    def set_loss_weights(self, layer_id: int) -> None:
        """Write the loss weights into the diffs of a layer's tops, where backward finds them."""
        for top, weight in zip(self.tops(layer_id), self.loss_weights[layer_id], strict=True):
            if weight:
                top.diff[...] = weight


def wire(param: Any) -> Wiring:
    """Make and set up every layer of a NetParameter, logging what Caffe logs.

    Raises CaffeError where a layer, blob, shape or parameter does not fit.
    """
    return _Wirer(param).wiring


class _Wirer:
    """Holds what is only needed while wiring: which name stands for which blob by now."""

    def __init__(self, param: Any):
        self.param = param
        self.wiring = Wiring()
        self.blob_id: dict[str, int] = {}  # the latest blob of each name
        self.unread: set[str] = set()  # tops that no layer has read yet
        self.blob_need_backward: list[bool] = []
        self.workspace = Workspace()  # of all layers together
        self.bytes = 0
        for layer_param in param.layer:
            self._add_layer(layer_param)
        self.wiring.output_ids = [self.blob_id[name] for name in sorted(self.unread)]

    def _add_layer(self, layer_param: Any) -> None:
        wiring = self.wiring
        if not layer_param.HasField("phase"):
            layer_param.phase = self.param.state.phase
        name = layer_param.name
        if any(layer.name == name for layer in wiring.layers):
            logger.warning(
                "Several layers are named '%s'; weights are stored by name, so rename all but one",
                name,
            )
        logger.info("Creating layer %s", name)
        layer = create_layer(layer_param, layer_param.phase)
        layer.workspace = self.workspace
        given = len(layer_param.propagate_down)
        if given not in (0, len(layer_param.bottom)):
            raise layer.error(
                f"has {given} propagate_down entries for {len(layer_param.bottom)} bottoms; "
                "give one for each bottom or none"
            )
        logger.info("Creating Layer %s", name)
        wiring.layers.append(layer)
        wiring.bottom_ids.append(
            [self._bottom(layer_param, i) for i in range(len(layer_param.bottom))]
        )
        wiring.top_ids.append([self._top(layer, i) for i in range(self._num_top(layer))])
        layer_id = len(wiring.layers) - 1
        reaches = [self.blob_need_backward[i] for i in wiring.bottom_ids[layer_id]]
        wiring.bottom_need_backward.append(list(layer_param.propagate_down) or reaches)
        self._set_up(layer_id)
        learns = wiring.parameters.add_layer(layer)
        wiring.layer_need_backward.append(learns or any(reaches))
        if wiring.layer_need_backward[layer_id]:
            for blob_id in wiring.top_ids[layer_id]:
                self.blob_need_backward[blob_id] = True

    def _num_top(self, layer: Layer) -> int:
        return max(len(layer.param.top), layer.num_top[0] if layer.auto_top_blobs else 0)

    def _bottom(self, layer_param: Any, index: int) -> int:
        name = layer_param.bottom[index]
        if name not in self.blob_id:
            raise unknown_bottom(self.param, layer_param, index, self.blob_id)
        logger.info("%s <- %s", layer_param.name, name)
        self.unread.discard(name)
        return self.blob_id[name]

    def _top(self, layer: Layer, index: int) -> int:
        tops, bottoms = layer.param.top, layer.param.bottom
        name = tops[index] if index < len(tops) else AUTOMATIC
        if index < len(bottoms) and name == bottoms[index]:
            if not layer.in_place:
                raise layer.error("cannot work in place; give its top another name")
            logger.info("%s -> %s (in-place)", layer.name, name)
            self.unread.add(name)
            return self.blob_id[name]
        if name in self.blob_id:
            raise CaffeError(
                f"layer '{layer.name}' ({layer.type}): top blob '{name}' is already made by "
                "another layer; give it a name of its own"
            )
        logger.info("%s -> %s", layer.name, name)
        blob_id = len(self.wiring.blobs)
        self.wiring.blobs.append(Blob())
        self.wiring.blob_names.append(name)
        self.blob_need_backward.append(False)
        if name != AUTOMATIC:
            self.blob_id[name] = blob_id
            self.unread.add(name)
            if layer.type == "Input":
                self.wiring.input_ids.append(blob_id)
        return blob_id

    def _set_up(self, layer_id: int) -> None:
        wiring = self.wiring
        layer, bottom, top = (
            wiring.layers[layer_id],
            wiring.bottoms(layer_id),
            wiring.tops(layer_id),
        )
        layer.check_blob_counts(bottom, top)
        wiring.loss_weights.append(_loss_weights(layer, len(top)))
        with wiring.naming_bottoms(layer_id):
            layer.setup(bottom, top)
            layer.reshape(bottom, top)
            wiring.set_loss_weights(layer_id)
        logger.info("Setting up %s", layer.name)
        for blob, weight in zip(top, wiring.loss_weights[layer_id], strict=True):
            logger.info("Top shape: %s", blob.shape_text)
            if weight:
                logger.info("    with loss weight %g", weight)
            self.bytes += blob.count * 4
        logger.info("Memory required for data: %d", self.bytes)


def _loss_weights(layer: Layer, num_top: int) -> list[float]:
    given = list(layer.param.loss_weight)
    if given and len(given) != num_top:
        raise layer.error(
            f"has {len(given)} loss_weight entries for {num_top} tops; give one for each or none"
        )
    if not given and layer.default_loss_weight:
        given = [layer.default_loss_weight] + [0.0] * (num_top - 1)
        layer.param.loss_weight.extend(given)  # so that a saved net states it, as Caffe's do
    return given or [0.0] * num_top
