"""Trackers around real trainings: an MLflow server that is killed, one that is silent, and none installed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import write_tiny_bundle
from typer.testing import CliRunner

from maskdet.cli.app import app
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.outcome import RunOptions, RunResult, StageOutcome, State
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context, Event
from maskdet.pipeline.running.tracking import send_results, tracked
from maskdet.pipeline.stages.config import STAGE as CONFIG
from maskdet.pipeline.stages.prepare import STAGE as PREPARE
from maskdet.pipeline.stages.train import STAGE as TRAIN
from maskdet.registry.registry import Registry
from maskdet.tracking.follower import Follower, describe
from maskdet.tracking.promotion import promoted
from maskdet.tracking.record import Record, read_record
from maskdet.tracking.settings import TrackingSettings
from maskdet.tracking.shipment import Shipment
from maskdet.training.report.metrics_log import read_metrics

pytestmark = pytest.mark.filterwarnings("ignore")  # mlflow and what it imports warn of their own futures


def context_of(root: Path, address: str) -> Context:
    pipeline = PipelineFile(
        name="tiny",
        data={"root": root / "data"},
        model={"variant": "picodet_s_320_esnet"},
        train={"epochs": 2, "batch_size": 4, "device": "cpu", "workers": 1},
        tracking={"mlflow": address},
    )
    return Context(pipeline, root / "runs" / "tiny")


def record_of(context: Context) -> Record:
    record = read_record(context.path("tracking", "mlflow.json"))
    assert record is not None
    return record


def client_of(address: str) -> Any:
    return pytest.importorskip("mlflow").MlflowClient(tracking_uri=address, registry_uri=address)


@pytest.mark.slow
def test_a_server_killed_in_mid_training_gets_the_rest_when_it_is_back(
    server, tmp_path, workers_import_maskdet
):
    draw_data_set(tmp_path / "data", 12)
    said: list[str] = []

    def kill_after_first_epoch(event: Event) -> None:
        if event["event"] == "epoch" and event["epoch"] == 1:
            server.kill()

    context = replace(context_of(tmp_path, server.address), on_event=kill_after_first_epoch, say=said.append)
    result = run_stages((PREPARE, CONFIG, TRAIN), context, RunOptions())
    assert result.error is None
    assert result.outcomes[2].state is State.RAN
    assert len([line for line in said if line.startswith("warning: tracking.mlflow")]) == 1
    assert record_of(context).trouble
    assert "incomplete" in next(describe(context.pipeline.tracking, context.folder))

    server.start()
    bundle = _export_a_bundle(context)
    exported = RunResult([*result.outcomes, StageOutcome("export", State.RAN)])
    said.clear()
    send_results(context, exported)
    assert said == []
    record = record_of(context)
    assert (record.trouble, record.epoch, record.status, record.version) == ("", 2, "FINISHED", "1")

    client = client_of(server.address)
    run = client.get_run(record.run)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.epochs"] == "2"
    assert [(each.step, each.value) for each in client.get_metric_history(record.run, "val.ap50")] == [
        (event["epoch"], event["ap50"]) for event in _epochs(context)
    ]
    assert {"train/curves.png", "train/index.html"} <= {
        item.path for item in client.list_artifacts(record.run, "train")
    }

    settings = context.pipeline.tracking
    assert _promote(tmp_path, server.address, bundle) == "champion of tiny: nothing → version 1, by ann\n"
    champion = client.get_model_version_by_alias("tiny", "champion")
    assert (champion.version, champion.run_id, champion.tags["maskdet.version"]) == ("1", record.run, "1")
    missing = list(promoted(settings, "tiny", "champion", number=8, sha256="0" * 64))
    assert "no version of tiny with that bundle" in missing[0]

    with tracked(replace(context, resume=True)):
        pass
    assert record_of(context).run == record.run
    with tracked(context):
        pass
    assert record_of(context).run != record.run, "a new training is a new run"


def _export_a_bundle(context: Context) -> Path:
    context.path("export").mkdir()
    return write_tiny_bundle(context.path("export", "model.onnx"))


def _promote(root: Path, address: str, bundle: Path) -> str:
    """What `maskdet models promote` says to the first version in the registry."""
    Registry(root / "models").register("tiny", bundle)
    file = root / "pipeline.yml"
    file.write_text(f"name: tiny\ndata: {{root: data}}\ntracking: {{mlflow: '{address}'}}\n", "utf-8")
    verb = ["models", "promote", "tiny@1", "-c", str(file), "--why", "the first", "--by", "ann"]
    done = CliRunner().invoke(app, verb)
    assert done.exit_code == 0, done.output
    return done.output


def _epochs(context: Context) -> list[Event]:
    return [event for event in read_metrics(context.path("train")) if event["event"] == "epoch"]


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_silent_server_is_left_behind_and_said_in_the_report(silent, tmp_path):
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    settings = TrackingSettings(mlflow=silent)
    follower = Follower(settings, tmp_path, lambda: Shipment("tiny", {"train.epochs": "1"}))
    follower.notify()
    follower.close(patience=0.5)
    warnings = list(follower.warnings())
    assert len(warnings) == 1
    assert "no answer within 0.5 s" in warnings[0]
    assert "no answer" in next(describe(settings, tmp_path))


def test_a_database_file_needs_no_server(tmp_path, monkeypatch):
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    # MLflow creates the tables first, which takes a busy machine longer than a server's answer.
    monkeypatch.setattr(Follower.close, "__defaults__", (120.0,))
    context = context_of(tmp_path, f"sqlite:///{tmp_path / 'mlflow.db'}")
    _export_a_bundle_in(context)
    send_results(context, RunResult([StageOutcome("train", State.RAN), StageOutcome("export", State.RAN)]))
    first = record_of(context)
    assert (first.trouble, first.version, first.status) == ("", "1", "FINISHED")
    assert list((tmp_path / "mlartifacts").rglob("model.onnx"))
    place = context.path("tracking", "mlflow.json")
    before = place.stat().st_mtime_ns
    (tmp_path / "mlflow.db").unlink()
    send_results(context, RunResult([StageOutcome("train", State.RAN), StageOutcome("export", State.RAN)]))
    assert place.stat().st_mtime_ns == before, "what is complete needs no connection"


def _export_a_bundle_in(context: Context) -> None:
    context.path("export").mkdir(parents=True)
    write_tiny_bundle(context.path("export", "model.onnx"))
