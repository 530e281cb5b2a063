"""Makes caffe_pb2.py and caffe_pb2.pyi from caffe.proto: `python -m caffe.proto.generate`.

For developers, after a change to caffe.proto; it needs the package grpcio-tools. protoc's own
module refuses to load under a protobuf older than the protoc that made it. Ours holds only the
serialized descriptor and hands it to the library's builder, so that one file serves every
version that pyproject.toml allows. It has a descriptor pool to itself: other packages bring a
caffe.proto of their own, and no pool takes two.
"""

import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent

_MODULE = '''\
# Generated from caffe.proto by generate.py. Do not edit.
"""The messages and enums of caffe.proto."""

from google.protobuf import descriptor_pool as _descriptor_pool
from google.protobuf.internal import builder as _builder

_POOL = _descriptor_pool.DescriptorPool()
DESCRIPTOR = _POOL.AddSerializedFile(
{literal}
)
_builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
_builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())
'''


def module_text(serialized_file: bytes) -> str:
    """The source of caffe_pb2.py for a serialized FileDescriptorProto."""
    pieces = [serialized_file[i : i + 40] for i in range(0, len(serialized_file), 40)]
    return _MODULE.format(literal="\n".join(f"    {piece!r}" for piece in pieces))


def generate(target: Path) -> None:
    """Write both files into the folder `target`."""
    from google.protobuf import descriptor_pb2
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        descriptor_set = Path(folder, "descriptor_set")
        arguments = [
            "protoc",
            f"--proto_path={FOLDER}",
            f"--descriptor_set_out={descriptor_set}",
            f"--pyi_out={target}",
            "caffe.proto",
        ]
        if protoc.main(arguments) != 0:
            raise SystemExit("protoc found mistakes in caffe.proto; nothing was written")
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes())
    schema = files.file[0]
    for message in schema.message_type:
        _drop_json_names(message)
    serialized = schema.SerializeToString(deterministic=True)
    Path(target, "caffe_pb2.py").write_text(module_text(serialized))


def _drop_json_names(message: Any) -> None:
    # They follow from the names.
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _drop_json_names(nested)


if __name__ == "__main__":
    generate(FOLDER)
