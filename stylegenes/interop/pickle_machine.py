"""A pickle's program run without any of its names: only plain data and inert records come out.

Python's own unpickler looks names up and calls them. This machine knows the same instructions, but a name stays a
name: calling one of the few in its table runs code of this package, and whatever else a pickle makes of a class
becomes a `Record`, which holds the state and does nothing. Steps and bytes are counted, so that a small file cannot
cost much time or memory.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NoReturn

from stylegenes.errors import UserError, shown
from stylegenes.interop.records import Allowance, Name, Record

_OBJECT, _SMALL = 8, 2
"""Steps that an object of some hundred bytes counts for, and one of less."""
_INT_BITS, _KEY_BITS, _NAME_LENGTH = 512, 64, 300


Call = Callable[["PickleMachine", list[Any]], Any]


class PickleMachine:
    """One run over one pickle.

    Args:
        stream: where the pickle starts; afterwards it stands behind its end.
        budget: what it may cost.
        calls: what calling a name does, by name.
        refer: what a reference out of the pickle means; None refuses them.
    """

    def __init__(
        self,
        stream: BinaryIO,
        budget: Allowance,
        calls: Mapping[str, Call],
        refer: Callable[[Any], Any] | None = None,
    ) -> None:
        self.stream, self.budget, self.calls, self.refer = stream, budget, calls, refer
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.unbuilt: dict[int, Record] = {}

    def run(self) -> Any:
        """What the pickle describes, of plain data, tensors, names and records.

        Raises:
            UserError: for a call that is not in the table, and whatever costs too much.
            Exception: of any kind where the pickle is damaged.
        """
        for opcode, argument, _ in pickletools.genops(self.stream):
            self.budget.spend(1)
            OPERATIONS[opcode.name](self, argument)
        for record in self.unbuilt.values():
            refuse_call(record.class_name)
        return self.stack.pop()

    def since_mark(self) -> list[Any]:
        """Take what lies above the last mark."""
        above, self.stack = self.stack, self.marks.pop()
        return above

    def record(self, name: object) -> Record:
        """A record of a named class."""
        if not isinstance(name, Name):
            refuse("an object of something that is no class")
        self.budget.spend(_OBJECT)
        return Record(name.full)

    def call(self, name: object, arguments: object) -> Any:
        """What a call comes to: code of the table, or a record that is still to be given its state."""
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            refuse("a call of something that is no name")
        self.budget.spend(_OBJECT)
        if name.full in self.calls:
            return self.calls[name.full](self, list(arguments))
        if not name.like_a_class:
            refuse_call(name.full)
        record = self.record(name)
        self.unbuilt[id(record)] = record
        return record

    def build(self, state: Any) -> None:
        """Give the topmost object its state; dictionaries and data need none."""
        target = self.stack[-1]
        if not isinstance(target, Record):
            return
        for part in state if isinstance(state, tuple) else (state,):
            found = part.items if isinstance(part, Record) else part
            if isinstance(found, dict):
                self.budget.spend(len(found))
                target.attributes.update(found)
                self.unbuilt.pop(id(target), None)
        if target.class_name == "numpy.dtype" and isinstance(state, tuple) and len(state) > 1:
            target.attributes["order"] = state[1]

    def set_items(self, target: Any, flat: list[Any]) -> None:
        """Put keys and values, in turn, into a dictionary or a record of one."""
        items = target.items if isinstance(target, Record) else target
        if not isinstance(items, dict) or len(flat) % 2:
            refuse("items of something that is no dictionary")
        items.update(zip(map(key, flat[::2]), flat[1::2]))

    def append(self, target: Any, values: list[Any]) -> None:
        """Lengthen a list; what records of lists hold is left out."""
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, Record):
            refuse("elements of something that is no list")


def key(value: Any) -> Any:
    """A key or an element of a set: of a plain kind that costs nothing to compare."""
    plain = value is None or isinstance(value, str | bytes | bool | float | Name)
    if not plain and not (isinstance(value, int) and value.bit_length() <= _KEY_BITS):
        refuse("a key that is no word or number")
    return value


def refuse(what: str) -> NoReturn:
    """Refuse what no network's file has."""
    raise UserError(f"it has {what}, as no network's file does")


def refuse_call(name: str) -> NoReturn:
    """Refuse a call that is not in the table."""
    raise UserError(
        f"the pickle asks for {shown(name, 120)}, which is not on the list of harmless names; it was not executed"
    )


def _push(machine: PickleMachine, value: Any) -> None:
    if isinstance(value, int) and value.bit_length() > _INT_BITS:
        refuse(f"a whole number of {value.bit_length()} bits")
    machine.budget.spend(1)
    machine.stack.append(value)


def _name(machine: PickleMachine, module: Any, name: Any) -> Name:
    if not isinstance(module, str) or not isinstance(name, str) or len(module) + len(name) > _NAME_LENGTH:
        refuse("a name that is no name")
    return Name(f"{module.replace('__builtin__', 'builtins').replace('copy_reg', 'copyreg')}.{name}")


def _stack_global(machine: PickleMachine, _: Any) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(_name(machine, module, name))


