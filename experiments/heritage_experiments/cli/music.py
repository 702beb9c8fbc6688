"""``heritage generate``, ``heritage train`` and ``heritage serve``: the generator outside an economy."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.options import Json, Sets, console_for, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heritage_experiments.scenario import Scenario
    from heritage_models.signing_identity import SigningIdentity
    from heritage_models.traditions.tradition import Tradition
    from heritage_sim.base import Piece

QUICKSTART = Path("experiments/scenarios/quickstart.yaml")
ScenarioOption = Annotated[
    Path | None,
    typer.Option(
        "--scenario",
        help="Take traditions and generator from this scenario. Without it and --tradition: the quickstart's.",
        show_default=False,
    ),
]


def generate(
    tradition: Annotated[
        str, typer.Option("--tradition", help="gamelan, chinese, panpipes, an imported one, or one of --scenario.")
    ],
    num: Annotated[int, typer.Option("--num", help="Pieces.", min=1, max=10_000)] = 3,
    out: Annotated[
        Path, typer.Option("--out", help="Folder to write to; files of the same names are replaced.")
    ] = Path("pieces"),
    finalis_hz: Annotated[
        float, typer.Option("--finalis-hz", help="Frequency of the finalis in hertz.", min=20.0, max=2_000.0)
    ] = 220.0,
    take: Annotated[int, typer.Option("--take", help="Which of the possible pieces on each source.", min=0)] = 0,
    wav: Annotated[
        bool, typer.Option("--wav/--no-wav", help="Write the sound too, or notes and receipt alone.")
    ] = True,
    c2pa: Annotated[
        bool, typer.Option("--c2pa", help="Sign each WAV file: a C2PA manifest that names sources, model and seed.")
    ] = False,
    c2pa_key: Annotated[
        Path | None,
        typer.Option(
            "--c2pa-key", help="Sign with this private key (PEM); without it: a self-made one.", show_default=False
        ),
    ] = None,
    c2pa_cert: Annotated[
        Path | None,
        typer.Option("--c2pa-cert", help="The key's certificates (PEM), the signing one first.", show_default=False),
    ] = None,
    scenario: ScenarioOption = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Compose pieces: each as a WAV file, rendered from exact cents, and as JSON with notes and receipt."""
    from heritage_experiments.cache import cache_dir
    from heritage_experiments.wiring import Surroundings, corpora_of, generator_for
    from heritage_sim.base import Commission, InputError

    if not wav and (c2pa or c2pa_key is not None):
        raise InputError("there is no sound to sign", "--no-wav", "write it (--wav), or leave --c2pa out")
    # Before anything is trained: a key that cannot sign should cost no wait.
    identity = _identity(c2pa, c2pa_key, c2pa_cert)
    wanted = _scenario(scenario, tradition, sets)
    names = [t.name for t in wanted.traditions]
    if tradition not in names:
        raise InputError(
            f"the scenario has no tradition {tradition!r}", f"--tradition {tradition}", f"one of: {', '.join(names)}"
        )
    with console_for(as_json) as console:
        from heritage_experiments.display import RunDisplay

        cache = cache_dir()
        with RunDisplay(console, {}, {}) as display:
            corpus = corpora_of(wanted.traditions, wanted.seed, cache)[tradition]
            generator = generator_for(wanted, Surroundings(cache), display.preparing)
        takes = wanted.generator.takes
        if take >= takes:
            raise InputError(
                f"there is no take {take}", f"--take {take}", f"from 0 to {takes - 1}, or --set generator.takes=..."
            )
        sources = [p.receipt.piece_sha256 for p in corpus.pieces]
        if num > len(sources) * (takes - take):
            raise InputError(
                f"{num} pieces are more than {len(sources)} sources have",
                f"--num {num}",
                f"at most {len(sources) * (takes - take)}",
            )
        commissions = [
            Commission(f"generate-{i}", tradition, sources[i % len(sources)], take + i // len(sources))
            for i in range(num)
        ]
        kind = next(t.kind for t in wanted.traditions if t.name == tradition)
        titles = {p.receipt.piece_sha256: p.title for p in corpus.pieces}
        written = [
            _write(
                piece,
                out,
                f"{tradition}-{i + 1:03d}",
                _signed(_sound(piece, kind, corpus.tradition, finalis_hz), piece, titles, identity) if wav else None,
                identity,
            )
            for i, piece in enumerate(generator.compose(commissions))
        ]
    if as_json:
        print_json(written)
        return
    for piece in written:
        path, mark = piece["wav"] or piece["notes"], ", synthetic" * piece["synthetic"]
        print(f"{path}  {piece['duration_s']:.1f} s  {piece['title']}{mark}")
        broken = "1 rule violation" if piece["num_violations"] == 1 else f"{piece['num_violations']} rule violations"
        where = f"notes and receipt in {Path(piece['notes']).name}"
        print(f"  {broken}; consistency with the archive {piece['consistency']:.2f} of 1; {where}")
    if identity is not None:
        print(f"signed (C2PA) with the certificate {identity.name!r}; check with: heritage ledger verify FILE.wav")
        if identity.self_made:
            print("  it is self-made: it proves that a file is as it was signed, not who signed it")
        print("  a manifest can be stripped from a file; what stays is the hash of the notes, in the registry")


def train(
    scenario: ScenarioOption = None,
    tradition: Annotated[str, typer.Option("--tradition", help="Train on one tradition instead of a scenario's.")] = "",
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Train the generator of a scenario (a fixed number of steps), or find it in the cache; show how it compares."""
    from heritage_experiments.cache import cache_dir
    from heritage_experiments.display import RunDisplay
    from heritage_experiments.wiring import corpora_of
    from heritage_models.generator import train as train_model

    wanted = _scenario(scenario, tradition, sets)
    with console_for(as_json) as console, RunDisplay(console, {}, {}) as display:
        corpora = corpora_of(wanted.traditions, wanted.seed, cache_dir())
        record = train_model(wanted.generator, corpora, cache_dir(), display.preparing)
    if as_json:
        print_json(asdict(record))
        return
    print(f"checkpoint  {record.checkpoint_sha256[:16]}  {record.path}")
    print(f"model       {record.num_parameters:,} weights, {record.steps} steps")
    print(f"archive     {record.train_pieces} pieces to learn from, {record.held_out_pieces} held out")
    print("held-out loss in nats per event (lower is better):")
    print(f"  told tradition, cycle and finalis  {record.nll_conditioned:.3f}")
    print(f"  told nothing                       {record.nll_unconditioned:.3f}")
    print(f"  5-gram on the same tokens          {record.nll_ngram:.3f}")
    for name, (network, ngram) in record.nll_by_tradition.items():
        print(f"  of it on {name}: model {network:.3f}, 5-gram {ngram:.3f}")


def serve(
    scenario: ScenarioOption = None,
    tradition: Annotated[str, typer.Option("--tradition", help="Serve one tradition instead of a scenario's.")] = "",
    sets: Sets = None,
    for_s: Annotated[float, typer.Option("--for", help="Seconds to serve; 0 until it is interrupted.", min=0.0)] = 0.0,
    as_json: Json = False,
) -> None:
    """Serve the generator over HTTP on 127.0.0.1 (Ray Serve) until it is interrupted."""
    import threading
    from functools import partial

    from heritage_experiments.cache import cache_dir
    from heritage_experiments.display import RunDisplay
    from heritage_experiments.wiring import corpora_of, served_generator
    from heritage_serving.session import http_service

    wanted = _scenario(scenario, tradition, sets)
    cache = cache_dir()
    with console_for(as_json) as console, RunDisplay(console, {}, {}) as display:
        display.preparing("Loading the generator", 0, 1)
        checkpoint = served_generator(wanted.generator, wanted.traditions, wanted.seed, cache).checkpoint_sha256
        source = (
            corpora_of(wanted.traditions, wanted.seed, cache)[wanted.traditions[0].name].pieces[0].receipt.piece_sha256
        )
    factory = partial(served_generator, wanted.generator, wanted.traditions, wanted.seed, cache)
    with http_service(factory, wanted.serving) as address:
        try:
            if as_json:
                print_json({"address": address, "checkpoint_sha256": checkpoint, "example_source": source})
            else:
                print(f"serving at {address} (checkpoint {checkpoint[:16]}); Ctrl-C stops it")
                print(f"a source to build on: {source}", flush=True)
            threading.Event().wait(for_s or None)
        except KeyboardInterrupt:
            if not as_json:
                print("stopping", flush=True)


def _scenario(path: Path | None, tradition: str, sets: list[str] | None) -> Scenario:
    from heritage_experiments.scenario_load import check_source, load_scenario
    from heritage_experiments.scenario_source import Source

    if path is not None:
        return load_scenario(path, sets or ())
    if not tradition and QUICKSTART.is_file():
        return load_scenario(QUICKSTART, sets or ())
    from heritage_models.traditions.tradition import BUILT_IN

    kind = tradition if tradition in BUILT_IN else "imported"
    names = [(tradition, kind)] if tradition else [(name, name) for name in BUILT_IN]
    data: dict[str, Any] = {
        "name": "generate",
        "traditions": [{"name": name, "kind": k} for name, k in names],
        "communities": [{"name": name.title(), "tradition": name} for name, _ in names],
        "generator": {"kind": "transformer"},
    }
    source = Source(data=data, name="heritage generate")
    for argument in sets or ():
        source.assign(argument)
    return check_source(source)


def _sound(piece: Piece, kind: str, tradition: Tradition, finalis_hz: float) -> bytes:
    """Return a piece as a WAV file, in the timbre that stands for its kind of tradition."""
    from heritage_models.audio import TIMBRE_OF_KIND, wav_bytes
    from heritage_sim.base import InputError

    try:
        return wav_bytes(piece.notes, TIMBRE_OF_KIND.get(kind, "plucked"), finalis_hz)
    except InputError as error:
        raise InputError(
            error.what,
            f"tradition {tradition.name!r}, tuning {tradition.tuning.name!r}",
            f"see its cents: heritage corpus show {tradition.name}; or lower --finalis-hz (now {finalis_hz:g})",
        ) from error


def _identity(wanted: bool, key: Path | None, certificates: Path | None) -> SigningIdentity | None:
    """Return who signs, None if nothing is to be signed."""
    from heritage_sim.base import InputError

    if (key is None) != (certificates is None):
        raise InputError("a key and its certificates come together", "--c2pa-key, --c2pa-cert", "give both, or neither")
    if key is not None and certificates is not None:
        from heritage_models.manifest import try_out
        from heritage_models.signing_identity import identity_of

        identity = identity_of(key, certificates)
        try_out(identity)
        return identity
    if not wanted:
        return None
    from heritage_experiments.cache import c2pa_dir
    from heritage_models.signing_identity import own_identity

    return own_identity(c2pa_dir())


def _signed(sound: bytes, piece: Piece, titles: Mapping[str, str], identity: SigningIdentity | None) -> bytes:
    """Return a WAV file with its manifest in it, or as it is where nobody signs."""
    if identity is None:
        return sound
    from heritage_models.manifest import signed_wav

    return signed_wav(sound, piece, titles, identity)


def _write(piece: Piece, out: Path, stem: str, sound: bytes | None, identity: SigningIdentity | None) -> dict[str, Any]:
    from heritage_models.manifest_reading import manifest_sha256
    from heritage_serving.codec import piece_to_plain
    from heritage_sim.base import StorageError

    wav, notes = out / f"{stem}.wav", out / f"{stem}.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if sound is not None:
            wav.write_bytes(sound)
        notes.write_text(json.dumps(piece_to_plain(piece), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"pieces cannot be written: {error.strerror}", str(out), "use --out with another folder"
        ) from error
    return {
        "wav": None if sound is None else str(wav),
        "notes": str(notes),
        "title": piece.title,
        "synthetic": piece.synthetic,
        "duration_s": round(piece.notes.duration_s, 3),
        "num_violations": piece.fidelity.num_violations,
        "consistency": piece.fidelity.consistency,
        "receipt": asdict(piece.receipt),
        "c2pa": None
        if identity is None
        else {
            "manifest_sha256": manifest_sha256(wav).hex(),
            "certificate": identity.name,
            "self_made": identity.self_made,
        },
    }
