import re
from dataclasses import replace
from html import unescape

import pytest
from invented_classifier import classifier
from invented_findings import number, with_analysis, without
from invented_runs import candidates, empty, language_model, tiny

from auditor.findings import Bound, Context, Evidence, summarise
from auditor.findings.analyses.scores import ClassScores
from auditor.findings.contract.types import Example, Pointer
from auditor.records.explanations import Explanation, Neighbourhood, Segment, Surrogate, Target
from auditor.records.types import Document, Failure, Prediction, Span
from auditor.report import render_html

pytestmark = pytest.mark.usefixtures("no_embedded_fonts")


def section(html, name):
    """The words of one section."""
    body = re.search(rf'<section id="{name}".*?</section>', html, re.DOTALL)
    assert body, f"no section {name}"
    return words(body.group())


def words(html):
    return " ".join(unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)).split())


def sections(html):
    return re.findall(r'<section id="([\w-]+)"', html)


def test_a_classifier_is_described_by_its_numbers(classifier_html):
    text = section(classifier_html, "predictions")
    assert "Accuracy is 0.86 (0.75–0.93) over 58 labelled documents. No label has a clearly lower F1" in text
    assert "Stated probabilities are off by 0.04 (0.02–0.08) on average." in text
    assert "Least certain answers. Chosen by rule: lowest probability first." in text
    assert "Labelled \\ predicted negative neutral positive All" in text


def test_an_explanation_names_its_weights_its_rule_and_how_it_was_made(classifier_html):
    text = section(classifier_html, "lime")
    assert "en-0000 · least stable toward positive · probability 0.82 · labelled positive" in text
    assert "Shades change at ±0.10, ±0.20, ±0.30 of probability" in text
    assert "moving +0.48" in text
    assert re.search(r"Weight .* and \d+ more", text)
    assert "all 128 variants, no sampling error" in text
    assert "1,000 variants, 987 distinct" in text
    assert "“不” supports “negative” most." in text


def test_attention_is_never_called_an_explanation(classifier_html):
    text = section(classifier_html, "attention")
    assert "Attention is not an explanation. Kendall’s τ between the attention a word receives" in text
    assert "0.18 (0.11–0.25)" in text
    assert "5 of 48 heads follow a known pattern" in text
    assert "Layer Entropy, nats" in text


def test_perplexity_states_its_protocol_and_whose_it_is(classifier_html):
    text = section(classifier_html, "perplexity")
    assert "Context length 1,024 tokens Stride 512 tokens First token after <|endoftext|>" in text
    assert "smollm2-135m (reference)" in text
    assert "must not be compared between models" in text
    assert "language zh" in text


def test_slices_say_what_was_corrected_for_and_which_are_too_small(classifier_html):
    text = section(classifier_html, "slices")
    assert (
        "8 comparisons were made and corrected for: where nothing differs, any of them sets a group apart in one"
        in text
    )
    assert "– before n, and grey: fewer than 30 documents, not judged." in text


def test_provenance_lists_hashes_and_failures(classifier_run, classifier_html):
    findings, _ = classifier_run
    text = section(classifier_html, "provenance")
    for value in (*findings.model.values(), *findings.corpus.values(), *findings.provenance.values()):
        assert value in text
    assert "en-0013 non-finite the model answered NaN for 3 of 1,000 perturbations" in text


def test_methods_print_every_parameter_as_it_was_set(classifier_run, classifier_html):
    findings, _ = classifier_run
    text = section(classifier_html, "methods")
    for values in findings.parameters.values():
        for name, value in values.items():
            assert f"{name} {value}" in text


