"""`maskdet predict`: find faces in pictures and videos."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import Config, Flip, ModelFile, Overrides, RegistryFolder, Runs, Tile
from maskdet.cli.session import open_serving, stand_in, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from maskdet.detector.settings import BundleMeta
    from maskdet.prediction.results import Failure, PredictSummary
    from maskdet.progress import Track

MAX_FAILURES = 20
"""Unreadable files listed in one message beside the JSON document, which has them all."""


def predict(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCES]...", help="Files, folders, globs in quotes, videos; s3://, gs:// addresses."
        ),
    ] = None,
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    model: ModelFile = None,
    registry: RegistryFolder = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="json, csv or draw; voc, yolo or coco: proposals for a labelling tool. Repeatable.",
            show_default="json and draw",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where results go.")] = Path(
        "predictions"
    ),
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print a line of JSON for each picture; write only what --format names."),
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="SCORE",
            help="Lowest score that counts as a face.",
            show_default="the model's own",
        ),
    ] = None,
    tile: Tile = False,
    flip: Flip = False,
    listing: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="A text file with one path or address per line."),
    ] = None,
    device: Annotated[
        str,
        typer.Option("--device", metavar="DEVICE", help="cpu, gpu or gpu:N; GPUs need onnxruntime-gpu."),
    ] = "cpu",
    engine: Annotated[
        str,
        typer.Option("--engine", metavar="NAME", help="threads, or ray: many processes, resumable."),
    ] = "threads",
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Processes of Ray.", show_default="one per core"),
    ] = None,
) -> None:
    """Find faces in pictures and videos.

    Takes files, folders and globs, and uses all cores, or a GPU. Files that cannot be read or drawn are
    listed last. With --json, standard output has nothing but the lines, in the order of the pictures.
    """
    model = model or stand_in(config)
    overrides = with_flags(overrides, {"registry.root": registry})
    context = open_serving(config, overrides, runs, named=model is not None)

    from maskdet.cli.console import json_output
    from maskdet.detector.bundle import load_bundle
    from maskdet.detector.detector import Detector
    from maskdet.detector.tiling import Look
    from maskdet.pipeline.references.models import model_of
    from maskdet.prediction.engines import engine_of
    from maskdet.prediction.predict import predict as look
    from maskdet.prediction.predict import results_in
    from maskdet.prediction.sources import read_list

    named = [*(sources or []), *(read_list(listing) if listing else [])]
    bundle = load_bundle(model_of(context, model))
    chosen = formats or ([] if as_json else ["json", "draw"])
    detector, earlier = Detector(bundle, threads=1, device=device), results_in(out) if chosen else ()
    # Not within the block: a progress bar puts a stand-in of its own in place of sys.stdout.
    lines = json_output() if as_json else None
    with _progress(lines) as track:
        summary = look(
            detector,
            named,
            formats=chosen,
            out=out,
            lines=lines,
            track=track,
            threshold=threshold,
            look=Look(tile=tile, flip=flip),
            engine=engine_of(
                engine, bundle, out, threshold=threshold, workers=workers, device=device, track=track
            ),
        )
    _tell_of_earlier([path for path in earlier if path.is_dir() or path not in summary.written])
    _tell(summary, detector.meta, beside_lines=as_json)


@contextmanager
def _progress(lines: TextIO | None) -> Iterator[Track]:
    """On standard error, without a bar if the lines appear on the terminal themselves."""
    from maskdet.api.display import Display
    from maskdet.cli.console import standard_error
    from maskdet.progress import silent

    if lines is not None and lines.isatty():
        yield silent
        return
    with Display(standard_error()) as display:
        yield display.track


def _tell_of_earlier(kept: Sequence[Path]) -> None:
    from maskdet.cli.console import print_notes, shown

    if kept:
        names = ", ".join(shown(path.absolute()) for path in kept)
        print_notes([f"results of an earlier run were there and are kept: {names}"])


def _tell(summary: PredictSummary, meta: BundleMeta, *, beside_lines: bool) -> None:
    from maskdet.cli.console import print_lines, standard_error
    from maskdet.errors import PictureError
    from maskdet.system.times import duration

    faces = ", ".join(f"{label} {number}" for label, number in summary.faces.items())
    rate = summary.pictures / summary.seconds if summary.seconds else 0.0
    print_lines(
        [
            f"{summary.pictures} pictures in {duration(summary.seconds)} ({rate:.1f} per second): {faces}",
            f"thresholds: {_thresholds(summary, meta)}",
            *(f"wrote {path}" for path in summary.written),
        ],
        standard_error() if beside_lines else None,
    )
    if summary.failures:
        # The lines have no failures, so the message is the only place that can name them all.
        listing = _listing(summary.failures, len(summary.failures) if beside_lines else MAX_FAILURES)
        raise PictureError(
            f"files that could not be read or drawn: {len(summary.failures)}\n{listing}",
            "fix them or leave them out",
        )


def _listing(failures: Sequence[Failure], most: int) -> str:
    shown = [f"  {failure.file}: {failure.reason}" for failure in failures[:most]]
    if len(failures) > most:
        shown.append(f"  ... and {len(failures) - most} more")
    return "\n".join(shown)


def _thresholds(summary: PredictSummary, meta: BundleMeta) -> str:
    from maskdet.detector.threshold_policy import OVERRIDE

    if summary.threshold_policy != OVERRIDE:
        return meta.describe_thresholds()
    return f"{OVERRIDE.describe()} ({meta.threshold_policy.describe()})"
