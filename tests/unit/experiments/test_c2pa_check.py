"""A WAV file against its manifest, its receipt and a registry: each way of being wrong is told apart."""

import json
from dataclasses import replace

import pytest
from signed_pieces import SOURCE, TITLES, some_piece, sound_of

from heritage_experiments.c2pa_check import registry_of, verify_wav
from heritage_models import manifest
from heritage_models.manifest import signed_wav
from heritage_models.manifest_reading import manifest_sha256
from heritage_models.signing_identity import own_identity
from heritage_serving.codec import piece_to_plain
from heritage_sim.base import Consent, InputError, ProvenanceRecord

PIECE = some_piece()
SOURCE_RECORD = ProvenanceRecord(0, bytes.fromhex(SOURCE), 2, int(Consent.ALL), ())
OTHER_RECORD = ProvenanceRecord(1, bytes.fromhex("6d" * 32), 2, int(Consent.ALL), ())
PIECE_RECORD = ProvenanceRecord(2, bytes.fromhex(PIECE.receipt.piece_sha256), 2, int(Consent.ALL), (0,))


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return own_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def wav(tmp_path, identity):
    """A signed file with its receipt beside it."""
    path = tmp_path / "gamelan-001.wav"
    path.write_bytes(signed_wav(sound_of(PIECE), PIECE, TITLES, identity))
    write_receipt(path, PIECE)
    return path


def write_receipt(path, piece):
    path.with_suffix(".json").write_text(json.dumps(piece_to_plain(piece)), encoding="utf-8")


def registry(*records, uses=lambda record: record.consent):
    return registry_of(records, uses)


WHOLE = registry(SOURCE_RECORD, OTHER_RECORD, PIECE_RECORD)


def test_a_file_as_it_was_made_holds_in_every_point(wav, identity):
    found = verify_wav(wav, WHOLE, identity.chain_pem)
    assert [(c.name, c.verdict) for c in found.checks] == [
        (name, "holds") for name in ("manifest", "integrity", "signer", "source", "receipt", "registry", "source")
    ]
    assert found.first_failure == ""
    assert found.manifest_sha256 == manifest_sha256(wav).hex()
    assert "proves integrity, not identity" in found.checks[2].line


def test_what_could_not_be_looked_up_is_said_to_be_unchecked_and_not_to_hold(wav, identity):
    wav.with_suffix(".json").unlink()
    found = verify_wav(wav, None, identity.chain_pem)
    assert {c.name: c.verdict for c in found.checks if c.verdict != "holds"} == {
        "receipt": "not checked",
        "registry": "not checked",
    }
    assert found.first_failure == ""


def test_a_changed_sound_a_stripped_manifest_and_a_foreign_certificate_are_told_apart(wav, identity, tmp_path):
    whole = wav.read_bytes()
    assert "foreign certificate" in verify_wav(wav, WHOLE, "").first_failure
    other = own_identity(tmp_path / "other")
    assert "foreign certificate" in verify_wav(wav, WHOLE, other.chain_pem).first_failure
    wav.write_bytes(whole[:2_000] + bytes([whole[2_000] ^ 1]) + whole[2_001:])
    found = verify_wav(wav, WHOLE, identity.chain_pem)
    assert "its sound is not the one that was signed" in found.first_failure
    assert found.checks[-1].name == "integrity"  # what a changed manifest says is not gone into
    wav.write_bytes(sound_of(PIECE))
    assert "the manifest was stripped" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure
    wav.write_bytes(b"not a sound")
    with pytest.raises(InputError, match="not a WAV file"):
        verify_wav(wav, WHOLE, identity.chain_pem)


def test_a_manifest_that_cannot_be_parsed_fails_and_is_no_fault_of_ours(wav, identity):
    whole = wav.read_bytes()
    at = whole.find(b"C2PA") + 8
    wav.write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
    assert "the manifest cannot be read" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure


def test_a_manifest_lifted_from_another_file_is_seen(wav, identity):
    other = some_piece(first=2)
    lifted = wav.read_bytes()[len(sound_of(PIECE)) :]
    moved = sound_of(other) + lifted
    wav.write_bytes(moved[:4] + (len(moved) - 8).to_bytes(4, "little") + moved[8:])
    assert "its sound is not the one that was signed" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure


