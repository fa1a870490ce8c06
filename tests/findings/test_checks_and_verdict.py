import re

import pytest
from worked_example import context, evidence, with_rows

from auditor.findings import Bound, Evidence, summarise
from auditor.findings.analyses.prediction import PredictionFindings
from auditor.findings.contract.summary import Setting, Whole
from auditor.findings.contract.types import Coverage, Number, SliceRow
from auditor.findings.history import manifest_facts
from auditor.findings.judgement.checks import judge, judge_all
from auditor.findings.judgement.conclusion import conclude
from auditor.findings.judgement.pointers import point, section_of
from auditor.findings.judgement.verdict import decide
from auditor.findings.slicing.slices import compare_rows


def number(value=0.8, low=0.75, high=0.85, n=200, name="accuracy", title="Accuracy"):
    return Number(name=name, title=title, value=value, low=low, high=high, n=n, unit="share", protocol="Wilson.")


def pointers(coverage=(), analyses=None, numbers=None, checks=()):
    """Those of the rules on what is given, of a run without evidence."""
    return point(coverage, analyses or {}, Whole(Evidence(()), Setting(), numbers or {}, checks))


def conclusion(checks, coverage=(), slices=()):
    """Topic → what page one concludes."""
    return {one.topic: one for one in conclude(decide(checks, coverage), checks, coverage, slices)}


def concluded(*pairs, coverage=None):
    """The same over checks as `verdict` takes them, only the words."""
    checks, coverage = judged(*pairs), coverage or (covered(),)
    return {topic: one.text for topic, one in conclusion(checks, coverage).items()}


def covered(measured=100, asked=100, probe="prediction"):
    return Coverage(probe=probe, corpus=100, asked=asked, measured=measured, failed=0, truncated=0, failures=())


@pytest.mark.parametrize(
    ("bound", "result"),
    [
        (Bound(at_least=0.70), "pass"),
        (Bound(at_least=0.75), "pass"),
        (Bound(at_least=0.80), "watch"),
        (Bound(at_least=0.85), "watch"),
        (Bound(at_least=0.90), "fail"),
        (Bound(at_most=0.90), "pass"),
        (Bound(at_most=0.85), "pass"),
        (Bound(at_most=0.80), "watch"),
        (Bound(at_most=0.75), "watch"),
        (Bound(at_most=0.70), "fail"),
    ],
)
def test_the_whole_interval_decides(bound, result):
    assert judge(number(), bound)[0] == result


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        (number(n=9), "It rests on 9 documents; at least 10 are needed to judge it."),
        (number(value=None, low=None, high=None, n=0), "It could not be computed: no document has what it needs."),
        (number(low=None, high=None), "There is no interval to hold against the bound."),
        (number(n=29, name="accuracy{length=short}"), "It rests on 29 documents; at least 30 are needed to judge it."),
    ],
)
def test_what_cannot_be_judged_says_why(measured, why):
    assert judge(measured, Bound(at_least=0.5)) == ("not judged", why)


def test_a_number_without_sampling_is_judged_by_its_value():
    assert judge(number(0.8, 0.8, 0.8), Bound(at_least=0.8))[0] == "pass"
    assert judge(number(0.8, 0.8, 0.8), Bound(at_most=0.7))[0] == "fail"


def test_reasons_are_sentences_with_the_interval_and_the_bound():
    assert judge(number(), Bound(at_least=0.7))[1] == (
        "0.80 (95% interval 0.75 to 0.85): the whole interval lies at or above 0.7."
    )
    assert judge(number(), Bound(at_most=0.7))[1].endswith("the whole interval lies above 0.7.")
    assert judge(number(), Bound(at_least=0.8))[1].endswith(
        "contains the bound 0.8, so 200 documents cannot decide it."
    )
    negative = number(-0.1, -0.2, -0.05)
    assert judge(negative, Bound(at_least=-0.5))[1].startswith("−0.10 (95% interval −0.20 to −0.05)")


def test_a_name_that_was_not_measured_is_answered_with_the_nearest():
    check = judge_all([number(), number(name="mean_entropy")], {"acuracy": Bound(at_least=0.5)})[0]
    assert (check.result, check.number) == ("not judged", None)
    assert check.reason == "This run measured no number of this name; the nearest is accuracy."
    assert judge_all([], {"xyz": Bound(at_least=1)})[0].reason == "This run measured no number of this name."


def test_a_bound_has_one_side_at_most_and_something_that_it_demands():
    for sides in (
        {},
        {"at_least": 0.1, "at_most": 0.2},
        {"at_least": 1, "at_most": 1, "not_worse_than_baseline_by": 0},
    ):
        with pytest.raises(ValueError, match="one of at_least and at_most, or"):
            Bound(**sides)
    assert (Bound(not_worse_than_baseline_by=0.1).direction, Bound(not_worse_than_baseline_by=0.1).value) == ("", 0.0)
    assert (Bound(at_most=0.0).value, Bound(at_most=0.0).direction) == (0.0, "at_most")


