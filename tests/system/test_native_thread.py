"""A process ends with its code although threads come back from native code meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support import write_tiny_bundle

from maskdet.system.machine import core_count

ENDING = """
import sys, time
from pathlib import Path
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.settings import ServeSettings
from maskdet.system.native_thread import NativeThread, leave

model = ServedModel.load("", Path(sys.argv[1]), ServeSettings(), cores=1)

def probe():
    while True:
        model.probe()

for number in range(int(sys.argv[2])):
    NativeThread(probe, name=f"probe-{number}").start()
time.sleep(0.3)
print("flushed", end="")
leave(7)
"""


@pytest.mark.parametrize("threads", [0, core_count()])
def test_process_ends_with_its_code(tmp_path: Path, threads: int) -> None:
    bundle = write_tiny_bundle(tmp_path / "model.onnx")
    command = [sys.executable, "-c", ENDING, bundle, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (7, "flushed"), done.stderr
