"""The log's format, levels and the progress line under it."""

import io
import logging
import os
import re
import threading

import pytest

from caffe import glog

LINE = r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +(\d+) test_glog\.py:\d+\] (.*)\n"


@pytest.fixture
def reinstall(monkeypatch):
    """Call it to install the log as the environment says; undone at the end."""
    yield glog.install
    monkeypatch.undo()
    for handler in glog.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()
    glog.install()


def test_a_line(capsys) -> None:
    glog.logger.info("Iteration %d, lr = %g", 100, 0.00992565)
    match = re.fullmatch(LINE, capsys.readouterr().err)
    assert match is not None
    assert match.groups() == ("I", str(threading.get_native_id()), "Iteration 100, lr = 0.00992565")


def test_levels_and_their_letters(capsys, monkeypatch, reinstall) -> None:
    for level, letters in (("0", "IWEF"), ("1", "WEF"), ("2", "EF"), ("3", "F"), ("x", "IWEF")):
        monkeypatch.setenv("GLOG_minloglevel", level)
        reinstall()
        for log in (
            glog.logger.info,
            glog.logger.warning,
            glog.logger.error,
            glog.logger.critical,
        ):
            log("message")
        logged = re.findall(LINE, capsys.readouterr().err)
        assert "".join(letter for letter, _, _ in logged) == letters


def test_a_file_in_glog_log_dir(capsys, monkeypatch, tmp_path, reinstall) -> None:
    monkeypatch.setenv("GLOG_log_dir", str(tmp_path))
    monkeypatch.setenv("GLOG_logtostderr", "1")
    reinstall()
    assert os.listdir(tmp_path) == []
    monkeypatch.setenv("GLOG_logtostderr", "0")
    reinstall()
    glog.logger.info("kept")
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(LINE, path.read_text())
    assert "kept" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_a_warning(capsys, monkeypatch, reinstall) -> None:
    monkeypatch.setenv("GLOG_log_dir", "no/such/folder")
    reinstall()
    assert re.match(r"W.*Could not create a log file in GLOG_log_dir", capsys.readouterr().err)


def test_a_full_disk_is_one_warning(capsys, monkeypatch, tmp_path, reinstall) -> None:
    monkeypatch.setenv("GLOG_log_dir", str(tmp_path))
    reinstall()
    (handler,) = (h for h in glog.logger.handlers if isinstance(h, glog.LogFileHandler))
    handler.stream.close()
    handler.stream = open("/dev/full", "w")  # noqa: SIM115
    for _ in range(3):
        glog.logger.info("goes on")
    err = capsys.readouterr().err
    assert re.findall(r"\] (.*)", err) == [
        "goes on",
        f"Could not write to the log file {handler.baseFilename}: [Errno 28] No space left on "
        "device. The log goes on without it",
        "goes on",
        "goes on",
    ]
    assert len(err.splitlines()) == 4


def test_a_closed_stderr_is_no_trouble(monkeypatch) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr("sys.stderr", stream)
        glog.logger.info("nobody reads this")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_line_stays_below_the_log(monkeypatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    glog.status("half done")
    glog.logger.info("a line")
    glog.status("")
    parts = terminal.getvalue().split("\r\x1b[K")
    assert parts[1] == "half done"
    assert re.fullmatch(LINE + "half done", parts[2])
    assert parts[3] == ""


def test_no_progress_line_in_a_file(monkeypatch) -> None:
    redirected = io.StringIO()
    monkeypatch.setattr("sys.stderr", redirected)
    glog.status("half done")
    glog.logger.info("a line")
    assert "\r" not in redirected.getvalue()
