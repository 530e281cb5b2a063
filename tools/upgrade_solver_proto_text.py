"""Brings the prototxt of a solver with the old field `solver_type` to today's `type`.

usage: python -m tools.upgrade_solver_proto_text IN OUT

example:
  python -m tools.upgrade_solver_proto_text old_solver.prototxt solver.prototxt

Comments are not kept. A file that is up to date is written as it was understood.
"""

import sys

from caffe.glog import logger
from caffe.io.files import write_atomically
from caffe.proto.caffe_pb2 import SolverParameter
from caffe.proto.prototxt import format_message, read_prototxt
from caffe.proto.upgrade_solver import solver_needs_upgrade, upgrade_solver
from caffe.tools.upgrading import run_upgrade


def upgrade(source: str, target: str) -> bool:
    """Read the solver in `source` and write it to `target`."""
    solver = read_prototxt(source, SolverParameter())
    if solver_needs_upgrade(solver):
        upgrade_solver(solver, source)
    else:
        logger.error("File already in latest proto format: %s", source)
    write_atomically(target, format_message(solver).encode())
    logger.info("Wrote upgraded SolverParameter text proto to %s", target)
    return True


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run_upgrade(argv, __doc__, upgrade)


if __name__ == "__main__":
    sys.exit(main())
