"""The examples of CONTRIBUTING.md, each as a package of somebody else, do what is said of them."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from transformers import BertConfig, BertForNextSentencePrediction

from auditor.findings.contract.registry import summaries
from auditor.report.chapters import chapters
from auditor.terminal.cli import main
from tests.models.tiny import TEXTS, save, word_pieces

ROOT = Path(__file__).parents[1]
SECTIONS = re.split(r"^## ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
_FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
UNCASED, CASED = "bert", "roberta"
SMALL = ["--no-pdf", "--json", "--output", "runs"]


def files(title: str) -> dict[str, str]:
    """The files that a section shows, by name."""
    (section,) = (text for text in SECTIONS if text.startswith(f"{title}\n"))
    return dict(_FILE.findall(section))


def install(title: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the package of a section where Python finds it, with what pip would have noted of its pyproject.toml."""
    shown = files(title)
    project = tomllib.loads(shown.pop("pyproject.toml"))["project"]
    metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    named = f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(named, encoding="utf-8")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    for name, text in shown.items():
        (folder / name).write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, Path(name).stem, raising=False)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()


def audit(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    """What a run prints."""
    code = main(["run", *arguments, *SMALL])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)


def rows(result: dict, probe: str) -> dict[str, dict]:
    """The evidence of a probe, by document."""
    table = pq.read_table(Path(result["path"]) / "evidence" / probe)
    return {row["document_id"]: row for row in table.to_pylist()}


@pytest.fixture(autouse=True)
def _registries():
    """What is found once is found again: each test installs a package of its own."""
    for registry in (summaries, chapters):
        registry.cache_clear()
    yield
    for registry in (summaries, chapters):
        registry.cache_clear()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("title", [section.partition("\n")[0] for section in SECTIONS if _FILE.search(section)])
def test_an_example_is_in_the_style_of_the_house(title, tmp_path):
    for name, text in files(title).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml", "--ignore=ARG"]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("family", [UNCASED, CASED])
def test_a_new_probe_in_one_file(family, here, monkeypatch, capsys):
    install("A new probe in one file", here / "site", monkeypatch)
    save(here / "model", family, "text-classification")
    documents = [{"id": str(i), "text": text} for i, text in enumerate(TEXTS)]
    (here / "texts.jsonl").write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    options = ("--set", "probes.capitals={}", "--set", "run.shard_size=4")
    result = audit(capsys, "--model", "model", "--data", "texts.jsonl", *options)

    found, answers = rows(result, "capitals"), rows(result, "prediction")
    assert found["3"]["not_measurable_kind"] == "no-case"  # Chinese
    measured = [name for name in found if name != "3"]
    assert len(measured) == len(TEXTS) - 1
    for name in measured:
        assert found[name]["as_written"] == pytest.approx(max(answers[name]["probabilities"]), abs=1e-6)
    moved = max(abs(found[name]["as_written"] - found[name]["in_capitals"]) for name in measured)
    assert moved < 1e-6 if family == UNCASED else moved > 1e-4  # what reads no case cannot be moved by it
    page = Path(result["html"]).read_text(encoding="utf-8")
    assert "as_written" in page
    assert main(["verify", result["run_id"], "--root", "runs"]) == 0


def test_a_new_task_in_one_file(here, monkeypatch, capsys):
    install("A new task in one file", here / "site", monkeypatch)
    tokenizer = word_pieces()
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertForNextSentencePrediction(BertConfig(vocab_size=len(tokenizer), **sizes)).eval()
    model.save_pretrained(here / "model")
    tokenizer.save_pretrained(here / "model")
    pairs = [{"id": str(i), "text": text, "next": TEXTS[i - 1], "label": i % 2} for i, text in enumerate(TEXTS)]
    (here / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    options = ("--pair-column", "next", "--set", "probes.lime.n_samples=40", "--set", "probes.attention.maps=2")
    result = audit(capsys, "--model", "model", "--data", "pairs.jsonl", *options)

    answers = rows(result, "prediction")
    for pair in pairs:
        with torch.inference_mode():
            logits = model(**tokenizer(pair["text"], pair["next"], return_tensors="pt")).logits[0]
        assert answers[pair["id"]]["probabilities"] == pytest.approx(logits.softmax(-1).tolist(), abs=1e-5)
    assert len(rows(result, "lime")) == len(rows(result, "attention")) == len(TEXTS)
    assert "Next-sentence prediction" in Path(result["html"]).read_text(encoding="utf-8")


def test_a_new_number_in_one_entry(here, monkeypatch, capsys):
    install("A new number in one entry", here / "site", monkeypatch)
    save(here / "model", UNCASED, "text-classification")
    texts = [f"film {n}" if n % 4 else "a film" for n in range(80)]
    documents = [{"text": text, "source": "web" if n < 40 else "mail"} for n, text in enumerate(texts)]
    (here / "texts.jsonl").write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    (here / "audit.toml").write_text(
        '[corpus]\npath = "texts.jsonl"\n[model]\nname = "model"\n[probes.digits]\n'
        '[checks]\n"digits.share" = { at_least = 0.5 }\n"digits.share{source=web}" = { at_most = 0.9 }\n'
    )
    result = audit(capsys, "-c", "audit.toml")

    page = Path(result["html"]).read_text(encoding="utf-8")
    findings = json.loads((Path(result["path"]) / "findings.json").read_text(encoding="utf-8"))
    numbers = {number["name"]: number["value"] for number in findings["numbers"]}
    assert numbers["digits.share"] == numbers["digits.share{source=web}"] == 0.75
    assert {check["name"]: check["result"] for check in findings["checks"]} == {
        "digits.share": "pass",
        "digits.share{source=web}": "pass",
    }
    assert findings["analyses"]["digits"] == {"n_documents": 80}
    assert "Texts with digits" in page[page.index("<main") : page.index("<section")]
    assert "A character from 0 to 9." in page[page.index('<section id="glossary"') :]
    assert main(["check", "-c", "audit.toml", "--set", "checks.digits.shares.at_most=0.5"]) == 2
