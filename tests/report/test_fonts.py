import base64
import hashlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools import ttLib
from fontTools.ttLib import TTFont

from auditor.report.branding import fonts

LATIN = "The verdict: passed ✓ watched ▲ failed ✗ not judged –; 0.91 ≥ 0.80 → −3.5 ± 0.2 “Größe”"
SAMPLE = {
    "Source Sans 3": LATIN,
    "Noto Sans SC": "这部电影太好看了 體驗 映画はひらがなとカタカナ。",
    "IBM Plex Sans Arabic": "هذا الفيلم جميل جدا",
    "Noto Sans Hebrew": "שלום עולם",
    "Noto Sans Devanagari": "नमस्ते दुनिया",
    "Noto Sans Thai": "สวัสดีครับ",
    "Noto Emoji": "👍🏽 😀 👨‍👩‍👧 ❤️",
    "Noto Sans": "\ufffd ℝ",
    "Noto Sans Symbols": "⎘ Ⓐ",
    "Noto Sans Math": "∉ ⊂ ⌊𝐱⌋",
    "IBM Plex Mono": "▁ ▂ █",
    "Noto Sans Symbols 2": "␀ ☃ ⣿",
}


def _listed() -> list[dict[str, object]]:
    return json.loads((fonts.FOLDER / "fonts.json").read_text(encoding="utf-8"))["fonts"]


def _faces(css: str) -> dict[tuple[str, str, str], TTFont]:
    faces = re.findall(r'font-family:"([^"]+)";font-weight:(\d+);font-style:(\w+);src:url\(data:[^,]+,([^)]+)\)', css)
    return {key: TTFont(io.BytesIO(base64.b64decode(data))) for *key, data in faces for key in [tuple(key)]}


def _drawn(face: TTFont) -> set[str]:
    """The characters of a face, less the mirror images (≤ for ≥) that right-to-left text may ask of it."""
    return {chr(code) for code in face.getBestCmap() if chr(code) not in "≤⊃∌"}


