from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from support import paint

from maskdet.errors import ServingError, UsageError
from maskdet.serving.client import Client, pictures_in
from maskdet.serving.http.hashing import hash_key, read_keys


@pytest.fixture(scope="module")
def server(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Any) -> Iterator[Any]:
    runtime = tmp_path_factory.mktemp("runtime")
    with start_server(tiny_bundle, runtime, api_key_hashes=[hash_key("key")]) as one:
        yield one


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two pictures, a broken one between them, and a text."""
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    cv2.imwrite(str(folder / "a.png"), paint({(1, 1): "with_mask"})[:, :, ::-1])
    (folder / "b.jpg").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "deep" / "c.png"), paint({})[:, :, ::-1])
    (folder / "notes.txt").write_text("not sent")
    return folder


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_each_picture_has_its_reply_in_order(server: Any, pictures: Path, batch_size: int) -> None:
    with Client(server.url, "key") as client:
        first, broken, empty = client.detect(pictures_in([pictures]), batch_size)

    assert (first.file.name, first.verdict, first.faces) == ("a.png", "ok", (("with_mask", 1.0),))
    assert (broken.file.name, broken.faces) == ("b.jpg", ())
    assert "picture" in broken.error
    assert (empty.file.name, empty.faces, empty.error) == ("c.png", (), "")
    assert first.milliseconds > 0
    assert len(first.bundle) == 12


def test_a_folder_gives_pictures_that_are_not_decoded_and_no_hidden_ones(tmp_path: Path) -> None:
    for name in ("IMG_1.HEIC", "IMG_2.jpg", "._IMG_2.jpg", ".cache/x.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in pictures_in([tmp_path])] == ["IMG_1.HEIC", "IMG_2.jpg"]
    assert pictures_in([tmp_path / ".cache"]) == [tmp_path / ".cache" / "x.jpg"]


def test_a_folder_gives_pictures_of_linked_folders(pictures: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "gate").symlink_to(pictures / "deep")
    assert pictures_in([links]) == [links / "gate" / "c.png"]


def test_camera_of_a_client_is_counted(server: Any, pictures: Path) -> None:
    with Client(server.url, "key", camera="gate") as client:
        list(client.detect([pictures / "a.png"]))

    metrics = httpx.get(f"{server.url}/metrics", headers={"x-api-key": "key"}, trust_env=False).text
    assert 'maskdet_pictures_total{camera="gate",verdict="ok"} 1.0' in metrics
    with pytest.raises(UsageError, match="camera"):
        Client(server.url, camera="大门")


def test_file_that_cannot_be_read_is_its_own_fault(server: Any, pictures: Path) -> None:
    gone = pictures / "gone.png"
    with Client(server.url, "key") as client:
        replies = list(client.detect([gone, pictures / "a.png"], 2))

    assert "No such file" in replies[0].error
    assert replies[1].error == ""


def test_refusal_of_all_is_raised_with_its_reason(server: Any, pictures: Path) -> None:
    with Client(server.url) as client, pytest.raises(ServingError, match="no valid API key") as refused:
        list(client.detect([pictures / "a.png"]))
    assert "X-API-Key" in refused.value.hint


@pytest.mark.parametrize("path", ["", "/", "/v1/detect"])
def test_address_may_name_the_route(server: Any, pictures: Path, path: str) -> None:
    with Client(server.url + path, "key") as client:
        [reply] = client.detect([pictures / "a.png"])
    assert reply.error == ""


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8866",
        "ftp://host",
        "",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:abc",
        "http://[",
        "http://a b",
        "http://a/b c",
        "http://a\n",
        "http://a..b",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not the URL") as refused:
        Client(url)
    assert repr(url) in refused.value.what


def test_no_server_and_another_server_are_told_apart(pictures: Path) -> None:
    other = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    serving = threading.Thread(target=other.handle_request)
    serving.start()
    url = f"http://127.0.0.1:{other.server_port}"
    try:
        with Client(url) as client, pytest.raises(ServingError, match="not as maskdet does"):
            list(client.detect([pictures / "a.png"]))
    finally:
        serving.join()
        other.server_close()
    with Client(url) as client, pytest.raises(ServingError, match="does not answer"):
        list(client.detect([pictures / "a.png"]))


def test_folders_give_their_pictures_and_files_stand_for_themselves(pictures: Path) -> None:
    named = pictures / "notes.txt"

    assert [one.name for one in pictures_in([pictures])] == ["a.png", "b.jpg", "c.png"]
    assert pictures_in([named, named]) == [named]
    with pytest.raises(UsageError, match="no such file"):
        pictures_in([pictures / "nowhere"])
    (pictures / "empty").mkdir()
    with pytest.raises(UsageError, match="there are no pictures"):
        pictures_in([pictures / "empty"])


def test_key_file_holds_keys_only(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# for the gate\n first \n\nsecond\n")
    assert read_keys(path) == ["first", "second"]
    path.write_bytes("\ufefffirst\r\nsecond".encode())
    assert read_keys(path) == ["first", "second"]
    path.write_text("first\nschlüssel\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"keys:2: .* not ASCII") as refused:
        read_keys(path)
    assert "schl" not in str(refused.value)
    path.write_text("# für das Tor\nfirst", encoding="utf-8")
    assert read_keys(path) == ["first"]
    path.write_text("# none\n")
    with pytest.raises(UsageError, match="has no API key"):
        read_keys(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_keys(tmp_path / "none")
