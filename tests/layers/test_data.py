"""The Data layer: LMDB records to batches, exact resumes, errors with names."""

import gc
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from kernel_testing import cpu_only
from layer_testing import assert_agrees, make_layer, set_up

from caffe.errors import CaffeError
from caffe.io import array_to_datum
from caffe.io.lmdb_writer import LmdbWriter
from caffe.layers.layer import TEST, TRAIN
from caffe.layers.registry import create_layer
from caffe.proto.caffe_pb2 import NetParameter, SolverState

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
RNG = np.random.default_rng(1701)


def write(path, images, start=0):
    """A database of images; the label of record i is i. An entry of bytes is written as it is."""
    with LmdbWriter(str(path)) as database:
        for i, image in enumerate(images):
            value = image
            if not isinstance(image, bytes):
                value = array_to_datum(image, start + i).SerializeToString()
            database.put(b"%08d" % i, value)
    return str(path)


def random_images(number, shape=(1, 6, 5)):
    return list(RNG.integers(0, 256, (number, *shape), np.uint8))


class Running:
    """A Data layer with its tops."""

    def __init__(self, source, batch_size, more="", transform="", phase=TRAIN, num_top=2):
        self.layer = make_layer(
            f'name: "d" type: "Data" transform_param {{ {transform} }} data_param {{ '
            f'source: "{source}" backend: LMDB batch_size: {batch_size} {more} }}',
            phase,
        )
        _, self.tops = set_up(self.layer, [], num_top)

    def step(self):
        self.layer.forward([], self.tops)
        return [top.data.copy() for top in self.tops]

    def labels(self):
        return self.step()[1].astype(int).tolist()


def test_agrees_with_caffe(monkeypatch):
    monkeypatch.chdir(GOLDEN)
    record = np.load("data_scale_crop.npz")
    param = text_format.Parse(str(record["prototxt"]), NetParameter()).layer[0]
    layer = create_layer(param, int(record["phase"]))
    _, tops = set_up(layer, [], len(param.top))
    layer.forward([], tops)
    for name, blob in zip(param.top, tops, strict=True):
        assert_agrees(blob.data, record[f"batch0_{name}"], name)


def test_log(capsys):
    source = GOLDEN / "mnist_100_lmdb"
    Running(source, 64)
    log = capsys.readouterr().err
    assert f"] Opened lmdb {source}\n" in log
    assert "] output data size: 64,1,28,28\n" in log
    assert "Restarting" not in log


@pytest.mark.parametrize(("count", "batch"), [(1, 1), (1, 4), (5, 2), (7, 7), (6, 3), (3, 10)])
@pytest.mark.parametrize("prefetch", [1, 4])
def test_records_come_in_order_and_go_round(tmp_path, count, batch, prefetch):
    images = random_images(count)
    running = Running(write(tmp_path / "db", images), batch, f"prefetch: {prefetch}")
    for step in range(6):
        data, label = running.step()
        wanted = [i % count for i in range(step * batch, (step + 1) * batch)]
        assert label.tolist() == wanted
        np.testing.assert_array_equal(data, np.stack([images[i] for i in wanted]))
        assert running.layer.record_name(batch - 1) == (
            f"record '{wanted[-1]:08d}' of {tmp_path}/db"
        )


@cpu_only
@pytest.mark.parametrize(
    ("prefetch", "count", "side", "ahead"),
    [(1, 50, 5, 16), (20, 50, 5, 20), (1, 9, 5, 4), (1, 50, 256, 8), (3, 50, 1024, 3)],
)
def test_small_batches_are_read_many_at_a_time(tmp_path, prefetch, count, side, ahead):
    images = random_images(count, (1, side, side))
    running = Running(write(tmp_path / "db", images), 2, f"prefetch: {prefetch}")
    running.step()
    reader, deadline = running.layer._reader, time.monotonic() + 10
    while reader.position < 2 * ahead:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(0.02)
    assert reader.position == 2 * ahead
    assert running.labels() == [2, 3]


