"""What people say."""

import random

STARS = "\N{WHITE MEDIUM STAR} \N{SMILING FACE WITH OPEN MOUTH}\nand\tmore \\n"


class Texts:
    """Texts of which no two are alike."""

    def __init__(self, name: str, choose: random.Random) -> None:
        self._name = name
        self._choose = choose
        self._number = 0
        self._wordy = choose.choice((0.0, 0.05, 0.5))

    def next(self) -> str:
        """One more: mostly short, now and then long, or what is hard to write."""
        self._number += 1
        text = f"{self._name}.{self._number}"
        lot = self._choose.random()
        if lot < self._wordy:
            text += " " + "x" * self._choose.randint(100, 4000)
        elif lot > 0.9:
            text += " " + STARS
        return text
