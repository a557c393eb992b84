"""JSON from clients: what is refused before it is parsed, and what is read as ever."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maskdet.serving.http.json_reading import (
    MAX_BLANKS,
    MAX_DIGITS,
    MAX_ESCAPES,
    MAX_MARKS,
    marks,
    read_json,
    read_object,
)
from maskdet.serving.http.json_writing import json_text, printable
from maskdet.serving.refusals import BodyTooLarge, MalformedBody


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_good_json_is_read_in_every_encoding_that_flask_reads(encoding: str) -> None:
    value = {"image": "口罩 \u2028 /9j/", "list": [1, -2.5, 1e3, True, None, {"a": []}]}

    assert read_object(json.dumps(value, ensure_ascii=False).encode(encoding)) == value


def test_escaped_slashes_and_line_breaks_are_text() -> None:
    assert read_object(rb'{"image": "\/9j\/\r\n4A=="}') == {"image": "/9j/\r\n4A=="}


@pytest.mark.parametrize("count", [MAX_MARKS - 2, 2 * MAX_MARKS, 3_000_000])
def test_values_are_counted_before_any_is_made(count: int) -> None:
    text = b'{"images":[' + b",".join([b'""'] * count) + b"]}"
    if count < MAX_MARKS:
        assert len(read_object(text)["images"]) == count
    else:
        with pytest.raises(BodyTooLarge, match=f"more than {MAX_MARKS} commas"):
            read_json(text)


def test_marks_are_found_across_slices() -> None:
    text = b"a" * 65_535 + b",[{:" + b"a" * 70_000 + b","

    assert marks(text, 100).tolist() == [65_535, 65_536, 65_537, 65_538, 135_539]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a":' + "9" * (MAX_DIGITS + 1) + "}", "digits"),
        ('{"a":[0, -' + "9" * 4000 + "]}", "digits"),
        ('{"a":' + "9" * 5000 + "}", "digits"),
        ('{"a":' + "9" * 5001 + "}", "valid JSON"),
        ('{"a": -\r\n' + "9" * 301 + "}", "valid JSON"),
        ('{"a": \t\r\n -' + "9" * 301 + "}", "digits"),
        ("9" * 100_000, "valid JSON"),
        ("[" * 5000, "valid JSON"),
        (r'{"\ud800":1}', "valid JSON"),
        (r'{"a":"\udfff"}', "valid JSON"),
        ('{"a":1', "valid JSON"),
        ("", "valid JSON"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, fault: str) -> None:
    with pytest.raises(MalformedBody, match=fault):
        read_json(text.encode())


def test_long_digits_within_a_text_are_no_number() -> None:
    digits = "4" * 5000

    assert read_json(f'{{"a":"data:image/bmp;base64,{digits}"}}'.encode())["a"].endswith(digits)


def test_escapes_are_counted() -> None:
    with pytest.raises(BodyTooLarge, match="escapes"):
        read_json(b'"' + rb"\/" * (MAX_ESCAPES + 1) + b'"')


@pytest.mark.parametrize("blank", [b" ", b"\t", b"\n"])
def test_blanks_are_counted(blank: bytes) -> None:
    with pytest.raises(BodyTooLarge, match="spaces"):
        read_object(b"{" + blank * (MAX_BLANKS + 1) + b"}")


@pytest.mark.parametrize(
    "body", [b"[1]", b"null", b"5", b'"{}"', b"", b"\xff\xfe", b"[" * 100_000, b"[" + b"{}," * 9999]
)
def test_a_body_is_an_object(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_object(body)


@pytest.mark.parametrize("value", [{"\ud800": "\udfff"}, ["口罩 😷 \ud83d"], "a\u2028\x00"])
def test_everything_can_be_written_and_is_read_back(value: Any) -> None:
    text = json_text(value)

    assert json.loads(text.encode("utf-8")) == value
    assert "口罩 😷" not in repr(value) or "口罩 😷" in text


def test_printable_leaves_whole_characters_alone() -> None:
    assert printable("口罩 😷 \ud800") == "口罩 😷 \\ud800"
