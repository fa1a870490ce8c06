"""A signature leaves the report what it was, whether it is seen or not: PDF/A-3a and PDF/UA-1, and sound."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkers import or_fail, program, verapdf_jars
from cryptography.hazmat.primitives.serialization import NoEncryption
from signing_keys import Authority

from auditor.report.page import signing
from auditor.report.page.signing import SignatureOptions
from auditor.report.page.signing_key import Key

SIGNATURES = {
    "hidden": (SignatureOptions(),),
    "visible": (SignatureOptions(True, reason="Approved"), SignatureOptions(True, reason="有条件通过")),
}
"""What is asked for, one signature after the other."""


@pytest.mark.exhaustive
def test_a_signed_report_still_conforms(report, tmp_path):
    key = Key(Authority(tmp_path).issue("reviewer", "王小明 · Ada Reviewer", encryption=NoEncryption()))
    files = []
    for of in ("classifier", "chinese"):
        for kind, wishes in SIGNATURES.items():
            content = report(of).pdf.read_bytes()
            for options in wishes:
                content = signing.sign(content, key, options)
            files.append(str(tmp_path / f"{of}-{kind}.pdf"))
            Path(files[-1]).write_bytes(content)
            subprocess.run([or_fail(lambda: program("qpdf", "qpdf")), "--check", files[-1]], check=True)
    script = str(Path(__file__).with_name("vera.py"))
    jars = ":".join(or_fail(verapdf_jars))
    done = subprocess.run([sys.executable, script, jars, "ua1,3a", *files], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == {file: {"ua1": {}, "3a": {}} for file in files}
