"""Which column is what: text, pair, labels, ids, metadata; and cleaning."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import corpus
from auditor.corpus.cleaning import clean
from auditor.errors import CorpusError


def load(folder: Path, rows: list[dict[str, Any]], **options: Any) -> corpus.Corpus:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return corpus.load(path, **options)


def fault(folder: Path, rows: list[dict[str, Any]], **options: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        load(folder, rows, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(str(folder / "rows.jsonl"))


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\n")
    assert corpus.load(path).sha256 == hashlib.sha256(b"a\r\n").hexdigest()


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("good", ("good",)),
        (1, ("1",)),
        (1.0, ("1",)),
        (True, ("True",)),
        (["a", "b", "a"], ("a", "b")),
        ([0, 2], ("0", "2")),
        ([], ()),
        ("", ()),
        (None, ()),
        (float("nan"), ()),
    ],
)
def test_labels_are_strings_numbers_booleans_or_lists(tmp_path: Path, value: object, labels: tuple[str, ...]) -> None:
    assert load(tmp_path, [{"text": "a", "label": value}]).documents[0].labels == labels


def test_labels_and_ids_are_optional_until_they_are_named(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "x", "id": 7}, {"text": "b"}]
    first, second = load(tmp_path, rows).documents
    assert (first.id, first.labels, second.id, second.labels) == ("7", ("x",), "rows-2", ())
    first, _ = load(tmp_path, rows, label="", id="").documents
    assert (first.id, first.labels) == ("rows-1", ())
    assert load(tmp_path, [{"text": "a"}]).label_values == ()
    (unnamed,) = load(tmp_path, [{"text": "a", "": 5}], label="", id="").documents
    assert (unnamed.id, unnamed.labels) == ("rows-1", ()), "even where a column has no name, as pandas writes its index"


def test_unknown_columns_are_listed_with_the_nearest(tmp_path: Path) -> None:
    advice = "name the right one in corpus"
    assert fault(tmp_path, [{"texts": "a", "label": "x"}]) == (
        f', line 1: no column "text"; did you mean "texts"? found: "texts", "label"; {advice}.text'
    )
    rows = [{"text": "a", "lable": "x"}]
    assert fault(tmp_path, rows, label="label") == (
        f': no column "label"; did you mean "lable"? found: "text", "lable"; {advice}.label'
    )
    assert fault(tmp_path, rows, id="nr") == f': no column "nr"; found: "text", "lable"; {advice}.id'
    assert fault(tmp_path, rows, pair="hypothesis").startswith(', line 1: no column "hypothesis"; found:')
    assert fault(tmp_path, rows, metadata=["lable", "lang"]).startswith(': no column "lang"; found:')


def test_many_columns_are_counted_not_listed(tmp_path: Path) -> None:
    assert "and 10 more" in fault(tmp_path, [{f"column{number}": "a" for number in range(30)}])


def test_a_named_label_column_must_hold_a_label(tmp_path: Path) -> None:
    rows = [{"text": "a", "gold": None}, {"text": "b", "gold": ""}]
    assert 'no document has a label in column "gold"' in fault(tmp_path, rows, label="gold")


@pytest.mark.parametrize(
    ("row", "options", "expected"),
    [
        ({"text": None}, {}, ', line 2: expected a string in column "text", found null'),
        ({"text": 3}, {}, ', line 2: expected a string in column "text", found a number'),
        ({"text": ["a"]}, {}, ', line 2: expected a string in column "text", found a list'),
        ({"label": "x"}, {}, ', line 2: no column "text"'),
        (
            {"text": "b", "second": False},
            {"pair": "second"},
            ', line 2: expected a string in column "second", found a b',
        ),
        (
            {"text": "b", "label": {"a": 1}},
            {},
            ", line 2: expected a label (a string, a number, a boolean or a list), found an object",
        ),
        (
            {"text": "b", "label": [["a"]]},
            {},
            ", line 2: expected a label (a string, a number, a boolean or a list), found a list",
        ),
        ({"text": "b", "id": [1]}, {}, ", line 2: expected a string as id, found a list"),
        ({"text": "b", "id": 0.5}, {}, ", line 2: expected a string as id, found a number"),
        ({"text": "b", "nr": ""}, {"id": "nr"}, ', line 2: no id in column "nr"'),
        (
            {"text": "b", "tag": ["a"]},
            {"metadata": ["tag"]},
            ', line 2: expected one value in column "tag", found a list',
        ),
    ],
)
def test_a_wrong_value_is_a_fault_that_names_the_line(
    tmp_path: Path, row: dict[str, Any], options: dict[str, Any], expected: str
) -> None:
    message = fault(tmp_path, [{"text": "a", "second": "c", "nr": 1, "tag": "b"}, row], **options)
    assert message.startswith(expected), message


def test_duplicate_ids_name_both_lines(tmp_path: Path) -> None:
    rows = [{"text": "a", "id": "../x"}, {"text": "b", "id": 1}, {"text": "c", "id": "../x"}]
    assert fault(tmp_path, rows).startswith(', line 3: the id "../x" already stands on line 1; ids must be unique')
    assert "already stands on line 2" in fault(tmp_path, [*rows[:2], {"text": "c", "id": "1"}])


def test_hostile_values_stay_on_one_short_line_of_a_message(tmp_path: Path) -> None:
    name = "\ud800\x1b[31m\n" + "x" * 500
    message = fault(tmp_path, [{name: "a"}])
    assert len(message) < 200
    message.encode("utf-8")
    assert "\x1b" not in message


def test_metadata_are_the_scalar_columns_with_two_to_twelve_values(tmp_path: Path) -> None:
    rows = [
        {
            "text": str(number),
            "label": "x",
            "constant": "always",
            "twelve": number % 12,
            "thirteen": number % 13,
            "flag": number % 2 == 0,
            "list": [1],
            "empty": None,
        }
        for number in range(26)
    ]
    rows[3]["rare"] = "seldom"
    document, rare = (load(tmp_path, rows).documents[number] for number in (0, 3))
    assert document.metadata == {"twelve": "0", "flag": "True"}
    assert "rare" not in rare.metadata, "one value and gaps: nothing to compare"
    assert load(tmp_path, rows, metadata=["rare", "thirteen"]).documents[3].metadata == {
        "rare": "seldom",
        "thirteen": "3",
    }
    assert load(tmp_path, rows, metadata=["rare"]).documents[4].metadata == {"rare": "(missing)"}
    assert load(tmp_path, rows, metadata=[]).documents[0].metadata == {}


def test_a_gap_is_a_value_to_slice_by(tmp_path: Path) -> None:
    rows = [{"text": "a", "source": "web"}, {"text": "b", "source": ""}, {"text": "c", "source": "book"}, {"text": "d"}]
    values = [document.metadata["source"] for document in load(tmp_path, rows).documents]
    assert values == ["web", "(missing)", "book", "(missing)"]


def test_pairs_are_read_and_are_no_metadata(tmp_path: Path) -> None:
    rows = [{"text": "a", "second": "b\0"}, {"text": "c", "second": "d"}]
    first, second = load(tmp_path, rows, pair="second").documents
    assert (first.pair, second.pair) == ("b\ufffd", "d")
    assert first.n_cleaned == 1
    assert first.metadata == {}


def test_unsafe_characters_are_replaced_one_for_one_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a\\u0000\\u001b\\ud800b\\t\\n\\r\\ud83d\\ude00", "label": "\\udc00", "id": "\\u0001"}')
    (document,) = corpus.load(path).documents
    assert document.text == "a\ufffd\ufffd\ufffdb\t\n\r😀"
    assert document.n_cleaned == 3
    assert (document.id, document.labels) == ("\ufffd", ("\ufffd",))


def test_odd_documents_are_kept_as_they_are(tmp_path: Path) -> None:
    texts = [
        "",
        "   ",
        "word",
        "x" * 1_000_000,
        "\u202eabc",
        "👩‍👩‍👧",
        "a" + "\u0301" * 2000,
        "</script>",
        "{{7*7}}",
        "=cmd()",
        "$",
    ]
    loaded = load(tmp_path, [{"text": text} for text in texts])
    assert [document.text for document in loaded.documents] == texts
    assert all(document.n_cleaned == 0 for document in loaded.documents)


@given(st.text(st.characters()))
def test_cleaning_keeps_the_length_is_idempotent_and_encodable(text: str) -> None:
    cleaned, n_cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert clean(cleaned) == (cleaned, 0)
    cleaned.encode("utf-8")
    assert n_cleaned == sum(a != b for a, b in zip(text, cleaned, strict=True))


def test_a_limit_draws_a_stratified_sample_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [{"text": str(number), "label": "rare" if number % 10 == 0 else "common"} for number in range(100)]
    loaded = load(tmp_path, rows, limit=20, seed=1)
    assert loaded.n_documents == 100
    assert len(loaded.documents) == 20
    assert sum(document.labels == ("rare",) for document in loaded.documents) == 2
    numbers = [int(document.text) for document in loaded.documents]
    assert numbers == sorted(numbers)
    assert load(tmp_path, rows, limit=20, seed=1) == loaded
    assert load(tmp_path, rows, limit=20, seed=2).documents != loaded.documents
