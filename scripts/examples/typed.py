"""What a reader types for an example that is no line of a shell itself."""

from __future__ import annotations

import re

import yaml

from examples.blocks import Example

LEAST = {"name": "example", "data": {"root": "faces"}}
"""Completes what a page shows of a pipeline file."""


def typed(example: Example, saved: str) -> str:
    """Lines for a shell; `saved` is the file to which what is shown of a pipeline file goes."""
    if example.kind == "yaml":
        text = completed(example.code)
        return f"cat >{saved} <<'END'\n{text}END\nmaskdet run --dry-run -c {saved}\n"
    return called(example.code) if example.kind == "usage" else example.code


def completed(piece: str) -> str:
    """A pipeline file with the piece of one that a page shows."""
    shown = yaml.safe_load(piece)
    if "name" in shown:
        return piece
    data = shown.get("data", {})
    root = {} if "roots" in data else LEAST["data"]
    return yaml.safe_dump({**LEAST, **shown, "data": {**root, **data}})


def called(usage: str) -> str:
    """A shell's line for a usage: without what is optional, or where options are, what its help says."""
    usage = usage.strip()
    command, options, _ = usage.partition(" [OPTIONS]")
    if options:
        # Releases of click differ in the brackets around arguments.
        words = re.sub(r"[][{}.]", "", usage)
        return (
            f"{command} --help | tr --delete '[]{{}}.' | tee /dev/stderr | grep --fixed-strings '{words}'\n"
        )
    return re.sub(r" \[[^\]]*\]", "", usage) + "\n"