def _global(machine: PickleMachine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    machine.stack.append(_name(machine, module, name))


def _mark(machine: PickleMachine, _: Any) -> None:
    machine.budget.spend(_SMALL)
    machine.marks.append(machine.stack)
    machine.stack = []


def _tuple(machine: PickleMachine, count: int) -> None:
    machine.stack[-count:] = [tuple(machine.stack[-count:])]


def _many(make: Callable[[PickleMachine, list[Any]], Any]) -> Callable[[PickleMachine, Any], None]:
    def run(machine: PickleMachine, _: Any) -> None:
        values = machine.since_mark()
        machine.stack.append(make(machine, values))

    return run


def _dict(machine: PickleMachine, flat: list[Any]) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    machine.set_items(made, flat)
    return made


def _set_items(machine: PickleMachine, _: Any) -> None:
    flat = machine.since_mark()
    machine.set_items(machine.stack[-1], flat)


def _set_item(machine: PickleMachine, _: Any) -> None:
    value, name = machine.stack.pop(), machine.stack.pop()
    machine.set_items(machine.stack[-1], [name, value])


def _append(machine: PickleMachine, _: Any) -> None:
    value = machine.stack.pop()
    machine.append(machine.stack[-1], [value])


def _appends(machine: PickleMachine, _: Any) -> None:
    values = machine.since_mark()
    machine.append(machine.stack[-1], values)


def _add_items(machine: PickleMachine, _: Any) -> None:
    values = machine.since_mark()
    if not isinstance(machine.stack[-1], set):
        refuse("elements of something that is no set")
    machine.stack[-1].update(map(key, values))


def _reduce(machine: PickleMachine, _: Any) -> None:
    arguments, name = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(machine.call(name, arguments))


def _new(machine: PickleMachine, taken: int) -> None:
    name = machine.stack[-taken]
    del machine.stack[-taken:]
    is_dict = isinstance(name, Name) and name.full in DICTIONARIES
    machine.stack.append({} if is_dict else machine.record(name))


def _instance(machine: PickleMachine, argument: str | None) -> None:
    values = machine.since_mark()
    if argument is None:
        name, values = values[0], values[1:]
    else:
        module, _, word = argument.partition(" ")
        name = _name(machine, module, word)
    machine.stack.append(machine.call(name, tuple(values)))


def _build(machine: PickleMachine, _: Any) -> None:
    machine.build(machine.stack.pop())


def _remember(machine: PickleMachine, index: int | None) -> None:
    machine.budget.spend(_SMALL)
    machine.memo[len(machine.memo) if index is None else index] = machine.stack[-1]


def _refer(machine: PickleMachine, pid: Any) -> None:
    if machine.refer is None:
        refuse("a reference out of the file")
    machine.stack.append(machine.refer(pid))


def _pop(machine: PickleMachine, _: Any) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _made(make: Callable[[], Any], cost: int) -> Callable[[PickleMachine, Any], None]:
    def run(machine: PickleMachine, _: Any) -> None:
        machine.budget.spend(cost)
        machine.stack.append(make())

    return run


def _drop(machine: PickleMachine, _: Any) -> None:
    machine.since_mark()


def _recall(machine: PickleMachine, index: int) -> None:
    machine.stack.append(machine.memo[index])


def _unknown(machine: PickleMachine, _: Any) -> None:
    refuse("an instruction that network pickles do not use")


DICTIONARIES = frozenset({"collections.OrderedDict", "dnnlib.util.EasyDict", "builtins.dict"})
_PUSHED = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES "
    "SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8"
)
_MADE: dict[str, tuple[Callable[[], Any], int]] = {
    "NONE": (lambda: None, 0),
    "NEWTRUE": (lambda: True, 0),
    "NEWFALSE": (lambda: False, 0),
    "EMPTY_TUPLE": (tuple, 0),
    "EMPTY_LIST": (list, _SMALL),
    "EMPTY_DICT": (dict, _SMALL),
    "EMPTY_SET": (set, _OBJECT),
}
OPERATIONS: dict[str, Callable[[PickleMachine, Any], None]] = {
    **{opcode.name: _unknown for opcode in pickletools.opcodes},
    **dict.fromkeys(_PUSHED.split(), _push),
    **{name: _made(make, cost) for name, (make, cost) in _MADE.items()},
    **{f"TUPLE{n}": lambda machine, _, n=n: _tuple(machine, n) for n in (1, 2, 3)},
    **{name: lambda machine, _: None for name in ("PROTO", "FRAME", "STOP")},
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _recall),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _remember),
    "TUPLE": _many(lambda machine, values: tuple(values)),
    "LIST": _many(lambda machine, values: values),
    "DICT": _many(_dict),
    "FROZENSET": _many(lambda machine, values: frozenset(map(key, values))),
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _add_items,
    "MARK": _mark,
    "POP": _pop,
    "POP_MARK": _drop,
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": lambda machine, _: _new(machine, 2),
    "NEWOBJ_EX": lambda machine, _: _new(machine, 3),
    "INST": _instance,
    "OBJ": _instance,
    "BUILD": _build,
    "PERSID": _refer,
    "BINPERSID": lambda machine, _: _refer(machine, machine.stack.pop()),
}
"""What every instruction of the pickle format does here."""
