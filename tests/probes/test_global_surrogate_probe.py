"""The words that the global surrogate is fitted to."""

from auditor.probes.contract import Sitting
from auditor.probes.global_surrogate import GlobalSurrogateProbe
from auditor.records.explanations import BagOfWords
from auditor.records.schema import from_bytes, to_bytes
from auditor.records.types import Document, Failure, NotMeasurable, Prediction
from tests.probes.stubs import Oracle


def never(text: str) -> list[float]:
    raise AssertionError(f"the model was asked about {text!r}")


def answered(name: str, labels: tuple[str, ...] = ("no", "yes")) -> Prediction:
    return Prediction(name, labels, (0.0,) * len(labels), (0.5,) * len(labels), labels[:1], 0.6, 4, False)


def rows(*documents: Document, answers: dict[str, object] | None = None, **parameters: object) -> list:
    known = {document.id: answered(document.id) for document in documents} if answers is None else answers
    probe = GlobalSurrogateProbe(**parameters)
    return list(probe.measure(Oracle(("no", "yes"), never), documents, Sitting(0, {"prediction": known})))


def test_a_document_has_each_of_its_words_once_without_case_and_the_model_is_not_asked() -> None:
    (row,) = rows(Document("d", "Not bad, NOT bad at all", pair="Bad ending"))
    assert row == BagOfWords("d", "words", ("not", "bad", "at", "all", "ending"))


def test_chinese_is_cut_into_words() -> None:
    (row,) = rows(Document("d", "房间很干净，房间很大"))
    assert row.words == ("房间", "很", "干净", "很大")


def test_documents_without_answers_labels_or_words_are_not_measurable() -> None:
    documents = [Document(name, text) for name, text in (("a", "one"), ("b", "two"), ("c", "..."), ("d", " "))]
    answers = {"b": answered("b", ()), "c": answered("c"), "d": answered("d")}
    unanswered, free, wordless, blank = rows(*documents, answers=answers)
    assert [row.kind for row in (unanswered, free, wordless)] == ["no-answer", "no-labels", "no-segments"]
    assert {type(row) for row in (unanswered, free, wordless)} == {NotMeasurable}
    assert (type(blank), blank.kind) == (Failure, "blank")


def test_the_words_are_kept_as_they_are() -> None:
    row = BagOfWords("d", "words", ("not", "不", "it's"))
    assert list(from_bytes(BagOfWords, to_bytes(BagOfWords, [row]))) == [row]
