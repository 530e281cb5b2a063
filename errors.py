"""The one exception for everything a user can mend, and the suggestions in its text."""

import difflib
from collections.abc import Iterable


class CaffeError(RuntimeError):
    """Bad input: a file, a model, data or a call that does not fit.

    Its text is one line: what is wrong, where (file, line, layer, blob or record key), and what
    to do about it. The command line prints that line and exits with 1; inside Python it is an
    ordinary exception and every object stays usable.

    item, bottom: where the trouble is one item of a layer's bottom, the item's index in the batch
    and the bottom's index. The net uses them to add the name of the database record.
    """

    def __init__(self, message: str, item: int | None = None, bottom: int = 0):
        super().__init__(message)
        self.item = item
        self.bottom = bottom


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` most likely stands for, whatever its case; None where none
    is near."""
    spelled = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    return spelled[near[0]] if near else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not one of `known`: the nearest, or all of them."""
    known = list(known)
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else f"use {', '.join(known)}"
