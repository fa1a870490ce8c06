"""What is written in the column of labels becomes labels of the model; a number is never one without evidence."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import corpus
from auditor.corpus.labels import Reading
from auditor.corpus.vocabulary import Vocabulary
from auditor.errors import ConfigError

SENTIMENT = Vocabulary(("negative", "positive"))
THREE = Vocabulary(("negative", "neutral", "positive"))
SEVERAL = Vocabulary(("negative", "neutral", "positive"), several=True)
TWO_OF_SEVERAL = Vocabulary(("fun", "sad"), several=True)
STARS = Vocabulary(("1", "2", "3", "4", "5"))
UNNAMED = Vocabulary(("LABEL_0", "LABEL_1"))


def load(folder: Path, values: list[Any], vocabulary: Vocabulary | None, **options: Any) -> corpus.Corpus:
    path = folder / "rows.jsonl"
    rows = ({"text": "a", "label": value} for value in values)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return corpus.load(path, vocabulary=vocabulary, **options)


def read(
    folder: Path, values: list[Any], vocabulary: Vocabulary | None, **options: Any
) -> list[tuple[str, ...] | None]:
    """The reference of every document; None where it has none."""
    documents = load(folder, values, vocabulary, **options).documents
    return [None if document.unlabelled else document.labels for document in documents]


def one_each(*labels: str) -> list[tuple[str, ...]]:
    return [(label,) for label in labels]


def refusal(folder: Path, values: list[Any], vocabulary: Vocabulary, **options: Any) -> tuple[str, dict[str, Any]]:
    """The one line of the refusal, and the table under it as TOML reads it."""
    with pytest.raises(ConfigError) as caught:
        load(folder, values, vocabulary, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 2
    notes = getattr(caught.value, "__notes__", [])
    assert len(notes) <= 1
    table = tomllib.loads(notes[0]) if notes else {}
    return message.removeprefix(f'{folder / "rows.jsonl"}, column "label": '), table.get("corpus", {}).get("labels", {})


def csv(folder: Path, *cells: str) -> Path:
    path = folder / "rows.csv"
    path.write_text("text,label\n" + "".join(f"a,{cell}\n" for cell in cells), encoding="utf-8")
    return path


# Names


def test_names_are_taken_as_they_are(tmp_path: Path) -> None:
    loaded = load(tmp_path, ["positive", "negative"], SENTIMENT)
    assert [document.labels for document in loaded.documents] == one_each("positive", "negative")
    assert loaded.reading == Reading()
    assert loaded.label_values == ("negative", "positive")


def test_label_i_another_case_and_blanks_are_the_same_label_and_are_counted(tmp_path: Path) -> None:
    path = csv(tmp_path, "LABEL_1", " negative", "Positive", "LABEL_0", "POSITIVE", "Negative ", "positive", "negative")
    loaded = corpus.load(path, vocabulary=SENTIMENT)
    expected = ["positive", "negative", "positive", "negative", "positive", "negative", "positive", "negative"]
    assert [document.labels for document in loaded.documents] == one_each(*expected)
    assert loaded.reading.n_respelt == 6
    assert loaded.reading.respelt["LABEL_1"] == "positive"
    assert "positive" not in loaded.reading.respelt


def test_case_tells_labels_apart_where_the_model_has_both(tmp_path: Path) -> None:
    both = Vocabulary(("US", "us", "them"))
    assert read(tmp_path, ["US", " us", "THEM"], both) == one_each("US", "us", "them")
    message, table = refusal(tmp_path, ["Us"], both)
    assert message.startswith('the model does not know "Us"')
    assert set(table) == {"Us"}


def test_composed_and_decomposed_letters_are_the_same_label(tmp_path: Path) -> None:
    assert read(tmp_path, ["ge\u0301nial"], Vocabulary(("g\u00e9nial", "nul"))) == one_each("g\u00e9nial")


def test_label_i_is_the_id_i_unless_the_model_calls_another_label_so(tmp_path: Path) -> None:
    assert read(tmp_path, ["label_0"], UNNAMED) == one_each("LABEL_0")
    swapped = Vocabulary(("LABEL_1", "LABEL_0"))
    assert read(tmp_path, ["LABEL_1", "LABEL_0"], swapped) == one_each("LABEL_1", "LABEL_0"), "names win"
    from_one = Vocabulary(("LABEL_1", "LABEL_2"))
    assert refusal(tmp_path, ["LABEL_0", "LABEL_1"], from_one)[1] == {"LABEL_0": ""}
    assert refusal(tmp_path, ["LABEL_2"], SENTIMENT)[1] == {"LABEL_2": ""}


@pytest.mark.parametrize("values", [["yes", "no"], [True, False], ["true", "false"], ["+1", "-1"], ["01", "00"]])
def test_what_might_mean_a_label_is_not_guessed(tmp_path: Path, values: list[object]) -> None:
    message, table = refusal(tmp_path, values, SENTIMENT)
    assert message.startswith("the model does not know ")
    assert table == {str(value): "" for value in values}


def test_truth_values_are_labels_where_the_model_names_them_so(tmp_path: Path) -> None:
    assert read(tmp_path, [True, False, "TRUE"], Vocabulary(("false", "true"))) == one_each("true", "false", "true")


def test_candidates_are_matched_by_name_alone(tmp_path: Path) -> None:
    candidates = Vocabulary(("good", "bad"), has_ids=False)
    assert read(tmp_path, [" Good", "bad"], candidates) == one_each("good", "bad")
    message, table = refusal(tmp_path, [0, 1], candidates)
    assert "candidates have no ids" in message
    assert table == {"0": "", "1": ""}
    assert refusal(tmp_path, ["LABEL_0"], candidates)[1] == {"LABEL_0": ""}


# Numbers


@pytest.mark.parametrize("values", [[0, 1], ["0", "1"], [0.0, 1.0], ["0.0", "1.0"], ["0", "1."], [[0], [1]]])
def test_whole_numbers_from_0_are_the_models_ids(tmp_path: Path, values: list[object]) -> None:
    loaded = load(tmp_path, values, SENTIMENT)
    assert [document.labels for document in loaded.documents] == one_each("negative", "positive")
    assert list(loaded.reading.ids.values()) == ["negative", "positive"]
    assert loaded.reading.n_respelt == 0


def test_numbers_with_a_point_in_a_table_are_those_of_a_file_with_numbers(tmp_path: Path) -> None:
    loaded = corpus.load(csv(tmp_path, "1.0", "0.0", "1.0"), vocabulary=SENTIMENT)
    assert [document.labels for document in loaded.documents] == one_each("positive", "negative", "positive")
    assert loaded.reading.ids == {"0.0": "negative", "1.0": "positive"}


@pytest.mark.parametrize(
    ("values", "vocabulary", "why"),
    [
        ([0, 4], SENTIMENT, "the model's label ids are 0 to 1"),
        ([-1, 1], SENTIMENT, "the model's label ids are 0 to 1"),
        ([1, 2], SENTIMENT, "the model's label ids are 0 to 1"),
        ([1, 2], THREE, "0 never occurs, so the corpus may count from 1"),
        ([1, 1], SENTIMENT, "0 never occurs, so the corpus may count from 1"),
        ([0, 0], SENTIMENT, "it is always the same number"),
        ([0, 1, "negative"], SENTIMENT, "other labels are names"),
        ([0, 1, 4], STARS, "some are names of the model's labels and others are not"),
        ([0, 1], Vocabulary(("spam",), several=True), "the model has one label"),
        ([[0, 0], [1]], SEVERAL, "a list repeats one"),
    ],
)
def test_numbers_without_evidence_are_refused(
    tmp_path: Path, values: list[object], vocabulary: Vocabulary, why: str
) -> None:
    message, table = refusal(tmp_path, values, vocabulary)
    assert why in message
    assert message.startswith("the number" if len(set(map(str, values))) > 1 else f'the number "{values[0]}" is not')
    assert all(table[key] == "" for key in table)
    assert all(str(value) in table for value in values if isinstance(value, int))


def test_names_that_are_numbers_win_over_ids_and_the_reader_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path, [1, 2, 3, 4], STARS)
    assert [document.labels for document in loaded.documents] == one_each("1", "2", "3", "4")
    assert loaded.reading.names == {"1": "1", "2": "2", "3": "3", "4": "4"}
    assert loaded.reading.ids == {}
    swapped = Vocabulary(("1", "0"))
    assert read(tmp_path, [0, 1.0], swapped) == one_each("0", "1")
    assert load(tmp_path, [0, 1], Vocabulary(("0", "1"))).reading == Reading(), "both readings are the same"
    assert read(tmp_path, ["1.0", "2.0"], STARS) == one_each("1", "2")


def test_stars_are_proposed_for_their_numbers_and_never_taken(tmp_path: Path) -> None:
    stars = Vocabulary(("1 star", "2 stars", "3 stars"))
    assert refusal(tmp_path, [1, 2, 3], stars)[1] == {"1": "1 star", "2": "2 stars", "3": "3 stars"}


def test_the_evidence_is_the_whole_file_and_not_a_sample_of_it(tmp_path: Path) -> None:
    values = [*[0, 1] * 50, 7]
    assert '"7"' in refusal(tmp_path, values, SENTIMENT, limit=10)[0]
    assert load(tmp_path, [0, 1, 1, 1, 1, 1, 1, 1, 1], SENTIMENT, limit=1).documents[0].labels == ("positive",)


# Lists


def test_lists_of_0_and_1_with_an_entry_for_each_label_are_vectors(tmp_path: Path) -> None:
    vectors = [[0, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]]
    expected = [("positive",), ("neutral", "positive"), ("negative",), (), ("negative", "neutral", "positive")]
    assert read(tmp_path, vectors, SEVERAL) == expected
    assert load(tmp_path, vectors, SEVERAL).reading.vectors == SEVERAL.labels
    assert read(tmp_path, [[bool(v) for v in vector] for vector in vectors], SEVERAL) == expected
    assert read(tmp_path, [[float(v) for v in vector] for vector in vectors], SEVERAL) == expected
    assert read(tmp_path, [json.dumps(vector) for vector in vectors], SEVERAL) == expected, "as tables write lists"
    assert read(tmp_path, ["0;0;1", "0;1;1"], SEVERAL, label_separator=";") == expected[:2]


def test_a_vector_with_a_gap_and_a_missing_one_leave_the_document_without_reference(tmp_path: Path) -> None:
    assert read(tmp_path, [[0, 0, 1], [0, None, 1], None], SEVERAL) == [("positive",), None, None]


def test_two_numbers_may_be_ids_or_a_vector_unless_the_corpus_decides(tmp_path: Path) -> None:
    message, table = refusal(tmp_path, [[0, 1], [1, 0]], TWO_OF_SEVERAL)
    assert "may be label ids, or vectors" in message
    assert table == {}, "neither is proposed"
    assert read(tmp_path, [[0, 1], [1, 1]], TWO_OF_SEVERAL) == [("sad",), ("fun", "sad")]
    assert read(tmp_path, [[0, 1], [0]], TWO_OF_SEVERAL) == [("fun", "sad"), ("fun",)], "lengths differ: ids"
    assert read(tmp_path, [[False, True]], TWO_OF_SEVERAL) == [("sad",)], "no ids"
    assert read(tmp_path, [[0, 1], [1, 0]], SENTIMENT) == one_each("positive", "negative"), "one label: no two ids"


@pytest.mark.parametrize(
    ("heading", "expected"), [("vectors", [("sad",), ("fun",)]), ("label ids", [("fun", "sad"), ("sad", "fun")])]
)
def test_either_half_of_the_table_for_two_numbers_settles_it(
    tmp_path: Path, heading: str, expected: list[tuple[str, ...]]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, [[0, 1], [1, 0]], TWO_OF_SEVERAL)
    (note,) = caught.value.__notes__
    half = note.split(f"# if they are {heading}:\n")[1].split("# if")[0]
    table = tomllib.loads(half.replace("# ", ""))
    settled = TWO_OF_SEVERAL.with_table({key: [value] for key, value in table.items()})
    assert read(tmp_path, [[0, 1], [1, 0]], settled) == expected


def test_one_output_that_says_no_or_yes(tmp_path: Path) -> None:
    spam = Vocabulary(("spam",), several=True)
    assert read(tmp_path, [[0], [1]], spam) == [(), ("spam",)]
    assert "may be label ids, or vectors" in refusal(tmp_path, [[0]], spam)[0]
    assert read(tmp_path, [0, 1], spam.with_table({"0": (), "1": ("spam",)})) == [(), ("spam",)]


def test_vectors_of_another_length_and_shares_are_refused(tmp_path: Path) -> None:
    message, table = refusal(tmp_path, [[0, 1, 0, 0], [0, 0, 0, 1]], SEVERAL)
    assert message.startswith('"[0, 1, 0, 0]" looks like a vector of 4 labels, but the model has 3')
    assert table == {"0": "", "1": ""}
    assert set(refusal(tmp_path, [[0.2, 0.8]], TWO_OF_SEVERAL)[1]) == {"0.2", "0.8"}


def test_lists_of_ids_and_of_names(tmp_path: Path) -> None:
    assert read(tmp_path, [[0, 2], [1], []], SEVERAL) == [("negative", "positive"), ("neutral",), ()]
    assert read(tmp_path, [["neutral", None, "Positive"], "negative"], SEVERAL) == [
        ("neutral", "positive"),
        ("negative",),
    ]


def test_several_labels_in_a_cell_need_their_separator(tmp_path: Path) -> None:
    cells = ["positive;neutral", "negative", "positive", "negative ; neutral"]
    message, table = refusal(tmp_path, cells, SEVERAL)
    assert message == (
        '"positive;neutral" holds several labels; set label_separator = ";" in [corpus], or give --label-separator ";"'
    )
    assert table == {}
    expected = [("positive", "neutral"), ("negative",), ("positive",), ("negative", "neutral")]
    assert read(tmp_path, cells, SEVERAL, label_separator=";") == expected
    assert refusal(tmp_path, ["0|2", "1"], SEVERAL)[0].endswith('--label-separator "|"')
    assert read(tmp_path, ["0|2", "1"], SEVERAL, label_separator="|") == [("negative", "positive"), ("neutral",)]


def test_several_labels_are_refused_in_one_line_where_the_model_gives_one(tmp_path: Path) -> None:
    advice = "set multi_label = true in [model] if it gives several"
    assert refusal(tmp_path, ["positive;neutral"], THREE) == (
        f'"positive;neutral" holds several labels, but the model gives one; {advice}',
        {},
    )
    for value in (["positive", "neutral"], [0, 1, 1]):
        message, table = refusal(tmp_path, [value], THREE)
        assert message.endswith(f"holds 2 labels, but the model gives one; {advice}")
        assert table == {}


def test_a_name_that_holds_the_separator_is_one_label(tmp_path: Path) -> None:
    crimes = Vocabulary(("theft, burglary", "fraud"), several=True)
    assert read(tmp_path, ["theft, burglary", "fraud,theft, burglary"][:1], crimes, label_separator=",") == [
        ("theft, burglary",)
    ]


def test_a_list_that_is_no_json_is_not_taken_apart(tmp_path: Path) -> None:
    message, _ = refusal(tmp_path, ["['neutral', 'positive']"], SEVERAL)
    assert "looks like a list written as text; save the corpus as .jsonl or .parquet" in message


# Nothing


def test_nothing_is_no_reference_and_an_empty_list_is_one_where_there_may_be_several(tmp_path: Path) -> None:
    values = ["positive", None, "", "  ", float("nan"), []]
    assert read(tmp_path, values, SEVERAL) == [("positive",), None, None, None, None, ()]
    assert read(tmp_path, values, SENTIMENT) == [("positive",), None, None, None, None, None]
    several = SEVERAL.with_table({"": ()})
    assert read(tmp_path, ["positive", "", []], several) == [("positive",), (), ()], "unless the table says so"


@pytest.mark.parametrize("word", ["nan", "NULL", "None", "N/A", "<NA>"])
def test_words_for_nothing_are_proposed_as_no_label_and_not_guessed(tmp_path: Path, word: str) -> None:
    _, table = refusal(tmp_path, [word, "positive"], SENTIMENT)
    assert table == {word: []}
    assert read(tmp_path, [word, "positive"], SENTIMENT.with_table(table)) == [None, ("positive",)]
    assert read(tmp_path, [word], Vocabulary((word, "some"))) == one_each(word), "unless the model names a label so"


# The table


def test_the_table_maps_whatever_is_written(tmp_path: Path) -> None:
    written = {
        "+1": "positive",
        "-1": "negative",
        "True": "positive",
        "4": "positive",
        "gut ": "positive",
        "1.0": "negative",
    }
    table = SENTIMENT.with_table({key: [label] for key, label in written.items()})
    values = ["+1", -1, True, 4.0, "gut", "GUT", 1, "1.0", "positive"]
    expected = [
        "positive",
        "negative",
        "positive",
        "positive",
        "positive",
        "positive",
        "negative",
        "negative",
        "positive",
    ]
    assert read(tmp_path, values, table) == one_each(*expected)


def test_keys_that_never_occur_are_remembered(tmp_path: Path) -> None:
    table = SENTIMENT.with_table({"+1": ["positive"], "-1": ["negative"], "0": []})
    reading = load(tmp_path, ["+1", "-1"], table).reading
    assert reading.unused == ("0",)
    assert reading.mapped == {"+1": ("positive",), "-1": ("negative",)}


def test_a_table_for_some_numbers_leaves_the_others_ids_only_where_it_agrees(tmp_path: Path) -> None:
    unlabelled = SENTIMENT.with_table({"-1": []})
    assert read(tmp_path, [-1, 0, 1], unlabelled) == [None, ("negative",), ("positive",)]
    agrees = THREE.with_table({"2": ["positive"]})
    assert read(tmp_path, [0, 1, 2], agrees) == one_each("negative", "neutral", "positive")
    message, table = refusal(tmp_path, [0, 1, 2], THREE.with_table({"2": ["negative"]}))
    assert "[corpus.labels] gives one of them another meaning" in message
    assert set(table) == {"0", "1"}


def test_a_table_may_name_several_labels_where_the_model_gives_several(tmp_path: Path) -> None:
    table = SEVERAL.with_table({"mixed": ["negative", "POSITIVE"], "none": []})
    assert read(tmp_path, ["mixed", "none"], table) == [("negative", "positive"), ()]
    assert list(THREE.faults({"mixed": ["negative", "positive"]})) == [
        'corpus.labels."mixed": expected one label, for the model gives one; found 2'
    ]


def test_a_table_with_labels_that_the_model_does_not_have_is_at_fault() -> None:
    faults = list(SENTIMENT.faults({"+1": ["postive"], "-1": [""], "0": ["LABEL_0"]}))
    assert faults == [
        'corpus.labels."+1": expected a label of the model, found "postive"; did you mean "positive"?',
        'corpus.labels."-1": expected a label of the model, found ""; it knows "negative", "positive"',
    ]


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(str.strip)


@given(st.lists(NAMES, min_size=3, max_size=3, unique=True), st.permutations(SEVERAL.labels))
def test_any_bijection_gives_the_documents_that_the_names_give(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], labels: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    table = THREE.with_table({value: [label] for value, label in zip(written, labels, strict=True)})
    assert load(folder, written * 2, table).documents == load(folder, list(labels) * 2, THREE).documents


LETTERLESS = st.text(st.characters(exclude_categories=("Cs", "Lu", "Ll", "Lm")), min_size=1, max_size=12)
"""Like no label: a value that is nearly one is printed beside it."""


@given(st.lists(LETTERLESS, min_size=1, max_size=5, unique=True))
def test_a_table_that_was_printed_works_once_it_is_completed(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    values = [f"#{value}" for value in values]  # no name, no number, no list
    _, table = refusal(folder, [*values, "positive"], SENTIMENT)
    assert set(table.values()) == {""}
    completed = SENTIMENT.with_table({key: ["negative"] for key in table})
    assert read(folder, [*values, "positive"], completed) == [*one_each("negative") * len(values), ("positive",)]


def test_hostile_values_are_escaped_and_a_column_that_holds_no_labels_gets_no_table(tmp_path: Path) -> None:
    value = "\x1b[31m\u202e\n\"]\\x = 'é😀"
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, [value, "y" * 500], SENTIMENT)
    (note,) = caught.value.__notes__
    assert all(line.isprintable() for line in note.splitlines())
    assert len(note) < 400, "what is too long to be a label is left out"
    assert len(str(caught.value)) < 600
    table = tomllib.loads(note)["corpus"]["labels"]
    assert read(tmp_path, [value], SENTIMENT.with_table({key: ["positive"] for key in table})) == one_each("positive")
    message, table = refusal(tmp_path, [f"text {number}" for number in range(1000)], SENTIMENT)
    assert message.startswith("holds 1,000 different values that are no labels of the model")
    assert table == {}


# Who is to blame


def test_a_model_that_does_not_name_its_labels_is_to_blame(tmp_path: Path) -> None:
    message, table = refusal(tmp_path, ["negative", "positive"], UNNAMED)
    assert message.startswith('the model does not name its labels (it knows "LABEL_0", "LABEL_1"), so nobody')
    assert table == {"negative": "", "positive": ""}
    named = UNNAMED.with_table({"negative": ["LABEL_0"], "positive": ["label_1"]})
    assert read(tmp_path, ["negative", "positive"], named) == one_each("LABEL_0", "LABEL_1")
    assert load(tmp_path, [0, 1], UNNAMED).reading.ids == {"0": "LABEL_0", "1": "LABEL_1"}


def test_a_model_with_two_labels_of_one_name_is_to_blame(tmp_path: Path) -> None:
    twice = Vocabulary(("bad", "good (id 1)", "good (id 2)"))
    message, table = refusal(tmp_path, ["good", "bad"], twice)
    assert message.startswith('the model calls several of its labels "good"')
    assert table == {"good": ""}
    assert read(tmp_path, [0, 1, 2], twice) == one_each(*twice.labels)


def test_without_a_vocabulary_labels_stay_as_they_are_written(tmp_path: Path) -> None:
    assert read(tmp_path, ["a;b", ["c"], 1.0, None], None, label_separator=";") == [("a", "b"), ("c",), ("1",), None]
