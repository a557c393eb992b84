"""Progress of running work: bars on a terminal, an occasional line elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from maskdet.pipeline.running.stage import Event
from maskdet.system.times import duration

T = TypeVar("T")
PLAIN_WIDTH = 160
"""Width of a table, in columns, where there is no terminal."""
BAR_WIDTH = 24
MAX_LOSSES = 3
"""Individual losses shown beside their sum."""


def console_on(stream: TextIO) -> Console:
    """For people. Text is shown as it is: file names may look like markup."""
    # A notebook claims to support colours, but would keep every step of a moving bar as a separate line.
    notebook = type(stream).__module__.startswith("ipykernel")
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        width=None if stream.isatty() and not notebook else PLAIN_WIDTH,
        force_jupyter=False,
        force_terminal=False if notebook else None,
    )


class Display:
    """Shows what library code reports: `track` for countable work, `on_event` for training."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), _Count(), _Remaining(), _note())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._training: _Training | None = None
        # Moves while a stage does uncountable work, such as loading Paddle.
        self._busy = self._progress.add_task("", total=None, visible=False)

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """A `maskdet.progress.Track`."""
        task = self._begin(description, total)
        try:
            for item in items:
                yield item
                self._progress.advance(task)
        finally:
            self._end(task)

    def say(self, line: str) -> None:
        """One permanent line above the bars."""
        self._progress.console.print(Text(line), soft_wrap=True)

    def on_start(self, stage: str, reason: str) -> None:
        """A stage begins."""
        self.say(f"running {stage} ({reason})")
        self._progress.reset(self._busy, description=stage, visible=True)

    def on_event(self, event: Event) -> None:
        """An event of a training; other kinds are ignored."""
        if event["event"] == "warning":
            self.say(f"warning: {event['text']}")
        elif event["event"] == "start":
            if self._training is not None:
                # Restarted after a failure.
                self._end(self._training.task)
            self._training = _Training(event)
            self.say(self._training.opening())
            if event.get("start") and not self._training.done_before:
                self.say(event["start"])
            work = "judging the start" if event.get("judges_start") else "training"
            self._training.task = self._begin(work, self._training.total, self._training.done_before)
        elif self._training is not None:
            self._follow(self._training, event)

    def _follow(self, training: _Training, event: Event) -> None:
        if event["event"] == "step":
            training.remember(event)
            self._progress.update(
                training.task,
                completed=training.done(event),
                description=f"epoch {event['epoch']}/{training.epochs}",
                note=training.note(event),
                eta=event["eta_s"],
                refresh=True,
            )
        elif event["event"] == "epoch":
            self.say(training.epoch_line(event))
        elif event["event"] == "done":
            self._end(training.task)
            self._training = None

    def _begin(self, description: str, total: int | None, completed: int = 0) -> TaskID:
        self._progress.update(self._busy, visible=False)
        return self._progress.add_task(description, total=total, completed=completed)

    def _end(self, task: TaskID) -> None:
        self._progress.remove_task(task)
        self._progress.update(self._busy, visible=bool(self._progress.tasks[0].description))


class _Training:
    """Words and counts for one training, from its events."""

    def __init__(self, start: Event) -> None:
        self.epochs: int = start["epochs"]
        self.steps: int = start["steps_per_epoch"]
        self.total = self.epochs * self.steps
        self.done_before = (start.get("first_epoch", 1) - 1) * self.steps
        self.task = TaskID(0)
        self._start = start
        self._last: Event = {}

    def opening(self) -> str:
        workers = self._start.get("workers", 1)
        processes = f", {workers} workers" if workers > 1 else ""
        first = self._start.get("first_epoch", 1)
        resumed = f", from epoch {first}" if first > 1 else ""
        epochs = f"{self.epochs} epoch" + ("s" if self.epochs > 1 else "")
        kept = self._start.get("cache_mb", 0)
        cache = f", up to {kept} MB of decoded pictures kept" if kept else ""
        return f"{epochs} of {self.steps} steps on {self._start['device']}{processes}{resumed}{cache}"

    def remember(self, event: Event) -> None:
        self._last = event

    def done(self, event: Event) -> int:
        """Steps since the first epoch."""
        return int((event["epoch"] - 1) * self.steps + event["step"])

    def note(self, event: Event) -> str:
        parts = list(event.get("losses", {}).items())[:MAX_LOSSES]
        single = " ".join(f"{name.removeprefix('loss_')} {value:.3f}" for name, value in parts)
        known = f"loss {event['loss']:.3f}  {event['images_per_s']:.1f} pictures/s"
        return f"{known}  ({single})" if single else known

    def epoch_line(self, event: Event) -> str:
        if event["epoch"] == 0:
            return f"epoch 0 (the start): AP50 {event['ap50']:.1%}"
        parts = [f"epoch {event['epoch']}/{self.epochs}"]
        if self._last:
            parts.append(f"loss {self._last['loss']:.3f}")
        if event.get("ap50") is not None:
            parts.append(f"AP50 {event['ap50']:.1%}" + (" (best)" if event.get("best") else ""))
        if self._last and event["epoch"] < self.epochs:
            parts.append(f"about {duration(self._last['eta_s'])} left")
        return "  ".join(parts)


class _Count(ProgressColumn):
    """Done and total, where known."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}", style="green")


class _Remaining(ProgressColumn):
    """The time left: training's own estimate, which includes evaluations, or the bar's."""

    def render(self, task: Task) -> Text:
        seconds = task.fields.get("eta", task.time_remaining)
        return Text("" if seconds is None else f"{duration(seconds)} left", style="cyan")


def _note() -> _Note:
    # What does not fit is cut: a bar wrapped onto two lines would jump.
    return _Note(Column(no_wrap=True, overflow="ellipsis"))


class _Note(ProgressColumn):
    """Further details of the work."""

    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get("note", "")))
