"""What page one says of special tokens that stand in documents literally."""

from dataclasses import replace

import pytest

from auditor.findings import Context, Evidence, Presentation, summarise
from auditor.findings.analyses.special_tokens import describe_special_tokens
from auditor.records.types import Document, Failure, Perplexity, Prediction, PseudoPerplexity
from tests.findings.worked_example import attention

NAMES = ("plain", "mask", "both", "broken")
READ = {"plain": (), "mask": ("[MASK]", "[MASK]"), "both": ("[SEP]", "[MASK]")}
DOCUMENTS = tuple(Document(name, name) for name in NAMES)
BARE = Context("t", "text-classification", "r", "p", "2026-07-29T12:00:00Z", {}, {}, {}, {}, {}, {})


def prediction(name: str) -> Prediction:
    return Prediction(name, ("no", "yes"), (0.0, 0.0), (0.5, 0.5), ("no",), 0.69, 4, False, special_tokens=READ[name])


def perplexity(name: str, special: tuple[str, ...]) -> Perplexity:
    return Perplexity(name, "writer", ("a",), (), (-1.0,), 1, 1, 8, 8, "<s>", special_tokens=special)


PREDICTIONS = {**{name: prediction(name) for name in READ}, "broken": Failure("broken", "non-finite", "[MASK]")}
PREDICTED = Evidence(DOCUMENTS, {"prediction": PREDICTIONS})


def test_documents_are_counted_and_every_token_with_the_documents_that_have_it() -> None:
    noted = describe_special_tokens(PREDICTED, BARE)
    assert noted == [
        "2 documents contain special tokens of the tokenizer literally ([MASK] in 2 and [SEP] in 1); "
        "the model reads them as such."
    ]


def test_nothing_is_noted_where_no_document_has_any() -> None:
    assert describe_special_tokens(Evidence(DOCUMENTS, {"prediction": {"plain": prediction("plain")}}), BARE) == []


def test_a_reference_model_has_a_note_of_its_own() -> None:
    evidence = Evidence(DOCUMENTS, {"prediction": PREDICTIONS, "perplexity": {"plain": perplexity("plain", ("<s>",))}})
    noted = describe_special_tokens(evidence, replace(BARE, references={"perplexity": "org/writer"}))
    assert len(noted) == 2
    assert noted[1].startswith("1 document contains special tokens of the tokenizer of org/writer literally (<s> in 1)")


def test_a_document_that_several_probes_of_one_model_read_counts_once() -> None:
    evidence = Evidence(
        DOCUMENTS, {"prediction": PREDICTIONS, "perplexity": {"mask": perplexity("mask", READ["mask"])}}
    )
    assert describe_special_tokens(evidence, BARE) == describe_special_tokens(PREDICTED, BARE)


MASKED = {
    "attention": replace(attention(0), document_id="mask", special_tokens=("[MASK]",)),
    "pseudo_perplexity": PseudoPerplexity(
        "mask", "m", ("a",), (), (0,), (-1.0,), "within-word", 8, special_tokens=("[MASK]",)
    ),
}


@pytest.mark.parametrize("probe", MASKED)
def test_a_masked_model_is_noted_by_what_its_own_probes_read(probe: str) -> None:
    noted = describe_special_tokens(Evidence(DOCUMENTS, {probe: {"mask": MASKED[probe]}}), BARE)
    assert noted == [
        "1 document contains special tokens of the tokenizer literally ([MASK] in 1); the model reads them as such."
    ]


def test_many_tokens_and_long_names_are_cut_short() -> None:
    special = (*(f"<extra_{i}>" for i in range(9)), "x" * 100)
    evidence = Evidence(DOCUMENTS, {"prediction": {"plain": replace(prediction("plain"), special_tokens=special)}})
    [noted] = describe_special_tokens(evidence, BARE)
    assert "<extra_4> in 1 and 5 more" in noted
    assert "x" * 50 not in noted


def test_the_note_stands_first_in_the_language_of_the_report() -> None:
    context = replace(BARE, presentation=Presentation(language="zh"), notes=("…",))
    notes = summarise(PREDICTED, context).notes
    assert "特殊词元" in notes[0]
    assert "[MASK]" in notes[0]