PASS, WATCH, FAIL, UNJUDGED = (Bound(at_least=0.7), Bound(at_least=0.8), Bound(at_least=0.9), Bound(at_least=0.1))


def judged(*pairs):
    """Checks given as (bound, required), each on its own number; UNJUDGED ones on nothing."""
    numbers = [number(name=f"n{i}", title=f"Number {i}") for i, (bound, _) in enumerate(pairs) if bound is not UNJUDGED]
    bounds = {f"n{i}": Bound(at_least=bound.at_least, required=required) for i, (bound, required) in enumerate(pairs)}
    return judge_all(numbers, bounds)


def verdict(*pairs, coverage=None):
    """The verdict over such checks."""
    return decide(judged(*pairs), coverage or (covered(),))


@pytest.mark.parametrize(
    ("pairs", "result"),
    [
        ([(PASS, True)], "pass"),
        ([(PASS, True), (PASS, False)], "pass"),
        ([(PASS, True), (WATCH, True)], "pass with conditions"),
        ([(PASS, True), (WATCH, False)], "pass with conditions"),
        ([(PASS, True), (FAIL, False)], "pass with conditions"),
        ([(PASS, True), (UNJUDGED, False)], "pass"),
        ([(UNJUDGED, False)], "not established"),
        ([(UNJUDGED, False), (UNJUDGED, False)], "not established"),
        ([(UNJUDGED, False), (WATCH, False)], "pass with conditions"),
        ([(PASS, True), (UNJUDGED, True)], "not established"),
        ([(FAIL, True), (UNJUDGED, True)], "fail"),
        ([(FAIL, True), (WATCH, True), (PASS, True)], "fail"),
        ([], "not established"),
    ],
)
def test_the_verdict_follows_from_the_checks(pairs, result):
    assert verdict(*pairs).result == result


def test_a_check_that_nothing_was_measured_for_is_no_pass_even_without_coverage():
    found = decide(judge_all([], {"accuracy": Bound(at_least=0.8, required=False)}), ())
    assert (found.result, found.headline) == ("not established", "The declared check could not be judged.")


def test_incomplete_coverage_blocks_a_pass_but_not_a_failure():
    gap = (covered(), covered(94, probe="lime"))
    assert verdict((PASS, True), coverage=gap).result == "not established"
    said = concluded((PASS, True), coverage=gap)
    assert said["Sign-off"] == "Not on this evidence: too few documents were measured by LIME."
    assert said["Not established"].startswith("The LIME probe measured only 94 of 100 documents")
    assert verdict((PASS, True), coverage=gap).headline == (
        "The declared check passes, but too few documents were measured."
    )
    assert verdict((FAIL, True), coverage=gap).result == "fail"
    assert verdict((PASS, True), coverage=(covered(95),)).result == "pass"
    assert verdict((PASS, True), coverage=(covered(30, asked=30),)).result == "pass"


def test_headlines_count_the_checks_in_plain_words():
    assert verdict((PASS, True), (PASS, True)).headline == "Both checks pass."
    assert verdict((PASS, True)).headline == "The declared check passes."
    mixed = verdict((PASS, True), (PASS, True), (WATCH, True))
    assert mixed.headline == "2 of 3 checks pass, 1 needs a decision before sign-off."
    assert verdict((FAIL, True), (PASS, True)).headline == "1 of 2 checks passes, 1 fails."
    assert verdict((FAIL, True)).headline == "The declared check fails."
    assert verdict().headline == "No checks were declared: there is nothing to hold the numbers against."


def test_page_one_concludes_what_holds_what_is_open_and_what_fails():
    said = concluded((PASS, True), (FAIL, True), (WATCH, True), (UNJUDGED, False))
    assert said == {
        "Sign-off": "No: Number 1 is 0.80 (0.75 to 0.85), where at least 0.9 was asked.",
        "Established": "Number 0 is 0.80 (0.75 to 0.85), at least 0.7 over its whole interval.",
        "Not established": "n3 is not judged (and not required): this run measured no number of this name; the nearest "
        "are n2, n1 and n0. Number 2 is 0.80 (0.75 to 0.85), which leaves open whether it is at least 0.8.",
        "Weakest slice": "No groups of at least 30 documents could be compared.",
    }


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(PASS, True)], "Nothing that was declared stands against it: no check fails, and none is open."),
        ([(PASS, True), (WATCH, True), (FAIL, False)], "Only with a decision on Number 1 and Number 2."),
        ([(PASS, True), (UNJUDGED, True)], "Not on this evidence: n1 could not be judged."),
        ([], "Not on this evidence: no bound was set before the run, so none of the numbers is judged."),
    ],
)
def test_whether_it_may_be_signed_follows_from_the_verdict(pairs, said):
    assert concluded(*pairs)["Sign-off"] == said


