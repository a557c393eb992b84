"""Measure what a start is worth: short trainings on few pictures that did not train the shipped model.

    python scripts/measure_fine_tuning.py RUN DATA [--starts default coco] [--pictures 40] [--epochs 5]
        [--set KEY=VALUE ...]

RUN is the run that the shipped model came from (runs/face-mask), DATA its data root. Of the pictures that
RUN kept as val, `--pictures` are trained on and the others are judged; prints a Markdown table. `--set` goes
to each training, such as model.freeze=backbone.
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

import yaml
from served import MASKDET

from maskdet.dataset.manifest import load_manifest

COLUMNS = ("ap50", "ap50.with_mask", "ap50.without_mask", "ap50.mask_weared_incorrect")
SPEED = "views/s"


def main() -> int:
    arguments = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = copy_val(arguments.run, arguments.data, folder / "data")
        ratio = f"{arguments.pictures}:{kept - arguments.pictures}"
        print(f"{kept} pictures, {ratio}; {arguments.epochs} epochs\n")
        columns = (*COLUMNS, SPEED)
        print("| start | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
        for start in arguments.starts:
            figures = fine_tune(start, ratio, arguments.epochs, folder, arguments.set)
            row = [*(f"{figures[key]:.3f}" for key in COLUMNS), f"{figures[SPEED]:.1f}"]
            print(f"| `{Path(start).name}` | " + " | ".join(row) + " |")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--starts", nargs="+", default=["default", "coco"], help="values of model.pretrained")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def copy_val(run: Path, data: Path, target: Path) -> int:
    """A data root of the run's val pictures; how many there are."""
    pictures = load_manifest(run / "prepare" / "manifest.json").part("val")
    for picture in pictures:
        for file in filter(None, (picture.picture, picture.annotation)):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(data / file, target / file)
    return len(pictures)


def fine_tune(start: str, ratio: str, epochs: int, folder: Path, settings: list[str]) -> dict[str, float]:
    """The figures at the end of one training, and its median speed."""
    pipeline = folder / "pipeline.yml"
    name = Path(start).stem
    document = {
        "name": name,
        "data": {
            "root": "data",
            "labels": ["with_mask", "without_mask", "mask_weared_incorrect"],
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
    lines = (folder / "runs" / name / "train" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    last: dict[str, float] = [event for event in events if event["event"] == "epoch"][-1]
    speed = statistics.median(event["images_per_s"] for event in events if event["event"] == "step")
    return {**{key: last.get(key, 0.0) for key in COLUMNS}, SPEED: speed}


if __name__ == "__main__":
    sys.exit(main())
