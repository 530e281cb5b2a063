"""Logging in glog's format, so that what people wrote to parse Caffe's logs goes on working.

A line reads `I1203 12:34:56.789012  1234 solver.py:239] Iteration 100 (...)`: the level (I, W, E
or F), month and day, the time, the thread, the source line and the message. Every module logs to
`logging.getLogger("caffe")`; importing caffe calls `install`, as importing pycaffe starts glog.

Environment, with glog's meanings:
    GLOG_minloglevel   0 logs everything (the default), 1 warnings and up, 2 errors, 3 fatal lines
    GLOG_log_dir       also write the lines to a file in this folder...
    GLOG_logtostderr   ...unless this is 1
"""

import contextlib
import logging
import os
import shutil
import sys
import threading
import time

logger = logging.getLogger("caffe")

_LETTERS = {
    logging.DEBUG: "I",
    logging.INFO: "I",
    logging.WARNING: "W",
    logging.ERROR: "E",
    logging.CRITICAL: "F",
}
_LEVELS = [logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL]
_ERASE_LINE = "\r\x1b[K"


class GlogFormatter(logging.Formatter):
    """Formats a record as glog does. The thread is its kernel id."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one glog line (its message may itself hold several lines)."""
        when = time.strftime("%m%d %H:%M:%S", time.localtime(record.created))
        micros = int(record.created % 1 * 1e6)
        thread = getattr(record, "native_thread", record.process)
        letter = _LETTERS.get(record.levelno, "I")
        where = f"{record.filename}:{record.lineno}"
        line = f"{letter}{when}.{micros:06d} {thread:5d} {where}] {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class StderrHandler(logging.Handler):
    """Writes to the sys.stderr of the moment, keeping a progress line, if any, at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.status = ""
        self.setFormatter(GlogFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a closed stderr is not the training's trouble."""
        erase = _ERASE_LINE if self.status else ""
        _write(f"{erase}{self.format(record)}\n{self.status}")

    def show_status(self, status: str) -> None:
        """Replace the progress line (empty: remove it)."""
        self.acquire()
        try:
            if status or self.status:
                _write(_ERASE_LINE + status)
            self.status = status
        finally:
            self.release()


class LogFileHandler(logging.FileHandler):
    """Writes to a file. Where that fails, as on a full disk, it says so once and stops."""

    def __init__(self, path: str):
        super().__init__(path)
        self.setFormatter(GlogFormatter())

    def handleError(self, record: logging.LogRecord) -> None:
        """Called by logging for what `emit` raises."""
        logger.removeHandler(self)
        logger.warning(
            "Could not write to the log file %s: %s. The log goes on without it",
            self.baseFilename,
            sys.exc_info()[1],
        )
        with contextlib.suppress(OSError):  # what was not written yet can't be written now
            self.close()


def _write(text: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it
            sys.stderr.write(text)
            sys.stderr.flush()


_handler = StderrHandler()


def _add_thread(record: logging.LogRecord) -> bool:
    record.native_thread = threading.get_native_id()
    return True


def install() -> None:
    """Send the logger `caffe` to stderr in glog's format, as the environment says by now."""
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
    logger.setLevel(_LEVELS[_minimum_level()])
    logger.propagate = False
    logger.addFilter(_add_thread)
    logger.addHandler(_handler)
    folder = os.environ.get("GLOG_log_dir")
    if folder and os.environ.get("GLOG_logtostderr", "0") in ("", "0", "false"):
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = os.path.join(folder, f"caffe.log.INFO.{stamp}.{os.getpid()}")
        try:
            logger.addHandler(LogFileHandler(path))
        except OSError as error:
            logger.warning("Could not create a log file in GLOG_log_dir: %s", error)


def _minimum_level() -> int:
    try:
        return min(max(int(os.environ.get("GLOG_minloglevel", "0")), 0), 3)
    except ValueError:
        return 0


def status(text: str) -> None:
    """Show `text` as the progress line below the log, where stderr is a terminal; cut to its width,
    so that it can be erased. Empty: remove the line."""
    if sys.stderr is not None and sys.stderr.isatty():
        _handler.show_status(text[: shutil.get_terminal_size().columns - 1])
