"""LitServe, set up as in its guide to speed: base64 in JSON, and as many workers as the device allows."""

from __future__ import annotations

import base64
import os
from typing import Any

import litserve
from detect import WORKERS, Network


class FaceMasks(litserve.LitAPI):
    """One worker process: its network, and the handling of a request."""

    def setup(self, device: str) -> None:
        del device
        self.network = Network()

    def decode_request(self, request: dict[str, str]) -> bytes:
        return base64.b64decode(request["image_data"])

    def predict(self, data: bytes) -> list[dict[str, Any]]:
        return self.network.detect(data)

    def encode_response(self, found: list[dict[str, Any]]) -> dict[str, Any]:
        return {"detections": found}


if __name__ == "__main__":
    server = litserve.LitServer(FaceMasks(), accelerator="cpu", workers_per_device=WORKERS)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        log_level="warning",
        generate_client_file=False,
    )
