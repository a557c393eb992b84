"""Build the image of the server without Docker, and check it in a container: `make image`.

On a Debian machine, as root, with the packages buildah, debootstrap and runc. The base is a Debian with its
own Python, made once and kept; --base names another image. Pip inside the build uses this machine's pip
settings and certificates.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from build_image.checks import check
from build_image.container import ContainerError, run, unpacked
from maskdet import __version__
from served import ROOT

NEEDED = ("buildah", "debootstrap", "runc")
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
BASE = f"localhost/maskdet-base:{SUITE}"
FROM_HOST = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
MOST_BYTES = {"serve": 420_000_000}
"""What an image may add to its base."""


def make_base() -> str:
    """A Debian with Python, if it is not there yet."""
    if subprocess.run(
        ["buildah", "inspect", "--type", "image", BASE], capture_output=True, check=False
    ).returncode:
        with tempfile.TemporaryDirectory() as folder:
            system = Path(folder, "system")
            run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, system)
            archive = Path(folder, "system.tar")
            # What apt downloaded and listed is of no use in an image; /proc may still be mounted.
            left_out = ("./proc/*", "./sys/*", "./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*")
            run("tar", "-C", system, *(f"--exclude={one}" for one in left_out), "-cf", archive, ".")
            for mounted in ("proc", "sys"):
                subprocess.run(["umount", system / mounted], capture_output=True, check=False)
            empty = run("buildah", "from", "scratch")
            run("buildah", "add", "--quiet", empty, archive, "/")
            run("buildah", "commit", "--quiet", "--rm", empty, BASE)
    return BASE


def build(target: str, base: str) -> str:
    """The name of the built image. Layers that have not changed are reused."""
    revision = run("git", "-C", ROOT, "rev-parse", "HEAD")
    image = f"localhost/maskdet:{target}"
    settings = {"BASE": base, "VERSION": __version__, "REVISION": revision}
    command = ["buildah", "build", "--isolation", "chroot", "--format", "docker", "--layers", "--pull-never"]
    command += [f"--volume={path}:{path}:ro" for path in FROM_HOST if Path(path).is_file()]
    command += [f"--build-arg={key}={value}" for key, value in settings.items()]
    command += ["--target", target, "-f", str(ROOT / "deploy/docker/Dockerfile"), "-t", image, str(ROOT)]
    with tempfile.NamedTemporaryFile("w+") as log:
        if subprocess.run(command, stdout=log, stderr=log, check=False).returncode:
            log.seek(0)
            raise ContainerError(f"{target} was not built:\n{log.read()[-3000:]}")
    return image


def layers(image: str) -> list[tuple[int, str]]:
    """Bytes, unpacked, of each layer, and what made it."""
    with tempfile.TemporaryDirectory() as folder:
        run("buildah", "push", "--quiet", "--disable-compression", image, f"dir:{folder}")
        manifest = json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))
        config = json.loads(Path(folder, _blob(manifest["config"])).read_text(encoding="utf-8"))
        sizes = [Path(folder, _blob(one)).stat().st_size for one in manifest["layers"]]
    steps = [one.get("created_by", "") for one in config["history"] if not one.get("empty_layer")]
    return list(zip(sizes, steps, strict=True))


def _blob(described: dict[str, str]) -> str:
    return str(described["digest"]).partition(":")[2]


def show_sizes(target: str, found: list[tuple[int, str]]) -> list[tuple[str, bool]]:
    """Print a line for each layer; whether all but the base are small enough."""
    for number, (size, step) in enumerate(found):
        print(f"{size / 1e6:8.1f} MB  {'the base' if number == 0 else ' '.join(step.split())[:90]}")
    added = sum(size for size, _ in found[1:])
    print(f"{added / 1e6:8.1f} MB  beside the base")
    most = MOST_BYTES.get(target)
    return [(f"at most {most / 1e6:.0f} MB beside the base", added <= most)] if most else []


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="serve", choices=("serve", "serve-gpu", "train"))
    parser.add_argument("--base", help="an image that buildah has; by default one is made")
    parser.add_argument("--requests", type=int, default=400, help="of the fuzzer")
    options = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid():
        print(f"image: this needs root and the Debian packages {' '.join(NEEDED)}", file=sys.stderr)
        return 1
    try:
        return report(options)
    except (OSError, ContainerError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1


def report(options: argparse.Namespace) -> int:
    begin = time.monotonic()
    base = options.base or make_base()
    between = time.monotonic()
    image = build(options.target, base)
    print(f"{image}: base {between - begin:.0f} s, build {time.monotonic() - between:.0f} s")
    checks = show_sizes(options.target, layers(image))
    if options.target == "serve":
        with unpacked(image) as (root, config), tempfile.TemporaryDirectory() as folder:
            checks += check(root, config, Path(folder), options.requests)
    for text, kept in checks:
        print(f"{'ok  ' if kept else 'FAIL'} {text}")
    return 0 if all(kept for _, kept in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
