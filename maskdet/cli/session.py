"""What every command of the pipeline does: open the pipeline file, run stages, show what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.cli.options import RUNS

if TYPE_CHECKING:
    from maskdet.pipeline.outcome import RunOptions, RunResult
    from maskdet.pipeline.schema import PipelineFile
    from maskdet.pipeline.stage import Context

DEFAULT_CONFIG = Path("pipeline.yml")


def open_pipeline(config: Path | None, overrides: Sequence[str], runs: Path) -> Context:
    """Load and validate the pipeline file."""
    from maskdet.pipeline.load import load_pipeline

    named = ("-c", str(config)) if config else ()
    return _context(load_pipeline(config or DEFAULT_CONFIG, overrides), named, overrides, runs)


def stand_in(config: Path | None) -> Path | None:
    """What stands for a model where none is named and there is no pipeline file: the shipped one, if any."""
    from maskdet.cli.console import print_notes
    from maskdet.detector.shipped import DEFAULT, ships_model

    if config is not None or DEFAULT_CONFIG.exists() or not ships_model():
        return None
    print_notes([f"no {DEFAULT_CONFIG} here: using the shipped face-mask model"])
    return Path(DEFAULT)


def open_serving(config: Path | None, overrides: Sequence[str], runs: Path, *, named: bool) -> Context:
    """As open_pipeline; but a command whose model was `named` needs no pipeline file, and takes defaults."""
    if config is None and named and not DEFAULT_CONFIG.exists():
        from maskdet.pipeline.load import default_pipeline

        return _context(default_pipeline(overrides), (), overrides, runs)
    return open_pipeline(config, overrides, runs)


def port_of(config: Path | None, overrides: Sequence[str] | None, runs: Path, port: int | None) -> int:
    """The port that was named, or that of the pipeline file if there is one, or the default."""
    from maskdet.serving.settings import ServeSettings

    if port is not None:
        return port
    if config or overrides or DEFAULT_CONFIG.exists():
        return open_pipeline(config, overrides or [], runs).pipeline.serve.port
    return ServeSettings().port


def with_flags(overrides: Sequence[str] | None, flags: Mapping[str, object]) -> list[str]:
    """The overrides, and those that a command's own flags stand for: key to value, None where not given."""
    given = {key: value for key, value in flags.items() if value is not None}
    return [*(overrides or []), *(f"{key}={_word(value)}" for key, value in given.items())]


def _word(value: object) -> object:
    """As --set takes it."""
    import json

    return json.dumps(value) if isinstance(value, bool | list) else value


def advance(context: Context, options: RunOptions, *, table: bool = True) -> RunResult:
    """Run stages with progress on standard output, then show a row for each. Errors stay in the result."""
    from maskdet.cli.console import print_outcomes, standard_output
    from maskdet.cli.progress import Display
    from maskdet.pipeline.run import run_stages
    from maskdet.pipeline.stages import STAGES

    with Display(standard_output()) as display:
        seen = replace(context, track=display.track, on_event=display.on_event, say=display.say)
        result = run_stages(STAGES, seen, options, display.on_start)
    if table:
        last = next((n for n, outcome in enumerate(result.outcomes) if outcome.stage == options.end), None)
        print_outcomes(result.outcomes[: None if last is None else last + 1])
    return result


def run_stage(
    context: Context, stage: str, *, force: bool = False, resume: bool = False, table: bool = True
) -> None:
    """Bring one stage up to date, and cheap ones before it. Raises the error that stopped it."""
    from maskdet.errors import Interrupted
    from maskdet.pipeline.outcome import RunOptions
    from maskdet.pipeline.run import can_resume
    from maskdet.pipeline.stages import STAGES

    options = RunOptions(
        end=stage,
        force=frozenset({stage} if force else ()),
        given=frozenset(each.name for each in STAGES if each.long) - {stage},
        resume=resume,
    )
    result = advance(context, options, table=table)
    if isinstance(result.error, Interrupted) and not result.error.hint:
        own = [each for each in STAGES if each.name == stage]
        again = ["--resume"] if can_resume(own, context) else []
        result.error.hint = f"`{context.command(stage, *again)}` goes on from here"
    if result.error is not None:
        raise result.error


def model_file(name: Path) -> Path:
    """The file of that name, or the shipped one for `default`."""
    from maskdet.detector.shipped import DEFAULT, shipped_model

    return shipped_model() if str(name) == DEFAULT else name


def model_of(context: Context, model: Path | None) -> Path:
    """The model that was named, or the one that the pipeline exported. Raises StageError if it is missing."""
    from maskdet.detector.shipped import DEFAULT, ships_model
    from maskdet.errors import StageError, UsageError

    if model is not None:
        file = model_file(model)
        if not file.is_file():
            raise UsageError(f"{file}: no such model", "name an exported .onnx, or leave --model out")
        return file
    exported = context.path("export", "model.onnx")
    if not exported.is_file():
        other = f"`--model {DEFAULT}` takes the shipped one" if ships_model() else "name another with --model"
        raise StageError(f"{exported} is missing", f"`{context.command('run')}` makes it, or {other}")
    return exported


def bundles_of(context: Context, named: Sequence[str]) -> dict[str, Path]:
    """Models to serve by name, as `[NAME=]FILE`; else those of the pipeline file, else what it exported.

    An empty name stands for the bundle's own. Raises UsageError or StageError.
    """
    from maskdet.errors import UsageError

    if not named and context.pipeline.serve.models:
        return {name: model_of(context, path) for name, path in context.pipeline.serve.models.items()}
    found: dict[str, Path] = {}
    for text in named:
        name, file = _named(text)
        if name in found:
            raise UsageError(f"--model {text}: two models would have one name", "write --model NAME=FILE")
        found[name] = model_of(context, file)
    return found or {"": model_of(context, None)}


def _named(text: str) -> tuple[str, Path]:
    from maskdet.serving.settings import MODEL_NAME

    name, equals, file = text.partition("=")
    # A file's name may hold an equals sign.
    if not equals or not MODEL_NAME.fullmatch(name) or Path(text).is_file():
        return "", Path(text)
    return name, Path(file)


def _context(pipeline: PipelineFile, named: tuple[str, ...], overrides: Sequence[str], runs: Path) -> Context:
    from maskdet.pipeline.run import results_folder
    from maskdet.pipeline.stage import Context

    sets = [part for text in overrides for part in ("--set", text)]
    folder = [] if runs == RUNS else ["--runs-dir", str(runs)]
    return Context(pipeline, results_folder(runs, pipeline.name), arguments=(*named, *sets, *folder))
