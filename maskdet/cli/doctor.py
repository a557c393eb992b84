"""`maskdet doctor`: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import Runs
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maskdet.pipeline.doctor.diagnosis import Diagnosis


def doctor(
    runs: Runs = RUNS,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python",
            metavar="FILE",
            help="Interpreter for training, if not this one.",
            show_default="this one",
        ),
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Also train, export and run a tiny model.")] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Check only what serving and predicting need.")
    ] = False,
    lock: Annotated[
        bool, typer.Option("--lock", help="Only print the path of the file that locks the tested versions.")
    ] = False,
) -> None:
    """Check this installation against the tested versions.

    Checks versions, devices, fonts and folders. Exits with 0 only if every check passes.
    """
    if lock:
        from maskdet.pipeline.doctor.lock import lock_path

        typer.echo(lock_path())
        return

    from maskdet.cli.console import print_lines
    from maskdet.errors import EnvironmentProblem, UsageError

    if serve and (deep or python):
        raise UsageError(
            "--serve leaves training out, which --deep and --python check", "leave out one of them"
        )
    diagnoses = _shown(_checks(runs, python, training=not serve))
    faults = [diagnosis for diagnosis in diagnoses if diagnosis.health == "fault"]
    if deep and not faults:
        diagnoses = _shown(_deep(python))
        faults = [diagnosis for diagnosis in diagnoses if diagnosis.health == "fault"]
    if faults:
        raise EnvironmentProblem(
            f"{len(faults)} of the checks failed: {faults[0].text}", faults[0].hint or "see the lines above"
        )
    print_lines(["", "all checks passed"])


def _checks(runs: Path, python: Path | None, *, training: bool) -> Iterable[Diagnosis]:
    import sys

    from maskdet.pipeline.doctor.devices import check_devices
    from maskdet.pipeline.doctor.driver import read_driver
    from maskdet.pipeline.doctor.machine import check_machine
    from maskdet.pipeline.doctor.packages import check_packages

    driver = read_driver()
    yield from check_packages(driver, training=training)
    yield from check_machine(runs)
    yield from check_devices(python or Path(sys.executable) if training else None, driver)


def _deep(python: Path | None) -> Iterable[Diagnosis]:
    from maskdet.api.display import Display
    from maskdet.cli.console import standard_output
    from maskdet.pipeline.doctor.deep import check_chain

    with Display(standard_output()) as display:
        return check_chain(python, track=display.track, on_event=display.on_event, say=display.say)


def _shown(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    from maskdet.cli.console import print_lines

    shown = []
    for diagnosis in diagnoses:
        lines = diagnosis.text.splitlines() or [""]
        print_lines(
            [
                f"{diagnosis.health:<6} {diagnosis.subject}: {lines[0]}",
                *(f"         {line}" for line in lines[1:]),
            ]
        )
        if diagnosis.hint:
            print_lines([f"         next: {diagnosis.hint}"])
        shown.append(diagnosis)
    return shown
