"""Names of the files that a stage leaves for other stages and for people."""

from __future__ import annotations

from typing import Final

MANIFEST: Final = "manifest.json"
LABEL_LIST: Final = "label_list.txt"
"""Class names by class id, one a line, as PaddleDetection reads them."""
CONFIG: Final = "picodet.yml"
BEST: Final = "best.pdparams"
LAST: Final = "last.pdparams"
METRICS: Final = "metrics.json"
CURVES: Final = "curves.json"
PARITY: Final = "parity.json"
GATES: Final = "gates.json"
BUNDLE: Final = "model.onnx"
BUNDLE_WITH_NMS: Final = "model_nms.onnx"
"""For PaddleDetection's own ONNX script; no bundle."""
REPORT: Final = "report.md"
PAGE: Final = "report.html"
