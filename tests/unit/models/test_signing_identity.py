"""Whose key signs: made once, read by nobody else, and what cannot sign is refused with a reason."""

import datetime
import stat
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from heritage_models.manifest import try_out
from heritage_models.signing_identity import certificates_in, identity_of, own_certificates, own_identity
from heritage_sim.base import InputError, MissingPartError

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def key_pem(key, encryption=None):
    return key.private_bytes(PEM, PKCS8, encryption or serialization.NoEncryption())


def certificate(key, days=10):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=20)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(begin)
    return builder.not_valid_after(begin + datetime.timedelta(days=20 + days)).sign(key, hashes.SHA256())


def files(folder, key, cert_key=None, days=10, encryption=None):
    (folder / "key.pem").write_bytes(key_pem(key, encryption))
    (folder / "cert.pem").write_bytes(certificate(cert_key or key, days).public_bytes(PEM))
    return folder / "key.pem", folder / "cert.pem"


def test_a_self_made_identity_is_made_once_and_only_its_owner_may_read_the_key(tmp_path):
    folder = tmp_path / "c2pa"
    first, second = own_identity(folder), own_identity(folder)
    assert first == second
    assert first.self_made
    assert stat.S_IMODE((folder / "identity.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(p.name for p in folder.iterdir()) == ["certificates.pem", "identity.pem"]


def test_the_root_that_is_handed_out_issued_the_signing_certificate_and_no_key_of_it_is_kept(tmp_path):
    identity = own_identity(tmp_path)
    leaf, root = x509.load_pem_x509_certificates(own_certificates(tmp_path).encode())
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    kept = (tmp_path / "identity.pem").read_text()
    assert kept.count("PRIVATE KEY-----") == 2  # one key: begin and end
    key = serialization.load_pem_private_key(identity.key_pem.encode(), None)
    assert key.public_key() == leaf.public_key() != root.public_key()


def test_the_key_is_in_no_text_that_is_shown(tmp_path):
    identity = own_identity(tmp_path)
    secret = identity.key_pem.splitlines()[1]
    assert secret in (tmp_path / "identity.pem").read_text()
    assert secret not in repr(identity)
    assert secret not in own_certificates(tmp_path)
    assert "PRIVATE" not in certificates_in(tmp_path / "identity.pem")


def test_a_key_that_others_may_read_is_refused(tmp_path):
    own_identity(tmp_path)
    (tmp_path / "identity.pem").chmod(0o644)
    with pytest.raises(InputError, match="others on this machine") as caught:
        own_identity(tmp_path)
    assert "delete the file" in caught.value.remedy


def test_certificates_of_a_deleted_identity_are_kept_beside_those_of_the_new_one(tmp_path):
    old = own_identity(tmp_path)
    (tmp_path / "identity.pem").unlink()
    new = own_identity(tmp_path)
    assert new.key_pem != old.key_pem
    assert own_certificates(tmp_path) == old.chain_pem + new.chain_pem
    (tmp_path / "certificates.pem").unlink()
    assert own_certificates(tmp_path) == new.chain_pem


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
)
def test_the_algorithm_follows_from_the_key(tmp_path, key, algorithm):
    identity = identity_of(*files(tmp_path, key))
    assert (identity.algorithm, identity.name, identity.self_made) == (algorithm, "Somebody", False)


def test_a_key_that_cannot_sign_is_refused_with_the_file_and_the_reason(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InputError, match="cannot be read") as caught:
        identity_of(tmp_path / "nowhere.pem", tmp_path / "cert.pem")
    assert caught.value.where.endswith("nowhere.pem")
    with pytest.raises(InputError, match="no private key"):
        identity_of(*files(tmp_path, key, encryption=serialization.BestAvailableEncryption(b"word")))
    with pytest.raises(InputError, match="not that of the key"):
        identity_of(*files(tmp_path, key, cert_key=ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(InputError, match="valid from"):
        identity_of(*files(tmp_path, key, days=-1))
    with pytest.raises(InputError, match="this kind of key"):
        identity_of(*files(tmp_path, ec.generate_private_key(ec.SECP256K1())))
    files(tmp_path, key)
    (tmp_path / "cert.pem").write_text("nothing")
    with pytest.raises(InputError, match="no certificate"):
        identity_of(tmp_path / "key.pem", tmp_path / "cert.pem")


def test_a_certificate_without_a_purpose_is_tried_out_and_refused_before_anything_is_made(tmp_path):
    try_out(own_identity(tmp_path / "c2pa"))
    with pytest.raises(InputError, match="C2PA does not sign with this certificate") as caught:
        try_out(identity_of(*files(tmp_path, ec.generate_private_key(ec.SECP256R1()))))
    assert "PRIVATE" not in str(caught.value)


def test_without_the_extra_one_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(MissingPartError) as caught:
        own_identity(tmp_path / "c2pa")
    assert "heritage-economy[c2pa]" in caught.value.remedy
    assert not (tmp_path / "c2pa").exists()
