"""Audits in which every string from outside is an attack; what stands in which place ends in a mark that says so."""

import re

from audits_of_texts import audit_of, write_corpus
from payloads import PAYLOADS

from auditor.config.report import StatementsConfig
from auditor.findings import Bound
from auditor.findings.contract.presentation import Presentation, Reviewer
from auditor.findings.contract.types import Coverage

STRINGS = list(PAYLOADS.values())
UTF8 = [re.sub("[\ud800-\udfff]", "\ufffd", text) for text in STRINGS]
"""What does not come out of a JSON file has no lone surrogates."""
SHORT = " ".join(text[:16] for text in UTF8)
VALUES = 12
COLUMNS = -(-len(STRINGS) // VALUES)
"""Of metadata."""


def marked(place, strings=UTF8):
    """All payloads, each with the mark of its place behind it: `… label07`."""
    return [f"{text} {place}{number:02}" for number, text in enumerate(strings)]


def joined(place):
    """The same in a few strings: for places of which each costs a page, and which cut nothing."""
    return [" ".join([*(text[:60] for text in UTF8[n::COLUMNS]), f"{place}{n:02}"]) for n in range(COLUMNS)]


def classifier(folder):
    """Text, label, id, names and values of metadata come out of a file; the rest is put into the context."""
    ids, values = (marked(place, STRINGS) for place in ("id", "value"))
    answers = marked("answer")
    texts = [text if not text.strip() else f"{text} text{number:02}" for number, text in enumerate(STRINGS)]
    names = joined("column")
    rows = [
        {"id": ids[i], "text": text, "label": answers[i - 7]}
        | {name: values[(c + COLUMNS * (i % VALUES)) % len(values)] for c, name in enumerate(names)}
        for i, text in enumerate(texts)
    ]
    path = write_corpus(folder / "corpus.jsonl", rows)
    checks = {f"recall[{label}]": Bound(at_least=0.5, required=False) for label in answers[::9]}
    return _failing(*audit_of(path, labels=tuple(answers), turn=0, checks=checks, **_told()))


def generator(folder):
    """Prompts that are attacks, and continuations that are."""
    rows = [{"id": f"d{number}", "text": f"{text} prompt{number:02}"} for number, text in enumerate(STRINGS)]
    path = write_corpus(folder / "prompts.jsonl", rows)
    return audit_of(path, continuations=marked("continued"), turn=1, **_told())


def chooser(folder):
    """Candidate answers that are attacks."""
    candidates = tuple(marked("candidate"))
    rows = [{"id": f"d{number}", "text": "Which?", "label": text} for number, text in enumerate(candidates)]
    path = write_corpus(folder / "questions.jsonl", rows)
    return audit_of(path, labels=candidates, turn=2, task="text-generation", kind="generator", title="Choices")


def _told():
    return {
        "title": f"{SHORT} title",
        "run_id": f"{SHORT} run",
        "model": dict(zip(marked("fact"), marked("model"), strict=True)),
        "corpus": {"path": f"{SHORT} path"},
        "provenance": {"command": f"{SHORT} command"},
        "parameters": {"lime": dict(zip(marked("parameter"), marked("setting"), strict=True))},
        "notes": tuple(marked("note")),
        "references": {"perplexity": f"{SHORT} reference"},
        "presentation": Presentation(
            reviewers=tuple(map(_reviewer, joined("reviewer"), joined("role"))),
            organisation=f"{SHORT} organisation",
            classification=f"{UTF8[0]} classification",
            statements=dict.fromkeys(StatementsConfig.model_fields, f"{SHORT} statement"),
        ),
    }


def _reviewer(name, role):
    return Reviewer(name=name, role=role)


def _failing(findings, evidence):
    """Messages of failures: strings of third parties."""
    failures = tuple((f"d{i}", "ValueError", text) for i, text in enumerate(marked("failure")))
    probe = Coverage(probe="third_party", corpus=99, asked=99, measured=0, failed=99, truncated=0, failures=failures)
    return findings.model_copy(update={"coverage": (*findings.coverage, probe)}), evidence
