"""What separates columns is told from the header and the first rows, and said where it cannot be told."""

import csv
import io
from pathlib import Path

import pytest
from corpus_files import REVIEWS, fault, pairs, write
from hypothesis import given
from hypothesis import strategies as st

from auditor import corpus
from auditor.corpus.readers.rows import DELIMITERS
from auditor.errors import ConfigError

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "tab"])
@pytest.mark.parametrize(("name", "character"), DELIMITERS.items())
def test_each_delimiter_is_told_whatever_the_suffix(tmp_path: Path, name: str, character: str, suffix: str) -> None:
    lines = [f"{text}{character}{label}\n" for text, label in [("text", "label"), *REVIEWS]]
    if character == ",":
        lines = [f'"{text}",{label}\n' for text, label in [("text", "label"), *REVIEWS]]
    loaded = corpus.load(write(tmp_path, f"reviews.{suffix}", "".join(lines)))
    assert pairs(loaded) == REVIEWS
    assert loaded.dialect.delimiter == name


def test_a_semicolon_file_may_hold_decimal_commas_lines_and_doubled_marks(tmp_path: Path) -> None:
    content = 'text;score;label\r\n"a; ""b""\r\nc";1,5;good\r\nd, e;2,25;bad\r\n'
    loaded = corpus.load(write(tmp_path, "a.csv", content))
    assert pairs(loaded) == [('a; "b"\r\nc', "good"), ("d, e", "bad")]
    assert [document.metadata["score"] for document in loaded.documents] == ["1,5", "2,25"]
    assert [document.id for document in loaded.documents] == ["a-2", "a-4"]


@pytest.mark.parametrize("delimiter", [None, "none"])
def test_one_column_stays_one_column_whatever_its_texts_hold(tmp_path: Path, delimiter: str | None) -> None:
    texts = ["good, but long", "bad, and short", "dull; very | so", "a\tb"]
    path = write(tmp_path, "a.csv", "\n".join(["text", *texts]))
    loaded = corpus.load(path, delimiter=delimiter)
    assert [document.text for document in loaded.documents] == texts
    assert loaded.dialect.delimiter == "none"
    assert "one column" in str(loaded.dialect)


def test_text_in_quotation_marks_does_not_vote(tmp_path: Path) -> None:
    content = '"text, in full";label\n"a, b, c";good\n"d";bad\n'
    loaded = corpus.load(write(tmp_path, "a.csv", content), text="text, in full")
    assert pairs(loaded) == [("a, b, c", "good"), ("d", "bad")]


def test_of_two_delimiters_in_the_header_the_rows_choose(tmp_path: Path) -> None:
    loaded = corpus.load(write(tmp_path, "a.csv", "review, text|label\na|good\nb, c, d|bad\n"), text="review, text")
    assert pairs(loaded) == [("a", "good"), ("b, c, d", "bad")]


def test_a_header_that_names_one_column_with_a_comma_is_mended_as_the_message_says(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "review, in full\ngood\nbad\nso so, really\nfine\n")
    message = fault(path, text="review, in full")
    assert message.startswith(", line 2: expected 2 fields as in the header, found 1; put a field that holds a comma")
    assert 'in corpus.delimiter what separates columns ("none" if there is only one)' in message
    loaded = corpus.load(path, text="review, in full", delimiter="none")
    assert [document.text for document in loaded.documents] == ["good", "bad", "so so, really", "fine"]


@pytest.mark.parametrize("asked", ["semicolon", ";"])
def test_what_the_user_says_beats_what_is_seen(tmp_path: Path, asked: str) -> None:
    path = write(tmp_path, "a.csv", "text,x;label\na,b;good\n")
    assert pairs(corpus.load(path, text="text,x", delimiter=asked)) == [("a,b", "good")]
    assert corpus.load(path, text="text").dialect.delimiter == "comma"


@pytest.mark.parametrize("asked", ["tab", "\t", "\\t"])
def test_a_tab_can_be_typed(tmp_path: Path, asked: str) -> None:
    path = write(tmp_path, "a.csv", "text\tlabel\na\tgood\n")
    assert pairs(corpus.load(path, delimiter=asked)) == [("a", "good")]


def test_an_unknown_delimiter_and_one_for_a_file_without_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='unknown delimiter "colon"; expected one of comma, semi'):
        corpus.load(write(tmp_path, "a.csv", "text\na\n"), delimiter="colon")
    with pytest.raises(ConfigError, match="is not for jsonl files; leave it out"):
        corpus.load(write(tmp_path, "a.jsonl", '{"text": "a"}'), delimiter="comma")


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_sep_line_is_no_header_and_says_the_delimiter(tmp_path: Path, line: str, end: str) -> None:
    loaded = corpus.load(write(tmp_path, "a.csv", end.join([line, "text;label", "a,b;good", "c;bad", ""])))
    assert pairs(loaded) == [("a,b", "good"), ("c", "bad")]
    assert [document.id for document in loaded.documents] == ["a-3", "a-4"], "the line counts as one"
    assert loaded.dialect.delimiter == "semicolon"


def test_a_sep_line_with_another_delimiter_is_a_fault(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "a.csv", "sep=^\ntext^label\n")).startswith(', line 1: the delimiter "^" is none of')


