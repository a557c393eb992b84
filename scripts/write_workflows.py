"""Write the repository's own workflows for retraining, from the templates of `maskdet init --ci github`."""

from __future__ import annotations

from pathlib import Path

from maskdet.files import write_text
from maskdet.pipeline.ci.workflows import CiKind, CiProject

ROOT = Path(__file__).resolve().parent.parent
PROJECT = CiProject(
    folder=ROOT,
    pipeline="configs/sample.yml",
    data=("data/sample",),
    run="runs/sample",
    registry="configs/models",
    lock="requirements/dev.txt",
    install=("make setup",),
)


def main() -> None:
    for name, text in PROJECT.files(CiKind.GITHUB).items():
        write_text(ROOT / name, text)


if __name__ == "__main__":
    main()
