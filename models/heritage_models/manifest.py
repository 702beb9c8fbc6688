"""A piece's C2PA manifest: what it says, and how it gets into a WAV file.

The manifest says how the sound was made (an action with its IPTC digital source type), from which works (ingredients,
named by the content hash of their notes), and with which model and seed (an assertion of our own). Ingredients carry no
files: scores of the archive are not ours to hand on.

- A generated or retrieved piece is *created*; its sources are ``inputTo`` the process that made it.
- A performance is a rendition of one work: that work is *opened*, as ``parentOf``.

The signature binds all of it to the bytes of the sound. A manifest can be taken out of a file without a trace, so what
a ledger binds is the content hash of the notes; `manifest_reading.manifest_sha256` gives the hash by which it can bind
the manifest too.

Nothing here reaches a network: no time is stamped, no manifest fetched, no revocation asked for.

References
----------
C2PA, Content Credentials: C2PA Technical Specification 2.x, assertions ``c2pa.actions.v2`` and ``c2pa.ingredient.v3``.
IPTC NewsCodes, Digital Source Type. RFC 6920, "Naming things with hashes" (``nih:``).
"""

from __future__ import annotations

import importlib.metadata
import io
import wave
from collections.abc import Mapping
from typing import Any

from heritage_models.signing_identity import SigningIdentity, require_c2pa
from heritage_sim.base import InputError, Origin, Piece

ASSERTION = "internal.heritage-economy.piece"
"""Label of our own assertion; ``internal`` is reserved for private use, so that nobody's domain is taken in vain."""
ASSERTION_VERSION = 1
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
HASH_NAME = "nih:sha-256;"
"""What the name of a work by its content hash begins with."""
WAV = "audio/wav"
"""Media type of the files."""
OFFLINE: dict[str, Any] = {
    "version": 1,
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
"""Settings of the C2PA library under which it asks no network for anything."""


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
    is_rendition = piece.origin is Origin.HUMAN and len(receipt.sources) == 1
    ingredients = [
        {
            "title": titles.get(source, source),
            "instance_id": HASH_NAME + source,
            "relationship": "parentOf" if is_rendition else "inputTo",
            "label": f"source-{i}",
        }
        for i, source in enumerate(receipt.sources)
    ]
    action: dict[str, Any] = {
        "action": "c2pa.opened" if is_rendition else "c2pa.created",
        "digitalSourceType": digital_source_type(piece),
        "softwareAgent": _generator(),
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
        "claim_generator_info": [_generator()],
        "title": piece.title,
        "format": WAV,
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
    return _signed(definition(piece, titles), sound, identity)


def try_out(identity: SigningIdentity) -> None:
    """Sign a moment of silence, so that a certificate that C2PA does not accept is known before anything is composed.

    Parameters
    ----------
    identity : SigningIdentity
        Who is to sign.

    Raises
    ------
    InputError
        If C2PA does not accept the certificate.
    MissingPartError
        If the extra ``c2pa`` is not installed.
    """
    silence = io.BytesIO()
    with wave.open(silence, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(2))
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "algorithmicMedia"}
    assertion = {"label": "c2pa.actions.v2", "data": {"actions": [created]}}
    _signed({"claim_generator_info": [_generator()], "assertions": [assertion]}, silence.getvalue(), identity)


def _signed(contents: dict[str, Any], sound: bytes, identity: SigningIdentity) -> bytes:
    require_c2pa()
    import c2pa

    signed = io.BytesIO()
    try:
        info = c2pa.C2paSignerInfo(
            identity.algorithm.encode(), identity.chain_pem.encode(), identity.key_pem.encode(), None
        )
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Context.from_dict(OFFLINE) as context,
            c2pa.Builder(contents, context) as builder,
        ):
            builder.sign(signer, WAV, io.BytesIO(sound), signed)
    except c2pa.C2paError as error:
        raise InputError(
            f"C2PA does not sign with this certificate: {one_line(error)}",
            f"certificate {identity.name!r}",
            "give one that another certificate issued, for e-mail protection, with that other in the same file",
        ) from None
    return signed.getvalue()


def _generator() -> dict[str, str]:
    return {"name": "heritage-economy", "version": importlib.metadata.version("heritage-economy")}


def one_line(error: Exception) -> str:
    """Return what an error says, on one line."""
    return " ".join(str(error).split())
