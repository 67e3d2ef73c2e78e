"""Who goes with whom: the one-to-one assignment of greatest total weight.

In: a matrix of weights. Out: pairs of places in it. Floor: results.
Before changing it: weights are whole numbers, so that the greatest total is exact and the same on every machine.
"""

from collections.abc import Sequence

_FAR = 1 << 200  # above every sum of weights


def assign(weights: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The pairs (row, column), each row and column at most once, whose weights have the greatest sum; by row.

    Args:
        weights: One sequence of equal length for each row. A weight of 0 or less forbids the pair.

    Returns:
        Pairs with weights above 0 alone. Among assignments of the same sum it is always the same one.
    """
    pairs: list[tuple[int, int]] = []
    for rows, columns in _islands(weights):
        if len(rows) == 1 or len(columns) == 1:
            best = max((weights[row][column], -row, -column) for row in rows for column in columns)
            pairs.append((-best[1], -best[2]))
        elif len(rows) <= len(columns):
            costs = [[-max(weights[row][column], 0) for column in columns] for row in rows]
            pairs += [(rows[row], columns[column]) for row, column in enumerate(_cheapest(costs))]
        else:
            costs = [[-max(weights[row][column], 0) for row in rows] for column in columns]
            pairs += [(rows[row], columns[column]) for column, row in enumerate(_cheapest(costs))]
    return sorted((row, column) for row, column in pairs if weights[row][column] > 0)


def _islands(weights: Sequence[Sequence[int]]) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that are joined by allowed pairs: each island is assigned by itself, which keeps the cubic part small."""
    by_row = [[column for column, weight in enumerate(line) if weight > 0] for line in weights]
    by_column: dict[int, list[int]] = {}
    for row, columns in enumerate(by_row):
        for column in columns:
            by_column.setdefault(column, []).append(row)
    islands: list[tuple[list[int], list[int]]] = []
    seen: set[int] = set()
    for start, joined in enumerate(by_row):
        if start in seen or not joined:
            continue
        rows, columns_in, todo = {start}, set[int](), [start]
        while todo:
            for column in by_row[todo.pop()]:
                if column not in columns_in:
                    columns_in.add(column)
                    fresh = [row for row in by_column[column] if row not in rows]
                    rows.update(fresh)
                    todo += fresh
        seen |= rows
        islands.append((sorted(rows), sorted(columns_in)))
    return islands


def _cheapest(costs: Sequence[Sequence[int]]) -> list[int]:
    """The column of each row in the full assignment of least cost; there are at least as many columns as rows.

    The Hungarian method with potentials and shortest augmenting paths, O(rows² · columns): Kuhn 1955 and Munkres 1957 in the form of
    Jonker and Volgenant 1987 (https://doi.org/10.1007/BF02278710), whose two first phases are only a head start and are left out.
    """
    columns = len(costs[0])
    row_price, column_price = [0] * (len(costs) + 1), [0] * (columns + 1)
    holder = [0] * (columns + 1)  # the row that holds each column, counted from 1; 0 for none; column 0 is where a new row starts
    for new in range(1, len(costs) + 1):
        holder[0], column = new, 0
        least, back, done = [_FAR] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while holder[column]:
            done[column] = True
            row, step, following = holder[column], _FAR, 0
            line, price = costs[row - 1], row_price[row]
            for other in range(1, columns + 1):
                if done[other]:
                    continue
                reduced = line[other - 1] - price - column_price[other]
                if reduced < least[other]:
                    least[other], back[other] = reduced, column
                if least[other] < step:
                    step, following = least[other], other
            for other in range(columns + 1):
                if done[other]:
                    row_price[holder[other]] += step
                    column_price[other] -= step
                else:
                    least[other] -= step
            column = following
        while column:
            holder[column] = holder[back[column]]
            column = back[column]
    found = [0] * len(costs)
    for column, row in enumerate(holder[1:]):
        if row:
            found[row - 1] = column
    return found
