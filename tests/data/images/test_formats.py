"""The format of an image file, and whether it can be decoded, by its header."""

import io

import pytest
from PIL import Image

from trainer.data.images.formats import unsupported_reason

COLOURS = Image.linear_gradient("L").convert("RGB")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_supported_format_is_accepted(encoded, image_format):
    assert unsupported_reason(io.BytesIO(encoded(COLOURS, image_format))) is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_bmp_without_a_colour_palette_is_accepted(encoded, mode):
    assert unsupported_reason(io.BytesIO(encoded(COLOURS.convert(mode), "BMP"))) is None


@pytest.mark.parametrize(
    "content",
    [
        b"a text",
        b"\x00" * 100,
        b"%PDF-1.7",
        b"II*\x00 a TIFF",
        b"\x00\x00\x00\x18ftypheic",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"\xff\xd8",
    ],
)
def test_the_error_of_any_other_format_lists_the_supported_ones(content):
    assert (
        unsupported_reason(io.BytesIO(content))
        == "is not an image of a supported format (JPEG, PNG, GIF, BMP, WebP)"
    )


def test_an_empty_file_is_reported_as_empty():
    assert unsupported_reason(io.BytesIO()) == "is empty"


def test_an_animated_webp_without_alpha_is_unsupported(encoded):
    animated = encoded(COLOURS, "WEBP", save_all=True, append_images=[COLOURS.rotate(90)])
    assert "save its first frame" in unsupported_reason(io.BytesIO(animated))


def test_a_jpeg_that_ends_before_its_scan_is_reported(encoded):
    whole = encoded(COLOURS, "JPEG")
    header = whole[: whole.index(b"\xff\xda")]
    assert "ends before its pixels begin" in unsupported_reason(io.BytesIO(header))


@pytest.mark.parametrize("image", [COLOURS.quantize(16), COLOURS.convert("1")], ids=["P", "1"])
def test_a_bmp_with_a_colour_palette_is_unsupported(encoded, image):
    assert "save it as PNG" in unsupported_reason(io.BytesIO(encoded(image, "BMP")))
