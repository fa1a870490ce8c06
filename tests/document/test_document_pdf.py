"""Can the PDF be archived, read aloud, searched, and made again byte for byte? Other programs than ours judge."""

import hashlib
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from checkers import or_fail, program
from sample_reports import CONFIG, INVENTED, PRINTED, SENTENCES

from auditor.report.branding import fonts

AGAIN = """
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from pathlib import Path
from invented_runs import language_model
from sample_reports import make
from auditor.report import render_html
folder = Path(sys.argv[1])
make("scripts", folder)
(folder / "language-model.html").write_text(render_html(*language_model()), encoding="utf-8")
"""


@pytest.fixture(params=PRINTED)
def printed(request, report):
    return report(request.param)


def output_of(package, name, *arguments):
    command = [or_fail(lambda: program(package, name)), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


def letters(text):
    """The characters of a text in one form, without the white space that lines add."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("profile", ["ua1", "3a"])
@pytest.mark.parametrize("name", PRINTED)
def test_verapdf_passes_every_report(conformance, name, profile):
    assert conformance[name][profile] == {}


@pytest.mark.parametrize("profile", ["ua1", "3a"])
def test_verapdf_fails_a_plain_file(conformance, profile):
    assert conformance["plain"][profile]


def test_qpdf_finds_the_file_sound(printed):
    assert "No syntax or stream encoding errors found" in output_of("qpdf", "qpdf", "--check", printed.pdf)


def test_every_font_is_embedded_and_comes_from_the_package(printed):
    lines = output_of("poppler-utils", "pdffonts", printed.pdf).splitlines()[2:]
    assert lines
    allowed = {family.replace(" ", "-") for family in fonts.families()}
    for line in lines:
        name = line.split()[0].partition("+")[2]
        embedded, subset, _ = line.split()[-5:-2]
        assert (embedded, subset) == ("yes", "yes"), line
        assert any(name.startswith(family) for family in allowed), line


def test_attachments_come_out_as_they_went_in(printed, tmp_path):
    output_of("poppler-utils", "pdfdetach", "-saveall", "-o", tmp_path, printed.pdf)
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert found["findings.json"] == hashlib.sha256(printed.findings.read_bytes()).hexdigest()
    if printed.name != "example":
        assert found.keys() == {"findings.json", "audit.toml", "printed.json"}
        assert found["audit.toml"] == hashlib.sha256(CONFIG).hexdigest()


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_can_be_copied_out(report, language):
    text = letters(output_of("poppler-utils", "pdftotext", report("scripts").pdf, "-"))
    if language in ("arabic", "hebrew"):  # words may come in either order, by the reader's view of the line
        assert all(letters(w) in text or letters(w[::-1]) in text for w in SENTENCES[language].split())
    else:
        assert letters(SENTENCES[language]) in text


def test_the_file_names_its_title_language_and_pages(printed):
    info = output_of("poppler-utils", "pdfinfo", printed.pdf)
    title = json.loads(printed.findings.read_bytes())["title"]
    assert letters(title)[:12] in letters(info) or printed.name.startswith("hostile")
    assert re.search(r"^Tagged: +yes$", info, re.M)
    assert re.search(r"^JavaScript: +no$", info, re.M)
    assert re.search(r"^Form: +AcroForm$", info, re.M)
    assert re.search(r"^Page size: .*\(A4\)$", info, re.M)


@pytest.mark.parametrize("name", INVENTED)
def test_weasyprint_warns_of_nothing(report, name):
    assert report(name).warnings.read_text(encoding="utf-8") == ""


def test_another_process_without_torch_and_with_another_hash_seed_and_clock_writes_the_same_bytes(report, tmp_path):
    root, seed = Path(__file__).parents[2], "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1", "TZ": "Asia/Kathmandu"}
    folders = (root, root / "tests" / "report", root / "tests" / "document")
    environment["PYTHONPATH"] = os.pathsep.join(map(str, folders))
    subprocess.run([sys.executable, "-c", AGAIN, tmp_path], cwd=root, env=environment, check=True)
    first = report("scripts")
    for name in ("findings.json", "report.html", "report.pdf"):
        assert (tmp_path / name).read_bytes() == (first.folder / name).read_bytes(), name
    assert (tmp_path / "language-model.html").read_bytes() == report("language-model").html.read_bytes()


def test_files_are_small_enough_to_be_sent(printed):
    assert printed.pdf.stat().st_size <= 5_000_000
    assert printed.html.stat().st_size <= 2_000_000


def test_two_hundred_documents_make_a_page_of_two_megabytes_at_most(report):
    assert report("many").html.stat().st_size <= 2_000_000
