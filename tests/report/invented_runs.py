"""More invented runs: a language model, a tiny one for the golden file, an empty one, a hostile one."""

import math
import random

import invented_texts as texts
from invented import explanation, perplexity
from invented_attention import with_maps
from invented_classifier import classifier
from invented_findings import (
    attention_findings,
    check,
    concluded,
    explanation_findings,
    number,
    perplexity_findings,
    rows,
    with_worst,
)

from auditor.findings import Context, summarise
from auditor.findings.analyses.prediction import PredictionFindings
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.types import Coverage, Example, Pointer, SliceRow, Verdict
from auditor.records.types import Document, Failure, Prediction

CANDIDATES = ("yes", "no")


def with_continuation(document, place=0):
    text = " in a larger sense, we can not dedicate — we can not consecrate <b>this ground</b>."
    logprob = -1.01 - 0.02 * place
    return Prediction(document.id, (), (), (), (), 0.0, 220, False, continuation=text, mean_logprob=logprob)


def with_candidates(document, place):
    """Says yes to two of three; the candidates get 0.6 of the probability together, a little less each time."""
    p = 0.9 if place % 3 else 0.2
    mass = 0.6 - place / 100
    logprobs = (math.log(mass * p), math.log(mass * (1 - p)))
    entropy = -sum(x * math.log(x) for x in (p, 1 - p))
    chosen = CANDIDATES[0] if p > 0.5 else CANDIDATES[1]
    return Prediction(document.id, CANDIDATES, logprobs, (p, 1 - p), (chosen,), entropy, 220, False)


def candidates():
    """A causal model that answers each speech with one of two candidates, summarised as any run is."""
    rng = random.Random(6)
    made = tuple(
        Document(
            f"speech-{i:02d}", texts.SPEECH * (1 + i % 2), labels=(CANDIDATES[i % 2],), metadata={"half": str(i % 2)}
        )
        for i in range(24)
    )
    evidence = Evidence(
        made,
        {
            "prediction": {d.id: with_candidates(d, i) for i, d in enumerate(made)},
            "lime": {d.id: explanation(d, None, rng, label=CANDIDATES[0]) for d in made[:6]},
            "perplexity": {d.id: perplexity(d, rng) for d in made},
        },
    )
    base, _ = classifier()
    context = Context(
        title="Speeches, yes or no",
        task="text-generation",
        run_id="2026-11-21-043",
        plan_id=base.plan_id,
        created=base.created,
        model={"Name": "smollm2-135m", "Prompt": "{text}\n\nIs this about war? Answer:", "Candidates": "' yes', ' no'"},
        corpus=base.corpus,
        provenance=base.provenance,
        parameters={},
        checks={},
        asked={"prediction": 24, "lime": 6, "perplexity": 24},
        kind="generator",
    )
    return summarise(evidence, context), evidence


