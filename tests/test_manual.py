"""The manual (`auditor help`) and the README say what is true: keys, parameters, commands, options, exit codes."""

import dataclasses
import os
import pty
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import pytest
import typer
from pydantic import BaseModel

from auditor import config, errors
from auditor.config.report import SECTIONS, known_sections
from auditor.terminal import cli, manual

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = {topic: manual.read(topic) for topic in manual.TOPICS} | {"README": README.read_text(encoding="utf-8")}
COMMANDS = typer.main.get_command(cli.app).commands
_FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_ENTRY = re.compile(r"^- (`[^:]*?)(?: \(required\))?:", re.MULTILINE)
_TABLE = re.compile(r"^## \[+([a-z._]+)\]+$", re.MULTILINE)
LOADED = """
import sys
from auditor.terminal.cli import main
main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


def blocks(text: str, language: str) -> list[tuple[str, str]]:
    """What stands behind the language in the first line of each such block, and the block."""
    return [(rest.strip(), code) for name, rest, code in _FENCE.findall(text) if name == language]


def spans(text: str) -> list[str]:
    """Code within sentences, on one line."""
    return [" ".join(span.split()) for span in _CODE.findall(_FENCE.sub("", text))]


def described() -> dict[str, set[str]]:
    """Keys with an entry in some topic, by table; those of the top level have the table ''."""
    found: dict[str, set[str]] = {}
    for topic in manual.TOPICS:
        text = DOCUMENTS[topic].replace("## Top level\n", "## [.]\n")
        _, *parts = _TABLE.split(text)
        for table, part in zip(parts[::2], parts[1::2], strict=True):
            entries = _ENTRY.findall(part.split("\n## ")[0])
            found.setdefault(table.strip("."), set()).update(*map(_CODE.findall, entries))
    return found


def tables(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every table of a configuration with its keys, those that are tables of their own among them."""
    yield name, set(model.model_fields)
    for key, field in model.model_fields.items():
        for inner in models_in(field.annotation):
            yield from tables(inner, f"{name}.{key}".lstrip("."))


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def parameters() -> dict[str, set[str]]:
    """Of our own probes, by table."""
    ours = (entry for entry in entry_points(group="auditor.probes") if entry.value.startswith("auditor."))
    return {f"probes.{entry.name}": {field.name for field in dataclasses.fields(entry.load())} for entry in ours}


KEYS = {**dict(tables(config.Config)), **parameters()}


def options(command: str) -> set[str]:
    parameters = COMMANDS[command].params
    return {option for one in parameters for option in (*one.opts, *one.secondary_opts)} | {"--help"}


def command_lines(text: str) -> Iterator[list[str]]:
    """Every use of `auditor`, as words, in sentences and in blocks."""
    shell = "\n".join(code for _, code in blocks(text, "console")).replace("\\\n", " ")
    for line in [*spans(text), *shell.splitlines()]:
        found = re.search(r"(?:^|\s)auditor ([a-zA-Z].*)", line.split(" #")[0])
        if found and not line.startswith("pip"):
            yield found[1].split()


def test_the_list_of_topics_is_that_of_the_files_a_line_each():
    assert {path.stem for path in manual.FOLDER.glob("*.md")} == set(manual.TOPICS)
    lines = manual.contents().splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(manual.TOPICS)
    assert max(map(len, lines)) <= manual.WIDTH


@pytest.mark.parametrize("topic", manual.TOPICS)
def test_a_topic_begins_with_its_name_and_a_sentence_and_fits_eighty_columns(topic):
    first, blank, sentence, *_ = lines = DOCUMENTS[topic].splitlines()
    assert (first, blank, sentence[-1]) == (f"# {topic}", "", ".")
    assert [line for line in lines if len(line) > manual.WIDTH] == []


@pytest.mark.parametrize("table", sorted(KEYS))
def test_every_key_of_the_configuration_has_an_entry_and_every_entry_is_a_key(table):
    expected = {key for key in KEYS[table] if table or (key not in KEYS and key != "probes")}
    assert described().get(table, set()) == expected


