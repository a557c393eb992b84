"""A whole person, from the back to the front."""

from __future__ import annotations

from draw_sample.canvas import Brush
from draw_sample.features import draw_beard, draw_eyes, draw_glasses, draw_mouth, draw_nose
from draw_sample.hair import draw_hair, draw_hair_behind
from draw_sample.head import draw_body, draw_head, face_points
from draw_sample.headwear import draw_headwear, draw_headwear_behind
from draw_sample.masks import draw_mask
from draw_sample.person import Person

Box = tuple[float, float, float, float]

_LAYERS = (
    draw_body,
    draw_headwear_behind,
    draw_hair_behind,
    draw_head,
    draw_eyes,
    draw_nose,
    draw_beard,
    draw_mouth,
    draw_hair,
    draw_mask,
    draw_glasses,
    draw_headwear,
)


def draw_person(brush: Brush, person: Person) -> None:
    for draw in _LAYERS:
        draw(brush, person)


def face_box(brush: Brush, person: Person) -> Box:
    """xmin, ymin, xmax, ymax of the face in pixels of the large picture."""
    placed = brush.place(face_points(person))
    columns, rows = [x for x, _ in placed], [y for _, y in placed]
    return min(columns), min(rows), max(columns), max(rows)
