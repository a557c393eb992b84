"""Every package that maskdet imports is one that its installation promises."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from trained import REPO

PACKAGE = REPO / "maskdet"
NEEDS_TRAINING = ("training", "export")
"""Rooms that may also import what requirements/train.in names."""
EXTRAS = {
    "dataset": "data",
    "evaluation": "data",
    "training": "data",
    "prediction": "ray",
    "registry": "signing",
    "tracking": "mlflow",
}
"""Rooms that may also import what this extra names."""


def imported(path: Path) -> Iterator[str]:
    """The outermost names that a module imports, also within functions; not those for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not _is_for_type_checkers(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


def _is_for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@functools.cache
def distributions() -> Mapping[str, list[str]]:
    """Names that are imported to the distributions that bring them."""
    return packages_distributions()


def runtime() -> set[str]:
    text = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("\ndependencies = [\n")[2].partition("\n]")[0]
    lines = re.findall(r'^  "(.+)",$', block, re.MULTILINE)
    return {canonicalize_name(Requirement(line).name) for line in lines}


def extras() -> dict[str, str]:
    """The packages of each extra, as pyproject.toml lists them."""
    text = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("\n[project.optional-dependencies]\n")[2].partition("\n[project")[0]
    return dict(re.findall(r"^(\w+) = \[(.+)\]$", block, re.MULTILINE))


def extra(name: str) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in re.findall(r'"([^"]+)"', extras()[name])}


def listed(name: str) -> set[str]:
    lines = (REPO / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(Requirement(line).name) for line in lines if re.match(r"[A-Za-z]", line)}


@pytest.mark.parametrize(
    "room", sorted(path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py"))
)
def test_imports_are_declared(room: str) -> None:
    paths = [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").is_file() else (PACKAGE / room).rglob("*.py")
    names = {name for path in paths for name in imported(path)} - sys.stdlib_module_names - {"maskdet"}
    homes = distributions()
    declared = runtime() | (listed("train.in") if room in NEEDS_TRAINING else set())
    declared |= extra(EXTRAS[room]) if room in EXTRAS else set()
    missing = {name for name in names if declared.isdisjoint(map(canonicalize_name, homes.get(name, [name])))}
    assert missing == set()


def test_an_extra_that_a_message_names_exists() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r'\b(?:require|install_hint)\("(\w+)"|maskdet\[([a-z]+)\]', text))
    asked = {name for pair in named for name in pair if name}
    assert asked >= {"bundle", "data", "mlflow", "ray", "signing"}
    assert all(extra(name) for name in asked)


@pytest.mark.parametrize("page", ["stability.md", "stability.zh-CN.md"])
def test_the_page_on_stability_lists_every_extra(page: str) -> None:
    rows = (REPO / "docs" / page).read_text(encoding="utf-8").splitlines()
    [row] = [row for row in rows if re.match(r"\| extras? \|", row)]
    assert [name for name in extras() if f"`{name}`" not in row] == []


def test_the_locks_are_made_from_the_same_names() -> None:
    assert listed("runtime.in") == runtime()
    assert extra("data") <= listed("train.in")
