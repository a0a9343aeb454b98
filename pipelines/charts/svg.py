"""What of a drawing may stand in a page: shapes and texts, nothing that acts or fetches. Pure."""

from typing import Final
from xml.etree import ElementTree

NAMESPACE: Final = "http://www.w3.org/2000/svg"
TAGS: Final = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan", "circle", "clipPath",
                         "defs"})  # fmt: skip
ATTRIBUTES: Final = frozenset({
    "class", "clip-path", "cx", "cy", "d", "dominant-baseline", "dx", "dy", "fill", "fill-opacity",
    "font-family", "font-size", "font-style", "font-weight", "height", "id", "opacity", "r", "rx",
    "ry", "stroke", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
    "stroke-opacity", "stroke-width", "text-anchor", "transform", "viewBox", "width", "x", "x1",
    "x2", "y", "y1", "y2", "display",
})  # fmt: skip


def cleaned(drawing: str, *, prefix: str) -> str:
    """Return the drawing with known elements and attributes only; its ids begin with `prefix`.

    Raises ValueError for what is no drawing.
    """
    try:
        root = ElementTree.fromstring(drawing)  # noqa: S314 (made by our own child, no entities)
    except ElementTree.ParseError as error:
        raise ValueError(f"not a drawing: {error}") from error
    if root.tag != f"{{{NAMESPACE}}}svg":
        raise ValueError(f"not a drawing: {root.tag}")
    _clean(root, prefix)
    ElementTree.register_namespace("", NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, prefix: str) -> None:
    for name in list(element.attrib):
        if name not in ATTRIBUTES:
            del element.attrib[name]
    if "id" in element.attrib:
        element.set("id", f"{prefix}-{element.get('id')}")
    clip = element.get("clip-path", "")
    if clip.startswith("url(#"):
        element.set("clip-path", f"url(#{prefix}-{clip[5:]}")
    elif clip:
        del element.attrib["clip-path"]
    for child in list(element):
        if child.tag.removeprefix(f"{{{NAMESPACE}}}") in TAGS:
            _clean(child, prefix)
        else:
            element.remove(child)
