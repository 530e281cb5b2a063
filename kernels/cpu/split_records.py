"""Images and labels out of the records of a batch, where all records have one layout.

    images[n] = records[n, image_at : image_at + size]        labels[n] = records[n, label_at]

and everything else in a record must be as in `pattern`. One pass, in place of a copy and a
comparison of each part by NumPy; one thread, a data layer's own, which holds no lock meanwhile.
"""

import numpy as np

from .jit import jit


@jit
def split_records(
    records: np.ndarray,
    pattern: np.ndarray,
    image_at: int,
    label_at: int,
    images: np.ndarray,
    labels: np.ndarray,
) -> bool:
    """Fill `images` and `labels`. Returns whether all records are alike: labels below 128, a
    varint of one byte, and the rest as in `pattern`; if not, what was filled in is worthless.

    records: (N, length) uint8; pattern: (length,) uint8; images: (N, size) uint8
    labels: (N,) float32; image_at, label_at: where in a record its image and its label stand
    """
    size = images.shape[1]
    alike = True
    for n in range(records.shape[0]):
        record, image = records[n], images[n]
        source = record[image_at : image_at + size]
        for i in range(size):
            image[i] = source[i]
        labels[n] = record[label_at]
        alike &= record[label_at] < 128
        for i in range(image_at):
            alike &= i == label_at or record[i] == pattern[i]
        for i in range(image_at + size, record.size):
            alike &= i == label_at or record[i] == pattern[i]
    return alike
