"""Inner product and its gradients against their definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe.kernels import cpu, reference

SIZES = st.integers(1, 70)


@settings(deadline=None, max_examples=60)
@given(rows=SIZES, inputs=SIZES, outputs=SIZES, transpose=st.booleans(), bias_term=st.booleans())
def test_all_products(rows, inputs, outputs, transpose, bias_term):
    rng = np.random.default_rng(0)

    def values(*shape):
        return rng.normal(size=shape).astype(np.float32)

    bottom, top_diff = values(rows, inputs), values(rows, outputs)
    weight = values(*((inputs, outputs) if transpose else (outputs, inputs)))
    bias = values(outputs if bias_term else 0)
    weight_diff, bias_diff = values(*weight.shape), values(outputs)

    def run(kernels):
        top, bottom_diff = np.full_like(top_diff, np.nan), np.full_like(bottom, np.nan)
        sums = weight_diff.copy(), bias_diff.copy()
        kernels.inner_product_forward(bottom, weight, bias, top, transpose)
        kernels.inner_product_backward_data(top_diff, weight, bottom_diff, transpose)
        kernels.inner_product_backward_weight(bottom, top_diff, sums[0], transpose)
        kernels.inner_product_backward_bias(top_diff, sums[1])
        return top, bottom_diff, *sums

    for actual, expected in zip(run(cpu), run(reference), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=3e-5)
