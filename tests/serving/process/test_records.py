"""Records of running servers, in a folder that two containers share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from clock_step import set_clock

from maskdet.errors import ServingError
from maskdet.serving.process.control import stop
from maskdet.serving.process.records import own_record, read_records, remove_record, write_record
from maskdet.system.files import write_json

WRITE = """
from maskdet.serving.process.records import own_record, write_record
write_record(own_record(8866, "http://127.0.0.1:8866"))
"""


def test_a_server_in_another_container_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", WRITE]
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no process namespace can be made here: {done.stderr}")
    with pytest.raises(ServingError, match="no server of yours is running on port 8866"):
        stop(8866)
    ours = own_record(8866, "http://127.0.0.1:8866")
    write_record(ours)
    assert read_records(8866) == [ours]
    assert len(list((tmp_path / "maskdet").iterdir())) == 2


def test_servers_on_one_port_and_several_addresses_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    servers = [own_record(8866, f"http://{host}:8866") for host in ("127.0.0.1", "127.0.0.2", "[::1]")]
    for one in (*servers, own_record(88, "http://127.0.0.1:88")):
        write_record(one)
    assert {one.url for one in read_records(8866)} == {one.url for one in servers}
    remove_record(servers[0])
    assert {one.url for one in read_records(8866)} == {one.url for one in servers[1:]}


def test_a_server_is_known_after_the_clock_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    ours = own_record(8866, "http://127.0.0.1:8866")
    write_record(ours)
    set_clock(monkeypatch, 3600)
    [read] = read_records(8866)
    assert read.process() == psutil.Process()


def test_what_an_earlier_release_recorded_is_believed_only_if_the_clock_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    ours = own_record(8866, "http://127.0.0.1:8866")
    write_record(ours)
    [file] = (tmp_path / "maskdet").iterdir()
    of_earlier = {
        "pid": ours.pid,
        "created": psutil.Process().create_time(),
        "port": ours.port,
        "url": ours.url,
    }
    write_json(file, of_earlier)
    assert read_records(8866) == [ours]
    set_clock(monkeypatch, 3600)
    with pytest.raises(ServingError, match=f"process {ours.pid} may be its server or another one"):
        stop(8866)
    assert file.exists()
    write_json(file, {**of_earlier, "pid": 2**22 + 1})
    with pytest.raises(ServingError, match="has ended without being stopped"):
        stop(8866)
