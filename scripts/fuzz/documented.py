"""The requests that schemathesis makes of the server's OpenAPI document."""

from __future__ import annotations

import subprocess
import tempfile

from bench_serving.candidates import BenchError, cache_folder, own_venv

__all__ = ["BenchError", "schemathesis"]


def schemathesis(address: str, examples: int, seconds: float) -> tuple[str, bool]:
    """Findings of schemathesis on the OpenAPI document's routes: server errors only."""
    python = own_venv(["schemathesis"], cache_folder())
    command = [
        str(python.parent / "schemathesis"),
        "run",
        f"{address}/openapi.json",
        "--checks",
        "not_a_server_error",
    ]
    command += [
        "--max-examples",
        str(examples),
        "--seed",
        "1",
        "--suppress-health-check",
        "all",
        "--no-color",
    ]
    try:
        # It writes to the current folder.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
            )
    except subprocess.TimeoutExpired:
        return f"schemathesis was not done after {seconds:.0f} s", False
    return done.stdout[-1500:] + done.stderr[-500:], done.returncode == 0
