"""What Paddle and PaddleDetection import at a worker's start, and maskdet does not use: half of its time.

It is scikit-learn, pandas, matplotlib's pyplot, most of SciPy, HTTP clients and the compiler of extensions.
Empty modules take their place, or that of the parts that import them, before the `__init__` files ask for
them.
"""

from __future__ import annotations

import sys
from types import ModuleType

__all__ = ["leave_out"]

_UNUSED: dict[str, tuple[str, ...]] = {
    # Only the parent downloads, and nothing is compiled.
    "httpx": (),
    "requests": (),
    "paddle.utils.cpp_extension": (),
    "paddle.utils.cpp_extension.extension_utils": (),
    "ppdet.engine": (),
    "ppdet.metrics.mot_metrics": (),
    "ppdet.metrics.mcmot_metrics": (),
    "ppdet.model_zoo": (),
    "ppdet.modeling.mot": (),
    # Imported by name in modeling/architectures/deepsort.py.
    "ppdet.modeling.mot.utils": ("Detection", "get_crops", "scale_coords", "clip_box"),
    "ppdet.data.transform.keypoints_3d_operators": (),
    # For transformers and keypoints.
    "scipy.optimize": ("linear_sum_assignment",),
    "scipy.ndimage": (),
    "scipy.io": ("loadmat", "savemat"),
}


def leave_out() -> None:
    """Has no effect on what is imported already."""
    for name, members in _UNUSED.items():
        sys.modules.setdefault(name, _Empty(name, members))


class _Empty(ModuleType):
    def __init__(self, name: str, members: tuple[str, ...]) -> None:
        super().__init__(name, "Left out: maskdet does not use it.")
        # ppdet's `__init__` files add up these lists and import * from each module.
        self.__all__ = list(members)
        self.__dict__.update(dict.fromkeys(members))
