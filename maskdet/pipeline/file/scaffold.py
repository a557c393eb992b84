"""A first pipeline file for a VOC folder: every key with its meaning, labels and aliases from the data."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from maskdet.dataset.checking.labels import resembled
from maskdet.dataset.checking.stopping import fault_lines
from maskdet.dataset.findings import by_severity, clean
from maskdet.dataset.formats.recognise import TITLES, nearby, recognise, refuse_labelme
from maskdet.dataset.formats.voc_shape import other_shape
from maskdet.dataset.reading.annotation import read_annotation
from maskdet.dataset.reading.image_sets import ListedPart, listed_counts, splits
from maskdet.dataset.reading.layout import VOC, find_pairs
from maskdet.errors import DatasetError
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.places import DEFAULT_CONFIG
from maskdet.system.files import relative_path
from maskdet.training.settings import TrainSettings
from maskdet.wording.commands import command_line
from maskdet.wording.lexicon import label_roles, unknown_roles
from maskdet.wording.names import name_in, name_of

_WIDTH = 100
# Sections that most users never change are included, but commented out.
_COMMENTED = ("serve",)
_SHOWN_ANYWAY = ("host", "port")
# The shipped model's settings, starting from its weights: most new data sets are small.
_RECIPE: dict[str, Any] = {
    "model": {"variant": "picodet_s_416_esnet", "pretrained": "default"},
    "train": {"optimizer": "adamw", "augment": "faces", "balance": 0.5},
    "eval": {"threshold": "safe"},
}


@dataclass(frozen=True, slots=True)
class Survey:
    """The content of a VOC folder: pictures with an annotation, objects by name, names in lists by part.

    `passed_over` counts the errors about files that are not among these pictures, by kind.
    """

    root: Path
    pictures: int
    names: Mapping[str, int]
    lists: Mapping[ListedPart, int]
    passed_over: Counter[str]

    @property
    def aliases(self) -> dict[str, str]:
        """Rare names that look like a typo of a frequent one."""
        return {name: likely for name in sorted(self.names) if (likely := resembled(name, self.names))}

    @property
    def labels(self) -> list[str]:
        """The names that are not typos, sorted, as prepare would take them."""
        return sorted(self.names.keys() - self.aliases.keys())

    @property
    def is_listed(self) -> bool:
        """Whether its lists say what trains and what validates."""
        return splits(self.lists)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Labels whose names do not imply a role."""
        return unknown_roles(self.labels, label_roles(self.labels))

    def summary(self) -> str:
        counts = ", ".join(f"{name} {number}" for name, number in self._by_frequency())
        return f"{self.pictures} pictures, {sum(self.names.values())} objects ({counts})"

    def _by_frequency(self) -> list[tuple[str, int]]:
        return sorted(self.names.items(), key=lambda item: (-item[1], item[0]))


def survey(root: Path) -> Survey:
    """Count the folder's objects. Raises DatasetError if it is not a VOC folder, has no object, or has a list
    that cannot be read.
    """
    _refuse_foreign(root)
    layout = find_pairs(root)
    readings = [read_annotation(root / pair.annotation, pair.annotation) for pair in layout.pairs]
    annotations = [reading.annotation for reading in readings if reading.annotation]
    unread = (finding for reading in readings if not reading.annotation for finding in reading.findings)
    findings = (*layout.findings, *unread)
    errors = by_severity(findings, "error")
    names = Counter(item.label for annotation in annotations for item in annotation.objects)
    if not names:
        hint = "correct these errors" if errors else "annotate some faces first"
        raise DatasetError(f"{root} has no annotated object", hint, fault_lines(errors, findings))
    passed_over = Counter(error.code for error in errors)
    return Survey(root, len(annotations), dict(names), listed_counts(root, layout.pairs), passed_over)


def _refuse_foreign(root: Path) -> None:
    if not root.exists():
        return
    form = recognise(root)
    if form is None:
        refuse_labelme(root)
        if hint := nearby(root):
            raise DatasetError(f"{root} is not a labelled set", hint)
        return
    shape = other_shape(root) if form == "voc" else ""
    if form == "voc" and not shape:
        return
    target = f"{root.resolve().name.removesuffix('.json')}-voc"
    command = command_line("data", "convert", root, target, "--to", "voc")
    trained = f" with {shape}; maskdet trains on {VOC}" if shape else "; maskdet trains on Pascal VOC"
    raise DatasetError(f"{root} is a {TITLES[form]} set{trained}", f"`{command}` turns it into one")


def scaffold(found: Survey, target: Path) -> str:
    """The text of a pipeline file to be stored at `target`."""
    value = PipelineFile(
        name=_run_name(found.root, target),
        data={
            "root": relative_path(found.root, target.parent),
            "labels": tuple(found.labels),
            "aliases": found.aliases,
            "frozen_val": Path(f"{target.stem}.val.json"),
            "split": {"method": "lists"} if found.is_listed else {},
        },
        **{**_RECIPE, "train": {**_RECIPE["train"], "batch_size": _batch_size(found.pictures)}},
    )
    run = command_line("run", target.name)
    head = [
        f"# maskdet pipeline for {found.root.name}: {found.summary()}.",
        f"# `{run}` runs it; `--set section.key=value` overrides a key for one command.",
    ]
    asked = {"roles": f"To be set here: {clean(', '.join(found.unknown), 200)}."} if found.unknown else {}
    return "\n".join([*head, *_section(PipelineFile, value.model_dump(mode="json"), "", asked)]) + "\n"


def _run_name(root: Path, target: Path) -> str:
    """Like the folder's name, or the file's: runs of the same name would replace each other's results."""
    stem = "" if target.name == DEFAULT_CONFIG.name else target.stem
    return name_of(root, name_in(stem) or "masks")


def _batch_size(pictures: int) -> int:
    """The usual one, or less for few pictures: one in five is val, and an epoch has two steps at least."""
    return max(1, min(TrainSettings().batch_size, pictures * 4 // 5 // 2))


def _section(
    model: type[BaseModel],
    values: Mapping[str, Any],
    indent: str,
    asked: Mapping[str, str],
    *,
    quiet: bool = False,
) -> Iterator[str]:
    """`asked`: by key, what the user has to set there."""
    for name, field in model.model_fields.items():
        if not indent:
            yield ""
        yield from _comment(" ".join(filter(None, [field.description, asked.get(name)])), indent)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield f"{indent}{name}:"
            yield from _section(kind, values[name], f"{indent}  ", asked, quiet=name in _COMMENTED)
        else:
            mark = "# " if quiet and name not in _SHOWN_ANYWAY else ""
            yield f"{indent}{mark}{name}: {_flow(values[name])}"


def _comment(text: str, indent: str) -> Iterator[str]:
    return (f"{indent}# {line}" for line in textwrap.wrap(text, _WIDTH - len(indent) - 2))


def _flow(value: Any) -> str:
    if value is None:
        return "null"
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
