"""Forms: what browsers and programs send, and what is refused."""

from __future__ import annotations

import base64
from binascii import b2a_qp
from urllib.parse import urlencode

import httpx
import pytest
from starlette.datastructures import Headers

from maskdet.serving.http.base64_reading import STEP, decode_base64
from maskdet.serving.http.forms import MAX_ESCAPES, MAX_FIELDS, Upload, form_picture, read_form
from maskdet.serving.http.multipart import MAX_PART_HEAD
from maskdet.serving.refusals import BodyTooLarge, MalformedBody, WrongType

MULTIPART = Headers({"content-type": "multipart/form-data; boundary=b"})
URLENCODED = Headers({"content-type": "application/x-www-form-urlencoded; charset=utf-8"})


def part(disposition: str, data: bytes = b"x") -> bytes:
    return f"--b\r\nContent-Disposition: form-data{disposition}\r\n\r\n".encode() + data + b"\r\n"


def test_form_of_a_client_library_is_read() -> None:
    noise = bytes(range(256)) * 3000 + b"\r\n--"
    sent = httpx.Request(
        "POST",
        "http://x",
        data={"threshold": "0.5", "口罩": "是"},
        files=[("image", ('图 "1".png', noise, "image/png")), ("image", ("b.jpg", b"", "image/jpeg"))],
    )

    items = read_form(sent.read(), Headers(dict(sent.headers)), max_files=2)

    assert items[:2] == [("threshold", "0.5"), ("口罩", "是")]
    assert [value.data for _, value in items[2:] if isinstance(value, Upload)] == [noise, b""]
    assert [value.filename for _, value in items[2:] if isinstance(value, Upload)][1] == "b.jpg"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"preamble\r\n" + part('; name="a"') + b"--b--\r\nepilogue", [("a", "x")]),
        (part("; name=a") + b"--b--", [("a", "x")]),
        (part('; NAME="a"; filename=""', b"") + b"--b--", []),
        (part('; name="a"; filename=""', b"y") + b"--b--", [("a", Upload(b"y"))]),
        (part('; filename="f;name=no"; name="a"', b"") + b"--b--", [("a", Upload(b"", "f;name=no"))]),
        (part(r'; name="a"; filename="q\".png"') + b"--b--", [("a", Upload(b"x", 'q".png'))]),
        (part("; name=a; filename*=UTF-8''%E5%9B%BE%27.jpg") + b"--b--", [("a", Upload(b"x", "图'.jpg"))]),
        (part("; name=a; filename*=iso-8859-1'en'%E9") + b"--b--", [("a", Upload(b"x", "é"))]),
        (part("; name=a; filename*=x; filename=y") + b"--b--", [("a", Upload(b"x", "y"))]),
        (b'--b  \r\ncontent-disposition:form-data; name="a"\r\nX-Y: z\r\n\r\n\r\n--b--', [("a", "")]),
        (part('; name="a"', b"\xff\r\n--\r\nb") + b"--b--", [("a", "ÿ\r\n--\r\nb")]),
        (b"--b--\r\n", []),
    ],
)
def test_multipart(body: bytes, expected: list[object]) -> None:
    assert read_form(body, MULTIPART, max_files=1) == expected


NOISE = bytes(range(256)) * 3000


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("base64", base64.encodebytes(NOISE)),
        ("BASE64 ", base64.b64encode(NOISE)),
        ("quoted-printable", b2a_qp(NOISE, istext=False).replace(b"\n", b"\r\n")),
        ("8bit", NOISE),
    ],
)
def test_parts_are_decoded_as_their_headers_say(encoding: str, sent: bytes) -> None:
    head = f'; name="a";\r\n\tfilename="f"\r\nContent-Transfer-Encoding: {encoding}'

    assert read_form(part(head, sent) + b"--b--", MULTIPART, max_files=1) == [("a", Upload(NOISE, "f"))]


