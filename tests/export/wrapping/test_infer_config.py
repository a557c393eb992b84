"""infer_cfg.yml in forms that export_model.py does not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.errors import ExportError
from maskdet.export.wrapping.infer_config import read_infer_config

RESIZE = "Preprocess:\n- {type: Resize, target_size: [320, 320], keep_ratio: false}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{RESIZE}NMS: [1]\n", "NMS is [1] and no mapping"),
        (f"{RESIZE}NMS: {{nms_top_k: .inf}}\n", "infinity"),
        ("Preprocess:\n- {type: Resize, target_size: []}\n", "index out of range"),
        ("Preprocess: [Resize]\n", "indices"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "infer_cfg.yml"
    path.write_text(text)
    with pytest.raises(ExportError) as caught:
        read_infer_config(path)
    assert caught.value.what.startswith(f"{path}: ")
    assert said in caught.value.what


def test_a_limit_below_1_keeps_all(tmp_path: Path) -> None:
    """2125 anchors: 40², 20², 10² and 5²."""
    path = tmp_path / "infer_cfg.yml"
    path.write_text(f"{RESIZE}label_list: [a, b]\nNMS: {{nms_top_k: -1, keep_top_k: -1}}\n")
    nms = read_infer_config(path).nms
    assert (nms.top_k, nms.keep) == (2125, 2 * 2125)
    path.write_text(f"{RESIZE}NMS: {{nms_top_k: 0, keep_top_k: 7}}\n")
    nms = read_infer_config(path).nms
    assert (nms.top_k, nms.keep) == (2125, 7)


def test_nms_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "infer_cfg.yml"
    path.write_text(RESIZE)
    assert read_infer_config(path).input_size == (320, 320)
