"""What rendering costs, counted in elements and objects instead of seconds."""

import base64
import contextlib
import gc
import re

import pytest
from invented_runs import tiny

from auditor.report import read_said, render_html, render_pdf
from auditor.report.drawing import figures
from auditor.report.page import html, pdf, pdf_structure
from auditor.report.sections import surprise


def svg_of(url):
    return base64.b64decode(url.partition(",")[2]).decode()


def elements(text):
    return len(re.findall(r"<\w", text))


def test_a_figure_of_many_points_has_no_more_elements_than_one_of_two():
    few, many = (
        figures.draw_strips([figures.Strip("x", values)], "x") for values in ((1.0, 9.0), (1.0, *[2.0] * 997, 9.0))
    )
    assert elements(svg_of(many)) <= elements(svg_of(few)) + 4  # the digits of n


def test_every_point_of_a_strip_is_drawn():
    values = tuple(1.0 + i for i in range(300))
    dots = max(
        re.findall(
            r'<path d="([^"]+)"[^>]*stroke-linecap: round',
            svg_of(figures.draw_strips([figures.Strip("x", values)], "x")),
        ),
        key=len,
    )
    assert dots.count("M") == dots.count("L") == 300


def test_unmarked_words_are_plain_text(classifier_html):
    for passage in re.findall(r'<p class="passage"[^>]*>(.*?)</p>', classifier_html, re.DOTALL):
        assert set(re.findall(r"<(\w+)", passage)) <= {"mark", "sup", "span"}
        assert 'class=""' not in passage


def test_no_style_stands_at_an_element(classifier_html):
    assert not re.search(r"<[^>]+ style=", classifier_html)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_while_a_report_is_rendered_and_is_left_as_it_was(classifier_run, monkeypatch, enabled):
    seen = []
    monkeypatch.setattr(html, "render", lambda *_: seen.append(gc.isenabled()))
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        render_html(*classifier_run)
        assert (seen, gc.isenabled()) == ([False], enabled)
    finally:
        (gc.enable if before else gc.disable)()


def test_objects_written_once_and_links_laid_out_once_less_give_the_same_bytes(report, monkeypatch):
    once = report("tiny")
    monkeypatch.setattr(pdf_structure, "_serialise_once", lambda _: None)
    monkeypatch.setattr(pdf, "_fewer_layouts", contextlib.nullcontext)
    said = read_said(*tiny())
    again = render_pdf(once.html.read_text(encoding="utf-8"), tiny()[0], once.attachments, said=said)
    assert again == once.pdf.read_bytes()


def test_a_strip_that_leaves_points_out_says_so():
    whole, thinned = (
        surprise.strips_caption([figures.Strip("All documents", tuple(map(float, range(1, n))))])
        for n in (figures.MOST_POINTS, figures.MOST_POINTS + 9)
    )
    assert "Each point is a document;" in whole
    assert "1,500 of each strip at even steps" in thinned
