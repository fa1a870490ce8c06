"""The page with all runs of an audit: a line per night that leads to its report, a drawing per check, two languages."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from auditor.findings.history import history, nights
from auditor.records.store import RunSummary, find_or_create
from auditor.report import render_history
from auditor.report.drawing.trends import trend_line
from auditor.terminal.cli import main
from tests.findings.test_history import night
from tests.records.planned import planned

START = datetime(2026, 1, 1, 22, tzinfo=UTC)


def summary(i: int, value: float | None = 0.9, result: str = "pass", title: str = "Accuracy") -> RunSummary:
    number = {"title": title, "unit": "share", "value": value, "low": None, "high": None, "n": 200}
    check = {"result": result, "direction": "at_least", "bound": 0.8}
    manifest = {"verdict": result, "headline": "", "numbers": {"a": number}, "checks": {"a": check}}
    created = f"{START + timedelta(days=i):%Y-%m-%dT%H:%M:%SZ}"
    return RunSummary(Path(f"run-{i}"), f"run-{i}", "Reviews", created, "complete", manifest)


def page(*runs: RunSummary, title: str = "Reviews", language: str = "en") -> str:
    return render_history(history(nights(runs)), title, language)  # type: ignore[arg-type]


def test_every_night_leads_to_its_report_newest_first() -> None:
    text = page(*(summary(i) for i in range(20)))
    assert re.findall(r'<th scope="row" data-value="[^"]*"><a class="see" href="(.*?)">', text) == [
        f"run-{i}/report.html" for i in reversed(range(20))
    ]
    assert "20 nights" in text
    assert text.count("<circle ") == 20


def test_a_bad_night_is_marked_in_the_row_and_in_the_drawing_and_named() -> None:
    text = page(*(summary(i) for i in range(14)), summary(14, 0.7, "fail"))
    assert text.count('<tr class="wrong">') == 1
    assert "bad since 15 January 2026" in text
    assert "15 nights, last 0.700; 1 bad" in text


def test_the_bound_lies_within_the_drawing_and_the_band_has_its_upper_side_up() -> None:
    (trend,) = history(nights([summary(0, 0.2), summary(1, 0.3)])).trends
    bound = re.search(r'd="M0 ([\d.]+)H240"', trend_line(trend))
    assert bound is not None
    assert float(bound[1]) == 5.0, "0.8 is the highest value that is drawn"
    (trend,) = history(nights([summary(i, 0.9 + 0.01 * (i % 2)) for i in range(16)])).trends
    band = re.search(r'<path d="M([^z"]*)z"', trend_line(trend))
    assert band is not None
    ys = [float(point.split()[1]) for point in band[1].split("L")]
    assert max(ys[: len(ys) // 2]) < min(ys[len(ys) // 2 :])


def test_a_night_without_the_number_has_an_empty_cell_that_is_sorted_last() -> None:
    text = page(summary(0), summary(1, None))
    assert '<td class="number" data-value="">–</td>' in text


def test_values_in_nats_say_so_where_they_have_no_unit() -> None:
    one = summary(0)
    manifest = {**one.manifest, "numbers": {"a": {**one.manifest["numbers"]["a"], "unit": "nats"}}}
    text = page(replace(one, manifest=manifest))
    assert '<th scope="col" class="number">Accuracy, nats</th>' in text
    assert '<th scope="row">Accuracy, nats</th>' in text
    assert "Accuracy, nats" not in page(one)


def test_what_the_last_night_did_not_measure_has_no_value_of_the_last_night() -> None:
    text = page(summary(0, 0.9), summary(1, None))
    assert ">0.900<" in text, "in the row of the first night"
    assert text.count(">0.900<") == 1


def test_titles_are_text() -> None:
    text = page(summary(0, title="<img src=x>"), title="<script>alert(1)</script>")
    assert "<img" not in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


@pytest.mark.parametrize(("language", "word"), [("en", "How the numbers went"), ("zh", "数值走势")])
def test_it_speaks_the_language_of_the_report(language: str, word: str) -> None:
    text = page(summary(0), language=language)
    assert word in text
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}' in text


def test_the_command_writes_it(tmp_path: Path) -> None:
    made = night(tmp_path / "a b#%", 0, 0.9)
    for page in (tmp_path / "all.html", tmp_path / "other" / "all.html", made.path.parent / "index.html"):
        assert main(["history", "--root", str(tmp_path / "a b#%"), "--html", str(page)]) == 0
        links = re.findall(r'href="([^"]*)/report.html"', page.read_text(encoding="utf-8"))
        assert len(links) == 2
        assert {(page.parent / unquote(link)).resolve() for link in links} == {made.path.resolve()}
    assert links == [made.run_id] * 2


def test_without_a_complete_run_there_is_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    find_or_create(tmp_path, planned(title="Reviews"), now=START)
    assert main(["history", "--root", str(tmp_path), "--html", str(tmp_path / "all.html")]) == 2
    assert "no run is complete" in capsys.readouterr().err
    assert main(["history", "--root", str(tmp_path)]) == 0