def test_data_keeps_its_memory_and_one_top_is_enough(tmp_path):
    running = Running(write(tmp_path / "db", random_images(4)), 2, num_top=1)
    view = running.tops[0].data
    first, _ = running.step()[0], running.step()
    assert running.tops[0].data is view
    assert not np.array_equal(view, first)


def test_float_data_and_large_labels(tmp_path):
    images = [RNG.standard_normal((2, 3, 4)).astype(np.float32) for _ in range(3)]
    running = Running(write(tmp_path / "db", images, start=999), 3)
    data, label = running.step()
    np.testing.assert_array_equal(data, np.stack(images))
    assert label.tolist() == [999, 1000, 1001]


def test_two_layers_read_one_database(tmp_path):
    source = write(tmp_path / "db", random_images(5))
    first, second = Running(source, 2), Running(source, 3)
    assert first.labels() + second.labels() + first.labels() == [0, 1, 0, 1, 2, 2, 3]


def test_size_may_change_from_batch_to_batch(tmp_path):
    images = random_images(1, (1, 6, 5)) + random_images(1, (1, 3, 7))
    running = Running(write(tmp_path / "db", images), 1)
    for i in range(4):
        np.testing.assert_array_equal(running.step()[0][0], images[i % 2])


def test_crop_makes_one_size_of_many(tmp_path):
    images = random_images(1, (1, 6, 5)) + random_images(1, (1, 4, 8))
    running = Running(write(tmp_path / "db", images), 2, transform="crop_size: 4", phase=TEST)
    data = running.step()[0]
    np.testing.assert_array_equal(data[0], images[0][:, 1:5, 0:4])
    np.testing.assert_array_equal(data[1], images[1][:, 0:4, 2:6])


def test_rand_skip(tmp_path, capsys):
    source = write(tmp_path / "db", random_images(10))
    starts = set()
    for _ in range(30):
        running = Running(source, 1, "rand_skip: 4")
        start = running.labels()[0]
        assert f"] Skipping first {start} data points.\n" in capsys.readouterr().err
        assert running.labels() == [start + 1]
        starts.add(start)
    assert starts == {0, 1, 2, 3}


RANDOM = "crop_size: 3 mirror: true scale: 0.5"


@pytest.mark.parametrize("batch", [3, 4, 14])
@pytest.mark.parametrize("served", [0, 1, 5])
def test_resume_is_exact(tmp_path, batch, served):
    source = write(tmp_path / "db", random_images(7))
    whole = Running(source, batch, "rand_skip: 5", RANDOM)
    for _ in range(served):
        whole.step()
    cursor = SolverState.Cursor.FromString(whole.layer.cursor().SerializeToString())
    assert (cursor.layer, cursor.batch) == ("d", served)
    expected = [whole.step() for _ in range(4)]
    assert whole.layer.cursor().batch == served + 4

    resumed = Running(source, batch, "rand_skip: 5", RANDOM)
    resumed.step()  # as a test before training would
    resumed.layer.seek(cursor)
    assert resumed.layer.cursor() == cursor
    for step in expected:
        for array, wanted in zip(resumed.step(), step, strict=True):
            np.testing.assert_array_equal(array, wanted)
    assert resumed.layer.cursor() == whole.layer.cursor()


def test_seeds_differ(tmp_path):
    source = write(tmp_path / "db", random_images(50))
    steps = [Running(source, 50, "", RANDOM).step()[0] for _ in range(2)]
    assert not np.array_equal(*steps)


def test_seek_in_a_database_that_has_shrunk(tmp_path, capsys):
    running = Running(write(tmp_path / "db", random_images(5)), 2)
    running.layer.seek(SolverState.Cursor(record=12, batch=6, seed=1))
    assert "has only 5; is it another database? Going on at record 2" in capsys.readouterr().err
    assert running.labels() == [2, 3]


def test_layers_may_come_and_go(tmp_path):
    source = write(tmp_path / "db", random_images(5))
    for _ in range(100):  # the thread of one may close the database while the next opens it
        assert Running(source, 2).labels() == [0, 1]


