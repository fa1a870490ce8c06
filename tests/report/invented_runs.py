"""Whole invented runs: a classifier, a language model, a tiny one for the golden file, and a hostile one."""

import random

import invented_texts as texts
from invented import (
    LABELS,
    AttentionStatistics,
    CalibrationBin,
    Check,
    ClassScores,
    Coverage,
    Document,
    DocumentRow,
    Evidence,
    Example,
    Explanation,
    Failure,
    Findings,
    Number,
    Perplexity,
    Pointer,
    Prediction,
    PredictionFindings,
    SliceRow,
    Verdict,
    attention_findings,
    documents,
    explanation,
    explanation_findings,
    number,
    perplexity,
    perplexity_findings,
    prediction,
    value_of,
)

HASH = "6baea86f3a51ced73c28d338ebd08569350bccb2c31fa7e374da8e3872425d36"
__all__ = ["AttentionStatistics", "Explanation", "Number", "classifier", "empty", "hostile", "language_model", "tiny"]


def check(name, title, bound, result, found, direction="at_least", required=True):
    reasons = {"pass": "the whole interval is on the right side", "watch": "the interval straddles the bound", "fail": "the whole interval is on the wrong side", "not judged": "too few documents"}
    return Check(name=name, title=title, bound=bound, direction=direction, required=required, number=found, result=result, reason=reasons[result])


def rows(made, records):
    predictions, explanations, perplexities = records
    out = []
    for d in made:
        p, e, x = (m.get(d.id) for m in (predictions, explanations, perplexities))
        p, e, x = (None if isinstance(r, Failure) else r for r in (p, e, x))
        failed = tuple(name for name, m in zip(("prediction", "lime", "perplexity"), records, strict=True) if isinstance(m.get(d.id), Failure))
        out.append(DocumentRow(
            document_id=d.id, reference=d.labels, predicted=p.predicted if p else (),
            probability=max(p.probabilities, default=None) if p else None, entropy=p.entropy if p else None,
            fidelity=e.targets[0].fidelity if e else None, perplexity=value_of(x) if x else None,
            bits_per_byte=x.nll / 0.6931 / x.n_bytes if x else None, n_tokens=p.n_tokens if p else None,
            failed=failed, metadata=d.metadata,
        ))  # fmt: skip
    return tuple(out)


def prediction_findings(predictions, made):
    gold = {d.id: d.labels[0] for d in made}
    pairs = [(gold[i], p.predicted[0]) for i, p in predictions.items() if isinstance(p, Prediction)]
    confusion = tuple(tuple(sum(pair == (a, b) for pair in pairs) for b in LABELS) for a in LABELS)
    shares = {"negative": (0.88, 0.84, 0.86), "neutral": (0.71, 0.77, 0.74), "positive": (0.91, 0.87, 0.89)}
    classes = tuple(
        ClassScores(label=label, support=sum(row), predicted=sum(b == label for _, b in pairs), **{
            key: number(f"{key}[{label}]", f"{key.capitalize()}, {label}", v, v - 0.11, min(1, v + 0.07), sum(row))
            for key, v in zip(("precision", "recall", "f1"), shares[label], strict=True)
        }) for label, row in zip(LABELS, confusion, strict=True)
    )  # fmt: skip
    bins = tuple(
        CalibrationBin(low=lo / 10, high=lo / 10 + 0.1, n=n, mean_probability=lo / 10 + 0.05 if n else None,
                       accuracy=number("bin", "bin", acc, max(0, acc - 0.15) if n else None, min(1, acc + 0.1) if n else None, n) if n else number("bin", "bin", None, None, None, 0))
        for lo, n, acc in [(0, 0, 0), (3, 0, 0), (4, 0, 0), (5, 11, 0.61), (6, 12, 0.68), (7, 12, 0.72), (8, 13, 0.86), (9, 10, 0.96)]
    )  # fmt: skip
    wrong = [i for i, p in predictions.items() if isinstance(p, Prediction) and p.predicted[0] != gold[i]]
    wrong.sort(key=lambda i: -max(predictions[i].probabilities))
    doubt = sorted((i for i, p in predictions.items() if isinstance(p, Prediction)), key=lambda i: max(predictions[i].probabilities))
    return PredictionFindings(
        labels=LABELS, multi_label=False, n_documents=58, n_labelled=58, confusion=confusion, classes=classes,
        calibration=bins, predicted_counts={label: sum(b == label for _, b in pairs) for label in LABELS},
        mean_entropy=number("mean_entropy", "Mean entropy", 0.61, 0.55, 0.67, 58, "nats", "Mean over documents; bootstrap."),
        confident_errors=tuple(Example(document_id=i, rule="wrong, highest probability first") for i in wrong[:6]),
        least_certain=tuple(Example(document_id=i, rule="lowest probability first") for i in doubt[:6]),
        continuations=False,
    )  # fmt: skip


