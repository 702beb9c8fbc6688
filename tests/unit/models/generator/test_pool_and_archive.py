import dataclasses
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from heritage_models.config import GeneratorConfig
from heritage_models.generator import make_generator, make_transformer
from heritage_models.generator.archive import ArchiveGenerator, likeness
from heritage_models.generator.fingerprint import decoding_key, training_key
from heritage_models.generator.pool import PoolGenerator, pool_path, read_pool, write_pool
from heritage_models.generator.requests import Sources
from heritage_sim.base import Commission, GenerationError, InputError, MissingPartError, StorageError


def commissions(corpora, takes=3):
    return [Commission(f"r{i}", *key) for i, key in enumerate(Sources(corpora, takes).keys())]


def same_pieces(a, b):
    return [(x.receipt, x.fidelity, x.title, x.notes.sha256()) for x in a] == [
        (y.receipt, y.fidelity, y.title, y.notes.sha256()) for y in b
    ]


def test_the_pool_gives_what_the_model_gives_made_new_and_read_back(corpora, tiny, tmp_path):
    pytest.importorskip("torch")
    asked = commissions(corpora)
    model = make_generator(tiny, corpora, 5, tmp_path)
    stages = []
    pool_config = tiny.model_copy(update={"kind": "pool"})
    fresh = make_generator(pool_config, corpora, 5, tmp_path, lambda *told: stages.append(told))
    assert stages[-1] == ("pool", len(asked), len(asked))
    again = make_generator(pool_config, corpora, 5, tmp_path)
    assert isinstance(again, PoolGenerator)
    assert same_pieces(fresh.compose(asked), model.compose(asked))
    assert same_pieces(again.compose(asked), model.compose(asked))
    assert again.checkpoint_sha256 == model.checkpoint_sha256 != ""


def test_two_trainings_give_one_checkpoint_and_arms_share_it(corpora, tiny, tmp_path):
    pytest.importorskip("torch")
    from heritage_models.generator import train

    records = [train(tiny, corpora, tmp_path / name) for name in ("a", "b")]
    assert records[0].checkpoint_sha256 == records[1].checkpoint_sha256
    assert train(tiny, corpora, tmp_path / "a").checkpoint_sha256 == records[0].checkpoint_sha256
    other = tiny.model_copy(update={"masks": False, "conditioning": False, "kind": "pool", "takes": 1})
    assert training_key(other, corpora) == training_key(tiny, corpora)
    assert decoding_key(other, corpora, 1) != decoding_key(tiny, corpora, 1)
    receipts = [
        make_transformer(c, corpora, 1, tmp_path / "a").compose(commissions(corpora, 1)[:1])[0].receipt
        for c in (tiny, other)
    ]
    assert receipts[0].checkpoint_sha256 == receipts[1].checkpoint_sha256
    assert receipts[0].decoding_sha256 != receipts[1].decoding_sha256
    longer = tiny.model_copy(update={"steps": 7})
    assert train(longer, corpora, tmp_path / "a").checkpoint_sha256 != records[0].checkpoint_sha256


def test_a_pool_speaks_of_its_sources_by_the_titles_they_have_now(corpora, tiny, tmp_path):
    pytest.importorskip("torch")
    config = tiny.model_copy(update={"kind": "pool"})
    make_generator(config, corpora, 5, tmp_path)
    first = corpora["first"]
    renamed = tuple(dataclasses.replace(p, title=f"New {p.title}") for p in first.pieces)
    pool = make_generator(config, {**corpora, "first": dataclasses.replace(first, pieces=renamed)}, 5, tmp_path)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    assert pool.compose(commissions(corpora)[:1])[0].title == "After New Piece 0, take 1 (generated)"


@pytest.mark.parametrize("field", sorted(set(GeneratorConfig.model_fields) - {"kind"}))
def test_every_field_of_the_configuration_names_another_pool(corpora, tiny, field):
    value = getattr(tiny, field)
    other = tiny.model_copy(update={field: not value if isinstance(value, bool) else value * 2 + 1})
    assert decoding_key(other, corpora, 1) != decoding_key(tiny, corpora, 1)


def test_the_names_of_cached_files_do_not_depend_on_the_order_of_traditions(corpora, tiny):
    turned = dict(reversed(list(corpora.items())))
    assert training_key(tiny, turned) == training_key(tiny, corpora)
    fewer = {"first": corpora["first"]}
    assert training_key(tiny, fewer) != training_key(tiny, corpora)


