"""The breeds: a row of data for each, the shape of its parts and the coats it is seen in."""

from dataclasses import dataclass
from typing import Literal

from tools.samples.drawing.canvas import Colour

Ear = Literal["drop", "long", "prick", "bat", "folded", "rose", "button"]
Tail = Literal["plume", "curl", "whip", "pom", "flag", "brush"]
Fur = Literal["smooth", "shaggy", "curly"]

WHITE: Colour = (240, 238, 232)
BLACK: Colour = (38, 34, 34)
CREAM: Colour = (232, 212, 176)
TAN: Colour = (178, 116, 64)
GOLD: Colour = (214, 162, 92)
RED: Colour = (156, 84, 44)
CHOCOLATE: Colour = (92, 60, 44)
GREY: Colour = (124, 124, 128)
FAWN: Colour = (212, 176, 130)


@dataclass(frozen=True)
class Coat:
    """Colours by part; a part without its own has the body's, a mark without one is not there."""

    body: Colour
    back: Colour | None = None
    chest: Colour | None = None
    legs: Colour | None = None
    face: Colour | None = None
    muzzle: Colour | None = None
    ears: Colour | None = None
    blaze: Colour | None = None
    spots: Colour | None = None
    patches: Colour | None = None


@dataclass(frozen=True)
class WornCoat:
    """A coat as one dog wears it: every part has its colour; the marks may be there or not."""

    body: Colour
    legs: Colour
    face: Colour
    muzzle: Colour
    ears: Colour
    marks: Coat


@dataclass(frozen=True)
class Breed:
    """The build of a dog, in shares of its body's length."""

    leg: float
    chest: float
    waist: float
    neck: float
    skull: float
    muzzle: float
    snout: float
    ear: Ear
    ear_size: float
    tail: Tail
    coats: tuple[Coat, ...]
    fur: Fur = "smooth"


