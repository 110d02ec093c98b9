"""Which device a row means by the column parent: a code, an address, or a name in its own area."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.domain.devices import Registration
from hub.maintenance.inventory_changes import Change, Refused
from hub.maintenance.inventory_rows import DeviceRow
from hub.store.inventory import InventoryDevice
from hub.store.inventory_parents import ParentNode
from hub.store.parents import LONGEST_CHAIN, PARENT_KINDS

_SEVERAL = 0  # no device has this number
_UNKNOWN = "no device has this code or address, and none in this area this name"

_Key = tuple[str | int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """A row with a parent, once it is in. New devices of a dry run have numbers below 0."""

    line: int
    device_id: int
    area_id: int
    parent: str
    parent_id: int | None


class ParentIndex:
    """Finds devices by what a cell may say of them, and knows what hangs on what."""

    def __init__(self) -> None:
        self._found: dict[_Key, int] = {}
        self._names: set[str] = set()
        self._parents: dict[int, int | None] = {}
        self._fit: set[int] = set()  # to be a parent

    def take_up(self, nodes: Iterable[ParentNode]) -> None:
        """Take up devices as they are."""
        for node in nodes:
            self._parents[node.id] = node.parent_id
            self._add(node.id, node.code, node.address, (node.area_id, node.name))
            self._note_fitness(node.id, node.kind, node.registration)

    def add(self, device_id: int, change: Change, device: InventoryDevice) -> None:
        """Take up a device as its row leaves it."""
        self._parents.setdefault(device_id, device.parent_id)
        self._add(device_id, device.code, change.row.address, (device.area_id, device.name))
        self._note_fitness(device_id, device.kind, device.registration)

    def refuse_strangers(
        self, rows: Sequence[DeviceRow], area_ids: Mapping[str, int]
    ) -> dict[int, str]:
        """The lines whose parent is neither there nor in the file, with the reason."""
        ours = {key for row in rows for key in (row.code, row.address) if key}
        named = {(area_ids.get(row.area, 0), row.name) for row in rows}
        names = self._names | {row.name for row in rows}

        def is_known(row: DeviceRow) -> bool:
            if row.parent in ours or self._keys(row.parent) & self._found.keys():
                return True
            if not row.area:  # it is where the device is, which shows later
                return row.parent in names
            place = (area_ids.get(row.area, 0), row.parent)
            return place in named or place in self._found

        return {row.line: _UNKNOWN for row in rows if row.parent and not is_known(row)}

    def find(self, parent: str, area_id: int, device_id: int = 0) -> int:
        """Return the number of the device that a cell means.

        Raises:
            Refused: nobody or several are meant, it is nothing to hang on, hangs on the device
                itself, or is too far down.
        """
        parent_id = self._find(parent, area_id)
        if parent_id not in self._fit:
            kinds = ", ".join(sorted(PARENT_KINDS))
            raise Refused(column="parent", reason=f"is none of {kinds}, or out of service")
        above: list[int] = []
        at: int | None = parent_id
        while at is not None and len(above) <= LONGEST_CHAIN:
            above.append(at)
            at = self._parents.get(at)
        if device_id in above:
            raise Refused(column="parent", reason="hangs on this device itself")
        if len(above) > LONGEST_CHAIN:
            reason = f"a device has at most {LONGEST_CHAIN} parents above it"
            raise Refused(column="parent", reason=reason)
        return parent_id

    def hang(self, hanging: Hanging) -> int:
        """Like :meth:`find`, and note that the device hangs on it now."""
        parent_id = self.find(hanging.parent, hanging.area_id, hanging.device_id)
        self._parents[hanging.device_id] = parent_id
        return parent_id

    def _add(self, device_id: int, code: str, address: str, name: tuple[int, str]) -> None:
        for key in (*self._keys(code, address), name):
            if key[1] and self._found.setdefault(key, device_id) != device_id:
                self._found[key] = _SEVERAL
        self._names.add(name[1])

    def _note_fitness(self, device_id: int, kind: str, registration: str) -> None:
        is_fit = kind in PARENT_KINDS and registration != Registration.RETIRED
        (self._fit.add if is_fit else self._fit.discard)(device_id)

    def _find(self, parent: str, area_id: int) -> int:
        named: _Key = (area_id, parent)
        for key in (("code", parent), ("address", parent), named):
            found = self._found.get(key)
            if found == _SEVERAL:
                raise Refused(column="parent", reason="several devices are called so: give a code")
            if found is not None:
                return found
        raise Refused(column="parent", reason=_UNKNOWN)

    @staticmethod
    def _keys(code: str, address: str | None = None) -> set[_Key]:
        return {("code", code), ("address", code if address is None else address)}
