"""Which image format a file is in, and whether TensorFlow can turn it into RGB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

MOST_PIXELS = 2**29 // 3
"""How many pixels an image may have: half a gibibyte of RGB, at which Pillow stops too.

Twice its MAX_IMAGE_PIXELS. Without a bound a file of a hundred bytes claims all memory.
"""

HEADER_BYTES = 54 + 4 * 256
"""How many bytes of a file tell its format: a BMP's header and its colour palette."""

JPEG_SIGNATURE, PNG_SIGNATURE = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
SIGNATURES = {JPEG_SIGNATURE: "JPEG", PNG_SIGNATURE: "PNG", b"GIF8": "GIF", b"BM": "BMP"}
READABLE = (*SIGNATURES.values(), "WebP")

WEBP_MOVES, WEBP_HAS_ALPHA = 0x02, 0x10
"""Bits of the flags in a WebP's extended header (RFC 9649, section 2.7)."""

JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers in front of a JPEG's size (ITU-T T.81, table B.1)."""

JPEG_SCAN, JPEG_END = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that no length follows."""


def refusal(file: BinaryIO) -> str | None:
    """Why TensorFlow cannot turn a file into RGB; None where it can, as far as its header tells."""
    header = file.read(HEADER_BYTES)
    name = image_format(header)
    if not header:
        return "is empty"
    if name is None:
        return f"is no image of a format we read ({', '.join(READABLE)})"
    size = _size(name, header, file)
    if size is None:
        return f"is a {name} that ends before its picture begins"
    if size[0] * size[1] > MOST_PIXELS:
        return f"has {size[0]:,} x {size[1]:,} pixels, more than the {MOST_PIXELS:,} that we decode"
    if name == "BMP" and not _is_plain_bmp(header):
        return "is a BMP with a palette or 16 bits, which TensorFlow cannot read; save it as PNG"
    if name == "WebP" and _moves(header) and not has_alpha(header):
        return "is a moving WebP, which TensorFlow cannot read; save its first picture"
    return None


def image_format(header: bytes) -> str | None:
    """By its first bytes, whatever a file is called; None of one that we do not read."""
    if header.startswith(b"RIFF") and header[8:12] == b"WEBP":
        return "WebP"
    return next((name for start, name in SIGNATURES.items() if header.startswith(start)), None)


def has_alpha(webp: bytes) -> bool:
    """Whether a WebP has four channels, by its header: extended (VP8X) or lossless (VP8L)."""
    if webp[12:16] == b"VP8X":
        return bool(_flags(webp) & WEBP_HAS_ALPHA)
    return webp[12:16] == b"VP8L" and bool(webp[24] & 0x10)


def jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """The marker of each segment up to the scan, and its length; the file stands where it begins.

    ITU-T T.81, B.1.1.
    """
    file.seek(2)
    while (marker := _next_marker(file)) not in (None, JPEG_END):
        if marker in _ALONE:
            continue
        length, start = int.from_bytes(file.read(2), "big"), file.tell()
        if length < 2:
            return
        yield marker, length - 2
        file.seek(start + length - 2)


def end_of_first_picture(gif: BinaryIO) -> int | None:
    """Where the first picture of a GIF ends, in bytes; None where it does not."""
    return gif.tell() if _gif_picture(gif) and _is_past_data(gif) else None


def _size(name: str, header: bytes, file: BinaryIO) -> tuple[int, int] | None:
    """Width and height as a file claims them; None where it ends before."""
    if name == "JPEG":
        return _jpeg_size(file)
    if name == "GIF":
        return _gif_size(header, file)
    if len(header) < 30:
        return None
    if name == "PNG":
        return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
    return _bmp_size(header) if name == "BMP" else _webp_size(header)


def _next_marker(jpeg: BinaryIO) -> int | None:
    """What lies in front of it is passed over, as libjpeg does."""
    while byte := jpeg.read(1):
        if byte == b"\xff":
            while byte == b"\xff":
                byte = jpeg.read(1)
            if byte not in (b"", b"\x00"):
                return byte[0]
    return None


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    """None as well where a scan is missing: libjpeg would complain of that on its own."""
    size = None
    for marker, _ in jpeg_segments(file):
        if marker in JPEG_FRAMES:
            frame = file.read(5)
            size = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        if marker == JPEG_SCAN:
            return size
    return None


def _gif_size(header: bytes, file: BinaryIO) -> tuple[int, int] | None:
    """Of the canvas, or of the first picture where that is larger, which it should not be."""
    picture = _gif_picture(file)
    if picture is None:
        return None
    return max(_little(header[6:8]), picture[0]), max(_little(header[8:10]), picture[1])


def _gif_picture(gif: BinaryIO) -> tuple[int, int] | None:
    """Width and height of a GIF's first picture; the file stands before its data then.

    Appendix B of the GIF89a specification.
    """
    gif.seek(10)
    gif.seek(13 + _palette_bytes(gif.read(1)))
    while (block := gif.read(1)) == b"!":  # an extension: its label, then data
        gif.seek(1, 1)
        if not _is_past_data(gif):
            return None
    place = gif.read(9)
    if block != b"," or len(place) < 9:
        return None
    gif.seek(_palette_bytes(place[8:]) + 1, 1)
    return _little(place[4:6]), _little(place[6:8])


def _bmp_size(header: bytes) -> tuple[int, int]:
    width, height = (
        int.from_bytes(header[start : start + 4], "little", signed=True) for start in (18, 22)
    )
    return abs(width), abs(height)  # of a negative height the first row is the top one


def _webp_size(header: bytes) -> tuple[int, int]:
    chunk = header[12:16]
    if chunk == b"VP8X":
        return 1 + _little(header[24:27]), 1 + _little(header[27:30])
    if chunk == b"VP8L":
        sides = _little(header[21:25])
        return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    return _little(header[26:28]) & 0x3FFF, _little(header[28:30]) & 0x3FFF


def _is_plain_bmp(header: bytes) -> bool:
    # TensorFlow takes the bytes of an 8-bit BMP for shades of grey and never looks at its palette.
    bits_per_pixel = _little(header[28:30])
    palette_start = 14 + _little(header[14:18])
    palette = header[palette_start : palette_start + 4 * 256]
    colours = b"".join(palette[entry : entry + 3] for entry in range(0, len(palette), 4))
    greys = b"".join(bytes((shade, shade, shade)) for shade in range(256))
    return bits_per_pixel >= 24 or (bits_per_pixel == 8 and colours == greys)


def _moves(webp: bytes) -> bool:
    return webp[12:16] == b"VP8X" and bool(_flags(webp) & WEBP_MOVES)


def _flags(extended_webp: bytes) -> int:
    return extended_webp[20]


def _palette_bytes(flags: bytes) -> int:
    """How long the colour table is that a GIF's flags announce."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _is_past_data(gif: BinaryIO) -> bool:
    """Whether a GIF went on to the end of data in blocks, each behind its length, the last of 0."""
    while length := gif.read(1):
        if length == b"\x00":
            return True
        gif.seek(length[0], 1)
    return False


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
