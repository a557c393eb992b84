"""PaddleHub's config.json (`hub serving start -c`), read as settings of this server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskdet.errors import UsageError
from maskdet.system.machine import core_count

_MODULE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_EXAMPLE = '{"modules_info": {"pyramidbox_lite_server_mask": {}}, "port": 8866}'
_WITHOUT_MEANING = {
    "version": "the model is the bundle that --model names",
    "directory": "the model is the bundle that --model names",
    "enable_mkldnn": "ONNX Runtime chooses its own kernels",
    "batch_size": "it counted faces for the second network; see serve.max_batch",
    "shrink": "the bundle holds its own input size",
    "use_multi_scale": "the bundle holds its own input size",
    "confs_threshold": "a request's own value, or else the bundle's thresholds, decide",
    "visualization": "each request asks for it",
    "output_dir": "the server writes no pictures for clients",
    "timeout": "serve.queue_seconds, serve.body_seconds and serve.drain_seconds are the limits here",
}


@dataclass(slots=True)
class HubConfig:
    """values: `serve` keys to the values that the file sets; ignored: one line per key without effect."""

    values: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def ignore(self, key: str, why: str) -> None:
        """Record that a key has no effect."""
        self.ignored.append(f"{key} is ignored: {why}")


def read_hub_config(path: Path) -> HubConfig:
    """Read the file; `modules_info` is the list of 1.5 or the mapping of later ones. Raises UsageError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}", "pass the path of PaddleHub's config.json"
        ) from error
    except ValueError as error:
        raise UsageError(f"{path}: not valid JSON: {error}", f"for example {_EXAMPLE}") from error
    if not isinstance(found, dict) or not isinstance(found.get("modules_info"), dict | list):
        raise UsageError(
            f"{path}: modules_info is missing, so this is not a PaddleHub config", f"for example {_EXAMPLE}"
        )
    config = HubConfig()
    on_gpu = _read_modules(path, found.pop("modules_info"), config)
    _read_place(path, found, config)
    _read_workers(path, found, config)
    _read_device(path, found, config, on_gpu=on_gpu)
    for key in found:
        config.ignore(key, _WITHOUT_MEANING.get(key, "PaddleHub has no such key"))
    return config


def _read_modules(path: Path, modules: Any, config: HubConfig) -> bool:
    """The module names to serve; whether any module asks for the GPU."""
    if isinstance(modules, list):
        modules = {_name_of(path, one): {"init_args": one} for one in modules}
    on_gpu = False
    for name, given in modules.items():
        if not _MODULE.fullmatch(name):
            raise UsageError(f"{path}: {name[:80]!r} is not a module name", f"for example {_EXAMPLE}")
        for group, key, value in _arguments(given):
            if key == "use_gpu":
                on_gpu = on_gpu or _truth(path, key, value)
            elif not (group == "init_args" and key == "module"):
                why = _WITHOUT_MEANING.get(key, "the model has no such argument")
                config.ignore(f"modules_info.{name}.{group}.{key}", why)
    config.values["hub_modules"] = list(modules)
    return on_gpu


def _name_of(path: Path, entry: Any) -> str:
    name = entry.get("module") if isinstance(entry, dict) else entry
    if not isinstance(name, str):
        raise UsageError(f"{path}: an entry of modules_info names no module", f"for example {_EXAMPLE}")
    return name


def _arguments(given: Any) -> Iterable[tuple[str, str, Any]]:
    for group, arguments in given.items() if isinstance(given, dict) else ():
        for key, value in arguments.items() if isinstance(arguments, dict) else ():
            yield group, key, value


def _read_place(path: Path, found: dict[str, Any], config: HubConfig) -> None:
    port = found.pop("port", 8866)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise UsageError(f"{path}: port is {port!r}, not a number from 0 to 65535")
    config.values["port"] = port


def _read_workers(path: Path, found: dict[str, Any], config: HubConfig) -> None:
    many = _truth(path, "use_multiprocess", found.pop("use_multiprocess", False))
    workers = found.pop("workers", None)
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise UsageError(f"{path}: workers is {workers!r}, not a number from 1")
    if many:
        cores = core_count()
        config.values["workers"] = min(workers or cores, cores)
        if (workers or 0) > cores:
            config.ignore(
                f"workers over {cores}", "each worker has its own threads, and this machine has no more cores"
            )
    elif workers is not None:
        config.ignore("workers", "PaddleHub reads it only with use_multiprocess")


def _read_device(path: Path, found: dict[str, Any], config: HubConfig, *, on_gpu: bool) -> None:
    wanted = _truth(path, "use_gpu", found.pop("use_gpu", False)) or on_gpu
    gpus = [one.strip() for one in str(found.pop("gpu", "0")).split(",")]
    if not all(one.isdecimal() for one in gpus):
        raise UsageError(f'{path}: gpu is {",".join(gpus)!r}, not numbers such as "0" or "0,1"')
    if wanted:
        config.values["device"] = f"gpu:{gpus[0]}"
        if len(gpus) > 1:
            config.ignore(f"gpu {', '.join(gpus[1:])}", "one server uses one GPU; start one per GPU")


def _truth(path: Path, key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{path}: {key} is {value!r}, not true or false")
    return value
