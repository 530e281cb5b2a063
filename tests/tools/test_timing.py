"""`caffe time`: the rates beside Caffe's lines."""

import re

import pytest
from net_testing import inner_product, inputs, loss

from caffe.tools import timing
from caffe.tools.caffe import main

WORDS = {"forward": 0, "backward": 1}
RATE = r"(\d+\.\d) MFLOP, \d+\.\d GFLOP/s, \d+ % of peak"
CONVOLUTION = """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 40 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
"""


@pytest.fixture
def timed(tmp_path, capsys, monkeypatch):
    """What is logged for a net's text. The peak is not measured anew each time."""
    monkeypatch.setattr(timing, "multiply_add_peak", lambda threads: 123.4)

    def time(text: str, *flags: str) -> str:
        (tmp_path / "net.prototxt").write_text('name: "net"\n' + text)
        assert main(["time", f"--model={tmp_path}/net.prototxt", "--iterations=2", *flags]) == 0
        return re.sub(r"^.*?\] ", "", capsys.readouterr().err, flags=re.M)

    return time


def test_rates_of_the_layers_that_multiply(timed) -> None:
    net = inputs(data=(10, 5, 12, 12), label=(10,))
    log = timed(net + CONVOLUTION + inner_product("ip", "pool", "ip", 100) + loss("ip"))
    after = log[log.index("*** Benchmark ends ***\n") :]
    assert re.search(r"^Multiply-add peak, measured on \d+ thread\(s\): 123\.4 GFLOP/s$", log, re.M)
    rates = re.findall(rf"^ {{6,8}}(\w+)  (forward|backward): {RATE}$", after, re.M)
    assert rates == [
        ("conv", "forward", "3.6"),  # 10 x 40 x 100 outputs, each of 45 products
        ("conv", "backward", "3.6"),  # the weights' gradient only: the data needs none
        ("ip", "forward", "2.0"),  # 10 x 100 outputs, each of 1000 products
        ("ip", "backward", "4.0"),
    ]
    whole = after[after.index("As in training, a whole pass at a time") :]
    assert re.findall(rf"^ +([\w-]+): \S+ ms, {RATE}$", whole, re.M) == [
        ("forward", "5.6"),
        ("backward", "7.6"),
        ("forward-backward", "13.2"),
    ]


def test_a_net_that_multiplies_nothing(timed) -> None:
    log = timed(
        inputs(data=(2, 3, 4, 4)) + 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }',
        "--phase=TEST",
    )
    assert "MFLOP" not in log
    assert re.search(r"^ +forward-backward: \S+ ms$", log, re.M)
