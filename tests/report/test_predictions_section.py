"""What the section on predictions says of the labels."""

import pytest
from invented_classifier import classifier
from invented_findings import number, with_analysis

from auditor.report.contract import Sources
from auditor.report.sections import prediction


def section(*ends):
    """The section where the F1 of the labels have these values and intervals."""
    findings, evidence = classifier()
    classes = tuple(
        scores.model_copy(update={"f1": number("f1", "F1", *end)})
        for scores, end in zip(findings.analyses["prediction"].classes, ends, strict=False)
    )
    return prediction.compose(Sources(with_analysis(findings, "prediction", classes=classes), evidence))


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (
            [(0.9, 0.85, 0.95), (0.6, 0.5, 0.7), (0.8, 0.7, 0.9)],
            " The weakest label is “neutral”, with F1 0.60 (0.50–0.70). ",
        ),
        (
            [(0.83, 0.76, 0.88), (0.829, 0.76, 0.88), (0.85, 0.8, 0.9)],
            " No label has a clearly lower F1 than the others. ",
        ),
        ([(0.9, 0.85, 0.95), (0.6, 0.5, 0.85), (0.8, 0.7, 0.9)], " No label has a clearly lower F1 than the others. "),
        ([(0.9, None, None), (0.6, 0.5, 0.7)], " No label has a clearly lower F1 than the others. "),
        ([(0.9, 0.85, 0.95)], " documents. Stated "),
    ],
)
def test_a_label_is_called_the_weakest_only_where_its_interval_lies_below_that_of_the_best(ends, said):
    assert said in section(*ends).answer


def test_every_score_of_a_label_has_its_interval_in_print():
    table = section((0.86, 0.75, 0.93), (0.74, None, None)).content["classes"]
    assert [cell for cell in table.rows[0] if "\n" in cell] == ["0.88\n0.77–0.95", "0.84\n0.73–0.91", "0.86\n0.75–0.93"]
    assert table.rows[1][7] == "0.740"


def test_labels_of_one_document_are_separated_as_the_language_does():
    assert prediction.labels(("a", "b")) == "a, b"
