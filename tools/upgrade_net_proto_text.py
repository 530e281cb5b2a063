"""Brings the prototxt of a net, in the V0 or V1 format or with old fields, to today's format.

usage: python -m tools.upgrade_net_proto_text IN OUT

example:
  python -m tools.upgrade_net_proto_text old_train_test.prototxt train_test.prototxt

Comments are not kept. A file that is up to date is written as it was understood.
"""

import sys

from caffe.glog import logger
from caffe.io.files import write_atomically
from caffe.proto.caffe_pb2 import NetParameter
from caffe.proto.prototxt import format_message, read_prototxt
from caffe.proto.upgrade import net_needs_upgrade, upgrade_net
from caffe.tools.upgrading import run_upgrade


def upgrade(source: str, target: str) -> bool:
    """Read the net in `source` and write it to `target`; False where something was left out."""
    net = read_prototxt(source, NetParameter())
    success = True
    if net_needs_upgrade(net):
        success = upgrade_net(net, source)
        if not success:
            logger.error("Encountered error(s) while upgrading prototxt; see details above.")
    else:
        logger.error("File already in latest proto format: %s", source)
    write_atomically(target, format_message(net).encode())
    logger.info("Wrote upgraded NetParameter text proto to %s", target)
    return success


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run_upgrade(argv, __doc__, upgrade)


if __name__ == "__main__":
    sys.exit(main())
