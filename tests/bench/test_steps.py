"""bench/steps: every step against the NumPy definition, and the pages that quote them."""

import importlib
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_testing import assert_same_bits_for_any_threads

from caffe.kernels import reference

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted((ROOT / "docs" / "kernels").glob("*.md"))
QUOTE = re.compile(r"^```python\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(kernel):
    """The modules of a kernel's steps, by file name."""
    names = sorted(path.stem for path in (ROOT / "bench" / "steps").glob(f"{kernel}_*.py"))
    return {name: importlib.import_module(f"bench.steps.{name}") for name in names}


GEMM, CONVOLUTION = steps("gemm"), steps("convolution")
WINOGRAD = "convolution_6_winograd"  # for windows of 5 x 5, and outputs in tiles of 4 x 4


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def check_product(rows, columns, depth):
    a, b = random(rows, depth), random(depth, columns)
    wanted = np.empty((rows, columns), np.float32)
    reference.gemm(False, False, 1.0, a, b, 0.0, wanted)
    for name, step in GEMM.items():
        c = np.full_like(wanted, np.nan)
        step.multiply(a, b, c)
        np.testing.assert_allclose(c, wanted, 1e-5, 1e-5 * (depth + 1) ** 0.5, err_msg=name)


@settings(deadline=None, max_examples=60)
@given(rows=st.integers(1, 23), columns=st.integers(1, 150), depth=st.integers(1, 80))
def test_any_product(rows, columns, depth):
    check_product(rows, columns, depth)


@pytest.mark.parametrize("shape", [(9, 515, 7), (6, 33, 1030), (11, 1100, 131)])
def test_products_of_several_blocks(shape):
    check_product(*shape)


def convolution(num, channels, outputs, kernel, out):
    """Bottom, weight and the top that is wanted."""
    bottom = random(num, channels, out[0] + kernel[0] - 1, out[1] + kernel[1] - 1)
    weight = random(outputs, channels, *kernel)
    wanted = np.empty((num, outputs, *out), np.float32)
    reference.convolution_forward(
        bottom, weight, reference.NO_BIAS, wanted, (0, 0), (1, 1), (1, 1), 1, np.empty(0, "f")
    )
    return bottom, weight, wanted


@settings(deadline=None, max_examples=60)
@given(
    num=st.integers(1, 20),
    channels=st.integers(1, 4),
    outputs=st.integers(1, 12),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    out=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_any_convolution(num, channels, outputs, kernel, out):
    bottom, weight, wanted = convolution(num, channels, outputs, kernel, out)
    for name, step in CONVOLUTION.items():
        if name != WINOGRAD:
            top = np.full_like(wanted, np.nan)
            step.convolve(bottom, weight, top)
            np.testing.assert_allclose(top, wanted, 1e-5, 1e-4, err_msg=name)


@settings(deadline=None, max_examples=30)
@given(
    num=st.integers(1, 9),
    channels=st.integers(1, 12),
    outputs=st.integers(1, 12),
    tiles=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_any_convolution_with_few_multiplications(num, channels, outputs, tiles):
    out = (4 * tiles[0], 4 * tiles[1])
    bottom, weight, wanted = convolution(num, channels, outputs, (5, 5), out)
    top = np.full_like(wanted, np.nan)
    CONVOLUTION[WINOGRAD].convolve(bottom, weight, top)
    np.testing.assert_allclose(top, wanted, 0, 2e-5 * np.abs(wanted).max())


def test_threads_leave_every_bit_as_it_is():
    a, b, bottom = random(31, 300), random(300, 500), random(9, 3, 12, 12)
    weight, weight_5 = random(7, 3, 4, 4), random(7, 3, 5, 5)

    def call():
        c, top = np.empty((31, 500), np.float32), np.empty((9, 7, 9, 9), np.float32)
        tiled = np.empty((9, 7, 8, 8), np.float32)
        GEMM["gemm_6_threads"].multiply(a, b, c)
        CONVOLUTION["convolution_5_threads"].convolve(bottom, weight, top)
        CONVOLUTION[WINOGRAD].convolve(bottom, weight_5, tiled)
        return [c, top, tiled]

    assert_same_bits_for_any_threads(call)
    one = np.empty((31, 500), np.float32)
    GEMM["gemm_5_micro_kernel"].multiply(a, b, one)
    np.testing.assert_array_equal(call()[0], one)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_quotes_stand_in_the_files_that_they_name(page):
    text = page.read_text(encoding="utf-8")
    quotes = QUOTE.findall(text)
    assert len(quotes) == text.count("```python") > 0
    for path, quote in quotes:
        assert indented_as_in(ROOT / path, quote), f"{page.name} quotes what is not in {path}"


def indented_as_in(path, quote):
    """Whether the lines of `quote` stand in the file one after another, indented alike."""
    wanted = textwrap.dedent(quote).splitlines()
    lines = path.read_text(encoding="utf-8").splitlines()
    return any(
        textwrap.dedent("\n".join(lines[i : i + len(wanted)])).splitlines() == wanted
        for i in range(len(lines))
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_report_times_every_step_and_writes_a_table():
    pytest.importorskip("threadpoolctl")
    report = importlib.import_module("bench.steps.report")
    for kernel, names, modules in (
        ("gemm", report.GEMM, GEMM),
        ("convolution", report.CONVOLUTION, CONVOLUTION),
    ):
        assert [f"{kernel}_{n}_{name}" for n, name in enumerate(names, 1)] == list(modules)
    most = report.THREADS[-1]
    found = {("naive", 1): 2.0, ("threads", most): 50.0}
    peak = dict.fromkeys(report.THREADS, 100.0)
    lines = report.result_table(["a", "b"], [found, found], peak).splitlines()
    assert lines[0] == "| step | threads | a | b |"
    assert lines[2] == "| naive | 1 | 2.0 (2%) | 2.0 (2%) |"
    assert lines[3] == f"| threads | {most} | 50.0 (50%) | 50.0 (50%) |"
    assert lines[4] == "| the machine's peak | 1 | 100.0 | 100.0 |"
