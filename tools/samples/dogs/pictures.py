"""Dogs of every breed in the table, standing, trotting or sitting, or their faces from near by."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator
from PIL import Image

from tools.samples.dogs.breeds import BLACK, BREEDS, Breed, Coat, Fur, Tail, WornCoat
from tools.samples.dogs.faces import dog_face, ear
from tools.samples.dogs.pelts import patched, pelt, spotted
from tools.samples.drawing.canvas import Brush, Limb, Size, model, one_of, shaded, varied
from tools.samples.drawing.grounds import cast_shadow
from tools.samples.drawing.scenes import scene
from tools.samples.drawing.shapes import Points, curve, oval

CLASSES = tuple(BREEDS)

_BARREL = 0.45  # half the length of the back
_STRIDES = ((0.0, 0.06, 0.04, -0.06), (0.45, -0.3, -0.4, 0.35), (0.7, 0.5, -0.7, -0.5))
_FACES_SHARE = 0.3
_SADDLE = np.array([(1, 1, 0.4), (1, 1, 0.6), (1, 1, 0.62), (1, 1, 0.55)])  # tapered to its ends


def draw(name: str, random: Generator) -> Image.Image:
    """A picture of a dog of the breed `name`."""
    return scene(random, partial(_portrait, BREEDS[name]))


def _portrait(breed: Breed, brush: Brush, size: Size, random: Generator) -> None:
    """A dog of the breed, whole or only its face."""
    coat = _worn(one_of(random, breed.coats), random)
    x, y = size[0] * random.uniform(0.36, 0.64), size[1] * random.uniform(0.42, 0.66)
    squash, mirrored = random.uniform(0.92, 1.1), random.random() < 0.5
    face = random.random() < _FACES_SHARE
    part, nearness, tilt = (dog_face, (0.16, 0.34), 0.14) if face else (_dog, (0.3, 0.72), 0.05)
    height, turn = min(size) * random.uniform(*nearness), random.normal(0, tilt)
    part(brush.at(x, y, height, turn, squash, mirrored), breed, coat, random)


def _worn(coat: Coat, random: Generator) -> WornCoat:
    """The coat of one dog, a little lighter or darker than the breed's."""
    body = varied(coat.body, random)
    face = coat.face or body
    return WornCoat(
        body=body,
        legs=coat.legs or body,
        face=face,
        muzzle=coat.muzzle or face,
        ears=coat.ears or face,
        marks=coat,
    )


@dataclass(frozen=True)
class _Stance:
    """Where the parts of the body are; the floor is level in the dog's frame."""

    rump: tuple[float, float]
    shoulder: tuple[float, float]
    floor: float
    stride: tuple[float, ...]
    sitting: bool


def _stance(breed: Breed, random: Generator) -> _Stance:
    floor = breed.chest * 0.8 + breed.leg
    if random.random() < 0.3:
        rump = (-_BARREL * 0.7, floor - breed.waist * 1.1)
        reach = 1.7 * _BARREL
        height = floor + random.uniform(0.1, 0.24) - breed.waist * 1.1
        rise = np.arcsin(min(height / reach, 0.8))
        shoulder = (rump[0] + reach * np.cos(rise), rump[1] - reach * np.sin(rise))
        return _Stance(rump, shoulder, floor, (0.0, 0.06), sitting=True)
    stride = np.array(_STRIDES[random.integers(len(_STRIDES))]) + random.normal(0, 0.06, 4)
    return _Stance((-_BARREL, 0.0), (_BARREL, 0.0), floor, tuple(stride.tolist()), sitting=False)


def _dog(brush: Brush, breed: Breed, coat: WornCoat, random: Generator) -> None:
    """A dog from the side, its back about one unit long, facing right."""
    stance = _stance(breed, random)
    cast_shadow(brush, 0, stance.floor, 0.6)
    near, far = _legs(brush, breed, stance)
    model(far, shaded(coat.legs, 0.7))
    _tail(brush.at(*stance.rump), breed, coat, random)
    carriage = random.uniform(0.6, 1.2)
    reach = breed.neck + breed.chest * 0.5
    poll = np.array(stance.shoulder) + reach * np.array([np.cos(carriage), -np.sin(carriage)])
    _trunk(brush, breed, coat, _spines(breed, stance, poll), near, random)
    _head(brush.at(poll[0], poll[1], breed.skull, random.normal(0.08, 0.15)), breed, coat, random)


