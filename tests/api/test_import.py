"""`import maskdet` costs nothing, and yet everything is found: by users, by help, by IDEs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import maskdet

SOURCE = Path(maskdet.__file__)


def modules_after(code: str) -> set[str]:
    """The top-level modules that an interpreter imports for `code`, beside those it starts with."""
    lines = (
        "import sys",
        "before = set(sys.modules)",
        code,
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_brings_nothing_but_itself_and_the_standard_library() -> None:
    assert modules_after("import maskdet") - set(sys.stdlib_module_names) == {"maskdet"}


def test_looking_at_names_and_errors_brings_nothing_either() -> None:
    code = "import maskdet; dir(maskdet); maskdet.MaskdetError; maskdet.__version__"
    assert modules_after(code) - set(sys.stdlib_module_names) == {"maskdet"}


def test_every_name_of_all_is_there_and_in_dir() -> None:
    assert sorted(maskdet.__all__) == list(maskdet.__all__)
    assert set(maskdet.__all__) <= set(dir(maskdet))
    for name in maskdet.__all__:
        assert getattr(maskdet, name) is not None


def test_type_checkers_are_told_of_every_lazy_name() -> None:
    """What stands under TYPE_CHECKING is what `__getattr__` finds, in the modules named there."""
    block = next(node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    told = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {*told, "__version__"} == set(maskdet.__all__)
    for name, module in told.items():
        found = getattr(maskdet, name)
        assert getattr(sys.modules[str(module)], name) is found
        assert found.__module__ == module


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'laod'"):
        _ = maskdet.laod  # type: ignore[attr-defined]


def test_a_room_that_was_imported_hides_no_name() -> None:
    """`import maskdet.export.export` sets maskdet.export to the room; no function may have such a name."""
    rooms = {path.stem for path in SOURCE.parent.iterdir() if path.suffix in ("", ".py")}
    assert not rooms & set(maskdet.__all__)


def test_help_answers_what_a_user_asks() -> None:
    for name in maskdet.__all__:
        if name != "__version__":
            assert getattr(maskdet, name).__doc__, name
    told = maskdet.load.__doc__ or ""
    for parameter in ("model", "threshold", "device", "threads", "violation_labels", "uncertain_band"):
        assert f"    {parameter}:" in told
    call = maskdet.MaskDetector.__call__.__doc__ or ""
    for parameter in ("picture", "threshold", "tile", "flip", "max_detections", "return_errors"):
        assert f"{parameter}:" in call
