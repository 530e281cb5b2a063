"""The learnable parameters of a net: who owns each, who shares it, and its multipliers."""

from dataclasses import dataclass, field
from typing import Any

from ..glog import logger
from ..kernels.synced_memory import Arena
from ..layers.blob import Blob
from ..layers.layer import Layer
from ..proto import caffe_pb2

_PERMISSIVE = caffe_pb2.ParamSpec.PERMISSIVE


@dataclass
class _Entry:
    """One parameter blob of one layer. `spec` is its ParamSpec (a default one if none given)."""

    layer: Layer
    index: int
    spec: Any
    learnable: int  # the index of its owner among the learnable parameters

    @property
    def blob(self) -> Blob:
        return self.layer.blobs[self.index]


@dataclass
class Parameters:
    """All parameters of a net in the order of its layers.

    Attributes
        learnable: the blobs that a solver updates: each owner once, sharers left out
        lr: for each of `learnable` the multiplier of the learning rate
        decay: for each of `learnable` the multiplier of the weight decay
    """

    learnable: list[Blob] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    decay: list[float] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)
    _owner_of_name: dict[str, _Entry] = field(default_factory=dict)
    _given: dict[tuple[int, str], float] = field(default_factory=dict)

    def add_layer(self, layer: Layer) -> bool:
        """Take up a layer's parameters after its setup. Returns whether any of them learns.

        Raises CaffeError for more `param` entries than parameters, and for shared parameters
        whose shapes or multipliers do not fit.
        """
        specs = layer.param.param
        if len(specs) > len(layer.blobs):
            raise layer.error(
                f"has {len(specs)} param entries for {len(layer.blobs)} parameters; "
                "remove those too many"
            )
        any_learns = False
        for index in range(len(layer.blobs)):
            spec = specs[index] if index < len(specs) else caffe_pb2.ParamSpec()
            learns = spec.lr_mult != 0
            layer.param_propagate_down[index] = learns
            any_learns |= learns
            self._add(layer, index, spec)
        return any_learns

    def _add(self, layer: Layer, index: int, spec: Any) -> None:
        owner = self._owner_of_name.get(spec.name) if spec.name else None
        if owner is None:
            entry = _Entry(layer, index, spec, len(self.learnable))
            self.learnable.append(entry.blob)
            self.lr.append(spec.lr_mult)
            self.decay.append(spec.decay_mult)
            if spec.name:
                self._owner_of_name[spec.name] = entry
        else:
            entry = _Entry(layer, index, spec, owner.learnable)
            logger.info(
                "Sharing parameters '%s' owned by layer '%s', param index %d",
                spec.name, owner.layer.name, owner.index,
            )  # fmt: skip
            self._check_shapes(owner, entry)
        self.entries.append(entry)
        for name, values in (("lr_mult", self.lr), ("decay_mult", self.decay)):
            if spec.HasField(name):
                self._settle(entry, name, values)

    def _settle(self, entry: _Entry, name: str, values: list[float]) -> None:
        """Of several sharers those that give a multiplier must give the same."""
        value = getattr(entry.spec, name)
        given = self._given.setdefault((entry.learnable, name), value)
        if given != value:
            raise entry.layer.error(
                f"shared param '{entry.spec.name}' has mismatched {name}: {given:g} where it was "
                f"first given, {value:g} here; give one value"
            )
        values[entry.learnable] = value

    @staticmethod
    def _check_shapes(owner: _Entry, entry: _Entry) -> None:
        permissive = _PERMISSIVE in (owner.spec.share_mode, entry.spec.share_mode)
        fits = (
            owner.blob.count == entry.blob.count
            if permissive
            else owner.blob.shape == entry.blob.shape
        )
        if not fits:
            raise entry.layer.error(
                f"cannot share param '{entry.spec.name}' with layer '{owner.layer.name}': "
                f"{'count' if permissive else 'shape'} mismatch; the owner's shape is "
                f"{owner.blob.shape_text}, this one's is {entry.blob.shape_text}"
            )

    def share(self) -> None:
        """Let every sharer's blob be its owner's memory. Call once all layers are set up."""
        for entry in self.entries:
            owner = self.learnable[entry.learnable]
            if owner is not entry.blob:
                entry.blob.share_data(owner)
                entry.blob.share_diff(owner)

    def gather(self, segment: int) -> tuple[Arena, Arena]:
        """Move all that learn into one memory for their data and one for their diffs, each
        beginning at a multiple of `segment` values."""
        counts = [blob.count for blob in self.learnable]
        data, diff = Arena(counts, segment), Arena(counts, segment)
        for blob, data_part, diff_part in zip(self.learnable, data.parts, diff.parts, strict=True):
            blob.move_data(data_part)
            blob.move_diff(diff_part)
        self.share()
        return data, diff