def classifier():
    """A sentiment classifier on sixty documents in three scripts, with failures, eight checks and a reference model."""
    made, words = documents()
    rng = random.Random(3)
    predictions = {d.id: Failure(d.id, "blank", "the text is empty or white space") if d.is_blank else prediction(d, rng) for d in made}
    explanations = {d.id: explanation(d, words.get(d.id), rng, label=predictions[d.id].predicted[0]) for d in made if not d.is_blank and d.id != "en-0013"}
    perplexities = {d.id: perplexity(d, rng) for d in made if not d.is_blank}
    for probe in (explanations, perplexities):
        probe["blank-0058"] = Failure("blank-0058", "blank", "the text is empty or white space")
    explanations["en-0013"] = Failure("en-0013", "non-finite", "the model answered NaN for 3 of 1,000 perturbations")
    surprise = perplexity_findings(made, perplexities)
    explained = explanation_findings([("en-0000", "least stable"), ("zh-0010", "median fidelity"), ("ar-0012", "lowest fidelity"), ("long-0059", "longest"), ("en-0003", "most certain"), ("zh-0012", "most confident error")])
    attended = attention_findings()
    numbers = [
        number("accuracy", "Accuracy", 0.862, 0.751, 0.928, 58),
        number("macro_f1", "Macro F1", 0.83, 0.74, 0.91, 58, protocol="Mean of the labels’ F1; bootstrap over documents."),
        number("recall[neutral]", "Recall, neutral", 0.77, 0.55, 0.9, 22),
        number("calibration_error", "Calibration error", 0.041, 0.022, 0.083, 58, protocol="Expected calibration error over 10 equal bins; bootstrap over documents."),
        number("mean_entropy", "Mean entropy", 0.61, 0.55, 0.67, 58, "nats", "Mean over documents; bootstrap."),
        explained.fidelity, explained.low_fidelity_share, explained.clear_share, attended.agreement,
        number("attention.sink_share", "Attention on the first token", 0.21, 0.19, 0.23, 58, protocol="Mean over heads of the share on the first token; bootstrap over documents."),
        number("attention.head_share[previous]", "Heads on the previous token", 0.06, None, None, 48, protocol="Share of heads above the threshold."),
        surprise.corpus, surprise.mean_document, surprise.median_document, surprise.bits_per_byte, surprise.word,
        number("coverage.failed_share", "Failed measurements", 0.02, 0.006, 0.05, 180),
    ]  # fmt: skip
    by = {n.name: n for n in numbers}
    checks = (
        check("accuracy", "Accuracy", 0.75, "pass", by["accuracy"]),
        check("recall[neutral]", "Recall, neutral", 0.6, "watch", by["recall[neutral]"]),
        check("calibration_error", "Calibration error", 0.1, "pass", by["calibration_error"], "at_most"),
        check("lime.fidelity", "Explanation fidelity R²", 0.6, "pass", by["lime.fidelity"]),
        check("lime.low_fidelity_share", "Explanations with R² below 0.5", 0.02, "fail", by["lime.low_fidelity_share"], "at_most"),
        check("attention.agreement", "Agreement with LIME, Kendall’s τ", 0.1, "pass", by["attention.agreement"], required=False),
        check("perplexity.median", "Perplexity, median", 25, "pass", by["perplexity.median"], "at_most"),
        check("accuracy{language=ar}", "Accuracy, language ar", 0.75, "not judged", number("accuracy{language=ar}", "Accuracy, language ar", 0.875, 0.529, 0.978, 8)),
    )
    slices = tuple(
        SliceRow(column=c, value=v, n=n, judged=n >= 30, numbers=tuple(
            number(f"{base}{{{c}={v}}}", f"{title}, {c} {v}", x, max(0, x - 2 * s / n**0.5), x + s / n**0.5, n, unit)
            for base, title, x, s, unit in [("accuracy", "Accuracy", acc, 0.4, "share"), ("lime.fidelity", "Explanation fidelity R²", fid, 0.3, "correlation"), ("perplexity.median", "Perplexity, median", ppl, 9, "perplexity"), ("calibration_error", "Calibration error", 0.05, 0.1, "share")]
        )) for c, v, n, acc, fid, ppl in [("language", "en", 40, 0.9, 0.78, 14.2), ("language", "zh", 12, 0.833, 0.71, 18.9), ("language", "ar", 8, 0.875, 0.52, 27.3), ("length", "short", 31, 0.84, 0.8, 19.5), ("length", "long", 29, 0.88, 0.69, 17.2)]
    )  # fmt: skip
    coverage = (
        Coverage(probe="prediction", corpus=60, asked=60, measured=59, failed=1, truncated=1, failures=(("blank-0058", "blank", "the text is empty or white space"),)),
        Coverage(probe="lime", corpus=60, asked=60, measured=58, failed=2, truncated=1, failures=(("en-0013", "non-finite", "the model answered NaN for 3 of 1,000 perturbations"), ("blank-0058", "blank", "the text is empty or white space"))),
        Coverage(probe="attention", corpus=60, asked=60, measured=58, failed=0, truncated=1, failures=()),
        Coverage(probe="perplexity", corpus=60, asked=60, measured=59, failed=1, truncated=0, failures=(("blank-0058", "blank", "the text is empty or white space"),)),
    )
    findings = Findings(
        title="Film reviews, sentiment classifier", task="text-classification", run_id="2026-11-21-042", plan_id=HASH,
        created="2026-11-21T22:00:00+00:00",
        model={"name": "models/sentiment", "class": "BertForSequenceClassification", "revision": "local folder", "parameters": "11,171,459", "dtype": "float32", "device": "cpu", "attention": "reduced on the device", "sha256 of weights": HASH, "sha256 of tokenizer": HASH[::-1]},
        corpus={"path": "corpora/reviews.jsonl", "documents": "60", "columns": "id, text, label, language, length", "sha256": HASH[8:] + HASH[:8]},
        provenance={"command": "auditor run samples/sentiment.toml --seed 1234", "seed": "1234", "auditor": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "transformers": "5.23.0", "reference model": "smollm2-135m", "sha256 of evidence": HASH},
        parameters={"prediction": {"bins": "10"}, "lime": {"n_samples": "1000", "kernel_width": "25.0", "segmenter": "auto", "n_features": "all", "limit": "60"}, "attention": {"first": "1, 4"}, "perplexity": {"model": "smollm2-135m", "context_length": "1024", "stride": "512", "method": "windows"}},
        verdict=Verdict(result="pass with conditions", headline="5 of 8 checks pass, 2 need a decision before sign-off, 1 could not be judged.", explanation="The model meets its accuracy floor, and its explanations reproduce it well on average. In 6.9% of documents the surrogate explains less than half of the model’s variation: those explanations should not be cited. Arabic has too few documents to be judged."),
        checks=checks, key_numbers=(by["accuracy"], by["calibration_error"], by["lime.fidelity"], by["attention.agreement"], by["perplexity.median"]),
        pointers=(
            Pointer(severity="fail", text="6.9% of explanations have R² below 0.5", section="lime"),
            Pointer(severity="watch", text="Recall of “neutral” may lie below its bound", section="predictions"),
            Pointer(severity="watch", text="“不” alone decides 14% of negative Chinese reviews", section="lime"),
            Pointer(severity="note", text="3 heads look mostly at the first token", section="attention"),
            Pointer(severity="pass", text="Perplexity stays below its bound", section="perplexity"),
        ),
        coverage=coverage,
        notes=("LIME ran on 60 of 60 documents; attention and perplexity on all.", "1 document was longer than the model reads: only its beginning counts.", "Perplexities are those of the reference model smollm2-135m, not of the audited one."),
        numbers=tuple(numbers), slices=slices, n_comparisons=20, predictions=prediction_findings(predictions, made),
        explanations=explained, attention=attended, perplexity=surprise, documents=rows(made, (predictions, explanations, perplexities)),
    )  # fmt: skip
    return findings, Evidence(tuple(made), predictions, explanations, {}, perplexities)


