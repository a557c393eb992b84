"""The demonstration: run the pipeline on the sample set, serve the model, send a request, stop the server."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from maskdet.artefacts import MANIFEST
from maskdet.dataset.manifest import ManifestPicture, load_manifest
from served import MASKDET, ROOT, ServedError, end_on_sigterm, server

PIPELINE = "configs/sample.yml"
RESULTS = ROOT / "runs" / "sample"


class DemoError(Exception):
    """The request failed; the message says how."""


def main() -> int:
    end_on_sigterm()
    trained = subprocess.run([*MASKDET, "run", PIPELINE], cwd=ROOT, check=False)
    if trained.returncode:
        return trained.returncode
    try:
        show(ask())
    except (DemoError, ServedError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


def ask() -> dict[str, Any]:
    """Start the server, send it one validation picture, and stop it."""
    folder = RESULTS / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    picture = val_picture()
    with server(folder / "serve.log", "-c", PIPELINE) as address:
        print(f"\nPOST {address}/v1/detect  ({picture.relative_to(ROOT)})")
        answer = post(f"{address}/v1/detect", picture)
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"the server answered {answer.status_code}: {answer.text}")
    return dict(answer.json())


def post(url: str, picture: Path) -> httpx.Response:
    headers = {"Content-Type": "image/jpeg"}
    try:
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.post(
                url, params={"visualize": "true"}, content=picture.read_bytes(), headers=headers
            )
    except httpx.HTTPError as error:
        raise DemoError(f"the request failed: {error}") from error


def show(answer: dict[str, Any]) -> None:
    """Print the response and save its picture."""
    drawn = RESULTS / "demo" / "answer.jpg"
    for result in answer["results"]:
        drawn.write_bytes(base64.b64decode(result.pop("image")))
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    print(f"\nThe picture with its boxes: {drawn.relative_to(ROOT)}")


def val_picture() -> Path:
    """The validation picture with the largest face."""
    manifest = load_manifest(RESULTS / "prepare" / MANIFEST)
    return manifest.path(max(manifest.part("val"), key=largest_face))


def largest_face(picture: ManifestPicture) -> float:
    """Square pixels; 0 without a face."""
    corners = [item.box for item in picture.objects]
    return max(((right - left) * (bottom - top) for left, top, right, bottom in corners), default=0.0)


if __name__ == "__main__":
    sys.exit(main())
