"""Our side of bench/lenet.py: Caffe's LeNet example, in a folder with its databases.

    python -m bench.lenet_caffe WHAT FOLDER

WHAT is record (write record.npz, which the PyTorch side is checked against), train, kernels, test
or operations; train, kernels and test are contestants (contest.py).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import ROOT, arguments, calls, serve
from caffe.io.idx import read_images, read_labels
from caffe.kernels import cpu
from caffe.layers.layer import TEST
from caffe.net.net import Net
from caffe.proto import caffe_pb2
from caffe.proto.upgrade import read_net_param, read_solver_param
from caffe.solver import get_solver

WARM_UP = 20  # more than a data layer prefetches, so that a round does not live on the pause before
TEST_BATCHES = 100


def lenet_solver(folder: Path, in_memory: bool = False) -> Any:
    """The example's solver without its tests and snapshots; in_memory: with an Input layer in
    place of the database."""
    param = read_solver_param(str(folder / "lenet_solver.prototxt"))
    param.ClearField("test_iter")
    param.test_interval = param.snapshot = 0
    param.solver_mode = caffe_pb2.SolverParameter.CPU
    net = read_net_param(param.net)
    param.ClearField("net")
    param.net_param.CopyFrom(net)
    if in_memory:
        batch = param.net_param.layer[0].data_param.batch_size
        layer = caffe_pb2.LayerParameter(name="input", type="Input", top=["data", "label"])
        for shape in ([batch, 1, 28, 28], [batch]):
            layer.input_param.shape.add(dim=shape)
        del param.net_param.layer[:2]
        param.net_param.layer.insert(0, layer)
    return get_solver(param)


def record(folder: Path) -> None:
    """Write record.npz: the first weights, the first batch, its loss and the weights after one
    iteration, and the loss and accuracy of the first weights on the test images. Beside it, MNIST
    as NumPy files, which PyTorch's side reads without our code."""
    for part in ("train", "t10k"):
        files = f"{ROOT}/data/mnist/{part}"
        np.save(folder / f"{part}_images.npy", read_images(f"{files}-images-idx3-ubyte.gz"))
        np.save(folder / f"{part}_labels.npy", read_labels(f"{files}-labels-idx1-ubyte.gz"))
    solver = lenet_solver(folder)
    net = solver.net
    found: dict[str, Any] = {}
    parameters = {f"{name}{i}": b for name, p in net.params.items() for i, b in enumerate(p)}
    for name, blob in parameters.items():
        found[f"before_{name}"] = blob.data.copy()
    test = _test_net(folder)
    test.share_with(net)
    outputs = np.array([_test_batch(test) for _ in range(TEST_BATCHES)])
    found["test_accuracy"], found["test_loss"] = outputs.mean(axis=0)
    solver.step(1)
    found["data"], found["label"] = net.blobs["data"].data, net.blobs["label"].data
    found["loss"] = solver.loss
    for name, blob in parameters.items():
        found[f"after_{name}"] = blob.data
    np.savez(folder / "record.npz", **found)


def _test_net(folder: Path) -> Net:
    return Net(str(folder / "lenet_train_test.prototxt"), TEST)


def _test_batch(net: Net) -> tuple[float, float]:
    net.forward_loss()
    return float(net.blobs["accuracy"].data), float(net.blobs["loss"].data)


class KernelClock:
    """Counts the seconds that are spent in kernels: each one of caffe.kernels.cpu is wrapped."""

    def __init__(self) -> None:
        self.seconds = 0.0
        for name in cpu.__all__:
            if callable(kernel := getattr(cpu, name)):
                setattr(cpu, name, self._timed(kernel))

    def _timed(self, kernel: Callable) -> Callable:
        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = kernel(*arguments)
            self.seconds += time.perf_counter() - started
            return result

        return timed


def operations(folder: Path) -> int:
    """The floating-point operations of one iteration's products, a multiply-add counted as two.

    A layer with weights multiplies once in forward, once for its weights' gradient and, but for the
    first of this chain of layers, once for its bottom's.
    """
    net = lenet_solver(folder).net
    total, products = 0, 2
    for layer in net.layers:
        if layer.blobs:
            weight, top = layer.blobs[0], net.blobs[net.top_names[layer.name][0]]
            total += products * 2 * top.count * weight.count // weight.shape[0]
            products = 3
    return total


def main() -> None:
    """Do what the command line says."""
    what, folder = arguments(2)
    path = Path(folder)
    if what == "record":
        record(path)
    elif what == "train":
        serve(lenet_solver(path).step, WARM_UP)
    elif what == "kernels":
        clock = KernelClock()
        solver = lenet_solver(path, in_memory=True)
        batch = np.load(path / "record.npz")
        for name in ("data", "label"):
            solver.net.blobs[name].data[...] = batch[name]
        serve(solver.step, WARM_UP, lambda: clock.seconds)
    elif what == "test":
        net = _test_net(path)
        serve(calls(lambda: _test_batch(net)), WARM_UP)
    elif what == "operations":
        print(operations(path))


if __name__ == "__main__":
    main()