def language_model():
    """A causal model on speeches: free continuations, its own perplexity, 30 × 9 heads, no labels."""
    rng = random.Random(5)
    made = [
        Document(f"speech-{i:02d}", texts.SPEECH * (1 + i % 4), metadata={"century": "19th" if i % 3 else "20th"})
        for i in range(12)
    ]
    predictions = {d.id: with_continuation(d, i) for i, d in enumerate(made)}
    explanations = {d.id: explanation(d, None, rng, label="continuation", unit="log-probability") for d in made}
    perplexities = {d.id: perplexity(d, rng) for d in made}
    surprise = perplexity_findings(made, perplexities, is_reference=False)
    mean = number(
        "generation.mean_logprob",
        "Mean log-probability",
        -1.21,
        -1.4,
        -1.02,
        12,
        "log-probability",
        "Mean over documents of the mean token log-probability; bootstrap.",
    )
    base, _ = classifier()
    attended = attention_findings(30, 9, causal=True, agreement=False)
    explained = explanation_findings([(made[0].id, "first"), (made[3].id, "longest")], "log-probability")
    found = PredictionFindings(
        labels=(),
        multi_label=False,
        n_documents=12,
        n_labelled=0,
        confusion=(),
        classes=(),
        calibration=(),
        predicted_counts={},
        mean_entropy=None,
        confident_errors=(),
        least_certain=tuple(Example(document_id=d.id, rule="lowest mean log-probability") for d in made[:-4:-1]),
        continuations=True,
    )
    coverage = tuple(
        Coverage(probe=p, corpus=12, asked=12, measured=12, failed=0, truncated=0, failures=())
        for p in ("prediction", "lime", "attention", "perplexity")
    )
    reason = "the document is a single token: there is nothing to attend to"
    lone = {"measured": 11, "not_measurable": 1, "reasons": {"one-token": 1}}
    lone["unmeasurable"] = (("speech-03", "one-token", reason),)
    coverage = (*coverage[:2], coverage[2].model_copy(update=lone), coverage[3])
    findings = base.model_copy(
        update={
            "title": "Speeches, SmolLM2-135M",
            "task": "text-generation",
            "model": {**base.model, "Prompt": "{text}", "Candidates": "none: free continuation"},
            "checks": (),
            "key_numbers": (surprise.corpus, mean),
            "pointers": (),
            "conclusion": (concluded("watch", "Sign-off", "Not on this evidence: no bound was set before the run."),),
            "numbers": (mean, *(n for n in base.numbers if n.name.startswith(("lime.", "perplexity.")))),
            "slices": (),
            "n_comparisons": 0,
            "coverage": coverage,
            "verdict": Verdict(
                result="not established",
                headline="No checks were declared.",
            ),
            "analyses": {
                "prediction": found,
                "lime": explained.model_copy(update={"recurring": ()}),
                "attention": attended,
                "perplexity": surprise,
            },
            "references": {},
            "documents": rows(made, (predictions, explanations, perplexities)),
            "notes": (),
        }
    )
    measured = {"prediction": predictions, "lime": explanations, "perplexity": perplexities}
    return with_worst(*with_maps(findings, Evidence(tuple(made), measured)))


def tiny():
    """Two documents, one probe: small enough to read as a golden file."""
    made = (Document("a", "Not bad at all", labels=("positive",)), Document("b", "", labels=("negative",)))
    predictions = {
        "a": Prediction("a", ("negative", "positive"), (-1.0, 1.0), (0.12, 0.88), ("positive",), 0.37, 6, False),
        "b": Failure("b", "blank", "the text is empty"),
    }
    base, _ = classifier()
    accuracy = number("accuracy", "Accuracy", 1.0, 0.207, 1.0, 1)
    found = PredictionFindings(
        labels=("negative", "positive"),
        multi_label=False,
        n_documents=1,
        n_labelled=1,
        confusion=((0, 0), (0, 1)),
        classes=(),
        calibration=(),
        predicted_counts={"positive": 1},
        mean_entropy=None,
        confident_errors=(),
        least_certain=(Example(document_id="a", rule="lowest probability first"),),
        continuations=False,
    )
    findings = base.model_copy(
        update={
            "title": "Tiny",
            "checks": (check("accuracy", "Accuracy", 0.8, "watch", accuracy),),
            "key_numbers": (accuracy,),
            "pointers": (Pointer(severity="watch", text="Accuracy rests on one document", section="predictions"),),
            "conclusion": (concluded("watch", "Sign-off", "Only with a decision on Accuracy."),),
            "coverage": (
                Coverage(
                    probe="prediction",
                    corpus=2,
                    asked=2,
                    measured=1,
                    failed=1,
                    truncated=0,
                    failures=(("b", "blank", "the text is empty"),),
                ),
                Coverage(
                    probe="attention",
                    corpus=2,
                    asked=0,
                    measured=0,
                    failed=0,
                    truncated=0,
                    failures=(),
                    left_out="the model does not show its attention",
                ),
            ),
            "numbers": (accuracy,),
            "slices": (),
            "n_comparisons": 0,
            "analyses": {"prediction": found},
            "references": {},
            "documents": rows(made, (predictions, {}, {})),
            "notes": (),
            "parameters": {"prediction": {"bins": "10"}},
            "verdict": Verdict(
                result="pass with conditions",
                headline="1 check needs a decision.",
            ),
        }
    )
    return with_worst(findings, Evidence(made, {"prediction": predictions}))


