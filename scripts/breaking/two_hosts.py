"""Two hosts, as two network namespaces of this machine, train together: same losses, and the loss of a host.

Needs root and the `ip` command. Prints what it compares; exits with 1 if something differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

REPO = Path(__file__).resolve().parents[2]
IP = shutil.which("ip")
ADDRESSES = ("10.93.8.1", "10.93.8.2")
PORT = 29417
LIMIT_SECONDS = 900.0
TOLERANCE = 1e-4
"""Of a loss."""
LEFT_ALONE_SECONDS = 120.0
"""The longest that the remaining host may take to notice that the other is gone."""


def why_not() -> str:
    """Why network namespaces cannot be used here; empty if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if IP is None:
        return "the ip command is not installed"
    done = subprocess.run([IP, "netns", "add", _name(9)], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"network namespaces are not allowed here: {done.stderr.strip()}"
    _ip("netns", "del", _name(9))
    return ""


@contextmanager
def network() -> Iterator[None]:
    """Two namespaces joined by a cable; their addresses exist only there."""
    try:
        for host in (0, 1):
            _ip("netns", "add", _name(host))
        _ip("link", "add", "cable", "netns", _name(0), "type", "veth", "peer", "cable", "netns", _name(1))
        for host, address in enumerate(ADDRESSES):
            _ip("-n", _name(host), "addr", "add", f"{address}/30", "dev", "cable")
            for link in ("lo", "cable"):
                _ip("-n", _name(host), "link", "set", link, "up")
        yield
    finally:
        for host in (0, 1):
            subprocess.run([str(IP), "netns", "del", _name(host)], capture_output=True, check=False)


def _name(host: int) -> str:
    return f"maskdet-{os.getpid()}-{host}"


def _ip(*arguments: str) -> None:
    subprocess.run([str(IP), *arguments], check=True)


@dataclass
class Host:
    """A `maskdet` command of one host, with its own copy of the pipeline file and its own results."""

    number: int | None
    """None: this machine alone."""
    folder: Path
    process: subprocess.Popen[str] | None = None

    @property
    def train(self) -> Path:
        return self.folder / "runs" / "two" / "train"

    @property
    def started(self) -> subprocess.Popen[str]:
        if self.process is None:
            raise RuntimeError("this host was not started")
        return self.process

    def write(self, data: Path, settings: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True)
        pipeline = {
            "name": "two",
            "data": {"root": str(data)},
            "model": {"variant": "picodet_s_320_esnet"},
            "train": settings,
        }
        (self.folder / "pipeline.yml").write_text(json.dumps(pipeline))

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", "maskdet", "train", *options]
        # As many cores for each worker in both cases: the order of a sum depends on its threads.
        cores = sorted(os.sched_getaffinity(0))
        mine = cores if self.number is None else [cores[self.number % len(cores)]]
        variables = {**os.environ, "PYTHONPATH": str(REPO)}
        if self.number is not None:
            command = [str(IP), "netns", "exec", _name(self.number), *command]
            command += ["--nodes", "2", "--master", f"{ADDRESSES[0]}:{PORT}", "--workers", "1"]
            variables["MASKDET_NODE_RANK"] = str(self.number)
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        psutil.Process(self.process.pid).cpu_affinity(mine)

    def wait(self, seconds: float = LIMIT_SECONDS) -> tuple[int, str]:
        """Exit code and output."""
        try:
            output, _ = self.started.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.started.returncode, output

    def kill(self) -> None:
        """The whole host at once, as by a power cut."""
        try:
            root = psutil.Process(self.started.pid)
        except psutil.NoSuchProcess:
            return
        for member in [root, *root.children(recursive=True)]:
            with _gone_is_fine():
                member.send_signal(signal.SIGKILL)
        self.started.wait()

    def epochs(self) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["event"] == "epoch"]

    def losses(self) -> dict[tuple[int, int], float]:
        """Of the steps that were reported, by epoch and step."""
        steps = [event for event in self.events() if event["event"] == "step"]
        return {(event["epoch"], event["step"]): event["loss"] for event in steps}

    def events(self) -> list[dict[str, Any]]:
        path = self.train / "metrics.jsonl"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess:
        return


