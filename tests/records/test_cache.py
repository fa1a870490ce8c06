"""The cache of measured rows: what was kept is found, what is damaged is not there, and it stays within its size."""

import hashlib
import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from auditor.records import cache
from auditor.records.cache import FILE, FOLDER, Cache, Chunk

MONDAY, TUESDAY, WEDNESDAY = (f"2026-11-{day}T01:00:00Z" for day in (23, 24, 25))


def key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def chunk(*names: str, content: bytes = b"rows", measured: str = MONDAY) -> Chunk:
    return Chunk(tuple(map(key, names)), content, "[]", "run", measured)


def opened(folder: Path, now: str = MONDAY, most: int = 10**6) -> Cache:
    return Cache(folder, most, now)


def found(folder: Path, name: str, now: str = MONDAY) -> bytes | None:
    """The content of the chunk with a row."""
    one = opened(folder, now)
    location = one.locations([key(name)]).get(key(name))
    kept = one.chunk(location.chunk) if location else None
    assert one.chunk_of(key(name)) == kept
    return kept.content if kept else None


def test_rows_are_found_by_their_keys(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.keep(chunk("a", "b", content=b"one"))
    first.keep(chunk("c", content=b"two"))
    locations = opened(tmp_path).locations([key("b"), key("c"), key("d")])
    assert {name: (locations[key(name)].position) for name in "bc"} == {"b": 1, "c": 0}
    assert key("d") not in locations
    kept = opened(tmp_path).chunk(locations[key("b")].chunk)
    assert kept is not None
    assert opened(tmp_path).chunk_of(key("b")) == kept
    assert opened(tmp_path).chunk_of(key("d")) is None
    assert (kept.keys, kept.content, kept.run, kept.measured, kept.checked) == (
        (key("a"), key("b")),
        b"one",
        "run",
        MONDAY,
        MONDAY,
    )


def test_more_keys_than_one_question_holds_are_found(tmp_path: Path) -> None:
    names = [str(i) for i in range(1_234)]
    opened(tmp_path).keep(chunk(*names))
    assert len(opened(tmp_path).locations(map(key, names))) == 1_234


def test_facts_are_found_by_their_keys(tmp_path: Path) -> None:
    opened(tmp_path).keep_fact(key("a"), {"chosen": {"1": None}})
    assert opened(tmp_path, TUESDAY).fact(key("a")) == {"chosen": {"1": None}}
    assert opened(tmp_path).fact(key("b")) is None


@pytest.mark.parametrize("column", ["content", "keys", "proofs", "run", "measured", "sha256"])
def test_a_flipped_entry_is_a_miss_and_gone(tmp_path: Path, column: str) -> None:
    opened(tmp_path).keep(chunk("a"))
    with sqlite3.connect(tmp_path / FOLDER / FILE) as file:
        ((before,),) = file.execute(f"SELECT {column} FROM chunks")
        file.execute(f"UPDATE chunks SET {column} = ?", [before[:-1] + (b"!" if isinstance(before, bytes) else "!")])
    file.close()
    assert found(tmp_path, "a") is None
    opened(tmp_path).keep(chunk("a", content=b"anew"))
    assert found(tmp_path, "a") == b"anew"


def test_a_flipped_fact_is_a_miss(tmp_path: Path) -> None:
    opened(tmp_path).keep_fact(key("a"), [1])
    with sqlite3.connect(tmp_path / FOLDER / FILE) as file:
        file.execute("UPDATE facts SET json = '[2]'")
    file.close()
    assert opened(tmp_path).fact(key("a")) is None


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(range(256)) * 40])
def test_a_file_that_is_no_database_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_bytes(content)
    assert found(tmp_path, "a") is None
    opened(tmp_path).keep(chunk("a"))
    assert found(tmp_path, "a") == b"rows"


def test_cut_and_flipped_at_every_place_it_gives_what_was_kept_or_nothing(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8
    one = opened(tmp_path)
    one.keep(chunk("a", "b", content=content))
    one.close()
    file = tmp_path / FOLDER / FILE
    whole = file.read_bytes()
    for location in range(0, len(whole), 509):
        flipped = whole[:location] + bytes([whole[location] ^ 0x55]) + whole[location + 1 :]
        for damaged in (whole[:location], flipped):
            file.write_bytes(damaged)
            assert found(tmp_path, "b") in (content, None)


def test_what_another_process_locks_for_too_long_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PATIENCE", 0.05)
    opened(tmp_path).keep(chunk("a"))
    with sqlite3.connect(tmp_path / FOLDER / FILE, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        late = opened(tmp_path)
        late.keep(chunk("b"))
        late.keep(chunk("c"))
        other.execute("ROLLBACK")
    other.close()
    assert found(tmp_path, "a") == b"rows", "a lock is no reason to take the file away"
    assert found(tmp_path, "b") is None


def test_a_folder_that_cannot_be_written_is_a_miss(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one = opened(tmp_path / "file")
    one.keep(chunk("a"))
    assert one.locations([key("a")]) == {}


def test_what_no_run_used_for_longest_makes_room(tmp_path: Path) -> None:
    most = 2_500
    for day, name in ((MONDAY, "a"), (TUESDAY, "b")):
        opened(tmp_path, day, most).keep(chunk(name, content=bytes(1_000), measured=day))
    assert found(tmp_path, "a", WEDNESDAY)
    opened(tmp_path, WEDNESDAY, most).keep(chunk("c", content=bytes(1_000), measured=WEDNESDAY))
    assert [bool(found(tmp_path, name, WEDNESDAY)) for name in "abc"] == [True, False, True]


def test_of_a_run_larger_than_the_cache_the_first_part_stays(tmp_path: Path) -> None:
    for night in (MONDAY, TUESDAY):
        one = opened(tmp_path, night, 2_500)
        hits = [bool(found(tmp_path, name, night)) for name in "abcd"]
        for name, hit in zip("abcd", hits, strict=True):
            if not hit:
                one.keep(chunk(name, content=bytes(1_000), measured=night))
    assert hits == [True, True, False, False]


@pytest.mark.parametrize("damaged", ["", "garbage", "2026-11-01T00:00:00", b"\x00\xff", None])
def test_a_damaged_date_of_the_last_check_is_a_miss(tmp_path: Path, damaged: object) -> None:
    one = opened(tmp_path)
    one.keep(chunk("a"))
    one.close()
    with sqlite3.connect(tmp_path / FOLDER / FILE) as connection:
        connection.execute("UPDATE OR IGNORE chunks SET checked = ?", [damaged])
    assert (found(tmp_path, "a") is None) == (damaged is not None)  # which is refused by the table


def test_rows_that_were_measured_again_are_noted(tmp_path: Path) -> None:
    one = opened(tmp_path)
    one.keep(chunk("a"))
    number = one.locations([key("a")])[key("a")].chunk
    opened(tmp_path, WEDNESDAY).checked([number])
    kept = opened(tmp_path).chunk(number)
    assert kept is not None
    assert (kept.measured, kept.checked) == (MONDAY, WEDNESDAY)


def _keeps(folder: Path, first: int) -> None:
    one = opened(folder)
    for i in range(first, first + 100):
        one.keep(chunk(str(i), content=str(i).encode() * 50))
    one.close()


def test_processes_share_it(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_keeps, args=(tmp_path, first)) for first in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert all(found(tmp_path, str(i)) == str(i).encode() * 50 for i in range(0, 200, 7))
