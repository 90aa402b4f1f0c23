"""Which image format a file is in, told from its first bytes."""

from __future__ import annotations

HEADER_BYTES = 54 + 4 * 256
"""How many bytes of a file are enough: a BMP's header and its colour palette."""

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WebP")


def refusal(header: bytes) -> str | None:
    """Why TensorFlow cannot turn a file that begins so into RGB; None where it can."""
    if not header:
        return "is empty"
    if not _image_format(header):
        return f"is no image of a format we read ({', '.join(FORMATS)})"
    if header.startswith(b"BM") and _has_colour_palette(header):
        return "is a BMP with a colour palette, which TensorFlow cannot read; save it as PNG"
    return None


def _image_format(header: bytes) -> str | None:
    signatures = {
        b"\xff\xd8\xff": "JPEG",
        b"\x89PNG\r\n\x1a\n": "PNG",
        b"GIF8": "GIF",
        b"BM": "BMP",
    }
    if header.startswith(b"RIFF") and header[8:12] == b"WEBP":
        return "WebP"
    return next((name for start, name in signatures.items() if header.startswith(start)), None)


def _has_colour_palette(header: bytes) -> bool:
    # TensorFlow takes the bytes of an 8-bit BMP for shades of grey and never looks at its palette.
    bits_per_pixel = int.from_bytes(header[28:30], "little")
    if bits_per_pixel >= 24:
        return False
    palette_start = 14 + int.from_bytes(header[14:18], "little")
    palette = header[palette_start : palette_start + 4 * 256]
    greys = b"".join(bytes((shade, shade, shade)) for shade in range(256))
    colours = b"".join(palette[entry : entry + 3] for entry in range(0, len(palette), 4))
    return bits_per_pixel != 8 or colours != greys
