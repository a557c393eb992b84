"""How many pictures share a pass, and how long an incomplete batch waits: given, or measured."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from maskdet.detector.runtime.registry import shares_cores
from maskdet.errors import BundleError
from maskdet.serving.settings import ServeSettings

SIZES: Final = (1, 2, 4, 8, 16, 32, 64)
"""Batches that are measured, smallest first."""
PAYS: Final = 1.1
"""Least factor by which the pictures a second have to rise for twice the batch."""
LONGEST_PASS: Final = 0.1
"""Seconds of a pass above which a larger batch is not worth what its pictures wait."""
ENGINE_BATCH: Final = 8
"""Batch for TensorRT, which would build an engine for minutes to measure each."""
_PASSES: Final = 3

logger = logging.getLogger("maskdet.engine")


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How a model's pictures are put together."""

    pictures: int = 1
    """Most pictures in a pass."""
    wait_seconds: float = 0.0
    """How long an incomplete batch waits for more."""
    waits_idle: bool = True
    """Whether it waits even if no other pass runs, so that waiting costs time."""


def given_plan(settings: ServeSettings) -> BatchPlan:
    """What the settings say, until `auto` is measured."""
    pictures, wait = settings.max_batch, settings.batch_wait_ms
    return BatchPlan(
        1 if pictures == "auto" else pictures,
        0.0 if wait == "auto" else wait / 1000,
        waits_idle=wait != "auto",
    )


def plan_batches(run: Callable[[int], None], settings: ServeSettings) -> BatchPlan:
    """What the settings say, with `auto` measured; `run(n)` is a pass of n pictures.

    Every session has then run its largest batch and a single picture. Raises BundleError if one fails.
    """
    on_cpu = shares_cores(settings.device)
    pictures = _most_pictures(run, settings, on_cpu=on_cpu)
    single = _median(run, 1) if pictures > 1 else 0.0
    plan = replace(given_plan(settings), pictures=pictures)
    # On the CPU a waiting batch would leave its core idle.
    return plan if plan.waits_idle or on_cpu else replace(plan, wait_seconds=single)


def measure_batches(run: Callable[[int], None]) -> dict[int, float]:
    """Batch size to seconds of a pass, for as many of SIZES as pay, and the first that does not.

    Raises BundleError if a pass of one fails; a larger one that fails, for lack of memory, does not pay.
    """
    found: dict[int, float] = {}
    for size in SIZES:
        try:
            found[size] = _median(run, size)
        except BundleError as error:
            if size == 1:
                raise
            logger.warning("batch failed", extra={"fields": {"pictures": size, "error": error.what}})
            break
        if best_batch(found) != size:
            break
    return found


def best_batch(seconds: dict[int, float]) -> int:
    """The largest measured batch that pays for each doubling up to it."""
    best = 1
    for size in sorted(seconds)[1:]:
        gain = (size / seconds[size]) / (best / seconds[best])
        if gain < PAYS or seconds[size] > LONGEST_PASS:
            break
        best = size
    return best


def _most_pictures(run: Callable[[int], None], settings: ServeSettings, *, on_cpu: bool) -> int:
    given = settings.max_batch
    if given == "auto" and not on_cpu and settings.tensorrt is None:
        return _measured(run)
    # On the CPU passes of one picture already use all cores.
    largest = given if given != "auto" else 1 if on_cpu else ENGINE_BATCH
    run(largest)
    return largest


def _measured(run: Callable[[int], None]) -> int:
    seconds = measure_batches(run)
    pictures = best_batch(seconds)
    shown = {str(size): round(1000 * taken, 2) for size, taken in seconds.items()}
    logger.info("batches measured", extra={"fields": {"ms_by_batch": shown, "max_batch": pictures}})
    return pictures


def _median(run: Callable[[int], None], size: int) -> float:
    # The first pass of a size chooses algorithms and takes memory.
    run(size)
    return statistics.median(_seconds(run, size) for _ in range(_PASSES))


def _seconds(run: Callable[[int], None], size: int) -> float:
    started = time.perf_counter()
    run(size)
    return time.perf_counter() - started
