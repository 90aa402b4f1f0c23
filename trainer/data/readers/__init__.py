"""From a name or a folder to splits of encoded examples."""
