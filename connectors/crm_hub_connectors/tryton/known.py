"""Which ids were handed over, small enough for a checkpoint: one bit each, compressed."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator

_MOST_BYTES = 32_000_000


class Known:
    """A set of record numbers. Dense ones, as databases give them, cost next to nothing."""

    def __init__(self, bits: bytearray | None = None) -> None:
        self._bits = bytearray() if bits is None else bits
        self._count = sum(byte.bit_count() for byte in self._bits)

    @classmethod
    def load(cls, text: str) -> Known:
        """Return the set that `dump` wrote. Raises: ValueError."""
        try:
            packed = base64.b64decode(text, validate=True)
            engine = zlib.decompressobj()
            bits = engine.decompress(packed, _MOST_BYTES) if packed else b""
        except (zlib.error, ValueError) as error:
            raise ValueError("not a set of ids") from error
        return cls(bytearray(bits))

    def dump(self) -> str:
        return base64.b64encode(zlib.compress(bytes(self._bits), 6)).decode() if self._count else ""

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] & 1 << (number & 7))

    def __iter__(self) -> Iterator[int]:
        for place, byte in enumerate(self._bits):
            for bit in range(8) if byte else ():
                if byte & 1 << bit:
                    yield place * 8 + bit

    def add(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            place = number >> 3
            if place >= len(self._bits):
                self._bits.extend(bytes(place + 1 - len(self._bits)))
            if number not in self:
                self._bits[place] |= 1 << (number & 7)
                self._count += 1

    def remove(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if number in self:
                self._bits[number >> 3] &= ~(1 << (number & 7))
                self._count -= 1
