"""Which library runs the kernels' threads, and the processes in which it cannot.

Numba knows three: GNU OpenMP (omp), Intel's TBB and its own (workqueue). A parallel region costs
1 us with omp, 5 to 60 with tbb and 80 with workqueue, which moreover ends the process where two
Python threads run kernels at once. $NUMBA_THREADING_LAYER, if set, decides instead.

GNU OpenMP does not survive a fork: in the child its threads are gone, and Numba ends a child that
starts a kernel. Nor does CUDA. `check_process` raises an error instead, before it comes to that.
"""

import contextlib
import importlib
import os

import numba
from numba.np.ufunc import parallel

from ..errors import CaffeError
from ..glog import logger


def choose_layer() -> None:
    """Prefer GNU OpenMP and let its threads sleep soon; warn where only workqueue is left.

    To be called before the first kernel is; what the user's environment says stays as it is.
    """
    if "NUMBA_THREADING_LAYER_PRIORITY" not in os.environ:
        numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]
    if "OMP_WAIT_POLICY" not in os.environ:
        # How long GNU OpenMP's threads spin before they sleep, to be woken at a cost of some 30 us.
        # Its default of 300,000 turns keeps a core busy for milliseconds while the thread that is
        # waited for has none. 5,000 turns, some 60 us, outlast most pauses between two kernels:
        # beside one other busy process a LeNet iteration then takes three times as long as alone,
        # not thirty times.
        os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    users_choice = str(numba.config.THREADING_LAYER).lower() != "default"
    if not (users_choice or _can_load("omppool") or _can_load("tbbpool")):
        logger.warning(
            "Neither GNU OpenMP (libgomp.so.1) nor TBB can be loaded: kernels start their threads "
            "much more slowly, and must not run in two Python threads at once. Install libgomp1 "
            "(Debian's name for it)"
        )


def start_layer() -> None:
    """Have Numba start its threading layer, unless it has: compiled loops need its symbols."""
    parallel._launch_threads()


def _can_load(pool: str) -> bool:
    """Whether the library behind one of Numba's modules is there. No thread is started yet."""
    try:
        importlib.import_module(f"numba.np.ufunc.{pool}")
    except ImportError:
        return False
    return True


_uses_gpu = False
_is_lost = False


def note_gpu() -> None:
    """Remember that this process uses a GPU."""
    global _uses_gpu
    _uses_gpu = True


def uses_gpu() -> bool:
    """Whether this process has used a GPU."""
    return _uses_gpu


def _note_fork() -> None:
    global _is_lost
    _is_lost = _is_lost or _uses_gpu
    with contextlib.suppress(ValueError):  # no thread was started: the child may start its own
        _is_lost = _is_lost or numba.threading_layer() == "omp"


os.register_at_fork(after_in_child=_note_fork)


def check_process() -> None:
    """Raise CaffeError where this process cannot run kernels, since its parent had run some."""
    if _is_lost:
        raise CaffeError(
            "this process was forked from one that had run kernels, which GNU OpenMP and CUDA do "
            "not survive: start processes with multiprocessing's 'spawn' method"
        )
