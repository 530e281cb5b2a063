"""The command `caffe`: what it logs, what it refuses, how it ends."""

import re
import signal
import subprocess
import sys

import pytest
from solver_testing import DATA_NET, caffe_command, run_caffe, write_training

import caffe
from caffe.tools.caffe import COMMANDS, main

TRAINING = 'base_lr: 0.02 lr_policy: "fixed" momentum: 0.9 random_seed: 5 '
FATAL = re.compile(r"F\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ \w+\.py:\d+\] (.*)\n")


@pytest.fixture
def folder(tmp_path):
    """Databases, net and a short solver."""
    write_training(tmp_path, TRAINING + "max_iter: 4 display: 2 snapshot: 2")
    return tmp_path


def fatal(capsys, *arguments: str) -> str:
    """The one line in which a command ends that cannot do its work."""
    assert main(arguments) == 1
    err = capsys.readouterr().err
    lines = FATAL.findall(err)
    assert len(lines) == 1, err
    assert err.endswith(lines[0] + "\n")
    assert "Traceback" not in err
    return lines[0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train", "Need a solver definition to train."),
        ("train --solver=a --snapshot=b --weights=c", "Give a snapshot to resume training or wei"),
        ("train --solver=missing.prototxt", "missing.prototxt: no such file"),
        ("train --solver=a --sigint_effect=halt", 'Invalid signal effect "halt" was specified'),
        ("test", "Need a model definition to score."),
        ("test --model=a", "Need model weights to score."),
        ("time", "Need a model definition to time."),
        ("time --model=a --phase=BOTH", 'phase must be "TRAIN" or "TEST"'),
        ("time --model=a --iterations=0", "--iterations=0: it must be positive"),
        ("tarin", "Unknown action: tarin; did you mean 'train'?"),
        ("train --solver=a --minloglevel=xx", "--minloglevel=xx: use 0, 1, 2 or 3"),
        ("train again", "unexpected argument 'again'"),
        ("train --slover=a", "unknown command line flag 'slover'; did you mean '--solver'?"),
    ],
)
def test_refusals(capsys, line, message) -> None:
    assert fatal(capsys, *line.split()).startswith(message)


def test_help(capsys) -> None:
    for argument in ("--help", "-h", "help"):
        assert main([argument]) == 0
        out = capsys.readouterr().out
        assert "usage: caffe COMMAND FLAGS" in out
        assert "--sighup_effect" in out
        assert "examples:" in out
    assert main([]) == 1
    assert "usage" in capsys.readouterr().err


def test_version(capsys) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"caffe version {caffe.__version__}\n"


def test_nobody_reads_the_help() -> None:
    process = caffe_command("--help")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


def test_an_interrupt_while_python_still_imports_is_one_line(tmp_path) -> None:
    (tmp_path / "numba.py").write_text("raise KeyboardInterrupt")
    code, _, err = run_caffe("device_query", env={"PYTHONPATH": str(tmp_path)})
    assert (code, err) == (1, "Interrupted\n")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "out of memory"),
        (MemoryError("Unable to allocate 9 TiB"), "out of memory: Unable to allocate 9 TiB"),
        (OSError(), "OSError"),
        (PermissionError("not here"), "not here"),
    ],
)
def test_errors_of_the_system_are_one_line(capsys, monkeypatch, error, message) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setitem(COMMANDS, "device_query", fail)
    assert fatal(capsys, "device_query") == message


def test_train_and_resume(capsys, folder) -> None:
    assert main(["train", "-solver", f"{folder}/solver.prototxt"]) == 0
    err = capsys.readouterr().err
    assert "Use CPU." in err
    assert "Starting Optimization" in err
    assert err.count("Optimization Done.") == 2
    assert (folder / "snap_iter_4.solverstate").exists()
    whole = (folder / "snap_iter_4.caffemodel").read_bytes()
    state = f"{folder}/snap_iter_2.solverstate"
    assert main([f"--solver={folder}/solver.prototxt", f"-snapshot={state}", "train"]) == 0
    err = capsys.readouterr().err
    assert f"Resuming from {state}" in err
    assert "Iteration 2 (" in err
    assert "Iteration 0 (" not in err
    assert (folder / "snap_iter_4.caffemodel").read_bytes() == whole


def test_train_from_weights(capsys, folder) -> None:
    solver = f"--solver={folder}/solver.prototxt"
    assert main(["train", solver]) == 0
    weights = f"{folder}/snap_iter_2.caffemodel,{folder}/snap_iter_4.caffemodel"
    assert main(["train", solver, "--weights", weights]) == 0
    assert f"Finetuning from {folder}/snap_iter_4.caffemodel" in capsys.readouterr().err
    assert fatal(capsys, "train", solver, "--weights=no.caffemodel").startswith("no.caffemodel")
    assert fatal(capsys, "train", solver, "--snapshot=no.solverstate").startswith("no.solverstate")
    state = f"{folder}/snap_iter_2.solverstate"
    assert "give the .caffemodel beside it" in fatal(capsys, "train", solver, f"--weights={state}")
    model = f"{folder}/snap_iter_2.caffemodel"
    assert "give the .solverstate beside it" in fatal(
        capsys, "train", solver, f"--snapshot={model}"
    )


def test_a_gpu_solver_trains_on_the_cpu_with_one_warning(capsys, folder) -> None:
    path = write_training(folder, TRAINING + "max_iter: 1 solver_mode: GPU")
    assert main(["train", f"--solver={path}"]) == 0
    warnings = re.findall(r"^W\d{4} .*", capsys.readouterr().err, re.M)
    assert len(warnings) == 1
    assert "solver_mode: GPU" in warnings[0]


