"""Objectives: what a student is asked to match; losses are pure functions of tensors.

Files:
    _catalogue: The objectives by name, the kinds of scores each learns, and the one a text
        describes.
    _dist: DIST: correlations between classes and between examples.
    _dkd: DKD: the label against the rest, and the rest among themselves.
    _embeddings: MatchEmbeddings: the direction of a teacher's embedding.
    _labels: Labels: hard labels, which is what a control is trained on.
    _logit_standardization: LogitStandardization: soft targets of z-scored logits.
    _logits: MatchLogits and MatchProbabilities: squared differences, as in Ba & Caruana 2014.
    losses: What a student is asked to match: pure functions of tensors.
    _objective: Objective: a loss bound to a batch, and what it says of itself.
    _reductions: A loss summed over the rows it concerns and divided by the size of the whole batch.
    _soft_targets: SoftTargets: softened probabilities at a temperature, as in Hinton et al. 2015.
    _votes: Votes: the class that a teacher names.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
