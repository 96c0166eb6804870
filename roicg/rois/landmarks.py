"""What a method is given of one site: the similarity of all its features, or of landmarks that stand for very many."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from roicg.numerics.landmarks import content_order, landmark_profiles, nearest_groups
from roicg.numerics.similarity import correlation, rowabs

LANDMARKS = 4096
"""Up to so many features of a site all are clustered; above, so many stand for all. From here on that is faster: 14 against 28 s at
6,000 features (all of them costs the cube of their number), 30 s at 20,000. With 2,048 it would take 2.5 and 12 s, but of 50
planted groups with 88 to 4,472 of 20,000 features these found 46 in one of two draws; 4,096 found 50 in both."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """``similarity`` [node, node]; the nodes are all features of the site, or landmarks (``chosen``, with the ``profiles`` of all features)."""

    similarity: Float[np.ndarray, "m m"]
    chosen: Int[np.ndarray, " m"] | None = None
    profiles: Float[np.ndarray, "n m"] | None = None

    @classmethod
    def of(cls, signature: Float[np.ndarray, "n column"], seed: int) -> "Clustered":
        """All features, or ``LANDMARKS`` of them where there are more."""
        if len(signature) <= LANDMARKS:
            return cls(rowabs(correlation(signature)))
        chosen = content_order(signature, seed)[:LANDMARKS]
        return cls(rowabs(correlation(signature[chosen])), chosen, landmark_profiles(signature, chosen))

    def spread(self, labels: Int[np.ndarray, " m"]) -> Int[np.ndarray, " n"]:
        """Labels of all features from those of the nodes."""
        if self.chosen is None or self.profiles is None:
            return labels
        return nearest_groups(self.profiles, self.chosen, labels)
