"""What `caffe time` logs: how long each layer takes, and what share of the peak that is."""

import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from caffe.glog import logger
from caffe.kernels.cpu.roofline import multiply_add_peak
from caffe.net.net import Net
from caffe.tools.devices import gpu_peak


def time_net(net: Net, iterations: int) -> None:
    """Run a net so many times and log, in Caffe's words, the mean time of each layer's forward and
    backward, then the rates of those that multiply and of whole passes."""
    logger.info("Performing Forward")
    logger.info("Initial loss: %g", net.forward_loss())
    logger.info("Performing Backward")
    net.backward_from_to(len(net.layers) - 1, 0)
    # Before any layer runs alone: from then on the net writes gradients that it had left out.
    whole = _time_passes(net, iterations)
    forward, backward = _time_layers(net, iterations)
    _log_rates(net, forward, backward, whole)


def _time_passes(net: Net, iterations: int) -> tuple[float, float]:
    """The mean milliseconds of a whole forward pass and of a whole backward pass."""
    last, forward, backward = len(net.layers) - 1, 0.0, 0.0
    for _ in range(iterations):
        forward += _milliseconds(net, net.forward_from_to, 0, last)
        backward += _milliseconds(net, net.backward_from_to, last, 0)
    return forward / iterations, backward / iterations


def _time_layers(net: Net, iterations: int) -> tuple[list[float], list[float]]:
    """The mean milliseconds of each layer's forward and backward, logged as Caffe does."""
    _time_each(net)  # not counted: kernels of layers that else run as one may compile now
    logger.info("*** Benchmark begins ***")
    logger.info("Testing for %d iterations.", iterations)
    sums = np.zeros((2, len(net.layers)))
    started = time.perf_counter()
    for iteration in range(iterations):
        iteration_started = time.perf_counter()
        sums += _time_each(net)
        spent = (time.perf_counter() - iteration_started) * 1e3
        logger.info("Iteration: %d forward-backward time: %g ms.", iteration + 1, spent)
    total = (time.perf_counter() - started) * 1e3
    forward, backward = (sums / iterations).tolist()
    logger.info("Average time per layer: ")
    for i, layer in enumerate(net.layers):
        logger.info("%10s\tforward: %g ms.", layer.name, forward[i])
        logger.info("%10s\tbackward: %g ms.", layer.name, backward[i])
    logger.info("Average Forward pass: %g ms.", sum(forward))
    logger.info("Average Backward pass: %g ms.", sum(backward))
    logger.info("Average Forward-Backward: %g ms.", total / iterations)
    logger.info("Total Time: %g ms.", total)
    logger.info("*** Benchmark ends ***")
    return forward, backward


def _time_each(net: Net) -> list[list[float]]:
    """The milliseconds of each layer's forward and of each layer's backward, run one by one."""
    layers = range(len(net.layers))
    forward = [_milliseconds(net, net.forward_from_to, i, i) for i in layers]
    backward = [_milliseconds(net, net.backward_from_to, i, i) for i in reversed(layers)]
    return [forward, backward[::-1]]


def _milliseconds(net: Net, propagate: Callable[[int, int], Any], start: int, end: int) -> float:
    started = time.perf_counter()
    propagate(start, end)
    net.synchronize()
    return (time.perf_counter() - started) * 1e3


def _log_rates(
    net: Net, forward: list[float], backward: list[float], whole: tuple[float, float]
) -> None:
    peak = gpu_peak() if net.on_device else _cpu_peak()
    logger.info("Operations are the definition's; where a kernel needs fewer, it may pass the peak")
    counts = [net.operations(i) for i in range(len(net.layers))]
    for layer, (ahead, back), *spent in zip(net.layers, counts, forward, backward, strict=True):
        if ahead:
            logger.info("%10s  forward: %s", layer.name, _rate(ahead, spent[0], peak))
        if back:
            logger.info("%10s  backward: %s", layer.name, _rate(back, spent[1], peak))
    ahead, back = (sum(each) for each in zip(*counts, strict=True))
    logger.info("As in training, a whole pass at a time (some layers then run as one):")
    for name, operations, milliseconds in (
        ("forward", ahead, whole[0]),
        ("backward", back, whole[1]),
        ("forward-backward", ahead + back, sum(whole)),
    ):
        rate = f", {_rate(operations, milliseconds, peak)}" if operations else ""
        logger.info("%10s  %s: %g ms%s", "", name, milliseconds, rate)


def _cpu_peak() -> float:
    threads = numba.get_num_threads()
    peak = multiply_add_peak(threads)
    logger.info("Multiply-add peak, measured on %d thread(s): %.1f GFLOP/s", threads, peak)
    return peak


def _rate(operations: int, milliseconds: float, peak: float) -> str:
    """Operations are those of the layers' definitions, whether or not all are carried out: a net
    passes over zeros behind a max pooling, and a convolution may take fewer multiplications. So
    more than the peak can be reached."""
    reached = 1e-6 * operations / milliseconds
    share = 100 * reached / peak
    return f"{1e-6 * operations:.1f} MFLOP, {reached:.1f} GFLOP/s, {share:.0f} % of peak"
