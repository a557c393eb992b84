"""Pictures for tests of the inbox."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image


def encoded(kind: str, size: tuple[int, int] = (200, 160), seed: int = 0, **options: Any) -> bytes:
    """A picture of `size` (width, height) with enough structure to be told from others."""
    rough = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(cv2.resize(rough, size)).save(buffer, kind, **options)
    return buffer.getvalue()


def stored(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
