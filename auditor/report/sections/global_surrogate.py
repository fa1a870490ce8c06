"""What does the model do with which word, over the whole corpus? The global surrogate, where it can be believed."""

from collections.abc import Iterator

from auditor.findings.analyses.global_surrogate import (
    LEAST_DOCUMENTS,
    SUMMARY,
    GlobalSurrogateFindings,
    Reason,
)
from auditor.findings.analyses.global_words import RecurringWords, WordClass
from auditor.findings.analyses.words_and_answers import LEAST_WITH_WORD
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph
from auditor.report.contract import Chapter, Column, Method, Section, Sources, Table, numbers_table, with_interval
from auditor.report.drawing import formats
from auditor.report.sections import recurring
from auditor.report.sections.explanation_parameters import PARAMETERS, segments

_LETTERS = N_(
    "*y*(*x*) is the log-odds that the model gives to the label in the text *x*, [*w* ∈ *x*] is 1 where the word "
    "stands in it. β is an elastic net (Zou & Hastie 2005); α, one of ten, has the least squared error in three inner "
    "folds. *ĝ* is fitted without the fold of its document, *ȳ* the mean of the documents that it was fitted to. The "
    "interval of a weight is from the 2.5% to the 97.5% point of 200 fits to resamples of the documents, at the same α."
)


def compose(sources: Sources) -> Section:
    """The section on the global surrogate."""
    analysis = sources.analysis(SUMMARY.probe, GlobalSurrogateFindings)
    numbers = [analysis.fidelity, analysis.agreement, *([analysis.majority] if analysis.majority else [])]
    tables = [(numbers_table(say("The numbers behind the answer."), numbers), "numbers")]
    if len(analysis.labels) > 1:
        tables.append((_labels(analysis), "compact"))
    return Section(
        id=SUMMARY.section_id,
        title=say("Global surrogate"),
        question=say("What does the model do with which word, over the whole corpus?"),
        answer=_refusal(analysis) if analysis.reason else _answer(analysis),
        method=_method(analysis),
        limits=say(
            "A surrogate of single words cannot say what words do together or in which order; what it misses, the "
            "fidelity tells. Weights are shrunk by the penalty, and words that stand in the same texts share theirs: "
            "association in this corpus, not what would happen without the word."
        ),
        template="sections/global_surrogate.html.j2",
        content={"tables": tables, "words": _words(analysis)},
    )


def _answer(analysis: GlobalSurrogateFindings) -> str:
    named = [of_label for label in analysis.labels if (of_label := label.words)]
    return paragraph(
        [
            say(
                "A simple model of the words alone follows the model’s answers to texts that it was not fitted to with "
                "R² {r2}, and gives the same label in a share of {agreement} of them; the most frequent label alone "
                "would in {majority}.",
                r2=with_interval(analysis.fidelity),
                agreement=formats.value(analysis.agreement),
                majority=formats.value(analysis.majority) if analysis.majority else formats.NOTHING,
            ),
            *(sentence for of_label in named[:1] for sentence in _strongest(of_label)),
        ]
    )


def _strongest(of_label: RecurringWords) -> Iterator[str]:
    """The content words that push most to either side."""
    told = [word for word in of_label.content.words if word.told_apart]
    label = formats.middle(of_label.label, 40)
    supporting = [word for word in told if (word.weight.value or 0.0) > 0]
    opposing = [word for word in told if (word.weight.value or 0.0) < 0]
    if not told:
        yield say("No content word is told from zero.")
    if supporting:
        most = formats.excerpt(supporting[0].text, 30)
        yield say("Of content words “{word}” speaks most for “{label}”.", word=most, label=label)
    if opposing:
        most = formats.excerpt(opposing[0].text, 30)
        yield say("Of content words “{word}” speaks most against “{label}”.", word=most, label=label)


