"""The measurements of a run, as Markdown tables and as JSON."""

from __future__ import annotations

import json
import operator
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from maskdet import __version__

THROUGHPUT_TARGET = 0.90
LATENCY_TARGET = 1.15
CORE_LOOP = "in-process, one core per picture"
WIDE_LOOP = "in-process, all cores per picture"
BOUNDS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


INTRODUCTION = """# How fast the server is

Every server gets the same model, the same two JPEGs and the same cores, all in one run. maskdet is compared
with a published Flask design, LitServe and BentoML, and with a bare loop that decodes, preprocesses, infers
and postprocesses in one process without any server. Run it with

    make bench ARGS="--model BUNDLE --picture PHOTO --document docs/benchmarks.md"

- Each client sends its next request when the last one is answered (closed loop), at 1, 4, 16 and 64
  connections. The load generator is one standard-library process on the same cores; its CPU use is shown.
- Each round measures every server, next to the bare loop. Tables show medians over the rounds; ratios are
  computed within a round.
- A measurement begins once all servers are idle: some keep working for seconds on requests that clients have
  abandoned.
- Every answer is checked: status 200, and as many detections over a threshold as the bare loop finds.
- LitServe and BentoML run maskdet's own decoder, detector and NMS, so that only the servers differ. The Flask
  design has its own, decodes in full, and keeps one session with default options.
- Each peer has its own virtual environment, with the same ONNX Runtime, OpenCV and NumPy.
- The limit is the better of two bare loops: one thread per core, each with a single-threaded session; or one
  thread whose passes use all cores. The second is also the reference for the latency of one connection.
- CPU time per request is the most reliable figure when other programs are busy on the machine.

## Figures

"""


@dataclass(frozen=True)
class Measurement:
    """One candidate at one level with one picture, once."""

    name: str
    picture: str
    connections: int
    per_second: float
    p50: float
    p95: float
    p99: float
    answers: int
    faults: int
    fault: str
    server_cpu: float | None
    """Cores in use by the server's processes, on average."""
    load_cpu: float | None
    """Cores in use by the load generator."""

    @classmethod
    def of(
        cls, name: str, picture: str, connections: int, outcome: dict[str, Any], cpu: float | None
    ) -> Measurement:
        """From what `load` or `limit` printed."""
        millis, seconds, faults = outcome["millis"], outcome["seconds"], outcome["faults"]
        percentiles = np.percentile(millis, (50, 95, 99)).tolist() if millis else [float("nan")] * 3
        load = outcome["cpu_seconds"] / seconds if "cpu_seconds" in outcome else None
        fault = faults[0] if faults else ""
        return cls(
            name,
            picture,
            connections,
            len(millis) / seconds,
            *percentiles,
            len(millis),
            len(faults),
            fault,
            cpu,
            load,
        )


@dataclass
class Run:
    """All that was measured, and on what."""

    machine: str
    model: str
    pictures: dict[str, int]
    """JPEG bytes by name."""
    rounds: int
    seconds: float
    versions: dict[str, dict[str, str]]
    about: dict[str, str]
    idle_cpu: float = 0.0
    measurements: list[Measurement] = field(default_factory=list)

    def select(self, name: str, picture: str, connections: int | None = None) -> list[Measurement]:
        """The rounds of one table cell."""
        return [
            one
            for one in self.measurements
            if one.name == name and one.picture == picture and connections in (None, one.connections)
        ]


def as_json(run: Run) -> str:
    return json.dumps(asdict(run), indent=1) + "\n"


def as_markdown(run: Run) -> str:
    """The whole report."""
    lines = [
        f"maskdet {__version__}, model {run.model}; {run.machine}.",
        f"Medians of {run.rounds} rounds of {run.seconds:g} s per cell; all servers together took "
        f"{run.idle_cpu:.1%} of a core while idle; the load generator took "
        f"{max(loads(run), default=0):.1%} of a core at most.",
        "",
        *(f"- {name}: {described(run, name)}" for name in run.about),
    ]
    for picture, size in run.pictures.items():
        lines += ["", f"### {picture} JPEG, {size / 1000:.0f} kB", "", *throughput_table(run, picture)]
        lines += ["", *latency_table(run, picture)]
    lines += ["", "### maskdet against its targets", "", *target_table(run)]
    lines += ["", *(faults_lines(run) or ["Every answer was checked; none was wrong."])]
    return "\n".join(lines) + "\n"


def as_document(run: Run) -> str:
    """The report with its explanation."""
    return INTRODUCTION + as_markdown(run)


def described(run: Run, name: str) -> str:
    return f"{run.about[name]} ({', '.join(f'{key} {value}' for key, value in run.versions[name].items())})"


def loads(run: Run) -> Iterable[float]:
    return [one.load_cpu for one in run.measurements if one.load_cpu is not None]


def levels(run: Run) -> list[int]:
    return sorted({one.connections for one in run.measurements if one.name in run.about})


def throughput_table(run: Run, picture: str) -> list[str]:
    """Requests a second by connections; share of the limit and CPU time a request at 16."""
    columns = levels(run)
    lines = [
        f"| requests/s at connections | {' | '.join(map(str, columns))} | at 16 / limit | CPU ms at 16 |",
        f"|---|{'---:|' * (len(columns) + 2)}",
        f"| **limit**: {best_loop(run, picture)} | {' | '.join([''] * len(columns))} "
        f"| {limit_per_second(run, picture):.1f}/s | |",
    ]
    for name in run.about:
        cells = [cell(run, name, picture, level, lambda one: one.per_second, "{:.1f}") for level in columns]
        share = ratio(run, name, picture)
        used = cell(run, name, picture, 16, cpu_millis, "{:.1f}")
        lines.append(f"| {name} | {' | '.join(cells)} | {'' if share is None else f'{share:.2f}'} | {used} |")
    return lines


