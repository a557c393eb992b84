"""What the user has to know about a conversion: what its target keeps elsewhere, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from maskdet.dataset.findings import bounded, clean, counts
from maskdet.dataset.formats.convert import Conversion
from maskdet.dataset.formats.yolo_writer import DATA_FILE, DIFFICULT_FILE
from maskdet.dataset.reading.image_sets import LISTS

_TURNS: Final = 3
"""Pictures of unclear turn that are named."""


def notes(done: Conversion) -> Iterator[str]:
    """One sentence each."""
    labels = list(done.objects)
    if done.notices:
        yield f"in the source: {counts(Counter(finding.code for finding in done.notices))}"
    # Elsewhere nothing tells of these: a converted annotation has the size of the turned picture.
    yield from bounded([finding for finding in done.notices if finding.code == "turn-unclear"], _TURNS)
    if done.target == "voc" and labels != sorted(label for label, number in done.objects.items() if number):
        order = clean(", ".join(labels), 300)
        yield f"VOC has no list of classes: `data.labels: [{order}]` in the pipeline file keeps their order"
    if done.target == "yolo" and done.difficult:
        yield f"YOLO has no difficult flag: {DIFFICULT_FILE} lists those lines, and `--from yolo` reads it"
    if done.target == "yolo" and not any(done.parts):
        yield f"the set is not split: {DATA_FILE} has no `val`, which Ultralytics needs for training"
    if done.target == "voc" and any(done.parts):
        yield f"the parts are lists in {LISTS}, which `data.split.method: lists` in the pipeline file keeps"
