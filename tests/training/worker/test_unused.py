"""What a worker does not import."""

from __future__ import annotations

import subprocess
import sys


def test_a_worker_starts_without_the_heavy_libraries_that_it_does_not_use() -> None:
    heavy = {"matplotlib", "pandas", "sklearn", "scipy.linalg", "httpx._client", "urllib3", "setuptools"}
    code = (
        f"import sys\nfrom maskdet.training.worker import compat\nprint(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_rest_of_ppdets_metrics_is_there() -> None:
    code = "from maskdet.training.worker import compat\nfrom ppdet.metrics.map_utils import DetectionMAP"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