def test_a_space_behind_every_delimiter_of_the_header_belongs_to_it(tmp_path: Path) -> None:
    loaded = corpus.load(write(tmp_path, "a.csv", 'text, label\n"a, b", good\nc, bad\n'))
    assert pairs(loaded) == [("a, b", "good"), ("c", "bad")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read_and_another_one_in_quotation_marks_is_text(tmp_path: Path, end: str) -> None:
    texts = ["a\nb", "c\rd", "e\r\nf", "g"]
    rows = ["text,label", *(f'"{text}",good' for text in texts), ""]
    loaded = corpus.load(write(tmp_path, "a.csv", end.join(rows)))
    assert [document.text for document in loaded.documents] == texts


def test_mixed_line_ends_are_a_fault(tmp_path: Path) -> None:
    message = fault(write(tmp_path, "a.csv", "text,label\na,good\rb,bad\nc,good\n"))
    assert message.startswith(", line 2: expected 2 fields as in the header, found 3")


def test_a_lone_return_that_pandas_left_unquoted_is_text(tmp_path: Path) -> None:
    assert pairs(corpus.load(write(tmp_path, "a.csv", "text,label\na\rb,good\nc,bad\n"))) == [
        ("a\rb", "good"),
        ("c", "bad"),
    ]


def test_plain_text_of_an_old_mac_has_lines_and_a_lone_return_in_other_files_is_text(tmp_path: Path) -> None:
    assert pairs(corpus.load(write(tmp_path, "a.txt", "one\rtwo\r"))) == [("one",), ("two",)]
    assert pairs(corpus.load(write(tmp_path, "b.txt", "one\rtwo\nthree\n"))) == [("one\rtwo",), ("three",)]
    assert pairs(corpus.load(write(tmp_path, "c.jsonl", '{"text":\r"one"}\n{"text": "two"}\n'))) == [("one",), ("two",)]


def test_columns_without_a_name_and_without_values_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "v1,v2,,,\ngood,a,,,\nbad,b,, ,\n")
    loaded = corpus.load(path, text="v2", label="v1")
    assert pairs(loaded) == [("a", "good"), ("b", "bad")]
    assert loaded.columns == ("v1", "v2")


def test_a_value_in_a_column_without_a_name_is_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "v1,v2,,\ngood,a,,\nbad,b, and more,\n")
    message = fault(path, text="v2", label="v1")
    assert message.startswith(', line 3: " and more" stands in column 3, which has no name in the header; name the')


def test_the_numbering_that_pandas_and_r_write_is_left_out(tmp_path: Path) -> None:
    loaded = corpus.load(write(tmp_path, "a.csv", ",text,label\n0,a,good\n1,b,bad\n"))
    assert (pairs(loaded), loaded.columns) == ([("a", "good"), ("b", "bad")], ("text", "label"))


def test_two_columns_of_one_name_are_refused_on_the_line_of_the_header(tmp_path: Path) -> None:
    assert fault(write(tmp_path, "a.csv", "\n\ntext;label;text\na;1;b\n")) == (
        ', line 3: two columns are called "text"; rename one'
    )


def test_a_ragged_row_is_refused_with_its_line_and_the_delimiter_in_use(tmp_path: Path) -> None:
    message = fault(write(tmp_path, "a.csv", "text;label\na;1\nb;2\nc;d;3\ne;4\n"))
    assert message.startswith(", line 4: expected 2 fields as in the header, found 3; put a field that holds a semi")


def test_tabs_with_whole_fields_in_marks_are_csv_and_with_stray_marks_are_not(tmp_path: Path) -> None:
    quoted = 'text\tlabel\n"a\tb"\tgood\n"c\nd"\tbad\n'
    plain = 'text\tlabel\n"Great" film\tgood\n"\tbad\n5" disc\tbad\n'
    for name in ("a.tsv", "a.csv"):
        assert pairs(corpus.load(write(tmp_path, name, quoted))) == [("a\tb", "good"), ("c\nd", "bad")]
        assert [text for text, _ in pairs(corpus.load(write(tmp_path, name, plain)))] == [
            '"Great" film',
            '"',
            '5" disc',
        ]


def test_a_backslash_escapes_nothing_and_the_message_says_what_does(tmp_path: Path) -> None:
    message = fault(write(tmp_path, "a.csv", 'text,label\n"he said \\"no\\", twice",good\n'))
    assert message.endswith("double every quotation mark inside a quoted field, and close each")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    width = draw(st.integers(1, 4))
    names = [f"column{number}" for number in range(width)]
    rows = draw(st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=6))
    return names, rows


@given(
    table=tables(),
    delimiter=st.sampled_from(list(DELIMITERS.values())),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_any_table_that_pythons_csv_writes_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    table: tuple[list[str], list[list[str]]],
    delimiter: str,
    quoting: int,
    end: str,
    encoding: str,
) -> None:
    from auditor.corpus.readers import Options, open_source

    names, rows = table
    if any(character in field for row in rows for field in row for character in "\r\n"):
        quoting = csv.QUOTE_ALL  # before Python 3.13 csv quotes only what stands in the line end
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([names, *rows])
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(written.getvalue().encode(encoding))
    source = open_source(path, Options())
    assert [list(row.values.values()) for row in source.rows()] == rows
    assert DELIMITERS.get(source.dialect.delimiter, delimiter) == delimiter
    assert not source.dialect.encoding_is_guessed or encoding in ("utf-16-le", "utf-16-be")
