import builtins
import re
import subprocess
import sys

import pytest
from invented_classifier import classifier
from invented_runs import hostile

from auditor.errors import PdfUnavailableError
from auditor.report import render_html, render_pdf
from auditor.report.page import pdf
from tests.document.checkers import or_fail, program


@pytest.fixture(scope="session")
def classifier_file(report):
    return report("classifier").pdf


def output_of(name, *arguments):
    command = [or_fail(lambda: program("poppler-utils", name)), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def text_of(path, *options):
    return output_of("pdftotext", *options, str(path), "-")


def decompressed(path):
    """The objects of a PDF in the clear: most lie in compressed streams."""
    command = [or_fail(lambda: program("qpdf", "qpdf")), "--qdf", "--object-streams=disable", str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def info_of(path):
    return dict(re.findall(r"^([^:]+): +(.*)$", output_of("pdfinfo", str(path)), re.MULTILINE))


def test_page_one_is_one_page_with_eight_checks(classifier_file):
    first = text_of(classifier_file, "-l", "1")
    assert "Pass with conditions" in first
    assert "Accuracy, language ar" in first
    assert "Decision and conditions" in first
    assert "Predictions p. 2" in " ".join(first.split())
    assert text_of(classifier_file, "-f", "2", "-l", "2").count("Does the model answer right") == 1


def test_the_file_says_what_it_is(classifier_run, classifier_file):
    info = info_of(classifier_file)
    assert info["Title"] == f"{classifier_run[0].title}: interpretation audit"
    assert info["Tagged"] == "yes"
    assert 12 <= int(info["Pages"]) <= 24
    assert info["Page size"].endswith("(A4)")
    assert info["CreationDate"].startswith("Sat Nov 21")
    running = text_of(classifier_file, "-f", "3", "-l", "3")
    assert "Page 3 of" in running
    assert "Run 2026-11-21-042 · plan 6baea86f · findings.json sha256" in running


def test_archive_and_accessibility_are_claimed_and_prepared(classifier_file):
    objects = decompressed(classifier_file)
    assert b'pdfuaid:part="1"' in objects
    assert b"<pdfaid:part>3</pdfaid:part>" in objects or b'pdfaid:part="3"' in objects
    headers = len(re.findall(rb"/S ?/TH\b", objects))
    assert headers > 100
    assert len(re.findall(rb"/Scope ?/(?:Column|Row)\b", objects)) == headers
    assert re.search(rb"/Artifact\s<</Type/Pagination>>\sBDC", objects)
    assert not re.search(rb"/Interpolate ?true", objects)


def test_attachments_carry_the_time_of_the_run_and_are_data(report, classifier_file):
    objects, attached = decompressed(classifier_file), len(report("classifier").attachments) + 1  # printed.json
    assert len(re.findall(rb"/AFRelationship ?/Data\b", objects)) == attached
    assert len(re.findall(rb"/CreationDate ?\(D:20261121220000", objects)) >= attached


def test_the_clock_of_the_caller_is_left_as_it_was(classifier_run, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    render_pdf("<html lang=en><title>x</title>", classifier_run[0], {})
    assert pdf.os.environ["SOURCE_DATE_EPOCH"] == "1"


def test_hostile_text_is_printed_and_missing_glyphs_by_their_code(tmp_path, weasyprint_log):
    findings, evidence = hostile(cards=6)
    path = tmp_path / "hostile.pdf"
    path.write_bytes(render_pdf(render_html(findings, evidence), findings, {}))
    assert weasyprint_log == []
    text = "".join(text_of(path).split())
    for attack in (
        "<script>alert(1)</script>",
        "{{7*7}}",
        "$\\frac{1}{2}$",
        "<!--screen-->gone?<!--/screen-->",
        "[U+202E]txt.exe",
    ):
        assert attack.replace(" ", "") in text
    assert "[U+133F4]" in text


def test_nothing_but_data_may_be_fetched(classifier_run, weasyprint_log):
    page = '<html lang="en"><title>x</title><img alt="x" src="file:///etc/hostname"><img alt="y" src="http://127.0.0.1:9/x.png">'
    render_pdf(page, classifier_run[0], {})
    assert len(weasyprint_log) == 2
    assert all("disallowed protocol" in message for message in weasyprint_log)


def test_missing_pango_is_one_clear_error_and_the_banner_is_silent(monkeypatch, capsys):
    real = builtins.__import__

    def without_pango(name, *args, **kwargs):
        if name == "weasyprint":
            print("WeasyPrint could not import some external libraries")  # noqa: T201
            raise OSError("cannot load library 'libpango-1.0-0'\nmore lines")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(PdfUnavailableError, match=r"libpango-1\.0-0'\); the HTML was written") as caught:
        pdf.load_weasyprint()
    assert "\n" not in str(caught.value)
    assert pdf.install_command() in str(caught.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("platform", "command"), [("darwin", "brew"), ("win32", "pacman"), ("linux", "apt-get")])
def test_each_platform_has_its_install_command(monkeypatch, platform, command):
    monkeypatch.setattr(pdf.sys, "platform", platform)
    assert pdf.install_command().startswith(command)


def moved(tmp_path, section, before, offset):
    """The text of a PDF of one section, in which something is moved down by so many millimetres."""
    findings, evidence = classifier()
    presentation = findings.presentation.model_copy(update={"sections": (section,)})
    findings = findings.model_copy(update={"presentation": presentation})
    html = render_html(findings, evidence).replace(before, f'<div style="height: {offset}mm"></div>{before}', 1)
    (tmp_path / "moved.pdf").write_bytes(pdf.render(html, findings, {}))
    return text_of(tmp_path / "moved.pdf", "-layout")


@pytest.mark.parametrize("offset", [170, 240])
def test_panels_that_do_not_fit_on_a_page_are_drawn_once_on_the_next(tmp_path, offset):
    assert moved(tmp_path, "slices", '<div class="grids panels">', offset).count("All documents") == 4


@pytest.mark.parametrize("offset", [8, 16])
def test_a_figure_that_does_not_fit_on_a_page_takes_its_caption_along(tmp_path, offset):
    text = moved(tmp_path, "prediction", '<div class="beside">', offset)
    assert "Doubts" in [line.strip() for line in text.splitlines()], "nothing lies over the heading behind it"
