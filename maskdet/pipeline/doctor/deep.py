"""The deep check: a tiny data set through the real chain, and a picture through the resulting model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from maskdet.artefacts import BUNDLE
from maskdet.errors import MaskdetError
from maskdet.pipeline.doctor.diagnosis import Diagnosis
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.outcome import RunOptions, StageOutcome, State
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context, Event
from maskdet.pipeline.stages import STAGES
from maskdet.progress import Track
from maskdet.system.times import duration

PICTURES = 12


def check_chain(
    python: Path | None, *, track: Track, on_event: Callable[[Event], None], say: Callable[[str], None]
) -> list[Diagnosis]:
    """Train one epoch, export, and detect in a picture, in a temporary folder; `python` as `train.python`."""
    with TemporaryDirectory(prefix="maskdet-doctor-") as name:
        folder = Path(name)
        draw_data_set(folder / "data", PICTURES)
        pipeline = _pipeline(folder / "data", python)
        context = Context(pipeline, folder / "runs" / "doctor", track, on_event)
        result = run_stages(STAGES, context, RunOptions(), lambda stage, _reason: say(f"deep check: {stage}"))
        diagnoses = [_finding(outcome, result.error) for outcome in result.outcomes]
        return diagnoses if result.error else [*diagnoses, _look(context)]


def _finding(outcome: StageOutcome, error: MaskdetError | None) -> Diagnosis:
    if outcome.state is State.RAN:
        return Diagnosis("ok", outcome.stage, f"works ({duration(outcome.seconds)})")
    if outcome.state is State.FAILED and error is not None:
        return _fault(outcome.stage, error)
    return Diagnosis("note", outcome.stage, outcome.state.value)


def _look(context: Context) -> Diagnosis:
    from maskdet.detector.bundle import load_bundle
    from maskdet.detector.detector import Detector
    from maskdet.detector.picture import read_picture

    try:
        picture = next((context.pipeline.data.folder / "JPEGImages").iterdir())
        found = Detector(load_bundle(context.path("export", BUNDLE))).detect(read_picture(picture))
    except MaskdetError as error:
        return _fault("predict", error)
    return Diagnosis("ok", "predict", f"ONNX Runtime answers ({len(found)} candidates)")


def _pipeline(data: Path, python: Path | None) -> PipelineFile:
    return PipelineFile(
        name="doctor",
        data={"root": data},
        model={"variant": "picodet_s_320_esnet"},
        train={"epochs": 1, "batch_size": 4, "device": "cpu", "workers": 1, "python": python},
        export={"parity_pictures": 2},
    )


def _fault(stage: str, error: MaskdetError) -> Diagnosis:
    return Diagnosis("fault", stage, error.what, error.hint)
