"""What the benchmarks say of a measurement is itself tested; the measurements are made by `make bench`."""

import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from auditor.probes.faithfulness import FaithfulnessProbe
from tests.benchmarks import explainers
from tests.benchmarks.__main__ import SUBJECTS
from tests.benchmarks.figure import draw
from tests.benchmarks.machine import Machine
from tests.benchmarks.measuring import Spread, Turns, forward_clock, in_turns, peak_memory
from tests.benchmarks.record import INTRODUCTION, PAGE, Outcome, Record
from tests.benchmarks.results import DisagreementError, Row, agree, markdown, summary

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reports" / "benchmarks"
MISSED = Row.peer("reading", "a peer", Spread((3.0, 3.3, 9.0)), Spread((2.0, 3.0, 3.0)), 2.0, "same")
REACHED = Row.limit("reading", "the limit", Spread((1.0, 1.0)), Spread((1.1, 1.2)), 1.2, "same")
FREE = Row.peer("reading", "another", Spread((4.0,)), Spread((1.0,)), None, "not the same question")


@pytest.mark.parametrize("quick", [True, False])
def test_explainers_are_compared_on_documents_of_which_a_fifth_has_bounds_as_by_default(quick: bool):
    documents, probe = explainers.chosen(quick=quick), FaithfulnessProbe()
    assert sum(map(probe.is_bounded, documents)) / len(documents) == probe.bounded_share


@pytest.mark.exhaustive
def test_contenders_run_in_turns_and_every_other_round_backwards():
    calls: list[str] = []
    contenders = {name: lambda name=name: calls.append(name) or name for name in "ABC"}
    found = in_turns(contenders, 2)
    assert "".join(calls) == "CBA" + "ABC" + "CBA"  # the first is the warm-up
    assert [found[name].result for name in "ABC"] == ["A", "B", "C"]
    assert all(len(timed.cpu) == 2 for timed in found.values())


def test_what_is_counted_is_the_work_of_this_process_not_the_time_on_the_wall():
    found = in_turns({"asleep": lambda: time.sleep(0.2), "awake": lambda: sum(range(3_000_000))}, 1, warm_up=False)
    assert found["asleep"].seconds.median < 0.1 < 10 * found["awake"].seconds.median


def test_long_contenders_run_in_slices_and_each_is_charged_its_own():
    heard: list[str] = []

    def contender(name: str, work: int, slices: int, over):
        for _ in range(slices):
            heard.append(name)
            sum(range(work))
            over()
        return name

    found = Turns({"A": partial(contender, "A", 2_000_000, 3), "B": partial(contender, "B", 200, 2)}).run()
    assert "".join(heard) == "ABABA"
    assert {name: timed.result for name, timed in found.items()} == {"A": "A", "B": "B"}
    assert found["A"].seconds.median > 5 * found["B"].seconds.median


def test_a_contender_that_fails_in_its_slice_fails_the_measurement():
    def fails(over):
        over()
        raise DisagreementError("not the same")

    with pytest.raises(DisagreementError, match="not the same"):
        Turns({"one": fails, "other": lambda over: over()}).run()


def test_the_forward_clock_sees_outermost_modules_only_and_stops_with_its_block():
    inner = torch.nn.Sequential(torch.nn.Linear(400, 400), torch.nn.Linear(400, 400))
    with forward_clock() as clock:
        start = time.process_time()
        inner(torch.zeros(2000, 400))
        whole = time.process_time() - start
        sum(range(3_000_000))
    seen = clock.seconds
    inner(torch.zeros(2000, 400))
    assert 0.3 * whole < seen <= whole
    assert clock.seconds == seen


def _allocate(megabytes: int):
    return (lambda: None), (lambda: bytearray(b"x" * (megabytes * 1_000_000)))


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark can be reset on Linux only")
def test_peak_memory_is_that_of_the_work_and_not_of_what_was_there_before():
    few, many = peak_memory(_allocate, 20).median, peak_memory(_allocate, 200).median
    assert many - few == pytest.approx(360, abs=15)  # the pattern and its copy


def test_a_cheap_result_that_is_not_as_good_as_promised_is_a_miss():
    cheap = Row.peer("reading", "a peer", Spread((8.0,)), Spread((1.0,)), 2.0, "errors")
    assert (cheap.met, replace(cheap, as_good=False).met) == (True, False)


def test_ratios_are_taken_round_by_round_and_judged_by_their_median():
    assert MISSED.figure.values == pytest.approx((1.5, 1.1, 3.0))
    assert MISSED.met is False
    assert REACHED.met is True
    assert FREE.met is None


