"""The command `caffe`: train, test and time nets, as BVLC Caffe's."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    # Run as a file, Python would take this very file for the package `caffe`.
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != _HERE]

try:
    import numpy as np

    from caffe import __version__, glog
    from caffe.errors import CaffeError, suggestion
    from caffe.glog import logger
    from caffe.layers.layer import TEST, TRAIN
    from caffe.net.net import Net
    from caffe.proto.upgrade import read_solver_param
    from caffe.solver import get_solver
    from caffe.solver.nets import load_weights
    from caffe.solver.outputs import Outputs
    from caffe.tools.command import run
    from caffe.tools.devices import choose_device, query_devices
    from caffe.tools.flags import Flag, parse_flags, usage
    from caffe.tools.progress import Progress
    from caffe.tools.signals import SignalHandler, signal_effect
    from caffe.tools.timing import time_net
except ImportError as error:
    sys.exit(f"{error}; install numba-caffe first: cd {_HERE.parent} && pip install -e .")
except KeyboardInterrupt:
    sys.exit("Interrupted")

FLAGS = (
    Flag("solver", "", "the solver prototxt to train with"),
    Flag("model", "", "the net prototxt to test or to time"),
    Flag("weights", "", "weights to start from or to test: .caffemodel files, commas between them"),
    Flag("snapshot", "", "the .solverstate to resume training from"),
    Flag("iterations", 50, "how many batches to test or to time"),
    Flag("phase", "", "TRAIN or TEST: the phase of the net to time (default: TRAIN)"),
    Flag("level", 0, "the level of the net, for the include and exclude rules of its layers"),
    Flag("stage", "", "the stages of the net, commas between them, for the same rules"),
    Flag("gpu", "", "the GPU to use, by number (default: as the solver says, else the CPU)"),
    Flag("sigint_effect", "stop", "what SIGINT (Ctrl-C) does: snapshot, stop or none"),
    Flag("sighup_effect", "snapshot", "what SIGHUP does: snapshot, stop or none"),
    Flag("minloglevel", "", "log only from this level: 0 all, 1 warnings, 2 errors, 3 fatal"),
    Flag("log_dir", "", "also write the log to a file in this folder"),
    Flag("logtostderr", False, "log to stderr only, whatever log_dir says"),
    Flag("alsologtostderr", True, "log to stderr, which is always done"),
    Flag("version", False, "show the version"),
    Flag("help", False, "show this help"),
)

HELP = f"""usage: caffe COMMAND FLAGS

commands:
  train           train a net, or go on training it
  test            score a net
  time            measure how long each layer takes
  device_query    show the GPUs
  help            show this help

flags (as --name=value, --name value, -name=value or -name value):
{usage(FLAGS)}

examples:
  caffe train --solver=examples/mnist/lenet_solver.prototxt
  caffe train --solver=lenet_solver.prototxt --snapshot=lenet_iter_5000.solverstate
  caffe train --solver=finetune_solver.prototxt --weights=lenet_iter_10000.caffemodel
  caffe test --model=lenet_train_test.prototxt --weights=lenet_iter_10000.caffemodel \
