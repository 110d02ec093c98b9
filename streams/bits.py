"""Reads the bits of parameter sets (ITU-T H.264 and H.265, 7.2 and 9.1). Pure."""

_MAX_ZEROS = 31  # of one Exp-Golomb number


class Bits:
    """Reads bits of a raw payload; past the end it raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> int:
        """The next bits as a number."""
        value = 0
        for _ in range(count):
            byte = self._data[self._position >> 3]
            value = value << 1 | (byte >> (7 - (self._position & 7))) & 1
            self._position += 1
        return value

    def unsigned(self) -> int:
        """An Exp-Golomb number, ue(v); raises ValueError for what is none."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MAX_ZEROS:
                msg = "no Exp-Golomb number"
                raise ValueError(msg)
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """An Exp-Golomb number, se(v)."""
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def strip_emulation(data: bytes) -> bytes:
    """The raw payload of a unit: without the bytes that keep start codes out of it."""
    return data.replace(b"\x00\x00\x03", b"\x00\x00")
