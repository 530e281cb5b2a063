"""MNIST's IDX files to an LMDB of Datum, record for record what Caffe's converter writes."""

import os

from ..errors import CaffeError
from ..glog import logger
from ..proto.caffe_pb2 import Datum
from .idx import read_images, read_labels
from .lmdb_writer import LmdbWriter


def convert_mnist(
    images_path: str | os.PathLike[str], labels_path: str | os.PathLike[str], database: str
) -> int:
    """Write image i and its label as record i, its key i in eight digits. Returns how many.

    Raises CaffeError where the files are unfit or `database` exists or can't be written; then
    there is no new database.
    """
    images, labels = read_images(images_path), read_labels(labels_path)
    if len(images) != len(labels):
        raise CaffeError(
            f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels; "
            "give two files that belong together"
        )
    if images.size == 0:
        raise CaffeError(f"{images_path} holds no images")
    number, rows, columns = images.shape
    logger.info("A total of %d items.", number)
    logger.info("Rows: %d Cols: %d", rows, columns)
    datum = Datum(channels=1, height=rows, width=columns)
    with LmdbWriter(database) as writer:
        for index in range(number):
            datum.data = images[index].tobytes()
            datum.label = int(labels[index])
            writer.put(b"%08d" % index, datum.SerializeToString())
    logger.info("Processed %d files.", number)
    return number
