"""Learning a model from examples, and how good it is on what it has not seen."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

from socialsupport_core.contract import ConfigError, ContactKind
from socialsupport_triage_sklearn.model import GRAMS, Model, grams

FEWEST = 20  # examples
OF_EACH = 3  # examples of a kind; with fewer it is not learnt
FOLDS = 5


def train(labels: Sequence[tuple[str, str]]) -> Model:
    """`labels` are kinds and texts. Raises ConfigError if there are too few."""
    kinds, texts = _usable(labels)
    return plain(_learn(kinds, texts), len(texts), _crossed(kinds, texts))


def plain(learnt: Any, examples: int, figures: dict[str, tuple[float, float]]) -> Model:
    """What scikit-learn has learnt, as numbers and words."""
    words, weigher = learnt["words"], learnt["weigher"]
    return Model(
        kinds=tuple(str(one) for one in weigher.classes_),
        grams={gram: int(place) for gram, place in words.vocabulary_.items()},
        weights=tuple(round(float(one), 6) for one in words.idf_),
        coefficients=tuple(tuple(round(float(one), 6) for one in row) for row in _rows(weigher)),
        intercepts=tuple(float(one) for one in _intercepts(weigher)),
        examples=examples,
        figures=figures,
    )


def _usable(labels: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    known = set(get_args(ContactKind))
    found = [(kind, text) for kind, text in dict.fromkeys(labels) if text.strip() and kind in known]
    counted = Counter(kind for kind, _ in found)
    found = [(kind, text) for kind, text in found if counted[kind] >= OF_EACH]
    if len(found) < FEWEST or len({kind for kind, _ in found}) < 2:
        raise ConfigError(
            f"{len(found)} examples of {len({kind for kind, _ in found})} kinds are too few to learn from: it takes"
            f" {FEWEST}, of two kinds or more with {OF_EACH} each; put more verdicts right"
        )
    return [kind for kind, _ in found], [text for _, text in found]


def _learn(kinds: Sequence[str], texts: Sequence[str]) -> Any:
    # imported when it is needed: judging does without
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # type: ignore[import-untyped]  # noqa: PLC0415

    words = TfidfVectorizer(analyzer=grams, max_features=GRAMS)
    weigher = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    return Pipeline([("words", words), ("weigher", weigher)]).fit(texts, kinds)


def _rows(weigher: Any) -> Any:
    """Of two kinds it keeps one row, for the second."""
    return weigher.coef_ if len(weigher.classes_) > 2 else (-weigher.coef_[0] / 2, weigher.coef_[0] / 2)


def _intercepts(weigher: Any) -> Any:
    own = weigher.intercept_
    return own if len(weigher.classes_) > 2 else (-own[0] / 2, own[0] / 2)


def _crossed(kinds: list[str], texts: list[str]) -> dict[str, tuple[float, float]]:
    """By kind precision and recall, each example judged by a model that was learnt without it."""
    from sklearn.model_selection import StratifiedKFold  # type: ignore[import-untyped]  # noqa: PLC0415

    folds = StratifiedKFold(min(FOLDS, *Counter(kinds).values()), shuffle=True, random_state=0)
    told: dict[int, str] = {}
    for learning, judged in folds.split(texts, kinds):
        learnt = _learn([kinds[one] for one in learning], [texts[one] for one in learning])
        told.update(zip(map(int, judged), map(str, learnt.predict([texts[one] for one in judged])), strict=True))
    return {kind: _figures(kind, kinds, told) for kind in sorted(set(kinds))}


def _figures(kind: str, kinds: list[str], told: dict[int, str]) -> tuple[float, float]:
    right = sum(told[one] == kind == kinds[one] for one in told)
    claimed, there = sum(one == kind for one in told.values()), kinds.count(kind)
    return round(right / claimed, 3) if claimed else 0.0, round(right / there, 3)
