"""The machine and what is installed on it: processor, memory, disks, packages, devices."""
