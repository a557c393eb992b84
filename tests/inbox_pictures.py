"""Pictures for tests of the inbox."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from maskdet.dataset.reading.layout import ANNOTATIONS, PICTURES
from maskdet.detector.picture import decode
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import ProposedFace, Record
from maskdet.inbox.store import RECORDS, WAITING
from maskdet.system.times import time_text


def encoded(kind: str, size: tuple[int, int] = (200, 160), seed: int = 0, **options: Any) -> bytes:
    """A picture of `size` (width, height) with enough structure to be told from others."""
    rough = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(cv2.resize(rough, size)).save(buffer, kind, **options)
    return buffer.getvalue()


def stored(folder: Path) -> list[str]:
    """Pictures and annotations in or below the folder of an inbox, whatever their state."""
    parts = (PICTURES, ANNOTATIONS, WAITING)
    paths = (path for path in folder.rglob("*") if path.is_file() and path.parent.name in parts)
    return sorted(str(path.relative_to(folder)) for path in paths)


def date_back(folder: Path, name: str, *, days: float) -> None:
    """As if a picture of an inbox had come, and been decided if it is, that many days ago."""
    path = folder / RECORDS / f"{name}.json"
    record = Record.model_validate_json(path.read_bytes())
    at = time_text(datetime.now(timezone.utc) - timedelta(days=days))
    decision = record.decision and record.decision.model_copy(update={"at": at})
    path.write_text(record.model_copy(update={"at": at, "decision": decision}).model_dump_json())


def proposal(seed: int = 0, why: str = "uncertain", **fields: Any) -> Proposal:
    """A picture of its own with a masked face that is sure, and a bare one in dispute."""
    data = encoded("JPEG", seed=seed, quality=95)
    faces = [
        ProposedFace(label="with_mask", box=(10, 20, 60, 80), score=0.97),
        ProposedFace(label="without_mask", box=(100, 90, 150, 140), score=0.48, disputed=True),
    ]
    return Proposal(data, decode(data), faces, why, **fields)
