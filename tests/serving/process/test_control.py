"""What `stop` promises where a process cannot be asked to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from maskdet.cli.app import app
from maskdet.serving.process import control


@pytest.mark.parametrize(
    ("system", "said"),
    [("posix", ")\n"), ("nt", "), cutting off requests in progress: Windows cannot ask it to end\n")],
)
def test_stop_says_whether_requests_were_answered(
    server_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, system: str, said: str
) -> None:
    server = server_process()
    monkeypatch.setattr(control, "SYSTEM", system)

    result = CliRunner().invoke(app, ["stop", "--port", str(server.port)])

    assert result.exit_code == 0, result.output
    assert result.output == f"stopped {server.url} (process {server.process.pid}{said}"
