"""What a manifest says of a piece, that it leaves the sound alone, and that no change of the file goes unseen."""

import hashlib
import io
import wave

import pytest
from signed_pieces import SOURCE, TITLES, some_piece, sound_of

from heritage_models.manifest import definition, digital_source_type, signed_wav
from heritage_models.manifest_reading import Ingredient, manifest_sha256, manifest_store, read_manifest
from heritage_models.signing_identity import own_identity
from heritage_sim.base import InputError, Origin


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return own_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="module")
def signed(identity):
    return signed_wav(sound_of(some_piece()), some_piece(), TITLES, identity)


def samples(wav):
    with wave.open(io.BytesIO(wav)) as file:
        return file.getparams(), file.readframes(file.getnframes())


def test_a_signed_file_sounds_as_before(signed):
    assert samples(signed) == samples(sound_of(some_piece()))


def test_what_is_read_back_is_what_was_made(signed, identity):
    manifest = read_manifest(signed, identity.chain_pem)
    piece = some_piece()
    assert manifest.failures == ()
    assert manifest.trusted
    assert manifest.signer == identity.name
    assert manifest.piece == {
        "version": 1,
        "notes_sha256": piece.notes.sha256(),
        "sources": [SOURCE],
        "tradition": "gamelan",
        "origin": "GENERATED",
        "synthetic": True,
        "checkpoint_sha256": "7e" * 32,
        "decoding_sha256": "de" * 32,
        "seed": "18446744073709551613",
        "request_id": "generate-0",
    }
    assert manifest.ingredients == (Ingredient("Synthetic balungan 7", SOURCE, "inputTo"),)


@pytest.mark.parametrize(
    ("piece", "term"),
    [
        (some_piece(), "trainedAlgorithmicMedia"),
        (some_piece(Origin.ARCHIVE, checkpoint=""), "algorithmicMedia"),
        (some_piece(Origin.HUMAN, checkpoint=""), "algorithmicMedia"),
        (some_piece(Origin.ARCHIVE, checkpoint="", synthetic=False), "dataDrivenMedia"),
    ],
)
def test_how_the_sound_came_about_is_named_by_its_iptc_term(piece, term):
    assert digital_source_type(piece) == f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"


def test_a_generated_piece_is_created_from_inputs_and_a_performance_opens_its_one_parent(identity):
    def first_action(piece):
        return definition(piece, TITLES)["assertions"][0]["data"]["actions"][0]["action"]

    two = some_piece(sources=(SOURCE, "6d" * 32))
    performed = some_piece(Origin.HUMAN, checkpoint="")
    assert first_action(two) == "c2pa.created"
    assert first_action(performed) == "c2pa.opened"
    for piece, relationships in [(two, ["inputTo", "inputTo"]), (performed, ["parentOf"])]:
        # The library refuses to sign what breaks the standard's own rules about first actions and parents.
        manifest = read_manifest(signed_wav(sound_of(piece), piece, TITLES, identity))
        assert manifest.failures == ()
        assert [i.relationship for i in manifest.ingredients] == relationships
        assert [i.content_sha256 for i in manifest.ingredients] == list(piece.receipt.sources)
    untitled = definition(two, TITLES)["ingredients"][1]
    assert untitled["title"] == "6d" * 32


def test_any_byte_that_is_changed_is_seen(signed, identity):
    names_notes = signed.find(some_piece().notes.sha256().encode())
    assert names_notes > 0
    codes = {}
    for where, at in {"sound": 2_000, "assertion": names_notes, "rate": 24}.items():
        changed = bytearray(signed)
        changed[at] ^= 1
        codes[where] = {code for code, _ in read_manifest(bytes(changed), identity.chain_pem).failures}
    assert codes["sound"] == codes["rate"] == {"assertion.dataHash.mismatch"}
    assert codes["assertion"] == {"assertion.hashedURI.mismatch"}
    longer = read_manifest(signed + b"LIST\x00\x00\x00\x00", identity.chain_pem)
    assert {code for code, _ in longer.failures} == {"assertion.dataHash.mismatch"}


def test_a_certificate_is_known_only_by_its_own_root(signed, identity, tmp_path):
    other = own_identity(tmp_path)
    assert read_manifest(signed, other.chain_pem + identity.chain_pem).trusted
    for roots in ("", other.chain_pem):
        manifest = read_manifest(signed, roots)
        assert not manifest.trusted
        assert manifest.failures == ()  # whole it is, all the same


def test_the_manifest_hash_is_that_of_the_store_in_the_file_and_zeros_where_there_is_none(signed, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(signed)
    size = int.from_bytes(signed[signed.find(b"C2PA") + 4 :][:4], "little")
    begin = signed.find(b"C2PA") + 8
    assert signed[begin + 4 : begin + 8] == b"jumb"
    assert manifest_sha256(path) == hashlib.sha256(signed[begin : begin + size]).digest()
    path.write_bytes(sound_of(some_piece()))
    assert manifest_sha256(path) == bytes(32)
    assert read_manifest(path.read_bytes()) is None


def test_the_manifest_is_found_behind_a_chunk_of_odd_length():
    chunks = b"LIST\x03\0\0\0abc\0" + b"C2PA\x05\0\0\0store\0"
    wav = b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks
    assert manifest_store(wav) == b"store"


def test_a_file_that_is_no_whole_wav_or_has_two_manifests_is_refused(signed, tmp_path):
    for bad, reason in [(b"ID3", "not a WAV"), (signed[:-9], "cut short")]:
        with pytest.raises(InputError, match=reason):
            manifest_store(bad)
    chunk = signed[signed.find(b"C2PA") :]
    twice = signed + chunk
    twice = twice[:4] + (len(twice) - 8).to_bytes(4, "little") + twice[8:]
    with pytest.raises(InputError, match="two manifests"):
        manifest_store(twice)
    with pytest.raises(InputError, match="cannot be read"):
        manifest_sha256(tmp_path)
