"""Whole passes on the GPU that the host only launches: what may be recorded as a graph."""

from collections import OrderedDict
from typing import Any

from ..kernels import cpu
from ..layers.blob import Blob
from .passes import Passes


class LaunchedPasses(Passes):
    """Adds to the passes those that nobody waits for, and what a repetition of them depends on."""

    params: "OrderedDict[str, list[Blob]]"

    def serve_from_host(self) -> None:
        """Run the layers that feed the net from the host: what a recorded pass begins with."""
        for i in self._host_sources:
            self.layers[i].forward(self._bottoms[i], self._tops[i])

    def launch_forward(self, loss: Any) -> None:
        """A whole forward pass on the GPU, as launches only: nothing waits for them or looks at
        what they find. Adds the loss to `loss`, an array of one float32 there. Layers that feed
        the net from the host are left out.

        What it launches may be recorded, and repeated as long as `recording_key` stays.
        """
        first = max(self._host_sources, default=-1) + 1
        for i in self._run_forward(first, len(self.layers) - 1):
            for blob, weight in self._losses[i]:
                self.kernels.axpy(weight, blob.device_data_as(-1), loss)

    def launch_backward(self) -> None:
        """A whole backward pass on the GPU, as `launch_forward`."""
        self.backward_from_to(len(self.layers) - 1, 0)

    def count_batches(self) -> None:
        """Tell the layers that serve batches on the GPU that a recorded pass was repeated."""
        for layer in self.layers:
            if layer.on_device and hasattr(layer, "count_batch"):
                layer.count_batch()

    def rewind(self, batches: int) -> None:
        """Have the layers that can serve their last batches once more."""
        for layer in self.layers:
            if hasattr(layer, "rewind"):
                layer.rewind(batches)

    @property
    def on_device(self) -> bool:
        """Whether the net computes on the GPU."""
        return self.kernels is not cpu

    def synchronize(self) -> None:
        """Wait for what was launched on the GPU, if the net computes there."""
        if self.on_device:
            self.kernels.synchronize()

    @property
    def is_fed_by_gpu(self) -> bool:
        """Whether no layer that feeds the net runs on the host."""
        return not self._host_sources

    @property
    def can_be_recorded(self) -> bool:
        """Whether passes can be: no layer behind those that feed the net computes on the host, each
        loss is a single number, and backward does not overwrite its weight."""
        layers, sources = self.layers, self._host_sources
        return (
            self.on_device
            and not self.debug_info
            and not self._losses_in_place
            and sources == list(range(len(sources)))
            and all(layer.on_device for layer in layers[len(sources) :])
            and all(blob.count == 1 for losses in self._losses for blob, _ in losses)
        )

    @property
    def recording_key(self) -> tuple:
        """What a recorded pass depends on: how often layers were reshaped, the shape and memory of
        all blobs, and which of the gradients that pairs leave out are wanted."""
        params = (blob for blobs in self.params.values() for blob in blobs)
        return (
            self._reshapes,
            [(blob.shape, blob.memory) for blob in (*self._wiring.blobs, *params)],
            [self._tops[i][0].has_diff for i in self._pairs],
        )

    def settle_diffs(self) -> None:
        """Compute the gradients that pairs have deferred: what they are computed from is about to
        change."""
        for i in self._pairs:
            self._tops[i][0].settle_diff()

    @property
    def _host_sources(self) -> list[int]:
        return [i for i in self._sources if not self.layers[i].on_device]
