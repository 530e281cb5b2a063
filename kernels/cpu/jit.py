"""How CPU kernels are compiled: `@jit` is numba.njit with this project's settings.

Every kernel releases the GIL, follows NumPy's rules for division by zero, and is compiled at its
first call with new argument types. The machine code is kept on disk (kernels/cache_folder.py says
where, kernels/cache.py what becomes of damaged files).
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import event as numba_event

from ...glog import logger
from ..cache import KernelCache
from ..cache_folder import cache_folder
from ..threads import choose_layer
from .part import PartCompiler

choose_layer()
SOURCES = Path(__file__).parent


def jit(
    function: Callable | None = None,
    *,
    inline: bool = False,
    fastmath: bool | set[str] = False,
) -> Any:
    """Decorator: compile a kernel at its first call, or load it from the cache folder.

    Jitted functions that call it take it in as a part of their own (part.py). For loops on several
    threads see parallel.py.

    inline: LLVM copies the code into each caller, for small steps of inner loops (passing an array
    to a function otherwise costs some nanoseconds).
    fastmath: which liberties LLVM may take with floating point, as numba.njit's. Not for what
    other jitted functions call: its last bits may differ from caller to caller.
    """
    if function is None:
        return functools.partial(jit, inline=inline, fastmath=fastmath)
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    options |= {"forceinline": inline, "fastmath": fastmath}
    dispatcher = numba.njit(**options)(function)
    part = numba.njit(pipeline_class=PartCompiler, **options)(function)
    _offer_to_callers(dispatcher, part)
    folder = cache_folder(SOURCES)
    if folder is not None:
        # Numba reads its global setting while a cache is made; other users of Numba keep theirs.
        users_folder = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)
        try:
            dispatcher._cache = KernelCache(function)
        finally:
            numba.config.CACHE_DIR = users_folder
    _announcer.kernels |= {dispatcher, part}
    return dispatcher


def _offer_to_callers(dispatcher: Any, part: Any) -> None:
    """Have jitted code that calls `dispatcher` take `part`, and the same for a constant, as in
    f(x, 0), as for all values: Numba would compile the function anew for each constant."""

    def get_call_template(args: Any, kws: Any) -> Any:
        args = tuple(types.unliteral(given) for given in args)
        return part.get_call_template(
            args, {name: types.unliteral(given) for name, given in kws.items()}
        )

    dispatcher.get_call_template = get_call_template
    dispatcher.get_overload = part.get_overload
    dispatcher.get_compile_result = part.get_compile_result


class _Announcer(numba_event.Listener):
    """Tells the user, once, why the first run starts slowly.

    Numba's event comes only where code is really compiled, not where it is loaded from disk, and
    for every user of Numba in the process: others' functions are none of our business.
    """

    def __init__(self) -> None:
        self.kernels: set[Any] = set()
        self.compiled = 0

    def on_start(self, event: numba_event.Event) -> None:
        if event.data["dispatcher"] not in self.kernels:
            return
        self.compiled += 1
        if self.compiled > 1:
            return
        folder = cache_folder(SOURCES)
        logger.info(
            "Compiling kernels for this machine; %s",
            f"this happens once and takes about 15 seconds. Cached in {folder}."
            if folder
            else "this takes about 15 seconds.",
        )

    def on_end(self, event: numba_event.Event) -> None:
        pass


_announcer = _Announcer()
numba_event.register("numba:compile", _announcer)


def compiled_count() -> int:
    """How many functions this process has compiled so far, rather than loaded from disk."""
    return _announcer.compiled
