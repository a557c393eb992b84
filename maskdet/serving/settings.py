"""The `serve` section of pipeline.yml."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator
from typing_extensions import Self

from maskdet.detector.settings import UNCERTAIN_BAND
from maskdet.inbox.settings import CaptureSettings
from maskdet.settings import Section
from maskdet.wording.names import RULE, is_name

Dialect = Literal[
    "hub_form",
    "clas_system",  # before hub_json, whose path /predict/{module} would take its requests
    "hub_json",
    "flask_demo",
    "learnpaddle",
    "serving_pipeline",
    "paddlex",
    "oip",
]
"""Modules of serving/dialects/, in the order in which their routes are tried."""

KeyHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KeyScope = Literal["detect", "review", "admin"]


class ApiKey(Section):
    """A key with a name and scopes."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
    """Who uses it; kept with each decision."""
    hash: KeyHash
    """sha256 of the key."""
    scopes: tuple[KeyScope, ...] = Field(min_length=1)
    """detect: pictures in; review: corrections and the review queue; admin: reload."""


class ServeSettings(Section):
    """Where and how the HTTP server listens, what it accepts, and how it shares the cores."""

    host: str = "127.0.0.1"
    """Address to bind; the default is reachable from this machine only."""
    port: int = Field(8866, ge=0, le=65535)
    """TCP port; 0 picks a free one and reports it."""

    models: dict[str, Path] = Field(default_factory=dict)
    """Bundles, or registered models such as models:face-mask@champion, by the name used in requests; the
    first is the default. If empty, the one that the pipeline exported."""
    watch: bool = False
    """Whether a new bundle at a model's path is loaded automatically. A model that follows an alias of the
    registry always is."""
    watch_seconds: float = Field(2, ge=0.01)
    """How often paths and aliases are checked."""
    require_signature: Path | None = None
    """Public key. Only registered models that were signed with its private half are loaded."""

    workers: int = Field(1, ge=1, le=64)
    """Server processes sharing the port; each loads the models, and the limits below hold per process."""
    device: str = Field("cpu", pattern=r"^([a-z_]+/)?(cpu|gpu(:\d+)?)$")
    """Where the model runs: cpu, gpu or gpu:N with ONNX Runtime, or LIBRARY/DEVICE."""
    threads: int = Field(0, ge=0, le=256)
    """Inference threads of one process; 0 means one more than there are cores, so that none is idle, or with
    several workers an even share of the cores for each."""
    gpu_memory_mb: int = Field(4096, ge=256)
    """MiB of the GPU's memory that a loaded model may take for its passes; CUDA's own share comes on top."""
    tensorrt: Path | None = None
    """Folder for TensorRT's engines. With it TensorRT runs the model; building engines takes minutes once."""
    max_batch: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = "auto"
    """Pictures per forward pass; auto: 1 on a CPU, on a GPU what measures best at the start."""
    batch_wait_ms: Annotated[float, Field(ge=0, le=1000)] | Literal["auto"] = "auto"
    """How long an incomplete batch waits for more pictures, in milliseconds; auto: 0 on a CPU, on a GPU as
    long as a pass takes, but only while another one runs."""

    max_upload_bytes: int = Field(20 * 1024**2, ge=1024)
    """Bytes of one request body, counted as they arrive."""
    max_pixels: int = Field(50_000_000, ge=1)
    """Width times height of one picture, read from its header before it is decoded."""
    max_files: int = Field(16, ge=1, le=1024)
    """Pictures in one request."""
    max_held_bytes: int = Field(256 * 1024**2, ge=1024)
    """Bytes of all request bodies in memory at once; more are refused with 503."""
    max_header_bytes: int = Field(32 * 1024, ge=1024)
    """Bytes of one request's line and headers."""
    max_connections: int = Field(1024, ge=1)
    """Open connections; more are closed at once."""
    max_queue: int = Field(128, ge=1)
    """Pictures waiting for an inference thread; more are refused with 503."""
    queue_seconds: float = Field(5, gt=0)
    """Longest wait for an inference thread; a request that would wait longer is refused with 503."""
    header_seconds: float = Field(10, gt=0)
    """Time a client has to send its request line and headers."""
    body_seconds: float = Field(30, gt=0)
    """Time a client has to send its request body."""
    keep_alive_seconds: float = Field(15, gt=0)
    """How long an idle connection stays open. One whose client reads nothing of a response is cut off after
    once to twice this time."""
    drain_seconds: float = Field(30, ge=0)
    """How long a stopping server may take to finish accepted requests."""

    api_keys: tuple[ApiKey, ...] = ()
    """API keys by name; if there are any, every route except health requires one with the right scope:
    detect, review (the review queue, corrections) or admin (reload)."""
    api_key_hashes: tuple[KeyHash, ...] = ()
    """sha256 of keys without a name; they open everything except the review queue."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the server from a browser, or "*"; the old browser demos always may."""

    violation_labels: tuple[str, ...] | None = None
    """Labels that break the mask rule, while all others comply; by default the model's roles decide, and a
    face of a label without a role makes the verdict `uncertain`."""
    uncertain_band: float = Field(UNCERTAIN_BAND, ge=0, le=1)
    """A face this far or less below its threshold makes the verdict `uncertain`."""

    inbox: Path | None = None
    """Folder for pictures that were corrected, or captured for review; without it nothing is kept."""
    inbox_pictures: int = Field(10_000, ge=1)
    """Most corrected and accepted pictures that the inbox holds."""

    monitor: Path | None = None
    """Folder for hourly statistics of what the server sees, without pictures; several servers may share it.
    Without it they are kept in memory, for two days at most."""
    monitor_days: int = Field(30, ge=1, le=3650)
    """How many days of statistics the folder keeps."""

    dialects: tuple[Dialect, ...] = get_args(Dialect)
    """Older systems whose clients get responses in their own format."""
    hub_modules: tuple[str, ...] = ("pyramidbox_lite_server_mask", "pyramidbox_lite_mobile_mask")
    """PaddleHub module names that the default model also answers to, beside the models' own names."""
    hub_labels: dict[str, str] = Field(default_factory=dict)
    """Labels in the PaddleHub dialects; without an entry, MASK if the label complies, else NO MASK."""
    hub_http_errors: bool = False
    """Whether PaddleHub errors have real 4xx statuses; PaddleHub itself sends 200 with the error inside."""

    capture: CaptureSettings = CaptureSettings()
    """Which served pictures are kept for review, in the folder `serve.inbox`; by default none. EXIF and GPS
    data are never kept."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in self.models:
            if not is_name(name):
                raise ValueError(f"a model cannot be called {name!r}: use {RULE}")
        if self.tensorrt is not None and self.device.endswith("cpu"):
            raise ValueError("tensorrt needs a GPU: set serve.device: gpu, or --device gpu")
        if self.max_files > self.max_queue:
            raise ValueError(
                f"max_files ({self.max_files}) is more than max_queue ({self.max_queue}) can hold"
            )
        if self.capture.active and self.inbox is None:
            raise ValueError("capture needs a folder: set serve.inbox, or --inbox DIR")
        self._check_keys()
        return self

    def _check_keys(self) -> None:
        for kind, values in (
            ("name", [one.name for one in self.api_keys]),
            ("hash", [*(one.hash for one in self.api_keys), *self.api_key_hashes]),
        ):
            twice = [value for value, count in Counter(values).items() if count > 1]
            if twice:
                raise ValueError(f"two API keys have the {kind} {twice[0]}: keep one of them")

    @property
    def has_keys(self) -> bool:
        """Whether clients need an API key."""
        return bool(self.api_keys or self.api_key_hashes)
