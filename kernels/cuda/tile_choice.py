"""Which tile a matrix product is computed in, and into how many parts its sums are cut.

Chosen by an estimate, in cycles, of what the busiest multiprocessor does: large tiles multiply
faster, small ones leave more blocks to go around; a step lasts at least as long as its loads.
"""

from typing import NamedTuple

from .launch import SIMULATED

SMS = 132  # multiprocessors of an H100
MULTIPLY_ADDS = 128  # of a multiprocessor, a cycle
QUARTERS = 4  # of a multiprocessor, each with registers for its own warps
REGISTERS = 16384  # of a quarter
OTHERS = 56  # registers of a thread, beside its sums and what it loads
LATENCY = 650  # cycles of a step whose loads have nobody to wait with
START = 2500  # cycles before a block's first step and after its last
LAUNCH = 4000  # cycles to add up the parts, beside reading them
BYTES = 1500  # of memory, a cycle
PARTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
LEAST_STEPS = 4  # of a part
FEW = 2 * SMS  # tiles: more are not cut


class Tile(NamedTuple):
    """What a block computes: rows x columns of the result, `depth` products a step. Each thread
    has so many groups of four rows, and of four columns."""

    rows: int
    columns: int
    depth: int
    row_groups: int
    column_groups: int

    @property
    def threads(self) -> int:
        """In a block."""
        return self.rows * self.columns // self.sums

    @property
    def sums(self) -> int:
        """Of a thread, each in a register."""
        return 16 * self.row_groups * self.column_groups

    @property
    def resident(self) -> int:
        """How many blocks a multiprocessor is to hold: what the registers of its QUARTERS allow.
        A thread has its sums, what it loads for the next step, and OTHERS."""
        loaded = (self.rows + self.columns) * self.depth // self.threads
        warps = REGISTERS // (32 * (self.sums + loaded + OTHERS))
        return QUARTERS * warps // -(-self.threads // 32)


TILES = (
    Tile(128, 128, 8, 2, 2),
    Tile(64, 128, 8, 2, 2),
    Tile(128, 64, 8, 2, 2),
    Tile(64, 64, 16, 1, 1),
    Tile(32, 128, 16, 1, 2),
    Tile(128, 32, 16, 2, 1),
    Tile(32, 64, 32, 1, 1),
    Tile(64, 32, 32, 1, 1),
    Tile(32, 32, 32, 1, 1),
)
SMALL_TILE = Tile(16, 16, 4, 1, 1)  # for the simulator
EFFICIENCY = {16: 0.6, 32: 0.7, 64: 0.8}  # of the multipliers, by the sums of a thread


def choose_tile(m: int, n: int, k: int, wide: bool) -> tuple[Tile, int]:
    """The tile for an (m, k) by (k, n) product, and the number of parts. wide: both are loaded four
    floats at a time; else the largest tile's threads have no registers for so many addresses."""
    if SIMULATED:
        return SMALL_TILE, 2 if k > 64 else 1
    choices = [
        (tile, parts)
        for tile in (TILES if wide else TILES[1:])
        for parts in PARTS
        if parts == 1 or (_tiles(m, n, tile) <= FEW and k >= parts * LEAST_STEPS * tile.depth)
    ]
    return min(choices, key=lambda choice: _cycles(m, n, k, *choice))


def _tiles(m: int, n: int, tile: Tile) -> int:
    return -(-m // tile.rows) * -(-n // tile.columns)


def _cycles(m: int, n: int, k: int, tile: Tile, parts: int) -> float:
    blocks = _tiles(m, n, tile) * parts
    of_busiest = -(-blocks // SMS)
    together = min(of_busiest, tile.resident)
    work = tile.rows * tile.columns * tile.depth / (MULTIPLY_ADDS * EFFICIENCY[tile.sums])
    steps = -(-k // (tile.depth * parts))
    cycles = -(-of_busiest // together) * (START + steps * max(LATENCY, together * work))
    if parts > 1:
        cycles += LAUNCH + 8 * parts * m * n / BYTES
    return cycles
