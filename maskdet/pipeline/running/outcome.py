"""What to run and how it went: options in, one outcome per stage out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from maskdet.errors import MaskdetError


class State(str, Enum):
    """The state of a stage."""

    RAN = "ran"
    UP_TO_DATE = "up to date"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_REACHED = "not reached"
    WOULD_RUN = "would run"
    MAY_RUN = "may run"
    """Dry run: up to date, but an earlier stage would run and might change its inputs."""


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """One row of the table. `seconds` is the time of this run, `reason` why the stage ran or would run."""

    stage: str
    state: State
    seconds: float = 0.0
    figure: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Which stages to run and how. `start` and `end` name stages; None means the first, the last."""

    start: str | None = None
    end: str | None = None
    force: frozenset[str] = frozenset()
    """Stages that run even if they are up to date."""
    given: frozenset[str] = frozenset()
    """Stages too long to run on the way to another: they must have been run explicitly."""
    dry_run: bool = False
    resume: bool = False
    unattended: bool = False
    """Nobody can be asked: unfinished work that was started with other settings is started over."""


@dataclass(slots=True)
class RunResult:
    """Every stage's outcome, in order, and the error that ended the run, if one did."""

    outcomes: list[StageOutcome] = field(default_factory=list)
    error: MaskdetError | None = None

    def any(self, state: State) -> bool:
        """True if some stage ended in that state."""
        return any(outcome.state is state for outcome in self.outcomes)

    @property
    def up_to_date(self) -> bool:
        """True if there was nothing to do."""
        return all(outcome.state in (State.UP_TO_DATE, State.SKIPPED) for outcome in self.outcomes)
