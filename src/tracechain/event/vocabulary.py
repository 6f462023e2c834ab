"""The standard vocabularies: CBV 2.0 names, their other spellings, and the numbers that stand for them in
content.

A name's number is its position in its list. The lists are append-only: never reorder, never remove, add at the end
(docs/format.md section "Vocabulary tables", which `python -m tracechain.event.vocabulary` prints from here).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BIZ_STEP",
    "BIZ_TRANSACTION_TYPE",
    "COMPONENT",
    "DISPOSITION",
    "ERROR_REASON",
    "EXCEPTION",
    "MEASUREMENT_TYPE",
    "NAMESPACES",
    "SOURCE_DEST_TYPE",
    "VOCABULARIES",
    "Vocabulary",
    "format_tables",
]


@frozen
class Vocabulary:
    """One list of standard names.

    `codes` maps a bare name to its number, `names` back; `spellings` maps every standard IRI of a name to the bare
    name; `closed` are the namespaces in which GS1 defines every name, so that an unknown one is a mistake.
    """

    title: str
    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    closed: tuple[str, ...] = ()
    codes: Mapping[str, int] = field(init=False, repr=False)
    spellings: Mapping[str, str] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "codes", {name: code for code, name in enumerate(self.names)})
        spellings = {prefix + name: name for prefix in self.prefixes for name in self.names}
        object.__setattr__(self, "spellings", spellings)

    def bare(self, text: str) -> str:
        """The bare standard name that `text` spells, or `text` itself."""
        return self.spellings.get(text, text)

    def fault(self, text: str) -> str | None:
        """Why `text` cannot stand in an event; None for a bare standard name and for another absolute URI."""
        if text in self.codes:
            return None
        if (bare := self.spellings.get(text)) is not None:
            return f"write the standard name bare, {bare!r}"
        if ":" not in text:
            return "it is no standard name (CBV 2.0); a name of your own is written as an absolute URI"
        if text.startswith(self.closed):
            return "the standard (CBV 2.0) has no such name"
        return None


def cbv(title: str, urn: str | None, fragment: str, names: str) -> Vocabulary:
    """A vocabulary of the CBV, with the spellings of its 1.x (urn) and 2.0 (Web) editions."""
    urns = () if urn is None else (f"urn:epcglobal:cbv:{urn}:",)
    web = tuple(f"{scheme}://{host}.gs1.org/cbv/{fragment}-" for host in ("ref", "ns") for scheme in ("https", "http"))
    # Web names under ref.gs1.org stay open: a later CBV may add some, and a ledger must be able to hold them.
    closed = ("urn:epcglobal:cbv:", "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/")
    return Vocabulary(title, tuple(names.split()), urns + web, closed)


def voc(title: str, names: str) -> Vocabulary:
    """A vocabulary of the GS1 Web Vocabulary."""
    prefixes = tuple(f"{scheme}://{host}/voc/" for host in ("gs1.org", "www.gs1.org") for scheme in ("https", "http"))
    return Vocabulary(title, tuple(names.split()), prefixes)


BIZ_STEP = cbv(
    "business steps",
    "bizstep",
    "BizStep",
    """accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding
    inspecting installing killing loading other packing picking receiving removing repackaging repairing
    replacing reserving retail_selling shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping sensor_reporting sampling""",
)
DISPOSITION = cbv(
    "dispositions",
    "disp",
    "Disp",
    """active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive no_pedigree_match non_sellable_other partially_dispensed recalled reserved retail_sold returned
    sellable_accessible sellable_not_accessible stolen unknown available completeness_verified
    completeness_inferred conformant container_open mismatch_instance mismatch_class mismatch_quantity
    needs_replacement non_conformant unavailable""",
)
BIZ_TRANSACTION_TYPE = cbv(
    "business transaction types",
    "btt",
    "BTT",
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
)
SOURCE_DEST_TYPE = cbv("source and destination types", "sdt", "SDT", "owning_party possessing_party location")
ERROR_REASON = cbv("error reasons", "er", "ER", "did_not_occur incorrect_data")
COMPONENT = cbv(
    "sensor value components",
    None,
    "Comp",
    """x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing
    latitude longitude altitude""",
)
MEASUREMENT_TYPE = voc(
    "measurement types",
    """AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area
    Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate
    DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy
    Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum
    Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass
    MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass
    MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity
    SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume
    VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber""",
)
EXCEPTION = voc("sensor exceptions", "ALARM_CONDITION ERROR_CONDITION")

# Namespaces of extension names that stand as a number, since lot and expiry ride on every commissioning
# event.
NAMESPACES = Vocabulary(
    "namespaces",
    (
        "",
        "urn:epcglobal:cbv:mda:",
        "urn:epcglobal:cbv:mda",
        "https://gs1.org/voc/",
        "https://ref.gs1.org/cbv/",
        "https://ref.gs1.org/epcis/",
    ),
    (),
)

VOCABULARIES = (
    BIZ_STEP,
    DISPOSITION,
    BIZ_TRANSACTION_TYPE,
    SOURCE_DEST_TYPE,
    ERROR_REASON,
    MEASUREMENT_TYPE,
    EXCEPTION,
    COMPONENT,
    NAMESPACES,
)


def format_tables() -> str:
    """All tables as Markdown, for docs/format.md."""
    parts = []
    for vocabulary in VOCABULARIES:
        cells = [f"{code} `{name}`" if name else f"{code} (empty)" for code, name in enumerate(vocabulary.names)]
        parts.append(f"**{vocabulary.title.capitalize()}**: {', '.join(cells)}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(format_tables())
