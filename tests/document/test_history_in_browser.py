"""The page with all runs of an audit in a browser: complete without its script, sorted and filtered with it."""

from types import SimpleNamespace

import pytest
from browsing import opened

from tests.report.test_history_page import page as render
from tests.report.test_history_page import summary

VALUES = [0.91, 0.7, None, 0.93, 0.72]


@pytest.fixture
def history(tmp_path):
    runs = [summary(i, value, "fail" if value and value < 0.8 else "pass") for i, value in enumerate(VALUES)]
    for run in runs:
        (tmp_path / run.run_id).mkdir()
        (tmp_path / run.run_id / "report.html").write_text(f"<title>{run.run_id}</title>", encoding="utf-8")
    path = tmp_path / "index.html"
    path.write_text(render(*runs), encoding="utf-8")
    return SimpleNamespace(html=path)


def column(page, at):
    rows = page.locator("table.documents tbody tr").all()
    return [row.locator("th, td").nth(at).inner_text().split()[-1] for row in rows if row.is_visible()]


def test_nights_are_sorted_and_filtered_and_lead_to_their_reports(browser, history):
    with opened(browser, history) as (page, complaints):
        head = page.locator("table.documents thead th").nth(2)
        assert page.locator("[aria-sort]").count() == 0
        for direction, numbers in (("ascending", [0.7, 0.72, 0.91, 0.93]), ("descending", [0.93, 0.91, 0.72, 0.7])):
            head.locator("button").press("Enter")
            assert head.get_attribute("aria-sort") == direction
            assert column(page, 2) == [*(f"{number:.3f}" for number in numbers), "–"]
        page.get_by_label("Bad nights only").check()
        assert column(page, 2) == ["0.720", "0.700"]
        page.locator("table.documents tbody a:visible").last.click()
        assert page.title() == "run-1"
        assert not complaints


def test_without_a_script_every_night_is_there_newest_first(browser, history):
    with opened(browser, history, java_script_enabled=False, laid_out=False) as (page, complaints):
        assert column(page, 2) == ["0.720", "0.930", "–", "0.700", "0.910"]
        assert not page.locator(".filters").is_visible()
        assert not complaints
