"""The manifest as an input of training: without the roles, on which weights do not depend."""

from __future__ import annotations

from pathlib import Path

from maskdet.dataset.learnt import data_sha256, learnt_sha256, told_roles
from maskdet.errors import StageError
from maskdet.pipeline.running.stage import Context, Inputs

MANIFEST = "prepare/manifest.json"


def manifest_input(context: Context) -> Inputs:
    """Labels and pictures by hash: setting a role later does not require a new training.

    Raises StageError if the manifest is missing or damaged.
    """
    return {f"file {MANIFEST}": learnt_sha256(_there(context))}


def data_input(context: Context) -> Inputs:
    """The whole manifest by its data hash: moved pictures are the same data. Raises as `manifest_input`."""
    return {f"file {MANIFEST}": data_sha256(_there(context))}


def _there(context: Context) -> Path:
    path = context.folder / MANIFEST
    if not path.is_file():
        raise StageError(f"{path} is missing", f"run `{context.command('prepare')}` first")
    return path


def role_input(context: Context) -> Inputs:
    """The roles that names do not imply: a start with named classes is matched by them too."""
    roles = told_roles(context.folder / MANIFEST)
    nameless = context.pipeline.model.pretrained in ("none", "coco", "imagenet")
    return {} if nameless or not roles else {"data.roles": roles}
