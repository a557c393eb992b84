"""The `maskdet` command: its subcommands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from maskdet import __version__
from maskdet.cli.bundle import bundle
from maskdet.cli.compare import compare
from maskdet.cli.config import config
from maskdet.cli.data import data
from maskdet.cli.doctor import doctor
from maskdet.cli.drift import drift
from maskdet.cli.eval import evaluate
from maskdet.cli.export import export
from maskdet.cli.gates import gates
from maskdet.cli.init import init
from maskdet.cli.inspect import inspect
from maskdet.cli.models import models
from maskdet.cli.predict import predict
from maskdet.cli.prepare import prepare
from maskdet.cli.report import report
from maskdet.cli.request import request
from maskdet.cli.run import run
from maskdet.cli.serve import serve
from maskdet.cli.signals import INTERRUPTED, Signals
from maskdet.cli.status import status
from maskdet.cli.stop import stop
from maskdet.cli.train import train
from maskdet.errors import Interrupted, MaskdetError
from maskdet.system.native_thread import leave

DEBUG_VARIABLE = "MASKDET_DEBUG"
_PIPE_CLOSED = 141

app = typer.Typer(
    no_args_is_help=True,
    # Plain help: the framed one loads a Markdown parser, which takes half of the time to show it.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init)
app.command("run")(run)
app.command("prepare")(prepare)
app.command("config")(config)
app.command("train")(train)
app.command("eval")(evaluate)
app.command("export")(export)
app.command("bundle")(bundle)
app.command("inspect")(inspect)
app.command("gates")(gates)
app.command("report")(report)
app.command("compare")(compare)
app.command("predict")(predict)
app.command("serve")(serve)
app.command("status")(status)
app.command("stop")(stop)
app.command("request")(request)
app.command("drift")(drift)
app.command("doctor")(doctor)
app.add_typer(models, name="models")
app.add_typer(data, name="data")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"maskdet {__version__}")
        raise typer.Exit


@app.callback()
def maskdet(
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar=DEBUG_VARIABLE, help="Show the traceback of an unexpected error."),
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From a Pascal VOC folder to a running face-mask detection service, with one pipeline file."""
    del version
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


def main() -> None:
    """Run the command line and exit with its code."""
    signals = Signals()
    _open_closed_streams()
    with signals.as_interrupts():
        code = _run(signals)
    leave(code)


def _open_closed_streams() -> None:
    """Python has None for a standard stream that the caller has closed (`>&-`); what goes there is lost."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end


def _run(signals: Signals) -> int:
    try:
        app()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
        return _flushed(signals.exit_code if code == INTERRUPTED else code)
    except KeyboardInterrupt:
        return signals.exit_code
    except BrokenPipeError:
        return _flushed(_PIPE_CLOSED)
    except Exception as error:  # noqa: BLE001 - the edge of the program
        return _failed(error, signals)
    return 0


def _failed(error: Exception, signals: Signals) -> int:
    if os.environ.get(DEBUG_VARIABLE) and not isinstance(error, MaskdetError):
        raise error
    from maskdet.cli.console import print_error

    known = error if isinstance(error, MaskdetError) else _unexpected(error)
    print_error(known)
    return signals.exit_code if isinstance(error, Interrupted) else known.exit_code


def _unexpected(error: Exception) -> MaskdetError:
    from maskdet.api.system_errors import of_system

    if isinstance(error, OSError):
        return of_system(error)
    what = f"unexpected {type(error).__name__}: {error}"
    return MaskdetError(what, "this is a bug in maskdet; `maskdet --debug COMMAND ...` shows the traceback")


def _flushed(code: int) -> int:
    # A reader such as `head` may have closed the pipe; the interpreter would complain about that at exit.
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return code
