"""What every `Encoder` promises, and what this one must show on the traditions of the quickstart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from heritage_models.config import TraditionConfig
from heritage_models.encoder import NoteEncoder
from heritage_models.performance import Performer
from heritage_models.traditions import load_corpus
from heritage_sim.base import Commission, Encoder, Intent, Origin, Piece

KINDS = ("gamelan", "chinese", "panpipes")
NUM_WORKS = 120


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return {k: load_corpus(TraditionConfig(name=k, kind=k, num_works=NUM_WORKS), 4, folder) for k in KINDS}


@pytest.fixture(scope="module", params=[NoteEncoder])
def encoder(request, corpora) -> Encoder:
    return request.param(corpora)


@pytest.fixture(scope="module")
def pieces(corpora) -> list[Piece]:
    return [p for k in KINDS for p in corpora[k].pieces]


def test_it_is_an_encoder(encoder) -> None:
    assert isinstance(encoder, Encoder)


def test_vectors_have_the_stated_width_and_unit_length(encoder, pieces) -> None:
    vectors = encoder.encode(pieces)
    assert vectors.shape == (len(pieces), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-6)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_a_row_depends_on_its_own_piece_alone(encoder, corpora, pieces) -> None:
    together = encoder.encode(pieces)
    order = np.argsort([p.receipt.piece_sha256 for p in pieces])
    np.testing.assert_array_equal(encoder.encode([pieces[i] for i in order]), together[order])
    fresh = type(encoder)(dict(reversed(corpora.items())))
    np.testing.assert_array_equal(np.concatenate([fresh.encode([p]) for p in pieces]), together)


def test_only_the_notes_are_heard(encoder, pieces) -> None:
    piece = pieces[0]
    disguised = dataclasses.replace(
        piece, tradition="another", title="x", origin=Origin.GENERATED, synthetic=False, receipt=pieces[1].receipt
    )
    np.testing.assert_array_equal(encoder.encode([disguised]), encoder.encode([piece]))


def test_traditions_are_told_apart_and_works_within_one_differ(encoder, pieces) -> None:
    vectors = encoder.encode(pieces).astype(np.float64)
    label = np.repeat(np.arange(len(KINDS)), NUM_WORKS)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    assert (label[likeness.argmax(axis=1)] == label).mean() > 0.95
    np.fill_diagonal(likeness, np.nan)
    for own in range(len(KINDS)):
        within = np.nanmean(likeness[label == own][:, label == own])
        beyond = np.nanmean(likeness[label == own][:, label != own])
        assert within - beyond > 0.3
        assert within < 0.6


def test_what_a_player_does_to_an_archive_shifts_no_figure_far(encoder, corpora) -> None:
    """Who plays must not be told from an artefact of measuring: on average performances lie where their sources do."""
    performer = Performer(corpora, 4)
    for name in KINDS:
        archive = corpora[name].pieces
        played = performer.compose([Commission("r", name, p.receipt.piece_sha256, 0, Intent.RECORD) for p in archive])
        a, b = encoder.encode(archive), encoder.encode(played)
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) / a.std(axis=0)).max() < 0.75


def test_a_performance_is_nearer_to_its_source_than_to_most_works(encoder, corpora, pieces) -> None:
    performer = Performer(corpora, 4)
    chosen = pieces[::9]
    played = performer.compose([Commission("r", p.tradition, p.receipt.piece_sha256, 0, Intent.RECORD) for p in chosen])
    likeness = encoder.encode(played).astype(np.float64) @ encoder.encode(pieces).astype(np.float64).T
    own = likeness[np.arange(len(chosen)), np.arange(0, len(pieces), 9)]
    assert np.median((likeness >= own[:, None]).sum(axis=1)) <= 3
