"""Who signs a manifest: a key and its certificates, the user's own or a self-made test identity.

A self-made identity proves integrity, not who signed: anybody can make one under any name. It is made once, on first
use, and kept in one file that only its owner may read, so that key and certificates can never be of different makes.
The key of its root certificate is thrown away as soon as the signing certificate stands: nothing can be issued by it
later. C2PA wants a signing certificate that is not its own issuer, for e-mail protection or a like purpose, and a key
of P-256 or stronger (C2PA specification 2.x, section "X.509 Certificates").
"""

from __future__ import annotations

import datetime
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from heritage_sim.base import InputError, MissingPartError, StorageError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

REMEDY = "pip install 'heritage-economy[c2pa]'"
SELF_MADE_NAME = "Self-made test certificate"
VALID_DAYS = 3650
"""Long, because nothing is stamped by a time authority: a file is believed only while its certificate is valid."""
_RSA_BITS = 2048
_BETWEEN = "-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A private key and the certificates that go with it.

    Parameters
    ----------
    algorithm : str
        Name in C2PA: ``es256``, ``es384``, ``es512``, ``ps256`` or ``ed25519``.
    chain_pem : str
        Certificates in PEM, the signing one first, its root last.
    key_pem : str
        Private key in PEM (PKCS 8, not encrypted); never shown.
    name : str
        Common name of the signing certificate.
    self_made : bool
        Whether it is the test identity that was made here.
    """

    algorithm: str
    chain_pem: str
    key_pem: str = field(repr=False)
    name: str
    self_made: bool


def own_identity(folder: Path) -> SigningIdentity:
    """Return the self-made identity of a folder, made on first use.

    Parameters
    ----------
    folder : Path
        Private folder; ``identity.pem`` in it holds the key, ``certificates.pem`` what others need to check by.

    Returns
    -------
    SigningIdentity

    Raises
    ------
    InputError
        If others may read the key, or the certificate is no longer valid.
    MissingPartError
        If the extra ``c2pa`` is not installed.
    StorageError
        If the folder cannot be written.
    """
    require_c2pa()
    path = folder / "identity.pem"
    try:
        if not path.exists():
            _make(folder, path)
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise StorageError(
            f"the signing key cannot be kept: {error.strerror}", str(folder), "set HERITAGE_CACHE to a private folder"
        ) from error
    again = "delete the file: a new identity is made on next use; keep certificates.pem to check older files by"
    if mode & 0o077:
        raise InputError("others on this machine may read the private key", str(path), again)
    return _identity(text, text, path, path, self_made=True, remedy=again)


def own_certificates(folder: Path) -> str:
    """Return the certificates in PEM of all identities made in a folder, empty if none was; decodes no key.

    Those of identities that were deleted are kept: what they signed can still be checked.
    """
    parts: list[str] = []
    for path in (folder / "certificates.pem", folder / "identity.pem"):
        if path.exists():
            parts += [c for c in certificates_in(path).split(_BETWEEN) if c.strip() and c not in parts]
    return "".join(c + _BETWEEN for c in parts)


def identity_of(key: Path, certificates: Path) -> SigningIdentity:
    """Return the user's own identity.

    Parameters
    ----------
    key : Path
        Private key in PEM, not encrypted.
    certificates : Path
        Certificates in PEM, the signing one first.

    Returns
    -------
    SigningIdentity

    Raises
    ------
    InputError
        If a file cannot be read, is not what it should be, or key and certificate do not belong together.
    MissingPartError
        If the extra ``c2pa`` is not installed.
    """
    require_c2pa()
    remedy = "give a private key (PEM, not encrypted) and its certificates (PEM, the signing one first, its root last)"
    return _identity(_read(key, remedy), _read(certificates, remedy), key, certificates, self_made=False, remedy=remedy)


def certificates_in(path: Path) -> str:
    """Return the certificates of a PEM file, in PEM and without anything else that is in it.

    Parameters
    ----------
    path : Path
        PEM file.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If there is none.
    """
    remedy = "give a PEM file with the signer's certificates, its root included"
    return _pem(_certificates(_read(path, remedy), path, remedy))


def require_c2pa() -> None:
    """Refuse at once where the extra ``c2pa`` is not installed.

    Raises
    ------
    MissingPartError
        If it is not.
    """
    try:
        import c2pa  # noqa: F401
        import cryptography  # noqa: F401
    except ImportError as error:
        raise MissingPartError("C2PA manifests need c2pa-python, which is not installed", "c2pa", REMEDY) from error


def _identity(
    key_text: str, chain_text: str, key_path: Path, chain_path: Path, self_made: bool, remedy: str
) -> SigningIdentity:
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(key_text.encode(), password=None)
    except (ValueError, TypeError):
        # Not chained: what a parser says about a key file may repeat parts of it.
        raise InputError("this is no private key that can be used", str(key_path), remedy) from None
    algorithm = _algorithm(key)
    if not algorithm:
        what = "C2PA cannot sign with this kind of key"
        raise InputError(what, str(key_path), "P-256, P-384, P-521, Ed25519, or RSA of 2,048 bits or more")
    chain = _certificates(chain_text, chain_path, remedy)
    if chain[0].public_key() != key.public_key():
        raise InputError(f"the first certificate is not that of the key {key_path}", str(chain_path), remedy)
    now = datetime.datetime.now(datetime.UTC)
    if not chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc:
        span = f"from {chain[0].not_valid_before_utc:%Y-%m-%d} to {chain[0].not_valid_after_utc:%Y-%m-%d}"
        raise InputError(f"the signing certificate is valid {span} only", str(chain_path), remedy)
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningIdentity(algorithm, _pem(chain), plain.decode(), _common_name(chain[0]), self_made)


def _algorithm(key: PrivateKeyTypes) -> str:
    """Return C2PA's name for what the key signs with, empty if it signs with nothing C2PA knows."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(key.curve.name, "")
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256" if key.key_size >= _RSA_BITS else ""
    return "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else ""


def _make(folder: Path, path: Path) -> None:
    """Write a new identity whole or not at all; of two made at one moment, the first stays."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Self-made test root", "Self-made test root", root_key, root_key, is_root=True)
    chain = _pem([_certificate(SELF_MADE_NAME, "Self-made test root", key, root_key, is_root=False), root])
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # mkstemp gives 0600 from the start: the key is at no moment readable by others.
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secret.decode() + chain)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        os.unlink(temporary)
    (folder / "certificates.pem").write_text(own_certificates(folder), encoding="ascii")


def _certificate(
    subject: str,
    issuer: str,
    key: PrivateKeyTypes,
    issuer_key: PrivateKeyTypes,
    is_root: bool,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(name: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Nobody in particular (self-made)")
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, name)])

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    # A day back: clocks of those who check may lag.
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _certificates(text: str, path: Path, remedy: str) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise InputError("there is no certificate in this file", str(path), remedy) from None


def _pem(chain: Sequence[x509.Certificate]) -> str:
    from cryptography.hazmat.primitives import serialization

    return "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain)


def _common_name(certificate: x509.Certificate) -> str:
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _read(path: Path, remedy: str) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path), remedy) from error
