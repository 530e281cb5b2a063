"""IDX files, the format of MNIST."""

import gzip
import re
import struct

import numpy as np
import pytest

from caffe.errors import CaffeError
from caffe.io.idx import read_images, read_labels

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([3, 9], np.uint8)
IMAGE_FILE = struct.pack(">4i", 2051, 2, 3, 4) + IMAGES.tobytes()
LABEL_FILE = struct.pack(">2i", 2049, 2) + LABELS.tobytes()


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_plain_and_compressed(tmp_path, compress):
    (tmp_path / "images").write_bytes(compress(IMAGE_FILE))
    (tmp_path / "labels").write_bytes(compress(LABEL_FILE))
    np.testing.assert_array_equal(read_images(tmp_path / "images"), IMAGES)
    np.testing.assert_array_equal(read_labels(tmp_path / "labels"), LABELS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LABEL_FILE, "Incorrect image file magic: 2049; an IDX file of images has 2051"),
        (b"", "Incorrect image file magic: 0"),
        (b"hello world", "Incorrect image file magic"),
        (IMAGE_FILE[:-1], "cut short or corrupt: it has 39 bytes where its header asks for 40"),
        (IMAGE_FILE + b"x", "cut short or corrupt: it has 41 bytes where its header asks for 40"),
        (IMAGE_FILE[:9], "cut short or corrupt: it has 9 bytes"),
        (gzip.compress(IMAGE_FILE)[:30], "cut short or corrupt: Compressed file ended"),
        (gzip.compress(IMAGE_FILE)[:-8] + b"\0" * 8, "cut short or corrupt: CRC check failed"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 20, "cut short or corrupt: Error -3"),
    ],
)
def test_unfit_files(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(CaffeError, match=f"^{path}: {re.escape(message)}"):
        read_images(path)


def test_missing_file(tmp_path):
    with pytest.raises(CaffeError, match="labels: no such file"):
        read_labels(tmp_path / "labels")
