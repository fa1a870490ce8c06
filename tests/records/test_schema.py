"""Records go to Arrow and come back equal."""

import io
import math
from dataclasses import dataclass, fields, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import StoreError
from auditor.records.explanations import Explanation, Neighbourhood, Segment
from auditor.records.schema import arrow_schema, facts_from_bytes, from_bytes, from_table, to_bytes, to_table
from auditor.records.types import (
    AttentionStatistics,
    Document,
    Failure,
    NotMeasurable,
    Perplexity,
    Prediction,
    PseudoPerplexity,
    Span,
)

ALL = [Document, Prediction, Explanation, AttentionStatistics, Perplexity, PseudoPerplexity]
STRANGE = [
    "",
    " ",
    "\x00",
    "\u202eRTL",
    "e" + "\u0301" * 50,
    "\U0001f9d1\u200d\U0001f680",
    "</script>",
    "=cmd()",
    "\ufeff",
]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(STRANGE)
st.register_type_strategy(str, text)
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(bytes, st.binary(max_size=20))


def rows_of(cls):
    return st.lists(st.from_type(cls) | st.from_type(Failure) | st.from_type(NotMeasurable), max_size=4)


def mixed_rows():
    return st.sampled_from(ALL).flatmap(lambda cls: st.tuples(st.just(cls), rows_of(cls)))


@given(mixed_rows(), mixed_rows())
@settings(max_examples=60, deadline=None)
def test_what_shards_share_is_read_back_equal(first, second):
    shared = {}
    for cls, rows in (first, second):
        assert from_bytes(cls, to_bytes(cls, rows), shared, whole=True) == rows


def test_lists_and_maps_that_shards_have_in_common_are_kept_once():
    shared, metadata = {}, {"source": "web"}
    (one,), (other,) = (
        from_bytes(Document, to_bytes(Document, [Document(name, name, None, ("good",), metadata)]), shared)
        for name in "ab"
    )
    assert one.labels is other.labels
    assert one.metadata is other.metadata
    (bare,) = from_bytes(Document, to_bytes(Document, [Document("c", "c")]), shared)
    assert (bare.labels, bare.metadata) == ((), {})


@given(mixed_rows())
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_is_read_back_equal(drawn):
    cls, rows = drawn
    assert from_bytes(cls, to_bytes(cls, rows), whole=True) == rows
    assert from_table(cls, to_table(cls, rows)) == rows


@dataclass(frozen=True)
class Inner:
    number: int | None
    texts: tuple[str, ...] | None


@dataclass(frozen=True)
class Outer:
    key: str
    one: Inner
    perhaps: Inner | None
    many: tuple[Inner | None, ...]
    table: tuple[tuple[float, ...], ...]
    flags: tuple[bool, ...]
    notes: dict[str, str] | None = None


@given(rows_of(Outer))
@settings(max_examples=60, deadline=None)
def test_nesting_and_optional_values_survive(rows):
    assert from_bytes(Outer, to_bytes(Outer, rows)) == rows


def test_a_slice_of_a_table_reads_as_the_same_slice_of_the_rows():
    inner = Inner(1, ("a", "b"))
    rows = [Outer(str(i), inner, None, (inner, None) * i, ((0.5,) * i,), (True,), {"k": str(i)}) for i in range(5)]
    assert from_table(Outer, to_table(Outer, rows).slice(2, 2)) == rows[2:4]


def test_none_and_empty_are_different():
    rows = [
        Outer("a", Inner(None, None), None, (), ((),), (), None),
        Outer("b", Inner(0, ()), Inner(1, ()), (None,), (), (), {}),
    ]
    assert from_bytes(Outer, to_bytes(Outer, rows)) == rows


def test_the_order_of_metadata_is_kept():
    metadata = {"z": "1", "a": "2", "m": "3"}
    [document] = from_bytes(Document, to_bytes(Document, [Document("1", "t", metadata=metadata)]))
    assert list(document.metadata) == ["z", "a", "m"]


def test_extreme_floats_keep_every_bit():
    values = (0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf)
    [row] = from_bytes(Prediction, to_bytes(Prediction, [Prediction("1", (), values, (), (), 0.0, 1, False)]))
    assert [value.hex() for value in row.logits] == [value.hex() for value in values]


