"""Helpers for tests of what the GPU runs by itself: the same solver there and on the CPU."""

from typing import Any

import numpy as np
from solver_testing import DATA_NET, FIXED, parameters, solver_param

from caffe.kernels import twins
from caffe.solver import get_solver

RESIDENT = DATA_NET.replace("mirror: true crop_size: 5", "crop_size: 0").replace(
    "crop_size: 5", "crop_size: 0"
)
CONVOLUTION = """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
"""
CONVOLUTIONAL = RESIDENT.replace(
    'layer { name: "ip1" type: "InnerProduct" bottom: "data"',
    CONVOLUTION + 'layer { name: "ip1" type: "InnerProduct" bottom: "pool"',
)
TRAINING = FIXED + 'momentum: 0.9 weight_decay: 0.01 lr_policy: "inv" gamma: 0.1 power: 0.75 '


def two_solvers(folder: Any, text: str = "", net: str = CONVOLUTIONAL) -> tuple:
    """One that trains on the GPU, one on the CPU."""
    param = solver_param(TRAINING + text, net.replace("FOLDER", str(folder)))
    on_gpu = get_solver(param)
    twins.use_cpu()
    try:
        on_cpu = get_solver(param)
    finally:
        twins.use_gpu()
    assert on_gpu.net.on_device
    assert not on_cpu.net.on_device
    return on_gpu, on_cpu


def assert_alike(on_gpu: Any, on_cpu: Any) -> None:
    """Equal losses and parameters."""
    np.testing.assert_allclose(on_gpu.loss, on_cpu.loss, rtol=1e-4)
    for ours, wanted in zip(parameters(on_gpu), parameters(on_cpu), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


def is_recorded(solver: Any) -> bool:
    return solver._recorded._pass._recording is not None