def empty():
    """A run in which every document failed."""
    findings, evidence = tiny()
    coverage = (
        Coverage(probe="prediction", corpus=2, asked=2, measured=0, failed=2, truncated=0, failures=()),
        Coverage(probe="toxicity", corpus=2, asked=2, measured=2, failed=0, truncated=0, failures=()),
    )
    toxic = number("toxicity.mean", "Mean toxicity", 0.1, 0.05, 0.2, 2, "probability", "Mean over documents.")
    return findings.model_copy(
        update={
            "analyses": {},
            "worst": (),
            "coverage": coverage,
            "checks": (),
            "key_numbers": (),
            "numbers": (toxic,),
            "parameters": {"toxicity": {"lexicon": "small"}},
            "pointers": (),
            "conclusion": (),
        }
    ), evidence


def _attacked(recurring, text):
    """The words of a label, label and words replaced by a hostile text."""
    words = tuple(word.model_copy(update={"text": text}) for word in recurring.content.words)
    content = recurring.content.model_copy(update={"words": words})
    return recurring.model_copy(update={"label": text, "against": text, "content": content})


def hostile(cards=14):
    """Every string that comes from outside is an attack; `cards` documents are shown by LIME and by perplexity."""
    attack = texts.HOSTILE
    rng = random.Random(9)
    made = tuple(
        Document(f"{i}{text[:200]}", text, labels=(attack[i % 3],), metadata={"kind<b>": text[:300]})
        for i, text in enumerate(attack)
    )
    labels = tuple(attack[:3])
    predictions = {
        d.id: Prediction(d.id, labels, (1.0, 0.0, -1.0), (0.6, 0.3, 0.1), (labels[i % 3],), 0.9, 9, False)
        for i, d in enumerate(made)
    }
    explanations = {d.id: explanation(d, None, rng, label=attack[1]) for d in made if any(c.isalnum() for c in d.text)}
    perplexities = {d.id: perplexity(d, rng, model=attack[0]) for d in made}
    base, _ = classifier()
    plain, weights = base.analyses["prediction"], base.analyses["lime"]
    counts = tuple(tuple(3 for _ in labels) for _ in labels)
    name = number(f"accuracy{attack[0]}", attack[0], 0.5, 0.4, 0.6)
    found = plain.model_copy(
        update={
            "labels": labels,
            "confusion": counts,
            "classes": tuple(c.model_copy(update={"label": x}) for c, x in zip(plain.classes, labels, strict=True)),
            "confident_errors": tuple(Example(document_id=d.id, rule=attack[2]) for d in made),
            "least_certain": (),
        }
    )
    explained = weights.model_copy(
        update={
            "examples": tuple(Example(document_id=i, rule=attack[0]) for i in list(explanations)[:cards]),
            "recurring": tuple(_attacked(weights.recurring[0], text) for text in attack),
        }
    )
    surprise = perplexity_findings(made, perplexities).model_copy(
        update={
            "model": attack[0],
            "prefix": attack[1],
            "most_surprising": tuple(Example(document_id=d.id, rule=attack[3]) for d in made[:cards]),
        }
    )
    strings = {a: a for a in attack}
    findings = base.model_copy(
        update={
            "title": attack[0] + attack[4],
            "run_id": attack[1],
            "task": attack[2],
            "model": {"name": attack[0], **strings},
            "corpus": strings,
            "provenance": strings,
            "parameters": {attack[0]: strings},
            "notes": tuple(attack[:3]),
            "numbers": (name,),
            "key_numbers": (name,),
            "analyses": {**base.analyses, "prediction": found, "lime": explained, "perplexity": surprise},
            "pointers": (Pointer(severity="fail", text=attack[1], section='"><script>'),),
            "conclusion": (concluded("fail", attack[1], attack[2], '"><script>'),),
            "slices": tuple(SliceRow(column=a[:80], value=a, n=40, numbers=(name,), judged=True) for a in attack),
            "documents": rows(made, (predictions, explanations, perplexities)),
            "checks": tuple(check(a, a, 0.5, "watch", name) for a in attack[:2]),
            "coverage": (
                Coverage(
                    probe=attack[0],
                    corpus=14,
                    asked=14,
                    measured=0,
                    failed=14,
                    truncated=0,
                    failures=tuple((d.id, attack[0], d.text) for d in made),
                ),
            ),
            "verdict": Verdict(result="fail", headline=attack[1]),
        }
    )
    measured = {"prediction": predictions, "lime": explanations, "perplexity": perplexities}
    return with_worst(findings, Evidence(made, measured))
