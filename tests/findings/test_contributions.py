"""What documents add to a number gives that number: for every summary that says it, on every kind of run."""

import pytest
from acted_upon import acted, both
from worked_example import continuation_evidence, evidence, multi_label_evidence

from auditor.findings.analyses.answers import is_labelled
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.summary import Setting

KINDS = {
    "labels": (evidence(), Setting()),
    "explanations acted upon": (acted(*(both(i) for i in range(10))), Setting()),
    "sets of labels": (multi_label_evidence(), Setting(multi_label=True)),
    "continuations": (continuation_evidence(), Setting(kind="generator", labelled=False)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_give_the_numbers_of_their_summary(kind):
    facts, setting = KINDS[kind]
    assert setting.labelled == is_labelled(facts)
    checked = set()
    for summary in summaries().values():
        conclusion = summary.summarise(facts, setting)
        if conclusion is None:
            continue
        numbers = {number.name: number for number in conclusion.numbers}
        for made in summary.contributions(facts, setting) or ():
            if made.ids:
                value = numbers[made.name].compared.value
                assert made.value == pytest.approx(float("nan") if value is None else value, nan_ok=True), made.name
                assert len(made.ids) == len(made.features)
                checked.add(made.name)
        known = {name for name, number in numbers.items() if number.is_measured}
        compared = {q.name for q in summary.quantities if q.compared}
        assert {name for name in known if name.partition("[")[0] in compared} <= checked
    assert checked
