"""What the tests of the readers share."""

import pytest

from extractor.articles.discover import Source
from extractor.articles.read import read
from extractor.errors import ArticleError


@pytest.fixture
def reading(tmp_path):
    """A function that writes a file and reads its articles."""

    def make(data, name, **options):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return list(read(Source(id=name, path=path), **options))

    return make


@pytest.fixture
def reading_until_error(tmp_path):
    """A function that writes a file and gives the articles before the error, and what the error says."""

    def make(data, name):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        good = []
        with pytest.raises(ArticleError) as caught:
            good.extend(read(Source(id=name, path=path)))  # what was given before the error stays
        said = str(caught.value)
        assert said.startswith(f"File {str(path)!r} ")
        return good, said

    return make
