"""Word error rate: the fewest words to change, add or drop, over the words there should be."""

import re


def words_of(text: str) -> list[str]:
    """Lower case, without punctuation; hyphens part words, apostrophes do not."""
    text = text.lower().replace("’", "'")
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*", text)


def word_error_rate(reference: str, heard: str) -> float:
    """0 for the same words; above 1 when more was made up than there was to hear."""
    expected, actual = words_of(reference), words_of(heard)
    row = list(range(len(actual) + 1))
    for count, word in enumerate(expected, start=1):
        diagonal, row[0] = row[0], count
        for column, other in enumerate(actual, start=1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other)),
            )
    return row[-1] / max(1, len(expected))
