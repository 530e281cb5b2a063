"""What every command shares: trouble ends in one line of the log and the exit code 1."""

import sys
from collections.abc import Callable, Sequence

from caffe.errors import CaffeError
from caffe.glog import logger


def run(command: Callable[[Sequence[str]], int | None], arguments: Sequence[str] | None) -> int:
    """Call `command` with the arguments (the process's own if None). Returns the exit code: what
    the command returns, or 1, after one line that says why, for trouble that the user can mend."""
    try:
        return command(sys.argv[1:] if arguments is None else arguments) or 0
    except (CaffeError, OSError, MemoryError) as error:
        logger.critical("%s", error or type(error).__name__)
    except KeyboardInterrupt:
        logger.critical("Interrupted; no half-written file was left behind")
    return 1