def test_a_check_on_a_number_of_the_reference_model_is_called_so():
    bits = number(name="perplexity.bits_per_byte", title="Bits per byte")
    checks = judge_all([bits], {bits.name: Bound(at_least=0.8)})
    said = [one.text for one in conclude(decide(checks, ()), checks, (), (), {"perplexity"})]
    assert said[0] == "Only with a decision on Bits per byte (reference model)."
    assert "Only with a decision on Bits per byte." in conclusion(checks)["Sign-off"].text


def test_an_advisory_check_that_fails_leaves_something_open():
    said = concluded((PASS, True), (FAIL, False))
    assert said["Not established"] == "Number 1 is 0.80 (0.75 to 0.85), where at least 0.9 was asked (not required)."


def test_a_pass_names_the_check_closest_to_its_bound():
    said = concluded((Bound(at_least=0.2), True), (PASS, True))
    assert said["Established"] == (
        "2 checks hold over their whole intervals; closest to its bound: Number 1, 0.80 (0.75 to 0.85), at least 0.7."
    )
    assert "Not established" not in said


def test_page_one_of_a_whole_run_concludes_and_points_elsewhere():
    checks = {"accuracy": Bound(at_least=0.95), "lime.fidelity": Bound(at_least=0.88)}
    found = summarise(evidence(), context(checks=checks))
    assert found.verdict.result == "fail"
    assert [(one.topic, one.severity, one.section) for one in found.conclusion] == [
        ("Sign-off", "fail", "predictions"),
        ("Not established", "watch", ""),
        ("Weakest slice", "note", ""),
        ("Most surprising", "note", "perplexity"),
    ]
    assert found.conclusion[0].text == "No: Accuracy is 0.85 (0.71 to 0.93), where at least 0.95 was asked."
    texts = [p.text for p in found.pointers]
    assert "2 of 29 explanations have R² below 0.5 and should not be relied on" in texts
    assert "2 of 6 errors made with a probability of at least 0.9" in texts
    assert "LIME probe: 1 document could not be measured (ValueError)" in texts
    assert "1 of 40 documents seen only in part: longer than the model reads" in texts
    assert all(p.topic == "" for p in found.pointers)


def test_heads_on_special_tokens_are_pointed_at():
    checks = {"accuracy": Bound(at_least=0.5)}
    some = evidence().restricted(frozenset(d.id for d in evidence().documents[5:20]))
    found = summarise(
        with_rows(some, prediction={}, perplexity={}),
        context(checks=checks, asked={"lime": 15, "attention": 15}),
    )
    assert "1 of 4 heads attends mostly to special tokens" in [p.text for p in found.pointers]


def test_beyond_three_a_sentence_counts():
    text = concluded(*[(FAIL, True)] * 5)["Sign-off"]
    assert "Number 2" in text
    assert "Number 3" not in text
    assert text.endswith("; 2 more.")


def test_every_probe_that_failed_is_pointed_at_by_its_name():
    rows = (
        covered(97, probe="lime").model_copy(update={"failed": 3, "failures": (("a", "blank", "x"),)}),
        covered(98, probe="attention").model_copy(update={"failed": 2, "failures": (("b", "ValueError", "x"),)}),
        covered(99, probe="reading_ease").model_copy(update={"failed": 1, "failures": (("c", "blank", "x"),)}),
    )
    found = pointers(coverage=rows)
    assert [p.text for p in found] == [
        "LIME probe: 3 documents could not be measured (blank)",
        "attention probe: 2 documents could not be measured (ValueError)",
        "reading_ease probe: 1 document could not be measured (blank)",
    ]
    assert {p.section for p in found} == {section_of("coverage.failed_share")} == {"provenance"}


def test_a_label_that_a_check_points_at_is_not_pointed_at_twice():
    found = summarise(evidence(), context())
    numbers = {n.name: n for n in found.numbers}
    low = {"value": 0.3, "low": 0.2, "high": 0.4, "n": 40}
    recall = numbers["recall[negative]"].model_copy(update=low)
    predictions = found.analysis("prediction", PredictionFindings)
    classes = tuple(
        scores.model_copy(update={"recall": recall}) if scores.label == "negative" else scores
        for scores in predictions.classes
    )
    analyses = {"prediction": predictions.model_copy(update={"classes": classes})}

    def recalls(bounds):
        found = pointers(analyses=analyses, numbers=numbers, checks=judge_all([recall], bounds))
        return [p.text for p in found if "recall" in p.text.casefold()]

    assert recalls({}) == ["Label negative is often missed: recall 0.30 (95% interval 0.20 to 0.40)"]
    assert recalls({"recall[negative]": Bound(at_least=0.6)}) == []
    assert len(recalls({"recall[negative]": Bound(at_least=0.1)})) == 1


