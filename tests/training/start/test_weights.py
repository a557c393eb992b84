from __future__ import annotations

import builtins
import collections
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from trained import REPO, DrawnSet, Trained, make_job, run_script, run_training

from maskdet.errors import TrainingError
from maskdet.training.start.weights import fit, read_weights

WRITER = Path(__file__).with_name("write_weights.py")
COCO = sorted((REPO.parent / "shared" / "weights").glob("*.pdparams"))


class Calls:
    """A pickle that calls `function(*arguments)` when it is read."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder of files that Paddle saved, and the values in them."""
    folder = tmp_path_factory.mktemp("saved")
    return folder, run_script(WRITER, folder)


@pytest.mark.parametrize("name", ["tensors", "ordered", "arrays", "protocol2"])
def test_reads_what_paddle_saved(saved: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, values = saved
    weights = read_weights(folder / f"{name}.pdparams")
    assert {key: array.tolist() for key, array in weights.items()} == values
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}


def test_leaves_paddles_own_name_table_out(saved: tuple[Path, dict[str, Any]]) -> None:
    weights = read_weights(saved[0] / "layer.pdparams")
    assert {name: array.shape for name, array in weights.items()} == {"weight": (2, 3), "bias": (3,)}


@pytest.mark.parametrize(("name", "words"), [("list", "contains a list"), ("number", "a weight is a int")])
def test_refuses_what_holds_no_weights(saved: tuple[Path, dict[str, Any]], name: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        read_weights(saved[0] / f"{name}.pdparams")


@pytest.mark.skipif(not COCO, reason="no weights at ../shared/weights")
@pytest.mark.parametrize("path", COCO, ids=lambda path: path.stem)
def test_reads_published_weights_as_a_plain_unpickler_does(path: Path) -> None:
    weights = read_weights(path)
    with path.open("rb") as stream:
        plain = pickle.load(stream)  # noqa: S301 - a file of our own
    plain.pop("StructuredToParameterName@@", None)
    assert weights.keys() == plain.keys()
    for name, value in plain.items():
        expected = value[1] if isinstance(value, tuple) else value
        np.testing.assert_array_equal(weights[name], expected)
    assert sum(array.size for array in weights.values()) > 1_000_000


def malicious(marker: Path) -> dict[str, Any]:
    write = f"open({str(marker)!r}, 'w').write('x')"
    return {
        "os.system": Calls(os.system, f"touch {marker}"),
        "eval": Calls(builtins.eval, write),
        "exec": Calls(builtins.exec, write),
        "open": Calls(builtins.open, str(marker), "w"),
        "getattr": Calls(builtins.getattr, "", "join"),
        "numpy.load": Calls(np.load, str(marker)),
        "path.write_text": Calls(Path.write_text, Path(str(marker)), "x"),
        "inner": {"weight": [Calls(os.system, f"touch {marker}")]},
        "counter": collections.Counter("ab"),
    }


@pytest.mark.parametrize("kind", sorted(malicious(Path("x"))))
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_refuses_to_run_what_a_file_asks_for(tmp_path: Path, kind: str, protocol: int) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "weights.pdparams"
    path.write_bytes(pickle.dumps({"weight": malicious(marker)[kind]}, protocol))
    with pytest.raises(TrainingError, match="not a weight file that can be trusted") as caught:
        read_weights(path)
    assert "asks for" in caught.value.what
    assert not marker.exists()


def test_refuses_arrays_of_objects(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "weights.pdparams"
    array = np.array([Calls(os.system, f"touch {marker}")], dtype=object)
    path.write_bytes(pickle.dumps({"weight": array}))
    with pytest.raises(TrainingError):
        read_weights(path)
    assert not marker.exists()


def test_refuses_an_array_of_harmless_objects(tmp_path: Path) -> None:
    path = tmp_path / "weights.pdparams"
    path.write_bytes(pickle.dumps({"weight": np.array([None, "x"], dtype=object)}))
    with pytest.raises(TrainingError, match=r"not (numeric|of numbers)"):
        read_weights(path)


@pytest.mark.parametrize("keep", [0, 1, 20, 60, -1])
def test_refuses_a_truncated_file(saved: tuple[Path, dict[str, Any]], tmp_path: Path, keep: int) -> None:
    path = tmp_path / "short.pdparams"
    path.write_bytes((saved[0] / "tensors.pdparams").read_bytes()[:keep])
    with pytest.raises(TrainingError, match=r"short\.pdparams"):
        read_weights(path)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_read_or_refused(
    saved: tuple[Path, dict[str, Any]], tmp_path: Path, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    content = bytearray((saved[0] / "tensors.pdparams").read_bytes())
    for place in draw.integers(0, len(content), 3):
        content[place] = draw.integers(0, 256)
    path = tmp_path / "damaged.pdparams"
    path.write_bytes(bytes(content))
    try:
        assert isinstance(read_weights(path), dict)
    except TrainingError as error:
        assert error.hint  # noqa: PT017 - either way out is right, any other exception is not


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_half_and_double_precision_become_float32(tmp_path: Path, kind: type) -> None:
    save_file({"weight": np.array([0.5, -2], kind)}, str(tmp_path / "some.safetensors"))
    weight = read_weights(tmp_path / "some.safetensors")["weight"]
    assert weight.dtype == np.float32
    assert weight.tolist() == [0.5, -2]


def test_a_weight_of_integers_is_refused_by_name(tmp_path: Path) -> None:
    save_file({"neck.weight": np.ones(2, np.int8)}, str(tmp_path / "some.safetensors"))
    with pytest.raises(TrainingError, match=r"some\.safetensors: neck\.weight is of int8"):
        read_weights(tmp_path / "some.safetensors")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="does not exist") as caught:
        read_weights(tmp_path / "none.pdparams")
    assert "model.pretrained" in caught.value.hint


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError):
        read_weights(tmp_path)


def test_fit_names_what_stays_initialised() -> None:
    weights = {"same": np.ones((2, 3)), "other_shape": np.ones((80, 3)), "left_over": np.ones(1)}
    own = {"same": np.zeros((2, 3)), "other_shape": np.zeros((3, 3)), "absent": np.zeros(4)}
    fitting, missing = fit(weights, own)
    assert list(fitting) == ["same"]
    assert fitting["same"].all()
    assert missing == ["other_shape", "absent"]


def test_start_from_another_architecture_is_refused(drawn: DrawnSet, best: Path, tmp_path: Path) -> None:
    job = make_job(tmp_path, drawn, variant="picodet_s_320", pretrained=best)
    with pytest.raises(TrainingError, match="another architecture") as caught:
        run_training(job, drawn)
    assert str(best) in caught.value.what
    assert "model.variant" in caught.value.hint


def test_start_from_own_weights_leaves_nothing_fresh(
    drawn: DrawnSet, trained: Trained, best: Path, tmp_path: Path
) -> None:
    assert trained.events[0]["fresh"] == []
    again = run_training(make_job(tmp_path, drawn, pretrained=best, learning_rate=1e-9), drawn)
    assert again.events[0]["fresh"] == []
    before, after = read_weights(best), read_weights(again.job.out / "best.pdparams")
    for name in before:
        if not name.endswith(("_mean", "_variance")):
            np.testing.assert_allclose(before[name], after[name], rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not COCO, reason="no weights at ../shared/weights")
def test_start_from_80_classes_names_the_fresh_layers(drawn: DrawnSet, tmp_path: Path) -> None:
    run = run_training(make_job(tmp_path, drawn, pretrained=COCO[0]), drawn)
    assert run.events[0]["fresh"]
    assert all(name.startswith("head.head_cls") for name in run.events[0]["fresh"])
