"""The grounds that every subject may stand before: gardens, fields, soil, walls, rooms."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from tools.samples.drawing.canvas import (
    SUPERSAMPLING,
    Brush,
    Colour,
    Size,
    chosen,
    mixed,
    one_of,
    shaded,
    soft_field,
    varied,
)
from tools.samples.drawing.shapes import curve, oval

_GREENS: tuple[Colour, ...] = ((74, 120, 48), (100, 140, 60), (58, 96, 52), (128, 150, 76))
_SKIES: tuple[Colour, ...] = ((120, 172, 222), (168, 200, 226), (196, 206, 214), (232, 190, 160))
_SOILS: tuple[Colour, ...] = ((104, 76, 54), (130, 100, 74), (84, 66, 52), (150, 126, 100))
_SANDS: tuple[Colour, ...] = ((214, 192, 150), (196, 174, 136), (222, 206, 176))
_WALLS: tuple[Colour, ...] = (
    (200, 188, 170), (150, 90, 72), (176, 182, 186), (112, 126, 140), (220, 210, 196),
    (120, 96, 120),
)  # fmt: skip
_BLOOMS: tuple[Colour, ...] = (
    (214, 70, 84), (236, 200, 80), (236, 232, 226), (170, 110, 180), (236, 150, 180), (70, 120, 190)
)  # fmt: skip
_SHADOW: Colour = (46, 46, 40)
_FLOORS: tuple[Colour, ...] = ((150, 112, 78), (120, 88, 66), (170, 160, 150), (96, 100, 108))


def ground(random: Generator, size: Size) -> Image.Image:
    """A ground of any kind for a picture of this size, at the canvas's scale."""
    image = one_of(random, _GROUNDS)(random, size)
    if random.random() < 0.5:
        image = image.filter(ImageFilter.BoxBlur(random.uniform(0.5, 4)))
    return image.resize(
        (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING), Image.Resampling.BILINEAR
    )


def blades(brush: Brush, random: Generator, size: Size, count: int) -> None:
    """Blades of grass that grow from the lower edge in front of the subject."""
    green = chosen(random, _GREENS, 14)
    for x, lean in zip(random.uniform(0, size[0], count), random.normal(0, 14, count), strict=True):
        top = size[1] - random.uniform(20, 0.32 * size[1])
        path = curve([(x, size[1] + 4), (x + lean * 0.3, (top + size[1]) / 2), (x + lean, top)])
        brush.line(path, varied(green, random, 12), random.uniform(1, 2.6))


def cast_shadow(brush: Brush, x: float, y: float, reach: float) -> None:
    """The shadow on the floor below a subject."""
    brush.fill(oval(x, y, reach, 0.08 * reach + 0.01), _SHADOW)


def _washed(
    random: Generator, size: Size, upper: Colour, lower: Colour, mottle: float
) -> Image.Image:
    """A wash from the upper colour to the lower, mottled by soft light."""
    share = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None]
    wash = np.array(upper, np.float32) * (1 - share) + np.array(lower, np.float32) * share
    hills = soft_field(random, 7, size) + 0.5 * soft_field(random, 24, size)
    return Image.fromarray((wash + mottle * hills[..., None]).clip(0, 255).astype(np.uint8))


def _garden(random: Generator, size: Size) -> Image.Image:
    """Foliage far out of focus, with a few spots of light and bloom."""
    upper, lower = chosen(random, _GREENS, 16), shaded(chosen(random, _GREENS, 16), 0.7)
    image = _washed(random, size, upper, lower, 30)
    pen = ImageDraw.Draw(image)
    spots = (*_BLOOMS, *_GREENS, *_GREENS)
    for _ in range(random.integers(4, 22)):
        x, y, radius = random.uniform(0, size[0]), random.uniform(0, size[1]), random.uniform(4, 26)
        colour = mixed(chosen(random, spots, 14), upper, random.uniform(0.2, 0.7))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image.filter(ImageFilter.BoxBlur(random.uniform(2, 6)))


def _grass(random: Generator, size: Size) -> Image.Image:
    """Grass from near by, blade over blade."""
    green = chosen(random, _GREENS, 14)
    image = _washed(random, size, green, shaded(green, 0.7), 22)
    _strokes(image, random, green, top=0, count=220)
    return image


def _field(random: Generator, size: Size) -> Image.Image:
    """A green field below the sky."""
    return _landscape(random, size, chosen(random, _GREENS, 14))


def _beach(random: Generator, size: Size) -> Image.Image:
    """Sand or a dusty track below the sky."""
    return _landscape(random, size, chosen(random, (*_SANDS, *_SOILS)))


