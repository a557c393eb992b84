"""The real server process, for tests of its web pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from support import write_tiny_bundle

from maskdet.dataset.reading.annotation import read_annotation


@dataclass(frozen=True)
class Server:
    url: str
    inbox: Path

    def detect(self, data: bytes, query: str = "", **headers: str) -> dict[str, Any]:
        kind = {"content-type": "application/octet-stream", **headers}
        response = httpx.post(f"{self.url}/v1/detect{query}", content=data, headers=kind, timeout=60)
        return dict(response.raise_for_status().json()["results"][0])

    def corrections(self) -> list[Any]:
        paths = sorted((self.inbox / "Annotations").glob("*.xml"), key=lambda path: path.stat().st_mtime_ns)
        return [read_annotation(path, path.name).annotation for path in paths]


@contextmanager
def serving(folder: Path, *arguments: str, bundle: Path | None = None) -> Iterator[Server]:
    bundle = bundle or write_tiny_bundle(folder / "tiny.onnx")
    command = [sys.executable, "-m", "maskdet", "serve", "--model", str(bundle), "--port", "0", *arguments]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found, said + (folder / "server.log").read_text()
        yield Server(found[0], folder / "inbox")
    finally:
        process.terminate()
        process.communicate()