def test_level_and_stage_select_layers(capsys, folder) -> None:
    net = DATA_NET.replace("FOLDER", str(folder)).replace(
        'layer { name: "loss"',
        'layer { name: "extra" type: "Silence" bottom: "ip2" '
        'include { stage: "deep" min_level: 2 } }\nlayer { name: "loss"',
    )
    (folder / "net.prototxt").write_text(net)
    for flags, expected in (([], False), (["--level=2", "--stage=wide,deep"], True)):
        assert main(["train", f"--solver={folder}/solver.prototxt", *flags]) == 0
        assert ("Creating layer extra" in capsys.readouterr().err) == expected


def test_score(capsys, folder) -> None:
    main(["train", f"--solver={folder}/solver.prototxt"])
    capsys.readouterr()
    weights = f"--weights={folder}/snap_iter_4.caffemodel"
    assert main(["test", f"--model={folder}/net.prototxt", weights, "-iterations", "3"]) == 0
    err = capsys.readouterr().err
    assert "Running for 3 iterations." in err
    batches = [float(x) for x in re.findall(r"Batch \d, accuracy = (\S+)", err)]
    assert len(batches) == 3
    mean = float(re.findall(r"\] accuracy = (\S+)", err)[0])
    assert mean == pytest.approx(sum(batches) / 3, rel=1e-4)
    loss = re.findall(r"\] Loss: (\S+)", err)[0]
    assert f"] loss = {loss} (* 1 = {loss} loss)" in err


def test_time(capsys, folder) -> None:
    assert main(["time", "--model", f"{folder}/net.prototxt", "--iterations=2"]) == 0
    err = capsys.readouterr().err
    for pattern in (
        r"\*\*\* Benchmark begins \*\*\*",
        r"Testing for 2 iterations\.",
        r"Iteration: 2 forward-backward time: \S+ ms\.",
        r"Average time per layer: ",
        r"       ip1\tforward: \S+ ms\.",
        r"       ip1\tbackward: \S+ ms\.",
        r"Average Forward pass: \S+ ms\.",
        r"Average Backward pass: \S+ ms\.",
        r"Average Forward-Backward: \S+ ms\.",
        r"Total Time: \S+ ms\.",
        r"\*\*\* Benchmark ends \*\*\*",
    ):
        assert re.search(rf"\] {pattern}$", err, re.M), pattern


def test_device_query(capsys) -> None:
    assert main(["device_query", "--gpu=all"]) == 0
    assert "No CUDA device" in capsys.readouterr().err


def test_trouble_while_training_is_one_line(capsys, folder) -> None:
    """A loss that is not finite: earlier snapshots stay, no traceback."""
    path = write_training(folder, TRAINING.replace("0.02", "1e30") + "max_iter: 50 snapshot: 1")
    message = fatal(capsys, "train", f"--solver={path}")
    assert re.match(r"Iteration \d+: .*(NaN|infinity).* layer '\w+'", message)


def test_an_interrupt_outside_the_loop_is_one_line(capsys, folder, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("caffe.tools.caffe.get_solver", interrupt)
    assert fatal(capsys, "train", f"--solver={folder}/solver.prototxt").startswith("Interrupted")


def test_a_bug_keeps_its_traceback(folder, monkeypatch) -> None:
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("caffe.tools.caffe.get_solver", bug)
    with pytest.raises(ZeroDivisionError):
        main(["train", f"--solver={folder}/solver.prototxt"])


def test_the_log_goes_to_a_folder_too(folder) -> None:
    logs = folder / "logs"
    logs.mkdir()
    code, _, err = run_caffe(
        "train", f"--solver={folder}/solver.prototxt", f"--log_dir={logs}", "--minloglevel=0"
    )
    assert code == 0
    (path,) = logs.iterdir()
    assert path.read_text().count("Optimization Done.") == 2
    assert "\r" not in err
    code, _, err = run_caffe("train", "--solver=no", env={"GLOG_minloglevel": "3"})
    assert code == 1
    assert FATAL.fullmatch(err)


@pytest.mark.parametrize(
    ("number", "effect", "stops"),
    [
        (signal.SIGINT, "stop", True),
        (signal.SIGINT, "snapshot", False),
        (signal.SIGHUP, "snapshot", False),
        (signal.SIGHUP, "stop", True),
        (signal.SIGINT, "none", False),
    ],
)
def test_signals(folder, number, effect, stops) -> None:
    path = write_training(folder, TRAINING + "max_iter: 3000 display: 50")
    flag = "--sigint_effect" if number == signal.SIGINT else "--sighup_effect"
    process = caffe_command("train", f"--solver={path}", f"{flag}={effect}")
    log = ""
    for line in process.stderr:
        log += line
        if "Iteration 100 (" in line:
            process.send_signal(number)
    process.wait()
    process.stderr.close()
    process.stdout.close()
    assert process.returncode == 0, log
    assert "Traceback" not in log
    assert ("Optimization stopped early." in log) == stops
    snapshots = {int(p.stem.rsplit("_", 1)[1]) for p in folder.glob("snap_iter_*.solverstate")}
    at_signal = {n for n in snapshots if 100 <= n < 3000}
    assert len(at_signal) == (0 if effect == "none" else 1)
    assert (3000 in snapshots) != stops


def test_handlers_are_restored(folder) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
    assert main(["train", f"--solver={folder}/solver.prototxt"]) == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)] == before


def test_running_the_file_itself(folder) -> None:
    done = subprocess.run(
        [sys.executable, f"{caffe.__path__[0]}/tools/caffe.py", "device_query"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "No CUDA device" in done.stderr


def test_before_the_install_one_line_says_so() -> None:
    # -S leaves the installed packages out.
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tools.caffe", "train"],
        cwd=caffe.__path__[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(r"No module named .*pip install -e \.\n", done.stderr)
