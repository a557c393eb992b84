"""What every command of the pipeline does: open the pipeline file, run stages, show what became of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskdet.pipeline.outcome import RunOptions, RunResult
    from maskdet.pipeline.schema import PipelineFile
    from maskdet.pipeline.stage import Context

DEFAULT_CONFIG = Path("pipeline.yml")


@dataclass(frozen=True, slots=True)
class Session:
    """An opened pipeline file and how the command line named it."""

    pipeline: PipelineFile
    context: Context
    arguments: tuple[str, ...]

    def command(self, verb: str, *options: str) -> str:
        """The command line for another verb on the same pipeline, to be typed next."""
        return shlex.join(["maskdet", verb, *self.arguments, *options])


def open_session(
    config: Path | None, overrides: Sequence[str], runs: Path, extra: Sequence[str] = ()
) -> Session:
    """Load and validate the pipeline file. `extra` are overrides that come from the command's own flags."""
    from maskdet.pipeline.load import load_pipeline
    from maskdet.pipeline.run import results_folder
    from maskdet.pipeline.stage import Context

    path = config or DEFAULT_CONFIG
    pipeline = load_pipeline(path, [*overrides, *extra])
    named = ["-c", str(config)] if config else []
    sets = [part for text in [*overrides, *extra] for part in ("--set", text)]
    folder = ["--runs-dir", str(runs)] if runs != Path("runs") else []
    return Session(pipeline, Context(pipeline, results_folder(runs, pipeline.name)), (*named, *sets, *folder))


def advance(session: Session, options: RunOptions, *, table: bool = True) -> RunResult:
    """Run stages with progress on standard output, then show a row for each. Errors stay in the result."""
    from maskdet.cli.console import print_outcomes, standard_output
    from maskdet.cli.progress import Display
    from maskdet.pipeline.run import run_stages
    from maskdet.pipeline.stages import STAGES

    names = [stage.name for stage in STAGES]
    with Display(standard_output()) as display:
        context = replace(session.context, track=display.track, on_event=display.on_event, say=display.say)
        result = run_stages(STAGES, context, options, display.on_start)
    shown = names[: names.index(options.end) + 1] if options.end in names else names
    if table:
        print_outcomes(outcome for outcome in result.outcomes if outcome.stage in shown)
    return result


def run_stage(
    session: Session, stage: str, *, force: bool = False, resume: bool = False, table: bool = True
) -> None:
    """Bring one stage up to date, and cheap ones before it. Raises the error that stopped it."""
    from maskdet.errors import Interrupted
    from maskdet.pipeline.outcome import RunOptions
    from maskdet.pipeline.run import can_resume
    from maskdet.pipeline.stages import STAGES

    options = RunOptions(
        end=stage,
        force=frozenset({stage} if force else ()),
        given=frozenset({"train"} - {stage}),
        resume=resume,
    )
    result = advance(session, options, table=table)
    if isinstance(result.error, Interrupted) and not result.error.hint:
        again = ["--resume"] if stage == "train" and can_resume(STAGES, session.context) else []
        result.error.hint = f"go on with `{session.command(stage, *again)}`"
    if result.error is not None:
        raise result.error


def open_serving(
    config: Path | None,
    overrides: Sequence[str],
    runs: Path,
    extra: Sequence[str] = (),
    model: Path | None = None,
) -> Session:
    """As open_session; but a command that was given a model needs no pipeline file, and takes defaults."""
    if config is None and model is not None and not DEFAULT_CONFIG.exists():
        from maskdet.pipeline.load import default_pipeline
        from maskdet.pipeline.run import results_folder
        from maskdet.pipeline.stage import Context

        pipeline = default_pipeline([*overrides, *extra])
        return Session(pipeline, Context(pipeline, results_folder(runs, pipeline.name)), ())
    return open_session(config, overrides, runs, extra)


def model_of(session: Session, model: Path | None) -> Path:
    """The model that was named, or the one that the pipeline exported. Raises StageError if it is missing."""
    from maskdet.errors import StageError, UsageError

    if model is not None:
        if not model.is_file():
            raise UsageError(f"{model}: no such model", "name an exported .onnx, or leave --model out")
        return model
    exported = session.context.path("export", "model.onnx")
    if not exported.is_file():
        raise StageError(
            f"{exported} is missing", f"`{session.command('run')}` makes it, or name another with --model"
        )
    return exported
