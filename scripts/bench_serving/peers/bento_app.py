"""BentoML, set up as in its guides to workers and input types: one worker per core, a file as raw body."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType
from detect import WORKERS, Network


@bentoml.service(workers=WORKERS)
class FaceMasks:
    """One worker process; BentoML runs the plain method in a pool of threads."""

    def __init__(self) -> None:
        self.network = Network()

    @bentoml.api
    def detect(self, image: Annotated[Path, ContentType("image/jpeg")], /) -> dict[str, Any]:
        return {"detections": self.network.detect(image.read_bytes())}
