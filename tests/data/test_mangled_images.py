"""Image files with wrong bytes: each gives pixels, or one line that says what is wrong with it."""

import io
import random

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies
from PIL import Image

from trainer import UserError
from trainer.data.checks.unreadable import REMEDY
from trainer.data.images.decoding import decode
from trainer.data.pipeline.batches import report_unreadable_images
from trainer.data.splits import Split

IN_GRAPH = tf.function(decode, input_signature=[tf.TensorSpec([], tf.string)])

SIDE = 8
FEW, MANY = 100, 500
SPLICED = [b"\x00", b"\xff", b"\n", b"Exif\x00\x00", b"eXIf", b"\xff\xe1\x00\x04", 4 * b"\xff"]


def pictures():
    noise = random.Random(0).randbytes(SIDE * SIDE * 3)
    colours = Image.frombytes("RGB", (SIDE, SIDE), noise)
    clear, turned = colours.convert("RGBA"), Image.Exif()
    clear.putalpha(100)
    turned[0x0112] = 6
    moving = {"save_all": True, "append_images": [colours.rotate(90)]}
    return [
        (colours, "JPEG", {}),
        (colours, "JPEG", {"exif": turned}),
        (colours, "JPEG", {"progressive": True}),
        (colours, "PNG", {}),
        (colours, "PNG", {"exif": turned}),
        (colours.quantize(8), "PNG", {}),
        (colours, "PNG", moving),
        (colours, "GIF", {}),
        (colours, "GIF", moving),
        (colours, "BMP", {}),
        (colours.convert("L"), "BMP", {}),
        (colours, "WEBP", {}),
        (colours, "WEBP", {"lossless": True, "exif": turned}),
        (clear, "WEBP", {}),
        (clear, "WEBP", moving),
    ]


def written(image, image_format, options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


WHOLE = [written(*picture) for picture in pictures()]


def places(content):
    """Of a byte of it: as often among the first sixty, where headers are, as anywhere."""
    last = len(content) - 1
    return strategies.integers(min(4, last), min(60, last)) | strategies.integers(0, last)


@strategies.composite
def mangled(draw):
    """A whole image file of which bytes were changed, lost, put in, or taken from another."""
    content = bytearray(draw(strategies.sampled_from(WHOLE)))
    for _ in range(draw(strategies.integers(1, 4))):
        place = draw(places(content))
        match draw(strategies.sampled_from(["flip", "cut", "lose", "insert", "swap"])):
            case "flip":
                content[place] ^= draw(strategies.integers(1, 255))
            case "cut":
                del content[place + 1 :]
            case "lose":
                del content[place + 1 : place + draw(strategies.integers(2, 20))]
            case "insert":
                content[place:place] = draw(strategies.sampled_from(SPLICED))
            case "swap":
                content[:place] = draw(strategies.sampled_from(WHOLE))[:place]
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


def require_pixels_or_one_line(content):
    try:
        with report_unreadable_images([one_image(content)]):
            height, width, channels = IN_GRAPH(content).shape
        assert (height > 0, width > 0, channels) == (True, True, 3)
    except UserError as refused:
        message = str(refused)
        assert message.startswith("picture 0 ")
        assert message.endswith(REMEDY)
        assert message.isprintable()


def seeded(examples):
    """So many, the same each time."""
    return hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@pytest.mark.parametrize("content", WHOLE)
def test_an_image_that_nobody_touched_gives_pixels(content):
    assert IN_GRAPH(content).shape == (SIDE, SIDE, 3)


@seeded(FEW)
@hypothesis.given(mangled())
def test_a_mangled_image_gives_pixels_or_is_named_in_one_line(content):
    require_pixels_or_one_line(content)


@pytest.mark.slow
@seeded(MANY)
@hypothesis.given(mangled())
def test_many_mangled_images_give_pixels_or_are_named_in_one_line(content):
    require_pixels_or_one_line(content)
