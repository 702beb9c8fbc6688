"""What the C2PA manifest in a WAV file says, what its signature is worth, and the hash that binds it.

The manifest store is the RIFF chunk ``C2PA``. It is found by a few lines of our own, because its hash is needed where
the C2PA library is not installed too. Nothing here reaches a network.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heritage_models.manifest import ASSERTION, HASH_NAME, OFFLINE, WAV, one_line
from heritage_models.signing_identity import require_c2pa
from heritage_sim.base import InputError


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

    settings = OFFLINE | ({"trust": {"user_anchors": trusted_pem}} if trusted_pem else {})
    if not manifest_store(wav):  # nor is one looked for elsewhere
        return None
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(WAV, io.BytesIO(wav), context=context) as reader,
        ):
            store = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise InputError(
            f"the manifest cannot be read: {one_line(error)}", "C2PA manifest", "take the file from its source again"
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
    return name.removeprefix(HASH_NAME) if name.startswith(HASH_NAME) else ""
