"""Writes what was measured into README.md, docs/benchmarks.md and a plot.

    python -m bench.report

after bench/lenet.py and the kernels' benchmarks have left their results in build/bench; `make
bench` does all that.
"""

import sys
from typing import Any

from bench.contest import ROOT
from bench.markers import replace_between
from bench.plot import plot_shares
from bench.results import Case, peaks, read_cases, read_results, shares, training_shares
from bench.tables import case_table, machine_line, summary_table
from caffe.errors import CaffeError

RESULTS = ROOT / "build" / "bench"
README, PAGE = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "images" / "share_of_peak.svg"


def write(found: dict[str, Any], cases: list[Case]) -> None:
    """Write the results of bench/lenet.py and of the kernels' benchmarks. Raises CaffeError where a
    page has no place for them."""
    best = peaks(cases, found["machine"])
    line, summary = machine_line(found["machine"], best), summary_table(found, cases, best)
    replace_between(README, "benchmarks", f"{line}\n\n{summary}")
    replace_between(PAGE, "kernels", f"{line}\n\n{case_table(cases, best)}")
    plot_shares(training_shares(found, best) | shares(cases, best), PLOT)
    print(f"{line}\n\n{summary}\n\nWritten to {README}, {PAGE} and {PLOT}.")


def main() -> None:
    """Write the report; one line and exit code 1 where that fails."""
    try:
        write(read_results(RESULTS / "lenet.json"), read_cases(RESULTS / "kernels.json"))
    except CaffeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
