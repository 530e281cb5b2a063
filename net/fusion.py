"""Which neighbouring layers a net runs as one.

This is the place where such pairs are declared. What each computes stays as it was: every blob that
somebody reads is right, whether or not its layers ran as one.
"""

from collections import Counter

from ..layers.convolution import Convolution
from ..layers.convolution_max_pooling import ConvolutionMaxPooling
from ..layers.pooling import Pooling
from .wiring import Wiring


def find_pairs(wiring: Wiring) -> dict[int, ConvolutionMaxPooling]:
    """The index of a pair's first layer -> the pair."""
    readers = Counter(blob for ids in wiring.bottom_ids for blob in ids)
    pairs = {}
    for i, (first, second) in enumerate(zip(wiring.layers, wiring.layers[1:], strict=False)):
        middle = wiring.top_ids[i]
        alone = (
            len(wiring.bottom_ids[i]) == len(middle) == len(wiring.top_ids[i + 1]) == 1
            and wiring.bottom_ids[i + 1] == middle
            and readers[middle[0]] == 1
        )
        weights = wiring.loss_weights[i] + wiring.loss_weights[i + 1]
        if (
            alone
            and not any(weights)
            and isinstance(first, Convolution)
            and isinstance(second, Pooling)
            and ConvolutionMaxPooling.fits(first, second, wiring.blobs[middle[0]])
        ):
            pairs[i] = ConvolutionMaxPooling(first, second)
    return pairs
