"""The server that is fuzzed: its settings, its review queue, and how fast it answers."""

from __future__ import annotations

import json
import socket
import statistics
import time
from pathlib import Path

import cv2
import numpy as np

from fuzz.pictures import sample_pictures
from fuzz.shot import TIMEOUT_SECONDS, Shot, fired
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import ProposedFace
from served import ServedError

PATIENCE = ("--set", "serve.body_seconds=2", "--set", "serve.header_seconds=2")
"""The server soon abandons requests that claim to be longer than they are."""
PROPOSALS = 12


def good_ms(port: int, calls: int = 30) -> float:
    """Median milliseconds of a good request."""
    body = sample_pictures()[0]
    head = (
        f"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
    )
    shot = Shot("good", head.encode() + b"Connection: close\r\n\r\n" + body)
    millis = []
    for _ in range(calls):
        begin = time.perf_counter()
        status, fault = fired(port, shot)
        if status != 200:
            raise ServedError(f"a good request got {status} {fault}")
        millis.append((time.perf_counter() - begin) * 1000)
    return statistics.median(millis)


def fill(folder: Path) -> list[str]:
    """Proposals for the review queue; returns their names."""
    inbox, names = Inbox(folder), []
    for seed in range(PROPOSALS):
        pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
        data = cv2.imencode(".png", pixels)[1].tobytes()
        face = ProposedFace(label="with_mask", box=(4, 4, 20, 20))
        record = inbox.propose(Proposal(data, pixels, [face], "uncertain"), alike_too=True)
        names += [record.name] if record else []
    return names


def model_name(address: str) -> str:
    """The name of the server's default model."""
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["models"][0]["name"])
