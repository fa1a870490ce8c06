"""A report as an organisation brands it: logo, marking, and who is to sign."""

import base64
import io

from PIL import Image

from auditor.findings.contract.presentation import Presentation, Reviewer

REVIEWERS = (
    Reviewer(name="Ada Lovelace", role="Model owner"),
    Reviewer(name="Mary Somerville", role="Independent validator"),
)


def logo():
    out = io.BytesIO()
    Image.new("RGBA", (400, 120), (11, 87, 164, 128)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def presented(run, **settings):
    findings, evidence = run
    return findings.model_copy(update={"presentation": Presentation(**settings)}), evidence


def branded(run, language):
    everything = {"logo": logo(), "organisation": "Example Bank, Model Risk", "classification": "Internal"}
    return presented(run, language=language, reviewers=REVIEWERS, **everything)
