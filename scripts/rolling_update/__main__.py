"""Replace three servers behind the nginx example one after another, and lose one, under load: what fails?

The servers run with the command, environment, probes and grace period of the Deployment in deploy/kubernetes.
Fails if a request does, or if a server does not end as it should.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rolling_update import deployment
from rolling_update.load_clients import Answer, Clients
from rolling_update.proxied import Proxy, missing, nginx
from rolling_update.replica import Replica
from served import ROOT, end_on_sigterm, free_port

PICTURE = ROOT / "data/sample/JPEGImages/sample_000.jpg"


@dataclass(frozen=True)
class Plan:
    """How much is played: `rolled` of the three servers, and seconds of load around each event."""

    rolled: int = 3
    steady_seconds: float = 5.0
    connections: int = 16
    pause_seconds: float = 0.0
    """Of each client, between an answer and its next request."""


@dataclass
class Phase:
    """What happened to the requests that were answered meanwhile."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)
    """By what the server that was given up said: a status, 502 meaning none at all."""
    events: dict[str, list[float]] = field(default_factory=dict)

    @property
    def failed(self) -> list[Answer]:
        """Answers other than a result."""
        return [one for one in self.answers if one.status != 200]

    def summary(self) -> dict[str, Any]:
        """Counts, and milliseconds and seconds."""
        millis = sorted(one.millis for one in self.answers) or [0.0]
        return {
            "phase": self.name,
            "requests": len(self.answers),
            "failed": len(self.failed),
            "retried": sum(self.retries.values()),
            "retried_after": dict(self.retries),
            "p50_ms": round(millis[len(millis) // 2]),
            "p99_ms": round(millis[int(len(millis) * 0.99)]),
            "longest_ms": round(millis[-1]),
            **{name: [round(one, 2) for one in seconds] for name, seconds in self.events.items()},
        }


class Stage:
    """Three replicas, the proxy and its clients."""

    def __init__(self, replicas: list[Replica], proxy: Proxy, clients: Clients, plan: Plan) -> None:
        self._replicas = replicas
        self._proxy = proxy
        self._clients = clients
        self._plan = plan
        self.phases: list[Phase] = []

    def steady(self) -> None:
        """Nothing happens."""
        with self._phase("steady"):
            pass

    def roll(self) -> None:
        """One after another: SIGTERM, the end awaited, a new one started, its readiness awaited."""
        with self._phase("rolling update") as phase:
            for replica in self._replicas[: self._plan.rolled]:
                phase.events.setdefault("seconds_to_end", []).append(replica.terminate())
                replica.start()
                phase.events.setdefault("seconds_to_ready", []).append(replica.await_ready())

    def lose(self) -> None:
        """SIGKILL for one, and its successor."""
        with self._phase("loss of one") as phase:
            self._replicas[-1].kill()
            time.sleep(self._plan.steady_seconds)
            self._replicas[-1].start()
            phase.events["seconds_to_ready"] = [self._replicas[-1].await_ready()]

    @contextmanager
    def _phase(self, name: str) -> Iterator[Phase]:
        """Ends with a while of undisturbed load, so that what an event leads to is part of it."""
        phase = Phase(name)
        logged = len(self._proxy.log())
        self._clients.taken()
        yield phase
        time.sleep(self._plan.steady_seconds)
        for replica in self._replicas:
            replica.check_alive()
        phase.answers = self._clients.taken()
        phase.retries = retries(self._proxy.log()[logged:])
        self.phases.append(phase)


def retries(lines: list[dict[str, Any]]) -> Counter[str]:
    """Attempts that were given up, by their status, in lines of the proxy's log."""
    return Counter(status for line in lines for status in line["upstream_statuses"].split(", ")[:-1])


def play(folder: Path, plan: Plan, path: Path = deployment.BASE) -> list[Phase]:
    """All phases, in a folder for logs. Raises ReplicaError or ProxyError."""
    wanted = deployment.read(path)
    with ExitStack() as left:
        replicas = [Replica(wanted, free_port(), folder / f"replica-{number}") for number in range(3)]
        for replica in replicas:
            left.callback(replica.kill)
            replica.start()
        for replica in replicas:
            replica.await_ready()
        proxy = left.enter_context(nginx(folder / "nginx", [replica.port for replica in replicas]))
        clients = left.enter_context(
            Clients(proxy.port, proxy.trust, PICTURE.read_bytes(), plan.connections, plan.pause_seconds)
        )
        stage = Stage(replicas, proxy, clients, plan)
        for act in (stage.steady, stage.roll, stage.lose):
            act()
        for replica in replicas:
            replica.terminate()
        return stage.phases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=Plan.connections)
    parser.add_argument(
        "--seconds", type=float, default=Plan.steady_seconds, help="of load around each event"
    )
    parser.add_argument("--manifest", type=Path, default=deployment.BASE)
    options = parser.parse_args()
    if lacking := missing():
        raise SystemExit(f"install {lacking} first")
    end_on_sigterm()
    plan = Plan(steady_seconds=options.seconds, connections=options.connections)
    with tempfile.TemporaryDirectory() as folder:
        phases = play(Path(folder), plan, options.manifest)
    for phase in phases:
        print(json.dumps(phase.summary()))
        for answer in phase.failed[:5]:
            print(f"  failed: {answer}")
    return 1 if any(phase.failed for phase in phases) else 0


if __name__ == "__main__":
    sys.exit(main())
