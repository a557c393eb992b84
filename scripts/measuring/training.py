"""Pictures per second of `maskdet train` and of PaddleDetection's plain loop, as a Markdown table.

    .venv/bin/python scripts/measuring/training.py --data path/to/voc [--steps 20]

Both train the same recipe on the same pictures. maskdet chooses its own workers; the plain loop is what
PaddleDetection's tools/train.py does without options: its reader, one process, worker_num of the recipe. The
first step, which includes warm-up, is not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from maskdet.artefacts import CONFIG, MANIFEST
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.dataset.prepare import prepare
from maskdet.dataset.settings import DataSettings
from maskdet.training.launch.placement import worker_command
from maskdet.training.launch.process import Event
from maskdet.training.recipe.recipe import build_recipe
from maskdet.training.settings import ModelSettings, TrainSettings
from maskdet.training.train import TrainJob, train

PLAIN = Path(__file__).with_name("plain_loop.py")
VARIANTS = ("picodet_s_416", "picodet_s_416_esnet")
ALIASES = {"face_nask": "with_mask"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a Pascal VOC folder")
    parser.add_argument("--steps", type=int, default=20, help="steps of 16 pictures per measurement")
    parser.add_argument("--variants", nargs="+", default=VARIANTS)
    chosen = parser.parse_args()
    print("| model | maskdet train, pictures/s | workers | plain loop, pictures/s | times |")
    print("|---|---|---|---|---|")
    for variant in chosen.variants:
        print(row(variant, chosen.data, chosen.steps), flush=True)


def row(variant: str, data: Path, steps: int) -> str:
    with tempfile.TemporaryDirectory() as name:
        job = make_job(variant, data, steps, Path(name))
        workers = worker_command(job.settings).processes
        ours = measure_maskdet(job)
        arguments = [sys.executable, str(PLAIN), str(job.config), str(steps)]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True)
    plain = float(done.stdout.splitlines()[-1])
    return f"| {variant} | {ours:.1f} | {workers} | {plain:.1f} | {ours / plain:.2f} |"


def make_job(variant: str, data: Path, steps: int, folder: Path) -> TrainJob:
    """One epoch of that many steps, or of all pictures if there are fewer; two pictures to evaluate."""
    settings = TrainSettings(epochs=1, batch_size=16, device="cpu")
    prepare(DataSettings(root=data, aliases=ALIASES), folder, input_size=(416, 416))
    manifest = cut(load_manifest(folder / MANIFEST), steps * settings.batch_size)
    manifest.write(folder / MANIFEST)
    names = [Path(picture.picture).stem for picture in manifest.part("train")]
    (folder / "train.txt").write_text(lists(folder / "train.txt", set(names)))
    model = ModelSettings(variant=variant)
    build_recipe(model, settings, manifest, prepare_dir=folder).write(folder)
    return TrainJob(folder / CONFIG, folder / MANIFEST, folder / "train", settings, model)


def cut(manifest: Manifest, pictures: int) -> Manifest:
    return replace(manifest, pictures=(*manifest.part("train")[:pictures], *manifest.part("val")[:2]))


def lists(path: Path, names: set[str]) -> str:
    """The lines of a PaddleDetection list whose picture is among the names."""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if Path(line.split()[0]).stem in names)


def measure_maskdet(job: TrainJob) -> float:
    """Pictures per second from the end of the first step to the end of the last."""
    seen: list[tuple[int, float]] = []

    def watch(event: Event) -> None:
        if event["event"] == "step":
            seen.append((event["step"], time.monotonic()))

    train(job, on_event=watch)
    (first, begun), (last, ended) = seen[0], seen[-1]
    return (last - first) * job.settings.batch_size / (ended - begun)


if __name__ == "__main__":
    main()
