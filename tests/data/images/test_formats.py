"""Which files are images that we read, told from their first bytes."""

import io

import pytest
from PIL import Image

from trainer.data.images.formats import refusal

COLOURS = Image.linear_gradient("L").convert("RGB")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_format_that_we_read_is_taken(encoded, image_format):
    assert refusal(io.BytesIO(encoded(COLOURS, image_format))) is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_bmp_without_a_palette_of_colours_is_taken(encoded, mode):
    assert refusal(io.BytesIO(encoded(COLOURS.convert(mode), "BMP"))) is None


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
def test_anything_else_is_told_the_formats_that_we_read(content):
    assert (
        refusal(io.BytesIO(content))
        == "is no image of a format we read (JPEG, PNG, GIF, BMP, WebP)"
    )


def test_an_empty_file_is_told_to_be_empty():
    assert refusal(io.BytesIO()) == "is empty"


def test_a_moving_webp_is_told_to_be_saved_still(encoded):
    moving = encoded(COLOURS, "WEBP", save_all=True, append_images=[COLOURS.rotate(90)])
    assert "save its first picture" in refusal(io.BytesIO(moving))


def test_a_jpeg_that_ends_before_its_picture_is_told_so(encoded):
    whole = encoded(COLOURS, "JPEG")
    begun = whole[: whole.index(b"\xff\xda")]
    assert "ends before its picture" in refusal(io.BytesIO(begun))


@pytest.mark.parametrize("image", [COLOURS.quantize(16), COLOURS.convert("1")], ids=["P", "1"])
def test_a_bmp_with_a_palette_is_told_to_be_saved_as_png(encoded, image):
    assert "save it as PNG" in refusal(io.BytesIO(encoded(image, "BMP")))
