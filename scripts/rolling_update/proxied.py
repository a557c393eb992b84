"""The nginx example of deploy/nginx before servers on this machine, with a certificate for the occasion."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from served import ROOT, free_port

EXAMPLE = ROOT / "deploy/nginx/maskdet.conf"
EXAMPLE_PORTS = (8866, 8867, 8868)
START_SECONDS = 20.0
MAIN = """\
daemon off;
{user}
pid nginx.pid;
error_log error.log;
worker_processes 2;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include maskdet.conf;
}}
"""


class ProxyError(Exception):
    """The proxy did not start, or the example has no such line to adapt."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy. `plain_port` redirects to `port`."""

    port: int
    plain_port: int
    folder: Path

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client needs in order to accept its certificate."""
        return ssl.create_default_context(cafile=self.folder / "maskdet/tls.crt")

    def log(self) -> list[dict[str, Any]]:
        """The lines of its access log."""
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]


def missing() -> str:
    """What this machine lacks to run it; empty if nothing."""
    return ", ".join(name for name in ("nginx", "openssl") if not _program(name))


@contextmanager
def nginx(folder: Path, upstreams: Sequence[int]) -> Iterator[Proxy]:
    """The example for the duration of the block. Three ports, for the three that it names."""
    folder.mkdir()
    write_certificate(folder / "maskdet")
    proxy = Proxy(free_port(), free_port(), folder)
    (folder / "maskdet.conf").write_text(fitted(proxy, upstreams))
    # As root it would give up its rights, and could not read a folder that is private to root.
    (folder / "nginx.conf").write_text(MAIN.format(user="user root;" if os.getuid() == 0 else ""))
    command = [_program("nginx"), "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with (folder / "stderr.log").open("wb") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
    try:
        _await_pid(process, folder)
        yield proxy
    finally:
        process.terminate()
        process.wait()


def fitted(proxy: Proxy, upstreams: Sequence[int]) -> str:
    """The example, with nothing changed but ports and the place of the log. Raises ProxyError."""
    text = EXAMPLE.read_text()
    changes = {
        "listen 80 ": f"listen 127.0.0.1:{proxy.plain_port} ",
        "listen 443 ": f"listen 127.0.0.1:{proxy.port} ",
        "/var/log/nginx/maskdet.log": str(proxy.folder / "access.log"),
    }
    for example, ours in zip(EXAMPLE_PORTS, upstreams, strict=True):
        changes[f"server 127.0.0.1:{example} "] = f"server 127.0.0.1:{ours} "
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ProxyError(f"{EXAMPLE}: {old!r} is there {text.count(old)} times, not once")
        text = text.replace(old, new)
    return text


def write_certificate(folder: Path) -> None:
    """tls.crt and tls.key for localhost and 127.0.0.1, signed by nobody else."""
    folder.mkdir()
    kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    files = ("-keyout", folder / "tls.key", "-out", folder / "tls.crt")
    subprocess.run(
        [_program("openssl"), *kind.split(), "-addext", names, *files],
        check=True,
        capture_output=True,
    )


def _await_pid(process: subprocess.Popen[bytes], folder: Path) -> None:
    """It writes its pid after it listens."""
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "nginx.pid").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ProxyError(f"nginx did not start:\n{(folder / 'stderr.log').read_text()}")
        time.sleep(0.05)


def _program(name: str) -> str:
    """Its path; empty if it is not installed. Servers are in folders that only root searches by itself."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") or ""
