"""What a JSON file of labels is, by its keys and without parsing it: COCO's largest has 470 MB."""

from __future__ import annotations

import mmap
from itertools import islice
from pathlib import Path
from typing import Final

_COCO: Final = (b'"images"', b'"annotations"')
_LABELME: Final = (b'"shapes"', b'"imagePath"')
_LOOKED_AT: Final = 20
"""Files of a folder; labelme writes one for each picture."""


def is_coco(path: Path) -> bool:
    return _has(path, _COCO)


def is_labelme(source: Path) -> bool:
    """Whether a file, or all of the first JSON files of a folder, are labelme's."""
    files = [source] if source.is_file() else list(islice(sorted(source.glob("*.json")), _LOOKED_AT))
    return bool(files) and all(_has(path, _LABELME) for path in files)


def _has(path: Path, keys: tuple[bytes, ...]) -> bool:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return all(text.find(key) >= 0 for key in keys)
    except (OSError, ValueError):
        # An empty file cannot be mapped.
        return False
