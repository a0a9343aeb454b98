"""The relay track as geometry: facts and times in, rectangles and paths in pixels out. Pure.

Time is stretched: between two moments lies `4 + 13 ln(1 + seconds / 5)` px, so that a step of a
second and a wait of a week are both seen. Order is exact, lengths are not: the table says those.
"""

from portal.web.track.picture import draw
from portal.web.track.scale import Scale, stretch, summary
from portal.web.track.shapes import BAR
from portal.web.track.small import spark

__all__ = ["BAR", "Scale", "draw", "spark", "stretch", "summary"]
