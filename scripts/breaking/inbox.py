"""Kill a process with SIGKILL while it writes to an inbox, again and again; after each kill the inbox must be
whole, and hold everything that was acknowledged.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import random
import signal
import sys
import tempfile
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from maskdet.dataset.checking.check import check
from maskdet.dataset.settings import DataSettings
from maskdet.detector.picture import decode
from maskdet.inbox.audit import AuditLog
from maskdet.inbox.boxes import Correction
from maskdet.inbox.caps import Caps
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.naming import sha256_of
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import ProposedFace
from maskdet.inbox.refusals import DecidedMeanwhile

LABELS = ("with_mask", "without_mask")
FACE = (4.0, 4.0, 20.0, 20.0)
CAPS = Caps(10_000, 10_000, 10_000)
LONGEST_MS = 300.0
Acknowledged = dict[str, int]
"""By picture: the revision that was acknowledged last."""


def picture(seed: int) -> bytes:
    rough = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rough).resize((64, 48)).save(buffer, "JPEG")
    return buffer.getvalue()


def busy(folder: str, seed: int, line: Connection) -> None:
    """Propose, correct, decide and undo until killed; each step that is done is told on the line."""
    inbox = Inbox(Path(folder))
    dice = random.Random(seed)  # noqa: S311  (no secret depends on it)
    line.send(("", 0))
    for number in count(seed * 10_000):
        data = picture(number)
        if dice.random() < 0.3:
            name = inbox.save(data, [Correction("with_mask", FACE)])
            line.send((name, 1))
        else:
            face = ProposedFace(label="without_mask", box=FACE)
            record = inbox.propose(
                Proposal(data, decode(data), [face], "uncertain"), caps=CAPS, alike_too=True
            )
            if record is not None:
                line.send((record.name, record.revision))
        known = dice.choice(inbox.records())
        with suppress(DecidedMeanwhile):
            if dice.random() < 0.3:
                done = inbox.undo(known.name, revision=known.revision, by="script")
            else:
                how = dice.choice(("accept", "correct", "skip", "reject"))
                boxes = [Correction("with_mask", FACE)] if how == "correct" else None
                done = inbox.decide(known.name, how, revision=known.revision, by="script", faces=boxes)
            line.send((done.name, done.revision))


def faults(folder: Path, acknowledged: Acknowledged) -> list[str]:
    """What is wrong with the inbox after a kill, once it has been opened again."""
    found = []
    records = {record.name: record for record in Inbox(folder).records()}
    for name, revision in acknowledged.items():
        if name not in records or records[name].revision < revision:
            found.append(f"{name}: revision {revision} was acknowledged and is lost")
    for record in records.values():
        places = [part for part in ("JPEGImages", "proposals") if (folder / part / record.file).exists()]
        wanted = ["JPEGImages"] if record.trains else ["proposals"]
        if places != wanted:
            found.append(f"{record.name} is {record.state}, and lies in {places}")
        elif sha256_of((folder / places[0] / record.file).read_bytes()) != record.sha256:
            found.append(f"{record.file} is not whole")
    known = {record.name for record in records.values()}
    found += [f"{path} has no record" for path in folder.glob("*/*.jpg") if path.stem not in known]
    found += [f"{path} was left behind" for path in folder.rglob(".aside-*")]
    if any(record.trains for record in records.values()):
        report = check(DataSettings(root=folder, labels=LABELS))
        found += [str(one) for one in report.findings if "missing" in one.code or "unreadable" in one.code]
    told = {line["picture"] for line in AuditLog(folder).lines()}
    found += [f"{name} is not in the audit file" for name in known - told]
    return found


def kills(folder: Path, times: int, seed: int) -> list[str]:
    """Faults after each of so many kills, two writers at a time."""
    context = multiprocessing.get_context("forkserver")
    # Imported once, not for each process that is killed.
    context.set_forkserver_preload(["maskdet.inbox.inbox", "scipy.fftpack", __name__])
    dice = random.Random(seed)  # noqa: S311
    acknowledged: Acknowledged = {}
    found = []
    for turn in range(times):
        pairs = [context.Pipe(duplex=False) for _ in range(2)]
        writers = [
            context.Process(target=busy, args=(str(folder), 2 * turn + at + 1, line), daemon=True)
            for at, (_, line) in enumerate(pairs)
        ]
        for writer, (reader, line) in zip(writers, pairs, strict=True):
            writer.start()
            line.close()
            reader.recv()
        writers[0].join(dice.uniform(0, LONGEST_MS) / 1000)
        for writer, (reader, _) in zip(writers, pairs, strict=True):
            os.kill(int(writer.pid or 0), signal.SIGKILL)
            writer.join()
            acknowledged.update(_all_of(reader))
        found += [f"after kill {turn + 1}: {fault}" for fault in faults(folder, acknowledged)]
    return found


def _all_of(reader: Connection) -> Acknowledged:
    told: Acknowledged = {}
    with suppress(EOFError, OSError):
        while reader.poll():
            name, revision = reader.recv()
            if name:
                told[name] = revision
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = kills(Path(folder), options.kills, options.seed)
        pictures = len(Inbox(Path(folder)).records())
    print(f"{options.kills} kills of two writers, {pictures} pictures in the inbox, {len(found)} faults")
    for fault in found[:20]:
        print(f"FAIL {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
