"""Makes the two databases of the LeNet tutorial from the MNIST files in data/mnist.

usage: python -m tools.create_mnist [--data=FOLDER] [--output=FOLDER]

  --data     the folder of MNIST's four files, compressed by gzip or plain (default: data/mnist)
  --output   the folder to write mnist_train_lmdb and mnist_test_lmdb to (default: examples/mnist)

The defaults are folders of the checkout, wherever the command is run. A database that is already
there is left alone.

example:
  python -m tools.create_mnist
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from caffe.errors import CaffeError
from caffe.glog import logger
from caffe.io.convert_mnist import convert_mnist
from caffe.io.idx import read_labels
from caffe.io.lmdb_reader import LmdbReader
from caffe.tools.command import run
from caffe.tools.flags import Flag, parse_flags

CHECKOUT = Path(__file__).resolve().parent.parent
FLAGS = (
    Flag("data", "", "the folder of MNIST's four files"),
    Flag("output", "", "the folder to write the databases to"),
    Flag("help", False, "show this help"),
)
DATABASES = {"mnist_train_lmdb": "train", "mnist_test_lmdb": "t10k"}


def _file(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise CaffeError(
        f"there is no {name}.gz in {folder}; run python -m tools.create_mnist in a checkout of "
        "the project, or say where MNIST's files are: --data=FOLDER"
    )


def _check_whole(database: Path, labels: Path) -> None:
    count, wanted = LmdbReader(str(database)).count, len(read_labels(labels))
    if count != wanted:
        raise CaffeError(
            f"{database} is already there, but holds {count} records, not {wanted}; remove it and "
            "start again"
        )
    logger.info("%s is already there, with %d records.", database, count)


def _run(arguments: Sequence[str]) -> None:
    flags, others = parse_flags(arguments, FLAGS)
    if flags["help"]:
        print(__doc__)
        return
    if others:
        raise CaffeError(f"unexpected argument '{others[0]}' (--help says more)")
    data = Path(flags["data"] or CHECKOUT / "data" / "mnist")
    output = Path(flags["output"] or CHECKOUT / "examples" / "mnist")
    files = [
        (_file(data, f"{part}-images-idx3-ubyte"), _file(data, f"{part}-labels-idx1-ubyte"))
        for part in DATABASES.values()
    ]
    output.mkdir(parents=True, exist_ok=True)
    for name, (images, labels) in zip(DATABASES, files, strict=True):
        database = output / name
        if database.exists():
            _check_whole(database, labels)
        else:
            logger.info("Creating %s...", database)
            convert_mnist(images, labels, str(database))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run(_run, argv)


if __name__ == "__main__":
    sys.exit(main())
