"""Images and labels out of records of one layout."""

import numpy as np


def split_records(
    records: np.ndarray,
    pattern: np.ndarray,
    image_at: int,
    label_at: int,
    images: np.ndarray,
    labels: np.ndarray,
) -> bool:
    """images[n] = records[n, image_at:...], labels[n] = records[n, label_at], a byte below 128.

    Whether this is so of all records, and the rest of each equals that of `pattern`.
    """
    image = slice(image_at, image_at + images.shape[1])
    images[...] = records[:, image]
    labels[...] = records[:, label_at]
    rest = np.ones(len(pattern), np.bool_)
    rest[image] = rest[label_at] = False
    return bool((records[:, rest] == pattern[rest]).all() and (labels < 128).all())
