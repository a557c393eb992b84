"""The pipeline file: what is accepted, where paths start, and how faults are worded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskdet.errors import PipelineFileError
from maskdet.pipeline.file.load import MAX_PROBLEMS, load_pipeline, load_served
from maskdet.pipeline.file.path_keys import EACH, PATH_KEYS
from maskdet.pipeline.file.problems import dotted

MINIMAL = "name: demo\ndata:\n  root: pictures\n"
NINES = "9" * 5000


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "pipeline.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path: Path, overrides: tuple[str, ...] = ()) -> str:
    with pytest.raises(PipelineFileError) as caught:
        load_pipeline(path, overrides)
    return caught.value.what


def test_all_sections_but_data_have_defaults(write, tmp_path):
    pipeline = load_pipeline(write(MINIMAL))
    assert pipeline.name == "demo"
    assert pipeline.data.root == tmp_path / "pictures"
    assert pipeline.train.epochs == 30
    assert pipeline.serve.port == 8866


def test_a_file_that_only_serves_needs_no_name_and_no_data(write, tmp_path):
    keys = write("serve:\n  api_keys:\n    - {name: gate, hash: " + "5e" * 32 + ", scopes: [detect]}\n")
    assert load_served(keys, named=True).serve.api_keys[0].name == "gate"
    with pytest.raises(PipelineFileError, match="data is missing"):
        load_served(keys, named=False)

    models = write("serve: {port: 9000, models: {gate: gate.onnx}}\n")
    served = load_served(models, ["serve.workers=2"], named=False).serve
    assert (served.models["gate"], served.workers) == (tmp_path / "gate.onnx", 2)
    assert "data is missing" in refusal(models)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("split: {ratio: 4:1}", "4:1"),
        ("split: {ratio: 59:30}", "59:30"),
        ("split: {ratio: '9:1'}", "9:1"),
        ("split: {ratio: 4:1, seed: 3}", "4:1"),
    ],
)
def test_a_ratio_needs_no_quotes(write, line, read):
    assert load_pipeline(write(f"{MINIMAL}  {line}\n")).data.split.ratio == read


def test_plain_words_stay_words(write):
    pipeline = load_pipeline(write(f"{MINIMAL}  labels: [no, yes]\n  aliases: {{off: no, 7: yes}}\n"))
    assert pipeline.data.labels == ("no", "yes")
    assert pipeline.data.aliases == {"off": "no", "7": "yes"}


def test_scientific_numbers_need_no_dot(write):
    pipeline = load_pipeline(write(MINIMAL + "train: {learning_rate: 1e-3}\n"))
    assert pipeline.train.learning_rate == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("train.epochs=1", "train", "epochs", 1),
        ("train.learning_rate=0.02", "train", "learning_rate", 0.02),
        ("data.aliases.face_nask=with_mask", "data", "aliases", {"face_nask": "with_mask"}),
        ("data.labels=[b, a]", "data", "labels", ("b", "a")),
        ("export.onnx=false", "export", "onnx", False),
        ("name=other", "name", "", "other"),
    ],
)
def test_overrides(write, override, section, key, value):
    found = getattr(load_pipeline(write(MINIMAL), [override]), section)
    assert (getattr(found, key) if key else found) == value


def test_a_ratio_by_override(write):
    assert load_pipeline(write(MINIMAL), ["data.split.ratio=3:2"]).data.split.ratio == "3:2"


def test_overrides_of_one_section_add_up_and_the_last_wins(write):
    pipeline = load_pipeline(write(MINIMAL), ["train.epochs=1", "train.batch_size=8", "train.epochs=2"])
    assert (pipeline.train.epochs, pipeline.train.batch_size) == (2, 8)


def test_an_override_opens_an_empty_section(write):
    assert load_pipeline(write(MINIMAL + "train:\n"), ["train.epochs=1"]).train.epochs == 1


def test_paths_start_at_the_file_and_those_of_overrides_here(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "here").mkdir()
    path = tmp_path / "configs" / "p.yml"
    path.write_text(MINIMAL + "model: {pretrained: w/start.pdparams}\ntrain: {python: /opt/py/bin/python}\n")
    monkeypatch.chdir(tmp_path / "here")

    pipeline = load_pipeline(path)
    assert pipeline.data.root == tmp_path / "configs" / "pictures"
    assert pipeline.model.pretrained == tmp_path / "configs" / "w" / "start.pdparams"
    assert pipeline.train.python == Path("/opt/py/bin/python")

    pipeline = load_pipeline(path, ["data.root=pictures", "model.pretrained=none"])
    assert pipeline.data.root == tmp_path / "here" / "pictures"
    assert pipeline.model.pretrained == "none"


def test_the_paths_are_found_in_the_schema() -> None:
    assert {dotted(key) for key in PATH_KEYS} >= {
        *("data.root", "data.roots.*.root", "data.frozen_val", "data.unlabelled", "model.pretrained"),
        *("train.python", "gates.champion", "registry.root", "drift.inbox"),
        *("serve.models.*", "serve.require_signature", "serve.tensorrt", "serve.inbox", "serve.monitor"),
    }


@pytest.mark.parametrize("key", PATH_KEYS, ids=dotted)
@pytest.mark.parametrize(("text", "place"), [("x/y", "configs/x/y"), ("~/x", "home/x")])
def test_each_path_starts_at_the_file_or_at_home(tmp_path, monkeypatch, key, text, place):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    value = text
    for part, owner in zip(reversed(key), (*reversed(key[:-1]), ""), strict=True):
        value = {part: value} if part != EACH else [value] if owner == "roots" else {"m": value}
    data = {} if key[:2] == ("data", "roots") else {"root": "pictures"}
    whole = {"name": "demo", "data": data, "serve": {"device": "gpu"}}
    section = {**whole.get(key[0], {}), **value[key[0]]}
    path = tmp_path / "configs" / "pipeline.yml"
    path.parent.mkdir()
    path.write_text(json.dumps({**whole, key[0]: section}))

    found = load_pipeline(path).model_dump()
    for part in key:
        found = found[0 if isinstance(found, tuple) else "m" if part == EACH else part]
    assert found == tmp_path / place


FAULTS = [
    ("train:\n  epoch: 3\n", ["pipeline.yml:5: train.epoch: no such key; did you mean train.epochs?"]),
    (
        "eval: {roles: {helmet: bare}}\n",
        ["pipeline.yml:4: eval.roles: no such key; did you mean data.roles?"],
    ),
    (
        "  roles: {helmet: naked}\n",
        ["pipeline.yml:4: data.roles.helmet: 'naked' is not allowed; expected masked, bare, worn-wrong"],
    ),
    ("epochs: 3\n", ["pipeline.yml:4: epochs: no such key; did you mean train.epochs?"]),
    ("zzz: 3\n", ["pipeline.yml:4: zzz: no such key; known here: name, data, model"]),
    ("train: {epochs: 0}\n", ["pipeline.yml:4: train.epochs: 0 is not allowed; expected at least 1"]),
    ("train: {epochs: many}\n", ["train.epochs: 'many' is not allowed; expected a whole number"]),
    ("train: {learning_rate: fast}\n", ["'fast' is not allowed; expected a number or auto"]),
    ("train: {learning_rate: -0.1}\n", ["-0.1 is not allowed; expected at least 0.0 or auto"]),
    ("train: {workers: 0}\n", ["train.workers: 0 is not allowed; expected at least 1 or auto"]),
    ("train: {learning_rate: nan}\n", ["'nan' is not allowed; expected a finite number or auto"]),
    ("train: {device: cuda}\n", ["pipeline.yml:4: train.device: 'cuda' is not allowed; auto: GPU where"]),
    ("model: {variant: picodet_s_417}\n", ["model.variant: 'picodet_s_417'", "did you mean picodet_s_416?"]),
    ("model: fast\n", ["model: 'fast' is not allowed; expected a section of `key: value` lines"]),
    ("serve: {port: 70000}\n", ["serve.port: 70000 is not allowed; expected at most 65535"]),
    (
        "model: {freeze: backbone}\n",
        ["pipeline.yml:4: model.freeze: 'backbone' is", "model.pretrained is none"],
    ),
    (
        "serve: {max_files: 9, max_queue: 8}\n",
        ["pipeline.yml:4: serve: max_files (9) is more than max_queue"],
    ),
    ("serve: {models: {a b: x}}\n", ["pipeline.yml:4: serve: a model cannot be called 'a b'"]),
    ("export: {onnx: perhaps}\n", ["export.onnx: 'perhaps' is not allowed; expected true or false"]),
    ("train: {seed: 1}\ntrain: {seed: 2}\n", ["pipeline.yml:5: train is written twice"]),
    ("train:\n  seed: 1\n  seed: 2\n", ["pipeline.yml:6: train.seed is written twice"]),
    ("  aliases: {a: [b]}\n", ["pipeline.yml:4: data.aliases.a: ['b'] is not allowed; expected text"]),
    (f"train: {{epochs: {NINES}}}\n", ["pipeline.yml:4: train.epochs: 9999", "… cannot be read as int"]),
    (f"train: {{epochs: 0x{NINES}}}\n", ["train.epochs: 0x9999", "… cannot be read as int"]),
    ("train: {epochs: !!bool maybe}\n", ["pipeline.yml:4: train.epochs: maybe cannot be read as bool"]),
    ("model: {pretrained: ~nosuchuser/x}\n", ["pipeline.yml:4: model.pretrained: '~nosuchuser/x'", "home"]),
    ("  labels:\n  - a\n  - 5\n", ["pipeline.yml:6: data.labels.1: 5 is not allowed; expected text"]),
]


@pytest.mark.parametrize(("tail", "expected"), FAULTS)
def test_a_fault_names_file_line_key_value_and_what_is_allowed(write, tail, expected):
    message = refusal(write(MINIMAL + tail))
    assert all(part in message for part in expected), message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("- a\n", "does not hold `key: value` lines"),
        ("name: demo\n", "data is missing: The Pascal VOC folder"),
        ("name: demo\ndata: {}\n", "data: root is missing: a folder with JPEGImages/"),
        ("data: {root: x}\n", "name is missing: Results go to runs/<name>"),
        ("name: ../up\ndata: {root: x}\n", "name: '../up' is not allowed; Results go to runs/<name>"),
        ("name: a\n\tdata: {root: x}\n", "pipeline.yml:2: found character"),
        ("name: &a x\ndata: {root: *a}\n", "pipeline.yml:2: aliases (*name) are not supported"),
        ("name: !!python/name:os.system x\n", "could not determine a constructor"),
        ("a: " + "[" * 50 + "]" * 50 + "\n", "nested deeper than"),
        ("a: " + "[" * 5000 + "]" * 5000 + "\n", "nested too deeply"),
        ("[a]: 1\n", "a key must be plain text"),
    ],
)
def test_files_that_cannot_be_a_pipeline(write, text, expected):
    assert expected in refusal(write(text))


def test_not_utf8(tmp_path):
    path = tmp_path / "pipeline.yml"
    path.write_bytes("name: 口罩\n".encode("gb18030"))
    assert "not UTF-8" in refusal(path)


def test_a_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "pipeline.yml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_pipeline(path).name == "demo"


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(PipelineFileError, match="maskdet init DATA_DIR"):
        load_pipeline(tmp_path / "pipeline.yml")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epoch=1", "--set train.epoch=1: train.epoch: no such key; did you mean train.epochs?"),
        ("train.epochs=none", "--set train.epochs=none: train.epochs: 'none' is not allowed"),
        ("train.seed=-1", "--set train.seed=-1: train.seed: -1 is not allowed"),
        ("train.epochs", "not in the form key=value"),
        ("=1", "not in the form key=value"),
        ("train..epochs=1", "not in the form key=value"),
        ("data.root.deep=1", "data.root is a value, not a section"),
        ("data.labels=[a", "the value is not valid YAML"),
        (f"train.epochs={NINES}", "9999… cannot be read as int"),
        ("registry.root=~nosuchuser/x", "registry.root: '~nosuchuser/x' is not allowed"),
    ],
)
def test_faults_of_overrides(write, override, expected):
    assert expected in refusal(write(MINIMAL), (override,))


def test_an_override_mends_a_wrong_line(write):
    assert load_pipeline(write(MINIMAL + "train: {epochs: x}\n"), ["train.epochs=2"]).train.epochs == 2


def test_faults_are_reported_together_in_the_order_of_lines(write):
    message = refusal(write(MINIMAL + "train: {epochs: x, batch_size: 0}\nserve:\n  prt: 1\n"), ("eval.a=1",))
    rows = message.splitlines()
    assert "4 faults" in rows[0]
    assert ["yml:4" in rows[1], "yml:4" in rows[2], "yml:6" in rows[3], "--set eval.a=1" in rows[4]] == [
        True
    ] * 4


def test_the_list_of_faults_is_bounded(write):
    message = refusal(write(MINIMAL + "".join(f"key{number}: 1\n" for number in range(100))))
    assert "100 faults" in message
    assert message.splitlines()[-1].strip() == f"... and {100 - MAX_PROBLEMS} more"


def test_a_long_value_is_cut(write):
    assert len(refusal(write(MINIMAL + f"train: {{epochs: {'x' * 5000}}}\n"))) < 400


def test_each_root_starts_at_the_files_folder_or_the_current_one(tmp_path, monkeypatch):
    path = tmp_path / "configs" / "pipeline.yml"
    path.parent.mkdir()
    path.write_text("name: demo\ndata: {roots: [{root: a}, {root: ../b, weight: 2}]}\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    roots = load_pipeline(path).data.every_root
    assert [each.root for each in roots] == [tmp_path / "configs" / "a", tmp_path / "configs" / ".." / "b"]
    assert [each.name for each in roots] == ["a", "b"]
    roots = load_pipeline(path, ["data.roots=[{root: c}]"]).data.every_root
    assert [each.root for each in roots] == [tmp_path / "here" / "c"]


def test_a_fault_in_a_root_names_its_line_and_key(tmp_path):
    path = tmp_path / "pipeline.yml"
    path.write_text("name: demo\ndata:\n  roots:\n    - root: a\n      wieght: 2\n")
    with pytest.raises(
        PipelineFileError, match=r"pipeline.yml:5: data.roots.0.wieght: no such key"
    ) as caught:
        load_pipeline(path)
    assert "did you mean data.roots.0.weight?" in str(caught.value)


def test_a_typo_in_the_section_of_an_override_is_the_overrides(write):
    told = refusal(write(MINIMAL), ("trian.epochs=3",))
    assert told == "--set trian.epochs=3: trian: no such key; did you mean train?"


def test_a_section_left_empty_is_said_to_be_empty(write):
    assert "train is empty" in refusal(write(MINIMAL + "train:\n"))


def test_a_folder_is_no_pipeline_file(tmp_path):
    with pytest.raises(PipelineFileError, match="a folder, not a pipeline file") as caught:
        load_pipeline(tmp_path)
    assert f"maskdet init {tmp_path}" in caught.value.hint


@pytest.mark.parametrize("ratio", ["0:1", "0.8"])
def test_a_wrong_ratio_is_answered_with_a_right_one(write, ratio):
    assert "4:1" in refusal(write(MINIMAL), (f"data.split.ratio={ratio}",))