def _refusal(analysis: GlobalSurrogateFindings) -> str:
    """Why nothing is concluded."""
    reasons: dict[Reason, str] = {
        "few-documents": plural(
            analysis.n_documents,
            "Not measurable: {n} document has an answer and words, and a surrogate needs {least}.",
            "Not measurable: {n} documents have an answer and words, and a surrogate needs {least}.",
            least=formats.count(LEAST_DOCUMENTS),
        ),
        "no-words": say(
            "Not measurable: no word stands in {least} documents or more.", least=formats.count(LEAST_WITH_WORD)
        ),
        "constant": say("Not measurable: the model gives the same answer to every document."),
        "no-better": _no_better(analysis),
    }
    return reasons[analysis.reason] if analysis.reason else ""


def _no_better(analysis: GlobalSurrogateFindings) -> str:
    return say(
        "Nothing is concluded: on texts that it was not fitted to, a model of single words is not told from one that "
        "always says the mean (R² {r2}; {words} in {documents}). Either the model does not act on single words, or "
        "these texts are too few to show on which.",
        r2=with_interval(analysis.fidelity),
        words=plural(analysis.n_words, "{n} word", "{n} words"),
        documents=plural(analysis.n_documents, "{n} document", "{n} documents"),
    )


def _method(analysis: GlobalSurrogateFindings) -> str:
    fitted = plural(
        analysis.n_words,
        "A sparse linear model of the log-odds that the model gives, over {n} word that stands in {least} documents or "
        "more; fitted five times without a fifth of the documents, to be judged on these.",
        "A sparse linear model of the log-odds that the model gives, over {n} words that stand in {least} documents or "
        "more; fitted five times without a fifth of the documents, to be judged on these.",
        least=formats.count(LEAST_WITH_WORD),
    )
    return paragraph([fitted, say("Segments: {segments}.", segments=segments(analysis.segmenters))])


def _labels(analysis: GlobalSurrogateFindings) -> Table:
    columns = (
        Column(say("Label"), "corpus"),
        Column(say("Given to"), "number", 12),
        Column("R²", "number", 12),
        Column(say("95% interval"), "number", 20),
        Column(say("Words told from zero"), "number", 20),
    )
    rows = tuple(
        (
            formats.middle(label.label, 40),
            formats.count(label.n_predicted),
            formats.value(label.fidelity),
            formats.interval(label.fidelity),
            _n_told(label.words),
        )
        for label in analysis.labels
    )
    muted = frozenset(i for i, label in enumerate(analysis.labels) if label.words is None)
    caption = say("The surrogate of each label; of those whose R² is not told from 0 no words are listed.")
    return Table(caption, columns, rows, muted)


def _n_told(words: RecurringWords | None) -> str:
    if words is None:
        return formats.NOTHING
    return formats.count(words.content.n_told_apart + words.function.n_told_apart)


def _words(analysis: GlobalSurrogateFindings) -> list[recurring.View]:
    of_label = [words for label in analysis.labels if (words := label.words)]
    if not of_label:
        return []
    reading = say(
        "How much the log-odds of the label change where the word stands in a text, by the surrogate; only words whose "
        "interval excludes zero. Same sign: the share of 200 resamples that give the word this sign."
    )
    wording = recurring.Wording(
        content=paragraph([say("Content words."), reading]),
        function=paragraph([say("Function words."), recurring.of_function_words()]),
        documents=say("Texts"),
        weight=say("Weight"),
        same_sign=say("Same sign"),
        looked_at=_looked_at,
    )
    return recurring.tables(of_label, "log-odds", wording)


def _looked_at(of_label: RecurringWords, words: WordClass) -> str:
    return plural(
        words.n_words,
        "{n} word in {documents}; {told_apart}",
        "{n} words in {documents}; {told_apart}",
        documents=plural(of_label.n_documents, "{n} document", "{n} documents"),
        told_apart=recurring.told_apart(words),
    )


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title=N_("Global surrogate"),
    compose=compose,
    methods=(Method(N_("Global surrogate"), _LETTERS, "sections/formulas/global_surrogate.html.j2"),),
    parameters={"segmenter": PARAMETERS["segmenter"]},
    answers={"explanations": ()},
)
