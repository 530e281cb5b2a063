"""Command-line flags in all the spellings that gflags takes.

`--name=value`, `-name=value`, `--name value`, `-name value`, and for yes-or-no flags `--name`,
`--noname`, `--name=false`. Flags may stand before and after other arguments; `--` ends them. `-h`
is short for `--help`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caffe.errors import CaffeError, nearest

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


@dataclass(frozen=True)
class Flag:
    """One flag: its name, its value where it is not given (whose type it has), and its help."""

    name: str
    default: str | int | bool
    help: str


def parse_flags(
    arguments: Sequence[str], flags: Sequence[Flag]
) -> tuple[dict[str, Any], list[str]]:
    """The value of every flag, by name, and the arguments that are no flags.

    Raises CaffeError for a flag that does not exist (naming the nearest), lacks its value, or has
    one of another type.
    """
    known = {flag.name: flag for flag in flags}
    values: dict[str, Any] = {flag.name: flag.default for flag in flags}
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return values, [*others, *rest]
        if not argument.startswith("-") or argument == "-":
            others.append(argument)
            continue
        name, equals, given = argument.lstrip("-").partition("=")
        name = "help" if argument == "-h" else name.replace("-", "_")
        if name not in known and not equals and _is_bool(known.get(name.removeprefix("no"))):
            values[name.removeprefix("no")] = False
            continue
        if name not in known:
            raise CaffeError(f"unknown command line flag '{name}'{_nearest(name, known)}")
        text: str | None = given
        if not equals:
            text = "true" if _is_bool(known[name]) else next(rest, None)
        if text is None:
            raise CaffeError(f"flag '--{name}' is missing its argument: {known[name].help}")
        values[name] = _convert(known[name], text)
    return values, others


def usage(flags: Sequence[Flag]) -> str:
    """A line or two of help for each flag."""
    return "\n".join(
        f"  --{flag.name:<15} {flag.help}"
        + (f" (default: {flag.default})" if flag.default not in ("", False) else "")
        for flag in flags
    )


def _is_bool(flag: Flag | None) -> bool:
    return flag is not None and isinstance(flag.default, bool)


def _convert(flag: Flag, text: str) -> str | int | bool:
    if isinstance(flag.default, bool):
        if text.lower() in _TRUE + _FALSE:
            return text.lower() in _TRUE
        raise CaffeError(f"illegal value '{text}' for flag '--{flag.name}': use true or false")
    if isinstance(flag.default, int):
        try:
            number = int(text)
        except ValueError:
            raise CaffeError(
                f"illegal value '{text}' for flag '--{flag.name}': use a whole number"
            ) from None
        if not -(2**31) <= number < 2**31:
            raise CaffeError(f"illegal value '{text}' for flag '--{flag.name}': it is too large")
        return number
    return text


def _nearest(name: str, known: dict[str, Flag]) -> str:
    near = nearest(name, known)
    return f"; did you mean '--{near}'?" if near else "; see --help"
