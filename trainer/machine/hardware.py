"""The processor and the memory of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import re
import subprocess
from pathlib import Path

from trainer.core.concurrency import usable_cores

VECTOR_INSTRUCTIONS = {
    "avx": "AVX",
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX512-VNNI",
    "amx_tile": "AMX",
    "asimd": "NEON",
    "sve": "SVE",
}
"""What Linux calls them, and what everybody does: those that the speed of TensorFlow hangs on."""

_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")

_CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux has the most memory that a container may take, in version 2 and 1 of its groups."""


@dataclasses.dataclass(frozen=True)
class Processor:
    """What computes where there is no accelerator."""

    name: str
    cores: int
    """Those that this process may use."""

    instructions: tuple[str, ...] | None
    """Of `VECTOR_INSTRUCTIONS` those that it has; None where the system does not say."""


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes of memory; None where the system does not say."""

    total: int | None
    free: int | None
    """What programs can still take: what files have of it is given back."""


def processor() -> Processor:
    """The processor of this machine."""
    cpuinfo = _text(_CPUINFO)
    return Processor(_processor_name(cpuinfo), usable_cores(), _instructions(cpuinfo))


def memory() -> Memory:
    """The memory of this machine, or of the container that this process is in."""
    meminfo = _text(_MEMINFO)
    total = _limited(_kilobytes("MemTotal", meminfo) or _physical_memory())
    free = _kilobytes("MemAvailable", meminfo)
    return Memory(total, free if free is None or total is None else min(free, total))


def has_nvidia_driver() -> bool:
    """Whether a driver of NVIDIA is loaded; Linux alone says so."""
    return Path("/proc/driver/nvidia/version").exists()


def _processor_name(cpuinfo: str) -> str:
    named = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    if named:
        return named[1]
    return _mac_processor() or platform.processor() or platform.machine()


def _mac_processor() -> str:
    if platform.system() != "Darwin":
        return ""
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=5).stdout.strip()
    return ""


def _instructions(cpuinfo: str) -> tuple[str, ...] | None:
    listed = re.search(r"^(?:flags|Features)\s*: (.*)$", cpuinfo, re.MULTILINE)
    if listed is None:
        return None
    flags = set(listed[1].split())
    return tuple(name for flag, name in VECTOR_INSTRUCTIONS.items() if flag in flags)


def _kilobytes(name: str, meminfo: str) -> int | None:
    found = re.search(rf"^{name}:\s*(\d+) kB$", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _physical_memory() -> int | None:
    """Of macOS; Windows has no `os.sysconf`."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _limited(total: int | None) -> int | None:
    limits = [int(text) for path in _CONTAINER_LIMITS if (text := _text(path).strip()).isdigit()]
    return min([total, *limits]) if total is not None else None


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
