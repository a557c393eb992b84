"""Reading pipeline.yml with `--set` overrides into a validated `PipelineFile`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from maskdet.detector.catalogue import FAMILY
from maskdet.errors import PipelineFileError
from maskdet.gates.settings import NONE
from maskdet.pipeline.file.document import Document, KeyPath, read_document, read_value
from maskdet.pipeline.file.path_keys import EACH, PATH_KEYS, places
from maskdet.pipeline.file.problems import Problem, describe_faults, dotted
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.registry.reference import is_reference
from maskdet.registry.settings import RegistrySettings
from maskdet.tracking.settings import SQLITE
from maskdet.training.settings import STARTS
from maskdet.wording.commands import command_line

MAX_PROBLEMS = 20
"""Faults listed in one message; the rest are counted."""

# Values of these keys that are not paths, beside the names of shipped models.
_WORDS: dict[KeyPath, tuple[str, ...]] = {
    ("model", "pretrained"): STARTS,
    ("serve", "models", EACH): (),
    ("gates", "champion"): (NONE,),
}
_EXAMPLE_HINT = "`maskdet init DATA_DIR --out example.yml` writes a file with every key explained"


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a value is from: a line of the file, or a `--set`. Relative paths start at `base`."""

    place: str
    order: int
    base: Path

    @classmethod
    def of_override(cls, text: str) -> _Origin:
        return cls(f"--set {text}", 1 << 30, Path.cwd())


def load_pipeline(path: Path, overrides: Sequence[str] = ()) -> PipelineFile:
    """Read and validate a pipeline file.

    path: the YAML file; its relative paths start at its folder.
    overrides: `section.key=value` each; their relative paths start at the current directory.
    Raises PipelineFileError with every fault found (up to MAX_PROBLEMS), each with file, line, key and value.
    """
    return _overridden(_Draft(path, _read_file(path)), overrides).validate()


def load_served(path: Path, overrides: Sequence[str] = (), *, named: bool) -> PipelineFile:
    """Like `load_pipeline`, for commands that need a model and no data set.

    The file may lack `name` and `data` if the model is `named` outside it, or it has serve.models.
    """
    draft = _overridden(_Draft(path, _read_file(path)), overrides)
    if named or draft.names_models:
        draft.complete()
    return draft.validate()


def default_pipeline(overrides: Sequence[str] = ()) -> PipelineFile:
    """The defaults with overrides, for commands that need no data set, such as serving a model."""
    draft = _overridden(_Draft(Path("defaults"), Document({})), overrides)
    draft.complete()
    return draft.validate()


def _overridden(draft: _Draft, overrides: Sequence[str]) -> _Draft:
    for text in overrides:
        draft.override(text)
    draft.anchor_paths()
    return draft


