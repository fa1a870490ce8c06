import base64
import itertools
import math
import re
import warnings
import xml.etree.ElementTree as ET

import pytest
from invented_findings import check, number

from auditor.findings.analyses.calibration import CalibrationBin
from auditor.languages import speaking
from auditor.report.branding import fonts
from auditor.report.drawing import figures, marks
from auditor.report.drawing.log_ticks import log_ticks

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing):
    return ET.fromstring(str(drawing))


def titles(drawing):
    return [element.text for element in parsed(drawing).iter("title")]


def luminance(colour):
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("values", "zero", "ends"),
    [
        ((-0.39, 0.53), True, (-0.4, 0.6)),
        ((0.2, 0.4), True, (0.0, 0.4)),
        ((16.0, 30.0), False, (15.0, 30.0)),
        ((), False, (0.0, 1.0)),
    ],
)
def test_a_shared_axis_has_round_ends_that_hold_everything(values, zero, ends):
    axis = marks.shared_axis(values, zero=zero)
    assert (axis.low, axis.high) == pytest.approx(ends)


@pytest.mark.parametrize(("low", "labels"), [(-0.02, ["−0.02", "0.60"]), (-0.4, ["−0.4", "0", "0.6"])])
def test_zero_is_labelled_where_it_has_room_beside_the_ends(low, labels):
    drawing = marks.axis_labels(marks.Axis(low, 0.6, (low, 0.6), width=104))
    assert [text.text for text in parsed(drawing).iter("text")] == labels


def test_the_axis_of_a_share_ends_at_one():
    assert marks.shared_axis([0.55, 0.98], unit="share").high <= 1.0


def test_an_interval_is_a_line_from_low_to_high_with_a_tick_at_the_value():
    axis = marks.Axis(0.0, 1.0, (0.0, 1.0), width=108)
    path = next(p for p in parsed(marks.interval(axis, 0.2, 0.5, 0.9)).iter("path") if p.get("stroke-width") == "2.4")
    assert path.get("d") == "M24.0 11.0H94.0M54.0 6.0V16.0"


def test_what_lies_outside_an_axis_is_drawn_at_its_edge():
    axis = marks.Axis(0.0, 1.0, (), width=108)
    assert axis.x(-3.0) == 4.0
    assert axis.x(7.0) == 104.0


@pytest.mark.parametrize(("direction", "starts_left"), [("at_least", True), ("at_most", False)])
def test_the_failing_side_of_a_bound_is_shaded(direction, starts_left):
    drawing = parsed(marks.judged(check("x", "X", 0.8, "watch", number("x", "X", 0.82, 0.75, 0.9), direction)))
    rectangle = next(drawing.iter("rect"))
    assert (float(rectangle.get("x")) == 0.0) is starts_left
    dotted = next(p for p in drawing.iter("path") if p.get("stroke-dasharray"))
    edge = float(dotted.get("d").split()[0][1:])
    assert edge == pytest.approx(float(rectangle.get("x")) + (float(rectangle.get("width")) if starts_left else 0.0))


def test_the_title_of_a_checked_interval_does_not_round_onto_the_bound():
    drawing = marks.judged(check("x", "X", 0.794, "watch", number("x", "X", 0.84, 0.7938, 0.89)))
    assert "X: 0.8400, interval 0.7938–0.8900, bound ≥ 0.794" in drawing


def test_a_check_without_a_number_has_no_drawing():
    assert marks.judged(check("x", "X", 0.8, "not judged", None)) == ""


def test_a_grid_has_one_cell_per_head_and_values_only_where_notable():
    drawing = parsed(marks.heat_grid([[0.1, 0.9], [0.2, 0.3], [0.0, 1.0]], 0, 1, {(0, 1)}, digits=2, title="Grid"))
    cells = sum(path.get("d").count("M") for path in drawing.iter("path"))
    values = [text.text for group in drawing.iter("g") if group.get("text-anchor") for text in group.iter("text")]
    assert cells == 6
    assert values == ["0.90"]


def test_a_wide_grid_marks_notable_cells_with_dots():
    rows = [[0.1] * 64 for _ in range(48)]
    drawing = parsed(marks.heat_grid(rows, 0, 1, {(3, 4)}, digits=2, title="Grid"))
    assert len(list(drawing.iter("circle"))) == 1


def test_the_shades_darken_evenly_and_values_on_them_can_be_read():
    shades = [luminance(colour) for colour in marks.SEQUENTIAL]
    assert shades == sorted(shades, reverse=True)
    assert min(a - b for a, b in itertools.pairwise(shades)) > 10
    for step, colour in enumerate(marks.SEQUENTIAL):
        light, dark = sorted((luminance(colour), 255.0 if marks.is_dark(step) else luminance(marks.INK)), reverse=True)
        assert light - dark > 75


