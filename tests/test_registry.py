import pytest

from stylegenes.errors import UserError
from stylegenes.registry import Registry

REGISTRY: Registry = Registry("toy")


@REGISTRY.register("one")
class One:
    def __init__(self, size, *, depth=2):
        self.size, self.depth = size, depth


def test_build_keeps_the_spec():
    built = REGISTRY.build({"name": "one", "size": 3})
    assert (built.size, built.depth, built.spec) == (3, 2, {"name": "one", "size": 3})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "needs a 'name'"),
        ({"name": "onne"}, "did you mean 'one'"),
        ({"name": "one", "size": 1, "dpeth": 2}, "did you mean 'depth'"),
        ({"name": "one"}, "needs size"),
    ],
)
def test_wrong_specs_name_what_is_accepted(spec, message):
    with pytest.raises(UserError, match=message):
        REGISTRY.build(spec)
