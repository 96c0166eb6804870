"""Set up everything, with the standard library only: ``python3 .ci/setup.py`` (or ``make setup``).

1. A Python that fits: this one, else python3.13, 3.12 or 3.11 from PATH.
2. ``.venv``.
3. Dependencies, pinned by constraints.txt; a CPU build of torch where no NVIDIA device is seen and pip offers one.
4. The database's jars, checked against their hashes.
5. A stamp over what decides all this; while it fits, a second call ends at once.

Old interpreters must still be able to read this file: no syntax newer than Python 3.6.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "roicg.stamp")
OLDEST, NEWEST = (3, 11), (3, 13)
SIZES = {  # measured on Linux x86-64: download, unpacked
    "cuda": "about 3 GB (torch with CUDA is most of it), 5.9 GB unpacked",
    "cpu": "about 0.5 GB, 2 GB unpacked",
    "jars": "about 150 MB of jars for the database (once per user)",
}


def main():
    """Run the five steps; returns the exit code."""
    here = sys.version_info[:2]
    if not OLDEST <= here <= NEWEST:
        return hand_over(here)
    stamp = fingerprint()
    if os.path.exists(STAMP) and read(STAMP).decode() == stamp and works(venv_python()):
        return 0
    began = time.time()
    print("Setting up in .venv with Python {}.{} (once; a later call skips what is done).".format(*here), flush=True)
    make_venv()
    install()
    fetch_jars()
    with open(STAMP, "w") as handle:
        handle.write(stamp)
    print(f"Set-up done in {time.time() - began:.0f} s.", flush=True)
    return 0


def hand_over(here):
    """Run this file again under a Python that fits, or say which is needed."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = f"python3.{minor}"
        found = shutil.which(name)
        if found and works(found):
            return subprocess.call([found, os.path.abspath(__file__)])
    return fail("Python {}.{} was found, roicg needs 3.11, 3.12 or 3.13; install one of them, or name it: make setup PYTHON=/path/to/python3.12".format(*here))


def fingerprint():
    """Hash of all that decides what set-up installs."""
    files = [os.path.join(ROOT, name) for name in ("pyproject.toml", "constraints.txt", os.path.join("roicg", "server", "jars.lock.json"))]
    parts = [hashlib.sha256(read(name)).hexdigest() for name in files] + [os.path.realpath(ROOT)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def make_venv():
    """Step 2: keep a ``.venv`` that works, was made in this folder (its scripts hold the path) and has a Python that fits; else make it anew."""
    allowed = f"import sys, pip; raise SystemExit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    if works(venv_python(), allowed) and (os.name == "nt" or VENV.encode() in read(os.path.join(VENV, "bin", "pip"))):
        return
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    step("virtual environment", command, "Python's venv module is missing or broken; on Debian and Ubuntu: apt install python3-venv")


def install():
    """Step 3: pinned dependencies and roicg itself, editable."""
    pip = [venv_python(), "-m", "pip", "--disable-pip-version-check"]
    build = torch_build(pip)
    kind = "cuda" if build is None and platform.system() == "Linux" and platform.machine() == "x86_64" else "cpu"
    print("To download where pip has not cached it: {}; and {}.".format(SIZES[kind], SIZES["jars"]), flush=True)
    extra = ["torch==" + build] if build else []
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    # --no-compile: what is never imported need not be compiled, which is a third of the time
    command = [*pip, "install", "--no-compile", *quiet, "-c", os.path.join(ROOT, "constraints.txt"), *extra, "-e", ROOT + "[all,dev]"]
    step(
        "pinned dependencies",
        command,
        "pip could not install the pinned dependencies; its last lines say why (network, disk space, or a platform without wheels)",
    )


def torch_build(pip):
    """The pinned torch as a CPU build (``2.x.y+cpu``), where no NVIDIA device is seen and the user's own pip settings offer it; else None."""
    pinned = [line.split("==")[1].strip() for line in read(os.path.join(ROOT, "constraints.txt")).decode().splitlines() if line.startswith("torch==")]
    if not pinned or platform.system() != "Linux" or os.path.exists("/dev/nvidia0") or works(shutil.which("nvidia-smi"), None):
        return None
    found = subprocess.run([*pip, "index", "versions", "torch"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    cpu = pinned[0] + "+cpu"
    return cpu if cpu in found.stdout.decode().replace(",", " ").split() else None


def fetch_jars():
    """Step 4: the database's jars into the user's cache; ``roicg db fetch`` checks every hash."""
    step(
        "database jars",
        [os.path.join(os.path.dirname(venv_python()), "roicg"), "db", "fetch"],
        "the jars could not be fetched; behind a wall: roicg db fetch --from FOLDER",
    )


def step(what, command, advice):
    """Run one command; on failure say what to do and end."""
    began = time.time()
    print(f"  {what} …", flush=True)
    if subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL) != 0:
        sys.exit(fail(f"set-up stopped at {what}: {advice}"))
    print(f"  {what}: {time.time() - began:.0f} s", flush=True)


def works(python, code="import sys"):
    """Whether the program runs; ``code`` is what a Python is asked to run (None: the program alone)."""
    if not python or not os.path.exists(python):
        return False
    command = [python] if code is None else [python, "-c", code]
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) == 0


def venv_python():
    """Path of the virtual environment's interpreter."""
    return os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")


def read(path):
    """Bytes of a file; none if it is not there."""
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as handle:
        return handle.read()


def fail(sentence):
    """Print the sentence on stderr; returns exit code 1."""
    sys.stderr.write(sentence + "\n")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("set-up interrupted; call it again and it goes on")
