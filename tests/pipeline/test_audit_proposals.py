"""What a suspected label error looks like in the review queue."""

from __future__ import annotations

from maskdet.dataset.manifest import ManifestObject, ManifestPicture
from maskdet.judging.audit.suspects import Suspect
from maskdet.pipeline.audit_proposals import proposed_faces


def suspect(kind: str, row: int | None, said: str, x: float) -> Suspect:
    label = None if row is None else "a"
    return Suspect(kind, 0.5, "p.jpg", "train", label, None, said, (x, 0, x + 9, 9), 0.91234, row)


def test_the_models_boxes_take_the_place_of_the_labels_they_contradict() -> None:
    objects = tuple(
        ManifestObject("a", (x, 0.0, x + 10.0, 10.0), difficult=x == 40.0) for x in (0.0, 20.0, 40.0)
    )
    picture = ManifestPicture("p.jpg", "p.xml", "train", 99, 10, "", objects)
    faces = proposed_faces(picture, [suspect("swapped", 1, "b", 20.0), suspect("missing", None, "c", 70.0)])
    assert [(face.label, face.box[0], face.score, face.disputed, face.difficult) for face in faces] == [
        ("a", 0, None, False, False),
        ("a", 40, None, False, True),
        ("b", 20, 0.9123, True, False),
        ("c", 70, 0.9123, True, False),
    ]
