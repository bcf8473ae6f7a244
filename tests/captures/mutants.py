#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Mutants of captures (badcap.py) through a sanitized `read`: tests/captures/mutants.py FUZZ_READ COUNT SEED.

FUZZ_READ is tests/fuzz/fuzz_read of a sanitized build: all of `portavoz read` but its sandbox, thousands
of files a process. The same COUNT and SEED make the same files. One that crashes, leaks, breaks a
promise or takes more than LIMIT seconds is left in the current folder; exit status 1 when there is one.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

import badcap

BATCH = 1000
LIMIT = 10


def run(fuzz, path, seconds):
    """What the target has to say against a file or a folder; None = nothing."""
    try:
        done = subprocess.run([fuzz, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=seconds)
    except subprocess.TimeoutExpired:
        return b"took more than %d s" % seconds
    return (done.stderr or b"exit status %d" % done.returncode) if done.returncode else None


def run_batch(fuzz, bases, seed, first, count):
    """A batch is one process; only when that fails each of its files is one."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, "mutant-%d-%d" % (seed, i)) for i in range(first, first + count)]
        for i, path in enumerate(paths):
            with open(path, "wb") as f:
                f.write(badcap.mutant(bases, seed, first + i))
        said = run(fuzz, folder, LIMIT * count)
        if not said:
            return []
        found = [(path, said) for path, said in ((path, run(fuzz, path, LIMIT)) for path in paths) if said]
        for path, _ in found:
            shutil.copy(path, ".")
        return [(os.path.basename(path), said) for path, said in found] or [("all of %d-%d" % (first, first + count), said)]


def main():
    fuzz, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    bases = badcap.mutant_bases()
    os.nice(19)
    n_found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        work = [pool.submit(run_batch, fuzz, bases, seed, i, min(BATCH, count - i)) for i in range(0, count, BATCH)]
        for done in work:
            for name, said in done.result():
                n_found += 1
                print("%s: %s" % (name, said.decode(errors="replace")[:4000]))
    print("%d mutants of %d captures, seed %d: %d findings" % (count, len(bases), seed, n_found))
    sys.exit(1 if n_found else 0)


if __name__ == "__main__":
    main()
