"""Which image format a file is in, and whether TensorFlow can turn it into RGB."""

from __future__ import annotations

from typing import BinaryIO

HEADER_BYTES = 54 + 4 * 256
"""How many bytes of a file are enough: a BMP's header and its colour palette."""

SIGNATURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP"}
READABLE = (*SIGNATURES.values(), "WebP")

WEBP_MOVES, WEBP_HAS_ALPHA = 0x02, 0x10
"""Bits of the flags in a WebP's extended header (RFC 9649, section 2.7)."""


def refusal(file: BinaryIO) -> str | None:
    """Why TensorFlow cannot turn a file into RGB; None where it can, as far as its start tells."""
    header = file.read(HEADER_BYTES)
    image_format = _image_format(header)
    if not header:
        return "is empty"
    if image_format is None:
        return f"is no image of a format we read ({', '.join(READABLE)})"
    if image_format == "JPEG" and not _has_scan(file):
        return "is a JPEG that ends before its picture begins"
    if image_format == "BMP" and not _is_plain_bmp(header):
        return "is a BMP with a palette or 16 bits, which TensorFlow cannot read; save it as PNG"
    if image_format == "WebP" and _is_moving_webp(header):
        return "is a moving WebP, which TensorFlow cannot read; save its first picture"
    return None


def _image_format(header: bytes) -> str | None:
    if header.startswith(b"RIFF") and header[8:12] == b"WEBP":
        return "WebP"
    return next((name for start, name in SIGNATURES.items() if header.startswith(start)), None)


def _has_scan(jpeg: BinaryIO) -> bool:
    """Whether a JPEG has come to its picture; where it has not, libjpeg complains on its own."""
    jpeg.seek(2)
    while True:
        marker, length = jpeg.read(2), int.from_bytes(jpeg.read(2), "big")
        if marker == b"\xff\xda":
            return True
        if len(marker) < 2 or marker[0] != 0xFF or length < 2:
            return False
        jpeg.seek(length - 2, 1)


def _is_plain_bmp(header: bytes) -> bool:
    # TensorFlow takes the bytes of an 8-bit BMP for shades of grey and never looks at its palette.
    bits_per_pixel = int.from_bytes(header[28:30], "little")
    palette_start = 14 + int.from_bytes(header[14:18], "little")
    palette = header[palette_start : palette_start + 4 * 256]
    colours = b"".join(palette[entry : entry + 3] for entry in range(0, len(palette), 4))
    greys = b"".join(bytes((shade, shade, shade)) for shade in range(256))
    return bits_per_pixel >= 24 or (bits_per_pixel == 8 and colours == greys)


def _is_moving_webp(header: bytes) -> bool:
    # With an alpha channel TensorFlow does read the first picture.
    flags = header[20] if header[12:16] == b"VP8X" and len(header) > 20 else 0
    return bool(flags & WEBP_MOVES) and not flags & WEBP_HAS_ALPHA
