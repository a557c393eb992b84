from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support import LABELS, paint, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.http.keys import hash_key
from maskdet.serving.routes.page import FOLDER, OLD_GREETING
from maskdet.serving.settings import ServeSettings

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
ASSETS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.suffix != ".html")
PAGES = {"/": "index.html", "/review": "review.html", "/monitor": "monitor.html"}
SCRIPTS = {"index.html": "js", "review.html": "js/review", "monitor.html": "js/monitor"}
"""Each page, and the folder of its own scripts."""
REPO = Path(__file__).resolve().parents[3]


def test_browsers_get_the_page(served: Any) -> None:
    response = served.get("/", headers=BROWSER)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "accept"
    assert "<title>maskdet</title>" in response.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", None])
def test_programs_get_the_old_greeting(served: Any, accept: str | None) -> None:
    response = served.get("/", headers={"accept": accept} if accept else {})

    assert response.text == OLD_GREETING == "Welcome to PaddlePaddle"
    assert response.headers["content-type"].startswith("text/html")
    assert "</docs>" in response.headers["link"]


def test_greeting_is_our_own_without_that_dialect(in_process: Callable[..., Any]) -> None:
    assert in_process(dialects=()).get("/").text.startswith("maskdet ")


@pytest.mark.parametrize("path", [*PAGES, *(f"/web/{name}" for name in ASSETS)])
def test_every_file_is_locked_down_and_cached_by_its_tag(served: Any, path: str) -> None:
    response = served.get(path, headers=BROWSER)

    assert response.status_code == 200
    policy = response.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(
        policy
    )
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-cache"
    again = served.get(path, headers={**BROWSER, "if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert served.get(path, headers={**BROWSER, "if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("js/app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("samples/group.jpg", "image/jpeg"),
    ],
)
def test_media_types(served: Any, name: str, kind: str) -> None:
    assert served.get(f"/web/{name}").headers["content-type"] == kind


@pytest.mark.parametrize(
    "path",
    [
        "/web/",
        "/web/none.js",
        "/web/../page.py",
        "/web/%2e%2e/page.py",
        "/web/index.html",
        "/web/monitor.html",
    ],
)
def test_only_the_files_of_the_page(served: Any, path: str) -> None:
    response = served.get(path)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "unknown_route"


def test_head_has_no_body(served: Any) -> None:
    response = served.request("HEAD", "/", headers=BROWSER)

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("page", PAGES.values())
def test_page_holds_no_inline_script_or_style_and_loads_nothing_from_outside(page: str) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert re.findall(r"<script[^>]*>(.*?)</script>", text) == [""]
    for path in FOLDER.rglob("*.*"):
        if path.suffix in {".html", ".js", ".css"}:
            addresses = re.findall(r"https?://[^\s\"')]+", path.read_text(encoding="utf-8"))
            assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path


@pytest.mark.parametrize("page", SCRIPTS)
def test_page_names_only_files_that_are_there(page: str) -> None:
    text = (FOLDER / page).read_text(encoding="utf-8")
    named = re.findall(r"(?:src|href)=\"web/([^\"]+)\"", text)
    for script in (FOLDER / SCRIPTS[page]).glob("*.js"):
        imported = re.findall(r"from \"(\.[^\"]+)\"", script.read_text(encoding="utf-8"))
        named += [(script.parent / name).resolve().relative_to(FOLDER).as_posix() for name in imported]

    assert {*named} <= {*ASSETS}
    assert {"samples/" + name for name in re.findall(r"data-sample=\"([^\"]+)\"", text)} <= {*ASSETS}


def keys_of(folder: str) -> dict[str, list[str]]:
    """Keys of the texts in a folder by language; a page may do with those that all pages share."""
    files = {name: FOLDER / folder / f"{name}.js" for name in ("en", "zh")}
    return {
        name: re.findall(r"^  \"?([\w.-]+)\"?:", path.read_text("utf-8"), re.MULTILINE)
        if path.exists()
        else []
        for name, path in files.items()
    }


def texts_of(folder: str) -> dict[str, set[str]]:
    return {name: set(keys) for name, keys in keys_of(folder).items()}


@pytest.mark.parametrize("folder", SCRIPTS.values())
def test_no_text_is_given_twice(folder: str) -> None:
    for keys in keys_of(folder).values():
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("page", SCRIPTS)
def test_both_languages_have_every_text(page: str) -> None:
    texts = texts_of(SCRIPTS[page])
    known = texts["en"] | texts_of("js")["en"]
    used = set(re.findall(r"data-i18n(?:-label)?=\"(\w+)\"", (FOLDER / page).read_text(encoding="utf-8")))
    for script in (FOLDER / SCRIPTS[page]).glob("*.js"):
        used |= set(re.findall(r"\bt\(\"([\w.]+)\"", script.read_text(encoding="utf-8")))

    assert {key for key in texts["en"] - texts["zh"] if not key.endswith(".one")} == set()
    assert texts["zh"] <= texts["en"]
    plural = {key.partition(".")[0] for key in known if key.endswith(".other")}
    assert used - known - plural == set()


def test_config_tells_models_and_limits(in_process: Callable[..., Any], tmp_path: Path) -> None:
    config = in_process(inbox=str(tmp_path), max_upload_bytes=5000, uncertain_band=0.2).get("/v1/page").json()

    assert (config["inbox"], config["max_upload_bytes"], config["uncertain_band"]) == (True, 5000, 0.2)
    [model] = config["models"]
    assert len(model["bundle"]) == 12
    assert model["labels"] == list(LABELS)
    assert model["colours"] == ["#169640", "#d62728", "#ffb000"]
    assert model["inks"] == ["#000000", "#ffffff", "#000000"]
    assert model["dashes"] == [[], [3, 2], [1.5, 1.5]]
    assert model["violation_labels"] == ["mask_weared_incorrect", "without_mask"]
    assert (model["threshold_policy"]["name"], model["recall"]) == ("unknown", {})


def test_config_tells_the_policy_and_what_it_costs(in_process: Callable[..., Any], tmp_path: Path) -> None:
    app = in_process()
    policy = ThresholdPolicy(name="recall", parameter=0.9)
    metrics = {"recall.with_mask": 0.93, "ap50.with_mask": 0.97}
    path = write_tiny_bundle(tmp_path / "recall.onnx", threshold_policy=policy, metrics=metrics)
    app.engine.swap("tiny", ServedModel.load("tiny", path, ServeSettings(), cores=1))

    [model] = app.get("/v1/page").json()["models"]

    assert model["threshold_policy"] == {"name": "recall", "parameter": 0.9}
    assert model["recall"] == {"with_mask": 0.93}


@pytest.mark.parametrize("capture", [{}, {"uncertain": True}])
def test_config_tells_whether_pictures_may_be_kept(
    in_process: Callable[..., Any], tmp_path: Path, capture: dict[str, Any]
) -> None:
    config = in_process(inbox=str(tmp_path), capture=capture).get("/v1/page").json()

    assert config["captures"] is bool(capture)


def test_without_an_inbox_the_config_says_so(served: Any) -> None:
    assert served.get("/v1/page").json()["inbox"] is False


def test_page_is_open_but_what_it_asks_needs_the_key(in_process: Callable[..., Any]) -> None:
    app = in_process(api_key_hashes=(hash_key("first"),))

    assert app.get("/", headers=BROWSER).status_code == 200
    assert app.get("/monitor").status_code == 200
    assert app.get("/web/js/app.js").status_code == 200
    assert app.get("/v1/page").status_code == 401
    assert app.post("/v1/corrections").status_code == 401
    assert app.get("/v1/page", headers={"x-api-key": "first"}).status_code == 200


def test_candidates_are_what_thresholds_leave_out(served: Any) -> None:
    picture = paint({(1, 2): "with_mask"})
    picture[96:128, 96:128] = (50, 0, 0)  # too weak even to leave doubt
    body = cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()

    def answer(query: str) -> dict[str, Any]:
        response = served.post(f"/v1/detect{query}", content=body, headers={"content-type": "image/png"})
        return dict(response.json()["results"][0])

    both = answer("?candidates=true")
    assert [one["label"] for one in both["detections"]] == ["with_mask"]
    assert [one["label"] for one in both["candidates"]] == ["with_mask", "without_mask"]
    assert both["candidates"][1]["score"] < 0.5
    assert both["verdict"]["counts"]["without_mask"] == 0
    assert "candidates" not in answer("")


def test_candidates_are_exact_so_that_the_page_can_judge_them(served: Any, tiny_bundle: Path) -> None:
    picture = np.zeros((97, 131, 3), np.uint8)
    picture[:] = np.linspace(90, 255, 131)[:, None] * (0, 1, 0)
    body = cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()

    answer = served.post("/v1/detect?candidates=true", content=body, headers={"content-type": "image/png"})

    said = answer.json()["results"][0]["candidates"]
    found = Detector(load_bundle(tiny_bundle)).detect(picture)
    assert len(found) > 20
    assert np.array_equal(np.array([one["score"] for one in said], np.float32), found.scores)
    assert np.array_equal(np.array([one["box"] for one in said], np.float32), found.boxes)


def test_wheel_holds_the_page(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=REPO,
        check=True,
        capture_output=True,
    )

    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"maskdet/serving/web/{name}" for name in [*ASSETS, *PAGES.values()]} <= set(names)
