"""Keys and certificates for signatures, made anew each time: of a root, and of whom it vouches for."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

SECRET = b"open sesame"
START = datetime(2020, 1, 1)
PEM = serialization.Encoding.PEM
LOCKED = serialization.BestAvailableEncryption(SECRET)


def certificate(subject, key, issuer, issuer_key, *, is_authority=False, purpose=None, days=11_000, usage=None):
    """A certificate that is valid from 2020 on, by default for thirty years and for signatures."""
    name, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (subject, issuer))
    kind = not is_authority
    usage = usage or x509.KeyUsage(kind, kind, False, False, False, is_authority, is_authority, False, False)
    builder = x509.CertificateBuilder(by, name, key.public_key(), x509.random_serial_number(), START)
    builder = builder.not_valid_after(START + timedelta(days=days)).add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


class Authority:
    """A root, in a folder with what it issues."""

    def __init__(self, folder: Path, name: str = "Example Root", file: str = "root.pem"):
        self.folder, self.name, self.key = folder, name, ec.generate_private_key(ec.SECP256R1())
        self.certificate = certificate(name, self.key, name, self.key, is_authority=True)
        (folder / file).write_bytes(self.certificate.public_bytes(PEM))

    def issue(self, file: str, subject: str, *, encryption=LOCKED, **terms) -> Path:
        """A key with its certificate as PKCS #12, and each alone as PEM beside it."""
        key, path = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{file}.p12"
        made = certificate(subject, key, self.name, self.key, **terms)
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"key", key, made, [self.certificate], encryption))
        path.with_suffix(".key").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption))
        path.with_suffix(".pem").write_bytes(made.public_bytes(PEM) + self.certificate.public_bytes(PEM))
        return path
