"""Image files with wrong bytes: each is decoded, or named in a one-line error."""

import io
import random

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies
from PIL import Image

from trainer import UserError
from trainer.data.checks.unreadable import REMEDY, report_unreadable_images
from trainer.data.images.decoding import decode
from trainer.data.splits import Split

IN_GRAPH = tf.function(decode, input_signature=[tf.TensorSpec([], tf.string)])

SIDE = 8
FEW, MANY = 100, 500
SPLICED = [b"\x00", b"\xff", b"\n", b"Exif\x00\x00", b"eXIf", b"\xff\xe1\x00\x04", 4 * b"\xff"]


def pictures():
    noise = random.Random(0).randbytes(SIDE * SIDE * 3)
    colours = Image.frombytes("RGB", (SIDE, SIDE), noise)
    clear, rotated = colours.convert("RGBA"), Image.Exif()
    clear.putalpha(100)
    rotated[0x0112] = 6
    animation = {"save_all": True, "append_images": [colours.rotate(90)]}
    return [
        (colours, "JPEG", {}),
        (colours, "JPEG", {"exif": rotated}),
        (colours, "JPEG", {"progressive": True}),
        (colours, "PNG", {}),
        (colours, "PNG", {"exif": rotated}),
        (colours.quantize(8), "PNG", {}),
        (colours, "PNG", animation),
        (colours, "GIF", {}),
        (colours, "GIF", animation),
        (colours, "BMP", {}),
        (colours.convert("L"), "BMP", {}),
        (colours, "WEBP", {}),
        (colours, "WEBP", {"lossless": True, "exif": rotated}),
        (clear, "WEBP", {}),
        (clear, "WEBP", animation),
    ]


def written(image, image_format, options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


WHOLE = [written(*picture) for picture in pictures()]


def positions(content):
    """A position in it: half of the time in the first sixty bytes, where headers are."""
    last = len(content) - 1
    return strategies.integers(min(4, last), min(60, last)) | strategies.integers(0, last)


@strategies.composite
def mangled(draw):
    """An image file with bytes changed, deleted, inserted, or taken from another file."""
    content = bytearray(draw(strategies.sampled_from(WHOLE)))
    for _ in range(draw(strategies.integers(1, 4))):
        position = draw(positions(content))
        match draw(strategies.sampled_from(["flip", "cut", "lose", "insert", "swap"])):
            case "flip":
                content[position] ^= draw(strategies.integers(1, 255))
            case "cut":
                del content[position + 1 :]
            case "lose":
                del content[position + 1 : position + draw(strategies.integers(2, 20))]
            case "insert":
                content[position:position] = draw(strategies.sampled_from(SPLICED))
            case "swap":
                content[:position] = draw(strategies.sampled_from(WHOLE))[:position]
    return bytes(content)


def one_image(content):
    return Split(
        name="train",
        examples=1,
        fingerprint="",
        references=lambda: tf.data.Dataset.from_tensors((tf.constant(content), tf.constant(0))),
        read=tf.identity,
        shuffle_buffer_size=1,
        describe="picture {}".format,
    )


def check_pixels_or_one_line(content):
    try:
        with report_unreadable_images([one_image(content)]):
            height, width, channels = IN_GRAPH(content).shape
        assert (height > 0, width > 0, channels) == (True, True, 3)
    except UserError as error:
        message = str(error)
        assert message.startswith("picture 0 ")
        assert message.endswith(REMEDY)
        assert message.isprintable()


def seeded(examples):
    """Settings for so many examples, the same in every run."""
    return hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@pytest.mark.parametrize("content", WHOLE)
def test_an_intact_image_is_decoded(content):
    assert IN_GRAPH(content).shape == (SIDE, SIDE, 3)


@seeded(FEW)
@hypothesis.given(mangled())
def test_a_mangled_image_is_decoded_or_named_in_one_line(content):
    check_pixels_or_one_line(content)


@pytest.mark.slow
@seeded(MANY)
@hypothesis.given(mangled())
def test_many_mangled_images_are_decoded_or_named_in_one_line(content):
    check_pixels_or_one_line(content)
