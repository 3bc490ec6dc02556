"""Which numbers are mobiles: they belong to one person, where a land tells them by their beginning.

North America, Denmark and others do not; there no number counts as one. From the numbering plans
of the countries, and short on purpose: asking a library costs more than all else of a record.
"""

from __future__ import annotations

_BEGINNINGS = {
    "20": "1", "27": "6 7 8", "30": "69", "31": "6", "32": "4", "33": "6 7", "34": "6 7",
    "351": "9", "352": "6", "353": "8", "354": "6 7 8", "358": "4 50", "359": "8 98 99",
    "36": "20 30 31 50 70",
    "370": "6", "371": "2", "372": "5", "380": "39 50 63 66 67 68 73 9", "381": "6", "385": "9",
    "386": "3 4 51 64 65 68 69 7", "39": "3", "40": "7", "41": "7", "420": "6 7", "421": "9",
    "43": "6", "44": "7", "46": "7", "47": "4 9", "48": "45 5 60 66 69 72 73 78 79 88",
    "49": "15 16 17", "61": "4", "62": "8", "63": "9", "64": "2", "65": "8 9", "66": "6 8 9",
    "7": "9", "81": "70 80 90", "82": "10", "84": "3 5 7 8 9", "86": "13 14 15 16 17 18 19",
    "90": "5",
    "91": "6 7 8 9", "92": "3", "94": "7", "961": "3 7", "966": "5", "971": "5", "972": "5",
    "98": "9",
}  # fmt: skip
_MOBILES = tuple(f"+{land}{one}" for land, ones in _BEGINNINGS.items() for one in ones.split())
_BRAZIL, _BRAZIL_DIGITS, _NINTH = "+55", 14, 5


def is_mobile(number: str) -> bool:
    """Tell whether a number in E.164 is surely a mobile's."""
    if number.startswith(_BRAZIL):
        return len(number) == _BRAZIL_DIGITS and number[_NINTH] == "9"
    return number.startswith(_MOBILES)