def with_continuation(document):
    text = " in a larger sense, we can not dedicate — we can not consecrate <b>this ground</b>."
    return Prediction(document.id, (), (), (), (), 0.0, 220, False, continuation=text, mean_logprob=-1.21)


def language_model():
    """A causal model on speeches: free continuations, its own perplexity, 30 × 9 heads, no labels."""
    rng = random.Random(5)
    made = [Document(f"speech-{i:02d}", texts.SPEECH * (1 + i % 4), metadata={"century": "19th" if i % 3 else "20th"}) for i in range(12)]
    predictions = {d.id: with_continuation(d) for d in made}
    explanations = {d.id: explanation(d, None, rng, label="continuation", unit="log-probability") for d in made}
    perplexities = {d.id: perplexity(d, rng) for d in made}
    surprise = perplexity_findings(made, perplexities, is_reference=False)
    mean = number("generation.mean_logprob", "Mean log-probability", -1.21, -1.4, -1.02, 12, "log-probability", "Mean over documents of the mean token log-probability; bootstrap.")
    base, _ = classifier()
    attended = attention_findings(30, 9, causal=True, agreement=False)
    found = PredictionFindings(labels=(), multi_label=False, n_documents=12, n_labelled=0, confusion=(), classes=(), calibration=(), predicted_counts={}, mean_entropy=None, confident_errors=(), least_certain=tuple(Example(document_id=d.id, rule="lowest mean log-probability") for d in made[:3]), continuations=True)
    coverage = tuple(Coverage(probe=p, corpus=12, asked=12, measured=12, failed=0, truncated=0, failures=()) for p in ("prediction", "lime", "attention", "perplexity"))
    findings = base.model_copy(update={
        "title": "Speeches, SmolLM2-135M", "task": "text-generation", "checks": (), "key_numbers": (surprise.corpus, mean),
        "pointers": (), "numbers": (mean, surprise.corpus, surprise.bits_per_byte), "slices": (), "n_comparisons": 0, "coverage": coverage,
        "verdict": Verdict(result="not established", headline="No checks were declared.", explanation="Without bounds nothing is judged; the report describes the model."),
        "predictions": found, "explanations": explanation_findings([(made[0].id, "first"), (made[3].id, "longest")], "log-probability").model_copy(update={"global_words": ()}),
        "attention": attended, "perplexity": surprise, "documents": rows(made, (predictions, explanations, perplexities)), "notes": (),
    })  # fmt: skip
    return findings, Evidence(tuple(made), predictions, explanations, {}, perplexities)


