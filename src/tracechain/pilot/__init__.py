"""The pilot's obligations as pure functions over a view, and its limits, days and lists as data.

`load_profile("beijing")` reads the profile that comes with the library, `load_profile("mine.toml")` another.
"""

from tracechain.pilot.profiles import load_profile, profile_names

__all__ = ["load_profile", "profile_names"]
