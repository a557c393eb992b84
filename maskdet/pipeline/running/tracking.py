"""What a pipeline's trackers are told: read from the results folder, whatever of it is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from maskdet import __version__
from maskdet.artefacts import BUNDLE, CONFIG, CURVES_PAGE, CURVES_PLOT, EVAL_PLOTS, METRICS, REPORT
from maskdet.errors import Interrupted
from maskdet.export.figures import bundle_figures
from maskdet.pipeline.running.inputs import setting_inputs
from maskdet.pipeline.running.outcome import RunResult, State
from maskdet.pipeline.running.stage import Context, Event
from maskdet.tracking.follower import Follower, bring_up_to_date, forget, has_trouble
from maskdet.tracking.shipment import Shipment
from maskdet.tracking.tracker import Status
from maskdet.training.report.metrics_log import METRICS_NAME, read_metrics

_SECTIONS: Final = ("data", "model", "train", "eval", "export")
_FILES: Final = {
    "config": (CONFIG,),
    "train": (CURVES_PLOT, CURVES_PAGE, METRICS_NAME),
    "eval": (REPORT, METRICS, *EVAL_PLOTS),
}
"""Of each stage. No picture with a person on it leaves the machine."""
_DONE: Final = frozenset({State.RAN, State.UP_TO_DATE})
_NOT_FIGURES: Final = ("event", "epoch", "best")


class Tracking:
    """Tells the trackers of a training while it runs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._status: Status = "RUNNING"
        self._follower = Follower(context.pipeline.tracking, context.folder, self._shipment)
        self._follower.notify()

    def on_event(self, event: Event) -> None:
        """Pass an event of the training on; it waits for nobody."""
        self._context.on_event(event)
        if event["event"] == "epoch":
            self._follower.notify()
        for warning in self._follower.warnings():
            self._context.say(f"warning: {warning}")

    def close(self, ended: Status) -> None:
        """Wait for the last attempt, within bounds."""
        self._status = ended
        self._follower.close()
        for warning in self._follower.warnings():
            self._context.say(f"warning: {warning}")

    def _shipment(self) -> Shipment:
        # Curves and page are drawn again and again; they are sent at the end.
        status = self._status
        files = {} if status == "RUNNING" else _files(self._context, ("config", "train"))
        return _shipment(self._context, status, files)


@contextmanager
def tracked(context: Context) -> Iterator[Context]:
    """The context of a training whose events also go to the trackers, if there are any."""
    if not any(context.pipeline.tracking.addresses()):
        yield context
        return
    if not context.resume:
        forget(context.folder)
    tracking = Tracking(context)
    ended: Status = "FAILED"
    try:
        yield replace(context, on_event=tracking.on_event)
        ended = "FINISHED"
    except (KeyboardInterrupt, Interrupted):
        ended = "KILLED"
        raise
    finally:
        tracking.close(ended)


def send_results(context: Context, result: RunResult, *, report: bool = False) -> None:
    """Send the trackers what the stages have left, as far as it belongs to the present training.

    report: the run's own report too.
    """
    settings = context.pipeline.tracking
    done = {outcome.stage for outcome in result.outcomes if outcome.state in _DONE}
    if "train" not in done or not any(settings.addresses()):
        return
    if report and has_trouble(settings, context.folder):
        return
    files = _files(context, done)
    if report and (context.folder / REPORT).is_file():
        files[f"run/{REPORT}"] = context.folder / REPORT
    bundle = context.path("export", BUNDLE) if "export" in done else None
    shipment = replace(
        _shipment(context, "FINISHED", files),
        figures=_figures(context) if "eval" in done else {},
        bundle=bundle if bundle and bundle.is_file() else None,
    )
    for warning in bring_up_to_date(settings, context.folder, shipment):
        context.say(f"warning: {warning}")


def _shipment(context: Context, status: Status, files: dict[str, Path]) -> Shipment:
    epochs = _epochs(read_metrics(context.path("train")))
    return Shipment(context.pipeline.name, _parameters(context), epochs, files=files, status=status)


def _parameters(context: Context) -> dict[str, str]:
    values: dict[str, Any] = {"maskdet": __version__}
    for name in _SECTIONS:
        values.update(setting_inputs(name, getattr(context.pipeline, name)))
    return {key: "" if value is None else str(value) for key, value in values.items()}


def _epochs(events: list[Event]) -> dict[int, dict[str, float]]:
    """Figures of each evaluated epoch, with the losses and the rate that its steps ended with."""
    epochs: dict[int, dict[str, float]] = {}
    step: Event = {}
    for event in events:
        if event["event"] == "step":
            step = event
        elif event["event"] == "epoch":
            of_steps = step if step.get("epoch") == event["epoch"] else {}
            epochs[event["epoch"]] = {**_val(event), **_train(of_steps)}
    return epochs


def _val(event: Event) -> dict[str, float]:
    names = (name for name, value in event.items() if name not in _NOT_FIGURES and value is not None)
    return {f"val.{name}": event[name] for name in names}


def _train(step: Event) -> dict[str, float]:
    if not step:
        return {}
    speed = {"train.loss": step["loss"], "train.lr": step["lr"], "train.images_per_s": step["images_per_s"]}
    return {**speed, **{f"train.{name}": value for name, value in step["losses"].items()}}


def _figures(context: Context) -> dict[str, float]:
    try:
        judged = json.loads(context.path("eval", METRICS).read_text(encoding="utf-8"))
        return bundle_figures(judged)
    except (OSError, ValueError, KeyError):
        return {}


def _files(context: Context, stages: Iterable[str]) -> dict[str, Path]:
    named = ((stage, name) for stage in sorted(stages) for name in _FILES.get(stage, ()))
    found = {f"{stage}/{name}": context.path(stage, name) for stage, name in named}
    return {name: path for name, path in found.items() if path.is_file()}