def test_the_list_names_every_file_with_its_sha256_and_its_licence():
    listed = _listed()
    assert sorted(f["file"] for f in listed) == sorted(p.name for p in (fonts.FOLDER / "files").iterdir())
    for font in listed:
        data = (fonts.FOLDER / "files" / font["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == font["sha256"], font["file"]
        licence = (fonts.FOLDER / "licences" / font["licence"]).read_text(encoding="utf-8")
        assert "SIL OPEN FONT LICENSE" in licence.upper()
        assert "Copyright" in licence


def test_files_are_plain_truetype_of_one_weight_under_their_listed_name():
    for font in _listed():
        with TTFont(fonts.FOLDER / "files" / font["file"]) as file:
            assert "glyf" in file
            assert "fvar" not in file
            family = file["name"].getDebugName(16) or file["name"].getDebugName(1)
            assert (family, file["OS/2"].usWeightClass) == (font["family"], font["weight"])


def test_the_first_face_of_a_family_is_the_regular_one_and_has_every_character_of_the_others():
    for family, (first, *others) in fonts.families().items():
        face = {font.path: font for font in fonts.vendored()}[first]
        assert (face.family, face.weight, face.style) == (family, 400, "normal")
        for other in others:
            assert fonts._covered(other) <= fonts._covered(first)


def test_semibold_ideographs_are_those_of_gb_2312_with_the_metrics_of_the_regular_ones():
    regular, bold = map(TTFont, fonts.families()["Noto Sans SC"])
    hanzi = {code for code in range(0x4E00, 0xA000) if chr(code).encode("gb2312", "ignore")}
    assert len(hanzi) == 6763
    assert {code for code in bold.getBestCmap() if 0x4E00 <= code < 0xA000} == hanzi
    assert set(map(ord, "　、。《》「」，！（）：；？")) <= set(bold.getBestCmap())
    for table, names in {
        "hhea": ("ascent", "descent", "lineGap"),
        "OS/2": ("sTypoAscender", "sTypoDescender", "sTypoLineGap", "usWinAscent", "usWinDescent", "fsSelection"),
        "head": ("unitsPerEm",),
    }.items():
        assert [getattr(bold[table], name) for name in names] == [getattr(regular[table], name) for name in names]
    advances = [{code: face["hmtx"][face.getBestCmap()[code]][0] for code in hanzi} for face in (regular, bold)]
    assert advances[0] == advances[1]


def test_a_font_with_a_reserved_name_is_vendored_unchanged():
    for font in _listed():
        if font["family"].startswith(("Source", "IBM Plex")):
            assert font["changes"] == "none"


def test_every_family_that_may_be_a_fallback_has_the_space_pango_asks_of_it():
    assert all(0x20 in TTFont(path).getBestCmap() for path in fonts.matplotlib_files())


def test_every_sign_the_report_prints_is_in_every_style_of_the_text_face():
    for path in fonts.families()["Source Sans 3"]:
        assert set(map(ord, "✓▲✗–—−≥≤≈±×·→←↑↓…“”‘’•■□●○σμαΔ²")) <= set(TTFont(path).getBestCmap())


def test_missing_names_only_what_cannot_be_drawn():
    everything = "".join(SAMPLE.values()) + " \t\n\r\u00a0\u00ad\u200b\u200d\u200e\u202e\ufe0f\ufeff"
    assert fonts.missing(everything) == ()
    assert fonts.missing("b\x00a\x07\x0c\U00012000\u2028\ud800한한") == tuple("\x00\x07\x0c\u2028한\ud800\U00012000")


def test_embed_carries_exactly_the_characters_of_the_text():
    faces = _faces(fonts.embed(LATIN))
    assert set(faces) == {
        ("Source Sans 3", "400", "normal"),
        ("Source Sans 3", "600", "normal"),
        ("Source Sans 3", "400", "italic"),
        ("IBM Plex Mono", "400", "normal"),
    }
    for (family, *_), face in faces.items():
        beyond = set("▲✗") if family == fonts.MONO else set()
        assert _drawn(face) == set(LATIN) - beyond


@pytest.mark.parametrize("family", [name for name in SAMPLE if name != "Source Sans 3"])
def test_embed_gives_a_script_to_the_family_that_has_it(family):
    text = SAMPLE[family]
    faces = _faces(fonts.embed(text))
    (face,) = [face for (name, *_), face in faces.items() if name == family]
    assert text[0] in _drawn(face)
    assert set().union(*map(_drawn, faces.values())) == set(text)


def test_embed_carries_each_ideograph_once():
    faces = _faces(fonts.embed("粗体标题 Bold"))
    assert [face for face in faces if face[0] == "Noto Sans SC"] == [("Noto Sans SC", "400", "normal")]


def test_an_embedded_font_keeps_its_licence_and_gives_up_its_reserved_name():
    for face in _faces(fonts.embed("abc")).values():
        assert {record.nameID for record in face["name"].names} <= {0, 13, 14}


def test_a_latin_text_opens_no_other_font(monkeypatch):
    opened = []

    def recording(path, *args, **kwargs):
        opened.append(Path(path).name)
        return TTFont(path, *args, **kwargs)

    monkeypatch.setattr(ttLib, "TTFont", recording)
    fonts._covered.cache_clear()
    fonts._subset.cache_clear()
    assert fonts.missing(LATIN) == ()
    fonts.embed(LATIN)
    assert {name.split("-")[0] for name in opened} == {"SourceSans3", "IBMPlexMono"}


def test_embed_gives_the_same_bytes_in_another_process_and_in_any_order():
    text = "Größe ✓ 好看 👍🏽 עולם"
    program = (
        "import sys; from auditor.report.branding import fonts; "
        "sys.stdout.write(fonts.embed(sys.stdin.buffer.read().decode()))"
    )
    env = os.environ | {"PYTHONHASHSEED": "7"}
    other = subprocess.run(
        [sys.executable, "-c", program], input=text[::-1].encode(), env=env, capture_output=True, check=True
    )
    assert other.stdout.decode() == fonts.embed(text)


def test_embed_cannot_end_the_style_element_it_stands_in():
    assert "<" not in fonts.embed("</style><script>")


def test_embed_of_nothing_is_nothing():
    assert fonts.embed("") == ""


def test_the_stack_names_every_family_once_and_in_the_order_of_fallback():
    names = [f'"{name}"' for name in fonts.families() if name != fonts.MONO]
    assert fonts.stack().split(",") == [*names, '"IBM Plex Mono"', "sans-serif"]
    assert fonts.stack(mono=True).split(",") == ['"IBM Plex Mono"', *names, "monospace"]


def test_activation_needs_no_home_and_leaves_nothing_behind(tmp_path):
    program = "from auditor.report.branding.fonts import activate; assert activate() == activate(); print(activate())"
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert Path(ran.stdout.strip()).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_fontconfig_sees_the_vendored_fonts_and_no_others():
    lister = shutil.which("fc-list")
    if lister is None:
        pytest.fail("fc-list is not installed (Debian: fontconfig)")
    env = os.environ | {"FONTCONFIG_FILE": str(fonts.activate())}
    ran = subprocess.run([lister, ":", "file"], env=env, capture_output=True, text=True, check=True)
    assert sorted(line.split(":")[0] for line in ran.stdout.splitlines()) == sorted(map(str, fonts.matplotlib_files()))


def _printed(html: str, path: Path) -> tuple[set[str], list[str]]:
    """Writes a page as PDF: the fonts in it, and what WeasyPrint had to say, a missing glyph among others."""
    for tool in ("pdffonts", "pdftotext"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is not installed (Debian: poppler-utils)")
    fonts.activate()
    import weasyprint

    style = f"body{{font-family:{fonts.stack()}}}b{{font-weight:600}}code{{font-family:{fonts.stack(mono=True)}}}"
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    weasyprint.LOGGER.addHandler(handler)
    try:
        weasyprint.HTML(string=f"<html lang=en><style>{style}</style>{html}").write_pdf(path)
    finally:
        weasyprint.LOGGER.removeHandler(handler)
    listing = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    return {line.split()[0].split("+")[1].rstrip(",") for line in listing}, said


@pytest.fixture(scope="module")
def sample_pdf(tmp_path_factory) -> tuple[Path, set[str], list[str]]:
    """Every script, in text, bold, italic and code."""
    rows = "".join(f"<p>{text}</p><p><b>{text}</b> <i>{text}</i></p><code>{text}</code>" for text in SAMPLE.values())
    path = tmp_path_factory.mktemp("fonts") / "sample.pdf"
    return path, *_printed(rows, path)


def test_a_pdf_of_every_script_uses_the_vendored_fonts_alone(sample_pdf):
    _, names, said = sample_pdf
    assert said == []
    used = {re.sub(r"[- ]|Semi-?Bold|Italic|Oblique", "", name) for name in names}
    assert used == {name.replace(" ", "") for name in fonts.families()}


@pytest.mark.parametrize(
    ("bold", "faces"),
    [
        ("体", {"Noto-Sans-SC-Semi-Bold"}),
        ("體", {"Noto-Sans-SC"}),
        ("体體", {"Noto-Sans-SC-Semi-Bold", "Noto-Sans-SC"}),
    ],
)
def test_a_bold_ideograph_is_semibold_and_one_beyond_gb_2312_regular(tmp_path, bold, faces):
    assert fonts.missing(bold) == ()
    assert _printed(f"<b>{bold}</b>", tmp_path / "bold.pdf") == (faces, [])
    assert _printed(f"<p>{bold}</p>", tmp_path / "plain.pdf") == ({"Noto-Sans-SC"}, [])


def test_the_text_of_every_script_can_be_copied_out_of_the_pdf(sample_pdf):
    path, *_ = sample_pdf
    text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    for words in ("“Größe”", "这部电影太好看了", "ひらがなとカタカナ", "שלום", "สวัสดีครับ", "الفيلم"):
        assert words in text
