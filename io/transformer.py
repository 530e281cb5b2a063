"""Caffe's transform_param: what happens to an image between the database and the net."""

import functools
from typing import Any, NamedTuple

import numpy as np

from ..errors import CaffeError
from ..glog import logger
from ..kernels.cpu.transform import transform as transform_kernel
from ..proto.caffe_pb2 import TRAIN, BlobProto
from ..proto.files import read_binary
from .blob_proto import blobproto_to_array
from .datum import shape_text


class Places(NamedTuple):
    """For each of some images: whether it is mirrored, and where its crop begins."""

    mirror: np.ndarray  # (N,) bool
    top: np.ndarray  # (N,) int64
    left: np.ndarray  # (N,) int64


class Transformer:
    """Computes (image - mean) * scale, cropped and mirrored.

    param: a TransformationParameter
        crop_size: the height and width cut out, at a random place in phase TRAIN, else the centre
        mirror: reverse the columns of every second image, by chance (in both phases, as Caffe)
        mean_value: one for all channels, or one each
        mean_file: a BlobProto of an image's shape

    Attributes
        random: whether chance decides what is taken of an image
        mean: (C, H, W), (C, 1, 1) or (1, 1, 1) float32
        scale: what the difference is multiplied by
    """

    def __init__(self, param: Any, phase: int):
        """Read the mean. Raises CaffeError where parameters contradict each other, or for a mean
        file that is missing or no BlobProto."""
        self._mean_file: str = param.mean_file
        self.scale: float = param.scale
        self.crop_size: int = param.crop_size
        self._mirror: bool = param.mirror
        self._random_crop = phase == TRAIN and self.crop_size > 0
        self.random = self._mirror or self._random_crop
        if param.force_color and param.force_gray:
            raise CaffeError("transform_param: set force_color or force_gray, not both")
        if param.force_color or param.force_gray:
            logger.error("force_color and force_gray only for encoded datum")
        if param.HasField("mean_file") and param.mean_value:
            raise CaffeError("transform_param: set mean_file or mean_value, not both")
        self.mean = np.zeros((1, 1, 1), np.float32)
        if param.HasField("mean_file"):
            logger.info("Loading mean file from: %s", param.mean_file)
            self.mean = _read_mean(param.mean_file)
        elif param.mean_value:
            self.mean = np.array(param.mean_value, np.float32).reshape(-1, 1, 1)

    def output_shape(self, shape: tuple[int, ...], name: object) -> tuple[int, ...]:
        """What an image of `shape` becomes. str(name) names the image in messages.

        Raises CaffeError for an image that is smaller than the crop or does not fit the mean.
        """
        channels, height, width = shape
        crop = self.crop_size
        if crop > min(height, width):
            raise CaffeError(f"crop_size {crop} is larger than {name}, which is {height}x{width}")
        if self._mean_file and self.mean.shape != shape:
            raise CaffeError(
                f"the mean in {self._mean_file} is {shape_text(self.mean.shape)}, but "
                f"{name} is {shape_text(shape)}; compute the mean from the same data"
            )
        if self.mean.shape[0] not in (1, channels):
            raise CaffeError(
                f"give one mean_value or as many as {name} has channels, {channels}; "
                f"transform_param has {self.mean.shape[0]}"
            )
        return (channels, crop, crop) if crop else shape

    def places(
        self, number: int, shape: tuple[int, ...], generator: np.random.Generator | None
    ) -> Places:
        """What is taken of each of so many images of one shape.

        generator: decides where `random`, else None.
        """
        _, height, width = shape
        crop = self.crop_size
        mirror, top, left = places = _central(
            number, height - (crop or height), width - (crop or width)
        )
        if generator is None:
            return places
        if self._random_crop:
            top = generator.integers(0, height - crop + 1, number)
            left = generator.integers(0, width - crop + 1, number)
        if self._mirror:
            mirror = generator.integers(0, 2, number) == 1
        return Places(mirror, top, left)

    def transform(self, images: np.ndarray, places: Places, out: np.ndarray) -> None:
        """Fill out (N, *output_shape) float32 from images (N, C, H, W) uint8 or float32."""
        transform_kernel(images, self.mean, self.scale, *places, out)


@functools.lru_cache(maxsize=64)
def _central(number: int, rows: int, columns: int) -> Places:
    """Nothing mirrored, and of so many rows and columns that are left out half on either side."""
    mirror = np.zeros(number, np.bool_)
    return Places(mirror, np.full(number, rows // 2), np.full(number, columns // 2))


def _read_mean(path: str) -> np.ndarray:
    try:
        mean = blobproto_to_array(read_binary(path, BlobProto()))
    except CaffeError as error:
        raise CaffeError(f"mean_file: {error}") from error
    if mean.ndim == 4 and mean.shape[0] == 1:
        mean = mean[0]
    if mean.ndim != 3:
        raise CaffeError(f"mean_file: {path} holds an array of shape {mean.shape}, not an image's")
    return np.ascontiguousarray(mean, np.float32)