def latency_table(run: Run, picture: str) -> list[str]:
    """p50 / p95 / p99 in milliseconds, by connections."""
    columns = levels(run)
    lines = [
        f"| p50 / p95 / p99 ms at connections | {' | '.join(map(str, columns))} | p50 at 1 / in-process |",
        f"|---|{'---:|' * (len(columns) + 1)}",
        f"| {WIDE_LOOP} | {percentiles(run, WIDE_LOOP, picture, 1)} | {' | '.join([''] * len(columns))} |",
    ]
    for name in run.about:
        cells = [percentiles(run, name, picture, level) for level in columns]
        share = slowdown(run, name, picture)
        lines.append(f"| {name} | {' | '.join(cells)} | {'' if share is None else f'{share:.2f}'} |")
    return lines


def target_table(run: Run) -> list[str]:
    """The targets; against a peer, each round by itself, then the median."""
    lines = ["| picture | what | target | measured | met |", "|---|---|---:|---:|---|"]
    for picture in run.pictures:
        lines += [f"| {picture} | {one.row()} |" for one in targets(run, picture)]
    return lines


class Target(NamedTuple):
    """A bound on a figure of maskdet."""

    what: str
    sign: str
    bound: float
    measured: float

    def row(self) -> str:
        bound = f"{self.bound:g}" if self.sign in {"<", ">"} else f"{self.bound:.2f}"
        return f"{self.what} | {self.sign} {bound} | {self.measured:.2f} | {'yes' if self.met else 'no'}"

    @property
    def met(self) -> bool:
        """Whether the figure, as the table shows it, keeps the bound."""
        return BOUNDS[self.sign](round(self.measured, 2), self.bound)


def targets(run: Run, picture: str) -> Iterator[Target]:
    share, slower = ratio(run, "maskdet", picture), slowdown(run, "maskdet", picture)
    if share is not None and slower is not None:
        yield Target("requests/s at 16 against the limit", ">=", THROUGHPUT_TARGET, share)
        yield Target("p50 at 1 against in-process", "<=", LATENCY_TARGET, slower)
    yield from peer_targets(run, picture)


def peer_targets(run: Run, picture: str) -> Iterator[Target]:
    """Against the peer with the best median: most requests at 16 connections, lowest p50 at one."""
    peers = [name for name in run.about if name != "maskdet"]
    if not peers:
        return
    fastest = max(peers, key=lambda name: median(run, name, picture, 16, per_second) or 0)
    quickest = min(peers, key=lambda name: median(run, name, picture, 1, p50) or float("inf"))
    more = beside(run, fastest, picture, 16, per_second)
    later = beside(run, quickest, picture, 1, p50)
    yield Target(f"requests/s at 16 against the fastest peer ({fastest})", ">", 1, more)
    yield Target(f"p50 at 1 against the quickest peer ({quickest})", "<", 1, later)


def beside(run: Run, peer: str, picture: str, level: int, value: Callable[[Measurement], float]) -> float:
    """The figure of maskdet over a peer's, within each round; the median."""
    pairs = zip(run.select("maskdet", picture, level), run.select(peer, picture, level), strict=True)
    return statistics.median(value(ours) / value(theirs) for ours, theirs in pairs)


def faults_lines(run: Run) -> list[str]:
    """Requests not answered correctly. A refusal for lack of room is not a wrong answer, but no answer."""
    return [
        f"- {one.name}, {one.picture}, {one.connections} connections: "
        f"{one.faults} not answered ({one.fault[:120]})"
        for one in run.measurements
        if one.faults
    ]


def per_second(one: Measurement) -> float:
    return one.per_second


def cpu_millis(one: Measurement) -> float:
    """CPU milliseconds that the server spent on each good answer."""
    return (one.server_cpu or 0) / one.per_second * 1000


def p50(one: Measurement) -> float:
    return one.p50


def median(
    run: Run, name: str, picture: str, connections: int | None, value: Callable[[Measurement], float]
) -> float | None:
    found = [value(one) for one in run.select(name, picture, connections)]
    return statistics.median(found) if found else None


def cell(
    run: Run, name: str, picture: str, level: int, value: Callable[[Measurement], float], form: str
) -> str:
    found = median(run, name, picture, level, value)
    return "" if found is None else form.format(found)


def percentiles(run: Run, name: str, picture: str, level: int) -> str:
    if not run.select(name, picture, level):
        return ""
    parts = [
        median(run, name, picture, level, pick) for pick in (p50, lambda one: one.p95, lambda one: one.p99)
    ]
    return " / ".join(f"{part:.1f}" for part in parts if part is not None)


def best_loop(run: Run, picture: str) -> str:
    return max((CORE_LOOP, WIDE_LOOP), key=lambda name: median(run, name, picture, None, per_second) or 0)


def limit_per_second(run: Run, picture: str) -> float:
    return median(run, best_loop(run, picture), picture, None, per_second) or float("nan")


def ratio(run: Run, name: str, picture: str) -> float | None:
    """Throughput at 16 connections against the limit: each round by itself, then the median."""
    pairs = zip(run.select(name, picture, 16), run.select(best_loop(run, picture), picture), strict=False)
    shares = [ours.per_second / limit.per_second for ours, limit in pairs]
    return statistics.median(shares) if shares else None


def slowdown(run: Run, name: str, picture: str) -> float | None:
    """p50 at one connection against the in-process call: each round by itself, then the median."""
    pairs = zip(run.select(name, picture, 1), run.select(WIDE_LOOP, picture), strict=False)
    shares = [ours.p50 / bare.p50 for ours, bare in pairs]
    return statistics.median(shares) if shares else None