@pytest.mark.parametrize(
    ("encoding", "sent", "why"),
    [
        ("x-uuencode", b"x", "unknown encoding 'x-uuencode'"),
        ("base64", b"?", "base64"),
        ("quoted-printable", b"x" * 1_000_000, "malformed"),
    ],
)
def test_parts_that_cannot_be_decoded_are_refused_for_that(encoding: str, sent: bytes, why: str) -> None:
    body = part(f"; name=a; filename=f\r\nContent-Transfer-Encoding: {encoding}", sent) + b"--b--"
    with pytest.raises(MalformedBody, match=why):
        read_form(body, MULTIPART, max_files=1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--b",
        part('; name="a"'),
        part('; name="a"') + b"--b",
        part("") + b"--b--",
        b"--b\r\nContent-Type: x\r\n\r\ny\r\n--b--",
        b'--bx\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--',
        part('; name="' + "a" * MAX_PART_HEAD + '"') + b"--b--",
        part('; name="a"' + ';name="' * 9) + b"--b--",
    ],
)
def test_damaged_multipart_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_form(body, MULTIPART, max_files=1)


def test_parts_are_counted() -> None:
    many = part('; name="a"') * (MAX_FIELDS + 1) + b"--b--"
    with pytest.raises(BodyTooLarge, match=f"more than {MAX_FIELDS} fields"):
        read_form(many, MULTIPART, max_files=1)
    with pytest.raises(BodyTooLarge, match="more than 2 pictures"):
        read_form(part('; name="a"; filename="f"') * 3 + b"--b--", MULTIPART, max_files=2)
    with pytest.raises(BodyTooLarge, match=f"more than {MAX_FIELDS} fields"):
        read_form(b"a=1&" * 1_000_000, URLENCODED, max_files=1)


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300],
)
def test_form_without_a_boundary_is_refused(kind: str) -> None:
    with pytest.raises(MalformedBody, match="boundary"):
        read_form(b"--b--", Headers({"content-type": kind}), max_files=1)


def test_other_types_are_no_forms() -> None:
    with pytest.raises(WrongType):
        read_form(b"{}", Headers({"content-type": "application/json"}), max_files=1)


def test_charset_of_the_client_decodes_nothing() -> None:
    """Some codecs run for minutes, and some make halves of surrogate pairs."""
    headers = Headers({"content-type": "multipart/form-data; boundary=b; charset=unicode_escape"})
    body = part('; name="a"; filename="\\ud800"') + b"--b--"

    assert read_form(body, headers, max_files=1) == [("a", Upload(b"x", "\\ud800"))]


def test_urlencoded_is_unquoted_across_steps() -> None:
    value = "口罩 + % &=" * 20_000
    fields = {"data": value, "empty": "", "b": "1"}

    items = read_form(urlencode(fields).encode() + b"&&flag", URLENCODED, max_files=1)

    assert items == [*fields.items(), ("flag", "")]


def test_escapes_are_counted() -> None:
    with pytest.raises(BodyTooLarge, match="escapes"):
        read_form(b"image=" + b"%" * (MAX_ESCAPES + 1), URLENCODED, max_files=1)


@pytest.mark.parametrize("size", [0, 1, 2, 3 * STEP // 4, 3 * STEP // 4 + 1, 2 * STEP + 7])
def test_base64_is_decoded_across_steps(size: int) -> None:
    data = bytes(index * 7 % 251 for index in range(size))
    text = base64.b64encode(data).decode()
    lines = base64.encodebytes(data).decode().replace("\n", "\r\n")

    for one in (text, f"data:image/png;base64,{text}", f"DATA:;base64,{text}", lines):
        assert decode_base64(one) == data


def test_base64_in_an_urlencoded_body_may_have_its_plus_as_it_is() -> None:
    data = b"\xfb\xef\xbe" * 100_000
    text = base64.b64encode(data).decode()
    assert text.startswith("++++")

    for body in (b"image=" + text.encode(), urlencode({"image": text[:800_000]}).encode()):
        [(_, value)] = read_form(body, URLENCODED, max_files=1)
        assert isinstance(value, str)
        assert form_picture(value, URLENCODED) == data

    with pytest.raises(MalformedBody):
        form_picture(text.replace("+", " "), MULTIPART)


@pytest.mark.parametrize(
    "text",
    [
        "?",
        "AA A",
        "AAA",
        "A" * (STEP - 2) + "==" + "AAAA",
        "AA==AAAA",
        "é",
        "data:image/png,AAAA",
        "A" * STEP + "A",
    ],
)
def test_damaged_base64_is_refused(text: str) -> None:
    with pytest.raises(MalformedBody):
        decode_base64(text)
