"""The plot: which share of the multiply-add peak each kernel reaches, ours, NumPy's, PyTorch's."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import PercentFormatter

from bench.results import WHO

COLORS = dict(zip(WHO, ("#1f5aa6", "#9aa5b1", "#e08a3c"), strict=True))
HEIGHT = 0.8  # of a group of bars, of 1


def plot_shares(shares: dict[str, dict[str, float]], path: Path) -> None:
    """Draw the shares, by kernel and by who, as groups of horizontal bars into an SVG file."""
    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.42 * len(shares)), layout="constrained")
    height = HEIGHT / len(WHO)
    for i, who in enumerate(WHO):
        places = [place - HEIGHT / 2 + (i + 0.5) * height for place in range(len(shares))]
        lengths = [found.get(who, 0) for found in shares.values()]
        axes.barh(places, lengths, height, label=who, color=COLORS[who])
    axes.set_yticks(range(len(shares)), list(shares))
    axes.invert_yaxis()
    longest = max(length for found in shares.values() for length in found.values())
    axes.set_xlim(0, max(1, 1.02 * longest))
    axes.axvline(1, color="#777777", linewidth=1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel(
        "operations of the definition, as a share of this machine's multiply-add peak on so many "
        "(threads);\nabove 100 % where an algorithm needs fewer multiplications"
    )
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.margins(y=0.01)
    figure.legend(loc="outside upper right", ncols=len(WHO), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "numba-caffe"}):  # equal input, equal file
        figure.savefig(path, facecolor="white", metadata={"Date": None})
    pyplot.close(figure)
