"""Runs a program on a disk that forgets what was not synced (see lossydisk.c)."""

import os
import pathlib
import random
import signal
import subprocess

SOURCE = pathlib.Path(__file__).with_name("lossydisk.c")
CUT = 137


def build(directory, source=SOURCE):
    """Compiles a library into a directory and returns its path."""
    library = pathlib.Path(directory) / source.with_suffix(".so").name
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(source), "-ldl", "-lpthread"],
        check=True,
    )
    return library


class LossyProcess:
    """A program whose files below `directory` are lossy; its acknowledgements are the lines that it prints."""

    def __init__(self, library, directory, command, seed, cut_sync=0, **environment):
        variables = dict(os.environ, LD_PRELOAD=str(library), LOSSYDISK_DIR=str(directory))
        variables.update(LOSSYDISK_SEED=str(seed), LOSSYDISK_CUT_SYNC=str(cut_sync), **environment)
        # A pipe that nobody writes to: a program that waits for its input waits for the cut.
        self.process = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def acknowledged(self, until=None):
        """The lines up to the end of the process; after `until` of them the power goes."""
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if until is not None and len(lines) == until:
                self.cut()
        self.process.stdout.close()
        self.process.stdin.close()
        return lines

    def cut(self):
        os.kill(self.process.pid, signal.SIGUSR2)

    def wait(self):
        return self.process.wait(timeout=60)


def rounds(count, first_seed=1):
    """Seeds, each with its own source of random numbers."""
    for seed in range(first_seed, first_seed + count):
        yield seed, random.Random(seed)
