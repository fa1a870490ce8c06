"""What the report says of the lengths; of the rule `shortest` it says nothing."""

from auditor.report.contract import Chapter, Method, Reason, Section
from third_party.summary import CHARACTERS, SUMMARY, UNMEASURED, LengthFindings


def compose(sources):
    found = sources.analysis(SUMMARY.probe, LengthFindings)
    answer, content = f"{found.longest} is the longest.", {"anchor": anchor(sources, found)}
    return Section("any", "Lengths", "How long are the texts?", answer, "", "", "length.html.j2", content)


def anchor(sources, found):
    return f"lengths-{sources.position(found.longest)}"


def card(sources, document_id):
    found = sources.findings.analysis(SUMMARY.probe, LengthFindings)
    return (anchor(sources, found), "All its characters") if found and found.longest == document_id else None


CHAPTER = Chapter(
    probe=SUMMARY.probe,
    title="Lengths",
    name="Lengths of texts",
    compose=compose,
    methods=(
        Method("Length of a text", "*c_d* counts the characters of document *d*.", "formula.html.j2"),
        Method("Never", "This is not printed.", "formula.html.j2", applies=lambda _: False),
    ),
    parameters={
        "unit": "a character of Unicode",
        "least": lambda parameter: f"{parameter.siblings['unit']} are counted from {parameter.value} on",
    },
    reasons={"longest": Reason("The longest texts", lambda _, name, value: f"{name} has {value:.0f} characters.")},
    answers={"explanations": (CHARACTERS.name,), "calibration": (UNMEASURED.name,)},
    card=card,
)