def _legs(brush: Brush, breed: Breed, stance: _Stance) -> tuple[list[Limb], list[Limb]]:
    """The legs of the near and of the far side."""
    sides: tuple[list[Limb], list[Limb]] = ([], [])
    for number, swing in enumerate(stance.stride[:2]):
        sides[number].append(_fore_leg(brush, breed, stance, swing))
    for number, swing in enumerate(stance.stride[2:] or (0.0, 0.0)):
        hind = _folded_leg if stance.sitting else _hind_leg
        sides[number].append(hind(brush, breed, stance, swing))
    return sides


def _thickness(breed: Breed) -> float:
    return 0.2 * breed.chest + 0.03 * breed.leg


def _fore_leg(brush: Brush, breed: Breed, stance: _Stance, swing: float) -> Limb:
    x, y = stance.shoulder
    length, thick = stance.floor - y - 0.04, _thickness(breed)
    rows = [
        (-0.04, 0.0, 1.6 * thick), (-0.03, 0.45 * length, thick), (-0.04, length, 0.8 * thick),
        (0.05, length + 0.02, 0.85 * thick),
    ]  # fmt: skip
    return brush.at(x, y, 1, -swing), np.array(rows)


def _hind_leg(brush: Brush, breed: Breed, stance: _Stance, swing: float) -> Limb:
    x, y = stance.rump
    length, thick = stance.floor - y - 0.04, _thickness(breed)
    rows = [
        (0.04, 0.0, 2.4 * thick), (0.06, 0.4 * length, 1.5 * thick),
        (-0.07, 0.68 * length, 0.85 * thick), (-0.04, length, 0.75 * thick),
        (0.05, length + 0.02, 0.85 * thick),
    ]  # fmt: skip
    return brush.at(x, y, 1, -swing), np.array(rows)


def _folded_leg(brush: Brush, breed: Breed, stance: _Stance, swing: float) -> Limb:
    """The hind leg of a dog that sits: the thigh forward, the foot flat on the floor."""
    x, y = stance.rump
    floor, thick = stance.floor - y, _thickness(breed)
    rows = [
        (0.06, 0.0, 2.2 * thick),
        (0.24, 0.5 * floor, 1.9 * thick),
        (0.2, floor - 0.05, 1.2 * thick),
    ]
    foot = [(0.3, floor - 0.03, 0.9 * thick), (0.42 + swing, floor - 0.02, 0.8 * thick)]
    return brush.at(x, y), np.array(rows + foot)


def _spines(breed: Breed, stance: _Stance, poll: Points) -> tuple[Points, Points]:
    """The barrel from rump to shoulder, and the neck from there to the poll."""
    rump, shoulder = np.array(stance.rump), np.array(stance.shoulder)
    waist, ribs = rump + (shoulder - rump) * 0.35, rump + (shoulder - rump) * 0.75
    tuck = 0.3 * (breed.chest - breed.waist)
    barrel = [
        (*rump, 0.9 * breed.waist), (waist[0], waist[1] - tuck, breed.waist),
        (*ribs, breed.chest), (*shoulder, 0.85 * breed.chest),
    ]  # fmt: skip
    middle = (shoulder + poll) / 2
    neck = [
        (*(shoulder - (0.03, 0.04)), 0.7 * breed.chest),
        (*middle, 0.3 * breed.chest + 0.4 * breed.skull), (*poll, 0.75 * breed.skull),
    ]  # fmt: skip
    return np.array(barrel), np.array(neck)


def _trunk(
    brush: Brush,
    breed: Breed,
    coat: WornCoat,
    spines: tuple[Points, Points],
    legs: list[Limb],
    random: Generator,
) -> None:
    """Barrel, neck and near legs as one body, then the marks on it."""
    barrel, neck = spines
    body: list[Limb] = [(brush, barrel), (brush, neck)]
    if coat.legs == coat.body:
        body += legs
    else:
        model(legs, coat.legs)
    pelt(body, coat.body, breed.fur, random)
    _marks(brush, breed, coat.marks, spines, random)
    if coat.marks.spots:
        for leg_brush, leg in legs:
            spotted(leg_brush, leg, coat.marks.spots, random)
    if breed.fur == "curly":
        _bracelets(legs, coat, random)


def _marks(
    brush: Brush, breed: Breed, marks: Coat, spines: tuple[Points, Points], random: Generator
) -> None:
    """Saddle, chest, patches and spots of the barrel and the neck."""
    barrel, neck = spines
    if marks.back:
        saddle = barrel * _SADDLE - np.array([0, 1, 0]) * 0.4 * barrel[:, 2:]
        scruff = neck * _SADDLE[1:] - np.array([0.35, 0.1, 0]) * neck[:, 2:]
        pelt([(brush, saddle), (brush, scruff)], marks.back, breed.fur, random)
    if marks.chest:
        front = neck * (1, 1, 0.5) + np.array([0.4, 0.45, 0]) * neck[:, 2:]
        pelt([(brush, front)], marks.chest, breed.fur, random)
    if marks.patches:
        patched(brush, barrel, marks.patches, random)
    if marks.spots:
        for spine in spines:
            spotted(brush, spine, marks.spots, random)


