"""Sending a shipment: only what the tracker does not have yet, noted one by one as it arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from maskdet.system.files import sha256_file
from maskdet.tracking.record import Record, read_record
from maskdet.tracking.shipment import MODEL_FOLDER, Shipment
from maskdet.tracking.tracker import Tracker

_FIGURES = "evaluation"


def deliver(
    tracker: Tracker, address: str, shipment: Shipment, place: Path, given_up: Callable[[], bool]
) -> None:
    """Bring the tracker up to date with the shipment; the record at `place` follows each fact that arrives.

    Stops between two facts once `given_up`. Raises whatever the tracker raises.
    """
    record = _opened(tracker, address, shipment, place)
    for step in _steps(tracker, shipment):
        if given_up():
            return
        after = step(record)
        if after != record and not given_up():
            record = replace(after, trouble="")
            record.write(place)
    if record.trouble:
        replace(record, trouble="").write(place)


def _opened(tracker: Tracker, address: str, shipment: Shipment, place: Path) -> Record:
    known = read_record(place)
    if known is not None and known.run and known.address == address:
        return known
    record = Record(address, tracker.open_run(shipment.name, shipment.name))
    record.write(place)
    return record


def is_complete(record: Record | None, address: str, shipment: Shipment) -> bool:
    """True if the tracker has all of the shipment, by the record alone: no connection is needed."""
    if record is None or not record.run or record.address != address or record.trouble:
        return False
    return (
        record.parameters
        and record.epoch >= max(shipment.epochs, default=-1)
        and record.status == shipment.status
        and all(record.sent.get(name) == digest for name, digest in _contents(shipment))
    )


def _contents(shipment: Shipment) -> Iterator[tuple[str, str]]:
    """Everything that is sent whole, with its hash."""
    if shipment.figures:
        yield _FIGURES, _digest(shipment.figures)
    for name, file in shipment.files.items():
        yield name, sha256_file(file)
    if shipment.bundle is not None:
        digest = sha256_file(shipment.bundle)
        yield _bundle_name(shipment.bundle, digest), digest


Step = Callable[[Record], Record]


def _steps(tracker: Tracker, shipment: Shipment) -> Iterator[Step]:
    yield partial(_linked, tracker)
    yield partial(_reopened, tracker, shipment)
    yield partial(_parameters, tracker, shipment)
    for epoch in sorted(shipment.epochs):
        yield partial(_epoch, tracker, shipment, epoch)
    yield partial(_figures, tracker, shipment)
    for name, file in shipment.files.items():
        yield partial(_file, tracker, name, file)
    if shipment.bundle is not None:
        yield partial(_bundle, tracker, shipment.name, shipment.bundle)
    yield partial(_status, tracker, shipment)


def _linked(tracker: Tracker, record: Record) -> Record:
    return record if record.page else replace(record, page=tracker.page(record.run))


def _reopened(tracker: Tracker, shipment: Shipment, record: Record) -> Record:
    """A resumed training continues its run."""
    if shipment.status != "RUNNING" or record.status in ("", "RUNNING"):
        return record
    return _status(tracker, shipment, record)


def _parameters(tracker: Tracker, shipment: Shipment, record: Record) -> Record:
    # Once: a resumed training may have other speed settings, and a tracker refuses a second value.
    if record.parameters:
        return record
    tracker.log_parameters(record.run, shipment.parameters)
    return replace(record, parameters=True)


def _epoch(tracker: Tracker, shipment: Shipment, epoch: int, record: Record) -> Record:
    if epoch <= record.epoch:
        return record
    tracker.log_metrics(record.run, shipment.epochs[epoch], epoch)
    return replace(record, epoch=epoch)


def _figures(tracker: Tracker, shipment: Shipment, record: Record) -> Record:
    digest = _digest(shipment.figures)
    if not shipment.figures or record.sent.get(_FIGURES) == digest:
        return record
    figures = {f"{_FIGURES}.{name}": value for name, value in shipment.figures.items()}
    tracker.log_metrics(record.run, figures, max(shipment.epochs, default=0))
    return record.with_sent(_FIGURES, digest)


def _file(tracker: Tracker, name: str, file: Path, record: Record) -> Record:
    digest = sha256_file(file)
    if record.sent.get(name) == digest:
        return record
    tracker.log_file(record.run, file, PurePosixPath(name).parent.as_posix())
    return record.with_sent(name, digest)


def _bundle(tracker: Tracker, model: str, bundle: Path, record: Record) -> Record:
    digest = sha256_file(bundle)
    name = _bundle_name(bundle, digest)
    if record.sent.get(name) == digest:
        return record
    tracker.log_file(record.run, bundle, PurePosixPath(name).parent.as_posix())
    version = tracker.register(record.run, model, name, digest)
    return replace(record.with_sent(name, digest), version=version)


def _status(tracker: Tracker, shipment: Shipment, record: Record) -> Record:
    if record.status == shipment.status:
        return record
    tracker.set_status(record.run, shipment.status)
    return replace(record, status=shipment.status)


def _digest(figures: Mapping[str, float]) -> str:
    return hashlib.sha256(json.dumps(dict(figures), sort_keys=True).encode()).hexdigest()


def _bundle_name(bundle: Path, digest: str) -> str:
    # A folder of its own: a version that was registered before keeps its file.
    return f"{MODEL_FOLDER}/{digest[:12]}/{bundle.name}"
