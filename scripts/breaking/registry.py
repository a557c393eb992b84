"""Kill processes that change a registry, with SIGKILL, and check after each that nothing is half-done.

BUNDLE is any bundle. --rounds N kills a busy writer at N random moments; --every-call kills one before each
single call that opens, renames, makes or removes something in the registry.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from maskdet.registry.history import last_move
from maskdet.registry.pruning import prune
from maskdet.registry.registry import Registry
from maskdet.registry.verification import verify_registry
from maskdet.system.asides import PREFIX
from variants import commented

MODEL: Final = "face-mask"
LONGEST_SECONDS: Final = 0.4
"""A writer is killed after at most this time; one pass through its changes takes a quarter of it."""
CALLS: Final = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.ftruncate")
"""Audit events, raised before the call."""


class Writer:
    """Makes every kind of change again and again, with bundles that differ in a comment."""

    def __init__(self, registry: Registry, bundle: bytes, folder: Path) -> None:
        self.registry, self._bundle, self._folder = registry, bundle, folder

    def begin(self) -> None:
        """Two versions, so that there is one to go back to."""
        for number in range(2):
            path = self._folder / f"{number}.onnx"
            path.write_bytes(commented(self._bundle, f"first-{number}"))
            version = self.registry.register(MODEL, path)
            self.registry.set_alias(MODEL, "champion", version.number, why="to begin with")

    def step(self, number: int) -> None:
        registry = self.registry
        path = self._folder / f"{number}.onnx"
        path.write_bytes(commented(self._bundle, f"{os.getpid()}-{number}"))
        version = registry.register(MODEL, path, files={"note.txt": f"{number}\n"})
        registry.set_alias(MODEL, "champion", version.number, why="it is the newest")
        registry.set_alias(MODEL, "challenger", version.number, why="it is the newest")
        registry.rollback(MODEL, "champion")
        prune(registry, MODEL, 3, "writer", dry_run=False)

    def forever(self) -> None:
        for number in count():
            self.step(number)


def die_at(call: int, folder: Path) -> None:
    """Kill this process before its call number `call` in the folder."""
    left = iter(range(call))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        concerns = event in CALLS and any(str(one).startswith(str(folder)) for one in arguments[:2])
        if concerns and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def killed(work: Callable[[], None], seconds: float | None) -> bool:
    """Run work in a process of its own, killed after so long; whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, -signal.SIGKILL):
        raise SystemExit("the writer failed by itself")
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def check(registry: Registry) -> None:
    """What must hold at once, for readers; then what must hold after the next change."""
    for alias in registry.aliases(MODEL):
        registry.resolve(f"models:{MODEL}@{alias}").checked_bundle()
    registry.versions(MODEL)
    prune(registry, MODEL, 3, "checker", dry_run=False)
    faults = [fault for one in verify_registry(registry) for fault in one.faults]
    left = [str(path) for path in registry.folder.rglob(f"{PREFIX}*")]
    events, targets = registry.history(MODEL), registry.aliases(MODEL)
    moves = {alias: last_move(events, alias) for alias in targets}
    faults += [
        f"{alias} is not where it was moved" for alias in targets if moved_to(moves[alias]) != targets[alias]
    ]
    if faults or left:
        raise SystemExit(f"half-done: {faults + left}")


def moved_to(move: Any) -> int | None:
    return None if move is None else int(move.after)


def at_random(writer: Writer, rounds: int, seed: int) -> int:
    """Kill a busy writer so often; how many versions were registered in all."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    for _ in range(rounds):
        killed(writer.forever, chance.uniform(0, LONGEST_SECONDS))
        check(writer.registry)
    return len(writer.registry.history(MODEL))


def at_every_call(writer: Writer) -> int:
    """Kill a writer before each call of one step; how many calls that was."""
    folder = writer.registry.folder
    for call in count():

        def work(call: int = call) -> None:
            die_at(call, folder)
            writer.step(call)

        if not killed(work, None):
            return call
        check(writer.registry)
    raise AssertionError


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--rounds", type=int, default=0, metavar="N")
    parser.add_argument("--every-call", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maskdet-kill-") as name:
        folder = Path(name)
        (folder / "bundles").mkdir()
        writer = Writer(Registry(folder / "models"), given.bundle.read_bytes(), folder / "bundles")
        writer.begin()
        if given.every_call:
            print(f"killed before each of {at_every_call(writer)} calls: nothing was half-done")
        if given.rounds:
            events = at_random(writer, given.rounds, given.seed)
            print(f"killed at {given.rounds} random moments, {events} events recorded: nothing was half-done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
