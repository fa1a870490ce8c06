"""With which keys a report is not signed, and why a signature is not believed: one line, and nothing is changed."""

import http.server
import threading
from datetime import UTC, datetime
from io import BytesIO

import pypdfium2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID
from signing_keys import LOCKED, SECRET, Authority, certificate

from auditor.errors import ConfigError, VerificationError
from auditor.report.page import signatures, signing, signing_key
from auditor.report.page.signing_key import Key

ENCIPHER = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
SIGNS = x509.KeyUsage(True, False, False, False, False, False, False, False, False)


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch):
    monkeypatch.setenv("AUDITOR_SIGNING_PASSPHRASE", SECRET.decode())


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder with keys that can be used, and others."""
    folder = tmp_path_factory.mktemp("keys")
    authority = Authority(folder)
    authority.issue("ada", "Ada Reviewer")
    authority.issue("open", "Ada Reviewer", encryption=NoEncryption())
    authority.issue("expired", "Ada Reviewer", days=400)
    authority.issue("enciphers", "Ada Reviewer", usage=ENCIPHER)
    Authority(folder, "Other Root", "other.pem").issue("bo", "Bo Validator")
    itself = Authority(folder, "Bert Alone", "alone.pem")  # as openssl makes one: of an authority, for signatures
    itself.certificate = certificate("Bert Alone", itself.key, "Bert Alone", itself.key, is_authority=True, usage=SIGNS)
    made = pkcs12.serialize_key_and_certificates(b"key", itself.key, itself.certificate, None, LOCKED)
    (folder / "alone.p12").write_bytes(made)
    own = ec.generate_private_key(ec.SECP256R1())
    for name, contained in (("no-key", (None, None, [authority.certificate])), ("no-certificate", (own, None, None))):
        made = pkcs12.serialize_key_and_certificates(b"key", *contained, LOCKED)
        (folder / f"{name}.p12").write_bytes(made)
    for name, own in (
        ("ed25519", ed25519.Ed25519PrivateKey.generate()),
        ("weak", rsa.generate_private_key(65537, 1024)),
    ):
        issued = certificate("Ada Reviewer", own, authority.name, authority.key)
        made = pkcs12.serialize_key_and_certificates(b"key", own, issued, None, LOCKED)
        (folder / f"{name}.p12").write_bytes(made)
    (folder / "clock.der").write_bytes(clock(folder, authority))
    return folder


def clock(folder, authority):
    """Writes the key of a timestamp server, RSA as pyHanko's for tests must be; returns its certificate."""
    own = rsa.generate_private_key(65537, 2048)
    der, purpose = serialization.Encoding.DER, ExtendedKeyUsageOID.TIME_STAMPING
    (folder / "clock.key").write_bytes(own.private_bytes(der, serialization.PrivateFormat.PKCS8, NoEncryption()))
    return certificate("Clock", own, authority.name, authority.key, purpose=purpose).public_bytes(der)


@pytest.fixture(scope="module")
def blank():
    """A PDF of one page."""
    document, out = pypdfium2.PdfDocument.new(), BytesIO()
    document.new_page(100, 100)
    document.save(out)
    return out.getvalue()


@pytest.fixture
def _any_certificate_signs(monkeypatch):
    """As a program of somebody else would."""
    monkeypatch.setattr(signing_key, "_require_usable", lambda *_: None)


@pytest.fixture
def stamped_in(monkeypatch, keys):
    """Sets the time of a timestamp server."""
    from asn1crypto import keys as formats
    from asn1crypto import x509 as certificates
    from pyhanko.sign import timestamps

    def at(moment):
        own = formats.PrivateKeyInfo.load((keys / "clock.key").read_bytes())
        issued = certificates.Certificate.load((keys / "clock.der").read_bytes())
        server = timestamps.DummyTimeStamper(issued, own, fixed_dt=moment)
        monkeypatch.setattr(timestamps, "HTTPTimeStamper", lambda _: server)

    return at


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-key.p12", "expected a key with its certificate, found a file without a key"),
        ("no-certificate.p12", "found a file without the certificate of its key"),
        ("expired.p12", "certificate of Ada Reviewer is valid from 2020-01-01 to 2021-02-04, and not today"),
        ("enciphers.p12", "certificate of Ada Reviewer is not made for signatures, but for key encipherment"),
    ],
)
def test_a_key_that_nobody_could_trust_is_refused(keys, name, told):
    with pytest.raises(ConfigError, match=told) as caught:
        signing_key.open_signer(Key(keys / name))
    assert "\n" not in str(caught.value)


