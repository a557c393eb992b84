"""The log of a CI job, as the platforms read it."""

from __future__ import annotations

import io
import re

import pytest

from maskdet.cli.job_log import MAX_ANNOTATIONS, JobLog, Platform, Warnings, platform_of


def log(platform: Platform) -> tuple[JobLog, io.StringIO]:
    stream = io.StringIO()
    return JobLog(stream, platform), stream


@pytest.mark.parametrize(
    ("environment", "platform"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, "github"),
        ({"GITLAB_CI": "true", "CI": "true"}, "gitlab"),
        ({"CI": "true"}, "plain"),
        ({"GITHUB_ACTIONS": ""}, "plain"),
    ],
)
def test_the_platform_is_known_by_its_variables(environment: dict[str, str], platform: str) -> None:
    assert platform_of(environment) == platform


def test_on_github_what_the_work_says_within_a_group_is_no_command() -> None:
    job, stream = log("github")
    with job:
        job.open("train", "has not run\n::warning::forged")
        stream.write("::error::a file's name\n")
        job.open("eval", "forced")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "::group::train: has not run ::warning::forged"
    pause = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[1])
    assert pause
    assert lines[2:5] == ["::error::a file's name", f"::{pause[1]}::", "::endgroup::"]
    assert lines[5] == "::group::eval: forced"
    assert lines[-1] == "::endgroup::"
    assert log("github")[0]._pause != job._pause


def test_at_most_ten_annotations_and_each_is_one_line() -> None:
    job, stream = log("github")
    for number in range(MAX_ANNOTATIONS + 5):
        job.annotate("error", f"{number}: 100 %\r\n::set-output name=x::y")
    lines = stream.getvalue().splitlines()
    assert len(lines) == MAX_ANNOTATIONS == 10
    assert lines[0] == "::error title=maskdet::0: 100 %25%0D%0A::set-output name=x::y"


def test_an_annotation_is_outside_of_groups() -> None:
    job, stream = log("github")
    job.open("train", "")
    job.annotate("notice", "done")
    assert stream.getvalue().splitlines()[-2:] == ["::endgroup::", "::notice title=maskdet::done"]


def test_on_gitlab_sections_are_closed_by_their_names() -> None:
    job, stream = log("gitlab")
    with job:
        job.open("train & eval", "why")
    begin, end, _ = stream.getvalue().split("\n")
    assert re.fullmatch(r"\x1b\[0Ksection_start:\d+:train___eval\r\x1b\[0Ktrain & eval: why", begin)
    assert re.fullmatch(r"\x1b\[0Ksection_end:\d+:train___eval\r\x1b\[0K", end)


def test_elsewhere_there_are_plain_lines_only() -> None:
    job, stream = log("plain")
    with job:
        job.open("train", "why")
        job.annotate("warning", "two\nlines")
    assert stream.getvalue() == "== train: why\nwarning: two\nwarning: lines\n"


def test_a_warning_is_remembered_once() -> None:
    warnings = Warnings()
    for text in ("one", "two", "one"):
        warnings.on_event({"event": "warning", "text": text})
    warnings.on_event({"event": "step"})
    assert warnings.texts == ["one", "two"]
