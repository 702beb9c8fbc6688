"""A WAV file against what it claims: its manifest, the receipt beside it, and a registry of works.

A signature shows that sound and manifest are as they were signed, and nothing about who signed unless the certificate
is known. That its sources may be used stands in no file: it is asked of a registry, by content hash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heritage_sim.base import Consent, ProvenanceRecord

if TYPE_CHECKING:
    from heritage_models.manifest_reading import Manifest
    from heritage_sim.base import Piece

Verdict = Literal["holds", "FAILS", "not checked"]
NO_MANIFEST = bytes(32)
_TAMPERED = {
    "assertion.dataHash.mismatch": "the file was changed after it was signed: its sound is not the one that was signed",
    "assertion.hashedURI.mismatch": "the manifest was changed after it was signed: an assertion is not the signed one",
    "assertion.missing": "the manifest was changed after it was signed: an assertion was taken out",
    "claimSignature.mismatch": "the manifest was changed after it was signed: the signature is not of this manifest",
    "claimSignature.outsideValidity": "the certificate was not valid when the manifest was signed",
    "signingCredential.expired": "the signing certificate has expired",
}


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registry says of one work.

    Parameters
    ----------
    uses : int
        `Consent` flags in force for it.
    parents : tuple of bytes
        Content hashes of the works it derives from.
    manifest_sha256 : bytes
        32 bytes, the hash of its manifest; zeros where none is bound.
    """

    uses: int
    parents: tuple[bytes, ...]
    manifest_sha256: bytes = NO_MANIFEST


Registry = Callable[[bytes], Sequence[Registered]]
"""From a content hash (32 bytes) to the works registered with it, the earliest first; none: not registered."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What: ``manifest``, ``integrity``, ``signer``, ``receipt``, ``registry`` or ``source``.
    verdict : str
        ``holds``, ``FAILS`` or ``not checked``.
    line : str
        What was found, in words.
    """

    name: str
    verdict: Verdict
    line: str


@dataclass(frozen=True, slots=True)
class WavCheck:
    """What the look at a file found.

    Parameters
    ----------
    path : str
        The file.
    manifest_sha256 : str
        Hash of its manifest store, hex; zeros where there is none.
    checks : tuple of Check
        In the order in which they were made.
    """

    path: str
    manifest_sha256: str
    checks: tuple[Check, ...]

    @property
    def first_failure(self) -> str:
        """Return the line of the first check that fails, empty if none does."""
        return next((c.line for c in self.checks if c.verdict == "FAILS"), "")


def registry_of(records: Iterable[ProvenanceRecord], uses: Callable[[ProvenanceRecord], int]) -> Registry:
    """Return the registry that provenance records make.

    Parameters
    ----------
    records : iterable of ProvenanceRecord
        In the order of their registration.
    uses : callable
        From a record to the `Consent` flags in force for it: its own narrowed by its community's labels.

    Returns
    -------
    callable
    """
    by_id = {r.work_id: r for r in records}
    found: dict[bytes, list[Registered]] = {}
    for r in by_id.values():
        parents = tuple(by_id[p].content_sha256 for p in r.parents)
        found.setdefault(r.content_sha256, []).append(Registered(uses(r), parents, r.manifest_sha256))
    return lambda content: found.get(content, ())


def verify_wav(path: Path, registered: Registry | None = None, trusted_pem: str = "") -> WavCheck:
    """Return what holds of a WAV file: its manifest, its signer, its receipt, its place in the registry, its sources.

    The receipt is looked for beside it (``NAME.json`` of ``NAME.wav``, as ``heritage generate`` writes it). Nothing
    after a broken manifest is looked at: what it says could be anybody's.

    Parameters
    ----------
    path : Path
        The file.
    registered : callable, optional
        The registry; without it nothing is said about registration and consent.
    trusted_pem : str
        Certificates in PEM whose signatures are known.

    Returns
    -------
    WavCheck

    Raises
    ------
    InputError
        If the file cannot be read or is not a WAV file.
    MissingPartError
        If the extra ``c2pa`` is not installed.
    """
    from heritage_models.manifest_reading import manifest_sha256, read_manifest, read_wav
    from heritage_sim.base import InputError

    digest = manifest_sha256(path)

    def found(*checks: Check) -> WavCheck:
        return WavCheck(str(path), digest.hex(), checks)

    try:
        manifest = read_manifest(read_wav(path), trusted_pem)
    except InputError as error:
        return found(Check("manifest", "FAILS", error.what))
    if manifest is None:
        stripped = "no manifest: it was never signed, or the manifest was stripped; the notes' registration binds"
        return found(Check("manifest", "FAILS", stripped))
    there = Check("manifest", "holds", "there is one in the file")
    if manifest.failures:
        code, explanation = manifest.failures[0]
        return found(there, Check("integrity", "FAILS", _TAMPERED.get(code, f"{code}: {explanation}")))
    whole = Check("integrity", "holds", "sound and manifest are as they were signed")
    if "notes_sha256" not in manifest.piece:
        foreign = "the manifest was written by another program: it names no notes"
        return found(there, whole, _signer(manifest), Check("receipt", "FAILS", foreign))
    checks = [there, whole, _signer(manifest), _sources_agree(manifest), _receipt(manifest, path.with_suffix(".json"))]
    if registered is None:
        checks.append(
            Check("registry", "not checked", "no registry given: neither registration nor consent was looked up")
        )
    else:
        checks += [_registration(manifest, digest, registered), *_permissions(manifest, registered)]
    return found(*checks)