def test_a_lone_surrogate_becomes_the_replacement_character():
    failure = Failure("1", "OSError", "no such file: caf\udce9")
    assert from_bytes(Document, to_bytes(Document, [failure])) == [Failure("1", "OSError", "no such file: caf\ufffd")]


def test_a_failure_keeps_the_id_in_the_column_of_the_documents_id():
    table = to_table(Document, [Failure("7", "blank", "nothing to ask")])
    assert table.column("id").to_pylist() == ["7"]
    assert table.column("text").to_pylist() == [None]


def test_equal_rows_give_equal_bytes():
    around = Neighbourhood(2, 2, True, 25.0, masks=b"\x80\x00", answers=bytes(8))
    segments = (Segment("a", (Span(0, 1),)),)
    explained = Explanation("1", "lime", "probability", "words", segments, (), around)
    rows = [explained, Failure("2", "blank", "")]
    assert to_bytes(Explanation, list(rows)) == to_bytes(Explanation, tuple(rows))


@given(rows_of(Explanation))
@settings(max_examples=40, deadline=None)
def test_large_fields_are_none_unless_they_are_asked_for_and_nothing_else_differs(rows):
    bare = [
        replace(
            row,
            neighbourhood=row.neighbourhood
            and replace(row.neighbourhood, masks=None, answers=None, counts=None, units=None),
        )
        if isinstance(row, Explanation)
        else row
        for row in rows
    ]
    assert from_bytes(Explanation, to_bytes(Explanation, rows)) == bare


def test_large_fields_are_not_even_decompressed(monkeypatch):
    around = Neighbourhood(2, 2, True, 25.0, masks=b"\x80\x00" * 1000, answers=bytes(8))
    content = to_bytes(Explanation, [Explanation("1", "lime", "probability", "words", (), (), around)])
    read, seen = pq.ParquetFile.read, []
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *a, **k: seen.append(read(*a, **k)) or seen[-1])
    (row,) = from_bytes(Explanation, content)
    assert {name for table in seen for name in table.column_names} & {"neighbourhood", "segments", "targets"} == set()
    assert row.neighbourhood.n_samples == 2
    small = {one.name for one in seen[-1].schema.field("neighbourhood").type}
    from_bytes(Explanation, content, whole=True)
    whole = {one.name for one in seen[-1].schema.field("neighbourhood").type}
    assert whole - small == {"masks", "answers", "counts", "units"}


def test_a_damaged_column_is_a_store_error_that_names_the_file_when_it_is_asked_for():
    content = to_bytes(Prediction, [Prediction(str(i), ("a",), (i / 7,), (0.5,), (), 0.0, 1, False) for i in range(99)])
    column = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(2)
    assert column.path_in_schema.startswith("logits")
    start = column.dictionary_page_offset or column.data_page_offset
    broken = content[:start] + bytes(column.total_compressed_size) + content[start + column.total_compressed_size :]
    rows = from_bytes(Prediction, broken, source="prediction/00000.parquet")
    assert rows[5].probabilities == (0.5,)
    with pytest.raises(StoreError, match=r"prediction/00000\.parquet: not a readable Parquet file"):
        rows[5].logits  # noqa: B018
    with pytest.raises(StoreError, match="not a readable Parquet file"):
        from_bytes(Prediction, broken, whole=True)


def test_columns_are_the_fields_and_the_states_that_stand_for_a_record():
    states = ["failure_kind", "failure_message", "not_measurable_kind", "not_measurable_message"]
    for cls in ALL:
        assert arrow_schema(cls).names == [f.name for f in fields(cls)] + states


def test_what_is_not_measurable_is_no_failure_and_no_record_for_anybody_who_reads_the_table():
    made = dataclass(type("Odd", (), {"__annotations__": {"key": str, "size": int}}))
    rows = [made("a", 3), Failure("b", "blank", "empty"), NotMeasurable("c", "one-token", "a single token")]
    content = to_bytes(made, rows)
    assert from_bytes(made, content) == rows
    assert facts_from_bytes(content) == [{"key": "a", "size": 3}, *rows[1:]]


