"""Flags in all of gflags' spellings."""

import pytest

from caffe.errors import CaffeError
from caffe.tools.flags import Flag, parse_flags, usage

FLAGS = (
    Flag("solver", "", "a file"),
    Flag("sigint_effect", "stop", "an effect"),
    Flag("iterations", 50, "a number"),
    Flag("fast", False, "yes or no"),
    Flag("nice", True, "yes or no"),
)


def parse(*arguments: str) -> tuple[dict, list[str]]:
    return parse_flags(arguments, FLAGS)


@pytest.mark.parametrize(
    "arguments", [["--solver=x"], ["-solver=x"], ["--solver", "x"], ["-solver", "x"]]
)
def test_spellings(arguments) -> None:
    for line in (["train", *arguments], [*arguments, "train"]):
        values, others = parse(*line)
        assert values["solver"] == "x"
        assert others == ["train"]


def test_defaults_and_types() -> None:
    values, others = parse()
    assert values == {
        "solver": "",
        "sigint_effect": "stop",
        "iterations": 50,
        "fast": False,
        "nice": True,
    }
    assert others == []
    assert parse("--iterations=-3")[0]["iterations"] == -3
    assert parse("--iterations", "-3")[0]["iterations"] == -3
    assert parse("--solver=a=b")[0]["solver"] == "a=b"
    assert parse("--sigint-effect=none")[0]["sigint_effect"] == "none"
    assert parse("--solver=a", "--solver=b")[0]["solver"] == "b"


def test_yes_or_no() -> None:
    assert parse("--fast", "train") == (parse("--fast")[0], ["train"])
    assert parse("-fast")[0]["fast"] is True
    assert parse("--fast=true")[0]["fast"] is True
    assert parse("--nice=0")[0]["nice"] is False
    assert parse("--nonice")[0]["nice"] is False
    assert parse("-nonice")[0]["nice"] is False


def test_h_is_short_for_help() -> None:
    assert parse_flags(["-h"], (Flag("help", False, "show this help"),))[0] == {"help": True}


def test_two_dashes_end_the_flags() -> None:
    assert parse("--fast", "--", "--solver=x")[1] == ["--solver=x"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--slover=x", "unknown command line flag 'slover'; did you mean '--solver'"),
        ("--nosolver", "unknown command line flag 'nosolver'"),
        ("--zzz", "unknown command line flag 'zzz'; see --help"),
        ("--solver", "flag '--solver' is missing its argument"),
        ("--iterations=many", "illegal value 'many' for flag '--iterations': use a whole number"),
        ("--fast=maybe", "illegal value 'maybe' for flag '--fast'"),
    ],
)
def test_what_does_not_fit(argument, message) -> None:
    with pytest.raises(CaffeError, match=message):
        parse(argument)


def test_usage_names_every_flag() -> None:
    text = usage(FLAGS)
    for flag in FLAGS:
        assert f"--{flag.name}" in text
        assert flag.help in text
    assert "(default: 50)" in text
