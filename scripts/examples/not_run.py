"""The examples that are not run, and why. A test compares this table with the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from examples.blocks import Example

ALL = ("",)
"""Each example begins with it."""
INDEX = "installs packages from an index"
CHECKS = "continuous integration runs it by itself"
OTHERS = "names what only its reader has"
PICTURE = "what was printed or is sent for another picture"
NOT_RUN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    INDEX: {
        "README.md": ("pip install",),
        "docs/coming-from/paddledetection-flask.md": ("pip install",),
        "docs/scale.md": ("pip install",),
        "docs/tracking.md": ("pip install",),
    },
    CHECKS: {
        "README.md": ("make",),
        "CONTRIBUTING.md": ALL,
        "data/sample/README.md": (".venv/bin/python scripts/draw_sample",),
        "docs/deployment.md": ("python scripts/rolling_update",),
        "docs/loop.md": ("make loop",),
        "docs/releasing.md": ALL,
        "docs/tutorial.md": ("make setup",),
    },
    "measures for minutes": {
        "docs/training.md": (".venv/bin/python scripts/measuring", "scripts/measuring"),
    },
    "needs a container engine": {"docs/containers.md": ALL},
    "needs a cluster": {"docs/deployment.md": ("cd deploy/kubernetes", "kustomize", "kubectl")},
    "changes the system's users, units or web server": {
        "docs/deployment.md": (
            *("useradd", "python3 -m venv", "install -d", "as_maskdet", "cp deploy/systemd", "systemctl"),
            "for port in",
            *("cp deploy/nginx", "rm -f /etc/nginx", "install -D", "nginx -t"),
        ),
    },
    "asks for a certificate of a public name": {"docs/deployment.md": ("MASKDET_SITE",)},
    "needs a GPU": {"docs/gpu.md": ALL},
    "needs two machines": {"docs/scale.md": ("MASKDET_NODE_RANK",)},
    "needs an object store": {"docs/scale.md": ("maskdet predict s3:",)},
    "needs a server of MLflow": {"docs/tracking.md": ("MLFLOW_", "maskdet run")},
    "downloads weights": {
        "docs/family.md": ("maskdet run",),
        "docs/model-card.md": ALL,
        "docs/starting-points.md": ("maskdet train",),
    },
    OTHERS: {
        "docs/inbox.md": ("maskdet data forget 3f1c",),
        "docs/model-card-fast.md": ("maskdet run",),
        "docs/reference/http.md": ('curl -H "X-API-Key: $KEY" -H',),
        "docs/serving.md": ('curl -H "Content-Type: application/json"', "serve:\n  api_keys"),
        "docs/training.md": ("maskdet run",),
    },
    "a picture of folders or of how parts are connected": {
        "README.md": ("runs/NAME/",),
        "docs/architecture.md": ALL,
        "docs/registry.md": ("models/face-mask/",),
    },
    PICTURE: {
        "docs/coming-from/paddleclas-hubserving.md": ("{'class_ids'",),
        "docs/coming-from/paddledetection-flask.md": ("PicoDet 320x320",),
        "docs/coming-from/paddlex.md": ("with_mask",),
        "docs/reference/http.md": ('{"image"',),
        "docs/starting-points.md": ("starting from default",),
    },
    "a signature, which is written from the code": {"docs/reference/python.md": ("def ",)},
}


def entries() -> Iterator[tuple[str, str, str]]:
    """Reason, page, and the beginning of the examples."""
    for reason, pages in NOT_RUN.items():
        for page, starts in pages.items():
            yield from ((reason, page, start) for start in starts)


def reason_of(example: Example) -> str:
    """Why it is not run, "" if it is."""
    return next(
        (
            reason
            for reason, page, start in entries()
            if page == example.page and example.code.lstrip().startswith(start)
        ),
        "",
    )
