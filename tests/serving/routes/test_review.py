"""The review queue's API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inbox_pictures import proposal, stored

from maskdet.inbox.inbox import Inbox
from maskdet.inbox.record import Origin, Record
from maskdet.serving.http.hashing import hash_key
from maskdet.serving.settings import ServeSettings

HERE = {"host": "127.0.0.1"}
JSON = {"content-type": "application/json"}
BOX = {"label": "with_mask", "box": [1, 2, 30, 40]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("review") / "inbox"


@pytest.fixture(scope="module")
def app(tiny_bundle: Path, folder: Path, start_engine: Any) -> Iterator[Any]:
    """One application for all tests; those that need pictures start with the same five."""
    with start_engine(tiny_bundle, ServeSettings(inbox=folder)) as running:
        yield running


@pytest.fixture
def queue(app: Any, folder: Path) -> list[Record]:
    """Five proposals, the earliest first, and nothing else."""
    inbox = Inbox(folder)
    inbox.remove([one.name for one in inbox.records()], "removed")
    origins = [Origin(model="tiny", camera=camera) for camera in ("north", "south", "north", "", "north")]
    whys = ["uncertain", "uncertain", "random", "audit", "near-threshold"]
    made = [
        inbox.propose(proposal(seed, why, origin=origin))
        for seed, (why, origin) in enumerate(zip(whys, origins, strict=True))
    ]
    return [one for one in made if one is not None]


def listed(app: Any, query: str = "") -> dict[str, Any]:
    response = app.get(f"/v1/review/pictures{query}", headers=HERE)
    assert response.status_code == 200, response.text
    return dict(response.json())


def decide(app: Any, name: str, decision: str, revision: int = 1, **more: Any) -> Any:
    body = {"decision": decision, "revision": revision, **more}
    return app.post(f"/v1/review/pictures/{name}/decision", json=body, headers=HERE)


def test_queue_is_listed_with_what_is_left(app: Any, queue: list[Record]) -> None:
    found = listed(app)

    assert [one["name"] for one in found["pictures"]] == [one.name for one in queue]
    first = found["pictures"][0]
    assert (first["state"], first["revision"], first["why"], first["camera"]) == (
        "proposal",
        1,
        "uncertain",
        "north",
    )
    assert first["faces"][1] == {
        "label": "without_mask",
        "box": [100, 90, 150, 140],
        "score": 0.48,
        "disputed": True,
        "difficult": False,
    }
    assert found["left"] == {"proposal": 5}
    assert found["whys"] == {"uncertain": 2, "random": 1, "audit": 1, "near-threshold": 1}
    assert found["cameras"] == {"north": 3, "south": 1}
    assert (found["models"], found["today"], found["next"]) == ({"tiny": 5}, {}, "")


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("?why=uncertain", [0, 1]),
        ("?camera=north", [0, 2, 4]),
        ("?camera=north&why=random", [2]),
        ("?model=other", []),
        ("?state=accepted", []),
        ("?state=skipped", []),
        ("?after=nonsense", [0, 1, 2, 3, 4]),
    ],
)
def test_filters(app: Any, queue: list[Record], query: str, places: list[int]) -> None:
    assert [one["name"] for one in listed(app, query)["pictures"]] == [queue[at].name for at in places]


def test_pages_hold_when_pictures_are_decided_in_between(app: Any, queue: list[Record]) -> None:
    first = listed(app, "?limit=2")
    decide(app, queue[0].name, "accept")
    decide(app, queue[1].name, "skip")
    second = listed(app, f"?limit=2&after={first['next']}")
    third = listed(app, f"?limit=2&after={second['next']}")

    assert [one["name"] for one in second["pictures"]] == [queue[2].name, queue[3].name]
    # What was skipped comes last.
    assert [one["name"] for one in third["pictures"]] == [queue[4].name, queue[1].name]
    assert third["next"] == ""


def test_decisions_are_counted(app: Any, queue: list[Record]) -> None:
    for record, decision in zip(queue, ("accept", "correct", "skip", "reject"), strict=False):
        assert decide(app, record.name, decision, boxes=[BOX] if decision == "correct" else None).is_success

    found = listed(app)

    assert found["left"] == {"proposal": 1, "skipped": 1}
    assert found["today"] == {"accepted": 1, "corrected": 1, "skipped": 1, "rejected": 1}
    assert listed(app, "?since=253402300799")["today"] == {}
    [corrected] = listed(app, "?state=corrected")["pictures"]
    shown = {**BOX, "score": None, "disputed": False, "difficult": False}
    assert corrected["faces"] == [shown]


def test_a_difficult_face_stays_difficult(app: Any, queue: list[Record]) -> None:
    difficult = {**BOX, "difficult": True}

    corrected = decide(app, queue[0].name, "correct", boxes=[difficult]).json()

    assert corrected["faces"] == [{**difficult, "score": None, "disputed": False}]


def test_picture_is_sent_and_kept_to_this_page(app: Any, queue: list[Record], folder: Path) -> None:
    response = app.get(f"/v1/review/pictures/{queue[0].name}/picture", headers=HERE)

    assert response.content == (folder / "proposals" / queue[0].file).read_bytes()
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_decision_and_undo(app: Any, queue: list[Record], folder: Path) -> None:
    name = queue[0].name
    answer = decide(app, name, "correct", boxes=[BOX]).json()
    assert (answer["state"], answer["revision"], answer["decision"]["by"]) == ("corrected", 2, "")
    assert f"JPEGImages/{queue[0].file}" in stored(folder)

    undone = app.post(f"/v1/review/pictures/{name}/undo", json={"revision": 2}, headers=HERE)

    assert (undone.status_code, undone.json()["state"]) == (200, "proposal")
    assert app.get(f"/v1/review/pictures/{name}", headers=HERE).json() == undone.json()
    assert f"proposals/{queue[0].file}" in stored(folder)


def test_two_reviewers_never_overwrite_each_other(app: Any, queue: list[Record]) -> None:
    name = queue[0].name
    assert decide(app, name, "accept").status_code == 200

    for response in (
        decide(app, name, "reject"),
        app.post(f"/v1/review/pictures/{name}/undo", json={"revision": 1}, headers=HERE),
    ):
        assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")

    assert listed(app, "?state=accepted")["pictures"][0]["name"] == name


@pytest.mark.parametrize(
    ("path", "sent", "status", "code"),
    [
        ("NAME/decision", {"json": {"decision": "maybe", "revision": 1}}, 422, "bad_option"),
        ("NAME/decision", {"json": {"decision": "accept"}}, 422, "bad_option"),
        ("NAME/decision", {"json": {"decision": "accept", "revision": "x"}}, 422, "bad_option"),
        ("NAME/decision", {"json": {"decision": "accept", "revision": 1, "by": "me"}}, 422, "bad_option"),
        ("NAME/decision", {"json": {"decision": "correct", "revision": 1}}, 422, "bad_option"),
        (
            "NAME/decision",
            {"json": {"decision": "correct", "revision": 1, "boxes": [{**BOX, "label": "hat"}]}},
            422,
            "bad_option",
        ),
        (
            "NAME/decision",
            {"json": {"decision": "correct", "revision": 1, "boxes": [{**BOX, "box": [5, 5, 5, 5]}]}},
            422,
            "bad_option",
        ),
        ("NAME/decision", {"json": [1]}, 422, "bad_option"),
        (
            "NAME/decision",
            {"content": b"{", "headers": {"content-type": "application/json"}},
            400,
            "malformed_body",
        ),
        ("NAME/decision", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "wrong_type"),
        ("0000000000000000/decision", {"json": {"decision": "skip", "revision": 1}}, 404, "unknown_picture"),
        ("..%2f..%2fx/decision", {"json": {"decision": "skip", "revision": 1}}, 404, "unknown_route"),
        ("NAME/undo", {"json": {"revision": 0}}, 422, "bad_option"),
        ("NAME/undo", {"json": {"revision": 1}}, 409, "conflict"),
        ("NAME/undo", {"json": {"revision": 10**12}}, 422, "bad_option"),
    ],
)
def test_what_cannot_be_is_refused(
    app: Any, queue: list[Record], folder: Path, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    headers = {**HERE, **sent.get("headers", {})}
    url = f"/v1/review/pictures/{path.replace('NAME', queue[0].name)}"

    response = app.post(url, **{**sent, "headers": headers})

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert json.loads((folder / "records" / f"{queue[0].name}.json").read_text())["revision"] == 1


@pytest.mark.parametrize(
    "query",
    ["?limit=0", "?limit=201", "?state=all", "?since=nan", "?since=-1", "?x=1", "?why=" + "a" * 201],
)
def test_bad_queries_are_refused(app: Any, query: str) -> None:
    response = app.get(f"/v1/review/pictures{query}", headers=HERE)

    assert (response.status_code, response.json()["error"]["code"]) == (422, "bad_option")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8866"}, 200),
        ({"host": "localhost:8866"}, 200),
        ({"host": "[::1]:8866"}, 200),
        ({"host": "127.0.0.1", "origin": "http://127.0.0.1"}, 200),
        ({"host": "gate.example"}, 403),
        ({"host": "127.0.0.1", "origin": "http://evil.example"}, 403),
        ({"host": "127.0.0.1", "x-forwarded-for": "10.0.0.9"}, 403),
    ],
)
def test_without_keys_only_people_at_the_machine_see_pictures(
    app: Any, queue: list[Record], headers: dict[str, str], status: int
) -> None:
    for path in ("", f"/{queue[0].name}", f"/{queue[0].name}/picture"):
        assert app.get(f"/v1/review/pictures{path}", headers=headers).status_code == status


@pytest.mark.parametrize(("keys", "status"), [(False, 403), (True, 200)])
def test_pages_of_other_origins_need_a_key(
    in_process: Callable[..., Any], tmp_path: Path, keys: bool, status: int
) -> None:
    key = {"name": "anna", "hash": hash_key("secret"), "scopes": ["review"]}
    app = in_process(inbox=str(tmp_path), cors_origins=("*",), api_keys=[key] if keys else [])
    headers = {**HERE, "origin": "https://friend.example", "x-api-key": "secret"}

    assert app.get("/v1/review/pictures", headers=headers).status_code == status


@pytest.fixture
def keyed(in_process: Callable[..., Any], tmp_path: Path) -> Any:
    key = {"name": "anna", "hash": hash_key("secret"), "scopes": ["review"]}
    return in_process(inbox=str(tmp_path), api_keys=[key])


def test_decision_keeps_the_name_of_the_key(keyed: Any, tmp_path: Path) -> None:
    record = Inbox(tmp_path).propose(proposal())
    assert record is not None
    key = {"x-api-key": "secret", "host": "gate.example"}

    body = {"decision": "accept", "revision": 1}
    answer = keyed.post(f"/v1/review/pictures/{record.name}/decision", json=body, headers=key)

    assert answer.json()["decision"]["by"] == "anna"
    assert answer.json()["decision"]["at"].endswith("Z")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert (lines[-1]["what"], lines[-1]["by"]) == ("accepted", "anna")


def test_without_an_inbox_there_is_no_queue(served: Any) -> None:
    response = served.get("/v1/review/pictures", headers=HERE)

    assert (response.status_code, response.json()["error"]["code"]) == (403, "no_inbox")


def test_routes_are_documented(app: Any) -> None:
    document = app.app.api.openapi()
    posted = document["paths"]["/v1/review/pictures/{name}/decision"]["post"]

    assert "decision" in posted["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert "$ref" not in json.dumps(posted["requestBody"])
    for path in ("", "/{name}", "/{name}/picture", "/{name}/undo"):
        assert f"/v1/review/pictures{path}" in document["paths"]
    assert "/v1/review/pictures" in app.get("/docs").text