--iterations=100
  caffe time --model=lenet_train_test.prototxt --iterations=10 --gpu=0"""


def train(flags: dict[str, Any]) -> None:
    """Train the net of a solver, from the start, from weights or from a snapshot."""
    if not flags["solver"]:
        raise CaffeError("Need a solver definition to train. Give --solver=FILE")
    if flags["snapshot"] and flags["weights"]:
        raise CaffeError("Give a snapshot to resume training or weights to finetune but not both.")
    handler = SignalHandler(
        *(signal_effect(f, flags[f]) for f in ("sigint_effect", "sighup_effect"))
    )
    param = read_solver_param(flags["solver"])
    param.train_state.level = flags["level"]
    param.train_state.stage.extend(_stages(flags))
    choose_device(flags["gpu"], param)
    if flags["snapshot"] or flags["weights"]:
        param.weights[:] = [flags["weights"]] if flags["weights"] else []
    solver = get_solver(param)
    solver.action_function = handler.action
    if flags["snapshot"]:
        logger.info("Resuming from %s", flags["snapshot"])
        solver.restore(flags["snapshot"])
    logger.info("Starting Optimization")
    with handler, Progress(solver):
        solver.solve()
    logger.info("Optimization Done.")


def test(flags: dict[str, Any]) -> None:
    """Log a net's outputs for a number of batches, and their means."""
    if not flags["model"]:
        raise CaffeError("Need a model definition to score. Give --model=FILE")
    if not flags["weights"]:
        raise CaffeError("Need model weights to score. Give --weights=FILE")
    choose_device(flags["gpu"])
    net = Net(flags["model"], TEST, level=flags["level"], stages=_stages(flags))
    load_weights(net, [flags["weights"]])
    count = flags["iterations"]
    logger.info("Running for %d iterations.", count)
    outputs = Outputs(net)
    total, loss = np.zeros(len(outputs.names)), 0.0
    for batch in range(count):
        loss += net.forward_loss()
        values = outputs.values()
        total += values
        for name, value in zip(outputs.names, values, strict=True):
            logger.info("Batch %d, %s = %g", batch, name, value)
    logger.info("Loss: %g", loss / count)
    for line in outputs.lines(total / count):
        logger.info("%s", line)


def time(flags: dict[str, Any]) -> None:
    """Log how long each layer takes, and what share of the machine's peak that is."""
    if not flags["model"]:
        raise CaffeError("Need a model definition to time. Give --model=FILE")
    phases = {"": TRAIN, "TRAIN": TRAIN, "TEST": TEST}
    if flags["phase"] not in phases:
        raise CaffeError(f'phase must be "TRAIN" or "TEST", not "{flags["phase"]}"')
    choose_device(flags["gpu"])
    net = Net(flags["model"], phases[flags["phase"]], level=flags["level"], stages=_stages(flags))
    time_net(net, flags["iterations"])


def device_query(flags: dict[str, Any]) -> None:
    """Say which GPUs there are to use."""
    query_devices(flags["gpu"])


COMMANDS = {"train": train, "test": test, "time": time, "device_query": device_query}


def _stages(flags: dict[str, Any]) -> list[str]:
    return [stage for stage in flags["stage"].split(",") if stage]


def _configure_log(flags: dict[str, Any]) -> None:
    if flags["minloglevel"] not in ("", "0", "1", "2", "3"):
        raise CaffeError(f"--minloglevel={flags['minloglevel']}: use 0, 1, 2 or 3")
    given = [name for name in ("minloglevel", "log_dir", "logtostderr") if flags[name]]
    for name in given:
        os.environ[f"GLOG_{name}"] = str(flags[name])
    if given:
        glog.install()


def _run(arguments: Sequence[str]) -> int:
    flags, commands = parse_flags(arguments, FLAGS)
    if flags["help"] or commands[:1] == ["help"]:
        print(HELP)
        return 0
    if flags["version"]:
        print(f"caffe version {__version__}")
        return 0
    if not commands:
        print(HELP, file=sys.stderr)
        return 1
    _configure_log(flags)
    name = commands[0]
    if name not in COMMANDS:
        raise CaffeError(f"Unknown action: {name}; {suggestion(name, COMMANDS)}")
    if len(commands) > 1:
        raise CaffeError(f"unexpected argument '{commands[1]}'; a flag begins with --")
    if flags["iterations"] < 1:
        raise CaffeError(f"--iterations={flags['iterations']}: it must be positive")
    COMMANDS[name](flags)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line. Returns the exit code: 1, after one line that says why, for trouble that
    the user can mend."""
    return run(_run, arguments)


if __name__ == "__main__":
    sys.exit(main())
