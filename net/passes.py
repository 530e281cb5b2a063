"""Running a wired net's layers, forward and backward."""

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from ..errors import CaffeError
from ..kernels import cpu
from ..kernels.threads import check_process
from ..layers.layer import Layer
from . import debug
from .fusion import find_pairs
from .replay import Replay
from .wiring import Wiring


class Passes:
    """Runs layers in their order and back. Neighbours that are faster as one run as one.

    Attributes
        kernels: the twin that the net computes with: the one chosen when it was made
        debug_info: whether each blob is logged as it is computed
        with_results: the numbers of the layers that have something to check or a loss
        pair_runs: how often pairs have run forward, or lost what they had deferred
        before_backward: called before the next backward pass
    """

    debug_info: bool
    pair_runs: int
    with_results: list[int]
    kernels: ModuleType
    layers: list[Layer]
    before_backward: Callable[[], Any] | None = None
    _wiring: Wiring

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
        self._checked = {
            i for i, layer in enumerate(self.layers) if type(layer).check is not Layer.check
        }
        self.with_results = sorted(
            self._checked | {i for i, found in enumerate(self._losses) if found}
        )
        self._pairs = find_pairs(wiring)
        self._sources = [i for i, bottoms in enumerate(self._bottoms) if not bottoms]
        self._reshapes = self.pair_runs = 0  # of layers and of pairs forward, so far
        self._losses_in_place = {
            i
            for i, losses in enumerate(self._losses)
            if any(blob in self._bottoms[i] for blob, _ in losses)
        }
        self._replay = Replay(self, len(self._sources)) if self._can_be_replayed() else None

    def forward_from_to(self, start: int, end: int) -> float:
        """Run the layers `start` to `end` (both included) forward. Returns their loss: the sum
        over the tops with a loss weight of weight * sum(data)."""
        check_process()
        return self.results_of(self._run_forward(start, end))

    def run_sources(self) -> None:
        """Run the layers that feed the net forward."""
        check_process()
        for i in self._sources:
            self.layers[i].forward(self._bottoms[i], self._tops[i])

    def results_of(self, layers: Iterable[int]) -> float:
        """Check what each of these layers has found in its bottoms, once it has run. Returns their
        loss."""
        loss = 0.0
        for i in layers:
            if i in self._checked:
                self._check(i)
            for blob, weight in self._losses[i]:
                loss += weight * (blob.data.item() if blob.count == 1 else blob.data.sum())
            if self.debug_info:
                debug.log_forward(self._wiring, i)
        return loss

    def _check(self, i: int) -> None:
        try:
            self.layers[i].check(self._bottoms[i])
        except CaffeError as error:
            record = ""
            if error.item is not None:
                record = self._wiring.record_name(i, error.bottom, error.item)
            if not record:
                raise
            raise CaffeError(f"{error} ({record})") from error

    def _run_forward(self, start: int, end: int) -> Iterator[int]:
        """Run these layers forward, giving the number of each once it has run."""
        i = start
        while i <= end:
            self._reshape_if_needed(i)
            pair = self._pairs.get(i) if i < end and not self.debug_info else None
            if pair is not None:
                self._reshape_if_needed(i + 1)
                self.pair_runs += 1
                pair.forward(self._bottoms[i], self._tops[i], self._tops[i + 1])
                i += 2
                continue
            self._settle_diff(i - 1)
            self.layers[i].forward(self._bottoms[i], self._tops[i])
            yield i
            i += 1

    def backward_from_to(self, start: int, end: int) -> None:
        """Run the layers `start` down to `end` (both included) backward."""
        check_process()
        if self.before_backward is not None:
            self.before_backward()
            self.before_backward = None
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

    def pair_states(self) -> list[tuple]:
        """What passes leave behind on the host, for `restore_pairs`."""
        return [pair.state(self._tops[i][0]) for i, pair in self._pairs.items()]

    def restore_pairs(self, states: list[tuple]) -> None:
        """As though the passes that left these states behind had just been run."""
        for (i, pair), state in zip(self._pairs.items(), states, strict=True):
            pair.restore(self._tops[i][0], state)

    def drop_deferred_diffs(self) -> None:
        """Have the gradients that pairs have deferred be what their memory holds."""
        self.pair_runs += 1
        for i in self._pairs:
            self._tops[i][0].defer_diff(None)

    def _settle_diff(self, i: int) -> None:
        """Compute the gradient that the pair which begins with layer i, if one does, has deferred:
        what it is computed from is about to change."""
        if i in self._pairs:
            self._tops[i][0].settle_diff()

    def forward_loss(self) -> float:
        """A whole forward pass. Returns the loss."""
        return self.forward_from_to(0, len(self.layers) - 1)

    def forward_backward(self) -> float:
        """A whole forward and backward pass, as in training. Returns the loss."""
        if self._replay is not None and not self.debug_info:
            return self._replay.forward_backward()
        loss = self.forward_loss()
        self.backward_from_to(len(self.layers) - 1, 0)
        if self.debug_info:
            debug.log_norms(self._wiring.parameters)
        return loss

    def _can_be_replayed(self) -> bool:
        """Whether all layers behind those that feed the net do nothing else than call kernels."""
        count = len(self._sources)
        return (
            self.kernels is cpu
            and not self._losses_in_place
            and self._sources == list(range(count)) != []
            and all(layer.has_gpu_twin for layer in self.layers[count:])
        )

    def _reshape_if_needed(self, i: int) -> None:
        for blob, shape in self._shapes[i]:
            if blob.shape is not shape:
                self._reshape_layer(i)
                return

    def _reshape_layer(self, i: int) -> None:
        self._reshapes += 1
        with self._wiring.naming_bottoms(i):
            self.layers[i].reshape(self._bottoms[i], self._tops[i])
        self._shapes[i] = [(blob, blob.shape) for blob in self._bottoms[i]]
        self._wiring.set_loss_weights(i)
