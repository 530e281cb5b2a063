"""Whole forward and backward passes on the CPU, noted once as a list of kernel calls and repeated.

What layers do between two kernels takes microseconds when it is timed alone. In training it takes
several times as long, as the kernels have filled the caches with their data, and the other threads
wait meanwhile. A list of calls leaves the kernels and little else.
"""

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import CaffeError
from ..kernels.threads import uses_gpu
from ..layers.blob import Blob

if TYPE_CHECKING:
    from .passes import Passes

Calls = list[tuple[Callable, tuple]]


class NotingTwin:
    """A twin whose kernels are noted as they are called.

    calls: each kernel with its arguments, in order
    """

    def __init__(self, kernels: ModuleType):
        self._kernels = kernels
        self.calls: Calls = []

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self._kernels, name)
        if not callable(kernel):
            return kernel

        def noted(*arguments: Any) -> Any:
            self.calls.append((kernel, arguments))
            return kernel(*arguments)

        return noted


class Replay:
    """The passes of a net whose layers from number `first` on do nothing else than call kernels,
    always with the same arrays as long as no blob's shape or memory changes. The layers before
    feed the net: they run as ever."""

    def __init__(self, net: "Passes", first: int):
        self._net, self._first = net, first
        self._forward: Calls = []
        self._backward: Calls = []
        self._changes: int | None = None  # of blobs, up to when the calls were noted
        self._pair_states: list[tuple] = []  # that they leave behind
        self._pair_runs = 0  # up to when the net's pairs are as they leave them behind

    def forward_backward(self) -> float:
        """As the net's, whose layers must not have been asked to log what they compute."""
        net = self._net
        net.run_sources()
        if self._changes != Blob.changes or uses_gpu():
            return self._note()
        for kernel, arguments in self._forward:
            kernel(*arguments)
        try:
            loss = net.results_of(net.with_results)
        except CaffeError:
            net.drop_deferred_diffs()  # forward has written over what they are computed from
            raise
        for kernel, arguments in self._backward:
            kernel(*arguments)
        if net.pair_runs != self._pair_runs:
            net.restore_pairs(self._pair_states)
            self._pair_runs = net.pair_runs
        return loss

    def _note(self) -> float:
        """Run layer by layer. What was called can be repeated if no blob changed meanwhile."""
        net, last, before = self._net, len(self._net.layers) - 1, Blob.changes
        self._changes = None
        loss, self._forward = self._noted(lambda: net.forward_from_to(self._first, last))
        _, self._backward = self._noted(lambda: net.backward_from_to(last, 0))
        self._pair_states, self._pair_runs = net.pair_states(), net.pair_runs
        if Blob.changes == before:
            self._changes = before
        return loss

    def _noted(self, run: Callable[[], Any]) -> tuple[Any, Calls]:
        layers = self._net.layers[self._first :]
        kernels = layers[0].kernels
        noting = NotingTwin(kernels)
        for layer in layers:
            layer.kernels = noting  # type: ignore[assignment]
        try:
            result = run()
            return result, list(noting.calls)  # what it is asked for later is not of this pass
        finally:
            for layer in layers:
                layer.kernels = kernels
