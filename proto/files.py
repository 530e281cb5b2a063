"""Reading files of protobuf messages, with errors that name the file."""

import os
from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from ..errors import CaffeError
from .schema import is_repeated

M = TypeVar("M", bound=Message)


def relative_to(path: str | os.PathLike[str]) -> str:
    """For the end of an error: the folder that a relative path starts from; empty for others."""
    if os.path.isabs(path):
        return ""
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        folder = "which has been removed"
    return f" (the path is relative to the current folder, {folder})"


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file. Raises CaffeError where there is none, or it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise CaffeError(f"{path}: no such file{relative_to(path)}") from None
    except IsADirectoryError:
        raise CaffeError(f"{path}: is a folder, where a file was expected") from None
    except OSError as error:
        raise CaffeError(f"{path}: cannot be read: {error.strerror}") from error


def read_binary(path: str | os.PathLike[str], message: M) -> M:
    """Fill `message` from its binary form in the file at `path` and return it.

    Raises CaffeError for a file that is missing, empty, cut short, corrupt or of another kind.
    """
    content = read_bytes(path)
    kind = message.DESCRIPTOR.name
    if not content:
        raise CaffeError(f"{path}: is empty, where a binary {kind} was expected")
    unfit = f"{path}: is not a whole binary {kind}: cut short, corrupt, or a file of another kind"
    try:
        message.ParseFromString(content)
    except (DecodeError, UnicodeDecodeError) as error:
        raise CaffeError(unfit) from error
    if not _holds_text(message):
        raise CaffeError(unfit)
    if not message.ListFields():
        raise CaffeError(f"{path}: holds nothing of a {kind}; is it a file of another kind?")
    return message


def _holds_text(message: Message) -> bool:
    # Where the bytes of a string are no text, protobuf's C code hands out the bytes.
    for field, value in message.ListFields():
        values = value if is_repeated(field) else [value]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if not all(_holds_text(inner) for inner in values):
                return False
        elif field.type == FieldDescriptor.TYPE_STRING and bytes in map(type, values):
            return False
    return True
