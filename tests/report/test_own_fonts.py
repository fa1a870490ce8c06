"""Fonts of the reader: `--fonts DIR` draws what the package cannot, everywhere, or is refused with a reason."""

import base64
import io
import re
import subprocess

import pytest
from built_fonts import HANGUL, font
from fontTools.ttLib import TTFont

from auditor.errors import RenderError
from auditor.report.branding import fonts
from auditor.report.branding.fonts import additional


def folder_of(path, **files):
    path.mkdir(exist_ok=True)
    for name, data in files.items():
        path.joinpath(name.replace("__", ".")).write_bytes(data)
    return path


def refused(path):
    with pytest.raises(RenderError) as caught:
        additional.read(path)
    return str(caught.value).replace(f"{path}/", "").splitlines()


@pytest.mark.parametrize(
    ("name", "options"), [("box__ttf", {}), ("box__otf", {"cff": True}), ("box__woff2", {"flavor": "woff2"})]
)
def test_what_the_package_cannot_draw_is_drawn_with_a_font_of_the_reader(tmp_path, name, options):
    user_fonts = additional.read(folder_of(tmp_path / "fonts", **{name: font(**options)}))
    assert fonts.missing(HANGUL) == tuple(sorted(HANGUL))
    assert "Box Hangul" not in fonts.stack()
    with fonts.joined_by(user_fonts.fonts):
        assert fonts.missing(HANGUL + "汉a") == ()
        assert fonts.stack().startswith('"Source Sans 3","Box Hangul","')
        css = fonts.embed(HANGUL + "汉a")
    (data,) = re.findall(r'font-family:"Box Hangul";[^}]*base64,([^)]+)\)', css)
    assert set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()) == set(map(ord, HANGUL))
    assert fonts.missing(HANGUL) == tuple(sorted(HANGUL)), "and only as long as it is in force"


def test_a_font_of_the_reader_goes_before_the_chinese_of_the_package_and_behind_its_text_face(tmp_path):
    user_fonts = additional.read(folder_of(tmp_path / "fonts", tc__ttf=font("骨a", "Traditional Forms")))
    with fonts.joined_by(user_fonts.fonts):
        shares = dict(fonts._assign({ord("骨"), ord("a"), ord("汉")}))
    assert shares == {"Source Sans 3": {ord("a")}, "Traditional Forms": {ord("骨")}, "Noto Sans SC": {ord("汉")}}


def test_the_hash_of_a_font_is_that_of_the_file_as_it_was_given(tmp_path):
    data = font(flavor="woff2")
    path = folder_of(tmp_path / "fonts", b__woff2=data, a__ttf=font(family="Box A"))
    user_fonts = additional.read(path)
    assert [name for name, _ in user_fonts.hashes] == ["a.ttf", "b.woff2"]
    sums = subprocess.run(["sha256sum", *sorted(path.iterdir())], capture_output=True, text=True, check=True).stdout
    assert [digest for _, digest in user_fonts.hashes] == [line.split()[0] for line in sums.splitlines()]


def test_fontconfig_sees_a_font_of_the_reader_as_long_as_it_is_in_force(tmp_path):
    user_fonts = additional.read(folder_of(tmp_path / "fonts", box__ttf=font()))
    before = fonts.activate().read_text(encoding="utf-8")
    with fonts.joined_by(user_fonts.fonts):
        inside = fonts.activate()
        assert str(user_fonts.fonts[0].path.parent) in inside.read_text(encoding="utf-8")
        assert "<family>Box Hangul</family>" in inside.read_text(encoding="utf-8")
    assert "Box Hangul" not in before
    assert fonts.activate().read_text(encoding="utf-8") == before


def test_figures_draw_with_a_font_of_the_reader(tmp_path):
    from auditor.report.drawing import figures

    user_fonts = additional.read(folder_of(tmp_path / "fonts", box__ttf=font()))
    strips = [figures.Strip(HANGUL, (1.0, 2.0))]
    without = figures.draw_strips(strips, "perplexity")
    with fonts.joined_by(user_fonts.fonts):
        drawn = figures.draw_strips(strips, "perplexity")
    assert drawn != without
    assert figures.draw_strips(strips, "perplexity") == without


def test_every_unfit_font_is_refused_at_once_with_its_reason(tmp_path):
    sound = font()
    path = folder_of(
        tmp_path / "fonts",
        a__ttf=font(variable=True),
        b__ttf=sound[: len(sound) // 2],
        c__otf=b"no font at all",
        d__ttc=b"ttcf" + sound,
        e__ttf=font(fs_type=2),
        f__ttf=font(family="Noto Sans SC"),
        g__ttf=font(family='x";}*{'),
        h__woff=sound,
        readme__txt=b"not looked at",
    )
    lines = refused(path)
    assert lines[0] == (
        "a.ttf: a variable font, which a PDF cannot embed soundly; give static files, one for each weight"
    )
    assert lines[1].startswith("b.ttf: damaged: ")
    assert lines[2:5] == [
        "c.otf: neither TrueType, OpenType nor WOFF2; convert the font to one of them",
        "d.ttc: a collection of fonts; give the one face that is meant, as .ttf or .otf",
        "e.ttf: its licence forbids embedding (fsType 2), and a report embeds its fonts",
    ]
    assert lines[5] == "f.ttf: the report has the family Noto Sans SC already; it is not to be replaced"
    assert lines[6].startswith("g.ttf: the family name 'x\";}*{' cannot stand in a style sheet")
    assert len(lines) == 7, "h.woff is a sound font under another name"


def test_a_folder_without_fonts_is_a_fault(tmp_path):
    assert refused(tmp_path) == [f"{tmp_path}: expected fonts (.ttf, .otf or .woff2), found none"]
    assert refused(tmp_path / "none") == [
        f"{tmp_path}/none: expected a folder of fonts (.ttf, .otf or .woff2), found none"
    ]
