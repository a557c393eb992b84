"""Write the repository's own workflows.

Those for retraining come from the templates of `maskdet init --ci github`, the one for releases from
release.yml. It may publish, so its actions are named by commit, and not by a tag that can be moved.
"""

from __future__ import annotations

from pathlib import Path

from maskdet.pipeline.ci.workflows import CiKind, CiProject
from maskdet.system.files import write_text

ROOT = Path(__file__).resolve().parents[2]
PROJECT = CiProject(
    folder=ROOT,
    pipeline="configs/sample.yml",
    data=("data/sample",),
    run="runs/sample",
    registry="configs/models",
    lock="requirements/dev.txt",
    install=("make setup",),
)
ACTIONS = {
    "checkout": "actions/checkout@34e114876b0b11c390a56381ad16ebd13914f8d5 # v4.3.1",
    "setup-python": "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0",
    "upload-artifact": "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
    "download-artifact": "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0",
    "attest": "actions/attest-build-provenance@e8998f949152b193b063cb0ec769d69d929409be # v2.4.0",
    "publish": "pypa/gh-action-pypi-publish@ed0c53931b1dc9bd32cbe73a98c7f6766f8a527e # v1.13.0",
}
"""By its name in the template: the action, its commit and the version that the commit is."""


def files() -> dict[str, str]:
    """The text of each workflow by its path in the repository."""
    release = Path(__file__).with_name("release.yml").read_text(encoding="utf-8")
    for name, action in ACTIONS.items():
        release = release.replace(f"@{name}@", action)
    return {**PROJECT.files(CiKind.GITHUB), ".github/workflows/release.yml": release}


def main() -> None:
    for name, text in files().items():
        write_text(ROOT / name, text)


if __name__ == "__main__":
    main()
