"""A piece's C2PA manifest: what it says, how it gets into a WAV file, and how it is read back.

The manifest says how the sound was made (an action with its IPTC digital source type), from which works (ingredients,
named by the content hash of their notes), and with which model and seed (an assertion of our own). Ingredients carry no
files: scores of the archive are not ours to hand on.

- A generated piece is *created*; its sources are ``inputTo`` the process that made it.
- A performance is a rendition of one work: that work is *opened*, as ``parentOf``.

The signature binds all of it to the bytes of the sound. A manifest can be taken out of a file without a trace, so what
a ledger binds is the content hash of the notes; `manifest_sha256` gives the hash by which it can bind the manifest too.

Nothing here reaches a network: no time is stamped, no manifest fetched, no revocation asked for.

References
----------
C2PA, Content Credentials: C2PA Technical Specification 2.x, assertions ``c2pa.actions.v2`` and ``c2pa.ingredient.v3``.
IPTC NewsCodes, Digital Source Type. RFC 6920, "Naming things with hashes" (``nih:``).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heritage_models.signing_identity import SigningIdentity, require_c2pa
from heritage_sim.base import InputError, Origin, Piece

ASSERTION = "internal.heritage-economy.piece"
"""Label of our own assertion; ``internal`` is reserved for private use, so that nobody's domain is taken in vain."""
ASSERTION_VERSION = 1
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_HASH_NAME = "nih:sha-256;"
_WAV = "audio/wav"
_OFFLINE: dict[str, Any] = {
    "version": 1,
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A work that a piece was made from.

    Parameters
    ----------
    title : str
        Its name for people.
    content_sha256 : str
        Content hash of its notes, hex; empty where the manifest names none.
    relationship : str
        ``inputTo`` or ``parentOf``.
    """

    title: str
    content_sha256: str
    relationship: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file's manifest says, and what its signature is worth.

    Parameters
    ----------
    failures : tuple of (str, str)
        C2PA's codes of what does not hold, with explanations; empty where file and manifest are as they were signed.
    trusted : bool
        Whether the signing certificate comes from one of the given roots.
    signer, serial : str
        Common name and serial number of the signing certificate.
    piece : mapping
        Our own assertion; empty where there is none.
    ingredients : tuple of Ingredient
        In the order of the manifest.
    """

    failures: tuple[tuple[str, str], ...]
    trusted: bool
    signer: str
    serial: str
    piece: Mapping[str, Any]
    ingredients: tuple[Ingredient, ...]


def digital_source_type(piece: Piece) -> str:
    """Return the IPTC term for how the sound of a piece came about.

    A model's piece is trained algorithmic media. A synthetic piece without a model follows rules alone. A transcription
    of real music, played by oscillators, is data made audible.
    """
    if piece.receipt.checkpoint_sha256:
        return SOURCE_TYPES + "trainedAlgorithmicMedia"
    return SOURCE_TYPES + ("algorithmicMedia" if piece.synthetic else "dataDrivenMedia")


def definition(piece: Piece, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return a piece's manifest as the C2PA library takes it, not yet signed.

    Parameters
    ----------
    piece : Piece
        What was made; its receipt names the sources.
    titles : mapping of str to str
        Titles of works by content hash; a source without one is called by its hash.

    Returns
    -------
    dict
    """
    receipt = piece.receipt
    version = importlib.metadata.version("heritage-economy")
    is_rendition = piece.origin is Origin.HUMAN and len(receipt.sources) == 1
    ingredients = [
        {
            "title": titles.get(source, source),
            "instance_id": _HASH_NAME + source,
            "relationship": "parentOf" if is_rendition else "inputTo",
            "label": f"source-{i}",
        }
        for i, source in enumerate(receipt.sources)
    ]
    action: dict[str, Any] = {
        "action": "c2pa.opened" if is_rendition else "c2pa.created",
        "digitalSourceType": digital_source_type(piece),
        "softwareAgent": {"name": "heritage-economy", "version": version},
    }
    if ingredients:
        action["parameters"] = {"ingredientIds": [i["label"] for i in ingredients]}
    own = {
        "version": ASSERTION_VERSION,
        "notes_sha256": receipt.piece_sha256,
        "sources": list(receipt.sources),
        "tradition": piece.tradition,
        "origin": piece.origin.name,
        "synthetic": bool(piece.synthetic),
        "checkpoint_sha256": receipt.checkpoint_sha256,
        "decoding_sha256": receipt.decoding_sha256,
        # As text: seeds have 64 bits, and the library's numbers end at 63.
        "seed": str(int(receipt.seed)),
        "request_id": receipt.request_id,
    }
    return {
        "claim_generator_info": [{"name": "heritage-economy", "version": version}],
        "title": piece.title,
        "format": _WAV,
        "ingredients": ingredients,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": ASSERTION, "data": own},
        ],
    }


def signed_wav(sound: bytes, piece: Piece, titles: Mapping[str, str], identity: SigningIdentity) -> bytes:
    """Return a WAV file with a signed manifest in it; the samples are as they were.

    Parameters
    ----------
    sound : bytes
        The WAV file to sign.
    piece : Piece
        The piece whose sound it is.
    titles : mapping of str to str
        Titles of works by content hash.
    identity : SigningIdentity
        Who signs.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If C2PA does not accept the certificate.
    MissingPartError
        If the extra ``c2pa`` is not installed.
    """
    require_c2pa()
    import c2pa

    signed = io.BytesIO()
    try:
        info = c2pa.C2paSignerInfo(
            identity.algorithm.encode(), identity.chain_pem.encode(), identity.key_pem.encode(), None
        )
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Context.from_dict(_OFFLINE) as context,
            c2pa.Builder(definition(piece, titles), context) as builder,
        ):
            builder.sign(signer, _WAV, io.BytesIO(sound), signed)
    except c2pa.C2paError as error:
        raise InputError(
            f"the piece cannot be signed: {_one_line(error)}",
            f"certificate {identity.name!r}",
            "give a certificate as C2PA wants it (not self-signed, for e-mail protection, valid now) with its chain",
        ) from None
    return signed.getvalue()


def read_manifest(wav: bytes, trusted_pem: str = "") -> Manifest | None:
    """Return what a WAV file's manifest says, or None if there is none in it.

    Parameters
    ----------
    wav : bytes
        The file.
    trusted_pem : str
        Certificates in PEM whose signatures are known; roots included.

    Returns
    -------
    Manifest or None

    Raises
    ------
    InputError
        If the file or the manifest cannot be parsed.
    MissingPartError
        If the extra ``c2pa`` is not installed.
    """
    require_c2pa()
    import c2pa

    settings = _OFFLINE | ({"trust": {"user_anchors": trusted_pem}} if trusted_pem else {})
    if not manifest_store(wav):  # nor is one looked for elsewhere
        return None
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(_WAV, io.BytesIO(wav), context=context) as reader,
        ):
            store = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise InputError(
            f"the manifest cannot be read: {_one_line(error)}", "C2PA manifest", "take the file from its source again"
        ) from None
    active = store["manifests"][store["active_manifest"]]
    found = store.get("validation_results", {}).get("activeManifest", {})
    failures = [
        (f["code"], f.get("explanation", ""))
        for f in found.get("failure", [])
        if f["code"] != "signingCredential.untrusted"
    ]
    if store.get("validation_state") == "Invalid" and not failures:
        failures = [("general.error", "the C2PA library calls it invalid")]
    own = next((a["data"] for a in active.get("assertions", []) if a["label"] == ASSERTION), {})
    signature = active.get("signature_info", {})
    return Manifest(
        failures=tuple(failures),
        trusted=any(s["code"] == "signingCredential.trusted" for s in found.get("success", [])),
        signer=signature.get("common_name") or signature.get("issuer") or "no name",
        serial=signature.get("cert_serial_number", ""),
        piece=own if isinstance(own, dict) else {},
        ingredients=tuple(
            Ingredient(i.get("title", ""), _hash_in(i.get("instance_id", "")), i.get("relationship", ""))
            for i in active.get("ingredients", [])
        ),
    )


def manifest_sha256(path: Path) -> bytes:
    """Return the SHA-256 of a WAV file's manifest store, 32 bytes: what `ProvenanceRecord.manifest_sha256` binds.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        Zeros where there is no manifest in it.

    Raises
    ------
    InputError
        If it cannot be read, or is not a whole RIFF WAVE file.
    """
    store = manifest_store(read_wav(path))
    return hashlib.sha256(store).digest() if store else bytes(32)


def read_wav(path: Path) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path), "check the path") from error


def manifest_store(wav: bytes) -> bytes:
    """Return the manifest store of a WAV file (its RIFF chunk ``C2PA``), empty where it has none.

    Parameters
    ----------
    wav : bytes
        The file.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If it is not a whole RIFF WAVE file, or has more than one.
    """
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise InputError("this is not a WAV file", "RIFF header", "give a file that begins with RIFF....WAVE")
    store = b""
    at, end = 12, 8 + int.from_bytes(wav[4:8], "little")
    while at + 8 <= min(end, len(wav)):
        size = int.from_bytes(wav[at + 4 : at + 8], "little")
        if at + 8 + size > len(wav):
            raise InputError("the WAV file is cut short", f"byte {at}", "take the file from its source again")
        if wav[at : at + 4] == b"C2PA":
            if store:
                # Two readers could take two different ones for the file's.
                raise InputError("there are two manifests in this file", f"byte {at}", "take it from its source again")
            store = wav[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return store


def _hash_in(name: str) -> str:
    """Return the hash that a name by hash holds, empty if it is no such name."""
    return name.removeprefix(_HASH_NAME) if name.startswith(_HASH_NAME) else ""


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
