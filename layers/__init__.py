"""Floor 3: blobs, fillers and the layers, one file each. Importing a layer's file registers it."""

from . import (  # noqa: F401
    accuracy,
    convolution,
    data,
    dummy_data,
    im2col,
    inner_product,
    input,
    memory_data,
    pooling,
    relu,
    silence,
    softmax,
    softmax_loss,
    split,
    tanh,
)
