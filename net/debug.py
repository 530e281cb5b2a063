"""The lines of `debug_info: true`: mean absolute values of every blob as it is computed."""

import math

import numpy as np

from ..glog import logger
from ..kernels import cpu
from .parameters import Parameters
from .wiring import Wiring


def _mean_abs(values: np.ndarray) -> float:
    return cpu.asum(values.reshape(-1)) / values.size if values.size else 0.0


def log_forward(wiring: Wiring, layer_id: int) -> None:
    """After a layer's forward: its tops and its parameters."""
    layer = wiring.layers[layer_id]
    for blob_id in wiring.top_ids[layer_id]:
        logger.info(
            "    [Forward] Layer %s, top blob %s data: %g",
            layer.name, wiring.blob_names[blob_id], _mean_abs(wiring.blobs[blob_id].data),
        )  # fmt: skip
    names = [spec.name for spec in layer.param.param]
    for index, blob in enumerate(layer.blobs):
        name = (names[index] if index < len(names) else "") or index
        logger.info(
            "    [Forward] Layer %s, param blob %s data: %g", layer.name, name, _mean_abs(blob.data)
        )


def log_backward(wiring: Wiring, layer_id: int) -> None:
    """After a layer's backward: the diffs that it computed."""
    layer = wiring.layers[layer_id]
    needs = zip(wiring.bottom_ids[layer_id], wiring.bottom_need_backward[layer_id], strict=True)
    for blob_id, needed in needs:
        if needed:
            logger.info(
                "    [Backward] Layer %s, bottom blob %s diff: %g",
                layer.name, wiring.blob_names[blob_id], _mean_abs(wiring.blobs[blob_id].diff),
            )  # fmt: skip
    for index, blob in enumerate(layer.blobs):
        if layer.param_propagate_down[index]:
            logger.info(
                "    [Backward] Layer %s, param blob %d diff: %g",
                layer.name, index, _mean_abs(blob.diff),
            )  # fmt: skip


def log_norms(parameters: Parameters) -> None:
    """After a whole backward pass: L1 and L2 norms of all parameters and their gradients."""
    l1, l2 = [], []
    for arrays in ([b.data for b in parameters.learnable], [b.diff for b in parameters.learnable]):
        l1.append(sum(cpu.asum(array.reshape(-1)) for array in arrays))
        l2.append(math.sqrt(sum(cpu.sum_of_squares(array.reshape(-1)) for array in arrays)))
    logger.info(
        "    [Backward] All net params (data, diff): L1 norm = (%g, %g); L2 norm = (%g, %g)",
        l1[0], l1[1], l2[0], l2[1],
    )  # fmt: skip
