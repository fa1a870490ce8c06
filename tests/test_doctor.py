"""What is missing on a machine is named together with what mends it."""

import importlib
import sys
import types
from pathlib import Path

import pytest

from auditor.errors import PdfUnavailableError
from auditor.terminal import doctor
from auditor.terminal.cli import main

CARD = types.SimpleNamespace(name="H100", total_memory=80 * 2**30)


def fake_torch(*, cuda=False, mps=False):
    return types.SimpleNamespace(
        __version__="9.9",
        cuda=types.SimpleNamespace(
            is_available=lambda: cuda, device_count=lambda: 1, get_device_properties=lambda _: CARD
        ),
        backends=types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps)),
        get_num_threads=lambda: 2,
    )


@pytest.fixture
def torch(monkeypatch):
    """Decide what `import torch` gives."""

    def install(module):
        def import_module(name):
            if isinstance(module, Exception):
                raise module
            return module if name == "torch" else importlib.import_module(name)

        monkeypatch.setattr(doctor, "import_module", import_module)

    install(fake_torch())
    return install


@pytest.fixture
def pdf(monkeypatch):
    """Decide what the PDF door of the report gives."""

    def install(load):
        monkeypatch.setitem(sys.modules, "auditor.report.page.pdf", types.SimpleNamespace(load_weasyprint=load))

    pango = types.SimpleNamespace(pango_version=lambda: 15012)
    text = types.SimpleNamespace(ffi=types.SimpleNamespace(pango=pango))
    install(lambda: types.SimpleNamespace(__version__="70.0", text=text))
    return install


def told(subject, output=Path()):
    return [(finding.state, finding.text) for finding in doctor.examine(output) if finding.subject == subject]


@pytest.mark.usefixtures("pdf")
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (fake_torch(cuda=True), ("fine", "cuda:0 H100, 80 GiB")),
        (fake_torch(mps=True), ("fine", "mps")),
        (fake_torch(), ("note", "no GPU found: cpu with 2 threads")),
    ],
)
def test_the_device_is_named(torch, module, expected):
    torch(module)
    assert told("device") == [expected]


@pytest.mark.usefixtures("torch", "pdf")
def test_a_healthy_machine_is_exit_0(capsys, tmp_path):
    assert main(["doctor", "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "WeasyPrint 70.0, Pango 1.50.12" in out
    assert "GiB free in" in out


@pytest.mark.usefixtures("torch")
def test_without_pango_the_cure_is_printed_and_the_exit_code_is_7(pdf, capsys):
    def load():
        raise PdfUnavailableError("the PDF needs Pango: apt-get install libpango-1.0-0")

    pdf(load)
    assert main(["doctor"]) == 7
    assert "missing  pdf           the PDF needs Pango: apt-get install libpango-1.0-0" in capsys.readouterr().out


@pytest.mark.usefixtures("torch")
def test_without_weasyprint_the_cure_is_printed(pdf):
    def load():
        raise ModuleNotFoundError("No module named 'weasyprint'")

    pdf(load)
    assert told("pdf") == [("missing", "No module named 'weasyprint': pip install weasyprint")]


@pytest.mark.usefixtures("pdf")
def test_without_torch_the_exit_code_is_4(torch):
    torch(ModuleNotFoundError("No module named 'torch'"))
    [(state, text)] = told("torch")
    assert state == "missing"
    assert text.endswith("pip install torch. Finished runs can still be rendered")
    assert main(["doctor"]) == 4


@pytest.mark.usefixtures("torch", "pdf")
def test_offline_switches_are_named_and_the_token_never(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_HOME", "/data/hub")
    assert told("hub") == [("note", "offline (HF_HUB_OFFLINE): only models on this disk or in the cache")]
    assert told("hub cache") == [("fine", "/data/hub")]
    assert "hf_secret" not in str(doctor.examine(Path()))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("auditor.hub.answers", lambda: True)
    assert told("hub")[0][0] == "fine"
    monkeypatch.setattr("auditor.hub.answers", lambda: False)
    assert told("hub") == [("note", "does not answer: only models on this disk or in the cache")]


@pytest.mark.usefixtures("torch", "pdf")
def test_a_full_or_read_only_disk_is_noted(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=2**29))
    assert told("disk", tmp_path / "not" / "yet") == [("note", f"0.5 GiB free in {tmp_path}")]
    monkeypatch.setattr("auditor.records.disk.os.access", lambda *_: False)
    assert told("disk", tmp_path) == [("missing", f"{tmp_path}: cannot be written; choose another with --output")]


def test_a_file_where_runs_should_go_is_found(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ((state, text),) = told("disk", tmp_path / "file" / "runs")
    assert state == "missing"
    assert f"{tmp_path / 'file'}: is a file" in text


@pytest.mark.usefixtures("torch", "pdf")
def test_a_missing_package_is_named(monkeypatch):
    version = doctor.metadata.version

    def without_transformers(name):
        if name == "transformers":
            raise doctor.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without_transformers)
    assert told("transformers") == [("missing", "pip install transformers")]
