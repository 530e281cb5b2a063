"""Finds the first mistake in a prototxt and says what it is.

protobuf's own errors differ from version to version and know neither the nearest name nor where
the brace was opened that is missing its end. So when text_format refuses a text, this walks
through it again, beside the schema, until something does not fit.
"""

from typing import Any, NamedTuple, NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from .hints import Opened, hint_for_field, hint_for_value, misfit
from .schema import is_repeated
from .tokens import Token, tokenize

_CLOSING = {"{": "}", "<": ">"}
# Written in a convolution_param by Caffe's printed tutorial; read as kernel_size.
SLIP, MEANT = "kernelsize", "kernel_size"


class Mistake(NamedTuple):
    """Where a text does not fit, and why."""

    line: int
    column: int
    what: str


def find_mistake(text: str, descriptor: Any) -> Mistake | None:
    """The first mistake in the text of a message; None where this walk finds none."""
    try:
        _Walk(text).text(descriptor)
    except _Found as found:
        return found.mistake
    return None


class _Found(Exception):
    def __init__(self, token: Token, what: str):
        self.mistake = Mistake(token.line, token.column, what)


class _Walk:
    """Takes token after token and raises _Found at the first that does not fit."""

    def __init__(self, text: str):
        self.tokens = (token for token in tokenize(text) if token.kind != "comment")
        self.token = next(self.tokens)
        self.opened: list[Opened] = []
        self.closed: Opened | None = None

    def fail(self, token: Token, what: str) -> NoReturn:
        if token.text in ('"', "'"):
            what = "this string is not closed on its line"
        raise _Found(token, what)

    def take(self) -> Token:
        token = self.token
        self.token = next(self.tokens, token)
        return token

    def accept(self, *texts: str) -> bool:
        if self.token.text not in texts:
            return False
        self.take()
        return True

    def text(self, descriptor: Descriptor) -> None:
        """The whole text: the fields of a message without braces."""
        self.opened.append(Opened(descriptor, 0))
        given: dict[str, Token] = {}
        while self.token.kind != "end":
            self.field(descriptor, given)

    def message(self, name: str, descriptor: Descriptor) -> None:
        """The fields of the message `name` between its braces."""
        brace = self.take()
        self.opened.append(Opened(descriptor, brace.line))
        given: dict[str, Token] = {}
        while self.token.text != _CLOSING[brace.text]:
            if self.token.kind == "end":
                self.fail(brace, f"the '{brace.text}' of this {name} is never closed")
            self.field(descriptor, given)
        self.opened.pop()
        self.closed = Opened(descriptor, self.take().line)

    def field(self, owner: Descriptor, given: dict[str, Token]) -> None:
        """One field of a message, and the comma that may follow it."""
        name = self.take()
        if name.text in _CLOSING.values():
            self.fail(name, f"this '{name.text}' closes nothing that is open")
        if name.kind != "word":
            self.fail(name, f"expected the name of a field, found {name.text}")
        meant = MEANT if name.text == SLIP and MEANT in owner.fields_by_name else name.text
        field = owner.fields_by_name.get(meant)
        if field is None:
            hint = hint_for_field(name.text, bool(given), self.opened, self.closed)
            self.fail(name, f"{owner.name} has no field '{name.text}'{hint}")
        if meant in given and not is_repeated(field):
            first = given[meant].line
            self.fail(name, f"{owner.name}.{meant} is given twice, first in line {first}")
        given[meant] = name
        bare = not self.accept(":") and field.message_type is None
        if bare and not misfit(field, self.token):
            self.fail(self.token, f"expected ':' after {meant}, found {self.token.text}")
        if is_repeated(field) and self.accept("["):
            self.values(owner, field)
        else:
            self.value(owner, field)
        self.accept(",", ";")

    def values(self, owner: Descriptor, field: FieldDescriptor) -> None:
        """The rest of a list in brackets."""
        if self.accept("]"):
            return
        self.value(owner, field)
        while not self.accept("]"):
            if not self.accept(","):
                self.fail(self.token, f"expected ',' or ']', found {self.token.text or 'the end'}")
            self.value(owner, field)

    def value(self, owner: Descriptor, field: FieldDescriptor) -> None:
        """One value of a field."""
        expected = misfit(field, self.token)
        if expected:
            found = f"expects {expected}, found {self.token.text or 'the end'}"
            hint = hint_for_value(owner, field, self.token)
            self.fail(self.token, f"{owner.name}.{field.name} {found}{hint}")
        if field.message_type is not None:
            self.message(field.name, field.message_type)
            return
        token = self.take()
        while token.kind == "string" and self.token.kind == "string":
            self.take()
