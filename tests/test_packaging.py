"""The wheel, installed into an empty environment away from the repository, does what the checkout does."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RENDER = """
import sys
from pathlib import Path

sys.modules["torch"] = sys.modules["transformers"] = None  # a laptop without them
import auditor
from auditor.errors import PdfUnavailableError
from auditor.report import render_html, render_pdf
import invented_runs

assert Path(auditor.__file__).is_relative_to(sys.prefix), auditor.__file__
findings, evidence = invented_runs.tiny()
html = render_html(findings, evidence)
Path("report.html").write_text(html, encoding="utf-8")
try:
    Path("report.pdf").write_bytes(render_pdf(html, findings, {"findings.json": findings.model_dump_json().encode()}))
except PdfUnavailableError as reason:
    print(reason)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory, wheel) -> Path:
    """A new environment: the wheel, and what it depends on from this one; not this one's editable install.

    A path file adds the packages of this environment behind its own; the path files among them, the editable
    install's above all, are not read from there.
    """
    path = tmp_path_factory.mktemp("elsewhere")
    venv.create(path / "env", with_pip=False, symlinks=True)
    env = path / "env"
    (packages,) = env.glob("lib/python*/site-packages")
    (packages / "behind.pth").write_text("\n".join({sysconfig.get_path(name) for name in ("purelib", "platlib")}))
    pip = [sys.executable, "-m", "pip", "--python", env / "bin" / "python", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--force-reinstall", wheel], check=True, capture_output=True, cwd=path)
    return path


def _run(home: Path, *command: str, **variables: str) -> str:
    """What a command of the new environment prints, run outside the repository."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "VIRTUAL_ENV"))}
    program, *arguments = command
    ran = subprocess.run(
        [home / "env" / "bin" / program, *arguments],
        cwd=home,
        env=env | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_wheel_holds_templates_translations_fonts_licences_the_manual_and_the_typing_marker(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "auditor/py.typed" in names
    folders = (
        "templates",
        "auditor/languages/locale",
        "auditor/report/branding/fonts/files",
        "auditor/report/branding/fonts/licences",
        "auditor/terminal/topics",
    )
    for folder in folders:
        inside = folder if folder.startswith("auditor") else f"auditor/{folder}"
        wanted = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert wanted
        assert {f"{inside}/{path.as_posix()}" for path in wanted} <= names
    assert "auditor/report/branding/fonts/fonts.json" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_holds_nothing_but_the_package(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not re.fullmatch(r"auditor-[^/]+\.dist-info", top)} == {"auditor"}


def test_the_installed_commands_answer(home):
    import auditor

    assert auditor.__version__ in _run(home, "auditor", "--version")
    assert "run" in _run(home, "auditor", "--help")
    assert _run(home, "auditor", "help", "start").startswith("# start\n")
    schema = json.loads(_run(home, "auditor", "schema", "config"))
    assert {"corpus", "model", "probes", "checks"} <= set(schema["properties"])
    _run(home, "auditor", "init", "audit.toml")
    assert {"corpus", "model"} <= set(tomllib.loads((home / "audit.toml").read_text(encoding="utf-8")))


def test_the_installed_package_finds_its_probes_by_entry_point(home):
    program = (
        "from importlib.metadata import entry_points as e; print(*sorted(p.name for p in e(group='auditor.probes')))"
    )
    by_gradients = ["input_x_gradient", "integrated_gradients", "saliency"]
    of_explanations = ["anchors", "faithfulness", "lime", "occlusion", "shap", *by_gradients]
    of_attention = ["attention", "attention_rollout", "head_ablation", "mean_attention"]
    others = ["activations", "global_surrogate", "perplexity", "prediction", "pseudo_perplexity", "sanity"]
    wanted = sorted([*others, *of_attention, *of_explanations])
    assert _run(home, "python", "-c", program).split() == wanted


def test_the_installed_package_renders_a_report_without_torch(home):
    said = _run(home, "python", "-c", RENDER, PYTHONPATH=str(ROOT / "tests" / "report"))
    html = (home / "report.html").read_text(encoding="utf-8")
    assert "Not" in html
    assert "@font-face" in html
    pdf = home / "report.pdf"
    assert pdf.exists(), said
    assert pdf.read_bytes().startswith(b"%PDF-")
