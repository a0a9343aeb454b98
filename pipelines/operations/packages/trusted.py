"""Which types a model file may name. Everything else is refused before anything is built."""

from collections.abc import Iterable

import skops.io

# Each of these is plain data or numeric code without side effects on loading. skops trusts
# scikit-learn's public estimators, numpy and scipy by itself.
TRUSTED = frozenset(
    {
        "pipelines.operations.learning.transformers.Codes",
        "pipelines.operations.learning.transformers.DateParts",
        "pipelines.operations.learning.transformers.Flags",
        "pipelines.operations.learning.transformers.Numbers",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.calibration._TemperatureScaling",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)


class UntrustedTypes(Exception):
    """A model file that names types outside the list; `types` holds them."""

    def __init__(self, types: Iterable[str]) -> None:
        self.types = tuple(sorted(types))
        super().__init__(
            f"the model file names types that are not allowed: {', '.join(self.types)}"
        )


def load_model(data: bytes) -> object:
    """Load a skops file that names allowed types only. Raises UntrustedTypes."""
    found = set(skops.io.get_untrusted_types(data=data))
    foreign = found - TRUSTED
    if foreign:
        raise UntrustedTypes(foreign)
    return skops.io.loads(data, trusted=sorted(found))
