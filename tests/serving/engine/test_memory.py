"""Memory of large pictures: it goes back to the system, and few of them are drawn at once."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support import paint

from maskdet.serving.engine import served_model
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.settings import ServeSettings

LARGE_BLOCKS = """
import ctypes
from maskdet.serving.engine.memory import return_large_blocks
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
return_large_blocks()
c.free(c.malloc(24 << 20))  # by itself, glibc then keeps blocks up to this size
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in "arena ord smb mapped bytes u f uord ford keep".split()]
c.mallinfo.restype = Info
before = c.mallinfo().mapped
c.malloc(2 << 20)
print(c.mallinfo().mapped - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_large_block_has_a_mapping_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE_BLOCKS], capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


@pytest.mark.parametrize(("limit", "most"), [(1000, 1), (1 << 20, 3)])
def test_one_large_picture_is_drawn_at_a_time(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, limit: int, most: int
) -> None:
    running: list[int] = []
    seen: list[int] = []

    def slowly(picture: Any, *_: Any, **__: Any) -> Any:
        running.append(1)
        time.sleep(0.2)
        seen.append(len(running))
        running.pop()
        return picture

    monkeypatch.setattr(served_model, "draw", slowly)
    monkeypatch.setattr(served_model, "LARGE_PIXELS", limit)
    model = ServedModel.load("", tiny_bundle, ServeSettings(), cores=1)
    picture = cv2.imencode(".png", np.asarray(paint({(1, 1): "with_mask"})))[1].tobytes()
    prepared = [model.prepare(Work(picture, drawn=True)) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: list(model.detect([one], alone=False)), prepared))

    assert (max(seen), len(seen)) == (most, 3)
