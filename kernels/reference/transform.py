"""Mean, crop, scale and mirror, image by image."""

import numpy as np


def transform(
    images: np.ndarray,
    mean: np.ndarray,
    scale: float,
    mirror: np.ndarray,
    top_offset: np.ndarray,
    left_offset: np.ndarray,
    out: np.ndarray,
) -> None:
    """out[n] = crop((images[n] - mean) * scale), its columns reversed where mirror[n]."""
    height, width = out.shape[2:]
    for n, image in enumerate(images):
        top, left = top_offset[n], left_offset[n]
        whole = (image.astype(np.float64) - mean) * scale
        crop = whole[:, top : top + height, left : left + width]
        out[n] = crop[:, :, ::-1] if mirror[n] else crop