def test_ingredients_that_are_not_the_sources_the_piece_names_are_seen(wav, identity, monkeypatch):
    forged_contents = manifest.definition(PIECE, TITLES)
    forged_contents["ingredients"][0]["instance_id"] = "nih:sha-256;" + "6d" * 32
    monkeypatch.setattr(manifest, "definition", lambda piece, titles: forged_contents)
    wav.write_bytes(signed_wav(sound_of(PIECE), PIECE, TITLES, identity))
    assert verify_wav(wav, None, identity.chain_pem).first_failure == (
        "the ingredients 6d6d6d6d6d6d are not the piece's sources 5c5c5c5c5c5c"
    )


def test_a_manifest_of_another_program_is_told_from_ours(wav, identity, monkeypatch):
    others = manifest.definition(PIECE, TITLES)
    others["assertions"][1]["label"] = "com.example.piece"
    monkeypatch.setattr(manifest, "definition", lambda piece, titles: others)
    wav.write_bytes(signed_wav(sound_of(PIECE), PIECE, TITLES, identity))
    assert "written by another program" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure


def test_a_receipt_with_other_notes_or_another_source_is_named(wav, identity):
    write_receipt(wav, some_piece(first=2))
    assert "other notes" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure
    write_receipt(wav, some_piece(sources=("6d" * 32,)))
    assert verify_wav(wav, WHOLE, identity.chain_pem).first_failure == (
        "wrong source: the manifest names 5c5c5c5c5c5c, the receipt 6d6d6d6d6d6d"
    )
    forged = some_piece(first=2)
    write_receipt(wav, replace(forged, receipt=PIECE.receipt))
    assert "are not those of its receipt" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure
    wav.with_suffix(".json").write_text("[]")
    assert "cannot be read" in verify_wav(wav, WHOLE, identity.chain_pem).first_failure


@pytest.mark.parametrize(
    ("found_there", "message"),
    [
        (registry(SOURCE_RECORD), "are not registered"),
        (registry(SOURCE_RECORD, OTHER_RECORD, replace(PIECE_RECORD, parents=(1,))), "wrong source"),
        (registry(SOURCE_RECORD, OTHER_RECORD, replace(PIECE_RECORD, parents=(0, 1))), "wrong source"),
        (registry(SOURCE_RECORD, replace(PIECE_RECORD, manifest_sha256=b"\1" * 32)), "another manifest"),
        (
            registry(SOURCE_RECORD, PIECE_RECORD, uses=lambda r: int(Consent.ALL & ~Consent.DERIVE)),
            "its community does not permit DERIVE",
        ),
    ],
)
def test_what_the_registry_says_otherwise_is_named(wav, identity, found_there, message):
    assert message in verify_wav(wav, found_there, identity.chain_pem).first_failure


def test_a_source_that_nobody_registered_is_named(wav, identity):
    def only_the_piece(content):
        return WHOLE(content) if content == PIECE_RECORD.content_sha256 else ()

    assert verify_wav(wav, only_the_piece, identity.chain_pem).first_failure == (
        "source 'Synthetic balungan 7' (5c5c5c5c5c5c) is not registered"
    )


def test_the_earliest_registration_of_a_source_decides_whether_it_may_be_used(wav, identity):
    withheld = replace(SOURCE_RECORD, consent=int(Consent.PERFORM))
    later = replace(SOURCE_RECORD, work_id=9)
    assert "DERIVE" in verify_wav(wav, registry(withheld, PIECE_RECORD, later), identity.chain_pem).first_failure
    permitted = registry(SOURCE_RECORD, PIECE_RECORD, replace(withheld, work_id=9))
    assert verify_wav(wav, permitted, identity.chain_pem).first_failure == ""


def test_a_registry_that_binds_this_manifest_says_so(wav, identity):
    bound = replace(PIECE_RECORD, manifest_sha256=manifest_sha256(wav))
    found = verify_wav(wav, registry(SOURCE_RECORD, bound), identity.chain_pem)
    assert found.first_failure == ""
    assert any("and this manifest" in c.line for c in found.checks)
