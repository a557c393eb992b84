"""The review page in a real browser, against the real server process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import httpx
import pytest
from inbox_pictures import proposal
from page_server import Server, serving

from maskdet.inbox.inbox import Inbox
from maskdet.inbox.record import Origin, Record
from maskdet.serving.http.hashing import hash_key

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.slow, pytest.mark.skipif(chromium.PATH is None, reason="no Chromium is installed")]

PATIENCE_MS = 60_000
KEYS = "serve.api_keys=[{}]".format(
    ", ".join(
        f"{{name: {name}, hash: {hash_key(name)}, scopes: [{scope}]}}"
        for name, scope in (("anna", "review"), ("bob", "review"), ("camera", "detect"))
    )
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("review"), "--inbox", "inbox", "--set", KEYS) as running:
        yield running


@pytest.fixture
def queue(server: Server) -> list[Record]:
    """Four proposals, and nothing else."""
    inbox = Inbox(server.inbox)
    inbox.remove([one.name for one in inbox.records()], "removed")
    whys = ("uncertain", "near-threshold", "random", "uncertain")
    cameras = ("north", "north", "south", "")
    made = [
        inbox.propose(proposal(seed, why, origin=Origin(model="tiny", bundle="0123456789ab", camera=camera)))
        for seed, (why, camera) in enumerate(zip(whys, cameras, strict=True))
    ]
    return [one for one in made if one is not None]


@pytest.fixture
def open_page(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """A maker of pages whose key has been typed; the console must stay empty but for refused requests."""
    contexts, said = [], []

    def make(key: str = "anna", **options: Any) -> Any:
        wanted = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**wanted)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{server.url}/review")
        page.locator("#key").fill(key)
        page.locator("#key").press("Enter")
        return page

    yield make
    for context in contexts:
        context.close()
    assert [line for line in said if not line.startswith("Failed to load resource")] == []


def shown(page: Any, number: int, total: int) -> None:
    """Wait until the picture of that number is on the stage."""
    # An empty queue hides the last picture, whose title stays.
    expect(page.locator("#view")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#picture-title")).to_have_text(f"Picture {number} of {total}", timeout=PATIENCE_MS)
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")


def kept(server: Server, record: Record) -> Record:
    return Inbox(server.inbox).record(record.name)


def test_everything_by_keyboard(open_page: Callable[..., Any], server: Server, queue: list[Record]) -> None:
    page = open_page()
    shown(page, 1, 4)
    expect(page.locator("#facts")).to_contain_text("verdict uncertain")
    expect(page.locator("#faces li")).to_have_count(2)
    expect(page.locator("#faces .disputed")).to_have_text("in dispute")

    page.keyboard.press("a")
    shown(page, 1, 3)
    page.keyboard.press("f")
    page.locator(".box").last.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    shown(page, 1, 2)
    page.keyboard.press("r")
    shown(page, 1, 1)
    page.keyboard.press("s")
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#left")).to_have_text("1 picture left, 1 of them skipped")
    expect(page.locator("#today")).to_have_text("Today: Accepted 1 · Corrected 1 · Skipped 1 · Rejected 1")
    page.keyboard.press("u")
    shown(page, 1, 1)
    page.keyboard.press("u")
    shown(page, 1, 2)
    page.keyboard.press("j")
    shown(page, 2, 2)
    page.keyboard.press("k")
    shown(page, 1, 2)
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("a")  # the list of keys is open, and nothing else hears them
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    expect(page.locator("#decide")).to_be_visible()

    states = [kept(server, one).state for one in queue]
    assert states == ["accepted", "corrected", "proposal", "proposal"]
    accepted, corrected = kept(server, queue[0]), kept(server, queue[1])
    assert accepted.decision is not None
    assert accepted.decision.by == "anna"
    assert [(one.label, one.box) for one in corrected.boxes] == [
        ("with_mask", (10, 20, 60, 80)),
        ("mask_weared_incorrect", (101, 90, 151, 140)),
    ]


def test_a_difficult_face_stays_difficult(open_page: Callable[..., Any], server: Server) -> None:
    inbox = Inbox(server.inbox)
    inbox.remove([one.name for one in inbox.records()], "removed")
    plain, other = proposal(7).faces
    record = inbox.propose(replace(proposal(7), faces=[plain.model_copy(update={"difficult": True}), other]))
    assert record is not None
    page = open_page()
    shown(page, 1, 1)
    expect(page.locator("#faces .difficult")).to_have_text("difficult")

    page.keyboard.press("f")
    page.locator(".box").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#nothing")).to_be_visible()

    corrected = kept(server, record)
    assert [(one.box, one.difficult) for one in corrected.boxes] == [
        ((11, 20, 61, 80), True),
        ((100, 90, 150, 140), False),
    ]


def test_filters_and_decided_pictures(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    Inbox(server.inbox).decide(queue[3].name, "accept", revision=1, by="bob")
    page = open_page()
    shown(page, 1, 3)

    page.get_by_label("Camera").select_option("north")
    shown(page, 1, 2)
    page.get_by_label("Reason").select_option("random")
    expect(page.locator("#nothing-text")).to_have_text("No picture matches the filters.")
    page.get_by_label("Reason").select_option("")
    page.get_by_label("Camera").select_option("")
    page.get_by_label("State").select_option("accepted")
    shown(page, 1, 1)
    expect(page.locator("#facts")).to_contain_text("Accepted by bob")
    expect(page.locator("#results-title")).to_have_text("Faces as decided")


def test_filters_chosen_during_an_answer_apply(open_page: Callable[..., Any], queue: list[Record]) -> None:
    del queue
    page = open_page()
    shown(page, 1, 4)
    held: list[Any] = []
    page.route("**/v1/review/pictures?*", lambda route: held.append(route), times=1)  # noqa: PLW0108 it wraps names

    page.get_by_label("Camera").select_option("north")
    page.get_by_label("Reason").select_option("uncertain")
    held[0].continue_()

    shown(page, 1, 1)
    expect(page.get_by_label("Camera")).to_have_value("north")
    expect(page.get_by_label("Reason")).to_have_value("uncertain")


def test_reviewers_do_not_overwrite_each_other(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)
    url = f"{server.url}/v1/review/pictures/{queue[0].name}/decision"
    body = {"decision": "reject", "revision": 1}
    httpx.post(url, json=body, headers={"x-api-key": "bob"}).raise_for_status()

    page.keyboard.press("a")

    expect(page.locator("#notice")).to_contain_text("Somebody else decided")
    shown(page, 1, 3)
    decision = kept(server, queue[0]).decision
    assert decision is not None
    assert (decision.by, decision.how) == ("bob", "reject")


def hold_down(page: Any, key: str, total: int) -> None:
    """Until the next picture is shown, with so many left, and then for longer."""
    page.keyboard.down(key)
    shown(page, 1, total)
    for _ in range(3):
        page.keyboard.down(key)
        page.wait_for_timeout(200)
    page.keyboard.up(key)


def test_a_key_that_is_held_down_decides_once(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)

    hold_down(page, "r", 3)
    page.locator("[data-action=accept]").focus()
    hold_down(page, "Enter", 2)

    shown(page, 1, 2)
    assert [kept(server, one).state for one in queue] == ["rejected", "accepted", "proposal", "proposal"]


def test_a_key_that_is_held_down_goes_through_the_pictures(
    open_page: Callable[..., Any], queue: list[Record]
) -> None:
    del queue
    page = open_page()
    shown(page, 1, 4)

    for number in (2, 3, 4):
        page.keyboard.down("j")
        shown(page, number, 4)


def test_the_next_picture_is_shown_also_if_the_counts_cannot_be_fetched(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)
    page.route("**/v1/review/pictures?*", lambda asked: asked.abort(), times=1)

    page.keyboard.press("a")

    expect(page.locator("#notice")).to_contain_text("cannot be reached")
    shown(page, 1, 3)
    expect(page.locator("#facts")).to_contain_text("score near the threshold")
    page.keyboard.press("r")
    shown(page, 1, 2)
    expect(page.locator("#notice")).to_be_hidden()
    assert [kept(server, one).state for one in queue] == ["accepted", "rejected", "proposal", "proposal"]


def test_nobody_decides_on_a_picture_that_could_not_be_fetched(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)
    unseen = f"**/{queue[2].name}/picture"
    page.route(unseen, lambda asked: asked.abort())
    page.keyboard.press("a")
    shown(page, 1, 3)

    page.keyboard.press("a")
    notice = page.locator("#notice")
    expect(notice).to_contain_text("cannot be reached")
    assert page.locator("#canvas").evaluate("canvas => canvas.width") == 0
    with page.expect_event("requestfailed"):
        page.keyboard.press("a")
    expect(notice).to_contain_text("cannot be reached")
    page.unroute(unseen)
    page.keyboard.press("a")

    shown(page, 1, 2)
    expect(notice).to_be_hidden()
    assert [kept(server, one).state for one in queue] == ["accepted", "accepted", "proposal", "proposal"]
    page.keyboard.press("a")
    shown(page, 1, 1)
    assert kept(server, queue[2]).state == "accepted"


def test_an_undo_that_failed_can_be_repeated(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)
    page.keyboard.press("r")
    shown(page, 1, 3)
    page.route("**/undo", lambda asked: asked.abort(), times=1)

    page.keyboard.press("u")
    expect(page.locator("#notice")).to_contain_text("cannot be reached")
    page.keyboard.press("u")

    shown(page, 1, 4)
    assert kept(server, queue[0]).state == "proposal"


def test_key_of_another_scope_is_told(open_page: Callable[..., Any], queue: list[Record]) -> None:
    page = open_page("camera")

    expect(page.locator("#notice")).to_contain_text("it needs the scope review")
    page.get_by_role("button", name="Use another key").click()
    page.locator("#key").fill("anna")
    page.locator("#key").press("Enter")
    shown(page, 1, 4)


def test_no_filter_drops_the_boxes_of_a_picture_being_fixed(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)
    filters = page.locator("#filters select:disabled")
    page.keyboard.press("f")
    page.get_by_role("button", name="Add a box").click()

    expect(filters).to_have_count(4)
    page.keyboard.press("Enter")
    shown(page, 1, 3)

    expect(filters).to_have_count(0)
    assert len(kept(server, queue[0]).boxes) == 3


def test_escape_drops_no_boxes_unasked(open_page: Callable[..., Any], queue: list[Record]) -> None:
    del queue
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        if len(asked) == 2:
            dialog.accept()
        else:
            dialog.dismiss()

    page = open_page()
    page.on("dialog", answer)
    shown(page, 1, 4)
    page.keyboard.press("f")
    page.get_by_role("button", name="Add a box").click()
    boxes, fixing = page.locator("#boxes li"), page.locator("#correction")

    page.get_by_label("Label of box 3").click()
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")  # It closes the drop-down.
    page.wait_for_timeout(100)
    for field in ("Label of box 3", "Left of box 3"):
        page.get_by_label(field).press("Escape")
        expect(page.locator(".box").last).to_be_focused()
        expect(boxes).to_have_count(3)
    assert asked == []
    for left in (True, False):
        page.keyboard.press("Escape")
        expect(fixing).to_be_visible(visible=left)

    assert asked == ["The boxes that you changed have not been sent. Go on without them?"] * 2


def test_boxes_outlive_a_change_of_the_key(
    open_page: Callable[..., Any], server: Server, queue: list[Record]
) -> None:
    page = open_page()
    shown(page, 1, 4)
    page.keyboard.press("j")
    shown(page, 2, 4)
    page.keyboard.press("f")
    page.get_by_role("button", name="Add a box").click()
    page.evaluate("sessionStorage.setItem('maskdet-key', 'camera')")
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Use another key").click()
    page.locator("#key").fill("bob")
    page.locator("#key").press("Enter")

    shown(page, 2, 3)
    assert [len(kept(server, one).boxes) for one in queue[:2]] == [0, 3]


@pytest.mark.parametrize(("scheme", "width", "locale"), [("light", 1280, "en-US"), ("dark", 390, "zh-CN")])
def test_touch_and_accessibility(
    open_page: Callable[..., Any],
    server: Server,
    queue: list[Record],
    tmp_path: Path,
    scheme: str,
    width: int,
    locale: str,
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    size = {"width": width, "height": 844}
    page = open_page(color_scheme=scheme, viewport=size, locale=locale, has_touch=True)

    def check(state: str) -> None:
        found = axe.run(page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["any"]) for one in serious] == [], state
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
        page.screenshot(path=tmp_path / f"{state}.png")

    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")
    check("queue")
    page.locator("[data-action=fix]").tap()
    page.locator(".box").first.tap()
    check("fixing")
    page.locator("[data-action=save]").tap()
    expect(page.locator("#decide")).to_be_visible()
    page.locator("[data-action=accept]").tap()
    title = "第 1 张，共 2 张" if locale == "zh-CN" else "Picture 1 of 2"
    expect(page.locator("#picture-title")).to_have_text(title)
    assert [kept(server, one).state for one in queue[:2]] == ["corrected", "accepted"]
    page.locator("[data-action=keys]").tap()
    check("keys")
    assert page.evaluate("document.documentElement.lang") == ("zh-CN" if locale == "zh-CN" else "en")
