"""Where the links in a text are: they are left in one piece, and nobody is named by them."""

import re
from typing import Final

LINK: Final = re.compile(
    r"""(?:https?|ftps?|gemini|ircs?|ssh|git|file)://[^\s<>"]*[^\s<>"'.,:;!?)\]}]"""
    r"""|(?:mailto:|www\.)[^\s<>"]*[^\s<>"'.,:;!?)\]}]""",
    re.IGNORECASE,
)
"""A link as terminals find it: to the next space, but not with the sentence's punctuation at its end."""
