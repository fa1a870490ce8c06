"""How a report looks is read with the configuration, kept in the plan, and found again for another rendering."""

import hashlib
import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from auditor import audit, config
from auditor.errors import ConfigError, RenderError
from auditor.records import plan as plans
from auditor.records.run import Run
from auditor.records.store import open_run
from auditor.records.verification import verify
from auditor.report import Look
from auditor.report.branding import fonts
from auditor.report.page.templates import UserTemplates
from auditor.running import appearance, planning
from tests.records.planned import planned

EXAMPLE = Path(__file__).parents[1] / "reports" / "example"
AUDIT = """
[corpus]
path = "x.jsonl"
[model]
name = "models/x"
[report]
language = "zh"
organisation = "Example Bank"
logo = "logo.png"
classification = "Internal"
reviewers = ["Ada Lovelace", { name = "Mary Somerville", role = "Validator" }]
sections = ["lime", "prediction"]
templates = "templates"
fonts = "fonts"
[report.statements]
owner = "  Model risk  "
"""
FRONT = "<h1>{{ findings.title }}</h1>"


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (40, 20)) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def branded(folder: Path, text: str = AUDIT) -> config.Config:
    (folder / "templates").mkdir()
    (folder / "templates" / "front.html.j2").write_text(FRONT, encoding="utf-8")
    (folder / "fonts").mkdir()
    file = fonts.families()["Noto Sans Thai"][0].read_bytes()
    (folder / "fonts" / "thai.ttf").write_bytes(file.replace(b"\0N\0o\0t\0o", b"\0M\0i\0n\0e"))
    (folder / "logo.png").write_bytes(picture())
    (folder / "audit.toml").write_text(text, encoding="utf-8")
    return config.load(folder / "audit.toml", {}, environment={})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    shutil.copytree(EXAMPLE, tmp_path / "run")
    return open_run(tmp_path / "run", tmp_path)


def test_the_plan_keeps_what_a_second_rendering_needs(tmp_path: Path) -> None:
    audit_ = branded(tmp_path)
    read = appearance.read(audit_)
    written = plans.write(planned(report=planning.plan_report(audit_), look=read.planned()))
    (tmp_path / "plan.json").write_bytes(written)
    plan = plans.read(tmp_path / "plan.json")
    shutil.rmtree(tmp_path / "templates")
    (tmp_path / "logo.png").unlink()
    again = appearance.look_again(plan.look, None, tmp_path / "fonts")
    assert again.templates.files == read.look.templates.files == (("front.html.j2", FRONT),)
    assert again.hashes == read.look.hashes
    shown = appearance.presentation(plan)
    assert (shown.language, shown.organisation, shown.classification) == ("zh", "Example Bank", "Internal")
    assert [(person.name, person.role) for person in shown.reviewers] == [
        ("Ada Lovelace", None),
        ("Mary Somerville", "Validator"),
    ]
    assert shown.sections == ("lime", "prediction")
    assert shown.statements == {"owner": "Model risk"}
    assert shown.logo is not None
    assert shown.logo.startswith("data:image/png;base64,")


def test_no_path_of_this_machine_enters_the_plan(tmp_path: Path) -> None:
    audit_ = branded(tmp_path)
    plan = planned(report=planning.plan_report(audit_), look=appearance.read(audit_).planned())
    assert str(tmp_path).encode() not in plans.write(replace(plan, configuration=audit_.resolved()))


def test_fonts_have_to_be_given_again(tmp_path: Path) -> None:
    kept = appearance.read(branded(tmp_path)).planned()
    with pytest.raises(RenderError, match=r"give thai\.ttf again with --fonts DIR"):
        appearance.look_again(kept, None, None)


def test_every_fault_of_logo_templates_and_fonts_is_raised_at_once(tmp_path: Path) -> None:
    audit_ = branded(tmp_path)
    (tmp_path / "logo.png").write_bytes(b"GIF89a")
    (tmp_path / "fonts" / "thai.ttf").write_bytes(b"GIF89a")
    (tmp_path / "templates" / "front.html.j2").write_text("{{ findngs }}\n{% if %}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        appearance.read(audit_)
    file = tmp_path / "audit.toml"
    front, font, logo = str(caught.value).splitlines()
    assert front.startswith(f"{file}: report.templates: {tmp_path}/templates/front.html.j2, line 2: ")
    assert font.startswith(f"{file}: report.fonts: {tmp_path}/fonts/thai.ttf: neither TrueType, OpenType nor WOFF2")
    assert logo.startswith(f"{file}: report.logo: {tmp_path}/logo.png: expected a PNG or a JPEG by its content")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (picture()[:60], "the logo is damaged"),
        (picture("JPEG", "CMYK"), "expected a logo in RGB or grey, found CMYK; convert it to RGB"),
        (picture() + b"\0" * 262_144, "expected a logo of at most 256 KB"),
        (picture("PNG", "1", (4001, 1000)), "expected a logo of at most 4,000,000 pixels, found 4001 × 1000"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "expected a PNG or a JPEG by its content, found something else"),
        (None, "the logo cannot be read: No such file or directory"),
    ],
)
def test_a_logo_that_cannot_be_printed_is_refused(tmp_path: Path, data: bytes | None, said: str) -> None:
    from auditor.report.branding import logo

    path = tmp_path / "logo.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(RenderError) as caught:
        logo.read(path)
    assert said in str(caught.value)


def test_the_kind_of_a_logo_is_read_from_its_content(tmp_path: Path) -> None:
    from auditor.report.branding import logo

    (tmp_path / "logo.png").write_bytes(picture("JPEG", "L"))
    assert logo.read(tmp_path / "logo.png").startswith("data:image/jpeg;base64,")


def test_a_run_is_rendered_again_with_templates_and_they_are_noted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "front.html.j2").write_text(FRONT, encoding="utf-8")
    result = audit.rerender(run, pdf=False, templates=tmp_path / "templates")
    noted = result.findings.provenance["Own templates and fonts, SHA-256"]
    assert noted == f"front.html.j2 {hashlib.sha256(FRONT.encode()).hexdigest()}"
    first = result.html.read_bytes()
    assert b'<main id="main">\n<h1>' in first
    assert noted.encode() in first
    assert verify(run) == []
    assert audit.rerender(run, pdf=False, templates=tmp_path / "templates").html.read_bytes() == first
    assert "Own templates and fonts, SHA-256" not in audit.rerender(run, pdf=False).findings.provenance


def test_templates_that_break_leave_the_old_report_as_it_was(run: Run, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "front.html.j2").write_text("\n{{ findings.titel }}", encoding="utf-8")
    before = (run.path / "report.html").read_bytes()
    with pytest.raises(RenderError, match=r"front\.html\.j2, line 2: .*has no attribute 'titel'"):
        audit.rerender(run, pdf=False, templates=tmp_path / "templates")
    assert (run.path / "report.html").read_bytes() == before
    assert verify(run) == []


def test_templates_that_break_at_the_end_of_a_run_do_not_cost_the_run(run: Run) -> None:
    broken = Look(templates=UserTemplates("templates", (("front.html.j2", "{{ findings.titel }}"),)))
    with pytest.raises(RenderError) as caught:
        audit._concluded(run, broken, pdf=False, facts={}, seal=None)
    assert f"auditor report {run.run_id} --templates DIR" in str(caught.value)
    assert verify(run) == []
    assert b"</html>" in (run.path / "report.html").read_bytes()
