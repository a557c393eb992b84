"""Live swaps: a new bundle is loaded beside the old one, probed, and takes its place."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from maskdet.errors import MaskdetError
from maskdet.serving.engine.daemon_thread import in_daemon
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.labels import check_labels
from maskdet.serving.engine.memory import give_memory_back
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.engine.source import Source, State
from maskdet.serving.refusals import UnknownModel
from maskdet.serving.settings import ServeSettings

SwapOutcome = Literal["swapped", "unchanged", "refused"]

PROBE_SHAPE = (64, 64, 3)
RETRY_SECONDS = 60.0
"""A refused model is tried again so often: the reason may have passed, such as a full disk."""

logger = logging.getLogger("maskdet.reload")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The outcome for one model. bundle: sha256 of the one in use; error: why a new one was refused, without
    the paths of this machine; version: the registry's number of the one in use.
    """

    name: str
    bundle: str
    outcome: SwapOutcome
    error: str = ""
    version: int | None = None


class Reloader:
    """Keeps each model in sync with its source. A bundle that fails never replaces one that works."""

    def __init__(
        self, engine: Engine, sources: Mapping[str, Source], settings: ServeSettings, *, cores: int
    ) -> None:
        """`sources`: where each model comes from, by its name in the engine."""
        self._engine = engine
        self._sources = dict(sources)
        self._watched = {name: source for name, source in sources.items() if settings.watch or source.follows}
        self._settings = settings
        self._cores = cores
        self._busy = asyncio.Lock()
        self._faults: dict[str, str] = {}
        self._tried: dict[str, float] = {}
        self._seen = {name: source.state for name, source in self._sources.items()}

    @property
    def names(self) -> Sequence[str]:
        """The names of the engine's models."""
        return tuple(self._sources)

    @property
    def watches(self) -> bool:
        """Whether there is a model to watch."""
        return bool(self._watched)

    def refused(self) -> Mapping[str, str]:
        """By model: why its newest file was refused, as long as that file is there."""
        return self._faults

    async def reload(self, name: str = "") -> list[Reloaded]:
        """Check one model's file now, or all of them. Raises UnknownModel."""
        if name and name not in self._sources:
            raise UnknownModel.named(name, self._sources)
        async with self._busy:
            return [await self._reload(one) for one in ([name] if name else self._sources)]

    async def watch(self) -> None:
        """Keep watching files and aliases. A changed one is loaded once it has stopped changing."""
        before = dict(self._seen)
        while True:
            await asyncio.sleep(self._settings.watch_seconds)
            for name, source in self._watched.items():
                now = await _state_of(source)
                settled, before[name] = now == before[name], now
                if settled and (now != self._seen[name] or self._is_due(name)):
                    async with self._busy:
                        await self._reload(name)

    def _is_due(self, name: str) -> bool:
        return name in self._faults and time.monotonic() - self._tried[name] >= RETRY_SECONDS

    async def _reload(self, name: str) -> Reloaded:
        source, old = self._sources[name], self._engine.models[name]
        self._seen[name] = await _state_of(source)
        self._tried[name] = time.monotonic()
        try:
            new = await in_daemon("load", self._loaded, name, source, old)
        except MaskdetError as error:
            return self._refused(name, old, self._without_paths(source, error.what))
        # The running model must survive whatever is wrong with a file.
        except Exception as error:  # noqa: BLE001
            return self._refused(name, old, "it failed unexpectedly; see the log", error)
        self._faults.pop(name, None)
        self._engine.metrics.refusing(name, refused=False)
        if new is None:
            return Reloaded(name, old.sha256, "unchanged", version=old.version)
        self._engine.swap(name, new)
        said: dict[str, Any] = {"model": name, "from": old.sha256, "to": new.sha256}
        if new.version is not None:
            said |= {"from_version": old.version, "to_version": new.version}
        thresholds = new.meta.describe_thresholds()
        logger.info("swapped", extra={"fields": {**said, "thresholds": thresholds}})
        self._engine.metrics.reload(name, "swapped")
        del old
        await asyncio.to_thread(give_memory_back)
        return Reloaded(name, new.sha256, "swapped", version=new.version)

    def _loaded(self, name: str, source: Source, old: ServedModel) -> ServedModel | None:
        """The source's model, probed; None if it is the one in use.

        Raises like `ServedModel.from_source` and `check_labels`.
        """
        if source.is_current(old.sha256, old.version):
            return None
        model = ServedModel.from_source(name, source, self._settings, cores=self._cores)
        check_labels(tuple({**self._engine.models, name: model}.values()), self._settings)
        model.probe()
        [outcome] = model.detect([model.prepare(Work(np.zeros(PROBE_SHAPE, np.uint8)))], alone=True)
        if isinstance(outcome, Exception):
            raise outcome
        return model

    def _without_paths(self, source: Source, text: str) -> str:
        return source.without_paths(text.replace(str(self._settings.require_signature), "the public key"))

    def _refused(
        self, name: str, old: ServedModel, error: str, unexpected: Exception | None = None
    ) -> Reloaded:
        # Once for each reason, however often it is tried.
        if self._faults.get(name) != error:
            self._faults[name] = error
            # The log is the operator's own, so it may name the file.
            fields = {"model": name, "file": str(self._sources[name]), "error": error, "still": old.sha256}
            logger.error("bundle refused", extra={"fields": fields}, exc_info=unexpected)
            self._engine.metrics.reload(name, "refused")
            self._engine.metrics.refusing(name, refused=True)
        return Reloaded(name, old.sha256, "refused", error, old.version)


async def _state_of(source: Source) -> State:
    # A slow network share must keep neither the event loop, and so the health routes, nor a stop waiting.
    return await in_daemon("watch", lambda: source.state)


def merged(answers: Sequence[Reloaded]) -> list[Reloaded]:
    """The workers' outcomes combined per model: refused if any refused it, else swapped if any swapped it."""
    ranked = {"refused": 0, "swapped": 1, "unchanged": 2}
    by_model: dict[str, list[Reloaded]] = {}
    for one in answers:
        by_model.setdefault(one.name, []).append(one)
    return [min(found, key=lambda one: ranked[one.outcome]) for found in by_model.values()]


def to_plain(answer: Sequence[Reloaded]) -> list[dict[str, Any]]:
    """For JSON; `Reloaded(**one)` reads each back."""
    return [asdict(one) for one in answer]