def slice_row(length, n, **changes):
    own = number(name=f"accuracy{{length={length}}}", n=n, **changes)
    return SliceRow(column="length", value=length, n=60, numbers=(own,), judged=True)


def weakest(rows, *wholes, checks=()):
    return conclusion(checks, slices=tuple(compare_rows(rows, wholes)))["Weakest slice"]


def test_the_weakest_slice_is_named_whether_or_not_chance_could_make_it():
    other = slice_row("long", 60, value=0.9)
    small, large = (slice_row("short", n, value=0.3, low=0.2, high=0.4) for n in (29, 60))
    whole = number(name="accuracy", n=120, value=0.6, low=0.5, high=0.7)
    alone = weakest((small, other), whole)
    assert alone.severity == "watch", "the only group that is large enough"
    found = weakest((large, other), whole)
    assert (found.severity, found.section) == ("watch", "slices")
    assert found.text == (
        "Accuracy is 0.30 (0.20 to 0.40) over 60 documents, apart from all documents by more than chance (p < 0.001, "
        "corrected)."
    )
    level = weakest((slice_row("short", 60, value=0.55, low=0.42, high=0.67), slice_row("long", 60, value=0.65)), whole)
    assert level.severity == "note"
    assert re.fullmatch(
        r"Accuracy is 0\.55 \(0\.42 to 0\.67\) over 60 documents, the lowest of 2 groups, perhaps by chance \(a "
        r"difference of 0\.\d\d would have been found in 80% of cases\)\.",
        level.text,
    )


def test_without_accuracy_a_declared_bound_says_which_side_is_weak():
    def bits(name, value, n=60):
        changes = {"low": value - 0.1, "high": value + 0.1}
        return number(name=name, title="Bits per byte", value=value, n=n, **changes).model_copy(update={"unit": "bits"})

    rows = [
        SliceRow(column="kind", value=v, n=60, numbers=(bits(f"perplexity.bits_per_byte{{kind={v}}}", x),), judged=True)
        for v, x in (("a", 1.0), ("b", 1.1))
    ]
    whole = bits("perplexity.bits_per_byte", 1.05, 120)
    assert weakest(rows, whole).text == "No groups of at least 30 documents could be compared."
    (check,) = judge_all([whole], {"perplexity.bits_per_byte": Bound(at_most=2.0)})
    assert weakest(rows, whole, checks=(check,)).text.startswith(
        "Bits per byte is 1.10 (1.00 to 1.20) over 60 documents, "
    )


def test_errors_are_pointed_at_where_they_are_shown():
    (pointer,) = (p for p in summarise(evidence(), context()).pointers if "errors made" in p.text)
    assert pointer.section == "failures"


@pytest.mark.parametrize(
    ("bound", "measured", "shown"),
    [
        (Bound(at_least=0.794), {"low": 0.7938, "high": 0.89, "value": 0.84}, "0.7938 to 0.8900"),
        (Bound(at_least=0.8), {"low": 0.75, "high": 0.85, "value": 0.8004}, "0.8004 (95% interval 0.7500 to 0.8500)"),
        (Bound(at_most=0.8), {"low": 0.75, "high": 0.8, "value": 0.77}, "0.770 (95% interval 0.750 to 0.800)"),
    ],
)
def test_no_sentence_rounds_a_number_onto_its_bound_or_past_it(bound, measured, shown):
    (check,) = judge_all([number(**measured)], {"accuracy": bound})
    page_one = conclusion((check,), (covered(),))["Not established" if check.result == "watch" else "Established"].text
    for sentence in (check.reason, page_one):
        assert shown.replace("95% interval ", "") in sentence.replace("95% interval ", ""), sentence


def test_a_bound_is_said_as_it_was_declared():
    (check,) = judge_all([number()], {"accuracy": Bound(at_least=0.9999999)})
    assert check.reason.endswith("the whole interval lies below 0.9999999.")
    assert "where at least 0.9999999 was asked" in conclusion((check,))["Sign-off"].text


def test_the_manifest_keeps_the_number_of_a_part_where_it_has_a_check():
    bounds = {"accuracy{length=short}": Bound(at_least=0.1)}
    facts = manifest_facts(summarise(evidence(), context(checks=bounds)))
    kept = facts["numbers"]
    assert [name for name in kept if "{" in name] == ["accuracy{length=short}"]
    assert "accuracy" in kept
