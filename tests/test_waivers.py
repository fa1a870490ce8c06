"""Waivers: a failure that somebody answers for does not fail the run; one that has expired or matches nothing does."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from auditor.config.waivers import read
from auditor.errors import ConfigError
from auditor.findings import Bound, summarise
from auditor.findings.comparing import baseline, compare
from auditor.languages import speaking
from auditor.records.plan import PlannedWaiver
from auditor.report import render_html
from auditor.report.branding import fonts
from auditor.terminal.announcing import write_junit
from auditor.terminal.conclusions import exit_code_of, verdict_lines
from tests.findings.two_nights import answered, night
from tests.findings.worked_example import evidence

WRONG = {"predicted": ("positive",), "probabilities": (0.1, 0.9)}
CHECKS = {"accuracy": Bound(at_least=0.99)}
FINDING = "checks.accuracy.at_least"
FILE = """
[[waiver]]
finding = "checks.accuracy.at_least"
owner = "Ada Lovelace"
expires = 2027-01-31
reason = "Ticket 123."
"""


def findings_of(*waivers, day="2026-01-01", checks=CHECKS, facts=None, before=None):
    with speaking("en"):
        after = night(facts, checks)
        made = baseline(compare(before, after)) if before else None
        context = replace(after.context, waivers=waivers, baseline=made, created=f"{day}T03:00:00Z")
    return summarise(after.evidence, context)


def waiver(finding=FINDING, expires="2026-01-31"):
    return PlannedWaiver(finding, "Ada Lovelace", expires, "Ticket 123.")


def states(findings):
    return [one.state for one in findings.waivers]


def test_a_failure_that_is_waived_does_not_fail_the_run_and_is_named_with_owner_day_and_reason():
    assert exit_code_of(findings_of()) == 1
    found = findings_of(waiver())
    assert (states(found), found.verdict.result, exit_code_of(found)) == (["applied"], "pass with conditions", 0)
    assert found.verdict.headline == "The declared check fails; 1 failure is waived."
    said = next(one.text for one in found.conclusion if one.topic == "Waivers")
    assert said == f"{FINDING} is waived until 2026-01-31 by Ada Lovelace: Ticket 123."
    assert any("waiver applied" in line and "Ada Lovelace" in line for line in verdict_lines(found))


def test_the_last_day_counts_and_the_day_after_it_fails():
    assert states(findings_of(waiver(), day="2026-01-31")) == ["applied"]
    found = findings_of(waiver(), day="2026-02-01")
    assert (states(found), exit_code_of(found)) == (["expired"], 1)
    assert found.verdict.headline == f"The declared check fails; 1 waiver has expired or matches nothing: {FINDING}."
    (sign_off,) = (one for one in found.conclusion if one.topic == "Sign-off")
    assert f"The waiver of {FINDING} by Ada Lovelace expired on 2026-01-31" in sign_off.text


@pytest.mark.parametrize("finding", ["checks.acuracy.at_least", "checks.accuracy.at_most", "baseline.nothing", "x"])
def test_one_that_matches_nothing_fails_although_every_check_passes(finding):
    found = findings_of(waiver(finding), checks={"accuracy": Bound(at_least=0.1)})
    assert (states(found), found.verdict.result, exit_code_of(found)) == (["unmatched"], "fail", 1)


def test_one_of_a_check_that_did_not_fail_is_not_needed():
    found = findings_of(waiver(), checks={"accuracy": Bound(at_least=0.1)})
    assert (states(found), found.verdict.result) == (["not needed"], "pass")


def test_a_number_that_got_worse_than_the_baselines_is_waived_by_its_name():
    facts = answered(evidence(), **{f"d{i:02}": WRONG for i in range(2, 22)})
    loose = {"accuracy": Bound(at_least=0.1)}
    assert states(findings_of(waiver("baseline.accuracy"), checks=loose, facts=facts, before=night())) == ["applied"]
    assert states(findings_of(waiver("baseline.accuracy"), checks=loose, before=night())) == ["not needed"]


def test_ids_are_the_same_on_every_night():
    bounds = {"accuracy": Bound(at_least=0.5, not_worse_than_baseline_by=0.1), "recall[positive]": Bound(at_most=0.9)}
    facts = answered(evidence(), **{f"d{i:02}": WRONG for i in range(2, 22)})
    ids = [[one.id for one in findings_of(checks=bounds, facts=some).checks] for some in (None, facts)]
    assert ids[0] == ids[1]
    assert ids[0] == [
        "checks.accuracy.at_least",
        "checks.accuracy.not_worse_than_baseline_by",
        "checks.recall[positive].at_most",
    ]


def test_the_report_and_a_ci_server_show_every_waiver(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "embed", lambda _: "")
    found = findings_of(waiver(), waiver("checks.gone.at_least"))
    page = render_html(found, evidence())
    assert '<section id="waivers"' in page
    assert "1 failure is waived, of 2 waivers." in page
    assert page.count("Ada Lovelace") >= 4
    assert '<span class="result waived">' in page
    write_junit(tmp_path / "junit.xml", found)
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    assert cases["accuracy"].find("skipped") is not None
    said = cases["checks.gone.at_least"].find("failure").get("message")
    assert said.startswith("waiver unmatched: checks.gone.at_least, Ada Lovelace")


def test_a_file_is_read(tmp_path):
    path = tmp_path / "waivers.toml"
    path.write_text(FILE, encoding="utf-8")
    (one,) = read(path)
    assert (one.finding, one.owner, one.expires.isoformat(), one.reason) == (
        FINDING,
        "Ada Lovelace",
        "2027-01-31",
        "Ticket 123.",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE + FILE, "waives checks.accuracy.at_least more than once"),
        (FILE.replace("2027-01-31", '"2027-01-31"'), "waiver.0.expires: expected a day such as 2027-01-31, without"),
        (FILE.replace("owner", "owners"), "waiver.0.owner: missing"),
        (FILE.replace("owner", "owners"), "waiver.0.owners: unknown key; known here: finding, owner, expires, reason"),
        (FILE.replace('"Ticket 123."', '""'), "waiver.0.reason: "),
        ("[[waivers]]", "waivers: unknown key"),
        ("[[waiver", "not TOML"),
    ],
)
def test_a_bad_file_is_a_fault_that_names_it(tmp_path, text, said):
    path = tmp_path / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as fault:
        read(path)
    assert said in str(fault.value)
    assert str(path) in str(fault.value)


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        read(tmp_path / "waivers.toml")
