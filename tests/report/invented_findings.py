"""Invented findings, part by part."""

import random
from dataclasses import replace
from math import log

from invented import LABELS, value_of

from auditor.findings import summaries
from auditor.findings.analyses.attention import AttentionFindings, HeadClass
from auditor.findings.analyses.calibration import CalibrationBin
from auditor.findings.analyses.explanations import ExplanationFindings
from auditor.findings.analyses.global_words import GlobalWord, RecurringWords, WordClass
from auditor.findings.analyses.perplexity import PerplexityFindings
from auditor.findings.analyses.prediction import PredictionFindings, is_multi_label
from auditor.findings.analyses.scores import ClassScores
from auditor.findings.analyses.worst_slice import choose_in_worst_slice
from auditor.findings.contract.registry import owner_of
from auditor.findings.contract.summary import Setting
from auditor.findings.contract.types import Check, DocumentRow, Example, Nats, Number, Pointer
from auditor.records.types import Failure, NotMeasurable, Perplexity, Prediction, Unmeasured

STATISTICS = (
    *("entropy", "distance", "self_share", "previous_share", "next_share"),
    *("first_share", "first4_share", "special_share", "punctuation_share"),
)


def number(name, title, value, low, high, n=60, unit="share", protocol="Share of documents, Wilson interval."):
    nats = None
    if unit == "perplexity":
        known = {"value": value, "low": low, "high": high}
        nats = Nats(**{key: None if x is None else log(x) for key, x in known.items()})
    return Number(name=name, title=title, value=value, low=low, high=high, n=n, unit=unit, protocol=protocol, nats=nats)


def concluded(severity, topic, text, section=""):
    return Pointer(severity=severity, topic=topic, text=text, section=section)


def check(name, title, bound, result, found, direction="at_least", required=True):
    reasons = {
        "pass": "the whole interval is on the right side",
        "watch": "the interval straddles the bound",
        "fail": "the whole interval is on the wrong side",
        "not judged": "too few documents",
    }
    return Check(
        name=name,
        title=title,
        bound=bound,
        direction=direction,
        required=required,
        number=found,
        result=result,
        reason=reasons[result],
    )


def with_analysis(findings, probe, analysis=None, **changes):
    """The findings with another analysis of a probe, or with changes of the one that they have."""
    analysis = analysis or findings.analyses[probe].model_copy(update=changes)
    return findings.model_copy(update={"analyses": {**findings.analyses, probe: analysis}})


def without(run, probe):
    """The run without one of its probes: what was measured, what it came to, its numbers, what was chosen by them."""
    findings, evidence = run
    changes = {
        "analyses": {name: of for name, of in findings.analyses.items() if name != probe},
        "coverage": tuple(row for row in findings.coverage if row.probe != probe),
        "numbers": tuple(n for n in findings.numbers if not is_of(n.name, probe)),
    }
    rows = {name: by_id for name, by_id in evidence.rows.items() if name != probe}
    return with_worst(findings.model_copy(update=changes), replace(evidence, rows=rows))


def is_of(name, probe):
    """Whether the summary of a probe declares a number."""
    owner = owner_of(name)
    return owner is not None and owner.probe == probe


def with_worst(findings, evidence):
    """A run with the documents that the rules of the summaries put first, as they are chosen when a run ends."""
    setting = Setting(multi_label=is_multi_label(findings))
    choices = [
        choice.model_copy(update={"probe": probe})
        for probe, summary in summaries().items()
        for choice in summary.worst(evidence, setting)
    ]
    choices.append(choose_in_worst_slice(findings.slices, evidence, setting))
    return findings.model_copy(update={"worst": tuple(choice for choice in choices if choice.documents)}), evidence


def rows(made, records):
    predictions, explanations, perplexities = records
    out = []
    for d in made:
        p, e, x = (m.get(d.id) for m in (predictions, explanations, perplexities))
        p, e, x = (None if isinstance(r, Unmeasured) else r for r in (p, e, x))
        out.append(
            DocumentRow(
                document_id=d.id,
                reference=d.labels,
                predicted=p.predicted if p else (),
                values={
                    "probability": max(p.probabilities, default=None) if p else None,
                    "entropy": p.entropy if p else None,
                    "fidelity": e.targets[0].surrogate.fidelity if e else None,
                    "perplexity": value_of(x) if x else None,
                    "perplexity_nats": log(value_of(x)) if x else None,
                    "bits_per_byte": x.nll / 0.6931 / x.n_bytes if x else None,
                },
                n_tokens=p.n_tokens if p else None,
                failed=_probes_with(Failure, records, d),
                not_measurable=_probes_with(NotMeasurable, records, d),
                metadata=d.metadata,
            )
        )
    return tuple(out)


def _probes_with(state, records, document):
    named = zip(("prediction", "lime", "perplexity"), records, strict=True)
    return tuple(name for name, found in named if isinstance(found.get(document.id), state))


