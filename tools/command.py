"""What every command shares: trouble ends in one line of the log and the exit code 1."""

import os
import sys
from collections.abc import Callable, Sequence

from caffe.errors import CaffeError
from caffe.glog import logger


def run(command: Callable[[Sequence[str]], int | None], arguments: Sequence[str] | None) -> int:
    """Call `command` with the arguments (the process's own if None). Returns the exit code: what
    the command returns, or 1, after one line that says why, for trouble that the user can mend."""
    try:
        code = command(sys.argv[1:] if arguments is None else arguments) or 0
        print(end="", flush=True)
        return code
    except BrokenPipeError:
        # Nobody reads stdout, as in `caffe --help | head -1`; nor shall Python flush it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError as error:
        logger.critical("out of memory%s", f": {error}" if str(error) else "")
    except (CaffeError, OSError) as error:
        logger.critical("%s", str(error) or type(error).__name__)
    except KeyboardInterrupt:
        logger.critical("Interrupted; no half-written file was left behind")
    return 1