def _bracelets(legs: list[Limb], coat: WornCoat, random: Generator) -> None:
    """The poodle's clip: a ball of curls above each foot."""
    for brush, spine in legs:
        cuff = np.concatenate([spine[-2:, :2] - (0.02, 0.1), [[0.07], [0.075]]], axis=1)
        pelt([(brush, cuff)], coat.body, "curly", random)


_TAILS: dict[Tail, tuple[tuple[float, float, float], ...]] = {
    "plume": ((0, 0, 0.05), (-0.16, 0.02, 0.08), (-0.32, -0.06, 0.09), (-0.42, -0.2, 0.04)),
    "curl": ((0, 0, 0.05), (-0.1, -0.16, 0.06), (0.0, -0.27, 0.06), (0.1, -0.18, 0.05)),
    "whip": ((0, 0, 0.035), (-0.14, 0.06, 0.026), (-0.28, 0.06, 0.018), (-0.4, -0.02, 0.01)),
    "pom": ((0, 0, 0.03), (-0.06, -0.1, 0.025), (-0.1, -0.2, 0.025)),
    "flag": ((0, 0, 0.04), (-0.08, -0.14, 0.036), (-0.1, -0.28, 0.03), (-0.06, -0.38, 0.02)),
    "brush": ((0, 0, 0.06), (-0.12, 0.14, 0.07), (-0.17, 0.3, 0.07), (-0.24, 0.42, 0.03)),
}
_POM = np.array([(-0.1, -0.24, 0.09), (-0.12, -0.27, 0.09)])
_TOPKNOT = np.array([(-0.35, -0.9, 0.5), (0.45, -0.95, 0.5)])


def _tail(rump: Brush, breed: Breed, coat: WornCoat, random: Generator) -> None:
    spine = np.array(_TAILS[breed.tail])
    tail = rump.at(-0.7 * breed.waist, -0.5 * breed.waist, 1, random.normal(0, 0.2))
    fur: Fur = "shaggy" if breed.tail in ("plume", "brush", "curl") else "smooth"
    pelt([(tail, spine)], coat.marks.back or coat.body, fur, random)
    if breed.tail == "pom":
        pelt([(tail, _POM)], coat.body, "curly", random)
    if breed.tail == "flag":
        model([(tail, spine[-2:])], coat.marks.chest or coat.body)


def _head(head: Brush, breed: Breed, coat: WornCoat, random: Generator) -> None:
    """The head in profile; the skull's radius is 1."""
    face, muzzle = coat.face, coat.muzzle
    snout, reach = breed.snout / breed.skull, 0.75 + breed.muzzle / breed.skull
    skull = np.array([(-0.1, 0, 0.95), (0.25, 0.02, 0.88)])
    jaw = np.array([(0.45, 0.25, snout * 1.25), (reach, 0.36, snout)])
    pelt([(head, jaw)], muzzle, "smooth", random)
    pelt([(head, skull)], face, breed.fur, random)
    model([(head, jaw * (1, 1, 0.9) + (0.2, 0.03, 0))], muzzle)
    if coat.marks.blaze:
        head.line(curve([(0.1, -0.82), (0.6, -0.55), (0.85, -0.1)]), coat.marks.blaze, 0.22)
    if coat.marks.spots:
        spotted(head.at(0, 0, 5), skull / 5, coat.marks.spots, random)
    nose = reach + 0.2 + 0.85 * snout
    head.fill(oval(nose, 0.36 - 0.4 * snout, 0.17, 0.15), (24, 20, 22))
    mouth = curve(
        [(0.7, 0.5 + 0.3 * snout), (reach, 0.42 + 0.5 * snout), (nose, 0.4 + 0.1 * snout)]
    )
    head.line(mouth, shaded(muzzle, 0.4), 0.06)
    head.dot(0.48, -0.2, 0.19, shaded(face, 0.6))
    head.dot(0.5, -0.2, 0.14, BLACK)
    head.dot(0.53, -0.25, 0.05, (240, 240, 240))
    turn = random.normal(0, 0.12)
    ear(head.at(-0.25, -0.5, turn=turn, mirrored=True), breed, coat.ears, random)
    if breed.fur == "curly":
        pelt([(head, _TOPKNOT)], coat.body, breed.fur, random)
