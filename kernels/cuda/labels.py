"""What the kernels that read labels share."""

import math
from typing import Any

import numpy as np

from .launch import device

NO_BAD = np.iinfo(np.int32).max  # the index of the first bad label where all are good


@device
def is_class(label: Any, channels: Any) -> Any:
    """Whether a label is a whole number in 0..channels-1."""
    return np.float32(0) <= label < np.float32(channels) and label == math.floor(label)