def _landscape(random: Generator, size: Size, earth: Colour) -> Image.Image:
    sky = chosen(random, _SKIES)
    image = _washed(random, size, sky, shaded(sky, 1.4), 12)
    horizon = int(size[1] * random.uniform(0.35, 0.8))
    _clouds(image, random, horizon)
    _hills(image, random, horizon, mixed(earth, sky, 0.5))
    lower = _washed(
        random, (size[0], size[1] - horizon), shaded(earth, 1.1), shaded(earth, 0.75), 14
    )
    image.paste(lower, (0, horizon))
    _strokes(image, random, earth, top=horizon, count=110)
    return image


def _clouds(image: Image.Image, random: Generator, horizon: int) -> None:
    pen = ImageDraw.Draw(image)
    for _ in range(random.integers(0, 4)):
        x, y = random.uniform(0, image.width), random.uniform(0, 0.7 * horizon)
        for _ in range(5):
            left, top = x + random.uniform(-26, 26), y + random.uniform(-5, 5)
            radius = random.uniform(6, 16)
            box = (left - 1.6 * radius, top - 0.7 * radius, left + 1.6 * radius, top + 0.7 * radius)
            pen.ellipse(box, fill=(240, 242, 244))


def _hills(image: Image.Image, random: Generator, horizon: int, colour: Colour) -> None:
    x = np.linspace(-20, image.width + 20, 9)
    ridge = curve(np.stack([x, horizon - random.uniform(0, 0.3 * horizon, 9)], axis=1))
    floor = [(image.width + 20, horizon + 4), (-20, horizon + 4)]
    ImageDraw.Draw(image).polygon(np.concatenate([ridge, floor]).ravel().tolist(), fill=colour)


def _strokes(image: Image.Image, random: Generator, colour: Colour, top: int, count: int) -> None:
    """Short upright strokes below `top`: grass, stubble, ripples."""
    pen = ImageDraw.Draw(image)
    tones = [shaded(varied(colour, random, 8), tone) for tone in random.uniform(0.65, 1.3, 8)]
    x, y = random.uniform(0, image.width, count), random.uniform(top, image.height, count)
    lean, height = random.normal(0, 4, count), random.uniform(0.02, 0.12, count) * (y - top + 20)
    ends = np.stack([x, y, x + lean, y - height], axis=1).tolist()
    for stroke, end in enumerate(ends):
        pen.line(end, fill=tones[stroke % 8])


def _soil(random: Generator, size: Size) -> Image.Image:
    """Bare earth or gravel with stones."""
    earth = chosen(random, _SOILS)
    image = _washed(random, size, earth, shaded(earth, 0.8), 26)
    pen = ImageDraw.Draw(image)
    for x, y in random.uniform(0, 1, (random.integers(30, 120), 2)) * size:
        radius = random.uniform(1, 5)
        box = (x - radius, y - 0.7 * radius, x + radius, y + 0.7 * radius)
        pen.ellipse(box, fill=shaded(varied(earth, random, 10), random.uniform(0.7, 1.4)))
    return image


def _plaster(random: Generator, size: Size) -> Image.Image:
    """A plain wall."""
    wall = chosen(random, _WALLS)
    return _washed(random, size, shaded(wall, 1.1), shaded(wall, 0.85), random.uniform(4, 18))


def _bricks(random: Generator, size: Size) -> Image.Image:
    """A wall of bricks, or of blocks."""
    wall = chosen(random, _WALLS)
    image = _washed(random, size, wall, shaded(wall, 0.8), 14)
    pen = ImageDraw.Draw(image)
    height, joint = int(random.integers(14, 34)), shaded(wall, random.choice([0.7, 1.3]))
    for row, y in enumerate(range(0, size[1], height)):
        pen.line((0, y, size[0], y), fill=joint, width=2)
        for x in range(row % 2 * height, size[0], 2 * height):
            pen.line((x, y, x, y + height), fill=joint, width=2)
    return image


def _room(random: Generator, size: Size) -> Image.Image:
    """A wall and a floor of boards."""
    image, floor = _plaster(random, size), chosen(random, _FLOORS)
    top = int(size[1] * random.uniform(0.5, 0.85))
    boards = _washed(random, (size[0], size[1] - top), shaded(floor, 1.1), shaded(floor, 0.8), 10)
    image.paste(boards, (0, top))
    pen, middle = ImageDraw.Draw(image), size[0] * random.uniform(0.2, 0.8)
    for x in np.linspace(-2 * size[0], 3 * size[0], 22).tolist():
        pen.line((middle + 0.4 * (x - middle), top, x, size[1]), fill=shaded(floor, 0.7))
    pen.rectangle((0, top - 6, size[0], top), fill=shaded(floor, 1.3))
    return image


_GROUNDS: tuple[Callable[[Generator, Size], Image.Image], ...] = (
    _garden, _garden, _grass, _field, _beach, _soil, _plaster, _bricks, _room
)  # fmt: skip
