"""Large, worthless bodies aimed at every route of a server."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image

BOUNDARY = b"hostile"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY.decode()}"
URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
BOMB_SIDE = 7000
"""Pixels: the server's default limit."""


class Attack(NamedTuple):
    """One request as bytes; `what` names its route and its kind."""

    what: str
    data: bytes


def attacks(model: str, size: int) -> Iterator[Attack]:
    """Requests with bodies of about `size` bytes, a few hundred of them, created one by one."""
    for path, key in json_routes(model).items():
        for name, make in JSON_KINDS.items():
            yield request(path, JSON, make(key, size), name)
    for path in form_routes(model):
        for name, (kind, form) in FORM_KINDS.items():
            yield request(path, kind, form(size), name)
    for name, picture in RAW_KINDS.items():
        yield request("/v1/detect", "image/*", picture(size), name)
    drawn = file_form(png_bomb())
    yield request(f"/predict/image/{model}", MULTIPART, drawn, "PNG bomb that is drawn")
    yield from tensors(model, size)
    yield from framings(size)


def json_routes(model: str) -> dict[str, str]:
    """Each route that takes JSON, and the key of its pictures."""
    return {
        "/v1/detect": "images",
        f"/predict/{model}": "images",
        "/predict/clas_system": "images",
        "/api/": "image",
        "/ppdet/prediction": "value",
        "/object-detection": "image",
        f"/v2/models/{model}/infer": "inputs",
        "/v1/review/pictures/0123456789abcdef/decision": "boxes",
    }


def form_routes(model: str) -> tuple[str, ...]:
    """Each route that takes forms."""
    named = (f"/predict/image/{model}", f"/predict/{model}")
    return ("/v1/detect", *named, "/infer", "/upload", "/v1/corrections")


def request(path: str, kind: str, body: bytes, name: str, headers: str = "") -> Attack:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    )
    return Attack(f"{path} {name}", f"{head}{headers}Connection: close\r\n\r\n".encode() + body)


