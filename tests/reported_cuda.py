"""An ONNX Runtime that reports CUDA: sessions run on the CPU, and say that they run on what was asked for."""

from __future__ import annotations

from typing import Any

import onnxruntime as ort
import pytest

from maskdet.detector.runtime import providers

GPU_PROVIDERS = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
"""What onnxruntime-gpu lists, whether or not there is a GPU."""
_Session = ort.InferenceSession


class ReportingSession(_Session):  # type: ignore[misc]
    """A real session on the CPU."""

    opened: list[list[tuple[str, dict[str, str]]]] = []  # noqa: RUF012 - emptied by the fixture
    batches: list[int] = []  # noqa: RUF012
    sessions: list[ReportingSession] = []  # noqa: RUF012
    most_pictures = 64
    """A larger batch is refused as by a GPU without enough memory."""

    def __init__(self, model: Any, settings: Any, *, providers: Any, **options: Any) -> None:
        super().__init__(model, settings, providers=["CPUExecutionProvider"], **options)
        self._asked = providers
        self.shapes: list[tuple[int, ...]] = []
        self.opened.append(providers)
        self.sessions.append(self)

    def get_providers(self) -> list[str]:
        return [name for name, _ in self._asked]

    def run(self, names: Any, inputs: Any, options: Any = None) -> Any:
        pictures = len(inputs["image"])
        self.batches.append(pictures)
        self.shapes.append(inputs["image"].shape)
        if self._asked[0][0] != "CPUExecutionProvider" and pictures > self.most_pictures:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 1048576")
        return super().run(names, inputs, options)


def report_cuda(
    monkeypatch: pytest.MonkeyPatch, *, lists: list[str] = GPU_PROVIDERS
) -> type[ReportingSession]:
    """Let ONNX Runtime report these providers; the class keeps what sessions were asked for."""
    providers.preload.cache_clear()
    monkeypatch.setattr(ort, "get_available_providers", lambda: lists)
    monkeypatch.setattr(ort, "InferenceSession", ReportingSession)
    monkeypatch.setattr(ReportingSession, "opened", [])
    monkeypatch.setattr(ReportingSession, "batches", [])
    monkeypatch.setattr(ReportingSession, "sessions", [])
    return ReportingSession
