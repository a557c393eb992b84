"""The files of a release: built from the last commit, the same bytes wherever and whenever."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SUMS = "SHA256SUMS"


class ReleaseError(Exception):
    """A check failed; the message says which, and with what."""


def run(*command: str | Path, folder: Path | None = None, **variables: str) -> str:
    """Standard output. Raises ReleaseError with both outputs if the command fails."""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise ReleaseError(f"`{words}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def exported(folder: Path) -> Path:
    """The files of the last commit; what is not committed is not in a release."""
    archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def build_twice(source: Path, folder: Path, out: Path) -> tuple[Path, Path]:
    """Wheel and source distribution in `out`, which is emptied.

    Raises ReleaseError if a second build, made elsewhere and from files of another age, differs.
    """
    epoch = run("git", "-C", ROOT, "log", "-1", "--format=%ct").strip()
    copy = shutil.copytree(source, folder / "another" / "place", copy_function=shutil.copyfile)
    first, second = (
        build(place, folder / f"built{number}", epoch) for number, place in enumerate((source, copy))
    )
    if differing := [
        one.name for one, other in zip(first, second, strict=True) if sha256(one) != sha256(other)
    ]:
        raise ReleaseError(f"a second build gives other bytes: {', '.join(differing)}")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    wheel, sdist = (Path(shutil.copy(one, out)) for one in first)
    return wheel, sdist


def build(source: Path, out: Path, epoch: str) -> tuple[Path, Path]:
    """The wheel, made from the source distribution as pip does, and the source distribution."""
    command = (sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source)
    run(*command, folder=source, SOURCE_DATE_EPOCH=epoch)
    [wheel], [sdist] = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_sums(out: Path) -> Path:
    """SHA256SUMS of the folder's files, as sha256sum --check reads them."""
    files = sorted(path for path in out.iterdir() if path.name != SUMS)
    target = out / SUMS
    target.write_text(
        "".join(f"{sha256(path)}  {path.name}\n" for path in files), encoding="utf-8", newline="\n"
    )
    return target
