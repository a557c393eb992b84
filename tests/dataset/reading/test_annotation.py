"""Reading one annotation: what is tolerated, what is refused, and nothing that leads out of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.dataset.findings import Finding
from maskdet.dataset.reading.annotation import Reading, read_annotation
from maskdet.dataset.reading.xml_file import MAX_BYTES

OBJECT = (
    "<object><name>{name}</name><difficult>{difficult}</difficult>"
    "<bndbox><xmin>{xmin}</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>"
)


def read(tmp_path: Path, text: str | bytes) -> Reading:
    path = tmp_path / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_annotation(path, "Annotations/a.xml")


def with_object(tmp_path: Path, **values: object) -> Reading:
    fields = {"name": "face", "difficult": 0, "xmin": 1, **values}
    return read(tmp_path, f"<annotation>{OBJECT.format(**fields)}</annotation>")


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings} - {"size-missing"}


def test_a_whole_annotation(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        "<annotation>\n<filename>a.jpg</filename>\n<size><width>50</width><height>60</height></size>\n"
        + OBJECT.format(name=" with_mask ", difficult=1, xmin=1)
        + "\n<object/></annotation>",
    )
    annotation = reading.annotation
    assert annotation is not None
    assert (annotation.filename, annotation.width, annotation.height) == ("a.jpg", 50, 60)
    (item,) = annotation.objects
    assert (item.label, item.box, item.difficult) == ("with_mask", (1, 2, 30, 40), True)
    assert (item.line, item.number) == (4, 1)
    assert reading.unread == 1


@pytest.mark.parametrize(
    ("written", "value", "told"),
    [
        ("0", False, False),
        ("", False, False),
        (" 1 ", True, False),
        ("Unspecified", False, True),
        ("True", True, True),
        ("2", False, True),
    ],
)
def test_difficult(tmp_path: Path, written: str, value: bool, told: bool) -> None:
    reading = with_object(tmp_path, difficult=written)
    assert reading.annotation is not None
    assert reading.annotation.objects[0].difficult is value
    assert codes(reading) == ({"difficult-text"} if told else set())


@pytest.mark.parametrize(("written", "value"), [("1.5", 1.5), (" 3 ", 3), ("1e1", 10), ("-0", 0), ("+4.", 4)])
def test_numbers_that_are_read(tmp_path: Path, written: str, value: float) -> None:
    reading = with_object(tmp_path, xmin=written)
    assert reading.annotation is not None
    assert reading.annotation.objects[0].box[0] == value


@pytest.mark.parametrize("written", ["nan", "NaN", "inf", "1e999", "1_0", "0x10", "1,5", "十", "１", "--1"])
def test_numbers_that_are_refused(tmp_path: Path, written: str) -> None:
    reading = with_object(tmp_path, xmin=written)
    assert codes(reading) == {"coordinate-invalid"}
    assert reading.unread == 1


def test_two_boxes_in_one_object_are_unclear(tmp_path: Path) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
    reading = read(tmp_path, f"<annotation><object><name>face</name>{box}{box}</object></annotation>")
    assert codes(reading) == {"coordinate-missing"}


def test_parts_of_a_person_are_not_taken_for_its_box(tmp_path: Path) -> None:
    part = "<part><bndbox><xmin>7</xmin><ymin>7</ymin><xmax>8</xmax><ymax>8</ymax></bndbox></part>"
    text = f"<annotation>{OBJECT.format(name='face', difficult=0, xmin=1)}</annotation>"
    reading = read(tmp_path, text.replace("<bndbox>", part + "<bndbox>", 1))
    assert reading.annotation is not None
    assert reading.annotation.objects[0].box == (1, 2, 30, 40)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<annotation>\n<object>\n</object>stray</annotation>", 3),
        ("<annotation>\n\n  stray\n<object/></annotation>", 3),
        ("<annotation>\n<name>a\nb</name>\n\nstray</annotation>", 5),
        ("<annotation>\n<!-- two\nlines -->stray</annotation>", 3),
        ("<annotation>\n<object>\n<name>a</name>\n<x/>\n</object>\nstray\n</annotation>", 6),
    ],
)
def test_stray_text_has_its_own_line(tmp_path: Path, text: str, line: int) -> None:
    stray = [finding for finding in read(tmp_path, text).findings if finding.code == "stray-text"]
    assert [finding.line for finding in stray] == [line]


def test_comments_are_not_stray_text(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "<annotation><!-- by hand --></annotation>")) == set()


def whole_file_finding(reading: Reading) -> Finding:
    assert reading.annotation is None
    (finding,) = reading.findings
    return finding


def test_entities_in_the_file_are_refused(tmp_path: Path) -> None:
    text = (
        '<!DOCTYPE a [<!ENTITY who "with_mask">]><annotation><object><name>&who;</name></object></annotation>'
    )
    assert whole_file_finding(read(tmp_path, text)).code == "xml-entities"


def test_an_outside_file_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    doctype = f'<!DOCTYPE a [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    text = f"{doctype}<annotation><filename>&s;</filename></annotation>"
    finding = whole_file_finding(read(tmp_path, text))
    assert finding.code == "xml-entities"
    assert "top secret" not in str(finding)


def test_an_outside_dtd_is_refused(tmp_path: Path) -> None:
    (tmp_path / "voc.dtd").write_text("<!ELEMENT annotation ANY>")
    text = f'<!DOCTYPE annotation SYSTEM "{(tmp_path / "voc.dtd").as_uri()}"><annotation/>'
    assert whole_file_finding(read(tmp_path, text)).code == "xml-entities"


def test_a_billion_laughs_are_refused(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]><annotation><filename>&l11;</filename></annotation>'
    assert whole_file_finding(read(tmp_path, text)).code in {"xml-entities", "xml-unreadable"}


def test_a_doctype_without_entities_is_harmless(tmp_path: Path) -> None:
    assert read(tmp_path, "<!DOCTYPE annotation><annotation/>").annotation is not None


@pytest.mark.parametrize(
    "data",
    [b"", b" \n", b"\x00\xff\xfe", b"<annotation>", b"{}", "<annotation>é</annotation>".encode("latin-1")],
)
def test_what_is_no_xml_is_unreadable(tmp_path: Path, data: bytes) -> None:
    assert whole_file_finding(read(tmp_path, data)).code == "xml-unreadable"


@pytest.mark.parametrize("declaration", ["", "<?xml version='1.0' encoding='UTF-8'?>"])
def test_another_encoding_has_to_be_declared(tmp_path: Path, declaration: str) -> None:
    text = "<annotation><filename>口罩.jpg</filename></annotation>"
    finding = whole_file_finding(read(tmp_path, (declaration + text).encode("gbk")))
    assert finding.hint == "save it as UTF-8, or declare its encoding: <?xml version='1.0' encoding='GBK'?>"
    assert str(finding).endswith(f"({finding.hint}) [xml-unreadable]")
    declared = read(tmp_path, ("<?xml version='1.0' encoding='GBK'?>" + text).encode("gbk"))
    assert declared.annotation is not None
    assert declared.annotation.filename == "口罩.jpg"


@pytest.mark.parametrize("before", ["\n", " ", "\ufeff\n", "x"])
def test_the_declaration_comes_first(tmp_path: Path, before: str) -> None:
    finding = whole_file_finding(read(tmp_path, f"{before}<?xml version='1.0'?><annotation/>"))
    assert finding.hint == "remove what is before <?xml"


@pytest.mark.parametrize(
    "text", ["<annotation>", "\ufeff<?xml version='1.0'?><a>", "<a/><?xml version='1.0'?>"]
)
def test_other_faults_of_syntax_have_no_such_hint(tmp_path: Path, text: str) -> None:
    assert whole_file_finding(read(tmp_path, text)).hint == ""


def test_deep_trees_are_refused(tmp_path: Path) -> None:
    text = "<annotation>" + "<a>" * 5000 + "</a>" * 5000 + "</annotation>"
    assert whole_file_finding(read(tmp_path, text)).code == "xml-unreadable"


def test_large_files_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert "larger than" in whole_file_finding(read_annotation(path, "a.xml")).message


def test_a_folder_named_xml_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.xml").mkdir()
    assert whole_file_finding(read_annotation(tmp_path / "a.xml", "a.xml")).code == "xml-unreadable"


def test_control_characters_of_the_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    reading = with_object(tmp_path, xmin="\u009b31m\u202e9")
    assert all(str(finding).isprintable() for finding in reading.findings)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_the_file_declares(tmp_path: Path, encoding: str) -> None:
    text = "<annotation><filename>口罩.jpg</filename></annotation>"
    reading = read(tmp_path, text.encode(encoding))
    assert reading.annotation is not None
    assert reading.annotation.filename == "口罩.jpg"


def test_gbk_with_a_declaration(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="gbk"?><annotation><filename>口罩.jpg</filename></annotation>'
    reading = read(tmp_path, text.encode("gbk"))
    assert reading.annotation is not None
    assert reading.annotation.filename == "口罩.jpg"