BREEDS: dict[str, Breed] = {
    "beagle": Breed(
        leg=0.36, chest=0.24, waist=0.18, neck=0.24, skull=0.17, muzzle=0.16, snout=0.085,
        ear="long", ear_size=1.1, tail="flag",
        coats=(
            Coat(WHITE, back=BLACK, chest=WHITE, face=TAN, muzzle=WHITE, ears=TAN, blaze=WHITE),
            Coat(TAN, back=BLACK, chest=WHITE, legs=WHITE, muzzle=WHITE, ears=RED, blaze=WHITE),
            Coat(WHITE, back=GOLD, chest=WHITE, face=GOLD, muzzle=WHITE, ears=GOLD, blaze=WHITE),
        ),
    ),
    "border_collie": Breed(
        leg=0.42, chest=0.24, waist=0.2, neck=0.26, skull=0.16, muzzle=0.18, snout=0.065,
        ear="folded", ear_size=0.95, tail="plume", fur="shaggy",
        coats=(
            Coat(BLACK, chest=WHITE, legs=WHITE, muzzle=WHITE, blaze=WHITE),
            Coat(RED, chest=WHITE, legs=WHITE, muzzle=WHITE, blaze=WHITE),
            Coat(GREY, back=BLACK, chest=WHITE, legs=WHITE, muzzle=WHITE, blaze=WHITE),
        ),
    ),
    "chihuahua": Breed(
        leg=0.36, chest=0.2, waist=0.15, neck=0.22, skull=0.2, muzzle=0.08, snout=0.05,
        ear="bat", ear_size=1.35, tail="whip",
        coats=(
            Coat(FAWN, muzzle=CREAM), Coat(BLACK, legs=TAN, muzzle=TAN, chest=TAN), Coat(CREAM),
            Coat(TAN, chest=WHITE, muzzle=WHITE), Coat(CHOCOLATE, legs=TAN, muzzle=TAN),
        ),
    ),
    "dachshund": Breed(
        leg=0.13, chest=0.18, waist=0.15, neck=0.22, skull=0.13, muzzle=0.2, snout=0.055,
        ear="long", ear_size=1.2, tail="whip",
        coats=(
            Coat(RED), Coat(BLACK, legs=TAN, muzzle=TAN, chest=TAN), Coat(CHOCOLATE, muzzle=TAN),
            Coat(TAN),
        ),
    ),
    "dalmatian": Breed(
        leg=0.52, chest=0.24, waist=0.16, neck=0.3, skull=0.15, muzzle=0.18, snout=0.075,
        ear="drop", ear_size=1.0, tail="whip",
        coats=(
            Coat(WHITE, spots=BLACK, ears=BLACK), Coat(WHITE, spots=BLACK),
            Coat(WHITE, spots=CHOCOLATE, ears=CHOCOLATE),
        ),
    ),
    "german_shepherd": Breed(
        leg=0.44, chest=0.25, waist=0.18, neck=0.28, skull=0.16, muzzle=0.21, snout=0.075,
        ear="prick", ear_size=1.15, tail="brush",
        coats=(
            Coat(TAN, back=BLACK, muzzle=BLACK, ears=(70, 52, 40)),
            Coat(FAWN, back=BLACK, muzzle=BLACK, ears=BLACK),
            Coat((140, 110, 84), back=(70, 60, 54), muzzle=BLACK, legs=FAWN),
        ),
    ),
    "golden_retriever": Breed(
        leg=0.42, chest=0.26, waist=0.22, neck=0.26, skull=0.18, muzzle=0.18, snout=0.09,
        ear="drop", ear_size=1.0, tail="plume", fur="shaggy",
        coats=(Coat(GOLD), Coat(CREAM), Coat((196, 134, 70), chest=GOLD), Coat(GOLD, chest=CREAM)),
    ),
    "greyhound": Breed(
        leg=0.58, chest=0.25, waist=0.1, neck=0.36, skull=0.115, muzzle=0.22, snout=0.045,
        ear="rose", ear_size=0.9, tail="whip",
        coats=(
            Coat(FAWN, chest=WHITE), Coat(GREY), Coat(BLACK, chest=WHITE),
            Coat((130, 94, 64), muzzle=BLACK), Coat(WHITE, patches=FAWN),
        ),
    ),
    "poodle": Breed(
        leg=0.5, chest=0.24, waist=0.16, neck=0.3, skull=0.15, muzzle=0.2, snout=0.048,
        ear="long", ear_size=1.15, tail="pom", fur="curly",
        coats=(Coat(WHITE), Coat(BLACK), Coat((216, 166, 116)), Coat(GREY), Coat(CHOCOLATE)),
    ),
    "pug": Breed(
        leg=0.3, chest=0.27, waist=0.24, neck=0.17, skull=0.22, muzzle=0.035, snout=0.12,
        ear="button", ear_size=0.9, tail="curl",
        coats=(
            Coat(FAWN, muzzle=BLACK, ears=BLACK), Coat(CREAM, muzzle=BLACK, ears=BLACK),
            Coat(BLACK),
        ),
    ),
    "saint_bernard": Breed(
        leg=0.42, chest=0.31, waist=0.27, neck=0.24, skull=0.23, muzzle=0.13, snout=0.125,
        ear="drop", ear_size=0.85, tail="brush", fur="shaggy",
        coats=(
            Coat(WHITE, patches=RED, face=RED, muzzle=WHITE, ears=CHOCOLATE, blaze=WHITE),
            Coat(WHITE, back=TAN, face=TAN, muzzle=WHITE, ears=RED, blaze=WHITE),
            Coat(RED, chest=WHITE, legs=WHITE, muzzle=WHITE, ears=CHOCOLATE, blaze=WHITE),
        ),
    ),
    "siberian_husky": Breed(
        leg=0.44, chest=0.25, waist=0.21, neck=0.24, skull=0.18, muzzle=0.16, snout=0.075,
        ear="prick", ear_size=0.9, tail="curl", fur="shaggy",
        coats=(
            Coat(WHITE, back=GREY, face=GREY, muzzle=WHITE, ears=GREY, chest=WHITE),
            Coat(WHITE, back=BLACK, face=BLACK, muzzle=WHITE, ears=BLACK, chest=WHITE),
            Coat(WHITE, back=RED, face=RED, muzzle=WHITE, ears=RED, chest=WHITE),
        ),
    ),
}  # fmt: skip
