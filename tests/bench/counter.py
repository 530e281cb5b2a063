"""A contestant that counts: a round takes as many seconds, by its clock, as it did steps."""

import sys

from bench.contest import arguments, serve

steps = 0


def run(times: int) -> None:
    global steps
    steps += times
    print("what a library prints is no answer")


if __name__ == "__main__":
    [kind] = arguments(1)
    if kind == "broken":
        sys.exit(3)
    serve(run, 5, lambda: steps)
