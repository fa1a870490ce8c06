"""The processes of an audit ask for huge pages in time: before anything makes a tensor."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.tiny import save

SWITCH = Path("/sys/kernel/mm/transparent_hugepage/enabled")
PROGRAM = """
import pathlib, sys
from auditor import config, models
from auditor.running.checking import check
found = check(config.load(None, {"model.name": sys.argv[1], "corpus.path": sys.argv[2]}, environment={}))
models.load(found.checkpoint, device="cpu")
import torch
big = torch.ones(2**24)
print(pathlib.Path("/proc/self/smaps").read_text())
"""


@pytest.mark.exhaustive
@pytest.mark.skipif(not SWITCH.exists() or "[never]" in SWITCH.read_text(), reason="this kernel gives no huge pages")
def test_after_preflight_and_loading_large_tensors_are_to_lie_on_huge_pages(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "Good."}\n{"text": "Dull."}\n')
    model = save(tmp_path / "model", "bert", "text-classification")
    command = [sys.executable, "-c", PROGRAM, str(model), str(corpus)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    advised = re.findall(r"^Size:\s+(\d+) kB\n(?:(?!^Size:).*\n)*?^VmFlags:.* hg\b", ran.stdout, re.MULTILINE)
    assert sum(map(int, advised)) >= 32 * 1024
