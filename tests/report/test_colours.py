"""The palettes of the page, light and dark: every pair of ground and text that is used can be read."""

import re

import pytest

from auditor.report.page import templates

VARIABLE = re.compile(r"(--[\w-]+): (#[0-9a-f]{6})")
LIGHT = dict(VARIABLE.findall(templates.read("report.css")))
DARK = dict(VARIABLE.findall(templates.read("dark.css")))
GROUNDS = ("--paper", "--tint")
TEXTS = ("--ink", "--muted", "--link", "--pass", "--watch", "--fail")
TINTED = [f"--{kind}-{step}" for kind in ("supports", "opposes", "surprise") for step in range(1, 5)]
PAIRS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *(("--ink", ground) for ground in (*TINTED, "--pass-tint", "--watch-tint", "--fail-tint")),
    *((word, f"{word}-tint") for word in ("--pass", "--watch", "--fail")),
    *(("--ink", f"--heat-{step}") for step in range(5)),
    *(("--on-heat", f"--heat-{step}") for step in range(5, 8)),
]
LINES = [(line, ground) for line in ("--blue", "--orange", "--violet") for ground in GROUNDS]


def luminance(colour):
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_a_contrast_of_four_and_a_half(palette, text, ground):
    assert contrast(palette[text], palette[ground]) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_marks_have_a_contrast_of_three(palette, line, ground):
    assert contrast(palette[line], palette[ground]) >= 3


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_shades_are_steps_in_one_direction(palette):
    for family in ("supports", "opposes", "surprise"):
        shades = [luminance(palette["--paper"]), *(luminance(palette[f"--{family}-{i}"]) for i in range(1, 5))]
        assert shades in (sorted(shades), sorted(shades, reverse=True))
    heat = [luminance(palette[f"--heat-{i}"]) for i in range(8)]
    assert heat in (sorted(heat), sorted(heat, reverse=True))


def test_every_colour_has_a_dark_counterpart():
    assert set(LIGHT) == set(DARK)


def test_every_colour_of_a_drawing_has_a_dark_counterpart(classifier_html):
    drawn = {
        f"{name}={value}"
        for drawing in re.findall("<svg.*?</svg>", classifier_html, re.DOTALL)
        for name, value in re.findall(r'(fill|stroke)="(#[^"]*)"', drawing)
    }
    answered = {
        f"{name}={value}" for name, value in re.findall(r'svg \[(fill|stroke)="(#\w+)"\]', templates.read("dark.css"))
    }
    assert drawn
    assert drawn - answered == set()


def test_style_sheets_of_sections_name_colours_by_the_palette():
    for path in (templates.folder() / "sections").glob("*.css"):
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", path.read_text(encoding="utf-8")), path.name
