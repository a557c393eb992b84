"""One picture: a place, objects, people, light; and the boxes of its faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from draw_sample import background, distractors, palette
from draw_sample.canvas import OVERSAMPLING, Brush, oval
from draw_sample.dice import Dice
from draw_sample.layout import Place, deal_places
from draw_sample.person import Person, deal_person
from draw_sample.portrait import Box, draw_person, face_box

SIZES = ((480, 360), (400, 400), (360, 360), (320, 320), (360, 480), (480, 320), (420, 340))
_LOOSE = ("ball", "balloon", "clock", "plant", "poster", "robot", "cat", "lone mask", "lamp")


@dataclass(frozen=True)
class Face:
    """A face in a picture: its class and its box (xmin, ymin, xmax, ymax) in whole pixels."""

    label: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Plan:
    """The required content of a picture; the rest is random."""

    kind: str
    people: int
    masked_first: bool


def draw_scene(plan: Plan, dice: Dice) -> tuple[Image.Image, list[Face]]:
    """Returns the finished RGB picture and its faces."""
    size = dice.pick(SIZES)
    large = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING))
    brush = Brush(large)
    background.draw_background(brush, size, plan.kind, dice)
    if dice.chance(0.5):
        large.paste(large.filter(ImageFilter.GaussianBlur(dice.number(2, 9))))
    places = deal_places(dice, size, plan.people) if plan.people else []
    _draw_things(large, dice, size, alone=not places)
    faces = _draw_people(large, dice, places, plan)
    return _finish(large, dice, size), faces


def _draw_things(large: Image.Image, dice: Dice, size: tuple[int, int], *, alone: bool) -> None:
    for _ in range(dice.whole(3, 5) if alone else dice.whole(0, 2)):
        half = dice.number(20, 60 if alone else 34)
        centre = (dice.number(0, size[0]), dice.number(0, size[1] * 0.8))
        brush = _brush(large, Place(*centre, half), dice.number(-0.15, 0.15))
        kinds = (*_LOOSE, "hand", "lone mask") if alone else _LOOSE
        distractors.draw_distractor(brush, dice, dice.pick(kinds))


def _draw_people(large: Image.Image, dice: Dice, places: list[Place], plan: Plan) -> list[Face]:
    faces = []
    people = []
    for number, place in enumerate(places):
        masked = plan.masked_first == (number % 2 == 0)
        person = deal_person(dice, dice.pick(palette.SKINS), masked=masked)
        brush = _brush(large, place, person.tilt)
        draw_person(brush, person)
        people.append(person)
        faces.append(Face("with_mask" if masked else "without_mask", _whole(face_box(brush, person))))
    if len(places) == 1 and dice.chance(0.3):
        _wave(large, dice, places[0], people[0])
    return faces


def _wave(large: Image.Image, dice: Dice, near: Place, person: Person) -> None:
    """The person's raised hand, beside the head."""
    side = dice.pick((-1, 1))
    beside = Place(near.x + side * near.half * 1.65, near.y + near.half * 1.2, near.half * 0.55)
    brush = _brush(large, beside, 0.15)
    distractors.draw_hand(brush, person.skin, person.clothes)


def _brush(large: Image.Image, place: Place, tilt: float) -> Brush:
    origin = (place.x * OVERSAMPLING, place.y * OVERSAMPLING)
    return Brush(large, origin, place.half * OVERSAMPLING, tilt)


def _whole(edges: Box) -> tuple[int, int, int, int]:
    xmin, ymin, xmax, ymax = (round(edge / OVERSAMPLING) for edge in edges)
    return xmin, ymin, xmax, ymax


def _finish(large: Image.Image, dice: Dice, size: tuple[int, int]) -> Image.Image:
    """Scale down, then light, focus and sensor noise."""
    width, height = size
    _light(large, dice, size)
    picture = large.resize((width, height), Image.Resampling.LANCZOS)
    if dice.chance(0.25):
        picture = picture.filter(ImageFilter.GaussianBlur(dice.number(0.4, 1.1)))
    pixels = np.asarray(picture, np.float32)
    tint = np.array([dice.number(0.96, 1.03) for _ in range(3)], np.float32)
    pixels = pixels * tint * dice.number(0.84, 1.08) + dice.number(-6, 8)
    if dice.chance(0.2):
        noise = np.random.Generator(np.random.PCG64(dice.whole(0, 2**31)))
        pixels = pixels + (noise.random(pixels.shape[:2], np.float32)[..., None] - 0.5) * 14
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _light(large: Image.Image, dice: Dice, size: tuple[int, int]) -> None:
    width, height = size
    brush = Brush(large)
    if dice.chance(0.35):
        corner = (dice.pick((0, width)), dice.number(0, height / 3))
        brush.fill(oval(corner, width * 0.6, height * 0.6), (255, 240, 206), 0.28, blur=40)
    if dice.chance(0.3):
        corner = (dice.pick((0, width)), height)
        brush.fill(oval(corner, width * 0.6, height * 0.5), (20, 20, 46), 0.25, blur=40)
