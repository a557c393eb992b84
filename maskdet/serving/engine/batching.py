"""How many pictures share a pass, and how long an incomplete batch waits: given, or measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from maskdet.detector.runtime.registry import shares_cores
from maskdet.serving.engine.timing import median_seconds
from maskdet.serving.settings import ServeSettings

SIZES: Final = (1, 2, 4, 8, 16, 32)
"""Batches that are measured."""
PAYS: Final = 1.1
"""Least factor by which the pictures a second have to rise for twice the batch, and by which a pass has to be
shorter for a size of its own.
"""
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
    """For sessions that run any batch, on the CPU or TensorRT; `run(n)` is a pass of n pictures.

    Every session has then run its largest batch and a single picture. Raises what `run` raises.
    """
    on_cpu, given = shares_cores(settings.device), settings.max_batch
    # On the CPU passes of one picture already use all cores.
    pictures = given if given != "auto" else 1 if on_cpu else ENGINE_BATCH
    run(pictures)
    single = median_seconds(partial(run, 1), _PASSES) if pictures > 1 else 0.0
    plan = replace(given_plan(settings), pictures=pictures)
    # On the CPU a waiting batch would leave its core idle.
    return plan if on_cpu else _waiting(plan, single)


def sizes_to_measure(settings: ServeSettings) -> Sequence[int]:
    """Smallest first; the last one is what the settings say, if they do."""
    given = settings.max_batch
    return SIZES if given == "auto" else (*(size for size in SIZES if size < given), given)


def measure(run: Callable[[int], None], sizes: Sequence[int]) -> dict[int, float]:
    """Seconds of a pass by size, smallest first."""
    return {size: median_seconds(partial(run, size), _PASSES) for size in sizes}


def plan_measured(seconds: dict[int, float], settings: ServeSettings) -> tuple[BatchPlan, Sequence[int]]:
    """The plan for sessions of these sizes, and which of them it uses."""
    most = best_batch(seconds) if settings.max_batch == "auto" else max(seconds)
    shown = {str(size): round(1000 * taken, 2) for size, taken in seconds.items()}
    logger.info("batches measured", extra={"fields": {"ms_by_batch": shown, "max_batch": most}})
    kept = distinct_sizes({size: taken for size, taken in seconds.items() if size <= most})
    single = seconds[kept[0]] if most > 1 else 0.0
    return _waiting(replace(given_plan(settings), pictures=most), single), kept


def best_batch(seconds: dict[int, float]) -> int:
    """The largest measured batch that pays for each doubling up to it."""
    best = min(seconds)
    for size in sorted(seconds)[1:]:
        gain = (size / seconds[size]) / (best / seconds[best])
        if gain < PAYS or seconds[size] > LONGEST_PASS:
            break
        best = size
    return best


def distinct_sizes(seconds: dict[int, float]) -> Sequence[int]:
    """Without those whose pictures a larger one answers about as fast; smallest first."""
    kept = [max(seconds)]
    for size in sorted(seconds, reverse=True)[1:]:
        if seconds[kept[0]] >= PAYS * seconds[size]:
            kept.insert(0, size)
    return kept


def _waiting(plan: BatchPlan, single: float) -> BatchPlan:
    return plan if plan.waits_idle else replace(plan, wait_seconds=single)
