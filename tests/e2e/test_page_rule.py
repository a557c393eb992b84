"""The web page's rule and the server's are one: both give what the file of scenes says."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from maskdet.serving.routes.page import FOLDER
from write_rule_scenes import scenes as written_scenes

REPOSITORY = Path(__file__).resolve().parents[2]
SCENES = REPOSITORY / "tests" / "detector" / "rule_scenes.json.gz"
RUN = """({ answer, judge }, scenes) => {
    const labels = ["a", "b", "c"];
    return scenes.map(([limits, band, violations, unknown, rows]) => {
        const thresholds = Object.fromEntries(labels.map((label, id) => [label, limits[id]]));
        const candidates = rows.map(([id, score, ...box]) => ({ label: labels[id], score, box }));
        const sure = answer(candidates, thresholds);
        const named = (ids) => ids.map((id) => labels[id]);
        const rule = { labels, violation_labels: named(violations), unknown_labels: named(unknown), band };
        const { outcome, counts } = judge(candidates, sure, thresholds, rule);
        return [sure.map((one) => candidates.indexOf(one)), outcome, labels.map((label) => counts[label])];
    });
}"""


@pytest.fixture(scope="module")
def scenes() -> list[Any]:
    return list(json.loads(gzip.decompress(SCENES.read_bytes())))


def expected(scenes: list[Any]) -> list[Any]:
    return [[kept, outcome, _counts(rows, kept)] for *_, rows, kept, outcome in scenes]


def _counts(rows: list[list[float]], kept: list[int]) -> list[int]:
    return [sum(rows[place][0] == class_id for place in kept) for class_id in range(3)]


def test_the_server_says_what_the_scenes_say(scenes: list[Any]) -> None:
    said = json.loads(json.dumps(list(written_scenes())))
    assert said == scenes, (
        "the rule has changed: run scripts/write_rule_scenes.py and look at what it changes"
    )


def test_the_scenes_have_every_outcome_and_faces_found_twice(scenes: list[Any]) -> None:
    outcomes = Counter(scene[-1] for scene in scenes)
    twice = sum(
        len(kept) < sum(row[1] >= thresholds[int(row[0])] for row in rows)
        for thresholds, *_, rows, kept, _ in scenes
    )
    assert len(scenes) >= 4000
    assert min(outcomes[one] for one in ("ok", "violation", "uncertain")) > 500
    assert twice > 500


def test_the_page_says_what_the_scenes_say(modules: Any, scenes: list[Any]) -> None:
    said = modules.evaluate(f"""async (scenes) => ({RUN})(await import("/web/js/rule.js"), scenes)""", scenes)
    assert said == expected(scenes)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_says_so_in_node_too(scenes: list[Any], tmp_path: Path) -> None:
    (tmp_path / "rule.mjs").write_bytes((FOLDER / "js" / "rule.js").read_bytes())
    (tmp_path / "run.mjs").write_text(
        f"""import * as rule from "./rule.mjs";
        import {{ readFileSync }} from "node:fs";
        const scenes = JSON.parse(readFileSync(0, "utf8"));
        process.stdout.write(JSON.stringify(({RUN})(rule, scenes)));"""
    )
    done = subprocess.run(
        ["node", tmp_path / "run.mjs"], input=json.dumps(scenes), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == expected(scenes)
