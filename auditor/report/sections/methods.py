"""How was each number computed, with which parameters?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import Markup, escape

from auditor.findings.types import Findings, Number
from auditor.languages import N_, plural, say
from auditor.languages.numbers import separator
from auditor.report.drawing import formats
from auditor.report.sections import parameters
from auditor.report.sections.contract import Column, Section, Sources, Table

_SYMBOL = re.compile(r"\*(\w+?)(?:_(\w+))?\*")
"""`*p_k*` in a message is an italic p with the index k."""
_BY_PREFIX = {
    "lime": "lime",
    "attention": "attention",
    "perplexity": "perplexity",
    "pseudo_perplexity": "pseudo_perplexity",
}
"""First part of a number's name → id of the section that is about it; other built-in numbers are about predictions."""
_EXPLAINED = {
    "prediction": (
        N_("Predictions"),
        N_(
            "*z* are the logits of the *K* labels, *H* the entropy in nats; *b* runs over bins of the probability of "
            "the predicted label, *n_b* of *n* documents in each. With several labels per document each has its own "
            "sigmoid, 1 / (1 + exp −*z_k*). A candidate continuation has as its logit the log-probability of its "
            "tokens after the prompt."
        ),
    ),
    "continuation": (
        N_("Continuations"),
        N_(
            "*p_t* is the probability of the *t*-th of the *N* tokens that the model itself wrote after the prompt, "
            "always the most probable one."
        ),
    ),
    "lime": (
        N_("LIME"),
        N_(
            "A mask *m* keeps *k* of the *S* segments of a text; *f*(*m*) is the model’s answer to what is left; σ is "
            "the kernel width, α the ridge penalty. The weights are the β (Ribeiro et al. 2016), fidelity is the "
            "weighted R² of this regression, and an interval is β ± 1.96 standard errors. Where all masks were "
            "evaluated, α is 0 and there is no sampling error. Where masks were drawn until the intervals were narrow "
            "enough, α is 0 too: β is estimated from distinct masks, by kernel regression on the answers and a "
            "correction for what it misses in masks it has not seen; Student’s *t* is in the standard errors."
        ),
    ),
    "attention": (
        N_("Attention"),
        N_(
            "*a_ij* is the weight of query *i* on key *j* in one head, *T* the tokens of a document; rows sum to 1; "
            "padding is left out. Entropies are not smoothed (Clark et al. 2019 smooth them). Agreement is Kendall’s "
            "τ-b between the attention a segment receives, over all heads, and the size of its LIME weight."
        ),
    ),
    "perplexity": (
        N_("Perplexity"),
        N_(
            "*p_t* is the probability of token *t* after the tokens before it, *N* the scored tokens, *B* the UTF-8 "
            "bytes, *W* the white-space separated words. The corpus value weighs tokens alike, the mean of documents "
            "weighs documents alike: they differ."
        ),
    ),
    "pseudo_perplexity": (
        N_("Pseudo-perplexity"),
        N_(
            "*N* are the scored tokens of a document *W*, without special tokens (Salazar et al. 2020). Hidden for *t* "
            "are the token itself and, in the variant within-word, the later tokens of its word (Kauf & Ivanova 2023); "
            "words are those of the tokenizer, or Unicode words where it has none."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One probe: its formulas, by key in the template, and what their letters mean."""

    key: str
    title: str
    prose: Markup


@dataclass(frozen=True, slots=True)
class Names:
    """The numbers that one section is about, as `[checks]` names them."""

    section: str
    """Id; empty for page one."""
    title: str
    names: tuple[str, ...]


def compose(sources: Sources, others: Sequence[Section] = ()) -> Section:
    """The section on methods; what `others` say beside their numbers is not said again."""
    findings = sources.findings
    numbers = [number for name, number in sources.numbers.items() if "{" not in name]
    return Section(
        id="methods",
        title=say("Methods"),
        question=say("How was each number computed, with which parameters?"),
        answer=plural(
            len(numbers),
            "{n} number over the whole corpus; every parameter is the one this run used.",
            "{n} numbers over the whole corpus; every parameter is the one this run used.",
        ),
        method=say(
            "Intervals are 95%: Wilson for proportions, bootstrap over documents with a fixed seed for means, order "
            "statistics for quantiles. A check passes where the whole interval lies on the right side of its bound, "
            "fails where it lies on the wrong side, is watched where it straddles the bound, and is not judged where "
            "there are too few documents."
        ),
        limits=say(
            "Intervals speak of sampling, of documents and perturbations; not of wrong labels or a shifted corpus."
        ),
        template="sections/methods.html.j2",
        content={
            "parts": [
                Part(key, say(_EXPLAINED[key][0]), _prose(say(_EXPLAINED[key][1]))) for key in _present(findings)
            ],
            "parameters": parameters.groups(findings),
            "names": _names(numbers, others),
            "separator": separator(),
            "protocols": _protocols(numbers, others),
        },
    )


def _present(findings: Findings) -> list[str]:
    predicted = findings.predictions
    present = {
        "prediction": predicted is not None and not predicted.continuations,
        "continuation": predicted is not None and predicted.continuations,
        "lime": findings.explanations is not None,
        "attention": findings.attention is not None,
        "perplexity": findings.perplexity is not None,
        "pseudo_perplexity": findings.pseudo_perplexity is not None,
    }
    return [key for key, is_there in present.items() if is_there]


def _prose(text: str) -> Markup:
    def symbol(found: re.Match[str]) -> str:
        letter, index = found.groups()
        return f"<i>{letter}</i><sub><i>{index}</i></sub>" if index else f"<i>{letter}</i>"

    return Markup(_SYMBOL.sub(symbol, str(escape(text))))


def _names(numbers: Iterable[Number], others: Sequence[Section]) -> tuple[Names, ...]:
    """The names by section, in the order of the report; of a family of labels only one."""
    titles = {section.id: section.title for section in others}
    found: dict[str, list[str]] = {}
    for number in numbers:
        found.setdefault(_section_of(number.name, titles), []).append(_family(number.name))
    return tuple(
        Names(place, titles.get(place, say("Page one")), tuple(dict.fromkeys(names))) for place, names in found.items()
    )


def _section_of(name: str, titles: dict[str, str]) -> str:
    prefix = name.partition(".")[0] if "." in name else ""
    for place in (_BY_PREFIX.get(prefix, ""), f"probe-{prefix}", "predictions"):
        if place in titles and not (place == "predictions" and prefix == "coverage"):
            return place
    return ""


def _family(name: str) -> str:
    family, bracket, _ = name.partition("[")
    return f"{formats.middle(family, 60)}[…]" if bracket else formats.middle(name, 60)


def _protocols(numbers: Iterable[Number], others: Sequence[Section]) -> Table | None:
    """How the numbers were computed whose protocol stands nowhere else; one row per family."""
    said = {cell for section in others for table in _tables(section) for row in table.rows for cell in row}
    found: dict[str, list[str]] = {}
    for number in numbers:
        if number.protocol not in said:
            found.setdefault(_family(number.name), []).append(number.protocol)
    if not found:
        return None
    columns = (Column(say("Name in [checks]"), "id", 30), Column(say("Computed as")))
    rows = tuple((family, _merged(protocols)) for family, protocols in found.items())
    caption = say("Numbers whose computation is not printed beside them; … is what differs within a family.")
    return Table(caption, columns, rows)


def _merged(protocols: list[str]) -> str:
    """What the protocols have in common, around an ellipsis; of equal ones the text itself."""
    if len(set(protocols)) == 1:
        return protocols[0]
    start = _beginning(protocols)
    end = _beginning([protocol[len(start) :][::-1] for protocol in protocols])[::-1]
    return f"{start}…{end}"


def _beginning(texts: list[str]) -> str:
    """The longest beginning that all texts share."""
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in shared)


def _tables(section: Section) -> list[Table]:
    return [value for value in section.content.values() if isinstance(value, Table)]
