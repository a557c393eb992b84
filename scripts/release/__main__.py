"""Build what a release is made of, twice, and check it: `make release-check` (docs/releasing.md).

Everything comes from the last commit and goes to build/release/: wheel, source distribution, SBOMs, licences,
the audit's answer, and SHA256SUMS of them all. A second run writes the same bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from release.artefacts import ROOT, ReleaseError, build_twice, exported, run, write_sums
from release.contents import check_contents, check_tag
from release.supply import audit, check_licences, write_sboms

LOCK = ROOT / "requirements" / "runtime.txt"
"""What the wheel is tried with."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "release", help="folder to write")
    parser.add_argument(
        "--tag",
        default=os.environ.get("RELEASE_TAG"),
        help="that is released ($RELEASE_TAG): v and the version",
    )
    parser.add_argument(
        "--training", type=Path, default=ROOT / ".venv", help="environment with the packages for training"
    )
    parser.add_argument("--require-audit", action="store_true", help="fail if packages could not be audited")
    options = parser.parse_args()
    try:
        for line in release(options):
            print(f"release: {line}", flush=True)
    except (OSError, ReleaseError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def release(options: argparse.Namespace) -> Iterator[str]:
    """One line for each step that succeeded."""
    out = options.out
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = exported(folder / "source")
        wheel, sdist = build_twice(source, folder, out)
        yield f"{wheel.name} and {sdist.name} were built twice, with the same bytes"
        check_contents(wheel, sdist, source)
        if options.tag:
            check_tag(options.tag, wheel, source)
        run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
        yield "both hold what is committed of the package, and nothing else; their metadata is valid"
        environment = installed(wheel, folder / "environment")
        yield from run(python_of(environment), ROOT / "scripts" / "smoke.py").splitlines()
        yield from write_sboms(environment, out)
        yield check_licences({"runtime": environment, "train": options.training}, out)
    yield audit(out, required=options.require_audit)
    yield f"wrote {write_sums(out)}"


def installed(wheel: Path, environment: Path) -> Path:
    """A new environment with the wheel and the locked packages; installers stay outside."""
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    pip = (sys.executable, "-m", "pip", "--python", python_of(environment), "install", "--quiet", "--no-deps")
    run(*pip, "--require-hashes", "-r", LOCK)
    # Found by name: a path would be recorded in the environment, and so in its SBOM.
    run(*pip, "--no-index", "--find-links", wheel.parent, "maskdet")
    return environment


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


if __name__ == "__main__":
    sys.exit(main())
