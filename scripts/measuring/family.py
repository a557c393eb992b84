"""The shipped models side by side, as a Markdown table: accuracy on each val, speed and size.

    python scripts/measuring/family.py --manifest runs/NAME/prepare/manifest.json [--document docs/family.md]

Every collection of every manifest is a val of its own, evaluated as `maskdet eval --model NAME` does, at the
thresholds in the model file. A model that was trained on a picture of val is refused. Near faces are those
wider than 40 px of a picture 640 px wide.

--unlabelled names a file as of `data.unlabelled` with faces of val that the labels leave out and a person has
looked at. The rows "reviewed" count what is found there neither as right nor as wrong.

Speed is measured in rounds, in which the models take turns, the first one last in every other round; the
table shows medians over the rounds. A pass is resize, network and NMS of one decoded picture; "from JPEG
bytes" adds decoding. Processor seconds are affected least by other work on the machine.

With --document the table replaces what is between the two comments in that file; else it is printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2

from maskdet import __version__
from maskdet.dataset.manifest import Manifest, ManifestPicture, load_manifest
from maskdet.dataset.unlabelled import Unlabelled, read_unlabelled
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.catalogue import FAMILY
from maskdet.detector.detector import Detector
from maskdet.detector.iou import pairwise_iou
from maskdet.detector.picture import DecodedPicture, decode_reduced
from maskdet.detector.shipped import shipped_model, shipped_names, shipped_weights
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.tables import percent
from maskdet.judging.bundles import SeenVal, judge_seen, see_val
from maskdet.system.files import write_text
from maskdet.system.machine import core_count
from maskdet.training.start.weights import read_weights
from maskdet.types import FloatArray
from maskdet.wording.markdown import table
from ship_model import require_unseen

BEGIN = "<!-- Written by scripts/measuring/family.py -->"
END = "<!-- End of the measured table -->"
STATISTICS = ("_mean", "_variance")
"""Ends of the names of arrays that normalise and are no parameters."""
TERMS = {
    "bare_passed": "bare faces passed as masked",
    "answered.masked": "masked faces answered",
    "answered.bare": "bare faces answered",
    "answered.worn-wrong": "masks worn wrong answered",
    "false_alarms": "false alarms",
}
"""What the promise counts, by its name in metrics.json; all but the last on faces wider than 16 px."""
NEAR_SHARE = 40 / 640
"""Faces that are wider than this share of the picture are near."""
Column = dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Racer:
    """A model on one core and on two."""

    one: Detector
    two: Detector

    @classmethod
    def of(cls, bundle: Bundle) -> Racer:
        return cls(Detector(bundle, threads=1), Detector(bundle, threads=2))

    def decode(self, data: bytes) -> DecodedPicture:
        return decode_reduced(data, at_least=self.one.meta.input_size)

    def lap(self, photos: Sequence[bytes]) -> Iterator[tuple[str, float]]:
        """A figure's name and its value, means over the pictures."""
        decoded = [self.decode(data) for data in photos]
        yield "ms of a pass, one core", _milliseconds(lambda: _detect(self.one, decoded), len(photos))
        yield "ms of a pass, two cores", _milliseconds(lambda: _detect(self.two, decoded), len(photos))
        # Of this thread: those of the other session may still be waiting busily.
        before = time.thread_time()
        whole = _milliseconds(lambda: _detect(self.one, map(self.decode, photos)), len(photos))
        yield "ms from JPEG bytes, one core", whole
        yield "processor s per 1000 JPEGs", 1000 * (time.thread_time() - before) / len(photos)


def accuracy(name: str, bundle: Bundle, manifest: Manifest, val: str, noted: Unlabelled) -> Column:
    """The figures of one model on one val, which is all pictures of the manifest."""
    require_unseen(manifest, shipped_model(name).parent, FAMILY[name])
    seen = see_val(bundle, manifest)
    judged = judge_seen(seen, bundle, EvalSettings()).to_json()
    near = replace(seen, pairs=tuple(map(near_faces, seen.pairs, manifest.part("val"))))
    terms = judged["promise"]["terms"]
    counted = {f"{words}, {val}": _rate(terms[term]) for term, words in TERMS.items() if term in terms}
    calibration = judged["calibration"]["before"]
    return {
        f"AP50, {val}": _share(judged["ap50"]),
        f"AP50 of near faces, {val}": _share(judge_seen(near, bundle, EvalSettings()).to_json()["ap50"]),
        **{f"AP50 {label}, {val}": _share(each["ap50"]) for label, each in judged["classes"].items()},
        **counted,
        f"ECE, {val}": _share(calibration["ece"]),
        **(_reviewed_figures(seen, bundle, manifest, val, noted) if noted.faces else {}),
    }


def _reviewed_figures(
    seen: SeenVal, bundle: Bundle, manifest: Manifest, val: str, noted: Unlabelled
) -> Column:
    judged = judge_seen(_reviewed(seen, manifest, noted), bundle, EvalSettings()).to_json()
    return {
        f"AP50, {val}, reviewed": _share(judged["ap50"]),
        f"false alarms, {val}, reviewed": _rate(judged["promise"]["terms"]["false_alarms"]),
        f"ECE, {val}, reviewed": _share(judged["calibration"]["before"]["ece"]),
    }


