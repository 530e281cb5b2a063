"""What the three upgrade commands share: two arguments, errors in one line, the exit code."""

import argparse
from collections.abc import Callable
from typing import NoReturn

from caffe.errors import CaffeError
from caffe.glog import logger


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CaffeError(f"{message}; usage: {self.prog} IN OUT (--help says more)")


def run(argv: list[str] | None, name: str, help_text: str, upgrade: Callable[..., bool]) -> int:
    """Call upgrade(IN, OUT) with the arguments; 0 if it returns True and raises no CaffeError.

    argv: the arguments, the process's own if None; name: of the command.
    """
    parser = _Parser(
        prog=f"python -m tools.{name}",
        description=help_text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", metavar="IN", help="the file to read, in any of Caffe's formats")
    parser.add_argument("output", metavar="OUT", help="the file to write; IN itself may be named")
    try:
        arguments = parser.parse_args(argv)
        return 0 if upgrade(arguments.input, arguments.output) else 1
    except CaffeError as error:
        logger.critical("%s", error)
        return 1
