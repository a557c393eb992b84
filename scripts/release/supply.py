"""Where the packages come from: SBOMs, licences, and known vulnerabilities."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from release.artefacts import ROOT, ReleaseError, run

LOCKS = ("runtime", "serve", "train", "image", "release")
"""Locks that are audited. What only the GPU image has, NVIDIA's libraries, comes from NVIDIA."""
ALLOWED = frozenset(
    {
        "3-Clause BSD License",
        "Apache 2.0",
        "Apache License v2.0",
        "Apache Software License",
        "Apache-2.0",
        "BSD License",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "FreeBSD",
        "ISC",
        "ISC License (ISCL)",
        "MIT",
        "MIT License",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "Mozilla Public License 2.0 (MPL 2.0)",
        "PSF-2.0",
        "Python Software Foundation License",
        "The Unlicense (Unlicense)",
    }
)
"""Licences, as packages name them, that let Apache-2.0 software depend on them."""
READ = {"sigstore-models": "MIT"}
"""Packages whose metadata names no licence; somebody has read the file."""


def write_sboms(environment: Path, out: Path) -> Iterator[str]:
    """CycloneDX: of the environment with the wheel, and of the lock for training."""
    base = (sys.executable, "-m", "cyclonedx_py")
    form = ("--output-reproducible", "--output-format", "JSON", "--output-file")
    run(*base, "environment", *form, out / "sbom-runtime.cdx.json", environment)
    yield f"sbom-runtime.cdx.json has {_components(out / 'sbom-runtime.cdx.json')} packages"
    lock = ROOT / "requirements" / "train.txt"
    run(*base, "requirements", *form, out / "sbom-train.cdx.json", lock)
    yield f"sbom-train.cdx.json has {_components(out / 'sbom-train.cdx.json')} packages, for all systems"


def check_licences(environments: Mapping[str, Path], out: Path) -> str:
    """Write licences.json: by package, the licence that it names.

    environments: by the name of a lock, one that has its packages. Raises ReleaseError for a licence that is
    not allowed. Packages for other systems are in no environment, and stay unchecked.
    """
    found: dict[str, str] = {}
    unchecked: set[str] = set()
    for lock, environment in environments.items():
        names, named = locked(ROOT / "requirements" / f"{lock}.txt"), licences(environment)
        found |= {name: named[name] for name in names & named.keys()}
        unchecked |= names - named.keys()
    if refused := {name: text for name, text in found.items() if not is_allowed(text)}:
        listed = ", ".join(f"{name} ({text})" for name, text in sorted(refused.items()))
        raise ReleaseError(f"licences that nobody has allowed: {listed}")
    _write(out / "licences.json", {"licences": found, "unchecked": sorted(unchecked)})
    return (
        f"{len(found)} packages have an allowed licence; not installed here: {', '.join(sorted(unchecked))}"
    )


def is_allowed(text: str) -> bool:
    """Of alternatives one must be allowed, of several licences that hold together each."""
    return any(
        all(part.strip(" ()") in ALLOWED or part.strip() in ALLOWED for part in re.split(r" AND |;", one))
        for one in text.split(" OR ")
    )


def licences(environment: Path) -> dict[str, str]:
    """Canonical package name → the licence that its metadata names."""
    python = next(path for path in environment.glob("*/python*") if path.stem == "python")
    text = run(
        sys.executable,
        "-m",
        "piplicenses",
        "--python",
        python,
        "--with-system",
        "--from",
        "mixed",
        "--format",
        "json",
    )
    named = {canonical(one["Name"]): one["License"] for one in json.loads(text)}
    return {**named, **{name: READ[name] for name in named.keys() & READ.keys()}}


def locked(lock: Path) -> set[str]:
    """The packages of a lock, for all systems and versions of Python."""
    text = lock.read_text(encoding="utf-8")
    return {canonical(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def audit(out: Path, *, required: bool) -> str:
    """Write audit.json: known vulnerabilities of the locked packages, as the package index publishes them.

    Raises ReleaseError for a vulnerability; and, if `required`, unless every package was audited: an index
    that cannot be reached, or publishes none, is no proof that there are none.
    """
    answers = [_audited(lock) for lock in LOCKS]
    # A package is in several locks.
    packages = list({(one["name"], one.get("version")): one for each, _ in answers for one in each}.values())
    silent = [said for each, said in answers if not each]
    vulnerable = {one["name"]: [each["id"] for each in one["vulns"]] for one in packages if one.get("vulns")}
    skipped = sorted(one["name"] for one in packages if "skip_reason" in one)
    _write(out / "audit.json", {"packages": len(packages), "vulnerable": vulnerable, "not audited": skipped})
    if vulnerable:
        raise ReleaseError(f"known vulnerabilities: {json.dumps(vulnerable)}")
    if not silent and not skipped:
        return f"no known vulnerability in {len(packages)} packages"
    reason = silent[0] if silent else f"{len(skipped)} of {len(packages)} packages are unknown to the index"
    if required:
        raise ReleaseError(f"not audited: {reason}")
    return f"NOT AUDITED: {reason}; --require-audit makes this an error"


def _audited(lock: str) -> tuple[list[dict[str, Any]], str]:
    """The packages of one lock and what is known of them; none, and the reason, if that cannot be asked.

    Locks may have different releases of a package, so each is audited by itself.
    """
    path = str(ROOT / "requirements" / f"{lock}.txt")
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run(
        [*command, "-r", path], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return _packages(done.stdout), f"{lock}: {_last(done.stderr)}"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages(text: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(text)["dependencies"])
    except ValueError:
        return []


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["pip-audit said nothing"])[-1]


def _components(path: Path) -> int:
    return len(json.loads(path.read_text(encoding="utf-8"))["components"])


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
