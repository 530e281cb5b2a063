"""bench.gpu_tables: the GPU's report, from results that are made up."""

import json

from bench.gpu_tables import GRAPH, Timing, goal_rows, kernel_table, mean_text, report

OURS = "numba-caffe"


def results():
    """What bench/gpu.py finds."""
    return {
        "device": {
            "name": "A GPU",
            "capability": "9.0",
            "multiprocessors": 100,
            "clock": 1000.0,
            "peak": 25600.0,
            "driver": "580.1",
            "versions": {"Python": "3", "torch": "2"},
            "date": "2000-01-02",
        },
        "kernels": [
            Timing("gemm", "256", 2e-6, 1e-6, 2 * 256**3)._asdict(),
            Timing("gemm", "4096", 10e-3, 9e-3, 2 * 4096**3)._asdict(),
            Timing("max pooling forward", "LeNet pool1", 1e-6, 4e-6, 0)._asdict(),
        ],
        "lenet": {
            "iteration": {
                OURS: 50e-6,
                "PyTorch": 400e-6,
                "PyTorch, fused": 300e-6,
                f"PyTorch{GRAPH}": 110e-6,
                f"PyTorch, fused{GRAPH}": 100e-6,
            },
            "operations": 64_000_000,
            "ten_thousand": 1.75,
            "accuracy": 0.9912,
        },
    }


def timings():
    return [Timing(**timing) for timing in results()["kernels"]]


def test_goals_are_held_against_the_fastest_of_each_kind():
    assert goal_rows(results()["lenet"], timings()) == [
        ("LeNet's iteration, over PyTorch with CUDA graphs", "2.00 ×", "≥ 1.5 ×", "reached"),
        ("LeNet's iteration, over PyTorch eager", "6.00 ×", "≥ 5 ×", "reached"),
        ("10,000 iterations with tests", "1.75 s", "< 1.5 s", "missed"),
        ("their accuracy", "0.9912", "≥ 0.990", "reached"),
        ("GEMM of 4096, over cuBLAS", "0.90 ×", "≥ 0.8 ×", "reached"),
    ]


def test_kernels():
    lines = kernel_table(timings(), peak=25600.0).splitlines()
    assert lines[2] == "| gemm | 256 | 2.0 | 1.0 | 0.50 × | 66% |"
    assert lines[4] == "| max pooling forward | LeNet pool1 | 1.0 | 4.0 | 4.00 × |  |"
    assert mean_text(timings()[::2]) == "1.41 × as fast as PyTorch"


def test_the_report_is_made_of_what_was_written_to_the_file():
    found = json.loads(json.dumps(results()))
    text = report(found)
    assert text.startswith(
        "# A GPU\n\nMeasured on 2000-01-02: compute capability 9.0, driver 580.1"
    )
    assert "25.6 TFLOP/s: that of 100 multiprocessors" in text
    assert f"| {OURS} | 50.0 | 1.00 × | 5% |" in text
    assert "| PyTorch | 400.0 | 8.00 × | 1% |" in text
    assert text.count("| gemm |") == 2
