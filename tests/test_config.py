"""File, environment and flags become one configuration; every fault is one line with file and key."""

import json
import re
import tomllib
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import config, corpus
from auditor.config import Config, resolve_model
from auditor.errors import ConfigError

AUDIT = """
title = "Film reviews, sentiment classifier"
seed = 3

[corpus]
path = "corpora/reviews.jsonl"

[model]
name = "models/sentiment"

[probes.lime]
n_samples = 500

[checks]
accuracy = { at_least = 0.8 }
"precision[positive]" = { at_least = 0.7, required = false }
lime.fidelity = { at_least = 0.5 }
"""
QUICK = {"corpus.path": "reviews.csv", "model.name": "org/model"}
PROBES = sorted(entry.name for entry in entry_points(group="auditor.probes") if entry.value.startswith("auditor."))


def write(folder: Path, content: str, name: str = "audit.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def load(path: Path | None, overrides: dict[str, object] | None = None, **environment: str) -> Config:
    return config.load(path, overrides or {}, environment=environment)


def faults(path: Path | None, overrides: dict[str, object] | None = None, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides, **environment)
    lines = str(caught.value).splitlines()
    assert all(line.startswith((f"{path}: ", "command line: ", "environment variable ")) for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


def test_a_file_becomes_tables_with_defaults(tmp_path: Path) -> None:
    audit = load(write(tmp_path, AUDIT))
    assert (audit.title, audit.seed) == ("Film reviews, sentiment classifier", 3)
    assert audit.probes == {"lime": {"n_samples": 500}}
    assert audit.checks["accuracy"].at_least == 0.8
    assert audit.checks["precision[positive]"].required is False
    assert audit.checks["lime.fidelity"].at_least == 0.5, "unquoted dots are part of the name"
    assert (audit.model.device, audit.run.shard_size, audit.report.pdf) == ("auto", 25, True)


def test_yaml_says_the_same_as_toml(tmp_path: Path) -> None:
    text = """
title: Film reviews, sentiment classifier
seed: 3
corpus: {path: corpora/reviews.jsonl}
model: {name: models/sentiment}
probes: {lime: {n_samples: 500}}
checks:
  {accuracy: {at_least: 0.8}, "precision[positive]": {at_least: 0.7, required: false}, lime.fidelity: {at_least: 0.5}}
"""
    assert load(write(tmp_path, text, "audit.yaml")).resolved() == load(write(tmp_path, AUDIT)).resolved()


def test_a_quick_start_needs_no_file() -> None:
    audit = load(None, dict(QUICK))
    assert audit.title == "Audit of org/model"
    assert audit.base == Path()
    assert load(None, {**QUICK, "model.name": "../models/bert"}).title == "Audit of bert", "no folders in a title"
    assert load(None, {**QUICK, "title": "Mine"}).title == "Mine"


def test_the_corpus_table_holds_the_keyword_arguments_of_corpus_load() -> None:
    arguments = {**corpus.load.__kwdefaults__}
    assert (arguments.pop("seed"), arguments.pop("vocabulary")) == (0, None)
    table = config.CorpusConfig(path="x").model_dump()
    assert table.pop("path") == "x"
    assert table == arguments
    schema = config.schema()["$defs"]["CorpusConfig"]["properties"]["format"]["anyOf"][0]
    assert tuple(schema["enum"]) == tuple(corpus.FORMATS)


def test_a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default(tmp_path: Path) -> None:
    path = write(tmp_path, AUDIT + "[run]\nshard_size = 7\n")
    environment = {"AUDITOR_SEED": "4", "AUDITOR_RUN__SHARD_SIZE": "8", "AUDITOR_MODEL__DEVICE": "cpu"}
    audit = load(path, {"seed": 5}, **environment)
    assert (audit.seed, audit.run.shard_size, audit.model.device, audit.model.dtype) == (5, 8, "cpu", "auto")
    assert load(path, {"seed": None}, **environment).seed == 4, "a flag that was not given"


def test_a_misspelt_variable_of_the_environment_is_not_passed_over() -> None:
    with pytest.raises(ConfigError, match=r"AUDITOR_MODLE__DEVICE: no such key; did you mean AUDITOR_MODEL__DEVICE\?"):
        load(None, dict(QUICK), AUDITOR_MODLE__DEVICE="cpu")


def test_other_variables_of_the_environment_are_not_ours() -> None:
    assert load(None, dict(QUICK), AUDITOR_CACHE="x", MODEL__DEVICE="cpu", AUDITORSEED="1") == load(None, dict(QUICK))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("seed", "7", 7),
        ("report.pdf", "false", False),
        ("run.max_failures", "1", 1.0),
        ("model.candidates", '["good", "bad"]', ["good", "bad"]),
        ("model.revision", "1234567", "1234567"),
        ("model.name", "true", "true"),
        ("model.dtype", "float16", "float16"),
        ("title", "2024-01-01", "2024-01-01"),
        ("corpus.path", Path("a/b.csv"), "a/b.csv"),
        ("report.reviewers", ("Ada",), [{"name": "Ada", "role": None}]),
        ("probes.lime.n_samples", "200", 200),
        ("probes.lime.segmenter", "words", "words"),
        ("probes.lime.day", "2024-01-01", "2024-01-01"),
        ("probes.lime.odd", "1\nseed = 2", "1\nseed = 2"),
    ],
)
def test_flags_are_read_as_toml_where_the_key_takes_no_string(key: str, text: object, value: object) -> None:
    resolved: Any = load(None, {**QUICK, key: text}).resolved()
    for part in key.split("."):
        resolved = resolved[part]
    assert resolved == value
    assert type(resolved) is type(value)


