"""The one tree of errors. Each says what is wrong, where, and what to do next.

Messages are for people: `what` names the file, line, key or value, `hint` the next step to take.
`exit_code` is what the command line exits with; `serving.problems` maps the same classes to HTTP statuses.
"""

from __future__ import annotations

from collections.abc import Sequence


class MaskdetError(Exception):
    """Base of every error that maskdet raises on purpose."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n  next: {self.hint}" if self.hint else self.what


class UsageError(MaskdetError):
    """A command or function was called with invalid arguments."""

    exit_code = 2


class PipelineFileError(MaskdetError):
    """pipeline.yml (or a `--set` override) is not valid."""

    exit_code = 2


class DatasetError(MaskdetError):
    """The VOC folder has faults that stop the stage; `faults` has one line for each."""

    exit_code = 3

    def __init__(self, what: str, hint: str = "", faults: Sequence[str] = ()) -> None:
        super().__init__(what, hint)
        self.faults = tuple(faults)


class PictureError(MaskdetError):
    """A picture cannot be decoded, or is larger than the limit in bytes or pixels."""

    exit_code = 4


class BundleError(MaskdetError):
    """A model file is not a maskdet bundle, or is damaged."""

    exit_code = 5


class EnvironmentProblem(MaskdetError):
    """A required package or device is missing, or its version is untested."""

    exit_code = 6


class TrainingError(MaskdetError):
    """The training worker failed."""

    exit_code = 7


class ExportError(MaskdetError):
    """A conversion failed, or its result does not agree with the checkpoint."""

    exit_code = 8


class StageError(MaskdetError):
    """A stage needs an artefact that an earlier stage has not written."""

    exit_code = 9


class FolderInUse(StageError):
    """Another process is writing to the same results folder."""


class ServingError(MaskdetError):
    """The server cannot start, stop or be found."""

    exit_code = 10


class GateRefusal(MaskdetError):
    """A gate refused the challenger, or could not be measured."""

    exit_code = 11


class RetrainingDue(MaskdetError):
    """What the server sees has moved away from the training data, or enough new labels have arrived."""

    exit_code = 12


class RegistryError(MaskdetError):
    """The registry lacks a model, version or alias, is damaged, or another process changed it first."""

    exit_code = 13


class Interrupted(MaskdetError):
    """The user (Ctrl-C) or the system (SIGTERM) stopped the work; finished work is kept."""

    exit_code = 130
