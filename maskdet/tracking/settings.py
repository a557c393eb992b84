"""The `tracking` section of pipeline.yml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pydantic import field_validator

from maskdet.settings import Section

_ADDRESS = re.compile(r"sqlite:///[^/].*|sqlite:////.+|https?://.+")
SQLITE: Final = "sqlite:///"


class TrackingSettings(Section):
    """Where trainings are recorded beside the results folder. Off unless a tracker is named."""

    mlflow: str | None = None
    """sqlite:///FILE, or the http(s) address of an MLflow server (`pip install maskdet[mlflow]`)."""

    @field_validator("mlflow")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not _ADDRESS.fullmatch(value):
            raise ValueError("sqlite:///FILE, or the http:// or https:// address of a server")
        if "@" in urlsplit(value).netloc:
            user = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            raise ValueError(f"an address without a user: set {user} in the environment")
        return value

    def addresses(self) -> Iterator[tuple[str, str]]:
        """The name and the address of each tracker in use."""
        for name in type(self).model_fields:
            if (address := getattr(self, name)) is not None:
                yield name, address
