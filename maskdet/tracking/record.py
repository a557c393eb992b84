"""What a tracker has of a training: one small file, so that the next command sends only the rest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from maskdet.system.files import write_json


@dataclass(frozen=True, slots=True)
class Record:
    """The run of a training at one address, and what has arrived there."""

    address: str
    run: str
    page: str = ""
    parameters: bool = False
    epoch: int = -1
    """The last one whose figures arrived; -1 for none."""
    sent: dict[str, str] = field(default_factory=dict)
    """Folder/name in the run → sha256; the figures of the evaluation are one of them."""
    version: str = ""
    """Of the registered model; empty before the bundle's registration."""
    status: str = ""
    trouble: str = ""
    """Why the last attempt failed; empty if everything so far has arrived."""

    def with_sent(self, name: str, sha256: str) -> Record:
        return replace(self, sent={**self.sent, name: sha256})

    def write(self, path: Path) -> None:
        write_json(path, asdict(self))


def read_record(path: Path) -> Record | None:
    """None if there is none, or if it is damaged: then a new run is opened."""
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