def test_a_certificate_of_another_key_is_refused(keys):
    with pytest.raises(ConfigError, match=r"bo\.pem: the certificate of Bo Validator is of another key"):
        signing_key.open_signer(Key(keys / "ada.key", keys / "bo.pem"))


def test_a_passphrase_for_a_key_without_one_is_no_fault(keys, blank):
    for key in (Key(keys / "open.p12"), Key(keys / "open.key", keys / "open.pem")):
        assert signatures.verify(signing.sign(blank, key), [keys / "root.pem"])[0].is_trusted


def test_ed25519_signs(keys, blank):
    assert signatures.verify(signing.sign(blank, Key(keys / "ed25519.p12")), [keys / "root.pem"])[0].is_trusted


@pytest.mark.usefixtures("_any_certificate_signs")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("expired", r"has expired \(2021-02-04\), and no trusted timestamp proves that the signature is older"),
        ("enciphers", "is not made for signatures"),
        ("weak", "is of a key or an algorithm too weak to be believed"),
        ("bo", "comes from none of the roots given, or that of an issuer between them is missing"),
        ("alone", "comes from none of the roots given, or that of an issuer between them is missing"),
    ],
)
def test_why_a_signature_is_not_believed_is_told(keys, blank, name, told):
    made = signing.sign(blank, Key(keys / f"{name}.p12"))
    assert signatures.verify(made)[0].is_trusted is None
    with pytest.raises(VerificationError, match=f"is by [AB].*, whose certificate {told}$"):
        signatures.verify(made, [keys / "root.pem"])


def test_a_timestamp_is_the_time_that_is_told(keys, blank, stamped_in):
    stamped_in(datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC))
    (found,) = signatures.verify(signing.sign(blank, Key(keys / "ada.p12", timestamp="https://clock.example")))
    assert (found.is_timestamped, found.time) == (True, "2026-05-04T03:02:01+00:00")


@pytest.mark.usefixtures("_any_certificate_signs")
@pytest.mark.parametrize(("year", "is_believed"), [(2020, True), (2022, False)])
def test_a_trusted_timestamp_proves_that_a_certificate_had_not_expired(keys, blank, stamped_in, year, is_believed):
    stamped_in(datetime(year, 6, 1, tzinfo=UTC))
    made = signing.sign(blank, Key(keys / "expired.p12", timestamp="https://clock.example"))
    if is_believed:
        assert signatures.verify(made, [keys / "root.pem"])[0].is_trusted
    else:
        with pytest.raises(VerificationError, match="has expired"):
            signatures.verify(made, [keys / "root.pem"])


@pytest.fixture
def talker():
    """The address of a server that answers anything."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(500 if self.path == "/broken" else 200)
            self.send_header("Content-Type", "text/html" if self.path == "/page" else "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "told"), [("broken", "Internal Server Error"), ("page", "text/html"), ("nothing", "Insufficient data")]
)
def test_whatever_a_timestamp_server_answers_is_one_line(keys, blank, talker, path, told):
    with pytest.raises(ConfigError, match=f"nothing was signed: no timestamp came from {talker}/{path}: .*{told}") as e:
        signing.sign(blank, Key(keys / "ada.p12", timestamp=f"{talker}/{path}"))
    assert "\n" not in str(e.value)


def test_what_is_no_address_is_told_before_any_work(keys):
    with pytest.raises(ConfigError, match=r"expected the address of a timestamp server \(https://…\), found clock"):
        signing.require_signer(Key(keys / "ada.p12", timestamp="clock"), signing.SignatureOptions())


def test_what_is_no_certificate_is_no_root(keys, blank):
    made = signing.sign(blank, Key(keys / "ada.p12"))
    for name in ("ada.p12", "gone.pem", "clock.key"):
        with pytest.raises(ConfigError, match=r"a root of trust cannot be read: .*; expected certificates in PEM") as e:
            signatures.verify(made, [keys / name])
        assert "\n" not in str(e.value)
