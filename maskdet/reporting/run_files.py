"""A results folder as the page reads it: what its stages wrote, as far as they got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.artefacts import BUNDLE, CURVES, GATES, MANIFEST, METRICS, PARITY, Document, document_if_any
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.system.files import sha256_file
from maskdet.training.report.metrics_log import METRICS_NAME, read_metrics


@dataclass(frozen=True, slots=True)
class StageFacts:
    """One stage of the run: whether it finished, its seconds, its key figure, and its inputs by name."""

    name: str
    finished: bool
    seconds: float
    figure: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The bundle as a registered version: its reference, the aliases that point to it, the weights that the
    training started from, and who moved the champion last and why.
    """

    reference: str
    aliases: tuple[str, ...]
    start: str
    last_move: str
    commit: str


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The artefacts in runs/<name>. A stage that has not run leaves None or nothing.

    input_size: height and width of the network's input.
    """

    name: str
    folder: Path
    input_size: tuple[int, int]
    stages: tuple[StageFacts, ...]
    version: VersionFacts | None = None

    @property
    def manifest(self) -> Manifest | None:
        path = self.folder / "prepare" / MANIFEST
        return load_manifest(path) if path.is_file() else None

    @property
    def files(self) -> dict[str, Path]:
        """Where the pictures are, by name."""
        return self.manifest.files if self.manifest else {}

    @property
    def bundle_hash(self) -> str:
        path = self.folder / "export" / BUNDLE
        return sha256_file(path) if path.is_file() else ""

    @property
    def events(self) -> list[Document]:
        """Lines of the training's metrics.jsonl."""
        folder = self.folder / "train"
        return read_metrics(folder) if (folder / METRICS_NAME).is_file() else []

    @property
    def judged(self) -> Document | None:
        return self._document("eval", METRICS)

    @property
    def curves(self) -> Document | None:
        return self._document("eval", CURVES)

    @property
    def gates(self) -> Document | None:
        """The gates' report, if it judged the bundle that is in the folder."""
        told = document_if_any(self.folder / "gates" / GATES, "maskdet gates")
        return told if told is not None and told["challenger"]["sha256"] == self.bundle_hash else None

    @property
    def parity(self) -> Document | None:
        return self._document("export", PARITY)

    def _document(self, stage: str, name: str) -> Document | None:
        return document_if_any(self.folder / stage / name, f"maskdet {stage} --force")
