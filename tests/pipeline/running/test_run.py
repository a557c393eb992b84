"""The runner over small real stages: text files that are copied and joined."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maskdet.artefacts import REPORT
from maskdet.errors import ExportError, Interrupted, StageError, UsageError
from maskdet.pipeline.chain import unattended_options
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.inputs import file_input, setting_inputs
from maskdet.pipeline.running.outcome import RunOptions, RunResult, State
from maskdet.pipeline.running.report import write_report
from maskdet.pipeline.running.run import can_resume, run_stages
from maskdet.pipeline.running.stage import Context, Stage
from maskdet.training.settings import TrainSettings


@dataclass
class Project:
    """prepare copies a word, train counts epochs in place, export joins both."""

    root: Path
    calls: list[str] = field(default_factory=list)
    stop_at: int = 0
    fail: Exception | None = None
    epochs: int = 3

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (
            Stage("prepare", self._prepare_inputs, self._prepare),
            Stage(
                "train",
                self._train_inputs,
                self._train,
                staged=False,
                unfinished=self._unfinished,
                keeps=("best",),
            ),
            Stage("export", self._export_inputs, self._export),
        )

    @property
    def context(self) -> Context:
        train = TrainSettings(epochs=self.epochs)
        return Context(
            PipelineFile(name="demo", data={"root": self.root}, train=train), self.root / "runs" / "demo"
        )

    def run(self, **options: object) -> RunResult:
        return run_stages(self.stages, self.context, RunOptions(**options))

    def _prepare_inputs(self, context: Context) -> dict[str, object]:
        return {"file word": (context.pipeline.data.root / "word").stat().st_mtime_ns}

    def _prepare(self, context: Context, out: Path) -> str:
        self.calls.append("prepare")
        (out / "word").write_text((context.pipeline.data.root / "word").read_text())
        return "one word"

    def _train_inputs(self, context: Context) -> dict[str, object]:
        return {**setting_inputs("train", context.pipeline.train), **file_input(context, "prepare", "word")}

    def _train(self, context: Context, out: Path) -> str:
        self.calls.append("resume" if context.resume else "train")
        done = int((out / "state").read_text()) if context.resume else 0
        for epoch in range(done + 1, context.pipeline.train.epochs + 1):
            (out / "best").write_text("best")
            (out / "state").write_text(str(epoch))
            if epoch == self.stop_at:
                raise KeyboardInterrupt
        return f"epoch {epoch}"

    def _unfinished(self, context: Context) -> str | None:
        state = context.path("train", "state")
        done = int(state.read_text()) if state.exists() else 0
        return f"train/ holds an unfinished run at epoch {done}" if 0 < done < 3 else None

    def _export_inputs(self, context: Context) -> dict[str, object]:
        return {**file_input(context, "prepare", "word"), **file_input(context, "train", "best")}

    def _export(self, context: Context, out: Path) -> str:
        self.calls.append("export")
        (out / "model").write_text(context.path("prepare", "word").read_text())
        if self.fail:
            raise self.fail
        return "a | b"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "word").write_text("face")
    return Project(tmp_path)


def states(result: RunResult) -> list[State]:
    return [outcome.state for outcome in result.outcomes]


RAN, FRESH, SKIPPED = State.RAN, State.UP_TO_DATE, State.SKIPPED


def test_everything_runs_once_and_then_nothing(project):
    first = project.run()
    assert states(first) == [RAN, RAN, RAN]
    assert [outcome.figure for outcome in first.outcomes] == ["one word", "epoch 3", "a | b"]
    assert not first.up_to_date
    again = project.run()
    assert states(again) == [FRESH, FRESH, FRESH]
    assert again.up_to_date
    assert [outcome.figure for outcome in again.outcomes] == ["one word", "epoch 3", "a | b"]
    assert project.calls == ["prepare", "train", "export"]


def test_touching_reruns_prepare_but_not_what_reads_contents(project):
    project.run()
    (project.root / "word").write_text("face")
    assert states(project.run()) == [RAN, FRESH, FRESH]


def test_new_content_goes_all_the_way(project):
    project.run()
    (project.root / "word").write_text("mask")
    assert states(project.run()) == [RAN, RAN, RAN]
    assert project.context.path("export", "model").read_text() == "mask"


def test_a_setting_reruns_its_stage_and_says_why(project):
    project.run()
    project.epochs = 4
    result = project.run()
    # The best checkpoint is the same file as before, so export has nothing to do.
    assert states(result) == [FRESH, RAN, FRESH]
    assert result.outcomes[1].reason == "train.epochs 3 → 4"


def test_force_runs_the_named_stages(project):
    project.run()
    assert states(project.run(force=frozenset({"export"}))) == [FRESH, FRESH, RAN]


def test_from_and_to_leave_the_others_alone(project):
    assert states(project.run(end="train")) == [RAN, RAN, SKIPPED]
    (project.root / "word").write_text("mask")
    assert states(project.run(start="export")) == [SKIPPED, SKIPPED, RAN]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "serve"}, "no stage 'serve'"),
        ({"end": "trian"}, "did you mean train"),
        ({"start": "export", "end": "prepare"}, "comes after"),
    ],
)
def test_ranges_that_do_not_exist(project, options, message):
    with pytest.raises(UsageError) as caught:
        project.run(**options)
    assert message in str(caught.value)


def test_from_without_the_earlier_artefacts_says_what_to_run(project):
    result = project.run(start="export")
    assert isinstance(result.error, StageError)
    assert "maskdet prepare" in result.error.hint


def test_dry_run_foresees_and_writes_nothing(project):
    result = project.run(dry_run=True)
    assert states(result) == [State.WOULD_RUN] * 3
    assert not (project.root / "runs").exists()
    project.run()
    assert states(project.run(dry_run=True)) == [FRESH, FRESH, FRESH]
    (project.root / "word").write_text("mask")
    assert states(project.run(dry_run=True)) == [State.WOULD_RUN, State.MAY_RUN, State.MAY_RUN]
    assert project.calls == ["prepare", "train", "export"]


def test_a_failure_stops_the_chain_and_keeps_the_last_good_state(project):
    project.run()
    project.fail = ExportError("scores differ\n  by a lot", "lower it")
    result = project.run(force=frozenset({"prepare", "export"}))
    assert states(result) == [RAN, FRESH, State.FAILED]
    assert result.error is project.fail
    assert result.outcomes[2].figure == "scores differ"
    assert project.context.path("export", "model").read_text() == "face"
    assert [path.name for path in project.context.folder.glob(".*-*")] == []


def test_after_a_failure_later_stages_are_not_reached(project):
    project.stop_at = 1
    result = project.run()
    assert states(result) == [RAN, State.FAILED, State.NOT_REACHED]
    assert isinstance(result.error, Interrupted)


def test_a_fault_of_the_program_is_raised(project):
    project.fail = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        project.run()


def interrupted(project: Project) -> Project:
    project.stop_at = 2
    project.run()
    project.stop_at = 0
    return project


def test_unfinished_work_is_the_users_decision(project):
    result = interrupted(project).run()
    assert isinstance(result.error, StageError)
    assert "unfinished run at epoch 2" in result.error.what
    assert "maskdet train --resume" in result.error.hint
    assert "maskdet train --force" in result.error.hint
    assert can_resume(project.stages, project.context)


def test_a_dry_run_foresees_the_refusal_of_unfinished_work(project):
    refused, foreseen = interrupted(project).run(), project.run(dry_run=True)
    assert states(foreseen) == states(refused) == [FRESH, State.FAILED, State.NOT_REACHED]
    assert isinstance(foreseen.error, StageError)
    assert str(foreseen.error) == str(refused.error)
    assert foreseen.error.hint == refused.error.hint


def test_a_dry_run_foresees_where_work_is_resumed(project):
    foreseen = interrupted(project).run(dry_run=True, resume=True)
    assert states(foreseen) == [FRESH, State.WOULD_RUN, State.WOULD_RUN]
    assert foreseen.outcomes[1].reason == "resumed: train/ holds an unfinished run at epoch 2"
    assert project.calls == ["prepare", "train"]


def test_a_dry_run_foresees_that_work_is_started_over(project):
    foreseen = interrupted(project).run(dry_run=True, force=frozenset({"train"}))
    assert foreseen.outcomes[1].reason == "forced"


def test_a_dry_run_foresees_settings_that_forbid_to_resume(project):
    interrupted(project).epochs = 5
    refused, foreseen = (project.run(dry_run=dry, resume=True) for dry in (False, True))
    assert "train.epochs 3 → 5" in str(foreseen.error)
    assert str(foreseen.error) == str(refused.error)


@pytest.mark.parametrize(("resume", "epochs"), [(False, 3), (False, 5), (True, 5)])
def test_a_dry_run_foresees_the_refusal_behind_a_stage_that_would_run(project, resume, epochs):
    interrupted(project).epochs = epochs
    (project.root / "word").write_text("face")
    foreseen = project.run(dry_run=True, resume=resume)
    assert states(foreseen) == [State.WOULD_RUN, State.FAILED, State.NOT_REACHED]
    refused = project.run(resume=resume)
    assert states(refused) == [RAN, State.FAILED, State.NOT_REACHED]
    assert (str(foreseen.error), foreseen.error.hint) == (str(refused.error), refused.error.hint)


def test_a_dry_run_cannot_know_what_an_earlier_stage_will_write(project):
    interrupted(project)
    (project.root / "word").write_text("mask")
    for text in ("other", None):
        word = project.context.path("prepare", "word")
        word.write_text(text) if text else word.unlink()
        foreseen = project.run(dry_run=True, resume=True)
        assert states(foreseen) == [State.WOULD_RUN] * 3
        assert foreseen.outcomes[1].reason.startswith("resumed, unless an earlier stage writes something new")
    (project.root / "word").write_text("face")
    assert states(project.run(resume=True)) == [RAN, RAN, RAN]


def test_a_dry_run_knows_that_forced_stages_run(project):
    project.run()
    assert states(project.run(dry_run=True, force=frozenset({"prepare", "export"}))) == [
        State.WOULD_RUN,
        State.MAY_RUN,
        State.WOULD_RUN,
    ]


def test_resume_goes_on(project):
    assert states(interrupted(project).run(resume=True)) == [FRESH, RAN, RAN]
    assert project.calls == ["prepare", "train", "resume", "export"]
    assert not can_resume(project.stages, project.context)


def test_force_starts_over(project):
    assert states(interrupted(project).run(force=frozenset({"train"}))) == [FRESH, RAN, RAN]
    assert project.calls == ["prepare", "train", "train", "export"]


def test_resume_with_other_settings_is_refused_and_names_them(project):
    interrupted(project).epochs = 5
    result = project.run(resume=True)
    assert isinstance(result.error, StageError)
    assert "train.epochs 3 → 5" in result.error.what
    assert "--force" in result.error.hint


@pytest.mark.parametrize(("epochs", "call"), [(3, "resume"), (5, "train")])
def test_a_job_that_nobody_watches_resumes_or_starts_over(project, epochs, call):
    interrupted(project).epochs = epochs
    done = run_stages(project.stages, project.context, unattended_options())
    assert done.error is None
    assert project.calls == ["prepare", "train", call, "export"]


def test_resume_with_nothing_unfinished_is_a_normal_start(project):
    assert states(project.run(resume=True)) == [RAN, RAN, RAN]
    assert project.calls == ["prepare", "train", "export"]


def test_a_long_stage_on_the_way_must_have_run(project):
    result = project.run(given=frozenset({"train"}))
    assert isinstance(result.error, StageError)
    assert "run `maskdet train` first" in result.error.hint


def test_the_best_of_a_stopped_training_may_be_used(project):
    result = interrupted(project).run(given=frozenset({"train"}))
    assert states(result) == [FRESH, SKIPPED, RAN]
    assert "unfinished run at epoch 2" in result.outcomes[1].figure


def test_a_stopped_training_of_other_settings_may_not(project):
    interrupted(project).epochs = 5
    assert isinstance(project.run(given=frozenset({"train"})).error, StageError)


def test_one_run_at_a_time_names_the_holder(project):
    folder = project.context.folder
    code = (
        "import sys; from pathlib import Path; from maskdet.pipeline.running.lock import run_lock\n"
        "with run_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StageError, match=f"in use by process {holder.pid}"):
            project.run()
        assert states(project.run(dry_run=True)) == [State.WOULD_RUN] * 3
        holder.kill()
    assert states(project.run()) == [RAN, RAN, RAN]


def test_what_a_killed_run_left_aside_is_swept(project):
    folder = project.context.folder
    code = (
        "import os, sys; from pathlib import Path\n"
        "from maskdet.system.files import staged_file, staged_folder\n"
        "run = Path(sys.argv[1])\n"
        "with staged_folder(run / 'export'), staged_file(run / '.stages' / 'x.json') as x:\n"
        "    x.touch(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, folder], check=True)
    assert len(list(folder.rglob(".aside-*"))) == 2
    project.run()
    assert list(folder.rglob(".aside-*")) == []


def test_what_follows_the_stages_still_holds_the_folder(project):
    tried = []

    def then(context, result):
        assert states(result) == [RAN, RAN, RAN]
        with pytest.raises(StageError, match="in use by process"):
            project.run()
        tried.append(context.folder)

    run_stages(project.stages, project.context, RunOptions(), then=then)
    assert tried == [project.context.folder]
    assert states(project.run()) == [FRESH, FRESH, FRESH]


def test_the_report_has_the_table_the_files_and_the_failure(project):
    project.run()
    project.fail = ExportError("scores differ", "lower it")
    result = project.run(force=frozenset({"export"}))
    report = write_report(project.stages, project.context, result)
    text = report.read_text()
    assert report.name == REPORT
    assert "| prepare | up to date |" in text
    assert "| export | failed |" in text
    assert "scores differ" in text
    assert "next: lower it" in text
    assert "[prepare/word](prepare/word)" in text


def test_the_report_keeps_table_cells_whole(project):
    result = project.run()
    assert "| a \\| b |" in write_report(project.stages, project.context, result).read_text()


def test_on_start_tells_stage_and_reason(project):
    told: list[tuple[str, str]] = []
    for _ in range(2):
        run_stages(
            project.stages, project.context, RunOptions(end="prepare"), lambda *call: told.append(call)
        )
    assert told == [("prepare", "has not run")]