def test_no_topic_describes_a_table_that_there_is_not():
    assert set(described()) <= set(KEYS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_key_that_is_named_with_its_table_exists(name):
    heads = {key.split(".")[0] for key in KEYS if key}
    dotted = {span for span in spans(DOCUMENTS[name]) if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", span)}
    named = {span.rpartition(".")[::2] for span in dotted if span.split(".")[0] in heads}
    assert {(table, key) for table, key in named if key not in KEYS.get(table, set())} == set()
    brackets = {span.strip("[]") for span in spans(DOCUMENTS[name]) if re.fullmatch(r"\[+[a-z._]+\]+", span)}
    assert brackets <= {*KEYS, "probes", "corpus.labels"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_option_and_topic_that_is_named_exists(name):
    unknown = []
    for command, *words in command_lines(DOCUMENTS[name]):
        if command.isupper():
            continue  # auditor COMMAND
        known = options(command) if command in COMMANDS else set()
        unknown += [(command, word) for word in words if word.startswith("-") and word.split("=")[0] not in known]
        unknown += [] if known else [(command,)]
        if command == "help" and words:
            unknown += [(command, word) for word in words if word not in (*manual.TOPICS, "TOPIC")]
    assert unknown == []
    anywhere = set().union(*map(options, COMMANDS)) | {"--version"}
    assert {word for span in spans(DOCUMENTS[name]) for word in re.findall(r"^--[a-z-]+", span)} <= anywhere


def test_every_command_has_its_line():
    assert {words[0] for words in command_lines(DOCUMENTS["commands"])} - {"COMMAND"} == set(COMMANDS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_table_of_the_manual_loads_as_a_configuration(name, tmp_path):
    for file, text in blocks(DOCUMENTS[name], "toml"):
        given = tomllib.loads(text)
        if file == "pyproject.toml":
            assert set(given) == {"project"}
            continue
        path = tmp_path / (file or "audit.toml")
        path.write_text(text, encoding="utf-8")
        if file == "waivers.toml":
            assert config.read_waivers(path)
            continue
        needed = {"corpus.path": "documents.jsonl", "model.name": "a/model"}
        missing = {key: value for key, value in needed.items() if key.split(".")[1] not in given.get(key[:-5], {})}
        config.load(path, missing, environment={})


def test_every_parameter_of_a_probe_in_the_manual_is_accepted():
    probes = {entry.name: entry.load() for entry in entry_points(group="auditor.probes")}
    for text in DOCUMENTS.values():
        for file, block in blocks(text, "toml"):
            given = {} if file else tomllib.loads(block).get("probes", {})
            for probe, values in given.items():
                probes[probe](**values)


def test_the_exit_codes_are_those_of_the_program():
    written = {int(code) for code in re.findall(r"^\| +(\d+) \|", DOCUMENTS["exit-codes"], re.MULTILINE)}
    declared = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert written == declared | {error.exit_code for error in classes if issubclass(error, errors.AuditorError)}


def test_the_sections_of_the_report_are_all_named():
    assert set(SECTIONS) <= set(spans(DOCUMENTS["report"]))
    entry = re.search(r"- `sections`: .*?(?=\n- `)", DOCUMENTS["report"], re.DOTALL)
    assert entry is not None
    assert set(spans(entry[0])) - {"sections", "[probes]"} <= set(known_sections()), "a section that is refused"


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("corpsu", "did you mean corpus?"),
        ("verify", "auditor verify --help describes that command"),
        ("kernel_width", "see auditor help probes"),
        ("xyzzy", "there are start, install"),
    ],
)
def test_a_topic_that_there_is_not_says_where_to_look(word, remedy, capsys):
    assert cli.main(["help", word]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"help: there is no topic '{word}'; {remedy}" in err
    assert err.count("\n") == 1


def test_a_hostile_topic_does_not_steer_the_terminal(capsys):
    assert cli.main(["help", "\x1b[2J"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_piped_a_topic_is_its_markdown(capsys):
    assert cli.main(["help", "corpus"]) == 0
    assert capsys.readouterr().out == DOCUMENTS["corpus"]


@pytest.mark.parametrize("arguments", [[], ["probes"]])
def test_the_manual_opens_without_loading_what_it_does_not_need(arguments):
    command = [sys.executable, "-c", LOADED, "help", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "numpy", "pyarrow", "jinja2", "rich.markdown"} & set(done.stderr.split())


def on_a_terminal(*arguments: str, columns: int) -> str:
    """What a person reads, without colours."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    process = subprocess.Popen([sys.executable, "-m", "auditor", *arguments], stdout=slave, env=environment)
    os.close(slave)
    parts = []
    try:
        while part := os.read(master, 65536):
            parts.append(part)
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(master)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(parts).decode())


@pytest.mark.parametrize("columns", [80, 50])
def test_on_a_terminal_a_topic_is_rendered_within_its_width(columns):
    lines = on_a_terminal("help", "checks", columns=columns).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= columns
    assert lines[0].strip() == "checks"
    assert not any("```" in line or "##" in line for line in lines)
    assert any(line.strip().startswith("• required") for line in lines)


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = DOCUMENTS["README"]
    assert len(text.encode()) <= 10_000
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_every_file_and_target_of_make_that_is_named_exists(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    named = {span for span in spans(text) if re.fullmatch(r"(auditor|tests|reports|samples|templates)/[\w./-]*", span)}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"(?:^    |^\$ |`)make ([a-z-]+)", text, re.MULTILINE))
    assert named
    assert named <= set(targets)


def test_the_readme_has_at_most_three_ratios_and_they_are_those_of_the_benchmarks():
    ratios = re.findall(r"[0-9.]+ ×", DOCUMENTS["README"])
    assert 0 < len(ratios) <= 3
    table = (ROOT / "reports" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [ratio for ratio in ratios if f"| {ratio} " not in table] == []


def test_a_probe_is_explained_where_the_readme_first_says_the_word():
    text = DOCUMENTS["README"]
    first = re.search(r"\bprobes?\b", text, re.IGNORECASE)
    assert first
    assert "measuring instrument" in text[first.start() : first.start() + 200]
