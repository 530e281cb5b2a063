"""Makes an LMDB of the MNIST images and labels that a Data layer reads.

usage: python -m tools.convert_mnist_data [--backend=lmdb] IMAGES LABELS DB

  IMAGES, LABELS   files in MNIST's IDX format, plain or compressed by gzip
  DB               the folder to write; it must not exist yet

example:
  python -m tools.convert_mnist_data data/mnist/t10k-images-idx3-ubyte.gz \\
      data/mnist/t10k-labels-idx1-ubyte.gz mnist_test_lmdb
"""

import sys
from collections.abc import Sequence

from caffe.errors import CaffeError
from caffe.io.convert_mnist import convert_mnist
from caffe.tools.command import run
from caffe.tools.flags import Flag, parse_flags

FLAGS = (
    Flag("backend", "lmdb", "the kind of database; lmdb is the only one"),
    Flag("help", False, "show this help"),
)


def _run(arguments: Sequence[str]) -> None:
    flags, paths = parse_flags(arguments, FLAGS)
    if flags["help"]:
        print(__doc__)
        return
    if flags["backend"] != "lmdb":
        raise CaffeError(f"--backend={flags['backend']} is not supported; use --backend=lmdb")
    if len(paths) != 3:
        raise CaffeError(f"give IMAGES, LABELS and DB, not {len(paths)} names (--help says more)")
    convert_mnist(*paths)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run(_run, argv)


if __name__ == "__main__":
    sys.exit(main())