def test_a_flag_may_set_a_check_whose_name_holds_dots() -> None:
    audit = load(None, {**QUICK, "checks.lime.fidelity.at_least": "0.5", "checks.f1[a.b].at_most": "1"})
    assert {name: (check.at_least, check.at_most) for name, check in audit.checks.items()} == {
        "lime.fidelity": (0.5, None),
        "f1[a.b]": (None, 1.0),
    }


def test_paths_of_the_file_are_relative_to_it_and_flags_to_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("samples/audit.toml")
    write(tmp_path, AUDIT + '[probes.perplexity]\nmodel = "models/lm"\n', str(path))
    (tmp_path / "samples/models/sentiment").mkdir(parents=True)
    audit = load(path)
    assert audit.locate("corpus.path") == Path("samples/corpora/reviews.jsonl")
    assert audit.source("model.name") == Path("samples/models/sentiment")
    assert audit.source("probes.perplexity.model") == "models/lm", "no such folder: an id on the hub"
    assert audit.locate("run.output") == Path("reports")
    audit = load(path, {"corpus.path": "mine.csv", "model.name": "./sentiment"}, AUDITOR_RUN__OUTPUT="out")
    assert audit.locate("corpus.path") == Path("mine.csv")
    assert audit.source("model.name") == Path("sentiment")
    assert audit.locate("run.output") == Path("out")


def test_resolved_keeps_every_path_as_it_was_given(tmp_path: Path) -> None:
    resolved = load(write(tmp_path, AUDIT)).resolved()
    assert resolved["corpus"]["path"] == "corpora/reviews.jsonl"
    assert resolved["model"]["name"] == "models/sentiment"
    assert str(tmp_path) not in json.dumps(resolved)
    assert Config.model_validate(resolved).resolved() == resolved


def test_a_key_that_holds_no_string_is_no_path() -> None:
    audit = load(None, dict(QUICK))
    for key in ("seed", "probes.lime.model", "model"):
        with pytest.raises(KeyError):
            audit.locate(key)


