"""What is measured: how each server is installed, started and called."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
START_SECONDS = 90.0
STOP_SECONDS = 10.0
ALL_LEVELS = (1, 4, 16, 64)
SHARED = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "pydantic", "pyyaml")
"""Packages that every candidate has in maskdet's versions."""


class BenchError(Exception):
    """The benchmark cannot continue; the message says why."""


@dataclass(frozen=True)
class Model:
    """The ONNX file, the data to check responses with, and the number of cores."""

    path: Path
    input_size: int
    threshold: float
    cores: int


@dataclass(frozen=True)
class Candidate:
    """A server. `command` is run in `peers/` with {python} and {port} filled in."""

    name: str
    command: tuple[str, ...]
    path: str
    answer_path: tuple[str | int, ...]
    packages: tuple[str, ...] = ()
    """Installed with SHARED in a separate venv; without any, this interpreter runs it."""
    levels: tuple[int, ...] = ALL_LEVELS
    json_key: str = ""
    """Key of the base64 picture in a JSON body; empty: the picture is the body."""
    workers: int = 1
    threads: int = 0
    """ONNX Runtime threads in each worker, 0 for all cores."""
    about: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        return "application/json" if self.json_key else "image/jpeg"

    def body(self, picture: bytes) -> bytes:
        """A request's body."""
        if not self.json_key:
            return picture
        return json.dumps({self.json_key: base64.b64encode(picture).decode("ascii")}).encode()


def candidates(model: Model) -> list[Candidate]:
    """Maskdet first, then its peers."""
    maskdet = ("{python}", "-m", "maskdet", "serve", "--model", str(model.path), "--set", "serve.port={port}")
    lit = ("{python}", "lit_app.py")
    bento = ("{bin}/bentoml", "serve", "bento_app:FaceMasks", "--host", "127.0.0.1", "--port", "{port}")
    one_each = f"{model.cores} workers of 1 thread"
    all_cores = f"1 worker of {model.cores} threads"
    quiet = {"BENTOML_DO_NOT_TRACK": "True"}
    return [
        Candidate(
            "maskdet",
            maskdet,
            f"/v1/detect?threshold={model.threshold:.6f}",
            ("results", 0, "detections"),
            about="`maskdet serve`, defaults",
        ),
        Candidate(
            "Flask design",
            ("{python}", "flask_app.py"),
            "/api/",
            ("results",),
            ("flask",),
            json_key="image",
            about="threaded development server, default session",
        ),
        Candidate(
            f"LitServe, {one_each}",
            lit,
            "/predict",
            ("detections",),
            ("litserve",),
            json_key="image_data",
            workers=model.cores,
            threads=1,
            about="base64 in JSON, `workers_per_device`",
        ),
        Candidate(
            f"LitServe, {all_cores}",
            lit,
            "/predict",
            ("detections",),
            ("litserve",),
            levels=(1,),
            json_key="image_data",
            about="the same for one connection",
        ),
        Candidate(
            f"BentoML, {one_each}",
            bento,
            "/detect",
            ("detections",),
            ("bentoml",),
            workers=model.cores,
            threads=1,
            about="raw body, `workers`",
            extra=quiet,
        ),
        Candidate(
            f"BentoML, {all_cores}",
            bento,
            "/detect",
            ("detections",),
            ("bentoml",),
            levels=(1,),
            about="the same for one connection",
            extra=quiet,
        ),
    ]


def installed(candidate: Candidate, cache: Path) -> Path:
    """The interpreter with the candidate's packages; installs them on first use."""
    if not candidate.packages:
        return Path(sys.executable)
    return own_venv([*candidate.packages, *(f"{name}=={version(name)}" for name in SHARED)], cache)


def own_venv(packages: Sequence[str], cache: Path) -> Path:
    """The interpreter of a virtual environment for some packages, created on first use."""
    key = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()[:8]
    folder = cache / f"{packages[0]}-{key}"
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        print(f"installing {packages[0]} in {folder}", file=sys.stderr)
        checked([sys.executable, "-m", "venv", "--clear", str(folder)])
        checked([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        (folder / "ready").touch()
    return python


def cache_folder() -> Path:
    """Where virtual environments are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "maskdet-bench"


def versions(candidate: Candidate, python: Path) -> dict[str, str]:
    """The versions of this candidate's own packages."""
    names = [
        *(candidate.packages or ("fastapi",)),
        "uvicorn" if candidate.packages != ("flask",) else "werkzeug",
    ]
    code = "import sys, importlib.metadata as m; print('\\n'.join(m.version(n) for n in sys.argv[1:]))"
    found = checked([str(python), "-c", code, *names]).split()
    return dict(zip(names, found, strict=True))


def checked(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command[:6])} ... failed:\n{done.stderr[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def running(candidate: Candidate, model: Model, python: Path, log: Path) -> Iterator[tuple[int, int]]:
    """The port and the process id of a started server; all its processes are ended afterwards."""
    port = free_port()
    environment = {
        **os.environ,
        **candidate.extra,
        "PYTHONPATH": str(ROOT),
        "BENCH_MODEL": str(model.path),
        "BENCH_INPUT_SIZE": str(model.input_size),
        "BENCH_THRESHOLD": f"{model.threshold:.6f}",
        "BENCH_PORT": str(port),
        "BENCH_WORKERS": str(candidate.workers),
        "BENCH_THREADS": str(candidate.threads),
    }
    command = [part.format(python=python, bin=python.parent, port=port) for part in candidate.command]
    with log.open("wb") as stream:
        # Its own session, so that its workers can be ended with it.
        process = subprocess.Popen(
            command, cwd=HERE / "peers", env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            await_port(process, port, log)
            yield port, process.pid
        finally:
            end(process)


def await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise BenchError(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole process group to end, then make sure of it."""
    signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    # Workers may outlive their parent.
    signal_group(process, signal.SIGKILL)
    process.wait()


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
