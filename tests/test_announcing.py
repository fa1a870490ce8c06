"""JUnit XML and the summary of a job: what is judged, skipped or waived, in figures as the report prints them."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from auditor.findings import Bound
from auditor.records.plan import PlannedProbe
from auditor.terminal.announcing import append_summary, write_junit
from tests.findings.two_nights import PROBES, answered, compared
from tests.findings.worked_example import evidence
from tests.test_cli import sample_findings
from tests.test_waivers import WRONG, findings_of, waiver

MANY_WRONG = {f"d{i:02}": WRONG for i in range(2, 22)}


def cases(path, findings, comparison=None):
    """Class and name of each test case → what it came to, and the text of that."""
    write_junit(path / "junit.xml", findings, comparison)
    told = {}
    for case in ElementTree.parse(path / "junit.xml").iter("testcase"):
        (said,) = [*case, None][:1]
        key = f"{case.get('classname')}.{case.get('name')}".removeprefix("auditor.")
        told[key] = (None, "") if said is None else (said.tag, said.text or said.get("message"))
    return told


def test_a_check_that_fails_is_a_failure_and_one_that_could_not_be_judged_an_error(tmp_path):
    found = findings_of(checks={"accuracy": Bound(at_least=0.99), "nothing": Bound(at_least=0.5)})
    told = cases(tmp_path, found)
    assert (told["checks.accuracy"][0], told["checks.nothing"][0]) == ("failure", "error")
    (root,) = ElementTree.parse(tmp_path / "junit.xml").iter("testsuites")
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["2", "1", "1", "0"]
    optional = {name: Bound(at_least=0.99, required=False) for name in ("accuracy", "nothing")}
    assert {kind for kind, _ in cases(tmp_path, findings_of(checks=optional)).values()} == {"system-out"}


def test_a_check_that_waits_for_a_baseline_is_skipped_and_a_waiver_that_holds_passes(tmp_path):
    told = cases(tmp_path, findings_of(checks={"accuracy": Bound(not_worse_than_baseline_by=0.02)}))
    assert told["checks.accuracy@baseline"][0] == "skipped"
    waived = cases(tmp_path, findings_of(waiver()))
    assert (waived["checks.accuracy"][0], waived["waivers.checks.accuracy.at_least"][0]) == ("skipped", "system-out")


def test_a_number_that_got_worse_is_a_failure_in_the_figures_of_the_report_unless_it_is_waived(tmp_path):
    comparison = compared(answered(evidence(), **MANY_WRONG))
    kind, text = cases(tmp_path, findings_of(), comparison)["baseline.accuracy"]
    assert (kind, text.split(":")[0]) == ("failure", "Accuracy")
    (one,) = (one for one in comparison.numbers if one.name == "accuracy")
    assert f"{one.before:.2f} before, {one.after:.2f} now, difference −{-one.difference:.2f}" in text
    waived = findings_of(waiver("baseline.accuracy"))
    waived = waived.model_copy(update={"waivers": (waived.waivers[0].model_copy(update={"state": "applied"}),)})
    assert cases(tmp_path, waived, comparison)["baseline.accuracy"][0] == "skipped"


def test_a_perplexity_is_itself_and_its_change_a_factor(tmp_path):
    facts = evidence()
    rows = {k: replace(v, logprobs=tuple(2 * p for p in v.logprobs)) for k, v in facts.rows["perplexity"].items()}
    comparison = compared(
        replace(facts, rows={**facts.rows, "perplexity": rows}), checks={"perplexity.corpus": Bound(at_most=50)}
    )
    (one,) = (one for one in comparison.numbers if one.name == "perplexity.corpus")
    kind, text = cases(tmp_path, findings_of(), comparison)["baseline.perplexity.corpus"]
    assert kind == "failure"
    assert "difference ×" in text
    assert f"{one.before}" not in text


def test_a_judged_number_that_could_not_be_compared_is_skipped_with_the_reason(tmp_path):
    others = {**PROBES, "prediction": PlannedProbe("Prediction", {"limit": 5}, 40, None)}
    comparison = compared(probes=others)
    comparison = comparison.model_copy(
        update={
            "numbers": tuple(
                one.model_copy(update={"judged": True, "change": "not compared", "reason": "Other labels."})
                for one in comparison.numbers[:1]
            )
        }
    )
    ((kind, text),) = [said for key, said in cases(tmp_path, findings_of(), comparison).items() if "baseline" in key]
    assert (kind, text) == ("skipped", f"{comparison.numbers[0].title}: Other labels.")


@pytest.mark.parametrize("character", ["\0", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_has_no_character_for_is_replaced(tmp_path, character):
    write_junit(tmp_path / "junit.xml", sample_findings(title=f"<a>{character}&\U0001f600"))
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").iter("testsuite")
    assert suite.get("name") == "<a>\ufffd&\U0001f600"


def test_the_page_of_a_job_names_every_waiver_as_text(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    waived = replace(waiver(), reason="<b>[x](y)|`")
    append_summary(findings_of(waived))
    lines = (tmp_path / "summary.md").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == (
        "- waiver applied: checks.accuracy.at_least, Ada Lovelace, until 2026-01-31: &lt;b&gt;&#91;x](y)&#124;&#96;"
    )
    assert any(line.startswith("| Accuracy | fail | at least 0.99 | ") for line in lines)
