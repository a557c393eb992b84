"""All public names of `import maskdet`, from their docstrings."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import maskdet
from write_reference.language import English, prose, table

TITLE = "The Python API: all names"
SOURCE = "the docstrings"
HEAD = (
    "Every name of `maskdet.__all__`. [The Python API](../python-api.md) explains them with examples, and "
    "[errors](errors.md) has the exceptions.",
)
FUNCTIONS = ("load", "prepare", "train", "evaluate", "export_model", "run", "serve")
CLASSES = (
    "MaskDetector",
    "Faces",
    "Face",
    "Server",
    "PrepareResult",
    "TrainResult",
    "EvaluateResult",
    "ExportResult",
    "RunSummary",
)


def content(say: English) -> Iterator[str]:
    yield from map(say, HEAD)
    yield f"## {say('Functions')}"
    for name in FUNCTIONS:
        yield from _function(say, f"maskdet.{name}", getattr(maskdet, name))
    yield f"## {say('Classes')}"
    for name in CLASSES:
        yield from _class(say, name, getattr(maskdet, name))


def _class(say: English, name: str, kind: type) -> Iterator[str]:
    yield f"### maskdet.{name}"
    yield _docstring(say, kind, ())
    attributes = dict(_attributes(kind))
    if attributes:
        rows = [(f"`{key}`", _in_row(say, words)) for key, words in attributes.items()]
        yield table(say, ("attribute", "meaning"), rows)
    if "__call__" in vars(kind):
        yield from _function(say, f"{_variable(name)}", vars(kind)["__call__"], level=4)
    for key, method in vars(kind).items():
        if inspect.isfunction(method) and not key.startswith("_"):
            yield from _function(say, f"{_variable(name)}.{key}", method, level=4)


def _variable(name: str) -> str:
    """What an instance is called in the documentation."""
    return {"MaskDetector": "detector"}.get(name, name.lower())


def _function(say: English, name: str, function: Any, level: int = 3) -> Iterator[str]:
    yield f"{'#' * level} {name}"
    signature = inspect.signature(function)
    kept = [one for key, one in signature.parameters.items() if key != "self"]
    call = _call(function.__name__, kept, signature.return_annotation)
    yield f"```python\n{call}\n```"
    yield _docstring(say, function, [one.name for one in kept])


# What the code's own names for types stand for.
ALIASES = {
    "Name": "str | PathLike[str]",
    "Threshold": "float | Mapping[str, float] | None",
    "PictureLike": "str | PathLike[str] | bytes | Image | ndarray",
}


def _call(name: str, parameters: list[inspect.Parameter], returns: object) -> str:
    given = [_parameter(one) for one in parameters]
    first = next((place for place, one in enumerate(parameters) if one.kind is one.KEYWORD_ONLY), None)
    if first is not None:
        given.insert(first, "*")
    answer = "" if returns in (inspect.Signature.empty, "object") else f" -> {returns}"
    whole = f"def {name}({', '.join(given)}){answer}: ..."
    if len(whole) <= 88:
        return whole
    return "\n".join([f"def {name}(", *(f"    {one}," for one in given), f"){answer}: ..."])


def _parameter(one: inspect.Parameter) -> str:
    kind = re.sub(r"\w+", lambda word: ALIASES.get(word[0], word[0]), str(one.annotation))
    value = str(one.default) if isinstance(one.default, Path) else one.default
    default = "" if value is inspect.Parameter.empty else f" = {value!r}".replace("'", '"')
    # A line that ruff would fold, of at most 110 characters with its indentation and comma.
    if len(f"{one.name}: {kind}{default}") > 105:
        kind = "\n    | ".join(_alternatives(ast.parse(kind, mode="eval").body))
    return f"{one.name}: {kind}{default}"


def _alternatives(kind: ast.expr) -> Iterator[str]:
    """The types of a union such as `str | bytes`, one by one."""
    if isinstance(kind, ast.BinOp):
        yield from _alternatives(kind.left)
        kind = kind.right
    yield ast.unparse(kind)


def _docstring(say: English, thing: Any, parameters: list[str] | tuple[str, ...]) -> str:
    """The docstring as Markdown, with its arguments as a list."""
    blocks = re.split(r"\n\s*\n", inspect.getdoc(thing) or "")
    return "\n\n".join(_arguments(say, block, parameters) or prose(say, block) for block in blocks)


def _arguments(say: English, block: str, parameters: list[str] | tuple[str, ...]) -> str:
    """`name: meaning` of each parameter as a list; nothing if the block is something else."""
    if not parameters:
        return ""
    name = f"(?:{'|'.join(parameters)})"
    # A sentence may end in the line before: then the next argument starts after it.
    parts = re.split(rf"(?:^|(?<=\. ))({name}(?:, {name})*): ", block, flags=re.MULTILINE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    items = [f"- `{names.replace(', ', '`, `')}`: {say(words)}" for names, words in pairs]
    return "" if parts[0] else "\n".join(items)


def _attributes(kind: type) -> Iterator[tuple[str, str]]:
    """Public fields and properties with their docstrings, which follow a field as a string of its own."""
    source = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = next(node for node in source.body if isinstance(node, ast.ClassDef)).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, _string(after)
        if isinstance(node, ast.FunctionDef) and _is_property(node):
            yield node.name, ast.get_docstring(node) or ""


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(str(node.value.value))
    return ""


def _is_property(node: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)


def _in_row(say: English, words: str) -> str:
    return " ".join(say(block) for block in words.split("\n\n")).replace("|", "\\|")