def test_a_row_that_misses_its_target_says_so_in_the_table_and_below_it():
    table = markdown([MISSED, REACHED, FREE]).splitlines()
    assert "| ≥ 2.00 × | **no** |" in table[2]
    assert "| ≤ 1.20 × | yes |" in table[3]
    assert "| – | – |" in table[4]
    assert summary([MISSED, REACHED, FREE]).splitlines() == [
        "1 of 2 figures are reached.",
        "- Not reached: reading, against a peer: 1.50 × (1.10–3.00), target ≥ 2.00 ×.",
    ]


def test_results_that_disagree_stop_the_measurement():
    assert agree("sums", 2e-7, 1e-5) == "sums within 2e-07"
    with pytest.raises(DisagreementError, match=r"sums differ by 0\.1, more than 1e-05"):
        agree("sums", 0.1, 1e-5)
    with pytest.raises(DisagreementError):
        agree("sums", float("nan"), 1e-5)


def test_the_figure_marks_every_target(tmp_path: Path):
    draw([MISSED, REACHED, FREE], tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text(encoding="utf-8").count("missed") == 1


MACHINE = Machine("a processor", 2, 23.5, 0.1, "2026-11-01", {"torch": "2.13.0"})


def test_a_subject_measured_again_replaces_its_rows_and_leaves_the_others(tmp_path: Path):
    record = Record.read(tmp_path, quick=False)
    record.outcomes["lime"] = Outcome(MACHINE, (MISSED,), 3.0)
    record.outcomes["audit"] = Outcome(MACHINE, (FREE,), 5.0)
    record.write(tmp_path, SUBJECTS)
    again = Record.read(tmp_path, quick=False)
    assert again == record
    busy = replace(MACHINE, load=1.5)
    record.outcomes["lime"] = Outcome(busy, (MISSED,), 3.0)
    assert record.table(SUBJECTS).splitlines()[0] == str(busy)  # one machine, one day: the highest load
    later = replace(MACHINE, date="2026-11-09")
    again.outcomes["lime"] = Outcome(later, (REACHED,), 3.0, fault="sums differ")
    again.write(tmp_path, SUBJECTS)
    table = (tmp_path / PAGE).read_text(encoding="utf-8").removeprefix(f"{INTRODUCTION}\n")
    assert table.splitlines()[0].startswith("lime: 2026-11-09, a processor, 2 cores")
    assert "audit: 2026-11-01" in table
    assert "| **no** |" not in table
    assert "1 of 1 figures are reached." in table
    assert "- lime: results disagree, so the rest was not measured: sums differ" in table
    assert Record.read(tmp_path, quick=True).outcomes == {}


def test_a_note_stands_below_the_table_and_goes_with_the_measurement_it_is_about():
    record = Record(quick=False, outcomes={"lime": Outcome(MACHINE, (MISSED,), 3.0, note="The peer was upgraded.")})
    assert record.table(SUBJECTS).splitlines()[-1] == "lime: The peer was upgraded."
    record.outcomes["lime"] = Outcome(MACHINE, (REACHED,), 3.0)
    assert "upgraded" not in record.table(SUBJECTS)


def test_the_page_of_the_repository_is_what_its_stored_results_print():
    stored = Record.read(RESULTS, quick=False)
    assert tuple(stored.outcomes) == SUBJECTS
    printed = stored.page(SUBJECTS)
    assert (RESULTS / PAGE).read_text(encoding="utf-8") == printed, "make bench ARGS=--stored"


def test_stored_results_are_printed_again_without_measuring(tmp_path: Path):
    Record(quick=False, outcomes={"lime": Outcome(MACHINE, (MISSED,), 3.0)}).write(tmp_path, SUBJECTS)
    (tmp_path / PAGE).unlink()
    command = [sys.executable, "-m", "tests.benchmarks", "--stored", "--out", tmp_path, "--cache", tmp_path / "cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "0 of 1 figures are reached." in done.stdout
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == f"{INTRODUCTION}\n{done.stdout}"


def test_every_subject_is_a_module_and_every_peer_is_in_the_extra():
    missing = [name for name in SUBJECTS if not (Path(__file__).parent / f"{name}.py").exists()]
    assert missing == []
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {one.split("=")[0].split(">")[0] for one in extra["bench"]} == {"captum", "lime", "lm-eval", "shap"}


def test_an_unknown_subject_is_refused_before_anything_is_measured():
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "lime,speed"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "'speed' is none of lime, adaptive" in found.stderr
