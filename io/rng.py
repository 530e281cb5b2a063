"""The process's random numbers: fillers, dropout and the seeds of data layers come from here."""

import struct

import numpy as np

from ..errors import CaffeError

_FORMAT = struct.Struct("<16s16sBI")  # PCG64: state, increment, and half a number kept for later
_WORD = 2**64

_generator: np.random.Generator | None = None


def set_random_seed(seed: int) -> None:
    """Start the random numbers anew: equal seeds, equal numbers."""
    global _generator
    _generator = np.random.Generator(np.random.PCG64(seed % _WORD))


def generator() -> np.random.Generator:
    """The process's generator. Seeded by the operating system unless set_random_seed was called.

    It belongs to the main thread: a thread of one's own takes a seed from `fresh_seed`.
    """
    global _generator
    if _generator is None:
        _generator = np.random.Generator(np.random.PCG64())
    return _generator


def fresh_seed() -> int:
    """A seed below 2**63 for random numbers of one's own, drawn from the generator."""
    return int(generator().integers(2**63))


def get_state() -> bytes:
    """Where the generator stands."""
    state = generator().bit_generator.state
    return _FORMAT.pack(
        state["state"]["state"].to_bytes(16, "little"),
        state["state"]["inc"].to_bytes(16, "little"),
        state["has_uint32"],
        state["uinteger"],
    )


def set_state(state: bytes) -> None:
    """Go on exactly where `get_state` was called. Raises CaffeError for bytes not from there."""
    if len(state) != _FORMAT.size:
        raise CaffeError(
            f"a random state has {_FORMAT.size} bytes, this one {len(state)}; was the solverstate "
            "written by another program?"
        )
    position, increment, has_half, half = _FORMAT.unpack(state)
    generator().bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {
            "state": int.from_bytes(position, "little"),
            "inc": int.from_bytes(increment, "little"),
        },
        "has_uint32": has_half,
        "uinteger": half,
    }


def numbered_generator(seed: int, stream: int, number: int) -> np.random.Generator:
    """A generator that depends on its three arguments only.

    Random numbers of batch `number` drawn from it are the same whether the batches before it were
    made or skipped. Philox: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
    """
    key = np.array([seed % _WORD, stream], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, number]))