def test_a_model_is_a_path_if_it_looks_like_one_or_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "org" / "model").mkdir(parents=True)
    assert resolve_model("org/model", tmp_path) == tmp_path / "org/model"
    assert resolve_model("org/other", tmp_path) == "org/other"
    assert resolve_model("./other", tmp_path) == tmp_path / "other"
    assert resolve_model("../other", tmp_path) == tmp_path / "../other"
    assert resolve_model("/models/other", tmp_path) == Path("/models/other")
    assert resolve_model("~/other", Path("base")) == tmp_path / "other"
    assert resolve_model("x" * 5000, tmp_path) == "x" * 5000
    with pytest.raises(ConfigError, match="no such home folder"):
        resolve_model("~nobody-of-this-name/model", tmp_path)


def test_all_faults_are_raised_at_once_with_file_and_key(tmp_path: Path) -> None:
    text = """
seed = "one"
devise = "cpu"
[corpus]
pth = "x.csv"
format = "xml"
limit = 0
metadata = "language"
[model]
name = ""
device = "gpu"
max_new_tokens = 1.5
trust_remote_code = "yes"
[probes]
lime = true
[checks]
accuracy = 0.8
both = { at_least = 0.1, at_most = 0.2 }
none = { }
far = { at_least = nan }
odd = { at_lest = 1 }
[report]
reviewers = [3, { nam = "Ada" }, { name = "" }]
sections = ["lime", "limes"]
classification = ""
logo = 3
[run]
max_failures = 2
[modle]
[probs.lime]
"""
    path = write(tmp_path, text)
    assert faults(path) == [
        'seed: expected a whole number, found "one"',
        "corpus.path: missing; give it in the file or with --data",
        "corpus.format: expected 'jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow' or 'txt', found \"xml\"",
        'corpus.metadata: expected a list such as ["a", "b"], found "language"',
        "corpus.limit: expected at least 1, found 0",
        "corpus.pth: unknown key; did you mean corpus.path?",
        'model.name: expected a string that is not empty, found ""',
        'model.device: expected auto, cpu, mps, cuda or one of several, such as cuda:1, found "gpu"',
        'model.trust_remote_code: expected true or false, found "yes"',
        "model.max_new_tokens: expected a whole number, found 1.5",
        "probes.lime: expected a table, found true",
        "checks.accuracy: expected { at_least = … }, { at_most = … } or { not_worse_than_baseline_by = … }, found 0.8",
        "checks.both: expected only one of at_least and at_most",
        "checks.none: expected at_least, at_most or not_worse_than_baseline_by",
        "checks.far.at_least: expected a finite number, found NaN",
        "checks.odd.at_lest: unknown key; did you mean checks.odd.at_least?",
        'report.sections.1: there is no such section; did you mean lime?, found "limes"',
        "report.reviewers.0: expected a name or { name = …, role = … }, found 3",
        "report.reviewers.1.name: missing; give it in the file",
        "report.reviewers.1.nam: unknown key; did you mean report.reviewers.1.name?",
        'report.reviewers.2.name: expected a string that is not empty, found ""',
        "report.logo: expected a string, found 3",
        'report.classification: expected a string that is not empty, found ""',
        "run.max_failures: expected at most 1.0, found 2",
        "devise: unknown key; did you mean model.device?",
        "modle: unknown key; did you mean model?",
        "probs: unknown key; did you mean probes?",
    ]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"trust_remote_code": True}, "trust_remote_code needs a revision of 40 hexadecimal digits"),
        (
            {"trust_remote_code": True, "revision": "main"},
            "trust_remote_code needs a revision of 40 hexadecimal digits",
        ),
        ({"prompt": "Review:"}, "prompt must contain {text}"),
        ({"candidates": ["good"]}, "candidates must be at least two"),
        ({"candidates": ["good", "good"]}, "candidates must differ, not only in blanks"),
        ({"candidates": ["good", " good"]}, "candidates must differ, not only in blanks"),
        ({"candidates": ["good", " "]}, "candidates must not be blank"),
        ({"prompt": "{text}", "task": "text-classification"}, "prompt is for text-generation only"),
        ({"candidates": ["a", "b"], "task": "text-classification"}, "candidates is for text-generation only"),
        ({"multi_label": True, "task": "text-generation"}, "multi_label is for text-classification only"),
    ],
)
def test_keys_of_the_model_that_contradict_each_other_are_faults(table: dict[str, object], expected: str) -> None:
    overrides = {**QUICK, **{f"model.{key}": value for key, value in table.items()}}
    assert faults(None, overrides) == [f"command line: model: {expected}"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"logo": "logo.png"}, "report: logo needs organisation, the words for those who do not see it"),
        (
            {"sections": ["lime", "slices", "lime"]},
            'report.sections: names lime more than once, found ["lime", "slices", "lime"]',
        ),
        (
            {"sections": ["summary"]},
            f"report.sections.0: there is no such section; there are {', '.join(PROBES)}, "
            'changed, waivers, failures, slices, documents, methods, regulatory, glossary, provenance, found "summary"',
        ),
    ],
)
def test_a_report_that_cannot_be_drawn_is_a_fault(table: dict[str, object], expected: str) -> None:
    overrides = {**QUICK, **{f"report.{key}": value for key, value in table.items()}}
    assert faults(None, overrides) == [f"command line: {expected}"]


