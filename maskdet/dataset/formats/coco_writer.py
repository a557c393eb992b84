"""Writes a COCO annotation file: pictures and objects one a line, as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.reading.sizes import Size


class CocoWriter:
    """One document. Ids count from 1, those of the categories in the order of the labels.

    Objects have two keys beyond COCO's own, which its readers pass over: `difficult`, and `score` where a
    model found them. Annotations are kept until `finish`, as the format lists them after the pictures.
    """

    def __init__(self, stream: TextIO, labels: Sequence[str]) -> None:
        self._stream = stream
        self._ids = {label: number for number, label in enumerate(labels, start=1)}
        self._annotations: list[str] = []
        self._pictures = 0
        stream.write('{\n"info": {"description": "written by maskdet"},\n"licenses": [],\n"images": [')

    def add(self, file_name: str, size: Size, objects: Iterable[LabelledObject]) -> None:
        self._pictures += 1
        image = {"id": self._pictures, "file_name": file_name, "width": size[1], "height": size[0]}
        self._stream.write(f"{',' if self._pictures > 1 else ''}\n{_line(image)}")
        for item in objects:
            self._annotations.append(_line(self._annotation(item)))

    def finish(self) -> None:
        categories = [
            {"id": number, "name": label, "supercategory": ""} for label, number in self._ids.items()
        ]
        annotations, named = ",\n".join(self._annotations), ",\n".join(map(_line, categories))
        self._stream.write(f'\n],\n"annotations": [\n{annotations}\n],\n"categories": [\n{named}\n]\n}}\n')

    def _annotation(self, item: LabelledObject) -> dict[str, Any]:
        x1, y1, x2, y2 = item.box
        width, height = x2 - x1, y2 - y1
        score = {} if item.score is None else {"score": round(item.score, 4)}
        return {
            "id": len(self._annotations) + 1,
            "image_id": self._pictures,
            "category_id": self._ids[item.label],
            "bbox": [_number(value) for value in (x1, y1, width, height)],
            "area": _number(width * height),
            "iscrowd": 0,
            "segmentation": [],
            "difficult": int(item.difficult),
            **score,
        }


def _number(value: float) -> float:
    """To a millionth of a pixel; whole numbers as integers."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
