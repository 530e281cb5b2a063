"""Text in a Markdown file that a program writes, between two markers that a person has set:

<!-- NAME: written by make bench -->
...
<!-- end of NAME -->

or by another command than `make bench`.
"""

from pathlib import Path

from caffe.errors import CaffeError


def replace_between(path: Path, name: str, text: str, writer: str = "make bench") -> None:
    """Put `text`, without blank lines around it, between the markers of `name` in the file `path`.
    writer: the command, as the first marker names it.

    Raises CaffeError where the file cannot be read or written, or has not exactly one of each
    marker, in this order; the file is then as it was.
    """
    begin, end = f"<!-- {name}: written by {writer} -->", f"<!-- end of {name} -->"
    try:
        content = path.read_text(encoding="utf-8")
        before, rest = _split(content, begin, path)
        _, after = _split(rest, end, path)
        path.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaffeError(f"{path}: cannot write the section '{name}' into it: {error}") from error


def _split(content: str, marker: str, path: Path) -> tuple[str, str]:
    parts = content.split(marker)
    if len(parts) != 2:
        raise CaffeError(
            f"{path}: the line '{marker}' must stand here once, the beginning before the end, "
            f"but was found {len(parts) - 1} times; set it where the text is to go"
        )
    return parts[0], parts[1]
