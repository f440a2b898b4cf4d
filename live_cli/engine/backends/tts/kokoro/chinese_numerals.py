"""Numbers in Chinese text as they are read. Pure."""

import re

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_LONGEST = 16
"""Digits of a number that is read as one; a longer one, or one with a leading 0, digit by digit."""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER = re.compile(
    r"(?P<year>\d{4})(?=年)|(?P<hour>\d{1,2}):(?P<minute>\d{2})(?!\d)"
    r"|(?P<whole>\d+)(?:\.(?P<part>\d+))?(?P<percent>[%％])?"
)


def with_numerals(text: str) -> str:
    """Return ``text`` with its numbers, times, percentages and years in Chinese numerals."""
    return _NUMBER.sub(_read, _THOUSANDS.sub("", text))


def _read(found: re.Match[str]) -> str:
    if found["year"]:
        return _one_by_one(found["year"])
    if found["hour"]:
        minute = "整" if found["minute"] == "00" else _one_or_whole(found["minute"])
        return f"{_whole(found['hour'])}点{minute}"
    number = _one_or_whole(found["whole"])
    if found["part"]:
        number += f"点{_one_by_one(found['part'])}"
    return f"百分之{number}" if found["percent"] else number


def _one_or_whole(digits: str) -> str:
    if len(digits) > _LONGEST or (digits[0] == "0" and len(digits) > 1):
        return _one_by_one(digits)
    return _whole(digits)


def _one_by_one(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _whole(digits: str) -> str:
    """Return the reading of a number, in groups of four places: 10230 is 一万零二百三十."""
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    said = ""
    for group, unit in reversed(list(zip(groups, _GROUPS, strict=False))):
        value = int(group)
        if value:
            gap = "零" if said and value < 1000 and not said.endswith("零") else ""
            said += gap + _group(value) + unit
    said = said or _DIGITS[0]
    return said.removeprefix("一") if said.startswith("一十") else said


def _group(value: int) -> str:
    """Return the reading of 1 to 9999."""
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if digit:
            said += ("零" if gap and said else "") + _DIGITS[digit] + _PLACES[place]
        gap = digit == 0
    return said