def tiny():
    """Two documents, one probe: small enough to read as a golden file."""
    made = (Document("a", "Not bad at all", labels=("positive",)), Document("b", "", labels=("negative",)))
    predictions = {"a": Prediction("a", ("negative", "positive"), (-1.0, 1.0), (0.12, 0.88), ("positive",), 0.37, 6, False), "b": Failure("b", "blank", "the text is empty")}
    base, _ = classifier()
    accuracy = number("accuracy", "Accuracy", 1.0, 0.207, 1.0, 1)
    found = PredictionFindings(labels=("negative", "positive"), multi_label=False, n_documents=1, n_labelled=1, confusion=((0, 0), (0, 1)), classes=(), calibration=(), predicted_counts={"positive": 1}, mean_entropy=None, confident_errors=(), least_certain=(Example(document_id="a", rule="lowest probability first"),), continuations=False)
    findings = base.model_copy(update={
        "title": "Tiny", "checks": (check("accuracy", "Accuracy", 0.8, "watch", accuracy),), "key_numbers": (accuracy,), "pointers": (Pointer(severity="watch", text="Accuracy rests on one document", section="predictions"),),
        "coverage": (Coverage(probe="prediction", corpus=2, asked=2, measured=1, failed=1, truncated=0, failures=(("b", "blank", "the text is empty"),)),),
        "numbers": (accuracy,), "slices": (), "n_comparisons": 0, "predictions": found, "explanations": None, "attention": None, "perplexity": None,
        "documents": rows(made, (predictions, {}, {})), "notes": (), "parameters": {"prediction": {"bins": "10"}},
        "verdict": Verdict(result="pass with conditions", headline="1 check needs a decision.", explanation="One document was measured."),
    })  # fmt: skip
    return findings, Evidence(made, predictions)


