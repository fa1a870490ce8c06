"""A signature leaves the report what it was: PDF/A-3a and PDF/UA-1, and sound."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from checkers import or_fail, program, verapdf_jars
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from auditor.report.page import signing


@pytest.mark.exhaustive
def test_a_signed_report_still_conforms(report, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name, start = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada Reviewer")]), datetime(2020, 1, 1)
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=11_000))
    made = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    kept = pkcs12.serialize_key_and_certificates(None, key, made, None, serialization.NoEncryption())
    (tmp_path / "ada.p12").write_bytes(kept)
    files = []
    for of in ("classifier", "chinese"):
        files.append(str(tmp_path / f"{of}.pdf"))
        signed = signing.sign(report(of).pdf.read_bytes(), signing.Key(tmp_path / "ada.p12"))
        Path(files[-1]).write_bytes(signed)
        subprocess.run([or_fail(lambda: program("qpdf", "qpdf")), "--check", files[-1]], check=True)
    script = str(Path(__file__).with_name("vera.py"))
    jars = ":".join(or_fail(verapdf_jars))
    done = subprocess.run([sys.executable, script, jars, "ua1,3a", *files], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == {file: {"ua1": {}, "3a": {}} for file in files}