def test_a_language_model_shows_its_continuations_and_its_own_perplexity():
    html = render_html(*language_model())
    text = section(html, "predictions")
    assert "Greedy continuations of 12 documents have a mean log-probability of −1.21" in text
    assert "What was asked Prompt around each document {text} Candidate continuations none: free continuation" in text
    assert "Chosen by rule: lowest mean log-probability." in text
    assert text.count("in a larger sense, we can not dedicate") == 12
    assert text.index("speech-11") < text.index("speech-00")
    assert "The model continues: in a larger sense" in section(html, "lime")
    assert "of log-probability" in section(html, "lime")
    assert "25 of 270 heads" in section(html, "attention")
    assert "Next token" not in section(html, "attention")
    assert "smollm2-135m (audited)" in section(html, "perplexity")
    assert "Entropy 0" not in section(html, "documents")
    assert "nothing is judged" in words(html.split("<section")[0])


def test_continuations_are_shown_even_where_none_is_ranked():
    findings, evidence = language_model()
    text = section(render_html(with_analysis(findings, "prediction", least_certain=()), evidence), "predictions")
    assert "Least likely continuations" not in text
    assert text.count("in a larger sense, we can not dedicate") == 12


def test_candidates_are_answered_like_labels_and_say_what_they_leave_to_other_continuations():
    text = section(render_html(*candidates()), "predictions")
    assert "The candidates together get a probability of 0.49 (0.45–0.52) from the model" in text
    assert "Prompt around each document {text} Is this about war? Answer: Candidate continuations ' yes', ' no'" in text
    assert "summed over its tokens behind the prompt and normalised among the candidates" in text
    assert "Labelled \\ predicted yes no All" in text


@pytest.mark.parametrize("probe", ["prediction", "lime", "attention", "perplexity"])
def test_any_probe_may_be_missing(probe):
    html = render_html(*without(classifier(), probe))
    name = "predictions" if probe == "prediction" else probe
    assert name not in sections(html)
    assert f'href="#{name}"' not in html
    assert len(sections(html)) == 10


def test_a_probe_without_a_section_gets_a_plain_table_and_one_that_failed_says_so():
    html = render_html(*empty())
    assert sections(html)[:2] == ["predictions", "probe-toxicity"]
    assert "None of 2 documents could be measured: 2 failed." in section(html, "predictions")
    toxic = section(html, "probe-toxicity")
    assert "2 of 2 documents were measured." in toxic
    assert "Mean toxicity 0.10 0.05–0.20 2 Mean over documents." in toxic
    assert "lexicon small" in toxic


def test_a_pointer_to_a_section_that_is_not_there_is_no_link():
    findings, evidence = tiny()
    lost = findings.model_copy(update={"pointers": (Pointer(severity="note", text="Look there", section="lime"),)})
    html = render_html(lost, evidence)
    assert "Look there" in html
    assert 'href="#lime"' not in html


def test_page_one_counts_the_pointers_and_notes_it_has_no_room_for():
    findings, evidence = tiny()
    pointers = tuple(Pointer(severity="note", text=f"pointer {i}", section="predictions") for i in range(8))
    notes = tuple(f"note {i}" for i in range(7))
    html = render_html(findings.model_copy(update={"pointers": pointers, "notes": notes}), evidence)
    front = words(html.split("<section")[0])
    assert "and 4 more in the sections" in front
    assert "pointer 4" not in front
    assert "4 more notes under Provenance" in front
    assert "note 6" in section(html, "provenance")


def test_an_unlabelled_corpus_is_described_and_not_judged():
    findings, evidence = tiny()
    findings = with_analysis(findings, "prediction", n_labelled=0, confusion=())
    html = render_html(findings.model_copy(update={"numbers": ()}), evidence)
    text = section(html, "predictions")
    assert (
        "The corpus has no labels, so answers are described, not judged. “positive” is predicted for 1 of 1 document."
        in text
    )
    assert "Without labels nothing can be said" in text


def many_labels(n):
    return tuple(f"label {i}" for i in range(n))


