"""Images decoded by TensorFlow alone: the pixels are those that training decodes."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data.images.decoding import decode, decode_scaled
from trainer.data.images.graph_decoding import decode_in_graph
from trainer.data.images.graph_orientation import orientation_in_graph
from trainer.data.images.orientation import ORIENTATION_TAG, TRANSPOSED, orientation
from trainer.data.images.resizing import full_scale, smallest_scale

NOISE = np.random.default_rng(0).integers(0, 256, [18, 24, 3]).astype(np.uint8)
IMAGE = Image.fromarray(NOISE)
SPEC = [tf.TensorSpec([], tf.string)]
IN_GRAPH = tf.function(lambda e: decode_in_graph(e, full_scale).pixels, input_signature=SPEC)
IN_PYTHON = tf.function(decode, input_signature=SPEC)
ORIENTATION = tf.function(orientation_in_graph, input_signature=SPEC)
FORMATS = ["JPEG", "PNG", "GIF", "BMP", "WEBP"]


def exif_of(number, byte_order=">"):
    exif = Image.Exif()
    exif.endian = byte_order
    exif[0x010F] = "a camera's maker"
    exif[ORIENTATION_TAG] = number
    return exif.tobytes()


def with_segment(jpeg, marker, content):
    return jpeg[:2] + marker + (len(content) + 2).to_bytes(2, "big") + content + jpeg[2:]


def assert_equal_pixels(content):
    np.testing.assert_array_equal(IN_GRAPH(content), IN_PYTHON(content))


def assert_both_refuse(content):
    for decoder in (IN_GRAPH, IN_PYTHON):
        with pytest.raises(tf.errors.OpError):
            decoder(content)


def test_its_graph_needs_no_python():
    operations = IN_GRAPH.get_concrete_function().graph.as_graph_def()
    names = {node.op for part in operations.library.function for node in part.node_def}
    names |= {node.op for node in operations.node}
    assert not {name for name in names if "PyFunc" in name}


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_format_is_decoded_alike(encoded, image_format, mode):
    assert_equal_pixels(encoded(IMAGE.convert(mode), image_format))


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("PNG", "I;16"), ("PNG", "1"),
     ("GIF", "P"), ("WEBP", "RGBA"), ("BMP", "RGBA")],
)  # fmt: skip
def test_other_channels_are_decoded_alike(encoded, image_format, mode):
    if mode == "I;16":
        picture = Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257)
    else:
        picture = IMAGE.convert("L").convert(mode) if mode == "LA" else IMAGE.convert(mode)
    assert_equal_pixels(encoded(picture, image_format))


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_with_alpha_is_decoded_alike(encoded, lossless):
    assert_equal_pixels(encoded(IMAGE.convert("RGBA"), "WEBP", lossless=lossless))


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_applied_alike(encoded, image_format, number):
    for byte_order in "<>":
        content = encoded(IMAGE, image_format, exif=exif_of(number, byte_order))
        assert orientation(content) == number
        assert_equal_pixels(content)


def test_exif_after_other_segments_and_fill_bytes_is_found(encoded):
    content = encoded(IMAGE, "JPEG", exif=exif_of(3))
    for marker, other in (
        (b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/"),
        (b"\xff\xff\xff\xe2", bytes(70)),
    ):
        content = with_segment(content, marker, other)
    assert ORIENTATION(content) == orientation(content) == 3
    assert_equal_pixels(content)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\x00\xff\xff\xff\xff",
        b"XX*\x00\x08\x00\x00\x00",
        exif_of(6)[6:34],
        b"II*\x00\x08\x00\x00\x00\xff\xff",
        exif_of(0)[6:],
        exif_of(9)[6:],
    ],
)
def test_damaged_exif_is_ignored_alike(encoded, exif):
    content = with_segment(encoded(IMAGE, "JPEG"), b"\xff\xe1", b"Exif\x00\x00" + exif)
    assert ORIENTATION(content) == orientation(content) == 1
    assert_equal_pixels(content)


def test_the_word_exif_elsewhere_rotates_nothing(encoded):
    plain = encoded(IMAGE, "JPEG")
    late = with_segment(plain, b"\xff\xe1", exif_of(6))[2 : -len(plain) + 2]
    for content in (
        with_segment(plain, b"\xff\xfe", b"no Exif in here"),
        plain[:-2] + late + plain[-2:],
    ):
        assert ORIENTATION(content) == 1
        assert_equal_pixels(content)


def test_mangled_exif_has_the_same_orientation(encoded):
    """Any byte may be any other: the two readers agree on all of a thousand such files."""
    random = np.random.default_rng(1)
    for image_format in ("JPEG", "PNG", "WEBP"):
        content = encoded(IMAGE, image_format, exif=exif_of(6, "<"))
        first = content.lower().index(b"exif")
        for _ in range(330):
            mangled = bytearray(content)
            for _ in range(random.integers(1, 4)):
                mangled[random.integers(max(first - 8, 12), first + 60)] = random.integers(256)
            cut = bytes(mangled)[: random.integers(first + 4, len(content))]
            for one in (bytes(mangled), cut):
                assert ORIENTATION(one) == orientation(one), one


@pytest.mark.parametrize("image_format", ["GIF", "WEBP"])
def test_the_first_frame_of_an_animation_is_decoded_alike(encoded, image_format):
    frames = [IMAGE.convert("RGBA").rotate(degrees) for degrees in (0, 90, 180)]
    assert_equal_pixels(encoded(frames[0], image_format, save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize("mode", ["P", "1"])
def test_a_bmp_with_a_palette_is_refused_alike(encoded, mode):
    assert_both_refuse(encoded(IMAGE.convert(mode), "BMP"))


def test_an_animated_webp_without_alpha_is_refused_alike(encoded):
    others = [IMAGE.rotate(90)]
    assert_both_refuse(encoded(IMAGE, "WEBP", save_all=True, append_images=others))


@pytest.mark.parametrize("content", [b"", b"a text", b"BM", b"RIFF", b"\xff\xd8\xff", b"\x89PNG"])
def test_what_is_no_image_is_refused_alike(content):
    assert_both_refuse(content)


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_file_that_is_cut_off_is_refused_alike(encoded, image_format):
    content = encoded(IMAGE, image_format)
    assert_both_refuse(content[: int(len(content) * 0.6)])


@pytest.mark.parametrize("side", [20_000, 2**31 - 1])
def test_too_many_pixels_are_refused_before_they_are_decoded(encoded, side):
    header = b"IHDR" + struct.pack(">II", side, side) + encoded(IMAGE, "PNG")[24:29]
    content = encoded(IMAGE, "PNG")
    claiming = content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:]
    with pytest.raises(tf.errors.OpError, match="more than the limit"):
        IN_GRAPH(claiming)


@pytest.mark.parametrize("number", [None, *range(1, 9)])
@pytest.mark.parametrize("sides", [(90, 60), (131, 67)])
def test_a_photo_at_a_fraction_of_its_sides_is_decoded_alike(encoded, sides, number):
    options = {} if number is None else {"exif": exif_of(number)}
    content, scale = encoded(IMAGE.resize(sides), "JPEG", **options), smallest_scale(16, "squash")
    in_graph = tf.function(lambda one: decode_in_graph(one, scale), input_signature=SPEC)(content)
    in_python = tf.function(lambda one: decode_scaled(one, scale), input_signature=SPEC)(content)
    np.testing.assert_array_equal(in_graph.pixels, in_python.pixels)
    np.testing.assert_array_equal(in_graph.sides, in_python.sides)
    np.testing.assert_array_equal(in_graph.start, in_python.start)
    expected = np.array(sides if number in TRANSPOSED else sides[::-1]) / (4 if 131 in sides else 2)
    np.testing.assert_array_equal(in_graph.sides, expected)


def test_a_large_rotated_photo_is_decoded_alike(encoded):
    pixels = np.random.default_rng(2).integers(0, 255, [300, 400, 3]).astype(np.uint8)
    photo = encoded(Image.fromarray(pixels), "JPEG", exif=exif_of(8), progressive=True)
    assert_equal_pixels(photo)
