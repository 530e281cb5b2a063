"""The exponential function of a float32, in steps that LLVM does for a whole vector at a time.

    exp(x) = 2^n exp(r),    n = the whole number nearest to x / log 2,    r = x - n log 2

with exp(r) by its Taylor series, as |r| <= 0.35. It is computed in float64 and rounded at last, so
that the result is, but for some in a million, the float32 nearest to the exact one.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import jit

LOG_2 = math.log(2)
LEAST = -110.0  # its exponential is 0 in float32
# Added to a small number, it leaves the nearest whole number in the last bits of the sum.
ROUNDING = 1.5 * 2.0**52
BIAS, MANTISSA = np.int64(1023), np.int64(52)  # of a float64: 2^n is n + BIAS, moved so many bits
INVERSE = tuple(1 / math.factorial(k) for k in range(11))


@intrinsic
def _multiply_add(typingctx, a, b, c):
    """a * b + c of float64, in one instruction where the machine has it."""

    def generate(context, builder, signature, arguments):
        double = ir.DoubleType()
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(double, [double] * 3), "llvm.fmuladd.f64"
        )
        return builder.call(function, arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


@jit(inline=True)
def exponential(x: np.float32) -> np.float32:
    """exp(x), for x <= 88."""
    wide = LEAST if x < LEAST else np.float64(x)
    rounded = _multiply_add(wide, 1 / LOG_2, ROUNDING)
    r = _multiply_add(ROUNDING - rounded, LOG_2, wide)
    series = INVERSE[10]
    series = _multiply_add(series, r, INVERSE[9])
    series = _multiply_add(series, r, INVERSE[8])
    series = _multiply_add(series, r, INVERSE[7])
    series = _multiply_add(series, r, INVERSE[6])
    series = _multiply_add(series, r, INVERSE[5])
    series = _multiply_add(series, r, INVERSE[4])
    series = _multiply_add(series, r, INVERSE[3])
    series = _multiply_add(series, r, INVERSE[2])
    series = _multiply_add(_multiply_add(series, r, 1.0), r, 1.0)
    exponent = (np.float64(rounded).view(np.int64) + BIAS) << MANTISSA
    return np.float32(series * np.int64(exponent).view(np.float64))
