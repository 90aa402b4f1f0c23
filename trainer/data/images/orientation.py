"""How a camera was held, by the Exif of its image, and images turned upright by that."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from trainer.data.images.formats import image_format, jpeg_segments

UPRIGHT = 1
"""The orientation of an image that is shown as it is stored."""

ORIENTATIONS = range(1, 9)
ORIENTATION_TAG = 0x0112
NUMBERS = {1: 1, 3: 2, 4: 4}
"""Types of a tag that are whole numbers (BYTE, SHORT, LONG), and how many bytes each takes."""

BYTE_ORDERS: Mapping[bytes, Literal["little", "big"]] = {b"II*\x00": "little", b"MM\x00*": "big"}
"""By how a TIFF begins."""

APP1, EXIF = 0xE1, b"Exif\x00\x00"


def orientation(encoded: bytes) -> int:
    """From 1 (upright) to 8, as Exif (CIPA DC-008) numbers them; 1 where it tells none."""
    exif = _exif(encoded).removeprefix(EXIF)
    number = next((n for tag, n in _whole_numbers(exif) if tag == ORIENTATION_TAG), UPRIGHT)
    return number if number in ORIENTATIONS else UPRIGHT


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """An image [height, width, channels] of an orientation, turned as it is to be seen."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image


def _exif(encoded: bytes) -> bytes:
    """A file's first block of Exif; nothing where it has none."""
    blocks = {"JPEG": _jpeg_exif, "PNG": _png_exif, "WebP": _webp_exif}
    read = blocks.get(image_format(encoded) or "")
    return next(read(encoded), b"") if read else b""


def _jpeg_exif(encoded: bytes) -> Iterator[bytes]:
    file = io.BytesIO(encoded)
    for marker, length in jpeg_segments(file):
        if marker == APP1 and (content := file.read(length)).startswith(EXIF):
            yield content


def _png_exif(encoded: bytes) -> Iterator[bytes]:
    place = 8
    while header := encoded[place : place + 8]:
        length = int.from_bytes(header[:4], "big")
        if header[4:] == b"eXIf":
            yield encoded[place + 8 : place + 8 + length]
        place += length + 12


def _webp_exif(encoded: bytes) -> Iterator[bytes]:
    place = 12
    while header := encoded[place : place + 8]:
        length = int.from_bytes(header[4:], "little")
        if header[:4] == b"EXIF":
            yield encoded[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _whole_numbers(tiff: bytes) -> Iterator[tuple[int, int]]:
    """The tags of TIFF's first directory that are one whole number each (TIFF 6.0, section 2)."""
    order = BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return

    def number(start: int, size: int) -> int:
        return int.from_bytes(tiff[start : start + size], order)

    directory = number(4, 4)
    first = directory + 2
    for entry in range(first, first + 12 * number(directory, 2), 12):
        if (kind := number(entry + 2, 2)) in NUMBERS:
            yield number(entry, 2), number(entry + 8, NUMBERS[kind])