def _reviewed(seen: SeenVal, manifest: Manifest, noted: Unlabelled) -> SeenVal:
    """With the noted faces of these pictures, which are ignored."""
    own = {each.sha256 for each in manifest.pictures}
    known = Unlabelled(tuple(face for face in noted.faces if face.sha256 in own)).added_to(manifest, "val")
    pairs = zip(map(known.ground_truth, known.part("val")), (found for _, found in seen.pairs), strict=True)
    return replace(seen, pairs=tuple(pairs))


def near_faces(scene: Scene, picture: ManifestPicture) -> Scene:
    """Only the faces wider than NEAR_SHARE of the picture; others are ignored, and what was found there."""
    truth, found = scene
    least = NEAR_SHARE * picture.width
    near = _widths(truth.boxes) > least
    on_near = pairwise_iou(found.boxes, truth.boxes[near]).max(axis=1, initial=0) > 0.5
    ignored = replace(truth, difficult=truth.difficult | ~near)
    return ignored, found.select((_widths(found.boxes) > least) | on_near)


def _widths(boxes: FloatArray) -> FloatArray:
    widths: FloatArray = boxes[:, 2] - boxes[:, 0]
    return widths


def size(name: str, bundle: Bundle) -> Column:
    """What the model is."""
    weights = read_weights(shipped_weights(name))
    count = sum(array.size for key, array in weights.items() if not key.endswith(STATISTICS))
    height, width = bundle.meta.input_size
    return {
        "network": bundle.meta.variant,
        "input, px": f"{width} x {height}",
        "parameters": f"{count:,}",
        "model file, MB": f"{shipped_model(name).stat().st_size / 1e6:.2f}",
    }


def race(racers: dict[str, Racer], photos: Sequence[bytes], rounds: int) -> dict[str, Column]:
    """Medians over rounds in which the models take turns, by model."""
    laps: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in racers}
    for number in range(rounds + 1):
        order = list(racers) if number % 2 else list(racers)[::-1]
        for name in order:
            for figure, value in racers[name].lap(photos):
                # The first round warms up.
                laps[name][figure] += [value] if number else []
    return {
        name: {figure: f"{statistics.median(values):.1f}" for figure, values in own.items()}
        for name, own in laps.items()
    }


def vals(files: Sequence[Path]) -> Iterator[tuple[str, Manifest]]:
    """Name and pictures of every collection; the only one of a manifest has the name of its run."""
    for file in files:
        manifest = load_manifest(file)
        for name in dict.fromkeys(map(manifest.collection, manifest.part("val"))):
            own = tuple(item for item in manifest.part("val") if manifest.collection(item) == name)
            yield name or file.absolute().parents[1].name, replace(manifest, pictures=own)


def photos_of(manifest: Manifest, count: int) -> list[bytes]:
    """JPEGs spread evenly over the pictures of val."""
    paths = [manifest.path(item) for item in manifest.pictures]
    jpegs = [path for path in paths if path.suffix.lower() in (".jpg", ".jpeg")]
    return [path.read_bytes() for path in jpegs[:: max(1, len(jpegs) // count)][:count]]


def documented(text: str, block: str) -> str:
    """The text with the block between its two comments."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"the document needs the lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{block}\n\n{END}{tail}"


def _detect(detector: Detector, pictures: Any) -> None:
    lowest = float(detector.thresholds.min())
    for each in pictures:
        detector.detect(each.pixels, each.size, from_score=lowest)


def _milliseconds(work: Callable[[], None], count: int) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started) / count


def _rate(term: dict[str, Any]) -> str:
    return f"{percent(term['value'])} ({term['count']} of {term['of']})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _machine(given: argparse.Namespace) -> str:
    return (
        f"maskdet {__version__}; {core_count()} cores, {given.processor}; Python "
        f"{platform.python_version()}; load average {os.getloadavg()[0]:.1f} when it began (all cores "
        f"idle: 0); medians of {given.rounds} rounds of {given.pictures} pictures."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True, action="append")
    parser.add_argument("--unlabelled", type=Path, help="faces of val that the labels leave out")
    parser.add_argument("--model", choices=FAMILY, action="append", help="default: all that are shipped")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=40, help="of the first val, for the speed")
    parser.add_argument("--processor", default=platform.machine(), help="its name, for the first line")
    parser.add_argument("--document", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    said, known = _machine(given), list(vals(given.manifest))
    noted = read_unlabelled(given.unlabelled) if given.unlabelled else Unlabelled()
    bundles = {name: load_bundle(shipped_model(name)) for name in given.model or shipped_names()}
    raced = race(
        {name: Racer.of(bundle) for name, bundle in bundles.items()},
        photos_of(known[0][1], given.pictures),
        given.rounds,
    )
    columns = {name: {**size(name, bundle), **raced[name]} for name, bundle in bundles.items()}
    for val, manifest in known:
        for name, bundle in bundles.items():
            columns[name] |= accuracy(name, bundle, manifest, val, noted)
    figures = dict.fromkeys(figure for column in columns.values() for figure in column)
    rows = ([figure, *(column.get(figure, "–") for column in columns.values())] for figure in figures)
    block = f"{said}\n\n{table(['', *columns], rows)}"
    if given.document is None:
        print(block)
    else:
        write_text(given.document, documented(given.document.read_text(encoding="utf-8"), block))


if __name__ == "__main__":
    main()
