"""What the three upgrade commands share: they read the file IN and write the file OUT."""

from collections.abc import Callable, Sequence

from caffe.errors import CaffeError
from caffe.tools.command import run
from caffe.tools.flags import Flag, parse_flags

FLAGS = (Flag("help", False, "show this help"),)


def run_upgrade(
    arguments: Sequence[str] | None, help_text: str | None, upgrade: Callable[[str, str], bool]
) -> int:
    """Call upgrade(IN, OUT). Returns the exit code: 1 where it returns False or has trouble."""

    def command(arguments: Sequence[str]) -> int:
        flags, paths = parse_flags(arguments, FLAGS)
        if flags["help"]:
            print(help_text)
            return 0
        if len(paths) != 2:
            raise CaffeError(f"give the two files IN and OUT, not {len(paths)} (--help says more)")
        return 0 if upgrade(*paths) else 1

    return run(command, arguments)
