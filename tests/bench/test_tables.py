"""bench.results, bench.tables: from results that are made up."""

import json

import pytest

import caffe
from bench.results import (
    Case,
    geometric_mean,
    peaks,
    read_cases,
    read_results,
    share,
    shares,
    training_shares,
)
from bench.tables import case_table, kernel_rows, machine_line, training_rows

OURS = "numba-caffe"


def make_case(kernel="gemm", case="512", threads=1, operations=10**9, peak=100.0, **seconds):
    return Case(kernel, case, threads, {OURS: 0.02} | seconds, operations, peak)


def training():
    """Results of bench/lenet.py on two cores."""
    two = {OURS: 0.002, f"{OURS}, kernels alone": 0.0019, "PyTorch": 0.01, "PyTorch, best": 0.006}
    return {
        "machine": {
            "name": "A Processor",
            "cores": 2,
            "width": 8,
            "peak": {"1": 250.0, "2": 500.0},
            "bandwidth": {"1": 20.0, "2": 30.0},
            "versions": {"Python": "3", "numpy": "2", "numba": "0", "torch": "not installed"},
            "date": "2000-01-02",
        },
        "operations": 800_000_000,
        "training": {"1": {OURS: 0.004, "PyTorch": 0.018}, "2": two},
        "testing": {OURS: 0.1, "PyTorch": 0.3},
        "memory": {OURS: 200.0, "PyTorch": 300.0, "PyTorch, best": 310.0},
        "start": {"warm": 1.25, "cold": 20.0},
    }


def rows(found):
    return {what: tuple(rest) for what, *rest in found}


def test_a_rival_is_its_fastest_variant():
    case = make_case(**{"PyTorch": 0.3, "PyTorch, channels_last": 0.2})
    assert case.fastest("PyTorch") == 0.2
    assert case.fastest("NumPy") == float("inf")


def test_share_and_mean():
    assert share(operations=10**9, seconds=0.02, peak=100.0) == pytest.approx(0.5)
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)


def test_the_peak_is_the_best_measured():
    cases = [make_case(peak=260.0), make_case(threads=2, peak=480.0)]
    assert peaks(cases, training()["machine"]) == {1: 260.0, 2: 500.0}


def test_training_rows():
    found = rows(training_rows(training(), {1: 250.0, 2: 500.0}))
    iteration = found["LeNet training iteration, 2 threads"]
    assert iteration == ("2 ms", "10 ms (PyTorch)", "5.00 ×")
    best = found["the same, PyTorch at its best"]
    assert best == ("2 ms", "6 ms (PyTorch, best)", "3.00 ×")
    assert found["the same, 1 thread"][2] == "4.50 ×"
    assert found["2 threads over 1"][2] == "2.00 ×"
    assert found["operations of the iteration's definition, of the multiply-add peak"][0] == "80%"
    assert found["data pipeline and Python, of the iteration"][0] == "5.0%"
    assert found["peak memory of that training"] == ("200 MiB", "300 MiB (PyTorch)", "1.50 ×")


def test_training_rows_on_one_core_without_pytorch():
    found = training()
    found["machine"]["cores"] = 1
    found["training"] = {"1": {OURS: 0.004, f"{OURS}, kernels alone": 0.0039}}
    found["testing"], found["memory"] = {OURS: 0.1}, {OURS: 200.0}
    made = rows(training_rows(found, {1: 250.0}))
    assert made["LeNet training iteration, 1 thread"] == ("4 ms", "PyTorch: not measured", "")
    assert "the same, 1 thread" not in made


def cases():
    return [
        make_case(case="512", NumPy=0.04),
        make_case(case="1024", NumPy=0.01),
        *(
            make_case("convolution forward", f"{net} conv1", threads, PyTorch=0.06)
            for net in ("LeNet", "CIFAR-10-quick", "CaffeNet")
            for threads in (1, 2)
        ),
        *(make_case("max pooling", "LeNet pool1", t, operations=0, copy=0.01) for t in (1, 2)),
    ]


def test_kernel_rows():
    found = rows(kernel_rows(cases(), {1: 100.0, 2: 200.0}))
    gemm = found["GEMM, 1 thread (2 cases)"]
    assert gemm == ("40 ms", "50 ms (NumPy)", "1.00 ×, each ≥ 0.50 ×")
    most = found["the same, were each at the multiply-add peak"]
    assert most == ("", "50% of it (NumPy)", "2.00 ×")
    assert found["multiply-add peak, GEMM of 512 and 1024"][0] == "50% and 50%"
    lenet = found["LeNet's convolutions, forward and backward, 2 threads (1 cases)"]
    assert lenet == ("20 ms", "60 ms (PyTorch)", "3.00 ×, each ≥ 3.00 ×")


def test_kernel_rows_without_numpy():
    found = rows(kernel_rows([make_case(), *cases()], {1: 100.0, 2: 200.0}))
    most = found["the same, were each at the multiply-add peak"]
    assert most == ("", "NumPy: not measured", "")


def test_machine_line_and_case_table():
    line = machine_line(training()["machine"], {1: 250.0, 2: 500.0})
    assert "A Processor, 2 cores, vectors of 8 floats, 500 GFLOP/s" in line
    assert "PyTorch not installed" in line
    lines = case_table(cases(), {1: 100.0, 2: 200.0}).splitlines()
    assert lines[2] == "| gemm | 512 | 1 | 20,000.0 | 50% | 2.00 × |  |  |"
    assert len(lines) == 2 + len(cases())


def test_shares():
    best = {1: 100.0, 2: 200.0}
    found = shares(cases(), best)
    assert found["gemm, 512 (1)"] == pytest.approx({OURS: 0.5, "NumPy": 0.25, "PyTorch": 0})
    assert found["convolution forward, LeNet (2)"][OURS] == pytest.approx(0.25)
    assert not any("(1)" in name for name in found if not name.startswith("gemm"))
    assert not any("pooling" in name for name in found)
    whole = training_shares(training(), best)
    assert whole == {"LeNet, training iteration (2)": {OURS: 2.0, "PyTorch": 0.4}}


def test_cases_are_read_in_order(tmp_path):
    names = ("relu backward", "relu forward", "convolution backward data", "col2im", "gemm")
    benchmarks = [{"extra_info": vars(make_case(kernel))} for kernel in names]
    (tmp_path / "kernels.json").write_text(json.dumps({"benchmarks": benchmarks}))
    read = [case.kernel for case in read_cases(tmp_path / "kernels.json")]
    assert read == ["gemm", "col2im", "convolution backward data", "relu forward", "relu backward"]


def test_results_that_cannot_be_read(tmp_path):
    with pytest.raises(caffe.CaffeError, match=r"kernels\.json: no results to read.*make bench"):
        read_cases(tmp_path / "kernels.json")
    (tmp_path / "lenet.json").write_text("{")
    with pytest.raises(caffe.CaffeError, match=r"lenet\.json: no results to read"):
        read_results(tmp_path / "lenet.json")
