"""Inner product and its gradients against their definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import SIMULATED, assert_twins_agree, examples

SIZES = st.integers(1, 24 if SIMULATED else 70)


@settings(deadline=None, max_examples=examples(60))
@given(rows=SIZES, inputs=SIZES, outputs=SIZES, transpose=st.booleans(), bias_term=st.booleans())
def test_all_products(rows, inputs, outputs, transpose, bias_term):
    rng = np.random.default_rng(0)

    def values(*shape):
        return rng.normal(size=shape).astype(np.float32)

    bottom, top_diff = values(rows, inputs), values(rows, outputs)
    weight = values(*((inputs, outputs) if transpose else (outputs, inputs)))
    bias = values(outputs if bias_term else 0)
    weight_diff, bias_diff = values(*weight.shape), values(outputs)

    top, bottom_diff = np.full_like(top_diff, np.nan), np.full_like(bottom, np.nan)
    for name, arguments in {
        "forward": (bottom, weight, bias, top, transpose),
        "backward_data": (top_diff, weight, bottom_diff, transpose),
        "backward_weight": (bottom, top_diff, weight_diff, transpose),
        "backward_bias": (top_diff, bias_diff),
    }.items():
        assert_twins_agree(f"inner_product_{name}", *arguments, rtol=1e-5, atol=3e-5)