def test_a_damaged_checkpoint_or_pool_is_made_anew(corpora, tiny, tmp_path):
    pytest.importorskip("torch")
    config = tiny.model_copy(update={"kind": "pool"})
    asked = commissions(corpora)[:4]
    good = make_generator(config, corpora, 5, tmp_path).compose(asked)
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:200])
    assert same_pieces(make_generator(config, corpora, 5, tmp_path).compose(asked), good)
    assert not list(tmp_path.rglob("*.part"))


def test_a_pool_file_is_read_without_torch(corpora, tmp_path):
    pieces = {(name, p.receipt.piece_sha256, 0): p for name, c in corpora.items() for p in c.pieces}
    path = tmp_path / "pool.npz"
    write_pool(path, pieces, "abc")
    back, checkpoint = read_pool(path)
    assert checkpoint == "abc"
    assert [p.notes.sha256() for p in back.values()] == [p.notes.sha256() for p in pieces.values()]
    assert [p.fidelity for p in back.values()] == [p.fidelity for p in pieces.values()]
    assert {type(p.fidelity.ornament_violation) for p in back.values()} == {bool}
    code = f"""
        import sys
        from pathlib import Path
        import heritage_models.generator
        from heritage_models.generator.pool import read_pool
        read_pool(Path({str(path)!r}))
        assert "torch" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_without_torch_a_model_is_refused_by_name_and_the_archive_answers(corpora, tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPartError, match="torch"):
        make_generator(tiny, corpora, 5, tmp_path)
    archive = make_generator(tiny.model_copy(update={"kind": "archive"}), corpora, 5, tmp_path)
    assert len(archive.compose(commissions(corpora))) == len(commissions(corpora))


def test_a_folder_that_cannot_be_written_is_one_clear_error(corpora, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    pieces = {("first", "x", 0): corpora["first"].pieces[0]}
    with pytest.raises(StorageError, match="could not be written"):
        write_pool(pool_path("0" * 64, blocked), pieces, "")


def test_kinds_made_elsewhere_and_empty_archives_are_refused(corpora, tiny, tmp_path, build):
    with pytest.raises(InputError, match="serve"):
        make_generator(tiny.model_copy(update={"kind": "serve"}), corpora, 5, tmp_path)
    empty = {"first": type(corpora["first"])(corpora["first"].tradition, ())}
    with pytest.raises(InputError, match="no archive work"):
        make_generator(tiny, empty, 5, tmp_path)


def test_likeness_is_one_for_transposed_melodies_and_zero_without_a_shared_turn(build):
    t = build.tradition()
    a = build.piece(t, [0, 1, 3, 2], [1, 2, 1, 2])
    transposed = build.piece(t, [1, 2, 4, 3], [1, 2, 1, 2])
    other = build.piece(t, [4, 0, 4, 0], [2, 2, 1, 1])
    alike = likeness([a, transposed, other], t)
    assert alike[0, 1] == pytest.approx(1.0)
    assert alike[0, 2] == 0.0
    np.testing.assert_allclose(np.diag(alike), 1.0)


def test_retrieval_answers_with_the_nearest_other_piece_and_never_the_source(build):
    t = build.tradition()
    a = build.piece(t, [0, 1, 3, 2, 0], [1, 2, 1, 2, 2])
    near = build.piece(t, [0, 1, 3, 2, 1], [1, 2, 1, 2, 2])
    far = build.piece(t, [4, 0, 4, 0, 4], [2, 2, 1, 1, 2])
    twin = build.piece(t, [0, 1, 3, 2, 0], [1, 2, 1, 2, 2], title="the same notes")
    from heritage_models.traditions.tradition import Corpus

    archive = ArchiveGenerator({"small": Corpus(t, (a, far, twin, near))}, takes=2)
    first, second = archive.compose([Commission(f"r{k}", "small", a.receipt.piece_sha256, k) for k in (0, 1)])
    assert first.notes.sha256() == near.receipt.piece_sha256
    assert second.notes.sha256() == far.receipt.piece_sha256
    assert first.origin == near.origin
    with pytest.raises(GenerationError, match="take"):
        archive.compose([Commission("r", "small", a.receipt.piece_sha256, 2)])
