"""Solver: the training loop, as Caffe runs it."""

import abc
import enum
import math
import os
import time
from collections.abc import Callable
from typing import Any, ClassVar

from ..errors import CaffeError
from ..glog import logger
from ..io import rng
from ..layers.blob import Blob
from ..proto import caffe_pb2
from ..proto.prototxt import format_message
from . import snapshot
from .finite import first_not_finite_parameter
from .learning_rate import LearningRate
from .losses import Losses
from .nets import make_test_nets, make_train_net
from .outputs import Outputs
from .param import check_counts, check_max_iter, solver_param, whole_count
from .place import note_place, return_to_place
from .recorded import RecordedTraining
from .test_passes import TestPasses


class SolverAction(enum.Enum):
    """What may be asked of a running solver between two iterations."""

    NONE = 0
    STOP = 1
    SNAPSHOT = 2


class Solver(abc.ABC):
    """Trains a net as a solver prototxt says. A subclass for each update rule (see sgd.py).

    Solver(solver): the path of a solver prototxt, or a SolverParameter.

    Attributes, as in pycaffe
        param: the SolverParameter
        net, test_nets: the net to train and the nets to test on, which use its weights
        iter: how many times the weights have been updated
    and
        history: the blobs that the update rule remembers
        action_function: called between iterations; says what is asked of the solver

    Raises CaffeError for what does not fit in the prototxt, the nets or their data.
    """

    type: ClassVar[str]

    def __init__(self, solver: Any):
        self.param = param = solver_param(solver)
        logger.info("Initializing solver from parameters: \n%s", format_message(param).rstrip())
        check_counts(param)
        snapshot.check_format(param)
        if param.snapshot:
            snapshot.prepare(param)
        self._learning_rate = LearningRate(param)
        if param.random_seed >= 0:
            rng.set_random_seed(param.random_seed)
        self.net = make_train_net(param)
        self.test_nets = make_test_nets(param)
        self._nets = [self.net, *self.test_nets]
        self.iter = 0
        self._snapshot_iter = 0  # what the last snapshot holds; there is nothing to keep at 0
        self.history: list[Blob] = []
        self.action_function: Callable[[], SolverAction] = lambda: SolverAction.NONE
        self._recorded = RecordedTraining(self) if self.net.on_device else None
        self._test_passes: dict[int, TestPasses] = {}
        self._callbacks: list[tuple[Callable[[], Any], Callable[[], Any]]] = []
        self._stop_requested = False
        self._losses = Losses(self.net, param.average_loss)
        self._outputs = Outputs(self.net)
        self._place_before_tests: Any = None
        logger.info("Solver scaffolding done.")

    def add_callback(
        self, on_start: Callable[[], Any], on_gradients_ready: Callable[[], Any]
    ) -> None:
        """Call `on_start` before each iteration and `on_gradients_ready` before each update."""
        self._callbacks.append((on_start, on_gradients_ready))

    def solve(self, resume_file: str | os.PathLike[str] | None = None) -> None:
        """Train up to max_iter, from a solverstate if one is given, with a snapshot at the end.

        Raises CaffeError where max_iter is missing, a snapshot can't be written, or as `step` does.
        """
        param = self.param
        logger.info("Solving %s", self.net.name)
        logger.info("Learning Rate Policy: %s", param.lr_policy)
        check_max_iter(param)
        if param.snapshot_after_train:
            snapshot.prepare(param)
        self._stop_requested = False
        if resume_file:
            logger.info("Restoring previous solver status from %s", resume_file)
            self.restore(resume_file)
        self.step(max(param.max_iter - self.iter, 0))
        written = _is_due(param.snapshot, self.iter) and self._snapshot_iter == self.iter
        if param.snapshot_after_train and not written:
            self.snapshot()
        if self._stop_requested:
            logger.info("Optimization stopped early.")
            return
        if _is_due(param.display, self.iter):
            self._losses.record(self.iter, self.net.forward_loss())
            logger.info("Iteration %d, loss = %g", self.iter, self._losses.smoothed)
        if _is_due(param.test_interval, self.iter):
            self.test_all()
        logger.info("Optimization Done.")

    def step(self, iterations: int) -> None:
        """Train for a number of iterations, testing, logging and snapshotting where it is due.

        The loss that is displayed is averaged over the last average_loss iterations, those of
        earlier calls too (Caffe begins anew with each call).

        Raises CaffeError where `iterations` is no whole number or negative, or where the loss is
        not finite; the weights are then those before the iteration, and no snapshot is written.
        """
        param, iterations = self.param, whole_count(iterations)
        started, displayed = time.monotonic(), self.iter
        stop_iter = self.iter + iterations
        while self.iter < stop_iter:
            if _is_due(param.test_interval, self.iter) and (
                self.iter > 0 or param.test_initialization
            ):
                self.test_all()
                if self._stop_requested:
                    break
            for on_start, _ in self._callbacks:
                on_start()
            display = _is_due(param.display, self.iter)
            self.net.debug_info = display and param.debug_info
            recorded = self._iterate_recorded(stop_iter - self.iter)
            if not recorded:
                self._forward_backward()
            if display:
                self.look()
                now = time.monotonic()
                self._log_progress(self.iter - displayed, now - started)
                started, displayed = now, self.iter
            for _, on_gradients_ready in self._callbacks:
                on_gradients_ready()
            if recorded:
                self._rate()
                self.iter += 1
            else:
                self.apply_update()
            action = self.action_function()
            if _is_due(param.snapshot, self.iter) or action is SolverAction.SNAPSHOT:
                self.snapshot()
            if action is SolverAction.STOP:
                self._stop_requested = True
                break
        self.look()

    def _forward_backward(self) -> None:
        self.look()
        self.net.clear_param_diffs()
        loss = sum(self.net.forward_backward() for _ in range(self.param.iter_size))
        self._losses.record(self.iter, loss / self.param.iter_size)

    def _iterate_recorded(self, left: int) -> bool:
        """Have the GPU run a whole iteration, update included, of `left` that are still to come,
        and do not wait for it. False where that cannot be, as with callbacks before the update."""
        return self._recorded is not None and not self._callbacks and self._recorded.iterate(left)

    def look(self) -> None:
        """Take up the losses of the iterations that the GPU has run by itself.

        Raises CaffeError where one is not finite or a pass found something wrong in its data;
        `iter` and the weights are then those before that iteration.
        """
        first, losses = self._recorded.losses() if self._recorded is not None else (0, [])
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                self.iter = first + index
                self.net.rewind((len(losses) - index) * self.param.iter_size)
                self._losses.record(self.iter, self.net.forward_loss())  # may say more
            self._losses.record(first + index, loss)

    @property
    def loss(self) -> float:
        """Of the last iteration."""
        return self._losses.last

    @property
    def smoothed_loss(self) -> float:
        """The mean loss of the last `average_loss` iterations."""
        return self._losses.smoothed

    def rates_ahead(self, count: int) -> list[float]:
        """The learning rates of the next iterations, at most so many."""
        return self._learning_rate.ahead(self.iter, count)

    def _log_progress(self, iterations: int, seconds: float) -> None:
        logger.info(
            "Iteration %d (%g iter/s, %gs/%d iters), loss = %g",
            self.iter,
            iterations / (seconds or 1),
            seconds,
            self.param.display,
            self._losses.smoothed,
        )
        for index, line in enumerate(self._outputs.lines(self._outputs.values())):
            logger.info("    Train net output #%d: %s", index, line)

    def test_all(self) -> None:
        """Run every test net, logging its mean outputs."""
        # A snapshot asked for meanwhile is one of the place where these tests begin.
        self._place_before_tests = note_place(self._nets)
        for index in range(len(self.test_nets)):
            if not self._stop_requested:
                self.test(index)
        if not self._stop_requested:
            self._place_before_tests = None

    def test(self, index: int = 0) -> None:
        """Run one test net for its test_iter batches, logging the mean of each output."""
        net, count = self.test_nets[index], self.param.test_iter[index]
        logger.info("Iteration %d, Testing net (#%d)", self.iter, index)
        net.share_with(self.net)
        passes = self._test_passes.setdefault(index, TestPasses(net, count))
        results = passes.run(self._stopped_while_testing)
        if results is None:
            logger.info("Test interrupted.")
            return
        loss, scores = results
        if self.param.test_compute_loss:
            logger.info("Test loss: %g", loss / count)
        for i, line in enumerate(passes.outputs.lines(scores / count)):
            logger.info("    Test net output #%d: %s", i, line)

    def _stopped_while_testing(self) -> bool:
        while (action := self.action_function()) is not SolverAction.NONE:
            if action is SolverAction.SNAPSHOT:
                self.snapshot()
            else:
                self._stop_requested = True
        return self._stop_requested

    @abc.abstractmethod
    def apply_update(self) -> None:
        """Update the weights once from the gradients in the net, and count the iteration."""

    def _rate(self) -> float:
        """The learning rate of this iteration, logged where it is time to display."""
        rate = self._learning_rate(self.iter)
        if _is_due(self.param.display, self.iter):
            logger.info("Iteration %d, lr = %g", self.iter, rate)
        return rate

    def snapshot(self) -> None:
        """Write PREFIX_iter_N.caffemodel and PREFIX_iter_N.solverstate.

        Raises CaffeError where a weight is not finite, there is no snapshot_prefix or a file can't
        be written; the snapshots written before stay as they are.
        """
        snapshot.check_prefix(self.param)
        self.look()
        found = first_not_finite_parameter(self.net)
        if found:
            raise CaffeError(
                f"Iteration {self.iter}: no snapshot is written, since there is a NaN or an "
                f"infinity in {found}. Earlier snapshots stay as they are; lower base_lr"
            )
        state = caffe_pb2.SolverState()
        state.CopyFrom(self._place_before_tests or note_place(self._nets))
        state.iter = self.iter
        state.current_step = self._learning_rate.current_step
        state.recent_loss.extend(self._losses.recent)
        snapshot.write_history(self.history, state)
        snapshot.write_snapshot(self.net, state, self.param)
        self._snapshot_iter = self.iter

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Go on from a .solverstate, ours (exactly as if never stopped) or Caffe's (from the first
        record).

        Raises CaffeError where it or its weights cannot be read or do not fit this net and solver.
        """
        state = snapshot.read_state(os.fspath(path))
        snapshot.check_history(self.history, state, os.fspath(path))
        if state.learned_net:
            self.net.copy_from(state.learned_net)
        self.iter = self._snapshot_iter = state.iter
        self._learning_rate.current_step = state.current_step
        logger.info("%sSolver: restoring history", self.type)
        snapshot.read_history(self.history, state)
        self._losses.recent.clear()
        self._losses.recent.extend(state.recent_loss)
        self._place_before_tests = None
        return_to_place(self._nets, state)


def _is_due(interval: int, iteration: int) -> bool:
    return bool(interval) and iteration % interval == 0