def listed(item: bytes) -> Callable[[str, int], bytes]:
    """An object with a list of the same item over and over."""

    def make(key: str, size: int) -> bytes:
        return b'{"%s":[%s]}' % (key.encode(), b",".join([item] * (size // (len(item) + 1))))

    return make


def text(piece: bytes, end: bytes = b"") -> Callable[[str, int], bytes]:
    """An object with one long string."""
    return lambda key, size: b'{"%s":"%s%s"}' % (key.encode(), piece * (size // len(piece)), end)


def pairs(piece: str) -> Callable[[str, int], bytes]:
    """An object with many keys; `%d` in a piece counts them."""

    def make(key: str, size: int) -> bytes:
        count = size // (len(piece) + 6)
        return ("{" + ",".join(piece.replace("%d", str(number)) for number in range(count)) + "}").encode()

    return make


JSON_KINDS: dict[str, Callable[[str, int], bytes]] = {
    "empty texts": listed(b'""'),
    "numbers": listed(b"1"),
    "fractions": listed(b"1.5e3"),
    "objects": listed(b"{}"),
    "objects with a key": listed(b'{"name":"image"}'),
    "lists": listed(b"[]"),
    "pixels": listed(b"[1,2,3]"),
    "nulls": listed(b"null"),
    "long numbers": listed(b"9" * 4299),
    "lone surrogates": listed(rb'"\ud800"'),
    "deep lists": lambda key, size: b'{"%s":' % key.encode() + b"[" * size,
    "deep objects": lambda _, size: b'{"a":' * (size // 5),
    "long key": lambda _, size: b'{"%s":1}' % (b"k" * size),
    "many keys": pairs('"%d":0'),
    "one key again and again": pairs('"a":0'),
    "surrogate keys": pairs(r'"\ud800%d":0'),
    "endless number": lambda key, size: b'{"%s":%s}' % (key.encode(), b"9" * size),
    "endless fraction": lambda key, size: b'{"%s":0.%s}' % (key.encode(), b"1" * size),
    "escaped slashes": text(rb"\/"),
    "escapes": text(rb"\u0041"),
    "quotes": text(rb"\""),
    "base64 of nothing": text(b"A"),
    "base64 with blanks": text(b"A "),
    "base64 with a bad end": text(b"A", b"?"),
    "data URI without an end": text(b";", b"data:"),
    "semicolons": lambda key, size: b'{"%s":"data:%s,"}' % (key.encode(), b";" * size),
    "blanks": lambda key, size: b" " * size + b"{}",
    "blanks in an object": lambda _, size: b"{" + b" " * size + b"}",
    "UTF-16": lambda key, size: (f'{{"{key}":[' + '"",' * (size // 6)).encode("utf-16"),
    "thresholds": lambda _, size: b'{"image":"","threshold":{%s}}' % b",".join([b'"a":9'] * (size // 6)),
}


def part(name: bytes, data: bytes, more: bytes = b"") -> bytes:
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (BOUNDARY, name, more)
    return head + data + b"\r\n"


def ended(parts: bytes) -> bytes:
    return parts + b"--%s--\r\n" % BOUNDARY


def file_form(data: bytes) -> bytes:
    return ended(part(b"image", data, b'; filename="a"'))


def b64s(size: int) -> bytes:
    return b'{"b64s":[%s]}' % b",".join([b'""'] * (size // 3))


FORM_KINDS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "tiny parts": (MULTIPART, lambda size: ended(part(b"a", b"") * (size // 60))),
    "tiny files": (MULTIPART, lambda size: ended(part(b"image", b"", b'; filename=""') * (size // 75))),
    "a huge head": (MULTIPART, lambda size: ended(part(b"a" * size, b""))),
    "many headers": (MULTIPART, lambda size: b"--" + BOUNDARY + b"\r\na:b" * (size // 5) + b"\r\n\r\n"),
    "quotes in heads": (
        MULTIPART,
        lambda size: ended(part(b'a"' + b';name="\\' * 900, b"") * (size // 8200)),
    ),
    "boundaries that go on": (MULTIPART, lambda size: part(b"a", b"\r\n--hostilex" * (size // 12))),
    "half boundaries": (MULTIPART, lambda size: ended(part(b"a", b"\r\n--hostil" * (size // 11)))),
    "no end": (MULTIPART, lambda size: part(b"image", b"\r" * size, b'; filename="a"')),
    "an odd charset": (f"{MULTIPART}; charset=punycode", lambda size: ended(part(b"a", b"a" * size + b"-b"))),
    "many texts in a field": (MULTIPART, lambda size: ended(part(b"data", b64s(size)))),
    "many boxes": (
        MULTIPART,
        lambda size: ended(
            part(b"image", b"x", b'; filename="a"') + part(b"boxes", b"[" + b"{}," * (size // 3) + b"{}]")
        ),
    ),
    "many thresholds": (MULTIPART, lambda size: ended(part(b"threshold", b"{" + b'"a":0,' * (size // 6)))),
    "many pairs": (URLENCODED, lambda size: b"a=&" * (size // 3)),
    "blanks in thresholds": (MULTIPART, lambda size: ended(part(b"threshold", b"{" + b" " * size + b"}"))),
    "bare percents": (URLENCODED, lambda size: b"data=" + b"%" * size),
    "percents": (URLENCODED, lambda size: b"data=" + b"%41" * (size // 3)),
    "pluses": (URLENCODED, lambda size: b"image=data:image/png;base64," + b"+" * size),
    "texts in a pair": (URLENCODED, lambda size: b"data=" + b64s(size)),
}


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", binascii.crc32(name + data))


def png(width: int, height: int, chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + png_chunk(b"IEND", b"")


@cache
def png_bomb() -> bytes:
    """A few hundred thousand bytes that decode to the server's limit of pixels."""
    rows = zlib.compress(bytes((3 * BOMB_SIDE + 1) * BOMB_SIDE), 9)
    return png(BOMB_SIDE, BOMB_SIDE, png_chunk(b"IDAT", rows))


@cache
def bomb(form: str, mode: str) -> bytes:
    """The same in another format."""
    stream = io.BytesIO()
    options = {"quality": 1, "method": 0} if form == "WEBP" else {}
    options = {"compression": "tiff_lzw"} if form == "TIFF" else options
    Image.new(mode, (BOMB_SIDE, BOMB_SIDE)).save(stream, form, **options)
    return stream.getvalue()


@cache
def scans(count: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    stream = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


RAW_KINDS: dict[str, Callable[[int], bytes]] = {
    "zeros": bytes,
    "noise": lambda size: np.random.default_rng(0).bytes(size),
    "PNG that claims to be huge": lambda _: png(2**31 - 1, 2**31 - 1, png_chunk(b"IDAT", b"")),
    "PNG bomb": lambda _: png_bomb(),
    "PNG of many chunks": lambda size: png(1000, 1000, png_chunk(b"IDAT", b"") * (size // 12)),
    "PNG of many texts": lambda size: png(1000, 1000, png_chunk(b"tEXt", b"a\0b") * (size // 15)),
    "JPEG of many scans": lambda size: scans(60),
    "JPEG of too many scans": lambda size: scans(2000),
    "JPEG of many segments": lambda size: b"\xff\xd8" + b"\xff\xe0\0\2" * (size // 4),
    "GIF bomb": lambda _: bomb("GIF", "P"),
    "WebP bomb": lambda _: bomb("WEBP", "RGB"),
    "TIFF bomb": lambda _: bomb("TIFF", "RGB"),
    "gzip": lambda size: gzip.compress(bytes(50 * size), 1)[:size],
}


def tensors(model: str, size: int) -> Iterator[Attack]:
    """Tensors that are many pictures, or none."""
    infer = f"/v2/models/{model}/infer"
    binary = {"binary_data_size": size // 12 * 12}
    count = size // 12 * 4
    for name, shape, kind in (("pixels", [count, 1, 1, 3], "UINT8"), ("elements", [count], "BYTES")):
        tensor = {"name": "image", "shape": shape, "datatype": kind, "parameters": binary}
        head = json.dumps({"inputs": [tensor]}).encode()
        length = f"Inference-Header-Content-Length: {len(head)}\r\n"
        yield request(infer, "x/y", head + bytes(binary["binary_data_size"]), f"many {name}", length)
    for name, nested in (("flat", "1,2,3"), ("nested", "[[[1,2,3]]]"), ("ragged", "[1,[2,3]]")):
        data = ",".join([nested] * (size // 14))
        tensor_text = f'{{"name":"image","shape":[{size // 14},1,1,3],"datatype":"UINT8","data":[{data}]}}'
        yield request(infer, JSON, f'{{"inputs":[{tensor_text}]}}'.encode(), f"{name} numbers")
    shaped = {"images": base64.b64encode(bytes(size // 4 * 3)).decode(), "revert_params": {}}
    shaped["revert_params"] = {"shape": [size // 4, 1, 1, 3], "dtype": "uint8"}
    yield request("/predict/clas_system", JSON, json.dumps(shaped).encode(), "many pictures in a tensor")


def framings(size: int) -> Iterator[Attack]:
    """Bytes around the bodies."""
    head = b"POST /v1/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    for length in (1, 20):
        chunk = f"{length:x}\r\n".encode() + bytes(length) + b"\r\n"
        yield Attack(f"chunks of {length}", head + chunked + chunk * (size // len(chunk)) + b"0\r\n\r\n")
    get = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    yield Attack(
        "many requests at once", get * 2000 + head + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    yield Attack("many headers", head + b"a:b\r\n" * 6000 + b"\r\n")
    yield Attack("an endless header", head + b"a: " + b"b" * size)
    yield Attack("an endless line", b"GET /" + b"a" * size)
    yield Attack(
        "many query fields", b"POST /v1/detect?" + b"a&" * 15_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    )
    yield request(
        "/v1/detect", JSON, gzip.compress(bytes(size)), "gzip encoding", "Content-Encoding: gzip\r\n"
    )
    for path in ("/docs", "/openapi.json", "/metrics", "/v1/models", "/v1/page", "/nothing"):
        yield Attack(path, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