@cpu_only
def test_no_thread_outlives_the_layer(tmp_path):
    running = Running(write(tmp_path / "db", random_images(5)), 2)
    assert not [t for t in threading.enumerate() if t.name == "caffe-prefetch"]
    running.step()
    [thread] = [t for t in threading.enumerate() if t.name == "caffe-prefetch"]
    del running
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def bad_record(folder, record, batch=2, transform=""):
    """The error of reading a new database in `folder`, whose third record is `record`."""
    folder.mkdir()
    images = [*random_images(2), record, *random_images(1)]
    running = Running(write(folder / "db", images), batch, transform=transform)
    if batch == 2:
        assert running.labels() == [0, 1]
    for _ in range(2):  # the layer stays usable, and the trouble stays
        with pytest.raises(CaffeError) as caught:
            running.step()
    assert f"record '00000002' of {folder}/db" in str(caught.value)
    assert str(caught.value).startswith("layer 'd' (Data): ")
    return str(caught.value)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_corrupt_record(tmp_path, batch):
    images = random_images(3)
    whole = array_to_datum(images[2], 2).SerializeToString()
    running = Running(write(tmp_path / "db", [*images[:2], whole[:-5]]), batch)
    for _ in range(2 // batch):
        running.step()
    name = re.escape(f"layer 'd' (Data): record '00000002' of {tmp_path}/db is ")
    with pytest.raises(CaffeError, match=name):
        running.step()


def test_records_that_do_not_fit(tmp_path):
    whole = array_to_datum(random_images(1)[0], 2)
    whole.data = whole.data[:-1]
    assert "holds 29 values" in bad_record(tmp_path / "1", whole.SerializeToString())
    whole.encoded = True
    assert "not supported yet" in bad_record(tmp_path / "2", whole.SerializeToString())
    [other_shape] = random_images(1, (1, 5, 6))
    message = bad_record(tmp_path / "3", other_shape, batch=3)
    assert f"is 1x5x6, but the batch begins with record '00000000' of {tmp_path}/3/db" in message
    assert "which is 1x6x5" in message
    [three_channels] = random_images(1, (3, 6, 5))
    message = bad_record(tmp_path / "4", three_channels, batch=3, transform="crop_size: 3")
    assert "is 3x6x5, but the batch begins with" in message
    [small] = random_images(1, (1, 2, 9))
    message = bad_record(tmp_path / "5", small, batch=3, transform="crop_size: 3")
    assert "crop_size 3 is larger than record '00000002'" in message


def test_missing_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = (
        "layer 'd' (Data): there is no LMDB at examples/mnist/mnist_train_lmdb (relative to "
        f"{tmp_path}); make it with python -m tools.create_mnist"
    )
    with pytest.raises(CaffeError, match=f"^{re.escape(expected)}$"):
        Running("examples/mnist/mnist_train_lmdb", 64)


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ('source: "db" batch_size: 1', "backend LEVELDB (the default) is not supported; convert"),
        ('source: "db" batch_size: 1 backend: LEVELDB', "backend LEVELDB is not supported"),
        ('source: "db" backend: LMDB', "data_param.batch_size must be positive"),
        ('source: "db" backend: LMDB batch_size: 1 prefetch: 0', "data_param.prefetch must be"),
        ("batch_size: 1 backend: LMDB", "data_param has no source"),
    ],
)
def test_parameters_that_do_not_fit(param, message):
    layer = make_layer(f'name: "d" type: "Data" data_param {{ {param} }}')
    with pytest.raises(CaffeError, match=re.escape(f"layer 'd' (Data): {message}")) as caught:
        set_up(layer, [], 2)
    assert "\n" not in str(caught.value)


def test_mean_file_that_does_not_fit(tmp_path):
    source = write(tmp_path / "db", random_images(1))
    mean = GOLDEN / "mnist_100_mean.binaryproto"
    with pytest.raises(CaffeError, match="is 1x28x28, but record '00000000' of .* is 1x6x5"):
        Running(source, 1, transform=f'mean_file: "{mean}"')
