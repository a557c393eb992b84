"""Hostile bodies from several clients at once, and whether the server still says that it lives."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fuzz.health_watch import watched
from fuzz.hostile import Attack, attacks
from fuzz.shot import Shot, fired

LATE_MS = 100.0
"""How much the 99th percentile of /health/live under attack may exceed that of an idle process."""
ATTACKERS = 4
ATTACK_SECONDS = 200.0
"""How long the response to a hostile body may take: a picture of 49 million pixels is decoded and drawn."""


@dataclass(frozen=True)
class AttackOutcome:
    """Statuses, what was wrong with the responses, and /health/live's latency meanwhile (see
    health_watch).
    """

    statuses: collections.Counter[int]
    faults: list[str]
    live: dict[str, dict[str, float]]


def attack(port: int, model: str, size: int) -> AttackOutcome:
    """Every hostile body once, from several clients at a time."""
    waiting, turn = attacks(model, size), threading.Lock()
    statuses: collections.Counter[int] = collections.Counter()
    faults: list[str] = []

    def client() -> None:
        while (one := _next(waiting, turn)) is not None:
            status, fault = fired(port, Shot(one.what, one.data), ATTACK_SECONDS)
            statuses[status] += 1
            if fault or not status:
                faults.append(f"{one.what}: {fault or 'no answer'}")

    with watched(port) as live, ThreadPoolExecutor(ATTACKERS) as pool:
        for done in [pool.submit(client) for _ in range(ATTACKERS)]:
            done.result()
    return AttackOutcome(statuses, faults, live)


def _next(waiting: Iterator[Attack], turn: threading.Lock) -> Attack | None:
    # Created one by one: all of them would take a gigabyte.
    with turn:
        return next(waiting, None)


def under_attack(port: int, model: str, size: int) -> list[str]:
    """What was wrong under attack."""
    if not size:
        return []
    outcome = attack(port, model, size)
    print(f"{sum(outcome.statuses.values())} hostile bodies: {dict(sorted(outcome.statuses.items()))}")
    print(f"/health/live in ms meanwhile: {outcome.live}")
    late = outcome.live["server"]["p99"] - outcome.live["bystander"]["p99"]
    slow = [f"/health/live is {late:.0f} ms late at its 99th percentile"] if late > LATE_MS else []
    return [*outcome.faults, *slow]
