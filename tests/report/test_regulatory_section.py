import re
from html import unescape

import pytest
from invented_classifier import classifier
from invented_runs import language_model, tiny

from auditor.config.report import StatementsConfig
from auditor.findings.contract.presentation import Reviewer
from auditor.languages import speaking
from auditor.report import render_html
from auditor.report.contract import Section, Sources
from auditor.report.page import html as pages
from auditor.report.page import templates
from auditor.report.page.html import Numbering
from auditor.report.regulations import FRAMEWORKS, STATEMENTS
from auditor.report.sections import regulatory


@pytest.fixture(autouse=True)
def no_embedded_fonts(monkeypatch):
    monkeypatch.setattr(pages.fonts, "embed", lambda _: "")


EVERYTHING = ("predictions", "lime", "slices", "documents", "methods")


def presented(run, **values):
    findings, evidence = run
    return findings.model_copy(update={"presentation": findings.presentation.model_copy(update=values)}), evidence


def lines(run, sections=EVERYTHING):
    others = [Section(name, name.title(), "", "", "", "", "") for name in sections]
    found = regulatory.compose(Sources(*run), others).content["maps"]
    return {(m.source, line.reference): line for m in found for line in m.lines}


def annex(run, reference, sections=EVERYTHING):
    return lines(run, sections)["Regulation (EU) 2024/1689", reference]


@pytest.mark.parametrize(("language", "mark"), [("en", ", "), ("zh", "、")])
def test_links_are_listed_as_the_language_lists_them(language, mark):
    findings, evidence = classifier()
    with speaking(language):
        others = [Section(name, name.title(), "", "", "", "", "") for name in EVERYTHING]
        section = regulatory.compose(Sources(findings, evidence), others)
        html = str(templates.fill(section.template, section=section, numbering=Numbering(), **section.content))
    between = re.findall(r'</a>([^<]*)<a class="see"', html)
    assert len(between) > 3
    assert set(between) == {mark}


def text_of(html, start, stop):
    body = html[html.index(start) : html.index(stop)]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_frameworks_are_complete_and_name_each_item_once():
    references = {f.source: [item.reference for item in f.items] for f in FRAMEWORKS}
    assert all(len(set(found)) == len(found) for found in references.values())
    assert references["Regulation (EU) 2024/1689"][-7:] == ["3", "4", "5", "6", "7", "8", "9"]
    measure = [f"{category}.{n}" for category, count in ((1, 3), (2, 13), (3, 3), (4, 3)) for n in range(1, count + 1)]
    assert references["NIST AI 100-1, January 2023"] == measure
    assert len(references["Mitchell et al. 2019, Model Cards for Model Reporting"]) == 9


def test_all_38_controls_of_annex_a_are_there_some_of_them_together():
    ends = {"A.2": 4, "A.3": 3, "A.4": 6, "A.5": 5, "A.6.1": 3, "A.6.2": 8, "A.7": 6, "A.8": 5, "A.9": 4, "A.10": 4}
    controls = {f"{family}.{n}" for family, last in ends.items() for n in range(2, last + 1)}
    named = set()
    for item in FRAMEWORKS[2].items:
        first, _, last = item.reference.partition("–")
        family, _, number = first.rpartition(".")
        stop = int((last or first).rpartition(".")[2])
        named |= {f"{family}.{n}" for n in range(int(number), stop + 1)}
    assert len(controls) == 38
    assert named == controls


def test_the_statements_are_those_that_the_configuration_takes_in_their_order():
    assert list(STATEMENTS) == list(StatementsConfig.model_fields)


def test_an_item_is_answered_only_if_everything_it_asks_for_is_there():
    metrics = ("Mitchell et al. 2019, Model Cards for Model Reporting", "Metrics")
    assert lines(classifier())[metrics].status == "answered"
    assert lines(classifier(), ("predictions", "methods"))[metrics].open == ""
    without_methods = lines(classifier(), ("predictions",))[metrics]
    assert without_methods.status == "partly"
    assert without_methods.open == "the section on methods"
    assert "methods" not in [link.target for link in without_methods.links]


