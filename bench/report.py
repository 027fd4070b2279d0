"""Tables of figures."""

import statistics


def three_digits(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(columns: dict[str, str], found: dict[str, list[dict[str, float]]]) -> str:
    """Return a Markdown table of medians. In brackets: the figure of the peer divided by ours."""
    medians = {
        name: {column: statistics.median(round_[column] for round_ in rounds) for column in columns}
        for name, rounds in found.items()
    }
    ours = medians.get("ours")
    rows = [["", *columns.values()], ["---"] * (len(columns) + 1)]
    for name, figures in medians.items():
        cells = [name]
        for column in columns:
            cell = three_digits(figures[column])
            if ours and name != "ours":
                cell += f" ({figures[column] / ours[column]:.2f}×)"
            cells.append(cell)
        rows.append(cells)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
