"""Files made to harm are refused in one sound line, quickly and in little memory; then the same for files at random."""

import io
import json
import pickle
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from official_pickles import EasyDict, Plain, Wrapped, projected_discriminator, tree

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.interop import fastgan, r3gan, stylegan2, stylegan3

WORKER = Path(__file__).with_name("weight_fuzz.py")
P = b"\x80\x04"


def word(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def name(full: str) -> bytes:
    module, _, last = full.rpartition(".")
    return word(module) + word(last) + b"\x93"


def module(**state: bytes) -> bytes:
    """A wrapped module with a state."""
    inside = b"".join(word(key) + value for key, value in state.items())
    meta = (
        b"}(" + word("type") + word("class") + word("class_name") + word("G") + word("state") + b"}(" + inside + b"uu"
    )
    return name("torch_utils.persistence._reconstruct_persistent_obj") + b"(" + meta + b"tR"


def holding(value: bytes, key: str = "G_ema") -> bytes:
    return P + b"}" + word(key) + value + b"s."


def doubling(make: bytes, times: int = 40) -> bytes:
    """A value that holds itself twice, again and again."""
    out = b"J\x01\x00\x00\x00\x94"
    for i in range(times):
        out += b"0(" + (b"h" + bytes([i])) * 2 + make + b"\x94"
    return out


def storage_of(count: int) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(torch.zeros(count).storage(), data, _use_new_zipfile_serialization=False)
    raw = data.getvalue()
    return name("torch.storage._load_from_bytes") + b"(B" + struct.pack("<I", len(raw)) + raw + b"tR"


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def tensor(storage: bytes, offset: int, size: tuple, stride: tuple) -> bytes:
    sizes, strides = (b"(" + b"".join(map(number, part)) + b"t" for part in (size, stride))
    arguments = b"(" + storage + number(offset) + sizes + strides + b"\x89)t"
    return name("torch._utils._rebuild_tensor_v2") + arguments + b"R"


def dictionary(**items: bytes) -> bytes:
    return b"}(" + b"".join(word(key) + value for key, value in items.items()) + b"u"


STYLE = {
    "z_dim": number(8),
    "c_dim": number(0),
    "w_dim": number(8),
    "img_resolution": number(8),
    "img_channels": number(3),
}
ONE = tensor(storage_of(1), 0, (1,), (1,))


def style(**changes: bytes) -> bytes:
    """A StyleGAN2 by the name of one weight, with arguments of choice."""
    weights = dictionary(**{"synthesis.b4.const": ONE})
    return module(_init_kwargs=dictionary(**STYLE | changes), _parameters=weights)


def two(first: bytes, second: bytes) -> bytes:
    return b"(" + first + second + b"t"


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in members.items():
            archive.writestr(f"net/{path}", data)
    return out.getvalue()


def zip_tensor(key: str, count: int) -> bytes:
    pid = b"(" + word("storage") + name("torch.FloatStorage") + word(key) + word("cpu") + number(count) + b"tQ"
    return P + b"}" + word("g_ema") + b"}" + word("x") + tensor(pid, 0, (count,), (1,)) + b"ss."


DTYPE = name("numpy.dtype") + b"(" + word("V8") + b"\x89\x88tR\x94"
HOSTILE = {
    "long_memo_index": b"\x80\x02]r\x00\x00\x00\x10.",
    "memo_index_4_giga": b"\x80\x02]r\xff\xff\xff\xff.",
    "hash_bomb": P + b"}" + doubling(b"t") + b"Ns.",
    "hash_bomb_in_a_set": P + b"(" + doubling(b"t") + b"\x91.",
    "repr_bomb_as_reference": P + doubling(b"l") + b"Q.",
    "repr_bomb_as_argument": holding(style(activation=doubling(b"l"))),
    "repr_bomb_as_class_name": holding(
        name("torch_utils.persistence._reconstruct_persistent_obj")
        + b"(}("
        + word("type")
        + word("class")
        + word("class_name")
        + doubling(b"l")
        + b"utR"
    ),
    "deep_tuple": P + b")" + b"\x85" * 300_000 + b".",
    "deep_list": P + b"]" * 300_000 + b"a" * 299_999 + b".",
    "deep_modules": holding(
        b"".join(name("torch.nn.Module") + b")\x81}" + word("_modules") + b"}" + word("a") for _ in range(20_000))
        + b"N"
        + b"ssb" * 20_000
    ),
    "a_module_in_itself": holding(
        name("torch.nn.M") + b")\x81\x94}(" + word("_modules") + b"}(" + word("a") + b"h\x00uub"
    ),
    "modules_that_double": P
    + b"".join(
        name("torch.nn.M")
        + b")\x81}("
        + word("_modules")
        + (b"}(" + word("a") + b"h" + bytes([i - 1]) + word("b") + b"h" + bytes([i - 1]) + b"u" if i else b"}")
        + b"ub\x94"
        for i in range(60)
    )
    + b"}"
    + word("G_ema")
    + b"h\x3bs.",
    "many_steps": P + b"]" + b"N0" * 2_000_000 + b".",
    "many_sets": P + b"\x8f" * 2_000_000 + b".",
    "many_records": P + name("a.B") + b"\x94" + b"h\x00)\x81" * 600_000 + b".",
    "many_digits": P + b"I" + b"9" * 5_000_000 + b"\n.",
    "many_bytes_of_a_number": P + b"\x8b" + struct.pack("<i", 4_000_000) + b"\x7f" * 4_000_000 + b".",
    "text_that_is_not_there": P + b"B\xff\xff\xff\x7fabc.",
    "text_of_exabytes": P + b"\x8e" + b"\xff" * 7 + b"\x7f.",
    "frame_of_exabytes": P + b"\x95" + b"\xff" * 8 + b"N.",
    "copies_of_a_text": P
    + word("x" * 1_000_000)
    + b"\x940"
    + name("_codecs.encode")
    + b"\x940"
    + (b"h\x01h\x00" + word("latin1") + b"\x86R") * 2000
    + b".",
    "copies_of_a_list": P
    + b"]("
    + b"N" * 10_000
    + b"e\x940"
    + name("builtins.list")
    + b"\x940"
    + b"h\x01h\x00\x85R" * 20_000
    + b".",
    "stride_0": holding(module(_parameters=dictionary(x=tensor(storage_of(1), 0, (40_000, 32_000), (0, 0))))),
    "overlapping": holding(module(_parameters=dictionary(x=tensor(storage_of(20_000), 0, (10_000, 10_000), (1, 1))))),
    "beyond_its_storage": holding(module(_parameters=dictionary(x=tensor(storage_of(4), 2, (3,), (1,))))),
    "offset_alone_beyond": holding(module(_parameters=dictionary(x=tensor(storage_of(4), 1 << 39, (1,), (1,))))),
    "negative_sizes": holding(module(_parameters=dictionary(x=tensor(storage_of(4), 0, (-1,), (1,))))),
    "negative_strides": holding(module(_parameters=dictionary(x=tensor(storage_of(4), 3, (4,), (-1,))))),
    "sizes_and_strides_differ": holding(module(_parameters=dictionary(x=tensor(storage_of(4), 0, (2, 2), (1,))))),
    "a_scalar_for_a_matrix": holding(
        module(_parameters=dictionary(**{"AggregationLayer.Layer.weight": tensor(storage_of(1), 0, (), ())}))
    ),
    "residual_blocks_of_scalars": holding(
        module(
            _parameters=dictionary(
                **{
                    key: tensor(storage_of(1), 0, (), ())
                    for key in (
                        "AggregationLayer.Layer.weight",
                        "MainLayers.0.Layers.0.LinearLayer1.Layer.weight",
                        "MainLayers.0.Layers.0.LinearLayer2.Layer.weight",
                    )
                }
            )
        )
    ),
    "dtype_state": P + DTYPE + b"(" + number(3) + word("|") + b"N" + b"(" + word("a") + b"t}NNNtb.",
    "array_of_objects": holding(
        name("numpy.core.multiarray._reconstruct")
        + b"("
        + name("numpy.ndarray")
        + two(b"K\x00", b"")
        + b"C\x01btR"
        + b"(K\x01("
        + number(1 << 40)
        + b"t"
        + DTYPE
        + b"\x89C\x04AAAAtb"
    ),
    "scalar_of_objects": holding(
        name("numpy.core.multiarray.scalar")
        + b"("
        + name("numpy.dtype")
        + b"("
        + word("O8")
        + b"tR"
        + b"C\x08AAAAAAAAtR"
    ),
    "argument_of_a_wrong_kind": holding(module(_init_kwargs=number(3), _modules=number(5))),
    "modules_of_a_wrong_kind": holding(module(_modules=number(5), _parameters=b"]", _buffers=word("x"))),
    "activation_that_is_a_list": holding(style(mapping_kwargs=dictionary(activation=b"]"))),
    "layers_without_end": holding(style(mapping_kwargs=dictionary(num_layers=number(1 << 30)))),
    "channels_without_end": holding(style(**dict.fromkeys(("channel_base", "channel_max", "w_dim"), number(1 << 20)))),
    "pixels_without_end": holding(style(img_resolution=number(1 << 40))),
    "not_a_number": holding(style(conv_clamp=b"G\x7f\xf8" + bytes(6))),
    "endless_filter": holding(style(resample_filter=b"](" + b"K\x01" * 1000 + b"e")),
    "endless_decay": holding(
        module(
            _init_kwargs=dictionary(**STYLE),
            _parameters=dictionary(**{"synthesis.b4.const": ONE}),
            _modules=dictionary(mapping=module(w_avg_beta=b"G\x7f\xf0" + bytes(6))),
        )
    ),
    "terminal_in_a_key": holding(b"N", key="\x1b[2J\x1b]0;title\x07key\nerror: fake"),
    "terminal_in_a_network": holding(module(), key="\x1b[2J\x1b]0;title\x07key\nerror: fake"),
    "terminal_in_a_class": holding(name("os\x1b[2J.sys\ntem") + b"(" + word("x") + b"tR"),
    "terminal_in_a_weight": holding(module(_parameters=dictionary(**{"\x1b[31m\u202eevil\r": ONE}))),
    "name_of_megabytes": holding(name("os." + "x" * 10_000_000) + b")R"),
    "weight_of_megabytes": holding(module(_parameters=dictionary(**{"x" * 10_000_000: ONE}))),
    "call_of_a_record": P + name("a.B") + b")\x81)R.",
    "class_called_without_state": holding(name("subprocess.Popen") + b"(" + word("touch x") + b"tR"),
    "old_instance": b"(S'touch x'\nios\nsystem\n.",
    "extension_code": P + b"\x82\x01.",
    "build_on_nothing": P + b"b.",
    "no_mark": P + b"t.",
    "zip_cut_short": zipped({"data.pkl": zip_tensor("0", 4), "data/0": bytes(8)}),
    "zip_without_storage": zipped({"data.pkl": zip_tensor("0", 4)}),
    "zip_of_exabytes": zipped({"data.pkl": zip_tensor("0", 1 << 39), "data/0": bytes(16)}),
    "zip_bomb": zipped({"data.pkl": zip_tensor("0", 4), "data/0": bytes(50_000_000)}, zipfile.ZIP_DEFLATED),
    "zip_of_big_ends": zipped({"data.pkl": zip_tensor("0", 4), "data/0": bytes(16), "byteorder": b"big"}),
    "zip_of_something": zipped({"word/document.xml": b"<xml/>"}),
    "safetensors": struct.pack("<Q", 60) + b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      ' + bytes(4),
    "safetensors_of_exabytes": b"\xff" * 7 + b"\x7f" + b'{"x":',
    "nothing": b"",
    "text": b"<!DOCTYPE html><html>404</html>",
    "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
}


def read_all(folder: Path, count: int, seed: int = 0, timeout: float = 280) -> dict:
    """What the worker says, in a process of its own."""
    command = [sys.executable, str(WORKER), str(folder), str(count), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"died with {done.returncode} at {folder / 'now' / 'input'}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


def test_hostile_files_are_refused_in_one_line(tmp_path):
    for title, data in HOSTILE.items():
        (tmp_path / title).write_bytes(data)
    said = read_all(tmp_path, 0)
    assert said["outcomes"] == {"refused": len(HOSTILE)}, said["faults"]


def official(generator: torch.nn.Module, names: dict[str, str]) -> dict[str, torch.Tensor]:
    return {foreign: generator.state_dict()[ours].clone() for ours, foreign in names.items()}


@pytest.fixture
def seeds(foreign_classes, tmp_path) -> Path:
    """Small files of every kind that is read, as their training writes them."""
    common = {
        "z_dim": 2,
        "c_dim": 0,
        "w_dim": 2,
        "img_resolution": 8,
        "img_channels": 1,
        "mapping_kwargs": {"num_layers": 1},
    }
    small = {**common, "channel_base": 8, "channel_max": 2}
    G2 = Generator.from_spec(stylegan2.generator_spec(small))
    alias = {**small, "img_resolution": 16, "channel_base": 16, "num_layers": 2, "num_critical": 1, "margin_size": 1}
    G3 = Generator.from_spec(stylegan3.generator_spec(alias))
    layers = {f"synthesis.L{i}_1_1.weight": torch.empty(0) for i in range(3)}
    GF = Generator.from_spec(fastgan.generator_spec({"img_resolution": 16, "z_dim": 2, "ngf": 1}))
    stages = {"CardinalityPerStage": [1, 1], "BlocksPerStage": [1, 1], "ExpansionFactor": 1}
    GR = Generator.from_spec(r3gan.generator_spec({"WidthPerStage": [2, 2], "NoiseDimension": 2, **stages}))
    judge = {"c_dim": 0, "img_resolution": 8, "img_channels": 1, "channel_base": 8, "channel_max": 2}
    D2 = DISCRIMINATORS.build(stylegan2.discriminator_spec(judge))
    plain = tree(official(D2, stylegan2.discriminator_names(D2)), {"_init_kwargs": EasyDict(judge)})
    inner = {f"Model.{key}": value for key, value in official(GR, r3gan.generator_names(GR)).items()}
    files = {
        "stylegan2": tree(official(G2, stylegan2.generator_names(G2)), {"_init_kwargs": EasyDict(small)}),
        "stylegan3": tree(official(G3, stylegan3.generator_names(G3, layers)), {"_init_kwargs": EasyDict(alias)}),
        "fastgan": tree(official(GF, fastgan.generator_names(GF, {})), {"img_resolution": 16}, Plain),
        "r3gan": tree(inner, kind=Wrapped),
    }
    for title, G in files.items():
        D = projected_discriminator(foreign_classes) if title == "fastgan" else plain
        for protocol in (2, 4):
            (tmp_path / f"{title}-{protocol}").write_bytes(pickle.dumps({"G_ema": G, "D": D}, protocol=protocol))
    state = {"conv1.conv.weight": torch.ones(1, 1, 1, 3, 3), "to_rgb1.conv.weight": torch.ones(1, 1, 1, 1, 1)}
    state |= {"input.input": torch.ones(1, 1, 4, 4), "style.1.weight": torch.ones(2, 2)}
    for plain in (True, False):
        torch.save({"g_ema": state, "d": {}}, tmp_path / f"plain-{plain}", _use_new_zipfile_serialization=plain)
    for title, data in HOSTILE.items():
        if len(data) < 1000:
            (tmp_path / title).write_bytes(data)
    return tmp_path


def test_files_at_random_are_read_or_refused(seeds):
    said = read_all(seeds, 300)
    assert not said["faults"] and sum(said["outcomes"].values()) == 300
    assert said["unchanged"]["network"] >= 8, "the files themselves are read"


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_ten_thousand_files_at_random_are_read_or_refused(seeds):
    said = read_all(seeds, 10_000, seed=1, timeout=2900)
    assert not said["faults"] and sum(said["outcomes"].values()) == 10_000
