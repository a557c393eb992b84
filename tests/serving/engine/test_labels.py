"""Labels in the settings that loaded models lack: refused, since they would let faces pass unnoticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import write_tiny_bundle

from maskdet.errors import UsageError
from maskdet.serving.engine.labels import check_labels
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.settings import ServeSettings

GATE, HALL = ("mask", "mask_off", "visor"), ("mask", "no_mask", "visor")


def check(folder: Path, models: dict[str, tuple[str, ...]], **settings: Any) -> None:
    """`models`: labels by name."""
    wanted = ServeSettings(**settings)
    bundles = {
        name: write_tiny_bundle(folder / f"{name}.onnx", labels=labels) for name, labels in models.items()
    }
    check_labels([ServedModel.load(name, path, wanted, cores=1) for name, path in bundles.items()], wanted)


@pytest.mark.parametrize(
    ("settings", "what", "hint"),
    [
        ({"violation_labels": ("mask_of",)}, "serve.violation_labels", "did you mean mask_off?"),
        ({"violation_labels": ("bare",)}, "serve.violation_labels", "there are mask, mask_off, visor"),
        ({"hub_labels": {"vizor": "X"}}, "serve.hub_labels", "did you mean visor?"),
    ],
)
def test_a_label_that_no_model_has_is_refused(
    tmp_path: Path, settings: dict[str, Any], what: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        check(tmp_path, {"gate": GATE}, **settings)

    assert caught.value.hint == hint


def test_each_model_has_a_label_that_breaks_the_rule(tmp_path: Path) -> None:
    models = {"gate": GATE, "hall": HALL}

    with pytest.raises(UsageError, match="model hall has none of them, only mask, no_mask, visor"):
        check(tmp_path, models, violation_labels=("mask_off",))

    check(tmp_path, models, violation_labels=("mask_off", "no_mask"))
    check(tmp_path, models, violation_labels=())
