"""The rows of the probe: what they hold, what is not measurable, and that they are read back as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auditor.models import find, load
from auditor.probes.activations import ActivationsProbe
from auditor.probes.contract import Sitting
from auditor.records.activations import KEPT, Activations
from auditor.records.schema import from_bytes, to_bytes
from auditor.records.types import Document, Failure, NotMeasurable
from tests.models.architectures import build
from tests.models.tiny import TEXTS, save

DOCUMENTS = [Document(f"d{i}", text) for i, text in enumerate(TEXTS * 3)]
BLANK = Document("blank", "  ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("inside") / "bert", "bert", "text-classification")


def rows(model: Any, documents: list[Document]) -> list[Any]:
    return list(ActivationsProbe().measure(model, documents, Sitting(0)))


def test_a_row_has_every_layer_and_a_bit_for_each_unit_and_is_read_back_equal(folder: Path) -> None:
    model = load(find("tiny", folder), device="cpu")
    found = rows(model, [BLANK, *DOCUMENTS])
    assert isinstance(found[0], Failure)
    assert [row.document_id for row in found[1:]] == [d.id for d in DOCUMENTS]
    row = found[1]
    assert (row.n_layers, row.width, row.n_units, row.unseen_units) == (2, 32, 48, "")
    assert (len(row.norms), len(row.ratios), len(row.dimensions)) == (3, 3 * KEPT, 3 * KEPT)
    assert len(row.active) == 2 * 48 // 8
    assert row.n_tokens == len(model.tokens([(DOCUMENTS[0].text, None)])[0].texts)
    assert from_bytes(Activations, to_bytes(Activations, found)) == found


def test_what_stands_beside_a_document_changes_nothing(folder: Path) -> None:
    model = load(find("tiny", folder), device="cpu")
    together = rows(model, DOCUMENTS)
    other = load(find("tiny", folder), device="cpu")
    for document, row in list(zip(DOCUMENTS, together, strict=True))[:6]:
        (alone,) = rows(other, [document])
        np.testing.assert_allclose(alone.norms, row.norms, rtol=1e-5)
        assert alone.active == row.active


def test_one_forward_pass_for_each_document(folder: Path) -> None:
    model = load(find("tiny", folder), device="cpu")
    rows(model, DOCUMENTS[:1])  # the proof is not counted, and made once
    before = model.batcher.n_texts
    rows(model, DOCUMENTS)
    assert model.batcher.n_texts - before == len(DOCUMENTS)
    assert [one.forward for one in ActivationsProbe().evaluations(model, DOCUMENTS, [])] == [1] * len(DOCUMENTS)


def test_a_model_that_hides_its_layers_is_not_measurable_with_the_reason(tmp_path: Path) -> None:
    model = load(find("tiny", build(tmp_path, "albert", "text-classification")), device="cpu")
    found = rows(model, DOCUMENTS[:3])
    assert {type(row) for row in found} == {NotMeasurable}
    assert {row.kind for row in found} == {"unseen-activations"}
    assert "no list of its layers" in found[0].message


def test_states_that_are_no_numbers_are_a_failure(folder: Path) -> None:
    model = load(find("tiny", folder), device="cpu")
    rows(model, DOCUMENTS[:1])
    with torch.no_grad():
        model.body.encoder.layer[1].output.dense.bias[3] = torch.inf
    (row,) = rows(model, DOCUMENTS[:1])
    assert isinstance(row, Failure)
    assert row.kind == "non-finite"
