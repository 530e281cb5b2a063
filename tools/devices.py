"""Which device a command computes on, and what `device_query` shows."""

from typing import Any

import caffe
from caffe.errors import CaffeError
from caffe.glog import logger
from caffe.kernels import twins
from caffe.proto import caffe_pb2

_PROPERTIES = (  # Caffe's words, and the name of the attribute
    ("Total shared memory per block", "MAX_SHARED_MEMORY_PER_BLOCK"),
    ("Total registers per block", "MAX_REGISTERS_PER_BLOCK"),
    ("Warp size", "WARP_SIZE"),
    ("Maximum memory pitch", "MAX_PITCH"),
    ("Maximum threads per block", "MAX_THREADS_PER_BLOCK"),
    ("Maximum dimension of block", ("MAX_BLOCK_DIM_X", "MAX_BLOCK_DIM_Y", "MAX_BLOCK_DIM_Z")),
    ("Maximum dimension of grid", ("MAX_GRID_DIM_X", "MAX_GRID_DIM_Y", "MAX_GRID_DIM_Z")),
    ("Clock rate", "CLOCK_RATE"),
    ("Total constant memory", "TOTAL_CONSTANT_MEMORY"),
    ("Texture alignment", "TEXTURE_ALIGNMENT"),
    ("Concurrent copy and execution", "GPU_OVERLAP"),
    ("Number of multiprocessors", "MULTIPROCESSOR_COUNT"),
    ("Kernel execution timeout", "KERNEL_EXEC_TIMEOUT"),
)
_FLAGS = ("GPU_OVERLAP", "KERNEL_EXEC_TIMEOUT")


def choose_device(gpu: str, solver: Any = None) -> None:
    """Compute on the GPU that --gpu names, or that the solver's prototxt does, else on the CPU.

    gpu: the flag: a number, "all" or "". A solver that asks for a GPU where there is none trains on
    the CPU, after a warning.
    Raises CaffeError where the flag names a GPU that cannot be used.
    """
    device_id = _device_id(gpu) if gpu else None
    if device_id is None and solver is not None and _wants_gpu(solver):
        why = twins.why_no_gpu()
        if why:
            logger.warning("solver_mode: GPU, but %s. Training on the CPU", why)
        else:
            device_id = solver.device_id
    if device_id is None:
        logger.info("Use CPU.")
        caffe.set_mode_cpu()
        return
    caffe.set_device(device_id)
    caffe.set_mode_gpu()
    logger.info("Use GPU with device ID %d", device_id)
    logger.info("GPU device name: %s", getattr(_device(device_id), "name", "Numba's simulator"))


def _wants_gpu(solver: Any) -> bool:
    return solver.HasField("solver_mode") and solver.solver_mode == caffe_pb2.SolverParameter.GPU


def _device_id(gpu: str) -> int:
    why = twins.why_no_gpu()
    if why:
        raise CaffeError(f"--gpu={gpu}: {why}")
    if gpu == "all":
        if _count() > 1:
            logger.warning("Training on several GPUs is not supported yet: using GPU 0 alone")
        return 0
    if not gpu.isdigit():
        several = "training on several GPUs is not supported yet; " if "," in gpu else ""
        raise CaffeError(f"--gpu={gpu}: {several}give the number of one GPU, as in --gpu=0")
    return int(gpu)


def query_devices(gpu: str) -> None:
    """Log the properties of the GPUs that --gpu names, all unless it is given."""
    why = twins.why_no_gpu()
    if why:
        logger.info("No CUDA device: %s", why)
        return
    ids = list(range(_count())) if gpu in ("", "all") else [_device_id(gpu)]
    logger.info("Querying GPUs %s", ",".join(map(str, ids)))
    for device_id in ids:
        caffe.set_device(device_id)
        for name, value in _properties(_device(device_id), device_id):
            logger.info("%-31s%s", f"{name}:", value)


def gpu_peak() -> float:
    """The GFLOP/s that the GPU's multiply-adds reach at most, logged; those of the simulator are
    taken to be 1."""
    peak = 1.0
    if not twins.is_simulated():
        from caffe.kernels.cuda.roofline import multiply_add_peak

        peak = multiply_add_peak()
    logger.info("Multiply-add peak, at the GPU's highest clock: %.1f GFLOP/s", peak)
    return peak


def _properties(device: Any, device_id: int) -> list[tuple[str, Any]]:
    from numba import cuda

    major, minor = device.compute_capability
    values = [
        ("Device id", device_id),
        ("Major revision number", major),
        ("Minor revision number", minor),
        ("Name", getattr(device, "name", "Numba's simulator")),
        ("Total global memory", cuda.current_context().get_memory_info().total),
    ]
    if twins.is_simulated():
        return values
    for name, attribute in _PROPERTIES:
        if isinstance(attribute, tuple):
            values.append((name, ", ".join(str(getattr(device, part)) for part in attribute)))
        elif attribute in _FLAGS:
            values.append((name, "Yes" if getattr(device, attribute) else "No"))
        else:
            values.append((name, getattr(device, attribute)))
    return values


def _count() -> int:
    from numba import cuda

    return len(cuda.gpus)


def _device(device_id: int) -> Any:
    from numba import cuda

    return cuda.gpus[device_id].device if twins.is_simulated() else cuda.gpus[device_id]
