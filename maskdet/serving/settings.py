"""The `serve` section of pipeline.yml."""

from __future__ import annotations

from pydantic import Field

from maskdet.settings import Section


class ServeSettings(Section):
    """Where and how the HTTP server listens."""

    host: str = "127.0.0.1"
    """Address to bind; the default is reachable from this machine only."""
    port: int = Field(8866, ge=0, le=65535)
    """TCP port; 0 takes a free one and says which."""