def empty():
    """A run in which every document failed."""
    findings, evidence = tiny()
    coverage = (Coverage(probe="prediction", corpus=2, asked=2, measured=0, failed=2, truncated=0, failures=()), Coverage(probe="toxicity", corpus=2, asked=2, measured=2, failed=0, truncated=0, failures=()))
    toxic = number("toxicity.mean", "Mean toxicity", 0.1, 0.05, 0.2, 2, "probability", "Mean over documents.")
    return findings.model_copy(update={"predictions": None, "coverage": coverage, "checks": (), "key_numbers": (), "numbers": (toxic,), "parameters": {"toxicity": {"lexicon": "small"}}, "pointers": ()}), evidence


def hostile():
    """Every string that comes from outside is an attack."""
    attack = texts.HOSTILE
    rng = random.Random(9)
    made = tuple(Document(f"{i}{text[:200]}", text, labels=(attack[i % 3],), metadata={"kind<b>": text[:300]}) for i, text in enumerate(attack))
    labels = tuple(attack[:3])
    predictions = {d.id: Prediction(d.id, labels, (1.0, 0.0, -1.0), (0.6, 0.3, 0.1), (labels[i % 3],), 0.9, 9, False) for i, d in enumerate(made)}
    explanations = {d.id: explanation(d, None, rng, label=attack[1]) for d in made if any(c.isalnum() for c in d.text)}
    perplexities = {d.id: perplexity(d, rng, model=attack[0]) for d in made}
    base, _ = classifier()
    counts = tuple(tuple(3 for _ in labels) for _ in labels)
    name = number(f"accuracy{attack[0]}", attack[0], 0.5, 0.4, 0.6)
    found = base.predictions.model_copy(update={"labels": labels, "confusion": counts, "classes": tuple(c.model_copy(update={"label": x}) for c, x in zip(base.predictions.classes, labels, strict=True)), "confident_errors": tuple(Example(document_id=d.id, rule=attack[2]) for d in made), "least_certain": ()})
    explained = base.explanations.model_copy(update={"examples": tuple(Example(document_id=i, rule=attack[0]) for i in explanations), "global_words": tuple(base.explanations.global_words[0].model_copy(update={"text": t, "label": t}) for t in attack)})
    surprise = perplexity_findings(made, perplexities).model_copy(update={"model": attack[0], "prefix": attack[1], "most_surprising": tuple(Example(document_id=d.id, rule=attack[3]) for d in made)})
    strings = {a: a for a in attack}
    findings = base.model_copy(update={
        "title": attack[0] + attack[4], "run_id": attack[1], "task": attack[2], "model": {"name": attack[0], **strings}, "corpus": strings, "provenance": strings,
        "parameters": {attack[0]: strings}, "notes": tuple(attack[:3]), "numbers": (name,), "key_numbers": (name,), "predictions": found, "explanations": explained,
        "perplexity": surprise, "pointers": (Pointer(severity="fail", text=attack[1], section='"><script>'),), "slices": tuple(SliceRow(column=a[:80], value=a, n=40, numbers=(name,), judged=True) for a in attack),
        "documents": rows(made, (predictions, explanations, perplexities)), "checks": tuple(check(a, a, 0.5, "watch", name) for a in attack[:2]),
        "coverage": (Coverage(probe=attack[0], corpus=14, asked=14, measured=0, failed=14, truncated=0, failures=tuple((d.id, attack[0], d.text) for d in made)),),
        "verdict": Verdict(result="fail", headline=attack[1], explanation=attack[2]),
    })  # fmt: skip
    return findings, Evidence(made, predictions, explanations, {}, perplexities)
