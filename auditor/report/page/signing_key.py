"""Opens the key with which a report is signed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.report.page.signatures import is_for_signatures, name_of, require_package


@dataclass(frozen=True, slots=True)
class Key:
    """Where the key lies, and how it is opened."""

    path: Path
    """PKCS #12 (`.p12`, `.pfx`) with key and certificate; else a key in PEM."""
    certificate: Path | None = None
    """In PEM, for a key in PEM; certificates of issuers may follow in the same file."""
    passphrase_variable: str = "AUDITOR_SIGNING_PASSPHRASE"
    """The variable of the environment that holds the passphrase; unset for a key without one."""
    timestamp: str | None = None
    """Address of a timestamp server (RFC 3161)."""


def open_signer(key: Key) -> Any:
    """PyHanko's signer with this key.

    Raises:
        InstallationError: pyHanko is not installed.
        ConfigError: the key, the certificate or the passphrase is not there or wrong, or nobody could trust it.
    """
    require_package()
    for path in filter(None, (key.path, key.certificate)):
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; expected what a report is signed with")
    text = os.environ.get(key.passphrase_variable)
    tried = (text.encode(), None) if text else (None,)  # one may be set for a key that needs none
    signer = next(filter(None, (_opened(key, passphrase) for passphrase in tried)), None)
    if signer is None:
        state = "is set" if text else "is not set"
        raise ConfigError(
            f"{key.path}: the key or its certificate cannot be opened: another format, or another passphrase than "
            f"that of the variable {key.passphrase_variable}, which {state}"
        )
    _require_usable(key.certificate or key.path, signer)
    return _without_roots(signer)


def _opened(key: Key, passphrase: bytes | None) -> Any:
    """The signer; None where this passphrase does not open it."""
    from pyhanko.sign.signers import SimpleSigner

    if key.path.suffix.lower() in (".p12", ".pfx"):
        _require_both(key.path, passphrase)
        return _loaded(lambda: SimpleSigner.load_pkcs12(str(key.path), passphrase=passphrase))
    if key.certificate is None:
        raise ConfigError(f"{key.path}: a key in PEM needs its certificate (--certificate, certificate = …)")
    return _loaded(lambda: _from_pem(key.path, key.certificate, passphrase))


def _require_both(path: Path, passphrase: bytes | None) -> None:
    """Refuses PKCS #12 that can be opened and lacks the key or its certificate.

    Raises:
        ConfigError: one is not there.
    """
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    opened = _loaded(lambda: load_key_and_certificates(path.read_bytes(), passphrase))
    if opened and not all(opened[:2]):
        lacking = "a key" if opened[0] is None else "the certificate of its key"
        raise ConfigError(f"{path}: expected a key with its certificate, found a file without {lacking}")


def _require_usable(path: Path, signer: Any) -> None:
    """Refuses a certificate with which nobody could trust the signature.

    Raises:
        ConfigError: it is of another key, is not valid now, or is not made for signatures.
    """
    from cryptography.hazmat.primitives.serialization import load_der_private_key
    from cryptography.x509 import load_der_x509_certificate

    certificate, now = signer.signing_cert, datetime.now(UTC)
    whose = f"{path}: the certificate of {name_of(certificate)}"
    if load_der_private_key(signer.signing_key.dump(), None).public_key() != (
        load_der_x509_certificate(certificate.dump()).public_key()
    ):
        raise ConfigError(f"{whose} is of another key")
    if not certificate.not_valid_before <= now <= certificate.not_valid_after:
        first, last = certificate.not_valid_before, certificate.not_valid_after
        raise ConfigError(f"{whose} is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d}, and not today")
    if not is_for_signatures(certificate):
        allowed = ", ".join(sorted(certificate.key_usage_value.native)).replace("_", " ")
        raise ConfigError(f"{whose} is not made for signatures, but for {allowed}")


def _without_roots(signer: Any) -> Any:
    """The signer, without certificates that vouch for themselves beside his own: they prove nothing in a signature."""
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    certificate_of_signer, store = signer.signing_cert, SimpleCertificateStore()
    store.register_multiple(
        [one for one in signer.cert_registry if one == certificate_of_signer or one.subject != one.issuer]
    )
    return SimpleSigner(signing_cert=certificate_of_signer, signing_key=signer.signing_key, cert_registry=store)


def _from_pem(path: Path, certificate: Path | None, passphrase: bytes | None) -> Any:
    """A signer of a key and its certificate, those of its issuers behind it."""
    from pyhanko.keys import load_certs_from_pemder, load_private_key_from_pemder
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    certificate_of_signer, *issuers = load_certs_from_pemder([str(certificate)])
    store = SimpleCertificateStore()
    store.register_multiple(issuers)
    return SimpleSigner(
        signing_cert=certificate_of_signer,
        signing_key=load_private_key_from_pemder(str(path), passphrase=passphrase),
        cert_registry=store,
    )


def _loaded(load: Callable[[], Any]) -> Any:
    """What pyHanko loads; None where it cannot."""
    try:
        return load()
    except (OSError, ValueError, TypeError):
        return None