def test_a_section_of_a_third_partys_probe_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = EntryPoints([EntryPoint(name, "nowhere:Probe", "auditor.probes") for name in ("length", "lime")])
    monkeypatch.setattr("auditor.config.report.entry_points", lambda **_: entries)
    assert load(None, {**QUICK, "report.sections": '["length", "lime"]'}).report.sections == ["length", "lime"]


def test_keys_of_the_model_that_agree_are_fine() -> None:
    load(None, {**QUICK, "model.trust_remote_code": True, "model.revision": "0123456789abcdef" * 2 + "01234567"})
    load(None, {**QUICK, "model.prompt": "{text}!", "model.candidates": [" a", " b"], "model.task": "text-generation"})


def test_a_fault_names_the_source_of_the_value(tmp_path: Path) -> None:
    path = write(tmp_path, AUDIT)
    lines = faults(path, {"model.devise": "cpu", "probes": "all"}, AUDITOR_SEED="x", AUDITOR_RUN__PLACE="y")
    assert lines == [
        'environment variable AUDITOR_SEED: seed: expected a whole number, found "x"',
        "command line: model.devise: unknown key; did you mean model.device?",
        'command line: probes: expected a table, found "all"',
        "environment variable AUDITOR_RUN__PLACE: run.place: unknown key; did you mean run.cache?",
    ]
    assert faults(None) == [
        "command line: corpus.path: missing; give it in the file or with --data",
        "command line: model.name: missing; give it in the file or with --model",
    ]
    assert faults(write(tmp_path, 'model = "bert"\ncorpus = { path = "x" }'), {"model.device": "cpu"}) == [
        'model: expected a table, found "bert"'
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.toml", "seed = \n", "not TOML: Invalid value (at line 1, column 8)"),
        ("a.toml", "seed = 1\nseed = 2\n", "not TOML: Cannot overwrite a value (at line 2, column 9)"),
        ("a.yaml", "seed: 1\n model: [\n", "not YAML: mapping values are not allowed here (at line 2)"),
        ("a.yml", "a: !!python/object:os.system x", "not YAML: could not determine a constructor"),
        ("a.yml", "probes: &a\n  lime: *a\n", "not YAML: Circular reference"),
        ("a.yml", "- a\n- b\n", "expected tables such as corpus and model, found a list"),
        ("a.yml", "a: 2024-99-99", "not YAML: month must be in 1..12"),
        ("a.yml", "seed: \x00", "not YAML: unacceptable character"),
        ("a.json", "{}", "expected a file ending in .toml, .yaml or .yml"),
    ],
)
def test_a_file_of_wrong_syntax_is_a_fault_with_its_line(
    tmp_path: Path, name: str, content: str, expected: str
) -> None:
    (line,) = faults(write(tmp_path, content, name))
    assert line.startswith(expected)


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.toml") == ["no such file; `auditor init` writes one to start from"]
    (tmp_path / "folder.toml").mkdir()
    assert faults(tmp_path / "folder.toml") == ["cannot be read: Is a directory"]
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    assert faults(tmp_path / "latin.toml") == ["not UTF-8 (byte 10); convert the file to UTF-8"]
    assert faults(write(tmp_path, "", "empty.yaml"))[0].startswith("corpus.path: missing")


