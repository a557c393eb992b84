"""The command as a whole: help at once, exit codes, messages, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maskdet import __version__
from maskdet.cli.app import DEBUG_VARIABLE, app
from maskdet.cli.app import _failed as failed
from maskdet.cli.console import print_table
from maskdet.cli.signals import Signals
from maskdet.errors import DatasetError, ExportError, Interrupted
from maskdet.system.asides import aside_of

VERBS = (
    *("init", "run", "prepare", "config", "train", "eval", "export", "bundle", "inspect", "gates", "report"),
    *("compare", "predict", "serve", "status", "stop", "request", "drift", "doctor"),
)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["serve", "--help"],
        ["request", "--help"],
        ["drift", "--help"],
        ["bundle", "--help"],
        ["inspect", "--help"],
    ],
)
def test_help_imports_nothing_heavy(heavy_after, arguments):
    assert not heavy_after(*arguments)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(invoke, verb):
    result = invoke(verb, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_there_are_no_other_verbs():
    assert [command.name for command in app.registered_commands] == list(VERBS)


def test_version(invoke):
    assert invoke("--version").output == f"maskdet {__version__}\n"


def test_an_error_says_what_and_what_next_without_control_codes(maskdet, tmp_path):
    done = maskdet("prepare", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "error: pipeline.yml: no such pipeline file"
    assert lines[1].startswith("next: `maskdet init DATA_DIR`")
    assert "\x1b" not in done.stderr


def test_a_wrong_option_is_a_usage_error(maskdet, tmp_path):
    done = maskdet("train", "--epochs", "3", cwd=tmp_path)
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_markup_in_a_message_is_shown_as_it_is(capsys):
    assert failed(ExportError("[red]a[0][/red]"), Signals()) == 8
    assert capsys.readouterr().err == "error: [red]a[0][/red]\n"


def test_faults_of_a_data_set_follow_line_by_line(capsys):
    assert failed(DatasetError("2 errors", "fix them", ["a.xml:3: empty", "b.xml: missing"]), Signals()) == 3
    assert capsys.readouterr().err == "error: 2 errors\n  a.xml:3: empty\n  b.xml: missing\nnext: fix them\n"


def test_an_unexpected_error_is_one_line_unless_asked(capsys, monkeypatch):
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)
    assert failed(ZeroDivisionError("by nought"), Signals()) == 1
    shown = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: by nought" in shown
    assert "--debug" in shown
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    with pytest.raises(ZeroDivisionError):
        failed(ZeroDivisionError("by nought"), Signals())


def test_a_system_error_is_told_in_its_own_words(capsys):
    aside = aside_of(Path("runs/x"))
    assert failed(OSError(28, "No space left on device", str(aside)), Signals()) == 1
    shown = capsys.readouterr().err
    assert "error: runs/x: No space left on device" in shown
    assert "free some space" in shown


def test_a_copy_to_a_full_disk_names_the_file_that_could_not_be_written(capsys, tmp_path):
    aside = tmp_path / "JPEGImages" / ".maskdet-x" / "1.jpg"
    assert failed(OSError(28, "No space left on device", "set/1.jpg", None, str(aside)), Signals()) == 1
    shown = capsys.readouterr().err
    assert "set/1.jpg" not in shown
    assert "1.jpg: No space left on device" in shown


def test_a_closed_standard_output_is_no_error():
    command = ["sh", "-c", '"$0" -m maskdet models list >&-', sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("width", [20, 80])
def test_a_table_loses_no_column_on_a_narrow_terminal(capsys, monkeypatch, width):
    monkeypatch.setattr("maskdet.api.display.PLAIN_WIDTH", width)
    row = ("ap50", "69.6% (67.7% - 100.0%)", "75.8%", "66%")
    print_table(("figure", "runs/first", "default", "fast"), [row])
    shown = capsys.readouterr().out
    assert "default" in shown.splitlines()[0]
    assert "69.6% (67.7% - 100.0%)  75.8%" in shown


def test_an_interruption_exits_as_shells_count(capsys):
    assert failed(Interrupted("stopped in train", "go on"), Signals()) == 130
    assert "next: go on" in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "maskdet", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode in (1, 141)
    assert done.stderr == ""


SLEEPER = """
import time
from maskdet.cli import app as module

@module.app.command("sleep")
def sleep() -> None:
    try:
        print("sleeping", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)

module.main()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_unwind_and_exit_as_shells_count(number, code):
    command = [sys.executable, "-c", SLEEPER, "sleep"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "sleeping\n"
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    assert rest == "cleaned up\n"
    assert process.returncode == code
    assert "Traceback" not in errors


def test_a_background_job_ends_by_sigterm_only():
    background = ["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh"]
    command = [*background, sys.executable, "-c", SLEEPER, "sleep"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "sleeping\n"
        for number in (signal.SIGINT, signal.SIGHUP):
            process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        assert process.communicate(timeout=20)[0] == "cleaned up\n"
    assert process.returncode == 143


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals().as_interrupts():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
