"""What pages show as code is code: it parses, and its commands, options and keys exist."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import typer
import yaml
from trained import REPO
from written import every_page

from docs_site.pages import fences
from maskdet.cli.app import app
from maskdet.pipeline.file.schema import PipelineFile

LEAST_BLOCKS = {"python": 40, "json": 2, "yaml": 10, "bash": 30}
LEAST = {"name": "example", "data": {"root": "faces"}}
PAGES = [page for page in every_page() if "CHANGELOG" not in page]


def blocks(page: str, *languages: str) -> Iterator[Any]:
    for fence in fences((REPO / page).read_text(encoding="utf-8")):
        if fence.language in languages:
            yield fence


@pytest.mark.parametrize("page", PAGES)
def test_blocks_parse(page: str) -> None:
    for fence in blocks(page, "python"):
        compile(fence.code, f"{page}:{fence.line}", "exec")
    for fence in blocks(page, "json"):
        json.loads(fence.code)
    for fence in blocks(page, "yaml"):
        list(yaml.safe_load_all(fence.code))
    for fence in blocks(page, "bash", "sh"):
        subprocess.run(["bash", "-n"], input=fence.code, text=True, check=True)


@pytest.mark.parametrize("page", PAGES)
def test_pieces_of_a_pipeline_file_are_valid(page: str) -> None:
    for fence in blocks(page, "yaml"):
        piece = piece_of(fence.code)
        if piece is not None:
            PipelineFile.model_validate(merged(LEAST, piece))


def piece_of(code: str) -> dict[str, Any] | None:
    """The sections of a pipeline file in a block, None if it is no part of one."""
    # The hashes of examples are shortened.
    piece = yaml.safe_load(re.sub(r"\b([0-9a-f]{4})\.\.\.", lambda found: found[1] * 16, code))
    is_piece = isinstance(piece, dict) and set(piece) <= set(PipelineFile.model_fields)
    return piece if is_piece else None


def merged(base: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    data = piece.get("data", {})
    root = {} if "roots" in data else base["data"]
    return {**base, **piece, "data": {**root, **data}}


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    for fence in fences((REPO / page).read_text(encoding="utf-8")):
        for line in commands(fence.code):
            assert not unknown(line), f"{page}: {line}"


def test_there_are_blocks_of_each_kind() -> None:
    """The tests above pass for a page without blocks, so they would for all if none were found."""
    found = [fence for page in PAGES for fence in fences((REPO / page).read_text(encoding="utf-8"))]
    counts = Counter(fence.language for fence in found)
    assert {kind: counts[kind] >= least for kind, least in LEAST_BLOCKS.items()} == dict.fromkeys(
        LEAST_BLOCKS, True
    )
    pieces = [piece_of(fence.code) for fence in found if fence.language == "yaml"]
    assert sum(piece is not None for piece in pieces) >= 10
    assert sum("api_keys" in piece.get("serve", {}) for piece in pieces if piece) == 2
    assert sum(1 for fence in found for _ in commands(fence.code)) >= 200


def commands(code: str) -> Iterator[str]:
    """Calls of maskdet in a block, each on one line."""
    for line in code.replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:\$ )?(maskdet [^|>;&]*)", line)
        if found:
            yield found[1]


@cache
def whole_command() -> Any:
    return typer.main.get_command(app)


def unknown(line: str) -> list[str]:
    """Words of a call that are neither a command nor an option."""
    command = whole_command()
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "[OPTIONS]"]
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return words[:1] if words and not words[0].startswith("-") else []
        command = command.commands[words.pop(0)]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    return [word for word in words if re.match(r"--?[a-z]", word) and word.split("=")[0] not in known]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("maskdet predict a.jpg --tile  # why --not", []),
        ("maskdet predict a.jpg --tiles", ["--tiles"]),
        ("maskdet models promote a@1 --why 'it is better'", []),
        ("maskdet models raise a@1", ["raise"]),
        ("maskdet perdict", ["perdict"]),
    ],
)
def test_a_bad_command_is_found(line: str, words: list[str]) -> None:
    assert unknown(line) == words
