"""Two workers that stand for two machines agree on one training before it starts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from trained import REPO

from maskdet.training.state import STATE_NAME, TrainState, read_state

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("agreeing.py")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(rank: int, folder: Path, ports: list[int]) -> subprocess.Popen[str]:
    """As the launcher would, but without its own process, which loads Paddle too."""
    endpoints = [f"127.0.0.1:{port}" for port in ports[1:]]
    variables = {
        "PADDLE_MASTER": f"127.0.0.1:{ports[0]}",
        "PADDLE_TRAINER_ID": str(rank),
        "PADDLE_TRAINERS_NUM": "2",
        "PADDLE_TRAINER_ENDPOINTS": ",".join(endpoints),
        "PADDLE_CURRENT_ENDPOINT": endpoints[rank],
        "PADDLE_LOCAL_RANK": "0",
        "PADDLE_NNODES": "2",
        "PADDLE_DISTRI_BACKEND": "gloo",
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(REPO),
    }
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_machine_that_has_come_furthest_passes_its_state_on(tmp_path):
    for rank in (0, 1):
        (tmp_path / f"machine-{rank}").mkdir()
    state = TrainState(3, 9, False, 0.5, 2, 1, "same", parts=2)
    ahead, behind = tmp_path / "machine-1", tmp_path / "machine-0"
    save_file({"steps": np.array([1, 2])}, str(ahead / STATE_NAME), metadata=state.to_header())
    (ahead / "best.pdparams").write_bytes(b"weights")
    ports = free_ports(3)
    workers = [start(rank, tmp_path, ports) for rank in (0, 1)]
    try:
        outputs = [worker.communicate(timeout=300) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    for worker, (_, errors) in zip(workers, outputs, strict=True):
        assert worker.returncode == 0, errors[-3000:]
    for said in (json.loads(output.splitlines()[-1]) for output, _ in outputs):
        assert said["fresh"] is False
        assert said["late"] == [True, 2]
        assert "differ in data set, recipe, seed or start" in said["other data"]
        assert "differ in train.max_hours" in said["other limit"]
        assert said["gathered"] == [0, 1]
        assert said["texts"] == ["", "größer"]
    assert read_state(behind) == state
    assert (behind / STATE_NAME).read_bytes() == (ahead / STATE_NAME).read_bytes()
    assert (behind / "best.pdparams").read_bytes() == b"weights"
