"""The sections and bands of the ML Test Score (Breck et al. 2017). Pure."""

from typing import Final

SECTIONS: Final = {
    "data": "Features and data",
    "model": "Model development",
    "infra": "Infrastructure",
    "monitor": "Monitoring",
}
# Upper bounds of the score's bands, which are (low, high].
BANDS: Final = (
    (0.0, "a research project rather than a production system"),
    (1.0, "not totally untested, but serious holes are possible"),
    (2.0, "a first pass at production, more investment is needed"),
    (3.0, "reasonably tested, more tests could be automated"),
    (5.0, "strong levels of automated testing and monitoring"),
    (7.0, "exceptional levels of automated testing and monitoring"),
)


def band(score: float) -> str:
    """Return what a score means."""
    return next(text for high, text in BANDS if score <= high)
