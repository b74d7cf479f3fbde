"""What counts as a word when somebody searches: the same for every journal, whatever it searches with."""

import unicodedata


def words(text: str) -> list[str]:
    """The words of `text`, in their order, in the form in which they are compared.

    A word is a run of letters and digits; everything else is a border. Case does not count, nor do accents
    and other combining marks, nor how a letter happens to be encoded: ``Straße`` and ``STRASSE`` are one
    word, and so are ``café``, with one code point for the é or with two, and ``CAFE``. The words, joined by
    spaces, have the same words; so an index may be made of them.

    The folding is Unicode's compatibility caseless match (The Unicode Standard, 3.13, D146), the marks taken
    away behind it.
    """
    if text.isascii():
        folded = text.lower()
    else:  # to fold the case may bring up what is to be decomposed again
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        folded = "".join(letter for letter in folded if not unicodedata.category(letter).startswith("M"))
    return "".join(letter if letter.isalnum() else " " for letter in folded).split()
