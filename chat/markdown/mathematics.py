"""Mathematics in TeX to MathML, which browsers show and screen readers read."""

import logging
from functools import lru_cache
from html import escape

logger = logging.getLogger(__name__)

#: Maximum characters of one formula; longer ones stay text.
MAX_LENGTH = 1000

# fmt: off
#: The elements of MathML that the conversion makes.
TAGS = {
    "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mroot",
    "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover",
}
# fmt: on
#: Those of their attributes that say how a formula looks. `href` is none of them.
ATTRIBUTES = {
    "accent",
    "columnalign",
    "columnspacing",
    "depth",
    "display",
    "displaystyle",
    "fence",
    "height",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "notation",
    "rowspacing",
    "rspace",
    "scriptlevel",
    "separator",
    "stretchy",
    "voffset",
    "width",
}


@lru_cache(maxsize=256)
def as_mathml(source: str, *, on_own_line: bool) -> str:
    """Return a formula as MathML; its source as code where it is no TeX that can be converted."""
    from latex2mathml.converter import convert  # takes memory only where there is mathematics

    try:
        return str(convert(source, display="block" if on_own_line else "inline"))
    except Exception as exc:  # the library has an error for each kind of mistake, and some of Python
        logger.debug("a formula is shown as its source: %s", type(exc).__name__)
        return f"<code>{escape(source)}</code>"
