"""`stylegenes VERB`: the table of verbs, and what every verb shares."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass

from stylegenes import UserError, __version__
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class Verb:
    """One command. Its module `stylegenes.cli.<name>` has `Args` (one dataclass, or a union of them) and `run(args)`.

    Attributes:
        summary: one line for `stylegenes --help`; the first line of the module's docstring says the same.
        example: a command line to copy.
    """

    summary: str
    example: str


GROUPS: dict[str, dict[str, Verb]] = {
    "start": {
        "demo": Verb("train a small genome GAN on the embedded faces and draw samples", "stylegenes demo"),
        "doctor": Verb(
            "what this machine can do, how fast, and what is missing for which feature", "stylegenes doctor"
        ),
    },
    "train and measure": {
        "data": Verb("check, draw and pack images to train on", "stylegenes data check photos --sheet photos.png"),
        "train": Verb("train a generator on images, or continue a run", "stylegenes train photos --out runs/0001"),
        "slot": Verb(
            "the most of a device that is yours for some minutes: check, train, evaluate, pack up",
            "stylegenes slot work --minutes 9",
        ),
        "evaluate": Verb(
            "measure a snapshot or a folder of pictures against data", "stylegenes evaluate runs/0001 --data avatars"
        ),
        "classifier": Verb(
            "train an attribute classifier on labeled pictures", "stylegenes classifier avatars --out judge"
        ),
        "fetch": Verb("store the weights of a frozen judge", "stylegenes fetch inception --source FILE"),
        "reproduce": Verb(
            "train and measure what the papers' tables need, and report their numbers beside ours",
            "stylegenes reproduce --scale tiny --out runs/tiny",
        ),
        "ablate": Verb(
            "Frechet distance over genes x variants", "stylegenes ablate avatars --genes 32,8 --out runs/grid"
        ),
    },
    "use a model": {
        "sample": Verb("draw pictures from a snapshot", "stylegenes sample runs/0001 --seeds 0-15"),
        "interpolate": Verb(
            "ways between codes, through the code's own space and straight through W",
            "stylegenes interpolate runs/0001 --seeds 1,2,3",
        ),
        "orbit": Verb(
            "see what a 3D model makes from all sides: pictures, depth or normals",
            "stylegenes orbit runs/0001 --seeds 3 --out turn.mp4",
        ),
        "mesh": Verb(
            "write what a 3D model makes as a mesh, or as densities", "stylegenes mesh runs/0001 --out figure.glb"
        ),
        "invert": Verb(
            "bring photos into a model: project, quantize to genotypes, tune",
            "stylegenes invert runs/0001 me.jpg --space w+",
        ),
        "export": Verb(
            "write a snapshot as an ONNX file that needs neither torch nor stylegenes",
            "stylegenes export runs/0001 --onnx model.onnx",
        ),
        "import": Verb(
            "turn foreign weights into a snapshot, executing nothing of the file",
            "stylegenes import ffhq.pkl models/ffhq",
        ),
    },
    "genes": {
        "survey": Verb("draw and judge many pictures of a model", "stylegenes survey runs/0001 --classifier judge"),
        "stats": Verb("which genes and variants matter for which attribute", "stylegenes stats runs/0001"),
        "edit": Verb(
            "change attributes of a picture by its genes", "stylegenes edit runs/0001 --seed 3 --set Smiling=1"
        ),
        "breed": Verb(
            "children of two pictures, or generations under selection", "stylegenes breed runs/0001 --parents 3,8"
        ),
        "prune": Verb(
            "replace the least real variants by the most real ones", "stylegenes prune runs/0001 --num 16 --out pruned"
        ),
        "tradeoff": Verb(
            "accuracy against distance of conditional sampling",
            'stylegenes tradeoff runs/0001 --second other --wishes "Hat=1;Hat=0"',
        ),
        "correlate": Verb(
            "which attributes go together, in reals and models", "stylegenes correlate runs/0001 --other runs/0002"
        ),
        "evolution": Verb("how the codebook of a run has changed over its training", "stylegenes evolution runs/0001"),
        "report": Verb("all exhibits of a model's genes in one HTML page", "stylegenes report runs/0001"),
    },
    "latent space": {
        "directions": Verb(
            "find linear attribute directions in a model's latent space and say how good they are",
            "stylegenes directions runs/0001 --classifier judge",
        ),
        "move": Verb(
            "move pictures along an attribute direction or a principal component",
            "stylegenes move runs/0001 directions/w-l1 Smiling",
        ),
        "pca": Verb(
            "principal components of a model's latent space: variance, extremes, strips", "stylegenes pca runs/0001"
        ),
        "noise": Verb(
            "what a model's noise inputs do: none, coarse, fine, all, and where they change the picture",
            "stylegenes noise runs/0001 --seeds 0-3",
        ),
    },
}
VERBS: dict[str, Verb] = {name: verb for group in GROUPS.values() for name, verb in group.items()}

USAGE, FAILED, INTERRUPTED = 2, 1, 130


def main() -> None:
    """Entry point of the `stylegenes` command; ends the process with 0, 1 (error), 2 (usage) or 130 (interrupted)."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status. A user's mistake is printed without a traceback."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0
    if argv[0] in ("--version", "-V"):
        sys.stdout.write(f"stylegenes {__version__}\n")
        return 0
    if argv[0] not in VERBS:
        return _complain(f"there is no command {argv[0]!r}{did_you_mean(argv[0], sorted(VERBS), 'commands')}", USAGE)
    try:
        call(argv[0], argv[1:])
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has left; the interpreter must not try to flush into it on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UserError, OSError) as error:
        if os.environ.get("STYLEGENES_TRACEBACK"):
            raise
        return _complain(_describe(error), FAILED)
    return 0


def call(verb: str, argv: list[str]) -> None:
    """Parse the arguments of `verb` and run it. Errors pass through.

    Raises:
        SystemExit: for `--help` (0) and for arguments that do not parse (2).
    """
    from stylegenes.cli.usage import parse

    module = importlib.import_module(f"stylegenes.cli.{verb.replace('-', '_')}")
    args = parse(module.Args, f"stylegenes {verb}", module.__doc__, argv)
    module.run(args)


def help_text() -> str:
    """What `stylegenes --help` prints: every verb with one line, then an example of each."""
    width = max(map(len, VERBS))
    lines = ["stylegenes: style-based GANs whose latent space is a genome", "", "usage: stylegenes COMMAND [options]"]
    for group, verbs in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {name:<{width}}  {verb.summary}" for name, verb in verbs.items())]
    lines += ["", "examples:", *(f"  {verb.example}" for verb in VERBS.values())]
    lines += ["", "stylegenes COMMAND --help lists a command's options; stylegenes --version prints the version."]
    return "\n".join(lines) + "\n"


def _describe(error: UserError | OSError) -> str:
    if isinstance(error, FileNotFoundError) and error.filename and error.strerror == os.strerror(error.errno or 0):
        return f"there is no file or folder {error.filename}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"error: {message}\n" if status != INTERRUPTED else f"{message}\n")
    return status