class _Draft:
    """The file's values with the overrides applied, and where each came from."""

    def __init__(self, path: Path, document: Document) -> None:
        base = path.parent.absolute()
        self._path = path
        self._value: dict[str, Any] = document.value
        self._origins = {key: _Origin(f"{path}:{line}", line, base) for key, line in document.lines.items()}
        self._whole = _Origin(str(path), 0, base)
        self._problems = [
            Problem(key, f"{dotted(key)} is written twice", line) for key, line in document.duplicates
        ]

    @property
    def names_models(self) -> bool:
        """Whether it says which models to serve."""
        return bool(self._inner(("serve", "models")))

    def complete(self) -> None:
        """Add what has no default and is not used without a data set."""
        self._value.setdefault("name", "default")
        self._value.setdefault("data", {"root": self._whole.base})

    def override(self, text: str) -> None:
        name, equals, raw = text.partition("=")
        path: KeyPath = tuple(name.strip().split("."))
        if not equals or "" in path:
            fault = f"--set {text}: not in the form key=value"
            raise PipelineFileError(fault, "for example --set train.epochs=1")
        section = self._section(path, text)
        section[str(path[-1])] = _override_value(text, raw.strip())
        for key in [key for key in self._origins if key[: len(path)] == path]:
            del self._origins[key]
        self._origins[path] = _Origin.of_override(text)

    def anchor_paths(self) -> None:
        """Make relative paths absolute before validation, while the origin of each is known."""
        registry = self._value.setdefault("registry", {})
        if isinstance(registry, dict):
            registry.setdefault("root", str(RegistrySettings().root))
        for pattern in PATH_KEYS:
            for path in places(self._value, pattern):
                section, key = self._inner(path[:-1]), str(path[-1])
                value = section.get(key)
                if isinstance(value, str) and _is_path(value, pattern):
                    section[key] = self._anchored(path, value)
        self._anchor_databases()

    def _anchored(self, path: KeyPath, value: str) -> Path:
        try:
            return self._origin(path).base / Path(value).expanduser()
        except RuntimeError:
            fault = (
                f"{dotted(path)}: {value!r} is not allowed; {value.partition('/')[0]} has no home folder here"
            )
            self._problems.append(Problem(path, fault))
            return Path(value)

    def _anchor_databases(self) -> None:
        section = self._inner(("tracking",))
        for key, value in section.items():
            if isinstance(value, str) and value.startswith(SQLITE) and value != SQLITE:
                base = self._origin(("tracking", key)).base
                section[key] = f"{SQLITE}{base / value.removeprefix(SQLITE)}"

    def validate(self) -> PipelineFile:
        problems = list(self._problems)
        try:
            pipeline = PipelineFile.model_validate(self._value)
        except ValidationError as error:
            problems += describe_faults(PipelineFile, self._value, error.errors(include_url=False))
            raise self._refusal(problems) from None
        if problems:
            raise self._refusal(problems)
        return pipeline

    def _inner(self, path: KeyPath) -> dict[str, Any]:
        """The section at a path, empty if there is none."""
        section: Any = self._value
        for part in path:
            if isinstance(section, list) and isinstance(part, int):
                section = section[part]
            else:
                section = section.get(str(part)) if isinstance(section, dict) else None
        return section if isinstance(section, dict) else {}

    def _section(self, path: KeyPath, text: str) -> dict[str, Any]:
        section = self._value
        for depth, part in enumerate(path[:-1], start=1):
            inner = section.get(str(part))
            if inner is None:
                inner = section[str(part)] = {}
                self._origins.setdefault(path[:depth], _Origin.of_override(text))
            if not isinstance(inner, dict):
                raise PipelineFileError(f"--set {text}: {dotted(path[:depth])} is a value, not a section")
            section = inner
        return section

    def _origin(self, path: KeyPath) -> _Origin:
        while path:
            if path in self._origins:
                return self._origins[path]
            path = path[:-1]
        return self._whole

    def _refusal(self, problems: Sequence[Problem]) -> PipelineFileError:
        texts = [f"{place}: {text}" for _, place, text in sorted(map(self._located, problems))]
        if len(texts) == 1:
            return PipelineFileError(texts[0], _EXAMPLE_HINT)
        shown = texts[:MAX_PROBLEMS]
        if len(texts) > MAX_PROBLEMS:
            shown.append(f"... and {len(texts) - MAX_PROBLEMS} more")
        listing = "\n".join(f"  {text}" for text in shown)
        return PipelineFileError(f"{self._path}: {len(texts)} faults\n{listing}", _EXAMPLE_HINT)

    def _located(self, problem: Problem) -> tuple[int, str, str]:
        if problem.line is not None:
            return problem.line, f"{self._path}:{problem.line}", problem.text
        origin = self._origin(problem.path)
        return origin.order, origin.place, problem.text


def _is_path(value: str, key: KeyPath) -> bool:
    words = (*_WORDS[key], *FAMILY) if key in _WORDS else ()
    return bool(value) and value not in words and not is_reference(value)


def _read_file(path: Path) -> Document:
    try:
        document = read_document(path.read_text(encoding="utf-8-sig"))
    except IsADirectoryError as error:
        hint = f"`{command_line('init', path)}` writes one for it"
        raise PipelineFileError(f"{path}: a folder, not a pipeline file", hint) from error
    except FileNotFoundError as error:
        raise PipelineFileError(
            f"{path}: no such pipeline file", "`maskdet init DATA_DIR` writes one, -c FILE selects another"
        ) from error
    except OSError as error:
        raise PipelineFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        fault = f"{path}: not UTF-8 text at byte {error.start}"
        raise PipelineFileError(fault, "save it as UTF-8") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PipelineFileError(f"{path}{_yaml_fault(error)}", _EXAMPLE_HINT) from error
    if not isinstance(document.value, dict):
        found = "is empty" if document.value is None else "does not hold `key: value` lines"
        raise PipelineFileError(f"{path}: {found}", _EXAMPLE_HINT)
    return document


def _override_value(text: str, raw: str) -> Any:
    try:
        return read_value(raw)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        fault = f"--set {text}: the value is not valid YAML{_yaml_fault(error)}"
        hint = "quote it for the shell, for example --set 'data.labels=[a, b]'"
        raise PipelineFileError(fault, hint) from error


def _yaml_fault(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f":{mark.line + 1}: {error.problem} (column {mark.column + 1})"
    return ": nested too deeply" if isinstance(error, RecursionError) else f": {error}"
