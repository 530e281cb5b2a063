"""Reading and printing protobuf's text format, as Caffe's .prototxt files use it.

Reading is protobuf's own text_format, with three things around it: `//` begins a comment, as in
the models that Caffe's tutorials print; `kernelsize` in a convolution_param or pooling_param, a
slip of such a tutorial, is read as `kernel_size`; and a mistake is told with its file, line and
column, what was expected, and the nearest name (see mistakes.py).

Printing gives what Caffe's C++ prints: fields in the order of their numbers, 1 rather than 1.0.
"""

import os
import re
from typing import Any, TypeVar

import numpy as np
from google.protobuf import text_encoding, text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ..errors import CaffeError
from ..glog import logger
from .files import read_bytes
from .mistakes import MEANT, SLIP, find_mistake
from .schema import is_repeated
from .tokens import tokenize

M = TypeVar("M", bound=Message)

_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_SLIP_HOLDERS = ("convolution_param", "pooling_param")
_POSITION = re.compile(r"^(\d+:\d+) : ")


def read_prototxt(path: str | os.PathLike[str], message: M) -> M:
    """Fill `message` from the text file at `path` and return it.

    Raises CaffeError for a file that is missing or binary, or whose text does not fit.
    """
    content = read_bytes(path)
    if _BINARY.search(content):
        raise CaffeError(
            f"{path}: is a binary file, where a prototxt was expected (a text file that "
            f"describes a {message.DESCRIPTOR.name})"
        )
    # Caffe never minded the encoding of a comment.
    return parse(content.decode("utf-8-sig", "surrogateescape"), message, str(path))


def parse(text: str, message: M, source: str) -> M:
    """Fill `message` from a text and return it; `source` names the text in errors."""
    try:
        text_format.Parse(_tolerate(text, source), message)
    except text_format.ParseError as error:
        mistake = find_mistake(text, message.DESCRIPTOR)
        if mistake is None:
            what = _POSITION.sub(r"\1: ", str(error))
        else:
            what = f"{mistake.line}:{mistake.column}: {mistake.what}"
        raise CaffeError(f"{source}:{_printable(what)}") from error
    if not message.IsInitialized():
        missing = ", ".join(message.FindInitializationErrors())  # type: ignore[attr-defined]
        raise CaffeError(f"{source}: required, but not given: {missing}")
    return message


def format_message(message: Message, indent: str = "") -> str:
    """The text of a message as Caffe prints it, one field a line."""
    lines = []
    for field, value in message.ListFields():
        for item in value if is_repeated(field) else [value]:
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                inner = format_message(item, indent + "  ")
                lines.append(f"{indent}{field.name} {{\n{inner}{indent}}}\n")
            else:
                lines.append(f"{indent}{field.name}: {_format_scalar(field, item)}\n")
    return "".join(lines)


def format_float(value: float) -> str:
    """A float32 as C++ protobuf prints it: six digits, or nine where it takes more."""
    short = f"{value:.6g}"
    return short if np.float32(float(short)) == np.float32(value) else f"{value:.9g}"


def _format_scalar(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        encoded = value.encode() if isinstance(value, str) else value
        return f'"{text_encoding.CEscape(encoded, False)}"'
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "true" if value else "false"
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return format_float(value)
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        short = f"{value:.15g}"
        return short if float(short) == value else f"{value:.17g}"
    return str(value)


def _tolerate(text: str, source: str) -> str:
    """The text with `#` for the comment sign `//`, and kernel_size for kernelsize."""
    pieces = []
    done = 0
    word = ""
    holders: list[str] = []
    slips: list[str] = []
    for token in tokenize(text):
        if token.kind == "comment" and token.text.startswith("//"):
            pieces += [text[done : token.start], "#"]
            done = token.start + 2
        elif token.kind == "word":
            word = token.text
            if word == SLIP and holders and holders[-1] in _SLIP_HOLDERS:
                pieces += [text[done : token.start], MEANT]
                done = token.start + len(SLIP)
                slips.append(str(token.line))
        elif token.text in ("{", "<"):
            holders.append(word)
        elif token.text in ("}", ">") and holders:
            holders.pop()
    if slips:
        logger.warning("%s: '%s' is read as '%s' in line %s", source, SLIP, MEANT, ", ".join(slips))
    return "".join(pieces) + text[done:]


def _printable(text: str) -> str:
    # Bytes that are not UTF-8 came as lone surrogates, which no terminal takes.
    return text.encode("utf-8", "replace").decode()
