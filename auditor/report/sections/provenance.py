"""What exactly was measured, with what?"""

import base64
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import segno

from auditor.findings.contract.types import Findings
from auditor.findings.interchange import write
from auditor.findings.judgement.coverage import FAILED_SHARE
from auditor.languages import N_, plural, say, translated
from auditor.languages.numbers import paragraph
from auditor.records.proof import Proof
from auditor.report.branding import fonts
from auditor.report.contract import Column, Section, Sources, Table, with_interval
from auditor.report.drawing import formats
from auditor.report.sections import coverage, structure

_INK, _GROUND = "#1b1f24", "#ffffff"
_LONGEST_RUN = 80
_NOT_VERSIONS = (
    *("Run", "Plan, SHA-256", "Created", "Command", "Seed", "Shards", "Reused", "Own templates and fonts, SHA-256"),
)
"""Keys of the findings' provenance that are no versions of software."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Keys and values under one heading."""

    title: str
    entries: tuple[tuple[str, str], ...]
    is_narrow: bool = False
    """Whether the values are short, so that two columns fit."""


@dataclass(frozen=True, slots=True)
class Code:
    """The QR code of the results."""

    url: str
    """`data:` URL of an SVG image."""
    alt: str
    digest: str


def compose(sources: Sources, missing: Sequence[str] = ()) -> Section:
    """The provenance page; `missing` are the characters of this report that no font has."""
    findings = sources.findings
    return Section(
        id="provenance",
        title=say("Provenance"),
        question=say("What exactly was measured, with what?"),
        answer=_answer(findings),
        method=say(
            "Hashes are SHA-256. The same plan, on the same files, gives the same evidence and this same document."
        ),
        limits=say("A hash shows that files are the same, not that they are good."),
        template="sections/provenance.html.j2",
        content={
            "code": _code(findings),
            "lists": _lists(findings),
            "structures": [structure.compose(one) for one in findings.structures],
            "computing": _computing(findings.computing),
            "coverage": _coverage(sources) if findings.coverage else None,
            "notes": findings.notes,
            "not_measurable": coverage.not_measurable(findings.coverage),
            "failures": coverage.failures(findings.coverage),
            "missing": _missing(missing) if missing else None,
        },
    )


def _answer(findings: Findings) -> str:
    model = findings.model.get("Name")
    values = {"run": formats.middle(findings.run_id, 60), "day": formats.day(findings.created)}
    values["plan"] = findings.plan_id[:12]
    if model is None:
        return say("Run {run}, {day}, by plan {plan}.", **values)
    return say("Run {run} of {model}, {day}, by plan {plan}.", model=formats.middle(model, 60), **values)


def _code(findings: Findings) -> Code:
    """What identifies the results, to be read by a phone: the hash of findings.json and the run."""
    digest = sha256(write(findings)).hexdigest()
    drawn = io.BytesIO()
    text = f"findings.json sha256:{digest} run {formats.middle(findings.run_id, _LONGEST_RUN)}"
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", dark=_INK, light=_GROUND, border=3, xmldecl=False, svgclass=None, lineclass=None
    )
    url = "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode("ascii")
    return Code(url, say("QR code with the text: {text}", text=formats.visible(text)), digest)


def _lists(findings: Findings) -> list[Facts]:
    made = {key: findings.provenance[key] for key in findings.provenance if key in _NOT_VERSIONS}
    versions = {key: value for key, value in findings.provenance.items() if key not in made}
    run = {
        "Run": findings.run_id,
        "Plan, SHA-256": findings.plan_id,
        **made,
        "Created": formats.moment(findings.created),
        "Format": findings.format,
        "Fonts": formats.listed(fonts.families()),
    }
    facts = [
        Facts(say("Run"), _entries(run)),
        Facts(say("Model"), _entries(findings.model)),
        Facts(say("Corpus"), _entries(findings.corpus)),
        Facts(say("Versions"), _entries(versions), is_narrow=all(len(value) < 24 for value in versions.values())),
    ]
    return [one for one in facts if one.entries]


_KEYS = (N_("Fonts"), N_("Format"))


def _entries(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((_key(key), formats.middle(value, 600)) for key, value in values.items())


def _key(key: str) -> str:
    """A key of the findings in the language spoken; one that no catalogue has stays as it is."""
    return translated(formats.middle(key, 60))


_QUESTIONS = {
    "answers": N_("answers"),
    "log-probabilities": N_("log-probabilities"),
    "attention": N_("attention"),
    "continuations": N_("continuations"),
    "gradients": N_("gradients"),
    "activations": N_("activations"),
}
_WAYS = {
    "packed": N_("packed, without padding"),
    "padded": N_("padded batches"),
    "equal lengths": N_("batches of equal length"),
    "one by one": N_("one by one"),
}
_UNITS = {
    "probability": N_("{value} of probability"),
    "nats": N_("{value} nats"),
    "statistic": N_("{value} in a statistic"),
    "continuations": N_("none"),
    "share": N_("{value} of a norm or ratio"),
    "gradient": N_("{value} of the usual gradient of a token"),
}


def _computing(computing: Sequence[Proof]) -> Table | None:
    """How each model was asked, and how far that is from asking it about one text at a time."""
    if not computing:
        return None
    columns = (
        Column(say("Model"), "id", 24),
        Column(say("Asked for"), width=16),
        Column(say("How")),
        Column(say("Greatest difference"), width=20),
        Column(say("Texts"), "number", 8),
        Column(say("Longest, tokens"), "number", 10),
    )
    rows = tuple(
        (
            formats.middle(one.model, 40),
            say(_QUESTIONS[one.question]),
            _way(one),
            say(_UNITS[one.unit], value=f"{one.difference:.1e}"),
            formats.count(one.n_texts),
            formats.count(one.longest),
        )
        for one in computing
    )
    caption = say(
        "How the models were asked: the fastest way that gives what the model as transformers built it gives for each "
        "text alone, and the greatest difference from that on texts drawn for it when the model was loaded."
    )
    return Table(caption, columns, rows)


def _way(one: Proof) -> str:
    parts = [say(_WAYS[one.way])]
    if one.limit is not None:
        parts = [
            say(
                "{way} up to {limit} tokens, then {beyond}",
                way=say(_WAYS[one.way]),
                limit=formats.count(one.limit),
                beyond=say(_WAYS[one.beyond]),
            )
        ]
    if one.reset:
        parts.append(say("reset before every text: {parts}", parts=formats.listed(one.reset)))
    if one.unread is not None:
        parts.append(say("the model itself fails on texts of {n} tokens", n=formats.count(one.unread)))
    return "; ".join(parts)


def _coverage(sources: Sources) -> Table:
    what = say("Documents of the corpus, given to each probe, and what became of them.")
    return coverage.whole(sources.findings.coverage, paragraph([what, _failed_share(sources)]))


def _failed_share(sources: Sources) -> str:
    number = sources.numbers.get(FAILED_SHARE.name)
    if number is None or number.value is None:
        return ""
    return plural(
        number.n,
        "Of {n} document asked about, a share of {share} could not be measured by at least one probe.",
        "Of {n} documents asked about, a share of {share} could not be measured by at least one probe.",
        share=with_interval(number),
    )


def _missing(characters: Sequence[str]) -> Table:
    columns = (Column(say("Character"), "id", 16), Column(say("Name")))
    rows = tuple((f"U+{ord(c):04X}", unicodedata.name(c, say("unnamed")).capitalize()) for c in characters)
    caption = say("Characters without a glyph in the fonts of this report; the PDF prints their code in brackets.")
    return Table(caption, columns, rows)
