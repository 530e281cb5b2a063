"""What to say of a name or a value in a prototxt that does not fit the schema."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf import text_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from ..errors import nearest
from . import caffe_pb2
from .tokens import Token

_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_FLOATS = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)
_LAYER = caffe_pb2.LayerParameter.DESCRIPTOR
_OLD_LAYER = caffe_pb2.V1LayerParameter.DESCRIPTOR
_FILES = {
    "a net": caffe_pb2.NetParameter.DESCRIPTOR,
    "a solver": caffe_pb2.SolverParameter.DESCRIPTOR,
}
_SURROGATE = re.compile("[\ud800-\udfff]")  # a byte that is not UTF-8, as Python decodes it
_FEW = 8  # names that still fit in a line


class Opened(NamedTuple):
    """A message of the text: its type, and the line of its brace (0 for the whole text)."""

    descriptor: Descriptor
    line: int


def hint_for_field(name: str, given: bool, opened: list[Opened], closed: Opened | None) -> str:
    """Why the innermost message may hold a field that its type does not have.

    name: of the field; given: whether the message holds other fields before it; opened: the
    messages around it, outermost first; closed: the message that ended last, and its last line.
    """
    here = opened[-1].descriptor
    for kind, other in _FILES.items():
        if len(opened) == 1 and not given and name in other.fields_by_name:
            return f"; this file describes {kind}, where a {here.name} was expected"
    for outer in reversed(opened[:-1]):
        if name in outer.descriptor.fields_by_name:
            return (
                f", but {outer.descriptor.name} has; "
                f"is the brace of line {opened[-1].line} not closed?"
            )
    if closed is not None and name in closed.descriptor.fields_by_name:
        return (
            f", but {closed.descriptor.name} has; is its brace closed too early, "
            f"in line {closed.line}?"
        )
    if here.name == "LayerParameter" and name in _OLD_LAYER.fields_by_name:
        return "; it belongs to the old form of a layer, layers { ... }"
    if here.name == "V1LayerParameter" and name in _LAYER.fields_by_name:
        return "; it belongs to today's form of a layer, layer { ... }"
    return _nearest(name, here.fields_by_name) + _note_on_form(here)


def hint_for_value(owner: Descriptor, field: FieldDescriptor, token: Token) -> str:
    """What may have been meant by a value that does not fit its field."""
    hint = ""
    if field.enum_type is not None:
        hint = _nearest(token.text.strip("\"'").upper(), field.enum_type.values_by_name)
    return hint + _note_on_form(owner)


def misfit(field: FieldDescriptor, token: Token) -> str:
    """What a field expects where no value of its begins with the token; empty where one does."""
    if field.message_type is not None:
        return "" if token.text in ("{", "<") else "'{'"
    if field.enum_type is not None:
        names, numbers = field.enum_type.values_by_name, field.enum_type.values_by_number
        fits = token.text in names or (token.text.isdigit() and int(token.text) in numbers)
        return "" if fits else _choice(field.enum_type)
    if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        if token.kind != "string":
            return "a string in quotes"
        return "UTF-8" if _SURROGATE.search(token.text) else ""
    try:
        if field.type == FieldDescriptor.TYPE_BOOL:
            expected = "true or false"
            text_format.ParseBool(token.text)
        elif field.type in _FLOATS:
            expected = "a number"
            text_format.ParseFloat(token.text)
        else:
            low, high = _INTEGERS[field.type]
            expected = "an integer"
            value = text_format.ParseInteger(token.text, is_signed=True, is_long=True)
            if not low <= value <= high:
                return f"an integer from {low} to {high}"
    except ValueError:
        return expected
    return ""


def _choice(enum: EnumDescriptor) -> str:
    names = list(enum.values_by_name)
    if len(names) > _FEW:
        return f"a {enum.name} without quotes"
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _nearest(name: str, names: Iterable[str]) -> str:
    near = nearest(name, names)
    return f"; did you mean '{near}'?" if near else ""


def _note_on_form(owner: Descriptor) -> str:
    if owner.name != "V1LayerParameter":
        return ""
    return " (layers { ... } is the old form of a layer; today's is layer { ... })"
