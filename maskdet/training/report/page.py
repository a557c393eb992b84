"""index.html: a page of one training that opens from the folder and refreshes itself while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from string import Template

from maskdet.artefacts import CURVES_PAGE, CURVES_PLOT
from maskdet.system.files import write_text
from maskdet.training.launch.process import Event
from maskdet.training.report.metrics_log import read_metrics

_SHOWN_EPOCHS = 10
_HEADINGS = {"ap50": "AP50", "ap50_95": "AP50:95", "ap50_any_class": "AP50, any class"}
_REFRESH = '<meta http-equiv="refresh" content="10">\n'
_TEMPLATE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
$refresh<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1c2733; background: #fff; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
progress { width: 100%; height: 1rem; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem; text-align: right; border-bottom: 1px solid #d5dde5; white-space: nowrap; }
tr.best td { font-weight: 600; background: #eaf6ee; }
li { overflow-wrap: anywhere; }
.quiet { color: #5a6773; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$state</p>
$bar
$figure
$table
$warnings
<p class="quiet">Written at $time.</p>
</body>
</html>
""")


def write_page(out: Path, ended: str = "") -> None:
    """Write the page of the training in `out` from its metrics; `ended` says how it ended, once it has."""
    events = read_metrics(out)
    page = _TEMPLATE.substitute(
        refresh="" if ended else _REFRESH,
        title=escape(f"{out.parent.name}: training"),
        state=escape(ended or _progress(events)),
        bar=_bar(events),
        figure=_figure(out, events),
        table=_table([event for event in events if event["event"] == "epoch"]),
        warnings=_warnings([event for event in events if event["event"] == "warning"]),
        time=datetime.now().strftime("%H:%M:%S"),
    )
    write_text(out / CURVES_PAGE, page)


def _last(events: Sequence[Event], kind: str) -> Event:
    return next((event for event in reversed(events) if event["event"] == kind), {})


def _progress(events: Sequence[Event]) -> str:
    start, step = _last(events, "start"), _last(events, "step")
    if not (start and step):
        return _beginning(start, judged=bool(_last(events, "epoch")))
    return (
        f"Epoch {step['epoch']} of {start['epochs']}, step {step['step']} of {start['steps_per_epoch']}. "
        f"Loss {step['loss']:.3f}, {step['images_per_s']:.1f} pictures/s, {step['memory_mb']} MB per worker. "
        f"About {timedelta(seconds=step['eta_s'])} left."
    )


def _beginning(start: Event, *, judged: bool) -> str:
    """What the worker does before the first step."""
    if start.get("judges_start") and not judged:
        return "Epoch 0: evaluating the weights that the training starts from."
    return "Running the first steps." if start and judged else "The worker is starting."


def _bar(events: Sequence[Event]) -> str:
    start, step = _last(events, "start"), _last(events, "step")
    if not (start and step):
        return "<progress></progress>"
    done = (step["epoch"] - 1) * start["steps_per_epoch"] + step["step"]
    return f'<progress max="{start["epochs"] * start["steps_per_epoch"]}" value="{done}"></progress>'


def _figure(out: Path, events: Sequence[Event]) -> str:
    if not (out / CURVES_PLOT).is_file():
        return ""
    # The number makes browsers fetch the picture again.
    return (
        f'<p><img src="{CURVES_PLOT}?{len(events)}" alt="Losses, learning rate and AP over the epochs"></p>'
    )


def _table(epochs: Sequence[Event]) -> str:
    """AP of the start, of the best epoch and of the last ones, in per cent."""
    if not epochs:
        return ""
    best = [event for event in epochs if event["best"]][-1:]
    names = [name for name in epochs[-1] if name in _HEADINGS or name.startswith("ap50.")]
    kept = [*best, *(event for event in epochs if event["epoch"] == 0)]
    rows = [event for event in reversed(epochs) if event in epochs[-_SHOWN_EPOCHS:] or event in kept]
    head = "".join(f"<th>{escape(_heading(name))}</th>" for name in names)
    body = "".join(_row(event, names, event in best) for event in rows)
    return (
        "<h2>Average precision on val, in per cent; AP50 of each class</h2>\n"
        f'<div class="wide"><table><tr><th>epoch</th>{head}</tr>{body}</table></div>'
    )


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name.removeprefix("ap50."))


def _row(event: Event, names: Iterable[str], best: bool) -> str:
    cells = "".join(f"<td>{_per_cent(event.get(name))}</td>" for name in names)
    label = (str(event["epoch"]) if event["epoch"] else "0, the start") + (" (best)" if best else "")
    return f"<tr{' class=best' if best else ''}><td>{label}</td>{cells}</tr>"


def _per_cent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _warnings(events: Sequence[Event]) -> str:
    if not events:
        return ""
    lines = "".join(f"<li>{escape(event['text'])}</li>" for event in events[-10:])
    return f"<h2>Warnings</h2>\n<ul>{lines}</ul>"
