"""How a jitted function is compiled that other jitted functions call: as a part of each of them.

Numba makes machine code for every function, and again for each of its callers, into which LLVM
copies it; where calls are nested four deep, four times. A part stays as LLVM's intermediate code
and is optimised and made into machine code with its callers only. That takes a third off the first
run. Python cannot call a part: it has no address.
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder


class _PartLibrary(JITCodeLibrary):
    """Code to be linked into that of callers."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True  # and not handed to the engine that makes machine code

    def get_pointer_to_function(self, name: str) -> int:
        """The null pointer: there is no machine code."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """Numba asks for it once: to have it note what Python objects the machine code uses."""
        return self

    def set_env(self, env_name: str, env: Any) -> None:
        """Note nothing."""


class PartCompiler(CompilerBase):
    """Numba's compiler of functions, with a library that stops short of machine code."""

    def define_pipelines(self) -> list[Any]:
        """Numba's own passes."""
        state = self.state
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_cpython_wrapper = True
        return [DefaultPassBuilder.define_nopython_pipeline(state)]
