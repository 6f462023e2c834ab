"""The packs of the day in cases, pallets and sea containers, and the spellings in which scanners report them."""

from __future__ import annotations

from random import Random

from attrs import frozen

from tracechain.demo.world import PRODUCTS, Product, sscc

__all__ = ["CASE", "PALLET", "Case", "Lot", "Pack", "Pallet", "label_of", "make_lots", "make_packs"]

#: Packs in a case, cases on a pallet, cases in a lot of full size.
CASE = 40
PALLET = 25
CASES_OF_LOT = 50

# Letters and digits that nobody mixes up when a serial number is read aloud: no 0 and O, 1 and I, 5 and S, 8 and B.
ALPHABET = "234679ACDEFGHJKLMNPQRTUVWXYZ"
SERIAL_LENGTH = 11


@frozen
class Pack:
    """One minimal packaging unit: one object, one code."""

    product: Product
    serial: str
    lot: str
    expiry: str

    @property
    def gtin(self) -> str:
        """The GTIN of its product."""
        return self.product.gtin

    @property
    def id(self) -> str:
        """Its canonical id."""
        return f"01/{self.gtin}/21/{self.serial}"

    @property
    def matrix(self) -> str:
        """What a hand scanner sends for the DataMatrix on the pack: GTIN, expiry, serial."""
        return f"01{self.gtin}17{self.expiry[2:].replace('-', '')}21{self.serial}"

    @property
    def element(self) -> str:
        """The same without the expiry."""
        return f"01{self.gtin}21{self.serial}"

    @property
    def human(self) -> str:
        """The text printed beside the code, as typed at a desk."""
        return f"(01){self.gtin}(21){self.serial}"

    @property
    def link(self) -> str:
        """The web address that a telephone reads from the code."""
        return f"https://id.gs1.org/01/{self.gtin}/21/{self.serial}"


def label_of(container: str) -> str:
    """An SSCC as its label prints it."""
    return f"(00){container[3:]}"


@frozen
class Case:
    """A shipping case of packs of one lot."""

    id: str
    packs: tuple[Pack, ...]


@frozen
class Pallet:
    """A pallet of cases."""

    id: str
    cases: tuple[Case, ...]


@frozen
class Lot:
    """A lot of a product, as shipped: expiry in ISO form, the pallets in one sea container."""

    product: Product
    number: str
    expiry: str
    pallets: tuple[Pallet, ...]
    container: str

    @property
    def cases(self) -> tuple[Case, ...]:
        """Its cases, in order."""
        return tuple(case for pallet in self.pallets for case in pallet.cases)

    @property
    def packs(self) -> tuple[Pack, ...]:
        """Its packs, in order of packing."""
        return tuple(pack for case in self.cases for pack in case.packs)


def make_packs(
    product: Product, lot: str, expiry: str, count: int, random: Random, taken: set[str]
) -> tuple[Pack, ...]:
    """Packs of one lot; their serial numbers join `taken`, which are those of the product so far."""
    packs: list[Pack] = []
    while len(packs) < count:
        serial = "".join(random.choices(ALPHABET, k=SERIAL_LENGTH))
        if serial not in taken:
            taken.add(serial)
            packs.append(Pack(product, serial, lot, expiry))
    return tuple(packs)


def make_lots(scale: float, random: Random) -> tuple[Lot, ...]:
    """All lots of the day; `scale` 1 means 20 lots of 2,000 packs. A lot has at least one case."""
    cases_of_lot = max(1, round(CASES_OF_LOT * scale))
    containers: dict[str, int] = {}

    def container(product: Product) -> str:
        company = product.maker.company
        containers[company] = containers.get(company, 0) + 1
        return sscc(company, 20_264_000 + containers[company])

    lots = []
    for product in PRODUCTS:
        taken: set[str] = set()
        for number in range(product.lots):
            name = f"{product.maker.name[0]}{product.item}-{chr(ord('A') + number)}{random.randrange(100, 1000)}"
            expiry = f"{2028 + number % 2}-{random.randrange(1, 13):02}-{random.choice((15, 28))}"
            cases = []
            for _ in range(cases_of_lot):
                packs = make_packs(product, name, expiry, CASE, random, taken)
                cases.append(Case(container(product), packs))
            pallets = [
                Pallet(container(product), tuple(cases[start : start + PALLET]))
                for start in range(0, len(cases), PALLET)
            ]
            lots.append(Lot(product, name, expiry, tuple(pallets), container(product)))
    return tuple(lots)
