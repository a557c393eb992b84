"""Signatures over a version's folder in the OpenSSF model-signing format, with an elliptic-curve key.

The signature, model.sig, covers every other file of the version. It needs the packages of
`pip install maskdet[signing]`.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from maskdet.errors import EnvironmentProblem, RegistryError
from maskdet.extras import install_hint
from maskdet.registry.change import change
from maskdet.registry.layout import SIGNATURE, Layout
from maskdet.registry.records import Signed
from maskdet.registry.version import Version
from maskdet.system.asides import aside_of
from maskdet.system.times import now_text

_KEY_HINT: Final = "`maskdet models keygen NAME` makes a pair; keys are PEM files of NIST curves"
MAX_SIGNED_FILES: Final = 64
"""Files of a folder that is checked; a version has a dozen."""
MAX_SIGNED_BYTES: Final = 1 << 30
"""Bytes of all of them; a version has ten million."""


def sign_version(layout: Layout, version: Version, private_key: Path, by: str) -> None:
    """Write the version's signature, in place of an older one.

    Raises RegistryError for a key that cannot be used or files that have changed, EnvironmentProblem without
    the packages.
    """
    signer, fingerprint = _signer(private_key)
    faults = list(version.faults())
    if faults:
        raise RegistryError(f"version {version.number} is not signed: {faults[0]}", "restore it first")
    with change(layout) as changed:
        # Beside the versions: inside, a file that a killed process left would be part of the folder.
        aside = aside_of(layout.versions / SIGNATURE)
        try:
            signer.set_hashing_config(_hashing()).sign(version.folder, aside)
            changed.record(Signed(at=now_text(), by=by, number=version.number, key=fingerprint))
            aside.replace(version.folder / SIGNATURE)
        finally:
            aside.unlink(missing_ok=True)


def check_signature(bundle: Path, public_key: Path) -> None:
    """Raise RegistryError unless the bundle's folder is as it was signed with the key's other half.

    Raises EnvironmentProblem without the packages.
    """
    signature = bundle.parent / SIGNATURE
    if not signature.is_file():
        raise RegistryError(
            f"{bundle} is not signed", "`maskdet models sign` signs a version of the registry"
        )
    verifier = _verifier(public_key)
    try:
        verifier.set_hashing_config(_hashing()).verify(bundle.parent, signature)
    # The library raises whatever its parsers and cryptography do; all of it means that the check failed.
    except Exception as error:
        said = str(error).partition("\n")[0] or "the signature does not match"
        raise RegistryError(
            f"the signature of {bundle} is refused: {said}",
            "it has changed since it was signed, or was signed with another key; see `maskdet models verify`",
        ) from error


@contextmanager
def signed_copy(bundle: Path, public_key: Path) -> Iterator[Path]:
    """A copy of the bundle whose signature holds, for reading at leisure: nobody else can change it.

    Raises RegistryError and EnvironmentProblem like `check_signature`.
    """
    files = _files(bundle.parent) if (bundle.parent / SIGNATURE).is_file() else [bundle]
    with TemporaryDirectory(prefix="maskdet-signed-") as name:
        folder = Path(name)
        for path in files:
            target = folder / path.relative_to(bundle.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        try:
            check_signature(folder / bundle.name, public_key)
        except RegistryError as error:
            raise RegistryError(error.what.replace(name, str(bundle.parent)), error.hint) from error
        yield folder / bundle.name


def make_keys(private: Path, public: Path) -> None:
    """Write a new pair of P-256 keys; only the owner can read the private one.

    Raises RegistryError if a file exists already, EnvironmentProblem without the packages.
    """
    _library("signing")
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    for path in (private, public):
        if path.exists():
            raise RegistryError(f"{path} exists already", "choose another name")
    key = ec.generate_private_key(ec.SECP256R1())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    private.touch(mode=0o600, exist_ok=False)
    private.write_bytes(secret)
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))


def _fingerprint(key: Any) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.PEM, form)).hexdigest()


def _signer(private_key: Path) -> tuple[Any, str]:
    library = _library("signing")
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    try:
        signer = library.Config().use_elliptic_key_signer(private_key=private_key)
        key = serialization.load_pem_private_key(private_key.read_bytes(), None)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _no_key(private_key, error) from error
    return signer, _fingerprint(key.public_key())


def _verifier(public_key: Path) -> Any:
    library = _library("verifying")
    try:
        return library.Config().use_elliptic_key_verifier(public_key=public_key)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _no_key(public_key, error) from error


def _hashing() -> Any:
    """Every file but the signature; symbolic links are refused."""
    config = _library("hashing").Config()
    return config.set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)


def _files(folder: Path) -> list[Path]:
    """What is copied, within limits: whoever can write to the folder must not fill this machine's disk."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in found)
    if len(found) > MAX_SIGNED_FILES or size > MAX_SIGNED_BYTES:
        raise RegistryError(
            f"{folder} is not a version: it has {len(found)} files of {size} bytes",
            f"a version has at most {MAX_SIGNED_FILES} files of {MAX_SIGNED_BYTES} bytes in all",
        )
    return found


def _library(module: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(f"model_signing.{module}")
    except ImportError as error:
        raise EnvironmentProblem(
            f"signatures need packages that are missing: {error.name}", install_hint("signing")
        ) from error


def _no_key(path: Path, error: Exception) -> RegistryError:
    said = "it is not a key for signing models"
    if isinstance(error, OSError):
        said = error.strerror or said
    elif isinstance(error, TypeError):
        said = "it has a password, and only keys without one can sign"
    return RegistryError(f"{path}: {said}", _KEY_HINT)
