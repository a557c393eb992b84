"""Measure the value of a start: short trainings on a few pictures not used to train the shipped model.

    python scripts/measuring/fine_tuning.py RUN [--starts default coco] [--pictures 40] [--epochs 5]
        [--set KEY=VALUE ...]

RUN is the run that the shipped model came from (runs/face-mask). Of RUN's val pictures,
`--pictures` are used for training and the others for evaluation; prints a Markdown table: AP50 of the start
(if it knows the classes), of the best epoch and of the last, the last one's by class, and the speed. `--set`
applies to each training, such as model.freeze=backbone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import yaml

from maskdet.artefacts import MANIFEST
from maskdet.dataset.manifest import load_manifest
from served import MASKDET

CLASSES = ("with_mask", "without_mask", "mask_weared_incorrect")
COLUMNS = ("epoch 0", "best", "last", *CLASSES)
SPEED = "views/s"


def main() -> int:
    arguments = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = copy_val(arguments.run, folder / "data")
        ratio = f"{arguments.pictures}:{kept - arguments.pictures}"
        print(f"{kept} pictures, {ratio}; {arguments.epochs} epochs\n")
        columns = (*COLUMNS, SPEED)
        print("| start | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
        for start in arguments.starts:
            figures = fine_tune(start, ratio, arguments.epochs, folder, arguments.set)
            row = [*(_three_digits(figures.get(key)) for key in COLUMNS), f"{figures[SPEED]:.1f}"]
            print(f"| `{Path(start).name}` | " + " | ".join(row) + " |")
    return 0


def _three_digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--starts", nargs="+", default=["default", "coco"], help="values of model.pretrained")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def copy_val(run: Path, target: Path) -> int:
    """A data root of the run's val pictures, and their number."""
    manifest = load_manifest(run / "prepare" / MANIFEST)
    pictures = manifest.part("val")
    for picture in pictures:
        for file in filter(None, (picture.picture, picture.annotation)):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(manifest.root(picture).path / file, target / file)
    return len(pictures)


def fine_tune(start: str, ratio: str, epochs: int, folder: Path, settings: list[str]) -> dict[str, float]:
    """The figures of one training, and its median speed."""
    pipeline = folder / "pipeline.yml"
    name = Path(start).stem
    document = {
        "name": name,
        "data": {
            "root": "data",
            "labels": list(CLASSES),
            "split": {"ratio": ratio, "method": "grouped", "seed": 0},
        },
        "model": {"variant": "picodet_s_640_esnet", "pretrained": start},
        "train": {
            "epochs": epochs,
            "evaluate_every": epochs,
            "batch_size": 8,
            "optimizer": "adamw",
            "augment": "faces",
            "view": 320,
        },
    }
    pipeline.write_text(yaml.safe_dump(document), encoding="utf-8")
    overrides = [word for setting in settings for word in ("--set", setting)]
    done = subprocess.run(
        [*MASKDET, "run", str(pipeline), "--to", "train", "--runs-dir", str(folder / "runs"), *overrides],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return figures_of(folder / "runs" / name / "train" / "metrics.jsonl")


def figures_of(metrics: Path) -> dict[str, float]:
    """The columns' values, from the lines that a training wrote."""
    events = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    epochs = [event for event in events if event["event"] == "epoch"]
    speed = statistics.median(event["images_per_s"] for event in events if event["event"] == "step")
    return {
        **({"epoch 0": epochs[0]["ap50"]} if epochs[0]["epoch"] == 0 else {}),
        "best": max(event["ap50"] for event in epochs),
        "last": epochs[-1]["ap50"],
        **{label: epochs[-1][f"ap50.{label}"] for label in CLASSES},
        SPEED: speed,
    }


if __name__ == "__main__":
    sys.exit(main())
