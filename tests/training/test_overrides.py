"""Overrides: typed, strict, and saying what would be accepted."""

import json
import re

import pytest
from tiny_run import tiny_config

from stylegenes.errors import UserError
from stylegenes.training import apply_overrides
from stylegenes.training.overrides import config_from_dict


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("model.latent.num_genes=2", lambda c: c.model.latent["num_genes"], 2),
        ("batch.micro=4", lambda c: c.batch.micro, 4),
        ("batch.micro=none", lambda c: c.batch.micro, None),
        ("optimizer.G.lr=1e-3", lambda c: c.optimizer.G.lr, 0.001),
        ("kimg=5", lambda c: c.kimg, 5.0),
        ("data.mirror=False", lambda c: c.data.mirror, False),
        ("data.source=12", lambda c: c.data.source, "12"),
        ("regularizers.r1.gamma=3", lambda c: c.regularizers["r1"]["gamma"], 3.0),
        ("regularizers.r1=none", lambda c: "r1" in c.regularizers, False),
        ("regularizers.r2=default", lambda c: c.regularizers["r2"], {}),
        ("augment.pipe=none", lambda c: c.augment.pipe, None),
        ("augment.pipe=diffaugment", lambda c: c.augment.pipe, {"name": "diffaugment"}),
        ("augment.p.target=0.5", lambda c: c.augment.p["target"], 0.5),
        ("model.latent.name=mapping", lambda c: c.model.latent, {"name": "mapping", "w_dim": 8}),
        ("noise=none", lambda c: c.noise, "none"),
        ("init_from=none", lambda c: c.init_from, None),
    ],
)
def test_values_are_typed(override, read, value):
    found = read(tiny_config(override))
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.latent.num_gene=2",
            "unknown setting 'model.latent.num_gene'; did you mean 'num_genes'? accepted: w_dim",
        ),
        ("batch.totl=2", "unknown setting 'batch.totl'; did you mean 'total'? accepted: total, micro"),
        ("nothing=2", "accepted: recipe, model, data"),
        ("batch=2", "batch is a group of settings; set one of batch.total, batch.micro"),
        ("kimg.more=2", "kimg is one value"),
        ("batch.total=many", "batch.total=many is not a whole number"),
        ("batch.total=1.5", "is not a whole number"),
        ("data.mirror=1", "data.mirror=1 is not true or false"),
        ("data.fit=squash", "is not one of crop, letterbox"),
        ("noise=loud", "one of random, const, none"),
        ("kimg", "an override reads KEY=VALUE"),
        ("model.latent.name=genom", "unknown latent distribution 'genom'; did you mean 'genome'?"),
        ("regularizers.r3.gamma=1", "unknown regularizer 'r3'"),
        ("regularizers.r1.gama=1", "did you mean 'gamma'?"),
        ("regularizers=1", "regularizers.NAME.ARGUMENT=VALUE"),
    ],
)
def test_mistakes_are_explained(override, message):
    with pytest.raises(UserError, match=re.escape(message)):
        tiny_config(override)


@pytest.mark.parametrize("path", ["rendering", "pose_swap", "optimizer.beta2", "optimizer.lr_scale", "growth", "blur"])
def test_every_schedule_is_set_and_checked_alike(path):
    start = apply_overrides(tiny_config(), [f"{path}.name=ramp", f"{path}.start=1", f"{path}.end=2"])
    value = start
    for part in path.split("."):
        value = getattr(value, part)
    assert value == {"name": "ramp", "start": 1, "end": 2}
    for wrong in (f"{path}.name=rampp", f"{path}.foo=1", f'{path}={{"name": "rampp"}}'):
        with pytest.raises(UserError, match=r"rampp|foo"):
            apply_overrides(start, [wrong])


def test_later_overrides_win_and_json_round_trips():
    config = apply_overrides(tiny_config(), ["kimg=1", "kimg=2"])
    assert config.kimg == 2
    assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "override",
    [
        "batch.total=1000000000",
        "batch.total=0",
        "batch.micro=0",
        "batch.micro=1000000000",
        "data.resolution=1048576",
        "kimg=1e300",
        "kimg=1e-9",
        "intervals.snapshot_kimg=1e-9",
        "intervals.image_kimg=-1",
    ],
)
def test_numbers_that_no_machine_works_with_are_refused(override):
    with pytest.raises(UserError, match=rf"{re.escape(override.partition('=')[0])} = .* must be "):
        apply_overrides(tiny_config(), [override])
