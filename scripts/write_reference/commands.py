"""All commands of `maskdet` and their options, from the command line itself; environment variables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

from maskdet.cli.app import DEBUG_VARIABLE, app
from maskdet.pipeline.session import REGISTRY_VARIABLE
from maskdet.training.launch.cluster import RANK_VARIABLES
from maskdet.training.start.published import CACHE_VARIABLE, MIRROR_VARIABLE
from write_reference.language import English, cell, prose, table

TITLE = "Commands"
SOURCE = "the commands"
HEAD = (
    "`maskdet COMMAND --help` shows the same in a terminal. Commands that read a pipeline file take `-c`, "
    "`--set` and `--runs-dir`; every key that `--set` accepts is on the page of "
    "[the pipeline file](../pipeline-file.md). [Exit codes](errors.md) are the same for all commands.",
    "`MASKDET_DEBUG=1`, or `maskdet --debug COMMAND`, shows the traceback of an unexpected error.",
)
ENVIRONMENT = {
    "MASKDET_API_KEY": "The key that a server requires and that clients send; for `serve` also several, "
    "separated by spaces ([keys](../serving.md#keys-and-browsers)).",
    CACHE_VARIABLE: "The cache folder, for published weights and wrapped models, in place of the user's own "
    "(`~/.cache/maskdet` on Linux).",
    DEBUG_VARIABLE: "`1` shows the traceback of an unexpected error, as `--debug` does.",
    RANK_VARIABLES[0]: "The rank of this machine, from 0, in a training on several ([scale](../scale.md)).",
    REGISTRY_VARIABLE: "The folder of the [registry](../registry.md), in place of `registry.root` in the "
    "pipeline file.",
    MIRROR_VARIABLE: "The URL of a folder with PaddleDetection's published weights, such as a mirror "
    "([starting points](../starting-points.md#fetched-once)).",
}
"""What each variable of maskdet's own sets."""
# A default in parentheses is a value of that kind, or words.
_VALUE = re.compile(r"[\w$]*[./\d][\w./]*|cpu")


def content(say: English) -> Iterator[str]:
    yield from map(say, HEAD)
    whole = typer.main.get_command(app)
    context = whole.make_context("maskdet", [], resilient_parsing=True)
    for path, command in _commands(whole, ("maskdet",)):
        rows = [_Row(*parameter.get_help_record(context)) for parameter in command.params]
        yield f"## {' '.join(path)}"
        yield prose(say, inspect.cleandoc(command.help or ""))
        yield f"```\n{' '.join([*path, '[OPTIONS]', *(row.usage for row in rows if row.is_argument)])}\n```"
        yield table(say, ("argument or option", "default", "meaning"), [row.cells(say) for row in rows])
    yield f"## {say('Environment variables')}"
    variables = [(f"`{name}`", cell(say(words))) for name, words in ENVIRONMENT.items()]
    yield table(say, ("variable", "meaning"), variables)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from _commands(inner, (*path, name))


class _Row:
    """One argument or option, from its line of `--help`."""

    def __init__(self, names: str, told: str) -> None:
        self.is_argument = not names.startswith("-")
        self.name = (
            re.sub(r" <[^>]*>$", "", names) if self.is_argument else names.replace("<int range>", "<int>")
        )
        self._words, _, extras = told.removesuffix("]").partition("  [")
        self._extras = extras.split("; ") if extras else []

    @property
    def usage(self) -> str:
        optional = "required" not in self._extras and not self.name.startswith("[")
        return f"[{self.name}]" if optional else self.name

    def cells(self, say: English) -> tuple[str, str, str]:
        default, words = "", say(self._words)
        for extra in self._extras:
            key, _, value = extra.partition(": ")
            if key == "default":
                default = _default(say, value)
            elif key == "env var":
                words = f"{words} {say('Environment variable: {}.').format(f'`{value}`')}"
            elif key == "required":
                default = say("(required)")
            else:
                words = f"{words} `{extra.replace('x', 'N')}`"
        name = self.name.replace("|", "\\|")
        return f"`{name}`", default, cell(words)


def _default(say: English, value: str) -> str:
    words = value.removeprefix("(").removesuffix(")")
    return f"`{words}`" if words == value or _VALUE.fullmatch(words) else cell(say(words))
