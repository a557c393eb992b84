from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskdet.errors import UsageError
from maskdet.serving.dialects.hub_config import read_hub_config
from maskdet.serving.settings import ServeSettings

MASK = "pyramidbox_lite_server_mask"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("maskdet.serving.dialects.hub_config.core_count", lambda: 4)

    def write(value: Any) -> Path:
        path = tmp_path / "config.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"modules_info": {MASK: {"init_args": {}, "predict_args": {}}}}, {"port": 8866}),
        ({"modules_info": [{"module": MASK}], "port": 8900}, {"port": 8900}),
        ({"modules_info": {MASK: {}}, "use_multiprocess": True}, {"port": 8866, "workers": 4}),
        ({"modules_info": {MASK: {}}, "use_multiprocess": True, "workers": 2}, {"port": 8866, "workers": 2}),
        ({"modules_info": {MASK: {}}, "use_gpu": True, "gpu": "1"}, {"port": 8866, "device": "gpu:1"}),
        ({"modules_info": {MASK: {}}, "use_gpu": True}, {"port": 8866, "device": "gpu:0"}),
        ({"modules_info": {MASK: {}}, "gpu": "1"}, {"port": 8866}),
        ({"modules_info": {MASK: {"predict_args": {"use_gpu": True}}}}, {"port": 8866, "device": "gpu:0"}),
    ],
    ids=["dict", "list", "multiprocess", "workers", "gpu", "gpu 0", "gpu unused", "gpu by predict_args"],
)
def test_keys_become_settings(written: Any, given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read_hub_config(written(given))

    assert found.values == {"hub_modules": [MASK], **expected}
    assert found.ignored == []
    assert ServeSettings(**found.values).hub_modules == (MASK,)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"modules_info": [{"module": MASK, "version": "1.0", "batch_size": 2}]}, "init_args.version"),
        ({"modules_info": {MASK: {"predict_args": {"shrink": 0.5}}}}, "predict_args.shrink"),
        ({"modules_info": {MASK: {"init_args": {"enable_mkldnn": True}}}}, "enable_mkldnn"),
        ({"modules_info": {MASK: {}}, "workers": 3}, "only with use_multiprocess"),
        ({"modules_info": {MASK: {}}, "workers": 9, "use_multiprocess": True}, "workers over 4"),
        ({"modules_info": {MASK: {}}, "use_gpu": True, "gpu": "0,1"}, "gpu 1"),
        ({"modules_info": {MASK: {}}, "timeout": 30}, "timeout"),
        ({"modules_info": {MASK: {}}, "colour": 1}, "no such key"),
    ],
)
def test_what_has_no_effect_is_said_with_its_reason(written: Any, given: Any, says: str) -> None:
    lines = read_hub_config(written(given)).ignored

    assert any(says in line and " is ignored: " in line for line in lines)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "not valid JSON"),
        ([], "modules_info is missing"),
        ({"port": 1}, "modules_info is missing"),
        ({"modules_info": {MASK: {}}, "port": "8866"}, "port is '8866'"),
        ({"modules_info": {MASK: {}}, "port": 99999}, "port is 99999"),
        ({"modules_info": {MASK: {}}, "use_gpu": "yes"}, "use_gpu is 'yes'"),
        ({"modules_info": {MASK: {}}, "workers": 0, "use_multiprocess": True}, "workers is 0"),
        ({"modules_info": {MASK: {}}, "gpu": "a"}, "gpu is 'a'"),
        ({"modules_info": [{}]}, "names no module"),
        ({"modules_info": {"../x y": {}}}, "not a module name"),
    ],
)
def test_faults_are_named(written: Any, given: Any, says: str) -> None:
    path = written(given)

    with pytest.raises(UsageError) as refused:
        read_hub_config(path)
    assert says in refused.value.what
    assert str(path) in refused.value.what


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_hub_config(tmp_path / "config.json")