def statistics(n_layers, n_heads, causal):
    """L × H means by statistic, with a few heads that follow a pattern."""
    rng = random.Random(11)
    grids = {name: [[rng.random() * 0.3 for _ in range(n_heads)] for _ in range(n_layers)] for name in STATISTICS}
    grids["entropy"] = [[0.6 + 2.6 * rng.random() for _ in range(n_heads)] for _ in range(n_layers)]
    grids["distance"] = [[1 + 9 * rng.random() for _ in range(n_heads)] for _ in range(n_layers)]
    for name in ("previous_share", "first_share", "special_share"):
        for _ in range(max(2, n_layers * n_heads // 20)):
            grids[name][rng.randrange(n_layers)][rng.randrange(n_heads)] = 0.62 + 0.36 * rng.random()
    if causal:
        grids["next_share"] = [[0.0] * n_heads for _ in range(n_layers)]
        grids["special_share"] = [[0.0] * n_heads for _ in range(n_layers)]
    return {name: tuple(tuple(row) for row in rows) for name, rows in grids.items()}


def attention_findings(n_layers=4, n_heads=12, causal=False, agreement=True):
    grids = statistics(n_layers, n_heads, causal)

    def heads(name, threshold):
        return tuple(
            (i, j, value) for i, row in enumerate(grids[name]) for j, value in enumerate(row) if value > threshold
        )

    classes = (
        HeadClass(
            name="previous", rule="more than half of the mass on the previous token", heads=heads("previous_share", 0.5)
        ),
        HeadClass(name="next", rule="more than half of the mass on the next token", heads=heads("next_share", 0.5)),
        HeadClass(name="broad", rule="entropy above 3.8 nats", heads=heads("entropy", 3.8)),
        HeadClass(
            name="special", rule="more than 60% of the mass on special tokens", heads=heads("special_share", 0.6)
        ),
        HeadClass(name="sink", rule="more than half of the mass on the first token", heads=heads("first_share", 0.5)),
    )
    tau = number(
        "attention.agreement",
        "Agreement with LIME, Kendall’s τ",
        0.18,
        0.11,
        0.25,
        56,
        "correlation",
        "Mean over documents of Kendall’s τ between received attention and absolute LIME weight; bootstrap interval.",
    )
    return AttentionFindings(
        n_documents=58,
        n_layers=n_layers,
        n_heads=n_heads,
        causal=causal,
        statistics=grids,
        half_widths=dict.fromkeys(STATISTICS, 0.04),
        uniform_entropy=3.4,
        classes=classes,
        agreement=tau if agreement else None,
    )


def perplexity_findings(made, records, is_reference=True):
    by_slice = {}
    for document in made:
        record = records.get(document.id)
        for column, value in document.metadata.items():
            if isinstance(record, Perplexity):
                by_slice.setdefault(column, {}).setdefault(value, []).append(log(value_of(record)))
    measured = sorted((r for r in records.values() if isinstance(r, Perplexity)), key=value_of)
    ppl = {"unit": "perplexity", "n": len(measured)}
    return PerplexityFindings(
        model="smollm2-135m",
        is_reference=is_reference,
        method="rolling windows",
        context_length=1024,
        stride=512,
        prefix="<|endoftext|>",
        n_documents=len(measured),
        n_tokens=1893,
        n_bytes=9212,
        corpus=number(
            "perplexity.corpus",
            "Perplexity, corpus",
            17.9,
            16.2,
            19.8,
            protocol="exp of the mean negative log-likelihood over all tokens; bootstrap over documents.",
            **ppl,
        ),
        mean_document=number(
            "perplexity.mean",
            "Perplexity, mean of documents",
            24.6,
            20.1,
            30.9,
            protocol="Mean over documents; bootstrap.",
            **ppl,
        ),
        median_document=number(
            "perplexity.median",
            "Perplexity, median",
            18.4,
            16.9,
            20.2,
            protocol="Median over documents; order statistics.",
            **ppl,
        ),
        bits_per_byte=number(
            "perplexity.bits_per_byte",
            "Bits per byte",
            1.213,
            1.17,
            1.262,
            58,
            "bits",
            "Bits of all tokens over UTF-8 bytes; bootstrap.",
        ),
        word=number(
            "perplexity.word",
            "Perplexity per word",
            412.0,
            340.0,
            505.0,
            protocol="exp of the mean negative log-likelihood per word.",
            **ppl,
        ),
        most_surprising=tuple(Example(document_id=r.document_id, rule="highest perplexity") for r in measured[-3:]),
        nats_by_slice={c: {v: tuple(sorted(x)) for v, x in values.items()} for c, values in by_slice.items()},
    )


def explanation_findings(examples, unit="probability"):
    words = [
        ("not", "positive", 9, -0.28, -0.36, -0.2),
        ("moving", "positive", 6, 0.41, 0.3, 0.52),
        ("dull", "negative", 5, 0.33, 0.21, 0.45),
        ("不", "negative", 4, 0.52, 0.4, 0.64),
        ("رائعا", "positive", 4, 0.3, 0.12, 0.48),
        ("the", "positive", 31, 0.034, 0.01, 0.058),
    ]
    return ExplanationFindings(
        n_documents=58,
        n_exact=4,
        n_samples=1000,
        n_evaluations=22_419,
        stopped={"enumerated": 4, "fixed": 54},
        tolerance=None,
        kernel_width=25.0,
        segmenters={"words": 58},
        unit=unit,
        fidelity=number(
            "lime.fidelity",
            "Explanation fidelity R²",
            0.74,
            0.71,
            0.77,
            58,
            "correlation",
            "Mean over documents of the surrogate’s weighted R²; bootstrap interval.",
        ),
        low_fidelity_share=number("lime.low_fidelity_share", "Explanations with R² below 0.5", 0.069, 0.027, 0.164, 58),
        decisive_share=number("lime.decisive_share", "Explanations with a decisive word", 0.897, 0.792, 0.952, 58),
        recurring=tuple(recurring_words(words, label) for label in ("negative", "positive")),
        examples=tuple(Example(document_id=i, rule=rule) for i, rule in examples),
    )


def recurring_words(words, label):
    """The words of one label, the last of them for function words."""
    made = [
        GlobalWord(
            text=t,
            n_documents=n,
            same_sign=0.8 if m > 0.1 else 0.7,
            weight=number(f"w[{t}]", t, m, lo, hi, n, "probability", "Mean weight; bootstrap."),
        )
        for t, of, n, m, lo, hi in words
        if of == label
    ]
    content, function = [w for w in made if w.text != "the"], [w for w in made if w.text == "the"]
    return RecurringWords(
        label=label,
        against="",
        n_documents=31,
        content=WordClass(n_words=40, n_told_apart=len(content), words=tuple(content)),
        function=WordClass(n_words=9 * len(function), n_told_apart=len(function), words=tuple(function)),
    )


def prediction_findings(predictions, made):
    gold = {d.id: d.labels[0] for d in made}
    pairs = [(gold[i], p.predicted[0]) for i, p in predictions.items() if isinstance(p, Prediction)]
    confusion = tuple(tuple(sum(pair == (a, b) for pair in pairs) for b in LABELS) for a in LABELS)
    shares = {"negative": (0.88, 0.84, 0.86), "neutral": (0.71, 0.77, 0.74), "positive": (0.91, 0.87, 0.89)}
    classes = tuple(
        ClassScores(
            label=label,
            support=sum(row),
            predicted=sum(b == label for _, b in pairs),
            **{
                key: number(f"{key}[{label}]", f"{key.capitalize()}, {label}", v, v - 0.11, min(1, v + 0.07), sum(row))
                for key, v in zip(("precision", "recall", "f1"), shares[label], strict=True)
            },
        )
        for label, row in zip(LABELS, confusion, strict=True)
    )
    bins = tuple(
        CalibrationBin(
            low=lo / 10,
            high=lo / 10 + 0.1,
            n=n,
            mean_probability=lo / 10 + 0.05 if n else None,
            accuracy=number("bin", "bin", acc, max(0, acc - 0.15) if n else None, min(1, acc + 0.1) if n else None, n)
            if n
            else number("bin", "bin", None, None, None, 0),
        )
        for lo, n, acc in [
            (0, 0, 0),
            (3, 0, 0),
            (4, 0, 0),
            (5, 11, 0.61),
            (6, 12, 0.68),
            (7, 12, 0.72),
            (8, 13, 0.86),
            (9, 10, 0.96),
        ]
    )
    wrong = [i for i, p in predictions.items() if isinstance(p, Prediction) and p.predicted[0] != gold[i]]
    wrong.sort(key=lambda i: -max(predictions[i].probabilities))
    doubt = sorted(
        (i for i, p in predictions.items() if isinstance(p, Prediction)),
        key=lambda i: max(predictions[i].probabilities),
    )
    return PredictionFindings(
        labels=LABELS,
        multi_label=False,
        n_documents=58,
        n_labelled=58,
        confusion=confusion,
        classes=classes,
        calibration=bins,
        predicted_counts={label: sum(b == label for _, b in pairs) for label in LABELS},
        mean_entropy=number(
            "mean_entropy", "Mean entropy", 0.61, 0.55, 0.67, 58, "nats", "Mean over documents; bootstrap."
        ),
        confident_errors=tuple(Example(document_id=i, rule="wrong, highest probability first") for i in wrong[:6]),
        least_certain=tuple(Example(document_id=i, rule="lowest probability first") for i in doubt[:6]),
        continuations=False,
    )
