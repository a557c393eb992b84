"""Running Paddle in a separate process: one job file in, JSON lines out, and no process left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from maskdet.errors import EnvironmentProblem, TrainingError
from maskdet.system.files import write_json
from maskdet.system.machine import core_count
from maskdet.system.process_start import process_start
from maskdet.training.launch import gpus
from maskdet.training.launch.cluster import LOST_PEER, MEETING_SECONDS, RESUME_HINT, Cluster
from maskdet.training.launch.failures import REPORTED, OutOfMemory, kills_for_memory, lacks_memory, lost_peer

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
WORKER_MODULE = "maskdet.training.worker"
LAUNCHER_DIR = "launcher"
_POLL_SECONDS = 0.1
_GRACE_SECONDS = 3.0
_LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """How to start a worker: which interpreter, how many processes, on which devices.

    `devices` is "cpu" or a comma-separated list of GPU numbers, among the visible ones; `processes` is one
    per GPU, or any number on CPU.
    """

    python: Path = Path(sys.executable)
    processes: int = 1
    devices: str = "cpu"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, unless the user has set them."""
    threads: int | None = None
    """Threads per operator in a process; None: an even share of the cores."""
    cluster: Cluster | None = None
    """The machines that train together; None: this one alone."""

    @property
    def workers(self) -> int:
        """Processes of all machines together, if each has as many as this one."""
        return self.processes * (self.cluster.nodes if self.cluster else 1)

    def arguments(self, job: Path, log_dir: Path) -> list[str]:
        worker = [str(self.python), "-m", WORKER_MODULE, str(job)]
        if self.workers == 1:
            return worker
        # The launcher runs a "script" without .py as a program, so the worker can stay a module.
        launcher = [str(self.python), "-m", "paddle.distributed.launch", "--max_restart", "0"]
        among = self.cluster.arguments() if self.cluster else []
        here = ["--nproc_per_node", str(self.processes), "--log_dir", str(log_dir)]
        return [*launcher, *among, *here, *worker]

    def environment(self) -> dict[str, str]:
        threads = str(self.threads or threads_of_each(self.processes))
        ours = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "GLOG_minloglevel": "2"}
        of_cluster = self.cluster.variables() if self.cluster else {}
        inherited = {**self.variables, **of_cluster, **os.environ}
        if self.devices != "cpu":
            ours[gpus.VARIABLE] = gpus.chosen(self.devices, os.environ)
        else:
            ours["PADDLE_DISTRI_BACKEND"] = "gloo"
            if self.workers > 1:
                # The launcher would take this list, even an empty one, as the devices to assign.
                inherited.pop(gpus.VARIABLE, None)
        return {**inherited, **ours, "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}


def threads_of_each(processes: int) -> int:
    """An even share of the usable cores."""
    return max(1, core_count() // processes)


def run_worker(
    module: str,
    job: dict[str, Any],
    folder: Path,
    command: WorkerCommand,
    on_event: OnEvent = lambda event: None,
    *,
    channel: str = "events.jsonl",
    log: Path | None = None,
) -> Event:
    """Have a worker call `run(job, report)` of `module`; return its last event, whose "event" is "done".

    The job file and the channel are in `folder`; `log` keeps the worker's output, if given.
    Whatever ends this call (an error, Ctrl-C, SIGTERM turned into an exception) also ends every process that
    it started.

    Raises TrainingError with the worker's own message, or the end of its log, if it fails, OutOfMemory for
    lack of memory, against which only the caller knows a remedy (`relieved_by`), and EnvironmentProblem if a
    package is missing there.
    """
    job_file, events, output = folder / "job.json", folder / channel, log or folder / "worker.log"
    write_json(job_file, {**job, "module": module, "events": str(events), "parent": _identity(os.getpid())})
    tail = _Tail(events, _size(events))
    kills, written = kills_for_memory(), _size(output)
    with _process_tree(command, job_file, output) as process:
        last, error = _until_ended(process, tail, on_event, _Meeting(command.cluster))
    if process.returncode == 0 and last.get("event") == "done":
        return last
    hint = _hint(command, log)
    if error and (error["kind"] in REPORTED or kills_for_memory() == kills):
        raise REPORTED.get(error["kind"], TrainingError)(error["what"], error["hint"] or hint)
    said = output.read_bytes()[written:].decode("utf-8", errors="replace")
    if command.cluster is not None and lost_peer(said):
        raise TrainingError(LOST_PEER, hint)
    failure = OutOfMemory if lacks_memory(said) or kills_for_memory() > kills else TrainingError
    raise failure(_unexpected(f"{module} in the worker", process.returncode, said), hint)


def _until_ended(
    process: subprocess.Popen[bytes], tail: _Tail, on_event: OnEvent, meeting: _Meeting
) -> tuple[Event, Event]:
    """The last event, and the first error: one failing worker takes the others down."""
    last: Event = {}
    error: Event = {}
    running = True
    while running:
        running = process.poll() is None
        for event in tail.read():
            last = event
            error = error or (event if event["event"] == "error" else {})
            on_event(event)
        if running:
            meeting.check(begun=bool(last))
            time.sleep(_POLL_SECONDS)
    return last, error


class _Meeting:
    """The wait for the other machines of a training, which the launcher itself does not limit."""

    def __init__(self, cluster: Cluster | None) -> None:
        self._cluster, self._began = cluster, time.monotonic()

    def check(self, *, begun: bool) -> None:
        """Raises TrainingError if they have not come in time."""
        if self._cluster is None or begun or time.monotonic() - self._began < MEETING_SECONDS:
            return
        others = self._cluster.nodes - 1
        raise TrainingError(
            f"not all of the {others} other machines came to {self._cluster.master} in {MEETING_SECONDS:g} s",
            f"check that each runs the same command and reaches that address; {RESUME_HINT}",
        )


def still_runs(identity: dict[str, Any]) -> bool:
    """True while the process that wrote `identity` is alive; its start guards against a reused pid."""
    try:
        return _identity(identity["pid"]) == identity
    except psutil.NoSuchProcess:
        return False


def _identity(pid: int) -> dict[str, Any]:
    return {"pid": pid, "start": process_start(pid)}


class _Tail:
    """Complete JSON lines appended to a file since the last read."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path, self._offset = path, offset

    def read(self) -> Iterator[Event]:
        if not self._path.exists():
            return
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield json.loads(line)


@contextmanager
def _process_tree(command: WorkerCommand, job: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    arguments = command.arguments(job, log.parent / LAUNCHER_DIR)
    with log.open("ab") as sink:
        try:
            # Its own session: Ctrl-C reaches only the parent, which then ends the tree in order.
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=command.environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot start {command.python}: {error.strerror}",
                "set train.python to an interpreter that has Paddle",
            ) from error
    try:
        yield process
    finally:
        _end_tree(process)
        _gather_logs(log)


def _gather_logs(log: Path) -> None:
    """Remove the launcher's folder, which holds a copy of the whole environment, including secrets."""
    launcher = log.parent / LAUNCHER_DIR
    with log.open("ab") as sink:
        for part in sorted(launcher.glob("workerlog.*")):
            sink.write(f"--- {part.name}\n".encode() + part.read_bytes())
    shutil.rmtree(launcher, ignore_errors=True)


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    try:
        root = psutil.Process(process.pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        tree = []
    for member in tree:
        _signal(member.terminate)
    _, alive = psutil.wait_procs(tree, timeout=_GRACE_SECONDS)
    for member in alive:
        _signal(member.kill)
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)
    process.wait()


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _hint(command: WorkerCommand, log: Path | None) -> str:
    parts = [RESUME_HINT] if command.cluster else []
    return "; ".join([*parts, *([f"the full log is {log}"] if log else [])])


def _unexpected(who: str, code: int, said: str) -> str:
    """The message for a worker that ended without reporting an error, from its log."""
    ended = f"was ended by signal {-code}" if code < 0 else f"exited with {code}"
    return f"{who} {ended}; the end of its log:\n  " + "\n  ".join(said.splitlines()[-_LOG_LINES:])
