"""Splits the text of a prototxt into tokens that know their line and column."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<comment>(?:\#|//)[^\n]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
    | (?P<word>[A-Za-z_]\w*)
    | (?P<number>[-+.]*\d[\w.+-]* | -[A-Za-z]+)
    | (?P<symbol>.)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of the text: kind is comment, string, word, number, symbol or end."""

    kind: str
    text: str
    start: int
    line: int
    column: int


def tokenize(text: str) -> Iterator[Token]:
    """The tokens of `text` in order, comments included, white space left out, an `end` last.

    A quote that is not closed on its line is a symbol of its own.
    """
    line, line_start = 1, 0
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        start = match.start()
        if kind != "space":
            yield Token(kind, match.group(), start, line, start - line_start + 1)
        newlines = match.group().count("\n")
        if newlines:
            line += newlines
            line_start = match.group().rindex("\n") + start + 1
    yield Token("end", "", len(text), line, len(text) - line_start + 1)
