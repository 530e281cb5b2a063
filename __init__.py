"""Caffe, reborn in Python: every number computed by hand-written Numba kernels.

pycaffe's names with pycaffe's meanings:

    import caffe
    net = caffe.Net("lenet.prototxt", "lenet_iter_10000.caffemodel", caffe.TEST)
    solver = caffe.get_solver("examples/mnist/lenet_solver.prototxt")
"""

# ruff: noqa: E402
from . import glog

glog.install()  # first: what is imported below may have something to say

from . import io
from .errors import CaffeError
from .io.rng import set_random_seed
from .layers.layer import TEST, TRAIN, Layer
from .layers.registry import layer_type_list
from .mode import set_device, set_mode_cpu, set_mode_gpu
from .net import Net
from .proto import caffe_pb2
from .solver import SGDSolver, get_solver

__version__ = "0.1.0"

__all__ = [
    "TEST",
    "TRAIN",
    "CaffeError",
    "Layer",
    "Net",
    "SGDSolver",
    "caffe_pb2",
    "get_solver",
    "io",
    "layer_type_list",
    "set_device",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_random_seed",
]