def _signer(manifest: Manifest) -> Check:
    who = f"{manifest.signer!r}, serial {manifest.serial}"
    if not manifest.trusted:
        return Check("signer", "FAILS", f"a foreign certificate: {who} comes from no root that is known here")
    return Check("signer", "holds", f"a known certificate: {who} (one made by oneself proves integrity, not identity)")


def _sources_agree(manifest: Manifest) -> Check:
    """Return whether the ingredients are the sources that the piece's own assertion names."""
    named = [str(s) for s in manifest.piece.get("sources", [])]
    shown = [i.content_sha256 for i in manifest.ingredients]
    if named != shown:
        return Check("source", "FAILS", f"the ingredients {_short(shown)} are not the piece's sources {_short(named)}")
    titles = ", ".join(f"{i.title} ({i.relationship})" for i in manifest.ingredients) or "none"
    return Check("source", "holds", f"sources: {titles}")


def _receipt(manifest: Manifest, beside: Path) -> Check:
    """Return whether the receipt beside the file, and the notes in it, are those of the manifest."""
    if not beside.is_file():
        return Check("receipt", "not checked", f"no receipt beside the file ({beside.name})")
    try:
        piece = _read_piece(beside)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Check("receipt", "FAILS", f"the receipt {beside.name} cannot be read: {type(error).__name__}")
    signed = manifest.piece["notes_sha256"]
    if piece.notes.sha256() != piece.receipt.piece_sha256:
        return Check("receipt", "FAILS", f"the notes in {beside.name} are not those of its receipt")
    if piece.receipt.piece_sha256 != signed:
        return Check(
            "receipt",
            "FAILS",
            f"other notes: the manifest names {_short([signed])}, the receipt {_short([piece.receipt.piece_sha256])}",
        )
    sources = [i.content_sha256 for i in manifest.ingredients]
    if list(piece.receipt.sources) != sources:
        return Check(
            "receipt",
            "FAILS",
            f"wrong source: the manifest names {_short(sources)}, the receipt {_short(piece.receipt.sources)}",
        )
    return Check("receipt", "holds", f"notes {_short([signed])} are those of the receipt {beside.name}")


def _read_piece(path: Path) -> Piece:
    from heritage_serving.codec import piece_from_plain

    return piece_from_plain(json.loads(path.read_text(encoding="utf-8")))


def _registration(manifest: Manifest, digest: bytes, registered: Registry) -> Check:
    """Return whether the piece is registered, with these sources and, where one is bound, with this manifest."""
    content = _hash_bytes(manifest.piece["notes_sha256"])
    works = registered(content)
    short = _short([content.hex()])
    if not works:
        return Check("registry", "FAILS", f"notes {short} are not registered")
    sources = {_hash_bytes(i.content_sha256) for i in manifest.ingredients}
    of_these = [w for w in works if set(w.parents) == sources]
    if not of_these:
        parents = _short([p.hex() for p in works[0].parents])
        given = _short([s.hex() for s in sorted(sources)])
        return Check("registry", "FAILS", f"wrong source: the manifest names {given}, the registry {parents}")
    if not any(w.manifest_sha256 in (NO_MANIFEST, digest) for w in of_these):
        return Check("registry", "FAILS", f"another manifest: the registry binds notes {short} to a different one")
    bound = any(w.manifest_sha256 == digest for w in of_these)
    return Check("registry", "holds", f"notes {short} are registered with these sources{' and this manifest' * bound}")


def _permissions(manifest: Manifest, registered: Registry) -> list[Check]:
    """Return for each source whether it is registered and may be derived from; its earliest registration decides."""
    checks: list[Check] = []
    for i in manifest.ingredients:
        named = f"source {i.title!r} ({_short([i.content_sha256])})"
        works = registered(_hash_bytes(i.content_sha256))
        if not works:
            checks.append(Check("source", "FAILS", f"{named} is not registered"))
        elif not Consent(works[0].uses) & Consent.DERIVE:
            checks.append(Check("source", "FAILS", f"{named} is registered, and its community does not permit DERIVE"))
        else:
            checks.append(Check("source", "holds", f"{named} is registered and permits DERIVE"))
    return checks


def _hash_bytes(text: object) -> bytes:
    """Return the bytes of a hash in hex; what is no hash is no key of any registry."""
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return b""


def _short(hashes: Sequence[str]) -> str:
    return ", ".join(h[:12] or "(no hash)" for h in hashes) or "none"
