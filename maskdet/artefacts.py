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

FACE_SIZES: Final = "face_sizes.png"
OBJECTS: Final = "objects_per_class.png"
SAMPLES: Final = "samples.png"
CURVES_PLOT: Final = "curves.png"
CURVES_PAGE: Final = "index.html"
PR_PLOT: Final = "pr.png"
THRESHOLD_PLOT: Final = "thresholds.png"
SLICE_PLOT: Final = "slices.png"
RELIABILITY_PLOT: Final = "reliability.png"
WORST_SHEET: Final = "worst.png"
EVAL_PLOTS: Final = (PR_PLOT, THRESHOLD_PLOT, SLICE_PLOT, RELIABILITY_PLOT)
PLOTS: Final = (FACE_SIZES, OBJECTS, CURVES_PLOT, *EVAL_PLOTS)
"""Drawn from numbers: nobody is to be seen on them."""
