"""maskdet models: from a bundle to an alias and back, in a terminal's words and as JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import httpx
import pytest
from PIL import Image
from support import paint, write_tiny_bundle
from waiting import until

from maskdet.cli.models import models
from maskdet.detector.catalogue import FAMILY
from maskdet.errors import RegistryError

VERBS = (
    *("list", "show", "diff", "register", "promote", "rollback", "history", "verify", "prune"),
    *("sign", "keygen", "publish"),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two bundles and a picture in the current directory; no registry yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTOR", "robot")
    Image.fromarray(paint({(1, 1): "with_mask"})).save("photo.png")
    for number, ap50 in ((1, 0.8), (2, 0.9)):
        write_tiny_bundle(tmp_path / f"{number}.onnx", metrics={"ap50": ap50})
    return tmp_path


@pytest.fixture
def two(folder, invoke):
    """A registry in ./models with two versions of face-mask."""
    for number in (1, 2):
        invoke("models", "register", f"{number}.onnx", "--name", "face-mask")
    return folder


def test_the_verbs_and_their_help(invoke, heavy_after):
    assert tuple(command.name for command in models.registered_commands) == VERBS
    for verb in VERBS:
        assert invoke("models", verb, "--help").exit_code == 0
    assert not heavy_after("models", "--help")
    assert not heavy_after("models", "promote", "--help")


def test_the_story_of_a_model(folder, invoke):
    said = invoke("models", "register", "1.onnx", "--name", "face-mask").output
    assert re.match(r"models:face-mask@1: bundle [0-9a-f]{12} in .*models/face-mask/versions/0001\n", said)
    invoke("models", "register", "2.onnx", "--name", "face-mask", "--by", "ann")
    assert invoke("models", "promote", "1", "--why", "the first one").output == (
        "champion of face-mask: nothing → version 1, by robot\n"
    )
    assert invoke("models", "promote", "face-mask@2", "--why", "higher AP50", "--by", "ann").output == (
        "champion of face-mask: version 1 → version 2, by ann\n"
        "`maskdet models rollback face-mask --alias champion` goes back\n"
    )
    assert invoke("models", "rollback", "--why", "slow").output == (
        "champion of face-mask: version 2 → version 1 again, by robot\n"
    )
    rows = [line.split() for line in invoke("models", "list").output.splitlines()]
    assert rows[1][:3] == ["face-mask", "2", "90.0%"]
    assert rows[2][:4] == ["face-mask", "1", "champion", "80.0%"]
    assert rows[3][:2] == ["default", "shipped"]
    history = invoke("models", "history").output
    assert [word in history for word in ("rolled back: champion from 2 to 1", "slow", "robot")] == [True] * 3
    shown = invoke("models", "show", "champion").output
    assert "models:face-mask@1 (champion)" in shown
    assert "champion rolled back to it by robot: slow" in shown
    compared = invoke("models", "diff", "1", "2").output
    assert re.search(r"ap50 +0\.8000 +0\.9000 \(\+0\.1000\)", compared)


def test_json(two, invoke):
    listed = json.loads(invoke("models", "list", "--json").output)
    assert [(row["model"], row.get("number")) for row in listed] == [
        ("face-mask", 2),
        ("face-mask", 1),
        *((name, None) for name in FAMILY),
    ]
    move = json.loads(invoke("models", "promote", "2", "--why", "x", "--json").output)
    assert (move["alias"], move["before"], move["after"], move["by"]) == ("champion", None, 2, "robot")
    assert json.loads(invoke("models", "show", "2", "--json").output)["aliases"] == ["champion"]
    assert [event["event"] for event in json.loads(invoke("models", "history", "--json").output)] == [
        "registered",
        "registered",
        "promoted",
    ]
    [ap50] = json.loads(invoke("models", "diff", "1", "2", "--json").output)["metrics"]
    assert ap50 == {"name": "ap50", "first": 0.8, "second": 0.9}


def test_a_promotion_can_require_what_it_has_seen(two, invoke):
    invoke("models", "promote", "1", "--why", "x", "--expect", "0")
    with pytest.raises(RegistryError, match="points to version 1, not to version 2: robot moved it"):
        invoke("models", "promote", "2", "--why", "x", "--expect", "2")


def test_errors_name_what_is_near(two, maskdet):
    done = maskdet("models", "show", "face-maks@1")
    assert (done.returncode, done.stderr) == (
        13,
        f"error: the registry {two / 'models'} has no model face-maks\nnext: did you mean face-mask?\n",
    )


def test_prune_lists_and_removes_only_when_told(two, invoke):
    invoke("models", "promote", "2", "--why", "x")
    assert invoke("models", "prune", "--keep", "1").output.splitlines()[1:] == [
        "nothing was removed; --yes removes them"
    ]
    assert invoke("models", "prune", "--keep", "1", "--yes").output.startswith("removed models:face-mask@1 (")
    assert invoke("models", "prune", "--keep", "1", "--yes").output == "nothing to remove\n"


def test_verify(two, invoke):
    assert invoke("models", "verify").output.splitlines() == [
        "face-mask: ok",
        "models:face-mask@1: ok",
        "models:face-mask@2: ok",
    ]
    (two / "models/face-mask/versions/0002/model.onnx").write_bytes(b"x")
    with pytest.raises(RegistryError, match=r"faults in the registry: 1\n.*0002/model\.onnx"):
        invoke("models", "verify")
    assert invoke("models", "verify", "face-mask@1").output == "models:face-mask@1: ok\n"


def test_verify_says_how_a_version_gets_the_signature_that_it_lacks(two, invoke):
    pytest.importorskip("model_signing")
    invoke("models", "keygen", "team")
    with pytest.raises(RegistryError, match="is not signed") as caught:
        invoke("models", "verify", "--key", "team.pub")
    assert "`maskdet models sign` signs a version" in caught.value.hint


def test_where_the_registry_is(two, invoke, monkeypatch):
    (two / "models").rename(two / "named")
    (two / "pipeline.yml").write_text("name: demo\ndata: {root: .}\nregistry: {root: of-file}\n")

    def first(*options):
        return json.loads(invoke("models", "list", "--json", *options).output)[0]["model"]

    assert first() == "default"
    assert first("--registry", "named") == "face-mask"
    monkeypatch.setenv("MASKDET_REGISTRY", "named")
    assert first() == "face-mask"
    assert first("--registry", "other") == "default"
    monkeypatch.delenv("MASKDET_REGISTRY")
    (two / "named").rename(two / "of-file")
    assert first() == "face-mask"


def test_a_reference_stands_for_a_file(two, invoke):
    invoke("models", "promote", "2", "--why", "x")
    said = invoke("predict", "photo.png", "--model", "models:face-mask@champion", "--format", "json").output
    assert "1 pictures" in said
    with pytest.raises(RegistryError, match="did you mean champion"):
        raise_hint(lambda: invoke("predict", "photo.png", "--model", "models:face-mask@champoin"))


def raise_hint(call):
    """Raise with the whole text, the next step included."""
    try:
        call()
    except RegistryError as error:
        raise RegistryError(str(error)) from error


def test_serve_follows_an_alias_named_in_the_pipeline_file(two, invoke, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(two / "run"))
    (two / "pipeline.yml").write_text(
        "name: demo\ndata: {root: .}\n"
        "serve: {port: 0, watch_seconds: 0.05, models: {gate: models:face-mask@champion}}\n"
    )
    with pytest.raises(RegistryError, match="face-mask has no alias champion"):
        invoke("serve")
    invoke("models", "promote", "1", "--why", "x")
    command = [sys.executable, "-m", "maskdet", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            url = re.fullmatch(
                r"serving gate=models:face-mask@champion at (.*)\n", server.stdout.readline()
            ).group(1)
            invoke("models", "promote", "2", "--why", "x")
            until(lambda: served_version(url) == ("gate", 2))
        finally:
            server.terminate()
    assert server.returncode == 0


def served_version(url):
    [model] = httpx.get(f"{url}/health/ready").json()["models"]
    return model["name"], model["version"]
