"""Opens the key with which a report is signed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.report.page.signatures import require_package


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
        ConfigError: the key, the certificate or the passphrase is not there or wrong.
    """
    require_package()
    from pyhanko.sign.signers import SimpleSigner

    text = os.environ.get(key.passphrase_variable)
    passphrase = text.encode() if text else None
    for path in filter(None, (key.path, key.certificate)):
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; expected what a report is signed with")
    if key.path.suffix.lower() in (".p12", ".pfx"):
        signer = _loaded(lambda: SimpleSigner.load_pkcs12(str(key.path), passphrase=passphrase))
    elif key.certificate is None:
        raise ConfigError(f"{key.path}: a key in PEM needs its certificate (--certificate, certificate = …)")
    else:
        signer = _loaded(lambda: _from_pem(key.path, key.certificate, passphrase))
    if signer is None:
        state = "is set" if text else "is not set"
        raise ConfigError(
            f"{key.path}: the key cannot be opened: another format, or another passphrase than that of the variable "
            f"{key.passphrase_variable}, which {state}"
        )
    return _without_roots(signer)


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
