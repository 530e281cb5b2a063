"""The tables of the report: what the README and docs/benchmarks.md show."""

import math
from typing import Any

from bench.results import OURS, Case, geometric_mean, share

Row = tuple[str, ...]


def table(head: Row, rows: list[Row]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine_line(machine: dict[str, Any], best: dict[int, float]) -> str:
    """One sentence on where and with what this was measured."""
    cores, versions = machine["cores"], machine["versions"]
    bandwidth = machine["bandwidth"][str(cores)]
    return (
        f"Measured on {machine['date']}: {machine['name']}, {cores} cores, vectors of "
        f"{machine['width']} floats, {best[cores]:.0f} GFLOP/s of multiply-adds and "
        f"{bandwidth:.0f} GB/s of copying at most; Python {versions['Python']}, "
        f"NumPy {versions['numpy']}, Numba {versions['numba']}, PyTorch {versions['torch']}."
    )


def summary_table(found: dict[str, Any], cases: list[Case], best: dict[int, float]) -> str:
    """Whole training (the results of bench/lenet.py), then the kernels in a few lines."""
    head = ("", "numba-caffe", "beside it", "ratio")
    return table(head, [*training_rows(found, best), *kernel_rows(cases, best)])


def training_rows(found: dict[str, Any], best: dict[int, float]) -> list[Row]:
    """The lines about whole training."""
    cores = found["machine"]["cores"]
    training = found["training"][str(cores)]
    ours = training[OURS]
    rows = [
        _row(f"LeNet training iteration, {_threads(cores)}", "ms", 1e3, training, "PyTorch"),
        _row("the same, PyTorch at its best", "ms", 1e3, training, _best(training)),
    ]
    one = found["training"]["1"]
    if cores > 1:
        rows += [
            _row("the same, 1 thread", "ms", 1e3, one, "PyTorch"),
            (f"{_threads(cores)} over 1", "", "", _times(one[OURS] / ours)),
        ]
    peak_share = share(found["operations"], ours, best[cores])
    kernels = training[f"{OURS}, kernels alone"]
    testing, memory, start = found["testing"], found["memory"], found["start"]
    return [
        *rows,
        (
            "operations of the iteration's definition, of the multiply-add peak",
            f"{peak_share:.0%}",
            "",
            "",
        ),
        ("data pipeline and Python, of the iteration", f"{1 - kernels / ours:.1%}", "", ""),
        _row("testing 10,000 images", "ms", 1e3, testing, "PyTorch"),
        _row("testing, PyTorch at its best", "ms", 1e3, testing, _best(testing)),
        _row("peak memory of that training", "MiB", 1, memory, _best(memory)),
        ("from the command to the first iteration", f"{start['warm']:.2f} s", "", ""),
        ("the same, the very first time", f"{start['cold']:.1f} s", "", ""),
    ]


def _best(values: dict[str, float]) -> str:
    rivals = {name: value for name, value in values.items() if not name.startswith(OURS)}
    return min(rivals, key=lambda name: rivals[name], default="PyTorch")


def _row(what: str, unit: str, factor: float, values: dict[str, float], rival: str) -> Row:
    ours = values[OURS]
    if rival not in values:
        return (what, f"{ours * factor:.3g} {unit}", f"{rival}: not measured", "")
    theirs = values[rival]
    return (
        what,
        f"{ours * factor:.3g} {unit}",
        f"{theirs * factor:.3g} {unit} ({rival})",
        _times(theirs / ours),
    )


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _times(ratio: float) -> str:
    return f"{ratio:.2f} ×"


def kernel_rows(cases: list[Case], best: dict[int, float]) -> list[Row]:
    """The lines about kernels: several cases each, seconds added up, and the lowest ratio."""
    gemm = [case for case in cases if case.kernel == "gemm"]
    large = [case for case in gemm if case.case in ("512", "1024")]
    most = max(case.threads for case in cases)
    rows = [_mean_row("GEMM, 1 thread", gemm, "NumPy"), _at_the_peak_row(gemm, best[1])]
    shares = " and ".join(f"{share(c.operations, c.ours, best[1]):.0%}" for c in large)
    rows.append(("multiply-add peak, GEMM of 512 and 1024", shares, "", ""))
    for net in ("LeNet", "CIFAR-10-quick", "CaffeNet"):
        for threads in sorted({1, most}):
            rows.append(
                _mean_row(
                    f"{net}'s convolutions, forward and backward, {_threads(threads)}",
                    _select(cases, "convolution", net, threads),
                    "PyTorch",
                )
            )
    for threads in sorted({1, most}):
        pooling = _select(cases, "max pooling", "", threads)
        what = f"max pooling, forward and backward, {_threads(threads)}"
        rows.append(_mean_row(what, pooling, "copy", "copying the same bytes"))
    return rows


def _select(cases: list[Case], kernel: str, net: str, threads: int) -> list[Case]:
    return [
        case
        for case in cases
        if case.kernel.startswith(kernel) and case.case.startswith(net) and case.threads == threads
    ]


def _mean_row(what: str, cases: list[Case], rival: str, name: str = "") -> Row:
    ours = f"{sum(case.ours for case in cases) * 1e3:.3g} ms"
    what = f"{what} ({len(cases)} cases)"
    theirs = sum(case.fastest(rival) for case in cases)
    if theirs == math.inf:
        return (what, ours, f"{rival}: not measured", "")
    ratios = [case.fastest(rival) / case.ours for case in cases]
    mean, lowest = _times(geometric_mean(ratios)), _times(min(ratios))
    return (what, ours, f"{theirs * 1e3:.3g} ms ({name or rival})", f"{mean}, each ≥ {lowest}")


def _at_the_peak_row(cases: list[Case], peak: float) -> Row:
    """What the mean ratio would be if ours reached the peak in each case: more cannot be."""
    what = "the same, were each at the multiply-add peak"
    least = [1e-9 * case.operations / peak for case in cases]  # seconds
    ratios = [case.fastest("NumPy") / time for case, time in zip(cases, least, strict=True)]
    ratio = geometric_mean(ratios)
    if ratio == math.inf:
        return (what, "", "NumPy: not measured", "")
    return (what, "", f"{1 / ratio:.0%} of it (NumPy)", _times(ratio))


def case_table(cases: list[Case], best: dict[int, float]) -> str:
    """Every case."""
    rivals = ("NumPy", "PyTorch", "copy")
    rows = []
    for case in cases:
        found = (case.fastest(name) for name in rivals)
        ratios = ["" if other == math.inf else _times(other / case.ours) for other in found]
        reached = ""
        if case.operations:
            reached = f"{share(case.operations, case.ours, best[case.threads]):.0%}"
        microseconds = f"{case.ours * 1e6:,.1f}"
        rows.append((case.kernel, case.case, str(case.threads), microseconds, reached, *ratios))
    head = ("kernel", "case", "threads", "µs", "of peak", *rivals)
    return table(head, rows)
