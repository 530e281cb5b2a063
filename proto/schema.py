"""Questions about the schema that protobuf answers differently from version to version."""

from typing import Any


def is_repeated(field: Any) -> bool:
    """Whether a field may be given several times."""
    if hasattr(field, "is_repeated"):  # came with protobuf 6; `label` went away with 7
        return bool(field.is_repeated)
    return bool(field.label == field.LABEL_REPEATED)
