"""LIME explains what is no text: nothing of it knows a tokenizer, and another medium needs `Answers` alone."""

import ast
from pathlib import Path

import numpy as np
import pytest

import auditor.probes.lime
from auditor.models import Answers
from auditor.probes.contract import Sitting
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.perturbing import STRETCH
from auditor.records.explanations import Explanation
from auditor.records.neighbourhoods import unpack
from auditor.records.types import Document
from tests.probes.mosaic import Eye

IMAGE = "123456789"
WEIGHTS = np.array([0.02, -0.03, 0.01, 0.04, -0.02, 0.03, -0.01, 0.02, 0.05])
EFFECTS = WEIGHTS * np.arange(1, 10) / 9


def explained(model: Eye, *documents: Document, **settings: object) -> list[Explanation]:
    rows = list(LimeProbe(**settings).measure(model, list(documents), Sitting(0)))
    assert all(isinstance(row, Explanation) for row in rows), rows
    return rows


def bright(found: Explanation) -> tuple[float, ...]:
    sign = 1 if found.targets[0].label == "bright" else -1
    return tuple(sign * weight for weight in found.targets[0].weights)


def test_the_stub_offers_answers_and_no_tokens() -> None:
    model = Eye(WEIGHTS)
    assert isinstance(model, Answers)
    assert not any(hasattr(model, name) for name in ("tokens", "encode", "assemble", "tokenizer"))


def test_the_weights_of_a_linear_model_of_patches_are_found_exactly() -> None:
    (found,) = explained(Eye(WEIGHTS), Document("image", IMAGE))
    assert (found.segmenter, found.method, found.unit) == ("patches", "lime", "probability")
    assert found.neighbourhood.exact
    assert bright(found) == pytest.approx(EFFECTS, abs=1e-9)


def test_the_weights_of_sampled_patches_are_found_up_to_the_penalty() -> None:
    (found,) = explained(Eye(WEIGHTS), Document("image", IMAGE), n_samples=400)
    assert not found.neighbourhood.exact
    assert bright(found) == pytest.approx(EFFECTS, rel=0.06, abs=2e-4)


def test_where_there_are_too_many_patches_the_medium_takes_coarser_segments() -> None:
    class Coarse(Eye):
        def segment(self, document, how, *, merge_equal=True, most=None):
            asked.append(most)
            return super().segment(document, how, merge_equal=merge_equal, most=8)

    asked: list[int | None] = []
    (found,) = explained(Coarse(WEIGHTS), Document("image", IMAGE), n_samples=30)
    assert asked == [15], "more segments could not be told apart by 30 samples"
    assert found.segmenter == "rows"
    assert bright(found) == pytest.approx(EFFECTS.reshape(3, 3).sum(1), abs=1e-9)


def test_perturbations_that_the_model_cannot_see_are_left_out_and_counted() -> None:
    (found,) = explained(Eye(WEIGHTS, least=2), Document("image", IMAGE), keep="all")
    assert found.neighbourhood.n_unread == 10  # none of the patches, or a single one
    assert bright(found) == pytest.approx(EFFECTS, abs=1e-9)
    kept = unpack(found)
    assert kept is not None
    assert (np.isnan(kept.answers[:, 0]) == (kept.masks.sum(1) < 2)).all()


def test_the_perturbations_of_all_images_are_one_stream_and_each_is_seen_once() -> None:
    model = Eye(WEIGHTS)
    images = [Document(str(i), f"{i + 1}23456789") for i in range(8)]
    explained(model, *images)
    assert model.batches == [STRETCH, 8 * 512 - STRETCH]
    assert [len(set(model.seen[512 * i : 512 * (i + 1)])) for i in range(8)] == [512] * 8


def test_no_file_of_lime_speaks_of_a_tokenizer() -> None:
    forbidden = ("tokenis", "tokeniz", "token id", "token_id", "Sequences", "model.encode", "assemble", "Encoded")
    for path in Path(auditor.probes.lime.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert [word for word in forbidden if word in source] == [], path
        imported = [n.module for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom) and n.module]
        assert not [name for name in imported if name.startswith("auditor.models.text")], path
