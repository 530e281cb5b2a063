"""What a net puts out, as the log shows it."""

import numpy as np

from ..net.net import Net


class Outputs:
    """The values of a net's output blobs, one after the other, each with its name and loss weight.

    names: for each value the name of its blob.
    """

    def __init__(self, net: Net):
        self._blobs = [net.blobs[name] for name in net.outputs]
        weights = net.blob_loss_weights
        self.names = [name for name in net.outputs for _ in range(net.blobs[name].count)]
        self._weights = [weights[name] for name in self.names]

    def values(self) -> np.ndarray:
        """A copy of all values, flat, in float64: fit to be summed over many passes."""
        if not self._blobs:
            return np.zeros(0)
        return np.concatenate([blob.data.reshape(-1) for blob in self._blobs], dtype=np.float64)

    def lines(self, values: np.ndarray) -> list[str]:
        """For each value "NAME = VALUE", and its share in the loss where it has one."""
        lines = []
        for name, weight, value in zip(self.names, self._weights, values, strict=True):
            note = f" (* {weight:g} = {weight * value:g} loss)" if weight else ""
            lines.append(f"{name} = {value:g}{note}")
        return lines
