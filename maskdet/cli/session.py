"""What every pipeline command does: open the pipeline file, run stages, show the outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.pipeline.places import DEFAULT_CONFIG

if TYPE_CHECKING:
    from maskdet.pipeline.running.outcome import RunOptions, RunResult
    from maskdet.pipeline.running.run import Then
    from maskdet.pipeline.running.stage import Context
    from maskdet.serving.engine.source import Source


def open_pipeline(config: Path | None, overrides: Sequence[str], runs: Path) -> Context:
    """Load and validate the pipeline file."""
    from maskdet.pipeline import session

    return session.open_pipeline(config, overrides, runs)


def stand_in(config: Path | None) -> Path | None:
    """The model to use where none is named and there is no pipeline file: the shipped one, if any."""
    from maskdet.cli.console import print_notes
    from maskdet.detector.catalogue import DEFAULT
    from maskdet.detector.shipped import ships_model

    if config is not None or DEFAULT_CONFIG.exists() or not ships_model():
        return None
    print_notes([f"no {DEFAULT_CONFIG} here: using the shipped face-mask model"])
    return Path(DEFAULT)


def open_serving(config: Path | None, overrides: Sequence[str], runs: Path, *, named: bool) -> Context:
    """Like open_pipeline, but without a data set, and if the model was `named`, also without a file."""
    from maskdet.pipeline.session import open_present, open_served

    if named:
        return open_present(config, overrides, runs)
    return open_served(config, overrides, runs, named=False)


def port_of(config: Path | None, overrides: Sequence[str] | None, runs: Path, port: int | None) -> int:
    """The given port, else that of the pipeline file if there is one, else the default."""
    from maskdet.serving.settings import ServeSettings

    if port is not None:
        return port
    if config or overrides or DEFAULT_CONFIG.exists():
        return open_serving(config, overrides or [], runs, named=True).pipeline.serve.port
    return ServeSettings().port


def with_flags(overrides: Sequence[str] | None, flags: Mapping[str, object]) -> list[str]:
    """The overrides, plus those set by a command's own flags: key to value, None where not given."""
    given = {key: value for key, value in flags.items() if value is not None}
    return [*(overrides or []), *(f"{key}={_word(value)}" for key, value in given.items())]


def _word(value: object) -> object:
    """As --set takes it."""
    import json

    from maskdet.pipeline.file.document import as_written

    if isinstance(value, bool | list):
        return json.dumps(value)
    return as_written(str(value)) if isinstance(value, str | Path) else value


def advance(
    context: Context, options: RunOptions, *, table: bool = True, then: Then | None = None
) -> RunResult:
    """Run stages with progress on standard output, then show a row for each. Errors stay in the result."""
    from maskdet.api.work import advance as bring_up
    from maskdet.cli.console import print_outcomes

    result = bring_up(context, options, progress=True, then=then)
    if table:
        last = next((n for n, outcome in enumerate(result.outcomes) if outcome.stage == options.end), None)
        print_outcomes(result.outcomes[: None if last is None else last + 1])
    return result


def run_stage(
    context: Context,
    stage: str,
    *,
    force: bool = False,
    resume: bool = False,
    table: bool = True,
    then: Then | None = None,
) -> None:
    """Bring one stage up to date, and the cheap ones before it. Raises the error that stopped it."""
    from maskdet.pipeline.chain import finish_stage, stage_options

    result = advance(context, stage_options(stage, force=force, resume=resume), table=table, then=then)
    finish_stage(context, stage, result)


def sources_of(context: Context, named: Sequence[str]) -> dict[str, Source]:
    """Models to serve by name, as `[NAME=]FILE`; else those of the pipeline file, else its exported one.

    An empty name means the registered model's, or the bundle's own. Raises UsageError, StageError or
    RegistryError.
    """
    from maskdet.errors import UsageError

    if not named and context.pipeline.serve.models:
        return {name: _source(context, path) for name, path in context.pipeline.serve.models.items()}
    found: dict[str, Source] = {}
    for text in named:
        name, file = _named(text)
        if name in found:
            raise UsageError(
                f"--model {text}: two models would have the same name", "write --model NAME=FILE"
            )
        found[name] = _source(context, file)
    return found or {"": _source(context, None)}


def _source(context: Context, named: Path | None) -> Source:
    from maskdet.cli.console import print_notes
    from maskdet.pipeline.references.models import model_of
    from maskdet.registry.reference import is_reference
    from maskdet.serving.engine.source import Source

    file = model_of(context, named)
    if named is not None and is_reference(named):
        return Source(context.pipeline.registry.root, str(named))
    if named is not None and named.is_dir() and not file.is_relative_to(named):
        print_notes([f"{named} holds PaddleDetection's export: serving the bundle made of it, {file}"])
    return Source(file)


def _named(text: str) -> tuple[str, Path]:
    from maskdet.wording.names import is_name

    name, equals, file = text.partition("=")
    # A file name may contain an equals sign.
    if not equals or not is_name(name) or Path(text).is_file():
        return "", Path(text)
    return name, Path(file)
