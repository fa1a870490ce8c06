"""Memory does not grow with the number of documents: what one shard needs is given back before the next."""

import gc
import tracemalloc
from pathlib import Path

import pytest

from auditor.models import find, load
from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.prediction import PredictionProbe
from auditor.records.types import Document
from tests.models.tiny import TEXTS, save


@pytest.mark.exhaustive
def test_memory_is_flat_over_seven_hundred_documents(tmp_path: Path) -> None:
    model = load(find("tiny", save(tmp_path / "bert", "bert", "text-classification")), device="cpu")
    probes = (PredictionProbe(), LimeProbe(n_samples=20))
    peaks = []
    tracemalloc.start()
    try:
        for shard in range(12):
            documents = [Document(f"{shard}-{i}", f"{TEXTS[5]} {shard + 10} {i}") for i in range(60)]
            gc.collect()
            tracemalloc.reset_peak()
            for probe in probes:
                assert len(list(probe.measure(model, documents, Sitting(0)))) == 60
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert max(peaks[7:]) < 1.05 * max(peaks[1:7])
