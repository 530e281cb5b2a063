"""Training and testing on the GPU as recordings: each iteration is one graph launch.

What changes from one iteration to the next, the learning rate, the losses, where the data stands,
lies in the GPU's memory; the host looks at it when something is to be displayed. Should a loss not
be finite, the GPU updates nothing from then on, so that the weights are still those before that
iteration when the host finds out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.synced_memory import SyncedArray, SyncedMemory
from ..net.net import Net

PLAIN_RUNS = 2  # before a pass is recorded
ROWS = 1024  # iterations between two looks of the host, at most


class RecordedPass:
    """Launches that are repeated for as long as what they depend on stays.

    Twice they run as they are, so that all is compiled and allocated (a pass may take turns between
    two memories); then they are recorded.
    """

    def __init__(self, net: Net, launch: Callable[[], None]):
        self._net = net
        self._launch = launch
        self._key: Any = None
        self._plain_runs = 0  # with this key
        self._recording: Any = None
        self._pair_states: list[tuple] = []  # that it leaves behind

    def run(self, settings: Any = None) -> None:
        """Launch once. settings: what the launches depend on beside the net."""
        net = self._net
        net.serve_from_host()
        SyncedMemory.return_to_device()
        key = net.recording_key, settings
        if key != self._key:
            self._key, self._recording, self._plain_runs = key, None, 0
        if self._plain_runs < PLAIN_RUNS:
            self._plain_runs += 1
            self._launch()
            return
        if self._recording is None:
            self._recording = net.kernels.Recording(self._launch)
            self._pair_states = net.pair_states()
        else:
            net.count_batches()
        self._recording.replay()
        net.restore_pairs(self._pair_states)


class RecordedTraining:
    """The iterations of a solver.

    solver: has the net, the parameters of the training and `launch_update`
    """

    def __init__(self, solver: Any):
        self._solver = solver
        self._pass = RecordedPass(solver.net, self._launch)
        self._count = SyncedArray((1,), np.int64)
        self._loss, self._guard, self._rate = (SyncedArray((1,)) for _ in range(3))
        self._losses, self._rates = SyncedArray((ROWS,)), SyncedArray((ROWS,))
        self._first = 0  # the iteration whose rate is the first on the GPU
        self._noted = 0  # iterations since the host last looked
        self._prepared = 0  # iterations whose rates are on the GPU

    def iterate(self, left: int) -> bool:
        """Launch one iteration, of `left` that are still to come. Returns False where it cannot be
        recorded: the solver has to run it otherwise."""
        net, param = self._solver.net, self._solver.param
        several = param.iter_size > 1 and not net.is_fed_by_gpu
        if several or param.clip_gradients >= 0 or not net.can_be_recorded:
            return False
        if self._noted == self._prepared:
            self._solver.look()
            self._prepare(min(left, ROWS))
        self._pass.run((param.iter_size, param.momentum))
        self._noted += 1
        return True

    def _prepare(self, count: int) -> None:
        rates = self._solver.rates_ahead(count)
        self._rates.host()[: len(rates)] = rates
        self._count.host()[0] = 0
        self._prepared, self._first = len(rates), self._solver.iter

    def _launch(self) -> None:
        solver, kernels = self._solver, self._solver.net.kernels
        solver.net.clear_param_diffs()
        for _ in range(solver.param.iter_size):
            solver.net.launch_forward(self._loss.device())
            solver.net.launch_backward()
        solver.average_gradients()
        kernels.begin_update(
            self._count.device(),
            self._loss.device(),
            self._losses.device(),
            self._guard.device(),
            self._rates.device(),
            self._rate.device(),
            1 / solver.param.iter_size,
        )
        solver.launch_update(self._rate.device(), self._guard.device())

    def losses(self) -> tuple[int, list[float]]:
        """The number of the first iteration since the last call, and the losses from there on;
        waits for the GPU. The next iteration takes its rates anew."""
        noted, self._noted, self._prepared = self._noted, 0, 0
        if noted == 0:
            return self._first, []
        losses = self._losses.host()[:noted].tolist()
        if not np.isfinite(losses).all():
            self._guard.host()[0] = 0
        return self._first, losses


class RecordedTest:
    """The passes of a test net over `count` batches, whose outputs are looked at in the end.

    outputs: names of the net's output blobs
    """

    def __init__(self, net: Net, count: int):
        self._net = net
        self._pass = RecordedPass(net, self._launch)
        self._outputs = [net.blobs[name] for name in net.outputs]
        width = sum(blob.count for blob in self._outputs) + 1
        self._table = SyncedArray((count, width))
        self._row, self._loss = SyncedArray((1,), np.int64), SyncedArray((1,))

    def begin(self) -> bool:
        """Begin anew. Returns False where the test cannot be recorded."""
        self._row.host()[0] = 0
        return self._net.can_be_recorded

    def run(self) -> None:
        """Launch a pass over the next batch."""
        self._net.settle_diffs()
        self._pass.run()

    def _launch(self) -> None:
        kernels, table, row = self._net.kernels, self._table.device(), self._row.device()
        loss = self._loss.device()
        kernels.fill(0.0, loss)
        self._net.launch_forward(loss)
        kernels.collect(loss, 0, row, table)
        column = 1
        for blob in self._outputs:
            kernels.collect(blob.device_data_as(-1), column, row, table)
            column += blob.count
        kernels.next_row(row)

    def results(self) -> tuple[np.ndarray, np.ndarray]:
        """The loss of each batch, and a row of its output values; waits for the GPU."""
        table = self._table.host().astype(np.float64)
        return table[:, 0], table[:, 1:]
