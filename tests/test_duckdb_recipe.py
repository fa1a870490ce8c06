"""The SQL of `auditor help evidence` is run by DuckDB on runs as they lie on the disk."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from auditor.records import store
from auditor.records.explanations import Explanation, Segment, Target
from auditor.records.types import Document, Failure, Prediction, Span
from tests.records.planned import planned

TOPIC = Path(__file__).parents[1] / "auditor" / "terminal" / "topics" / "evidence.md"
SURE, NUMBERS, WORDS = re.findall(r"```sql\n(.*?)```", TOPIC.read_text(encoding="utf-8"), re.DOTALL)
RECORDS = {"prediction": "Prediction", "lime": "Explanation"}
NOON = datetime(2026, 7, 29, 12, tzinfo=UTC)


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of twelve documents in two files each; the first three are answered wrong, the last one failed."""
    monkeypatch.chdir(tmp_path)
    for day in range(2):
        run = store.find_or_create(Path("reports"), planned(2, RECORDS), fresh=True, now=NOON + timedelta(days=day))
        for shard in range(2):
            names = [f"d{i:02}" for i in range(6 * shard, 6 * shard + 6)]
            run.write_shard("documents", Document, shard, [Document(n, f"Good {n}", labels=("yes",)) for n in names])
            run.write_shard("prediction", Prediction, shard, list(map(_predicted, names)))
            run.write_shard("lime", Explanation, shard, list(map(_explained, names)))
        run.finish({"verdict": "pass", "numbers": {"accuracy": {"value": 0.75 + day / 10}}})


def _predicted(name: str) -> Prediction | Failure:
    if name == "d11":
        return Failure(name, "blank", "nothing")
    i = int(name[1:])
    p = (0.9 - i / 100, 0.1 + i / 100) if i < 3 else (0.1, 0.9)
    return Prediction(name, ("no", "yes"), p, p, ("no" if i < 3 else "yes",), 0.3, 3, False)


def _explained(name: str) -> Explanation:
    segments = (Segment("Good", (Span(0, 4),)), Segment(name, (Span(5, 8),)))
    target = Target("yes", (0.5, 0.0), (0.1, 0.1), (True, True), 0.9)
    return Explanation(name, "lime", "probability", "words", segments, (target,))


@pytest.mark.usefixtures("nights")
def test_the_surest_errors_of_every_night_are_found():
    rows = duckdb.sql(SURE).fetchall()
    assert [row[1] for row in rows] == [f"d{i:02}" for i in (0, 0, 1, 1, 2, 2)]
    assert {(*row[2], *row[3]) for row in rows} == {("yes", "no")}
    assert rows[0][4] == 0.9


@pytest.mark.usefixtures("nights")
def test_a_number_of_every_night_is_read_from_the_manifests():
    assert duckdb.sql(NUMBERS).fetchall() == [
        ("2026-07-29T12:00:00Z", "pass", 0.75),
        ("2026-07-30T12:00:00Z", "pass", 0.85),
    ]


@pytest.mark.usefixtures("nights")
def test_words_are_counted_over_all_nights():
    assert duckdb.sql(WORDS).fetchall() == [("good", 24, 0.5)]