def test_a_run_without_labels_does_not_answer_items_on_accuracy():
    labelled, unlabelled = annex(classifier(), "2(g)"), annex(language_model(), "2(g)")
    assert "accuracy" not in labelled.open
    assert "predictions" in [link.target for link in labelled.links]
    assert "accuracy: needs a corpus with reference labels" in unlabelled.open
    assert "predictions" not in [link.target for link in unlabelled.links]
    assert "slices: needs columns of the corpus to slice by" in unlabelled.open


def test_what_no_report_can_say_stays_open_whatever_the_run_has():
    everything = presented(classifier(), statements=dict.fromkeys(STATEMENTS, "Written."))
    assert annex(everything, "2(g)").status == "partly"
    assert annex(everything, "2(g)").open == "tests of robustness; whether differences between slices discriminate"
    assert annex(everything, "8").status == "outside"


def test_a_statement_makes_an_item_stated_and_is_linked():
    assert annex(classifier(), "2(h)").status == "missing"
    assert annex(classifier(), "2(h)").open == "the statement security"
    stated = annex(presented(classifier(), statements={"security": "Signed weights."}), "2(h)")
    assert stated.status == "stated"
    assert stated.statements == ("security",)


def test_reviewers_count_only_where_they_are_named():
    key = ("NIST AI 100-1, January 2023", "1.3")
    assert lines(presented(classifier(), reviewers=()))[key].status == "missing"
    named = lines(presented(classifier(), reviewers=(Reviewer(name="A. Validator"),)))[key]
    assert named.status == "partly"
    assert "whether reviewers are independent" in named.open


def test_a_verdict_that_is_not_established_proves_nothing():
    open_ = lines(language_model())["ISO/IEC 42001:2023", "A.6.2.4"].open
    assert "a verdict: needs checks that can be judged" in open_
    assert "bounds: needs entries under [checks]" in open_


def test_statements_are_printed_as_written_and_missing_ones_are_said_to_be_missing():
    html = render_html(*presented(tiny(), statements={"owner": "Team <b>A</b>\n\nRoom 7, {braces}"}))
    text = text_of(html, 'id="statement-owner"', '<tr id="statement-version_history"')
    assert (
        text == 'id="statement-owner"> Owner: who is responsible, and how to reach them Team <b>A</b> Room 7, {braces}'
    )
    missing = text_of(html, 'id="statement-ethics"', "Regulation (EU)")
    assert 'missing: write ethics = "…"' in missing


def test_the_map_says_that_it_is_no_assessment_and_counts_its_items():
    section = regulatory.compose(Sources(*classifier()), [])
    assert section.answer.endswith("This map is an aid, not a legal assessment.")
    counts = [int(n) for n in re.findall(r"\d+", section.answer)]
    assert counts[0] == sum(len(f.items) for f in FRAMEWORKS) == sum(counts[2:])


def test_every_link_of_the_map_leads_somewhere():
    html = render_html(*presented(classifier(), statements={"limits": "English only."}))
    targets = set(re.findall(r'href="#([\w-]+)"', html))
    assert targets <= set(re.findall(r'id="([\w-]+)"', html))
    assert "statement-limits" in targets


def test_paper_has_the_items_that_are_answered_lists_those_in_part_and_the_screen_has_all():
    findings, evidence = presented(classifier(), statements={"security": "Signed weights."})
    others = [Section(name, name.title(), "", "", "", "", "") for name in EVERYTHING]
    section = regulatory.compose(Sources(findings, evidence), others)
    html = str(templates.fill(section.template, section=section, numbering=Numbering(), **section.content))
    paper = re.sub("<!--screen-->.*?<!--/screen-->", "", html, flags=re.DOTALL)
    states = [line.status for found in section.content["maps"] for line in found.lines]
    assert {"answered", "partly", "stated", "missing", "outside"} == set(states)
    rows = re.compile(r'<tr(?: class="muted")?><th scope="row" translate="no">')
    assert len(rows.findall(html)) == len(states)
    assert len(rows.findall(paper)) == sum(state in ("answered", "stated") for state in states)
    in_part = [line.reference for line in section.content["maps"][0].lines if line.status == "partly"]
    assert f"In part: {', '.join(in_part[:-1])} and {in_part[-1]}." in paper
    assert "Open: " in html
    assert "Open: " not in paper
    assert "Not written: intended_purpose, out_of_scope" in paper
    assert "statement-intended_purpose" in html
    assert 'id="statement-intended_purpose"' not in paper
    assert '<a class="near" href="#statement-security">security</a>' in paper
