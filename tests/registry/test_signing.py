"""Signatures: what is refused, and that a checked copy is what was signed."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from maskdet.errors import EnvironmentProblem, RegistryError
from maskdet.registry.records import Signed
from maskdet.registry.registry import Registry
from maskdet.registry.signing import MAX_SIGNED_BYTES, check_signature, make_keys, sign_version, signed_copy
from maskdet.registry.verification import verify_registry
from maskdet.serving.engine.source import Source

needs_library = pytest.mark.skipif(
    not (find_spec("model_signing") and find_spec("OpenSSL")), reason="needs maskdet[signing]"
)


@pytest.fixture
def key(tmp_path: Path) -> Callable[[str], Path]:
    """Keys by name: the public half exists beside the private one."""

    def make(name: str) -> Path:
        make_keys(tmp_path / f"{name}.key", tmp_path / f"{name}.pub")
        return tmp_path / f"{name}.key"

    return make


@pytest.fixture
def signed(registry: Registry, key: Callable[[str], Path]) -> tuple[Registry, Path]:
    """Version 1 and 2 are signed; and the public key."""
    private = key("team")
    for number in (1, 2):
        sign_version(registry.layout("face-mask"), registry.version("face-mask", number), private, "ann")
    return registry, private.with_suffix(".pub")


def refusal(registry: Registry, number: int, public: Path) -> str:
    """Why a server that requires the key does not load a version; empty if it does."""
    source = Source(registry.folder, f"models:face-mask@{number}")
    try:
        with source.opened(public) as (copy, version):
            assert version is not None
            assert copy.read_bytes() == version.bundle.read_bytes()
    except RegistryError as error:
        return error.what
    return ""


@needs_library
def test_a_signed_version_is_loaded_from_a_private_copy(signed: tuple[Registry, Path]) -> None:
    registry, public = signed
    assert refusal(registry, 1, public) == ""
    version = registry.version("face-mask", 1)
    with signed_copy(version.bundle, public) as copy:
        version.bundle.write_bytes(b"exchanged")
        assert copy.read_bytes() != b"exchanged"
    assert not copy.exists()
    [event, _] = [event for event in registry.history("face-mask") if isinstance(event, Signed)]
    assert (event.number, event.by) == (1, "ann")


@needs_library
@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda folder: (folder / "version.json").write_text("{}"), "damaged"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "not the file that was registered"),
        (lambda folder: (folder / "note.txt").write_text("x"), "Extra files found"),
        (lambda folder: (folder / "model.sig").write_text("x"), "is refused"),
        (lambda folder: (folder / "model.sig").unlink(), "is not signed"),
    ],
)
def test_what_was_changed_after_signing_is_refused(
    signed: tuple[Registry, Path], harm: Callable[[Path], object], why: str
) -> None:
    registry, public = signed
    harm(registry.folder / "face-mask" / "versions" / "0001")
    assert why in refusal(registry, 1, public)
    assert refusal(registry, 2, public) == ""


@needs_library
def test_a_bundle_and_its_record_changed_together_are_refused(signed: tuple[Registry, Path]) -> None:
    registry, public = signed
    first, third = (registry.folder / "face-mask" / "versions" / name for name in ("0001", "0003"))
    shutil.copy(third / "model.onnx", first / "model.onnx")
    record = (first / "version.json").read_text()
    own, other = (registry.version("face-mask", number).record.bundle for number in (1, 3))
    (first / "version.json").write_text(record.replace(own, other))
    assert registry.resolve("models:face-mask@1").checked_bundle()
    assert "Hash mismatch" in refusal(registry, 1, public)


@needs_library
def test_another_signed_version_in_its_place_is_refused(signed: tuple[Registry, Path]) -> None:
    registry, public = signed
    versions = registry.folder / "face-mask" / "versions"
    shutil.rmtree(versions / "0002")
    shutil.copytree(versions / "0001", versions / "0002")
    assert "holds version 1 of face-mask" in refusal(registry, 2, public)


@needs_library
def test_another_key_is_refused(signed: tuple[Registry, Path], key: Callable[[str], Path]) -> None:
    registry, _ = signed
    other = key("other").with_suffix(".pub")
    assert "Key mismatch" in refusal(registry, 1, other)
    assert "not a key for signing models" in refusal(registry, 1, other.with_suffix(".key"))
    assert "No such file" in refusal(registry, 1, other.with_suffix(".none"))
    assert "is not signed" in refusal(registry, 3, other)


@needs_library
def test_a_file_outside_of_a_registry_is_not_signed(
    bundle: Callable[[int], Path], signed: tuple[Registry, Path]
) -> None:
    with pytest.raises(RegistryError, match="is not signed"):
        check_signature(bundle(1), signed[1])


@needs_library
def test_a_folder_that_has_grown_is_not_copied(signed: tuple[Registry, Path]) -> None:
    registry, public = signed
    with (registry.folder / "face-mask" / "versions" / "0001" / "huge").open("wb") as stream:
        stream.truncate(MAX_SIGNED_BYTES)  # sparse: it takes no room
    assert "is not a version: it has 4 files of" in refusal(registry, 1, public)


@needs_library
def test_verify_checks_signatures_on_request(signed: tuple[Registry, Path]) -> None:
    registry, public = signed
    assert not [fault for one in verify_registry(registry) for fault in one.faults]
    faults = [fault for one in verify_registry(registry, key=public) for fault in one.faults]
    assert [fault.partition("versions/")[2] for fault in faults] == ["0003/model.onnx is not signed"]


@needs_library
def test_what_has_changed_is_not_signed(signed: tuple[Registry, Path]) -> None:
    registry, public = signed
    version = registry.version("face-mask", 3)
    version.bundle.write_bytes(b"x")
    with pytest.raises(RegistryError, match="version 3 is not signed"):
        sign_version(registry.layout("face-mask"), version, public.with_suffix(".key"), "ann")


@needs_library
def test_keys(key: Callable[[str], Path], tmp_path: Path) -> None:
    private = key("team")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    with pytest.raises(RegistryError, match="exists already"):
        make_keys(private, tmp_path / "new.pub")
    assert private.read_bytes() == before


def test_without_the_packages_the_error_says_how_to_install_them(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "model_signing":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(EnvironmentProblem, match="signatures need packages") as caught:
        make_keys(tmp_path / "a", tmp_path / "b")
    assert "maskdet[signing]" in caught.value.hint


@needs_library
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_key_made_with_openssl_signs(registry: Registry, tmp_path: Path) -> None:
    private, public = tmp_path / "o.key", tmp_path / "o.pub"
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(private)]
    subprocess.run(make, check=True, capture_output=True)
    tell = ["openssl", "ec", "-in", str(private), "-pubout", "-out", str(public)]
    subprocess.run(tell, check=True, capture_output=True)
    sign_version(registry.layout("face-mask"), registry.version("face-mask", 1), private, "ann")
    check_signature(registry.version("face-mask", 1).bundle, public)
