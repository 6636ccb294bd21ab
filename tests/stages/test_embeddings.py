"""Meaning as vectors: the exported network against what the published one gives."""

import numpy as np
import pytest

from companion.models.embeddings import Embedder

pytestmark = pytest.mark.model

PUBLISHED = [  # cosines on the model's page, in 32 bits
    ("The weather is lovely today.", "It's so sunny outside!", 0.666),
    ("The weather is lovely today.", "He drove to the stadium.", 0.105),
    ("It's so sunny outside!", "He drove to the stadium.", 0.141),
]


@pytest.mark.parametrize(("one", "other", "cosine"), PUBLISHED)
def test_pairs_are_as_similar_as_the_published_network_says(one, other, cosine):
    a, b = Embedder().embed([one, other])
    assert a @ b == pytest.approx(cosine, abs=0.03)


def test_rows_are_unit_vectors_that_do_not_depend_on_their_neighbours():
    texts = ["a short one", "", "a much longer one " * 300, "猫 🐈"]
    together = Embedder().embed(texts)
    assert together.shape == (4, 384)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(together[1:2], Embedder().embed([""]))


def test_no_texts_are_no_vectors():
    assert Embedder().embed([]).shape == (0, 384)
