"""What the model was trained and evaluated on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maskdet.dataset.manifest import Manifest
from maskdet.dataset.statistics import SMALL, face_sizes, part_counts, share_under
from maskdet.reporting.markup import Markup, element, joined, table
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say, word


def data(run: RunFiles) -> Markup | None:
    """Counts by class and part, face sizes, and the manifest's hash."""
    manifest = run.manifest
    if manifest is None:
        return None
    headings = (say("class"), say("role"), say("train"), say("val"), say("val_share"))
    inputs = next((stage.inputs for stage in run.stages if stage.name == "prepare"), {})
    # What an earlier prepare has dealt stays where it is, whatever these settings say.
    heading = say("split_new" if "file data.frozen_val" in inputs else "split")
    return joined(
        [
            table(headings, _rows(manifest)),
            _sizes(manifest, run.input_size),
            element("p", heading, ": ", ", ".join(_split(inputs))),
            element("p", say("manifest_hash"), ": ", element("code", manifest.data_hash)),
        ]
    )


def _rows(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    train, val = part_counts(manifest, "train"), part_counts(manifest, "val")
    for label in manifest.labels:
        yield label, word(manifest.roles.get(label, "–")), *_counts(train.objects[label], val.objects[label])
    yield say("objects"), "", *_counts(sum(train.objects.values()), sum(val.objects.values()))
    if train.difficult or val.difficult:
        yield say("difficult"), "", *_counts(train.difficult, val.difficult)
    if train.aside or val.aside:
        yield say("aside"), "", *_counts(train.aside, val.aside)
    yield say("pictures"), "", *_counts(train.pictures, val.pictures)
    yield say("negatives"), "", *_counts(train.negatives, val.negatives)


def _counts(train: int, val: int) -> tuple[str, str, str]:
    whole = train + val
    return str(train), str(val), f"{val / whole:.1%}" if whole else "–"


def _sizes(manifest: Manifest, input_size: tuple[int, int]) -> Markup:
    sizes = face_sizes(manifest, input_size)
    headings = (say("class"), *(say("smaller_than", size=str(size)) for size in SMALL))
    rows = [(label, *(f"{share_under([each], size):.1%}" for size in SMALL)) for label, each in sizes.items()]
    height, width = map(str, input_size)
    return table(headings, rows, caption=say("face_sizes", width=width, height=height))


def _split(inputs: Mapping[str, object]) -> Iterator[str]:
    """The settings of the split; ratio and seed say nothing where lists decide."""
    prefix = "data.split."
    listed = inputs.get(f"{prefix}method") == "lists"
    for key, value in inputs.items():
        name = key.removeprefix(prefix)
        if name != key and (name == "method" or not listed):
            yield f"{name} {value}"
