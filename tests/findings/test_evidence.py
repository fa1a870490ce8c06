"""Evidence is one mapping: probe → document → row, whatever the rows are."""

from worked_example import TEXT, evidence, explanation, prediction, with_rows

from auditor.findings import Evidence
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Failure, NotMeasurable, Prediction

DOCUMENTS = tuple(Document(f"d0{i}", TEXT) for i in (2, 0, 1))


def test_records_come_in_the_order_of_the_corpus_not_of_the_rows():
    found = Evidence(DOCUMENTS, {"prediction": {f"d0{i}": prediction(i) for i in range(3)}})
    assert list(found.measured("prediction", Prediction)) == ["d02", "d00", "d01"]


def test_only_records_of_documents_of_the_corpus_are_measured():
    rows = {
        "d00": Failure("d00", "blank", "nothing"),
        "d01": NotMeasurable("d01", "no-segments", "nothing"),
        "d02": explanation(2),
        "d07": explanation(7),
    }
    found = Evidence(DOCUMENTS, {"lime": rows})
    assert found.measured("lime", Explanation) == {"d02": explanation(2)}
    assert found.measured("lime", Prediction) == {}, "rows of another class are no records of this one"
    assert found.of("lime") == rows


def test_the_record_of_one_document_is_of_the_class_asked_for_or_none():
    found = Evidence(DOCUMENTS, {"lime": {"d00": Failure("d00", "blank", "nothing"), "d02": explanation(2)}})
    assert found.record_of("lime", "d02", Explanation) == explanation(2)
    assert found.record_of("lime", "d02", Prediction) is None
    assert [found.record_of("lime", i, Explanation) for i in ("d00", "d01")] == [None, None]
    assert found.record_of("nobody", "d02", Explanation) is None


def test_a_probe_that_did_not_run_has_no_rows():
    assert (evidence().of("nobody"), evidence().measured("nobody", Prediction)) == ({}, {})


def test_two_probes_of_one_class_of_records_keep_their_rows_apart():
    found = Evidence(DOCUMENTS, {"lime": {"d00": explanation(0)}, "twin": {"d00": explanation(0, fidelity=0.4)}})
    lime, twin = (found.measured(probe, Explanation)["d00"] for probe in ("lime", "twin"))
    assert (lime.targets[0].surrogate.fidelity, twin.targets[0].surrogate.fidelity) == (0.9, 0.4)


def test_a_restriction_has_its_documents_in_the_order_of_the_corpus_and_their_rows_only():
    whole = with_rows(evidence(), length={d.id: {"document_id": d.id, "characters": 1} for d in evidence().documents})
    part = whole.restricted(frozenset({"d29", "d03", "d11", "nobody"}))
    assert [document.id for document in part.documents] == ["d03", "d11", "d29"]
    assert set(part.rows) == set(whole.rows)
    for probe, rows in part.rows.items():
        assert rows == {i: whole.of(probe)[i] for i in ("d03", "d11", "d29")}
    assert isinstance(part.of("lime")["d29"], Failure)
    assert list(part.measured("lime", Explanation)) == ["d03", "d11"]


def test_a_restriction_to_nothing_is_empty_and_leaves_the_whole_as_it_was():
    whole = evidence()
    nothing = whole.restricted(frozenset())
    assert (nothing.documents, [*map(dict, nothing.rows.values())]) == ((), [{}] * 4)
    assert whole == evidence()
