"""The processor and the memory, as the system reports them."""

import os

import pytest

from trainer.machine import hardware

CPUINFO = """processor\t: 0
model name\t: A Processor @ 2.50GHz
flags\t\t: fpu sse4_2 avx avx2 avx512f avx512_vnni
"""

MEMINFO = "MemTotal:       8000000 kB\nMemFree:         100 kB\nMemAvailable:    3000000 kB\n"


@pytest.fixture
def system_says(monkeypatch, tmp_path):
    """Puts other files in the place of the system's."""

    def say(cpuinfo="", meminfo="", limit=""):
        for name, text in {"_CPUINFO": cpuinfo, "_MEMINFO": meminfo}.items():
            (tmp_path / name).write_text(text)
            monkeypatch.setattr(hardware, name, tmp_path / name)
        (tmp_path / "limit").write_text(limit)
        monkeypatch.setattr(hardware, "_CONTAINER_LIMITS", (tmp_path / "limit",))

    return say


def test_this_machine_has_a_processor_and_memory():
    assert hardware.processor().name
    assert 1 <= hardware.processor().cores <= os.cpu_count()
    memory = hardware.memory()
    assert memory.total > 0


def test_a_processor_is_known_by_its_name_and_vector_instructions(system_says):
    system_says(CPUINFO)
    found = hardware.processor()
    assert found.name == "A Processor @ 2.50GHz"
    assert found.instructions == ("AVX", "AVX2", "AVX-512", "AVX512-VNNI")


def test_where_the_system_does_not_list_instructions_they_are_unknown(system_says):
    system_says()
    assert hardware.processor().instructions is None


def test_memory_is_free_that_files_can_give_back(system_says):
    system_says(meminfo=MEMINFO)
    assert hardware.memory() == hardware.Memory(8_000_000 * 1024, 3_000_000 * 1024)


@pytest.mark.parametrize(("limit", "total"), [("1000000", 1_000_000), ("max", 8_000_000 * 1024)])
def test_a_container_may_have_less_memory_than_the_machine(system_says, limit, total):
    system_says(meminfo=MEMINFO, limit=limit)
    assert hardware.memory().total == total
    assert hardware.memory().free <= total