def older(cls, rows):
    """The bytes that a version of auditor.records/1 wrote."""
    table = to_table(cls, rows).drop_columns(["not_measurable_kind", "not_measurable_message"])
    metadata = {**table.schema.metadata, b"auditor.format": b"auditor.records/1"}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), sink)
    return sink.getvalue()


def test_tables_of_the_format_before_are_read_as_they_are():
    rows = [Prediction("1", (), (0.5,), (), (), 0.0, 1, False), Failure("2", "blank", "nothing to ask")]
    assert from_bytes(Prediction, older(Prediction, rows)) == rows
    assert facts_from_bytes(older(Prediction, rows))[1] == rows[1]


def test_facts_of_a_format_to_come_are_refused():
    table = to_table(Span, []).replace_schema_metadata({"auditor.format": "auditor.records/3"})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    with pytest.raises(StoreError, match=r"has the format 'auditor.records/3'"):
        facts_from_bytes(sink.getvalue())


def test_spans_are_lists_of_structs_that_other_tools_can_query():
    kind = arrow_schema(Explanation).field("segments").type
    assert str(kind.value_type.field("spans").type.value_type) == "struct<start: int64, stop: int64, field: string>"


def test_the_file_is_zstd_and_says_what_it_holds():
    parquet = pq.ParquetFile(io.BytesIO(to_bytes(Explanation, [])))
    assert parquet.schema_arrow.metadata[b"auditor.record"] == b"Explanation"
    parquet = pq.ParquetFile(io.BytesIO(to_bytes(Failure, [Failure("1", "blank", "")])))
    assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_row_of_another_type_is_refused():
    with pytest.raises(TypeError, match="rows of Prediction cannot hold Document"):
        to_table(Prediction, [Document("1", "t")])


@pytest.mark.parametrize("kind", [list[str], dict[str, int], tuple[str, int], str | int, bytearray, object])
def test_a_field_that_arrow_cannot_keep_is_refused(kind):
    made = dataclass(type("Odd", (), {"__annotations__": {"key": str, "odd": kind}}))
    with pytest.raises(TypeError, match="cannot have a field of type"):
        arrow_schema(made)


def test_another_format_is_named_beside_the_one_understood():
    table = to_table(Document, []).replace_schema_metadata({"auditor.format": "auditor.records/9"})
    with pytest.raises(
        StoreError, match=r"has the format 'auditor.records/9'; this version understands 'auditor.records/1' and 'aud"
    ):
        from_table(Document, table)


def test_another_record_is_refused():
    with pytest.raises(StoreError, match="holds Prediction rows; expected Document"):
        from_bytes(Document, to_bytes(Prediction, []))


def test_wrong_columns_are_named():
    table = to_table(Document, [Document("1", "t")])
    with pytest.raises(StoreError, match="lacks columns of Document: text"):
        from_table(Document, table.drop_columns(["text"]))
    with pytest.raises(StoreError, match="columns that Document does not know: extra"):
        from_table(Document, table.append_column("extra", pa.array([1])))
    with pytest.raises(StoreError, match="column n_cleaned has the type string; expected int64"):
        from_table(Document, table.set_column(5, "n_cleaned", pa.array(["0"])))


def test_a_column_that_did_not_exist_yet_is_read_with_its_default():
    table = to_table(Document, [Document("1", "t", n_cleaned=3)]).drop_columns(["n_cleaned"])
    assert from_table(Document, table) == [Document("1", "t", n_cleaned=0)]


@pytest.mark.parametrize("damage", ["empty", "truncated", "overwritten", "text"])
def test_damaged_bytes_are_a_store_error(damage):
    whole = to_bytes(Document, [Document(str(i), "text " * i) for i in range(50)])
    broken = {
        "empty": b"",
        "truncated": whole[:-9],
        "overwritten": b"PAR1" + bytes(60) + whole[64:],
        "text": b"{}" * 99,
    }
    with pytest.raises(StoreError, match="not a readable Parquet file"):
        from_bytes(Document, broken[damage])
