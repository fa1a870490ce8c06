"""The table of phrases, and the sentence that stands there where none beats its words."""

from auditor.findings.analyses.phrases import Phrases, phrases
from auditor.report.contract import Table
from auditor.report.sections import phrases as section
from tests.findings.test_phrases import explained


def test_phrases_that_beat_their_words_stand_with_what_each_does_alone():
    found = phrases([explained(i, (0.0, 0.4, -0.3 + i / 1000)) for i in range(4)], "lime")
    table = section.table(found, "probability")
    assert isinstance(table, Table)
    (row,) = table.rows
    assert (*row[:3], *row[4:]) == ("not good", "positive", "4", "−0.2985", "0.00", "0.40", "100%")
    assert table.caption.endswith("1 phrase of two words looked at, found in 3 or more of 4 documents.")


def test_where_none_does_a_sentence_says_how_many_were_looked_at():
    found = phrases([explained(i, (0.1, 0.2, 0.3 + i / 1000)) for i in range(4)], "lime")
    assert section.table(found, "probability") == (
        "1 phrase of two words looked at, found in 3 or more of 4 documents. None does more together than its words do "
        "alone, as far as these documents tell."
    )
    assert section.table((), "probability") == ""
    nothing = Phrases(label="positive", n_documents=2, n_phrases=0, phrases=())
    assert section.table((nothing,), "probability") == ""
