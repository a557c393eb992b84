"""The machine's clock is set while processes run."""

from __future__ import annotations

import psutil
import pytest


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """As NTP or `date` would: Linux then tells another moment of the boot, to which psutil adds."""
    module = psutil._psplatform
    boot = module.boot_time
    before = psutil.Process().create_time()
    monkeypatch.setattr(module, "boot_time", lambda: boot() + seconds)
    if psutil.Process().create_time() == before:
        pytest.skip("this psutil does not read the moment of the boot again")
