import itertools
import random
import time

from hypothesis import given
from hypothesis import strategies as st

from extractor.results.evaluation.assign import assign

grids = st.integers(0, 5).flatmap(
    lambda rows: st.integers(0, 5).flatmap(
        lambda columns: st.lists(st.lists(st.integers(-3, 9), min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
)


def _best_sum(grid):
    """Every way to pair rows with columns, none left untried."""
    rows, columns = len(grid), len(grid[0]) if grid else 0
    if rows > columns:
        return _best_sum([list(line) for line in zip(*grid, strict=True)]) if columns else 0
    return max(
        sum(max(grid[row][column], 0) for row, column in enumerate(chosen)) for chosen in itertools.permutations(range(columns), rows)
    )


@given(grids)
def test_the_sum_is_that_of_the_best_of_all_assignments(grid):
    """No assignment has a greater sum; no row and no column is used twice, and forbidden pairs never."""
    pairs = assign(grid)
    assert sum(grid[row][column] for row, column in pairs) == _best_sum(grid)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(grid[row][column] > 0 for row, column in pairs)


def test_the_greedy_choice_is_given_up_for_a_greater_sum():
    """9 + 1 is less than 8 + 7: the greatest single weight is not taken at any price."""
    assert assign([[9, 8], [7, 1]]) == [(0, 1), (1, 0)]


def test_sums_far_above_64_bits_stay_exact():
    """Weights are whole numbers of any size, so that one unit in a great sum still decides."""
    great = 10**30
    assert assign([[great + 1, great], [great, great - 2]]) == [(0, 1), (1, 0)]


def test_nothing_to_pair_gives_no_pairs():
    """No rows, no columns, or nothing allowed."""
    assert assign([]) == assign([[], []]) == assign([[0, -1], [0, 0]]) == []


def test_a_crowded_article_is_paired_in_a_moment():
    """150 facts against 150 with every pair allowed take well under the five seconds given."""
    draw = random.Random(5)  # noqa: S311
    grid = [[draw.randrange(1, 10**6) for _ in range(150)] for _ in range(150)]
    started = time.process_time()
    assert len(assign(grid)) == 150
    assert time.process_time() - started < 5