def test_what_no_report_could_hold_is_a_fault_before_anything_runs(tmp_path: Path) -> None:
    path = write(tmp_path, 'title: "\\ud800"\ncorpus: {path: a.csv}\nmodel: {name: m}', "audit.yaml")
    assert faults(path) == ["title: expected text in UTF-8"]
    given = {"title": "caf\udce9", "corpus.path": "a.csv", "model.name": "m", "report.reviewers": ["Ad\udce9"]}
    assert faults(None, given) == [
        "command line: title: expected text in UTF-8",
        "command line: report.reviewers: expected text in UTF-8",
    ]


def test_keys_of_yaml_that_are_no_strings_are_faults(tmp_path: Path) -> None:
    path = write(tmp_path, "corpus: {path: x}\nmodel: {name: y}\nprobes: {3: {}}\n7: 8\n", "a.yaml")
    assert faults(path) == [
        "probes.3: expected a key that is a string, found 3; put it into quotation marks",
        "7: expected a key that is a string, found 7",
    ]


def test_the_schema_accepts_what_loads_and_refuses_unknown_keys() -> None:
    schema = config.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(AUDIT.replace("lime.fidelity", '"lime.fidelity"')), schema)
    jsonschema.validate(load(None, dict(QUICK)).resolved(), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"corpus": {"path": "x"}, "model": {"name": "y"}, "probs": {}}, schema)
    assert schema["$defs"]["ModelConfig"]["properties"]["name"]["description"].startswith("A folder")


def test_the_starter_loads_and_every_line_it_comments_out_is_valid(tmp_path: Path) -> None:
    text = config.starter()
    assert load(write(tmp_path, text)).model.name == "path/to/model"
    lines = [line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in text.splitlines()]
    full = load(write(tmp_path, re.sub('^task = "[a-z-]+"', 'task = "text-generation"', "\n".join(lines), flags=re.M)))
    of_explanations = {"lime", "occlusion", "attention_rollout", "faithfulness", "head_ablation", "global_surrogate"}
    assert (
        set(full.probes)
        == {"prediction", "attention", "activations", "perplexity", "pseudo_perplexity"} | of_explanations
    )
    assert set(full.checks) == {"accuracy", "calibration_error", "explanations.reliable_share", "macro_f1"}
    assert [(person.name, person.role) for person in full.report.reviewers] == [
        ("Ada Lovelace", None),
        ("Mary Somerville", "Validator"),
    ]
    commented = {line.split(" = ")[0] for line in lines}
    shown = {"pdf", "statements", "signature"}
    assert set(config.ReportConfig.model_fields) - commented == shown, "every other key of [report] is shown"
    assert set(type(full.report.statements).model_fields) <= commented


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_the_starter_quotes_whatever_the_names_are(name: str) -> None:
    tables = tomllib.loads(config.starter(name, name))
    assert (tables["model"]["name"], tables["corpus"]["path"]) == (name, name)


def test_overrides_are_left_as_they_were_given() -> None:
    overrides: dict[str, object] = {**QUICK, "probes.lime": {}, "probes.lime.n_samples": 50}
    assert load(None, overrides).probes == {"lime": {"n_samples": 50}}
    assert overrides["probes.lime"] == {}
