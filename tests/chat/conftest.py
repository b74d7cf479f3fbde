import pytest

from tests.chat.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