def test_many_labels_become_lists_with_the_weakest_first():
    findings, evidence = tiny()
    labels = many_labels(60)
    classes = tuple(
        ClassScores(
            label=label,
            support=5,
            predicted=5,
            **{key: number(key, key, i / 60, None, None, 5) for key in ("precision", "recall", "f1")},
        )
        for i, label in enumerate(reversed(labels))
    )
    confusion = tuple(tuple(3 if i == j else (2 if j == i + 1 else 0) for j in range(60)) for i in range(60))
    findings = with_analysis(findings, "prediction", labels=labels, classes=classes, confusion=confusion)
    html = render_html(findings, evidence)
    text = section(html, "predictions")
    assert "The most frequent confusions among 60 labels." in text
    assert "label 0 label 1 2 40%" in text
    assert text.index("label 59 5 5 0.000") < text.index("label 58 5 5 0.017")
    assert "The first 40 of 60 rows" in text
    assert "Labelled \\ predicted" not in text


def test_several_labels_per_document_are_listed_together():
    findings, evidence = tiny()
    made = (Document("a", "Funny and sad", labels=("funny", "sad")),)
    answer = Prediction("a", ("funny", "sad"), (2.0, 0.4), (0.88, 0.6), ("funny", "sad"), 0.5, 5, False)
    nothing = Prediction("b", ("funny", "sad"), (-2.0, -3.0), (0.12, 0.05), (), 0.3, 5, False)
    findings = with_analysis(
        findings,
        "prediction",
        multi_label=True,
        labels=("funny", "sad"),
        confusion=(),
        least_certain=(Example(document_id="a", rule="r"), Example(document_id="b", rule="r")),
    )
    evidence = Evidence((*made, Document("b", "Plain")), {"prediction": {"a": answer, "b": nothing}})
    html = render_html(findings, evidence)
    text = section(html, "predictions")
    assert "Exact-match accuracy is" in text
    assert "funny, sad funny, sad 0.60" in text
    assert "Plain – – 0.12" in text


def test_a_sentence_pair_is_explained_in_both_sentences():
    findings, evidence = classifier()
    document = Document("en-0000", "A man sleeps.", pair="Nobody <i>sleeps</i>.", labels=("negative",))
    segments = (Segment("man", (Span(2, 5),)), Segment("Nobody", (Span(0, 6, "pair"),)))
    target = Target("negative", (0.1, 0.6), (0.01, 0.02), (True, True), 0.9, Surrogate(0.2, 0.9, 0.9))
    pair = Explanation(
        "en-0000", "lime", "probability", "words", segments, (target,), Neighbourhood(1000, 900, False, 25.0)
    )
    made = (document, *evidence.documents[1:])
    rows = {**evidence.rows, "lime": {**evidence.of("lime"), "en-0000": pair}}
    html = render_html(findings, replace(evidence, documents=made, rows=rows))
    text = section(html, "lime")
    assert "First sentence A man sleeps. Second sentence Nobody +0.60 <i>sleeps</i>." in text


def test_an_example_that_failed_or_is_unknown_is_left_out():
    findings, evidence = tiny()
    examples = (Example(document_id="b", rule="r"), Example(document_id="gone", rule="r"))
    html = render_html(with_analysis(findings, "prediction", least_certain=examples), evidence)
    assert "Least certain answers" not in html
    assert isinstance(evidence.of("prediction")["b"], Failure)


@pytest.mark.parametrize("make", [classifier, language_model])
def test_what_the_findings_summarise_is_what_the_report_prints(make):
    invented, evidence = make()
    context = Context(
        **{name: getattr(invented, name) for name in ("title", "task", "run_id", "plan_id", "created")},
        **{name: getattr(invented, name) for name in ("model", "corpus", "provenance", "parameters")},
        checks={"perplexity.median": Bound(at_most=25.0), "lime.fidelity": Bound(at_least=0.6, required=False)},
        asked={"prediction": 60, "lime": 60, "perplexity": 60},
        notes=("LIME ran on 60 of 60 documents.",),
        seed=1,
    )
    findings = summarise(evidence, context)
    html = render_html(findings, evidence)
    text = words(html)
    assert all(f"{one.topic} {one.text}" in text for one in findings.conclusion)
    assert all(pointer.text in text for pointer in findings.pointers[:4])
    assert all(check.title in text for check in findings.checks)
    assert sections(html)[:2] == ["predictions", "lime"]
