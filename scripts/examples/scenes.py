"""What a page takes for granted: the files that it names, and what its reader has done before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

PROJECT = "README.md"
"""The page whose examples make the project of the others: a folder with pipeline.yml and runs/face-mask."""
SHORT = """sed -i -e 's/^  epochs: .*/  epochs: 1/' -e 's/^  batch_size: .*/  batch_size: 4/' \\
    -e 's/picodet_s_416_esnet/picodet_s_320_esnet/' pipeline.yml"""
"""What `maskdet init` wrote trains for an hour on a CPU."""
DUE = (0, 12)
GATES = (0, 11)
"""A gate refuses a val of three pictures."""


@dataclass(frozen=True)
class Scene:
    """What lies in a page's folder beside pictures, and what happens between its examples."""

    project: bool = False
    """Whether it is that of README.md when all was run."""
    sets: tuple[str, ...] = ()
    """Folders with labelled pictures in Pascal VOC form."""
    models: tuple[str, ...] = ()
    """Exported models, each with bytes of its own."""
    runs: tuple[str, ...] = ()
    """More results of the project, by name."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Links by name, to places within the repository or the page's folder."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Files by name."""
    before: Mapping[str, str] = field(default_factory=dict)
    """What the reader does before an example, which is named by how it begins."""
    exits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Exit codes of an example that are right, where the page says so."""
    long: bool = False
    """Whether it takes a minute or more, as where it trains anew."""
    saved: str = "piece.yml"
    """Where the reader saves what the page shows of a pipeline file."""


KEY = "0123456789abcdef"
KEYS = f"[{{name: anna, hash: {sha256(KEY.encode()).hexdigest()}, scopes: [detect, review, admin]}}]"
WITH_KEYS = f"KEY={KEY}\nmaskdet serve --inbox inbox --set 'serve.api_keys={KEYS}'"
SEEN = """curl -H "X-Camera: gate-1" -F image=@photo.jpg http://127.0.0.1:8866/v1/detect
sleep 3  # until the server has written its statistics"""
HUB = '{"modules_info": {"pyramidbox_lite_server_mask": {}}, "port": 8866, "use_multiprocess": false}\n'
# A PicoDet as PaddleDetection exports it.
PICOXS = """mkdir models
cp runs/face-mask/export/infer_cfg.yml models
python - <<END
import paddle, paddle2onnx
from pathlib import Path

export = "runs/face-mask/export/model"
Path("models/picoxs.onnx").write_bytes(
    paddle2onnx.export(f"{export}.json", f"{export}.pdiparams", opset_version=11, enable_optimize=False)
)
END"""
YOLO = "maskdet data convert faces-voc my-yolo --to yolo"

SCENES: Mapping[str, Scene] = {
    PROJECT: Scene(
        sets=("face-mask", "data/face_mask"),
        links={".venv": ".venv", "path/to/folder": "../../face-mask"},
        before={"maskdet run": SHORT},
    ),
    "docs/ci.md": Scene(project=True, sets=("data/faces",), exits={"maskdet run": GATES}),
    "docs/coming-from/paddleclas-hubserving.md": Scene(before={"import": "maskdet serve"}),
    "docs/coming-from/paddledetection-flask.md": Scene(project=True, before={"maskdet serve": PICOXS}),
    "docs/coming-from/paddlehub-serving.md": Scene(before={"import json": "maskdet serve"}),
    "docs/coming-from/paddlex.md": Scene(before={"import": "maskdet serve --port 8080"}),
    "docs/coming-from/ultralytics.md": Scene(
        long=True, sets=("faces-voc",), before={"maskdet data convert": YOLO, "maskdet run": SHORT}
    ),
    "docs/data.md": Scene(
        project=True,
        sets=("data/face_mask", "data/face_mask_ilc"),
        runs=("A", "B"),
        saved="configs/pipeline.yml",
    ),
    "docs/drift.md": Scene(
        models=("model.onnx",),
        before={'curl "http': SEEN},
        exits={"maskdet drift": DUE},
    ),
    "docs/evaluation.md": Scene(sets=("my_pictures", "faces")),
    "docs/family.md": Scene(
        project=True,
        runs=("NAME",),
        links={"scripts": "scripts", "configs": "configs"},
        before={"python scripts/measuring/family.py": "mkdir docs && cp scripts/../docs/family.md docs"},
    ),
    "docs/gates.md": Scene(project=True, models=("new.onnx", "old.onnx"), exits={"maskdet gates": GATES}),
    "docs/inbox.md": Scene(project=True, sets=("faces",)),
    "docs/labels.md": Scene(
        long=True, sets=("faces-voc",), before={"maskdet data convert": YOLO, "maskdet run": SHORT}
    ),
    "docs/loop.md": Scene(
        long=True,
        links={".venv": ".venv", "configs": "configs"},
        sets=("runs/loop/sample",),
        exits={"maskdet drift": DUE, "maskdet run": GATES},
        before={
            "cd runs/loop": "cp configs/loop.yml runs/loop/pipeline.yml",
            "maskdet drift": f"cp ../../photo.jpg .\n{SEEN}",
            # As the gates do, where they do not refuse.
            "maskdet models rollback": "maskdet models promote loop@2 --why better || true",
            "maskdet data forget": "cp sample/JPEGImages/sample_001.jpg photo.jpg",
        },
    ),
    "docs/python-api.md": Scene(long=True, project=True),
    "docs/reference/http.md": Scene(
        before={
            "curl --data-binary": "maskdet serve --inbox inbox",
            'curl -H "X-API-Key: $KEY" "http': WITH_KEYS,
            'curl "http': "maskdet serve",
        },
    ),
    "docs/reference/python.md": Scene(long=True, project=True),
    "docs/registry.md": Scene(
        project=True,
        models=("old.onnx",),
        before={
            "maskdet models register  ": "maskdet models register default --name face-mask\n"
            "maskdet models register old.onnx --name face-mask\n"
            "maskdet models promote face-mask@1 --why first",
            "maskdet serve --model models:face-mask@champion --require-signature": (
                "maskdet models promote 3 --why signed"
            ),
        },
    ),
    "docs/reports.md": Scene(project=True, models=("other.onnx",), runs=("face-mask-640", "a", "b")),
    "docs/scale.md": Scene(long=True, before={"maskdet predict --list": "ls photos/*.jpg >pictures.txt"}),
    "docs/serving.md": Scene(
        project=True,
        models=("model.onnx", "a.onnx", "b.onnx"),
        texts={"keys.txt": KEY, "config.json": HUB},
        before={
            "maskdet serve --model models/": PICOXS,
            "curl --data-binary": "maskdet serve --model gate=a.onnx --model hall=b.onnx",
            'curl -X POST -H "X-API-Key: $KEY" http': f"{WITH_KEYS} --model gate=a.onnx --model hall=b.onnx",
            "maskdet request": "maskdet serve --model model.onnx",
        },
    ),
    "docs/starting-points.md": Scene(sets=("faces",)),
    "docs/tracking.md": Scene(sets=("faces",)),
    "docs/tutorial.md": Scene(long=True, links={".venv": ".venv", "data": "data"}, saved="pipeline.yml"),
}


def scene_of(page: str) -> Scene:
    return SCENES.get(page, Scene())
