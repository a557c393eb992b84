"""MLflow: runs, files and registered models of a server or of a database file.

API: mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from maskdet import __version__
from maskdet.tracking.settings import SQLITE
from maskdet.tracking.tracker import Status, TrackerKind

SHA256_TAG: Final = "maskdet.bundle_sha256"
NUMBER_TAG: Final = "maskdet.version"
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Seconds and counts. A user's own values win; what was not sent is sent again later in any case."""
_MOST_PARAMETERS = 100
"""In one request: a limit of MLflow's."""
_LONGEST_VALUE = 6000
"""Characters of a parameter: a limit of MLflow's."""
_NOT_IN_A_NAME = re.compile(r"[^\w.\- /]")


class MlflowTracker:
    """A connection to an MLflow server or database."""

    def __init__(self, address: str) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        self._address = address
        self._client = MlflowClient(tracking_uri=address, registry_uri=address)

    def open_run(self, experiment: str, name: str) -> str:
        tags = {"mlflow.source.name": "maskdet", "maskdet.release": __version__}
        run = self._client.create_run(self._experiment(experiment), run_name=name, tags=tags)
        return str(run.info.run_id)

    def log_parameters(self, run: str, values: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        every = iter([Param(_name(key), value[:_LONGEST_VALUE]) for key, value in values.items()])
        while some := list(islice(every, _MOST_PARAMETERS)):
            self._client.log_batch(run, params=some, synchronous=True)

    def log_metrics(self, run: str, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_name(name), value, now, step) for name, value in values.items()]
        self._client.log_batch(run, metrics=metrics, synchronous=True)

    def log_file(self, run: str, file: Path, folder: str) -> None:
        self._client.log_artifact(run, str(file), folder)

    def set_status(self, run: str, status: Status) -> None:
        if status == "RUNNING":
            self._client.update_run(run, status)
        else:
            self._client.set_terminated(run, status)

    def register(self, run: str, model: str, file: str, sha256: str) -> str:
        if known := self._version(model, sha256):
            return str(known.version)
        self._ensure_model(model)
        source = f"{self._client.get_run(run).info.artifact_uri}/{file}"
        made = self._client.create_model_version(
            model, source, run_id=run, tags={SHA256_TAG: sha256}, await_creation_for=0
        )
        return str(made.version)

    def set_alias(self, model: str, sha256: str, alias: str, number: int) -> None:
        version = self._version(model, sha256)
        if version is None:
            raise LookupError(f"no version of {model} with that bundle")
        self._client.set_model_version_tag(model, version.version, NUMBER_TAG, str(number))
        self._client.set_registered_model_alias(model, alias, version.version)

    def page(self, run: str) -> str:
        if self._address.startswith(SQLITE):
            return f"run {run}; `mlflow ui --backend-store-uri {shlex.quote(self._address)}` shows it"
        experiment = self._client.get_run(run).info.experiment_id
        return f"{self._address.rstrip('/')}/#/experiments/{experiment}/runs/{run}"

    def _experiment(self, name: str) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", name)
        if (found := self._client.get_experiment_by_name(name)) is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=self._files()))

    def _files(self) -> str | None:
        """Beside a database file; a server has its own place."""
        if not self._address.startswith(SQLITE):
            return None
        return (Path(self._address.removeprefix(SQLITE)).absolute().parent / "mlartifacts").as_uri()

    def _version(self, model: str, sha256: str) -> Any | None:
        return next((each for each in self._versions(model) if each.tags.get(SHA256_TAG) == sha256), None)

    def _versions(self, model: str) -> Iterator[Any]:
        quoted = model.replace("'", "")
        page = self._client.search_model_versions(f"name = '{quoted}'")
        yield from page
        while page.token:
            page = self._client.search_model_versions(f"name = '{quoted}'", page_token=page.token)
            yield from page

    def _ensure_model(self, model: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _name(text: str) -> str:
    """A class name may hold any character; MLflow's names may not."""
    return _NOT_IN_A_NAME.sub("_", text)


TRACKER = TrackerKind("mlflow", "mlflow", MlflowTracker)
