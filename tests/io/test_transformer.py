"""transform_param: what is computed, and which parameters contradict each other."""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

from caffe.errors import CaffeError
from caffe.io import array_to_blobproto, blobproto_to_array
from caffe.io.rng import numbered_generator
from caffe.io.transformer import Transformer
from caffe.proto.caffe_pb2 import TEST, TRAIN, BlobProto, TransformationParameter

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
RNG = np.random.default_rng(1701)
IMAGES = RNG.integers(0, 256, (6, 3, 9, 8), np.uint8)


def make(text, phase=TEST):
    return Transformer(text_format.Parse(text, TransformationParameter()), phase)


def apply(transformer, images=IMAGES, seed=0):
    shape = transformer.output_shape(images.shape[1:], "the image")
    out = np.empty((len(images), *shape), np.float32)
    generator = numbered_generator(seed, 0, 0) if transformer.random else None
    places = transformer.places(len(images), images.shape[1:], generator)
    transformer.transform(images, places, out)
    return out


def mean_file(folder, mean):
    path = folder / "mean.binaryproto"
    path.write_bytes(array_to_blobproto(mean).SerializeToString())
    return path


def test_nothing():
    np.testing.assert_array_equal(apply(make("")), IMAGES)


def test_scale_and_one_mean_value():
    expected = (IMAGES.astype(np.float32) - 100) * 0.5
    np.testing.assert_array_equal(apply(make("scale: 0.5 mean_value: 100")), expected)


def test_mean_value_for_each_channel():
    transformer = make("mean_value: 10 mean_value: 20 mean_value: 30")
    expected = IMAGES.astype(np.float32) - np.float32([[[10]], [[20]], [[30]]])
    np.testing.assert_array_equal(apply(transformer), expected)


def test_centre_crop_in_test_phase():
    expected = IMAGES[:, :, 2:7, 1:6]
    np.testing.assert_array_equal(apply(make("crop_size: 5")), expected)


@pytest.mark.parametrize("axes", [3, 4])
def test_mean_file_is_subtracted_before_the_crop(tmp_path, axes):
    mean = RNG.uniform(0, 255, (1, 3, 9, 8)).astype(np.float32)
    path = mean_file(tmp_path, mean if axes == 4 else mean[0])
    expected = (IMAGES - mean)[:, :, 2:7, 1:6] * np.float32(0.25)
    actual = apply(make(f'mean_file: "{path}" crop_size: 5 scale: 0.25'))
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_mean_file_that_caffe_wrote(capsys):
    path = GOLDEN / "mnist_100_mean.binaryproto"
    mean = blobproto_to_array(BlobProto.FromString(path.read_bytes()))
    images = np.zeros((1, 1, 28, 28), np.uint8)
    np.testing.assert_array_equal(apply(make(f'mean_file: "{path}"'), images), -mean)
    assert f"] Loading mean file from: {path}\n" in capsys.readouterr().err


def test_random_crop_in_train_phase():
    found = set()
    for seed in range(20):
        out = apply(make("crop_size: 5", TRAIN), seed=seed)
        for image, crop in zip(IMAGES, out, strict=True):
            places = [
                (top, left)
                for top in range(5)
                for left in range(4)
                if (image[:, top : top + 5, left : left + 5] == crop).all()
            ]
            found.update(places)
            assert len(places) == 1
    assert len(found) == 20  # every place there is


@pytest.mark.parametrize("phase", [TRAIN, TEST])
def test_mirror_by_chance(phase):
    mirrored = 0
    for seed in range(20):
        for image, out in zip(IMAGES, apply(make("mirror: true", phase), seed=seed), strict=True):
            straight = (out == image).all()
            assert straight or (out == image[:, :, ::-1]).all()
            mirrored += not straight
    assert 40 <= mirrored <= 80


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('mean_file: "x" mean_value: 1', "set mean_file or mean_value, not both"),
        ("force_color: true force_gray: true", "set force_color or force_gray, not both"),
        ('mean_file: "/no/mean"', "mean_file: /no/mean: no such file"),
    ],
)
def test_contradictions(text, message):
    with pytest.raises(CaffeError, match=message):
        make(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crop_size: 9", "crop_size 9 is larger than the image, which is 9x8"),
        (
            "mean_value: 1 mean_value: 2",
            "give one mean_value or as many as the image has channels, 3; transform_param has 2",
        ),
    ],
)
def test_images_that_do_not_fit(text, message):
    with pytest.raises(CaffeError, match=message):
        apply(make(text))


def test_mean_files_that_do_not_fit(tmp_path):
    path = mean_file(tmp_path, np.zeros((1, 3, 8, 9)))
    with pytest.raises(CaffeError, match=r"the mean in .* is 3x8x9, but the image is 3x9x8"):
        apply(make(f'mean_file: "{path}"'))
    path = mean_file(tmp_path, np.zeros((3, 8)))
    with pytest.raises(CaffeError, match=r"holds an array of shape \(3, 8\), not an image's"):
        make(f'mean_file: "{path}"')
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(CaffeError, match=r"mean_file: .*mean.binaryproto: is not a whole binary"):
        make(f'mean_file: "{path}"')


def test_force_color_is_for_encoded_images(capsys):
    make("force_gray: true")
    assert "force_color and force_gray only for encoded datum" in capsys.readouterr().err