def test_a_surprise_line_has_one_bar_per_token():
    path = next(p for p in parsed(marks.surprise_line([1.0, 12.0, 3.0])).iter("path") if p.get("fill"))
    assert path.get("d").count("M") == 3
    assert marks.surprise_line([]) == ""


def test_every_mark_has_a_title_and_no_style_and_escapes_what_it_says():
    evil = '<script>"&\u202e'
    axis = marks.shared_axis([0.0, 1.0])
    drawings = [
        marks.interval(axis, 0.1, 0.2, 0.3, title=evil),
        marks.judged(check(evil, evil, 0.8, "fail", number("x", "X", 0.5, 0.4, 0.6))),
        marks.heat_grid([[0.5]], 0, 1, set(), digits=2, title=evil),
        marks.axis_labels(axis),
        marks.surprise_line([1.0]),
    ]
    for drawing in drawings:
        assert len(titles(drawing)) == 1
        assert not re.search(r"style=|class=|<script|\u202e", drawing)
    assert '<script>"&[U+202E]' in titles(drawings[0])[0]


def image(url):
    head, data = url.split(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(data)


def test_figures_are_the_same_bytes_every_time():
    strips = [figures.Strip("English", (5.0, 9.0, 14.0, 50.0)), figures.Strip("中文 <b>$x$", (8.0, 9.0))]
    assert figures.draw_strips(strips, "perplexity") == figures.draw_strips(strips, "perplexity")


def test_chinese_labels_are_drawn_with_outlines_of_the_chinese_font():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a missing glyph
        svg = image(figures.draw_strips([figures.Strip("语言 中文", (5.0, 9.0))], "困惑度"))
    drawn = {path.get("id") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("id")}
    assert sum(name.startswith("NotoSansSC") for name in drawn) == len(set("语言中文困惑度"))


def test_a_figure_speaks_the_language_of_the_report():
    bins = [CalibrationBin(low=0.5, high=0.6, n=3, mean_probability=0.55, accuracy=number("b", "b", 0.5, 0.2, 0.8, 3))]
    english = figures.draw_calibration(bins)
    with speaking("zh"):
        assert figures.draw_calibration(bins)
    assert figures.draw_calibration(bins) == english


def test_text_in_figures_is_drawn_as_outlines_without_date():
    svg = image(figures.draw_strips([figures.Strip("$\\frac{$ \u202e 😀 \U000133f4", (1.0, 2.0))], "perplexity"))
    root = ET.fromstring(svg)
    assert not list(root.iter(f"{SVG}text"))
    assert b"dc:date" not in svg


@pytest.mark.parametrize("values", [(7.0,), (7.0, 7.0, 7.0), (1.001, 1.002), (0.5, 1e6), tuple(range(1, 5000))])
def test_a_strip_can_be_drawn_from_any_values(values):
    svg = image(figures.draw_strips([figures.Strip("all", tuple(map(float, values)))], "perplexity"))
    assert len(svg) < 600_000


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (math.log(5.1), math.log(140), ["10", "20", "50", "100"]),
        (0.0, 1000.0, ["10⁰", "10¹⁰⁰", "10²⁰⁰", "10³⁰⁰", "10⁴⁰⁰"]),
        (0.0, 1e38, ["10⁰", "10" + "¹" + "⁰" * 37]),
    ],
)
def test_the_axis_of_perplexities_has_round_ticks_whatever_their_range(low, high, ticks):
    found = log_ticks(low, high)
    assert list(found.values())[: len(ticks)] == ticks
    assert 4 <= len(found) <= 9
    assert all(low <= position <= high for position in found)


def test_strips_of_perplexities_that_cannot_be_written_are_drawn():
    ordinary = image(figures.draw_strips([figures.Strip("all", (2.0, 3.0, 5.0))], "perplexity"))
    huge = image(figures.draw_strips([figures.Strip("all", (2.0, 800.0, 1e6))], "perplexity"))
    assert huge.count(b"<path") >= ordinary.count(b"<path")


def test_calibration_is_drawn_from_the_bins_that_hold_documents(classifier_run):
    bins = classifier_run[0].analyses["prediction"].calibration
    svg = image(figures.draw_calibration(bins))
    assert svg.startswith(b"<?xml")
    assert figures.draw_calibration(bins[:2])


def test_matplotlib_draws_with_the_vendored_fonts_only():
    from matplotlib import font_manager

    figures.draw_strips([figures.Strip("x", (1.0, 2.0))], "perplexity")
    for family in figures._style()["font.family"]:
        assert font_manager.findfont(family, fallback_to_default=False).startswith(str(fonts.FOLDER))


@pytest.mark.parametrize("values", [(0.9, 0.9), (0.9, 0.9000000000000002), (1e9, 1e9 + 1e-6), (0.0, 5e-324)])
def test_values_that_differ_by_rounding_alone_have_an_axis_around_them(values):
    axis = marks.shared_axis(values, unit="nats")
    assert axis.low <= min(values) <= max(values) <= axis.high
    assert axis.high - axis.low > 0.9
