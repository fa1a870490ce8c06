"""A head that gives one number per text, or regresses, chooses among nothing and is refused before it is loaded."""

from pathlib import Path

import pytest

from auditor import config
from auditor.errors import ModelError
from auditor.models import find
from auditor.running.checking import check
from auditor.running.preflight import Preflight
from tests.models.tiny import save

ONE = {"id2label": {0: "score"}, "label2id": {"score": 0}}


def checked(model: Path, **settings: object) -> Preflight:
    data = model.parent / "corpus.jsonl"
    data.write_text('{"id": "a", "text": "Good."}\n{"id": "b", "text": "Bad."}\n', encoding="utf-8")
    own = {f"model.{key}": value for key, value in settings.items()}
    return check(config.load(None, {"model.name": model, "corpus.path": data, **own}, environment={}))


def test_a_head_with_one_logit_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    model = save(tmp_path / "one", "bert", "text-classification", **ONE)
    with pytest.raises(ModelError, match=r"expected two labels or more to choose among, found 1 .* multi_label = true"):
        checked(model)


def test_one_logit_may_be_a_yes_or_no(tmp_path: Path) -> None:
    model = save(tmp_path / "one", "bert", "text-classification", **ONE)
    assert checked(model, multi_label=True).checkpoint.labels == ("score",)
    said = save(tmp_path / "said", "bert", "text-classification", **ONE, problem_type="multi_label_classification")
    assert checked(said).checkpoint.multi_label
    with pytest.raises(ModelError, match="expected two labels"):
        checked(said, multi_label=False)


def test_a_regression_is_refused_whatever_its_size(tmp_path: Path) -> None:
    model = save(tmp_path / "several", "bert", "text-classification", problem_type="regression")
    with pytest.raises(ModelError, match="expected a model that chooses among labels, found one that gives a number"):
        find("several", model)


def test_two_labels_are_enough(tmp_path: Path) -> None:
    assert len(checked(save(tmp_path / "two", "bert", "text-classification")).checkpoint.labels) == 2
