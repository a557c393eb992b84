"""All trackers of one training: told as it goes on, and brought up to date at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

from maskdet.tracking.courier import Attempt, Courier, GivenUp
from maskdet.tracking.delivery import deliver, is_complete
from maskdet.tracking.record import Record, read_record
from maskdet.tracking.registry import TRACKERS
from maskdet.tracking.settings import TrackingSettings
from maskdet.tracking.shipment import Shipment
from maskdet.tracking.tracker import Tracker

FOLDER = "tracking"
"""In the results folder: a record for each tracker."""
PATIENCE_SECONDS = 20.0
"""The longest that the end of a training, or of a run, waits for a tracker."""


class Follower:
    """Sends in the background from its creation until `close`. `shipment` reads the state of the training.

    It is called in other threads.
    """

    def __init__(self, settings: TrackingSettings, folder: Path, shipment: Callable[[], Shipment]) -> None:
        self._places = {name: _place(folder, name) for name, _ in settings.addresses()}
        self._addresses = dict(settings.addresses())
        self._couriers = {
            name: Courier(_attempt(name, address, self._places[name], shipment))
            for name, address in self._addresses.items()
        }
        self._told: set[str] = set()

    def notify(self) -> None:
        """The training has come further."""
        for courier in self._couriers.values():
            courier.notify()

    def warnings(self, told: Collection[str] = ()) -> Iterator[str]:
        """A line for each tracker that has failed, once; those `told` have had theirs."""
        self._told.update(told)
        for name, courier in self._couriers.items():
            if courier.trouble and name not in self._told:
                self._told.add(name)
                yield f"tracking.{name}: {courier.trouble}; what is missing there is sent once it answers"

    def close(self, patience: float = PATIENCE_SECONDS) -> None:
        """Send what is left, and note in the results folder what could not be sent."""
        for name, courier in self._couriers.items():
            if trouble := courier.close(patience):
                known = read_record(self._places[name]) or Record(self._addresses[name], "")
                replace(known, trouble=trouble).write(self._places[name])


def bring_up_to_date(settings: TrackingSettings, folder: Path, shipment: Shipment) -> list[str]:
    """Send what a tracker does not have yet; a warning for each that failed, unless it had failed before."""
    known = {name: read_record(_place(folder, name)) for name, _ in settings.addresses()}
    if all(is_complete(known[name], address, shipment) for name, address in settings.addresses()):
        return []
    follower = Follower(settings, folder, lambda: shipment)
    follower.close()
    return list(follower.warnings(told={name for name, record in known.items() if record and record.trouble}))


def has_trouble(settings: TrackingSettings, folder: Path) -> bool:
    """True if the last attempt failed for some tracker."""
    records = (read_record(_place(folder, name)) for name, _ in settings.addresses())
    return any(record is not None and record.trouble for record in records)


def forget(folder: Path) -> None:
    """A new training begins, which gets a run of its own in each tracker."""
    for name in TRACKERS:
        _place(folder, name).unlink(missing_ok=True)


def describe(settings: TrackingSettings, folder: Path) -> Iterator[str]:
    """A line for the report on each tracker in use."""
    for name, address in settings.addresses():
        record = read_record(_place(folder, name))
        if record is None or record.address != address:
            yield f"{name}: nothing sent yet"
        elif record.trouble:
            yield f"{name}: incomplete ({record.trouble}); the next `maskdet run` sends the rest"
        else:
            version = f", registered as version {record.version}" if record.version else ""
            yield f"{name}: {record.page}{version}"


def _attempt(name: str, address: str, place: Path, shipment: Callable[[], Shipment]) -> Attempt:
    connected: list[Tracker] = []

    def attempt(given_up: GivenUp) -> None:
        if not connected:
            connected.append(TRACKERS[name].connect(address))
        if not given_up():
            deliver(connected[0], address, shipment(), place, given_up)

    return attempt


def _place(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.json"