def together(hosts: Sequence[Host], *options: str) -> None:
    """Both hosts train to the end."""
    for host in hosts:
        host.start(*options)
    for host in hosts:
        code, output = host.wait()
        if code:
            raise SystemExit(f"host {host.number} exited with {code}:\n{output}")


def lose_one(hosts: Sequence[Host]) -> tuple[float, int, str]:
    """Kill host 1 after its first epoch; the seconds until host 0 ends, its exit code and output."""
    for host in hosts:
        host.start()
    until = time.monotonic() + LIMIT_SECONDS
    while not (hosts[0].train / "last.safetensors").is_file():
        if time.monotonic() > until or hosts[0].started.poll() is not None:
            for host in hosts:
                host.kill()
            raise SystemExit(f"no epoch was finished:\n{hosts[0].wait()[1]}")
        time.sleep(0.1)
    hosts[1].kill()
    lost = time.monotonic()
    code, output = hosts[0].wait(LEFT_ALONE_SECONDS)
    return time.monotonic() - lost, code, output


def compare(one: Host, hosts: Sequence[Host]) -> None:
    """One host with two workers, and two hosts with one each: losses, evaluations and weights.

    Host 1 reports the losses of its own share of each step.
    """
    expected, found = one.losses(), hosts[0].losses()
    # Steps are reported by the clock, so not all of them in each training.
    common = sorted(expected.keys() & found.keys())
    difference = max(abs(expected[step] - found[step]) for step in common)
    print(f"host 0: {len(common)} common steps, losses differ by at most {difference:g}")
    evaluated, weights = _evaluations(one), (one.train / "last.pdparams").read_bytes()
    differs = difference > TOLERANCE
    for host in hosts:
        same = _evaluations(host) == evaluated
        identical = (host.train / "last.pdparams").read_bytes() == weights
        print(f"host {host.number}: evaluations {_words(same)}, weights {_words(identical)}")
        differs = differs or not same
    if differs:
        raise SystemExit(1)


def _said(output: str) -> list[str]:
    """The error with its next step."""
    lines = output.splitlines()
    return lines[next((n for n, line in enumerate(lines) if line.startswith("error:")), 0) :]


def _evaluations(host: Host) -> list[float]:
    return [event["ap50"] for event in host.epochs()]


def _words(same: bool) -> str:
    return "equal" if same else "different"


def show(place: Path, data: Path, settings: dict[str, Any]) -> None:
    """One host, two hosts, and two of which one is lost; all of them are gone afterwards."""
    one = Host(None, place / "one")
    pairs = {
        kind: [Host(number, place / f"{kind}-{number}") for number in (0, 1)] for kind in ("two", "lost")
    }
    try:
        one.write(data, {**settings, "workers": 2})
        one.start()
        print("one host with two workers:", *one.wait()[1].splitlines()[-1:], sep="\n  ")
        for kind, hosts in pairs.items():
            for host in hosts:
                host.write(data, settings)
            if kind == "lost":
                seconds, code, output = lose_one(hosts)
                print(f"host 1 killed after epoch 1: host 0 ended {seconds:.0f} s later with {code}:")
                print(*_said(output), sep="\n")
                print("both go on with --resume:")
                together(hosts, "--resume")
            else:
                print("two hosts with one worker each:")
                together(hosts)
            compare(one, hosts)
    finally:
        for host in (one, *pairs["two"], *pairs["lost"]):
            if host.process is not None:
                host.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=REPO / "data" / "sample")
    parser.add_argument("--epochs", type=int, default=2)
    chosen = parser.parse_args()
    if reason := why_not():
        raise SystemExit(reason)
    settings = {"epochs": chosen.epochs, "batch_size": 8, "device": "cpu", "preflight": False}
    with tempfile.TemporaryDirectory() as folder, network():
        show(Path(folder), chosen.data.resolve(), settings)


if __name__ == "__main__":
    main()
