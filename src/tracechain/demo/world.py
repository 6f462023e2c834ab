"""Who takes part in the demo's day: makers, products, places. All are invented.

GTINs, GLNs and SSCCs are made from company prefixes that begin with 952, the range that GS1 keeps for
demonstrations and examples, so that no code here can be that of a real product.
"""

from __future__ import annotations

from attrs import frozen

from tracechain.identifiers import check_digit

__all__ = [
    "BEIJING",
    "CITY",
    "COURIERS",
    "DAY",
    "DOCK",
    "HOUR",
    "MAKERS",
    "MINUTE",
    "OUTBOUND",
    "PLATFORM",
    "PRODUCTS",
    "RETURNS",
    "SECOND",
    "STORAGE",
    "WAREHOUSE",
    "WASTE",
    "Maker",
    "Product",
    "gln",
    "gtin",
    "sscc",
]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

#: Minutes east of UTC at the warehouse.
BEIJING = 480
#: 2026-11-20T00:00:00+08:00, a Friday, in nanoseconds since 1970 UTC: the day that is told.
DAY = 1_795_104_000 * SECOND


def with_check_digit(body: str) -> str:
    """`body` and its GS1 check digit."""
    return body + check_digit(body)


def gtin(company: str, item: int) -> str:
    """A GTIN-14 (indicator digit 0) of a seven-digit company prefix."""
    return with_check_digit(f"0{company}{item:05}")


def gln(company: str, place: int) -> str:
    """The canonical id of a place: its GLN, of a seven-digit company prefix."""
    return f"414/{with_check_digit(f'{company}{place:05}')}"


def sscc(company: str, serial: int) -> str:
    """The canonical id of a logistic unit (extension digit 0)."""
    return f"00/{with_check_digit(f'0{company}{serial:09}')}"


@frozen
class Maker:
    """A maker that sells through its own shop on the platform; `offset` is its local time, minutes east of UTC."""

    name: str
    city: str
    company: str
    offset: int

    @property
    def plant(self) -> str:
        """The GLN of its plant."""
        return gln(self.company, 1)


@frozen
class Product:
    """One product: `lots` of it come on this day; `cold` says that it travels at 2 to 8 degrees Celsius."""

    name: str
    maker: Maker
    item: int
    lots: int
    cold: bool = False

    @property
    def gtin(self) -> str:
        """The GTIN of the smallest saleable unit."""
        return gtin(self.maker.company, self.item)


NORDLICHT = Maker("Nordlicht Arzneimittel", "Hamburg", "9521101", 60)
MINAMI = Maker("Minami Seiyaku", "Osaka", "9521102", 540)
CORAL = Maker("Coral Bay Health", "Brisbane", "9521103", 600)
LAURIER = Maker("Laurier Optique", "Montreal", "9521104", -300)
ALPINE = Maker("Alpenquell Medical", "Basel", "9521105", 60)
MAKERS = (NORDLICHT, MINAMI, CORAL, LAURIER, ALPINE)

PRODUCTS = (
    Product("Artificial tears, 30 x 0.4 ml", NORDLICHT, 101, 3),
    Product("Ibuprofen patch, 10 pieces", NORDLICHT, 102, 3),
    Product("Seven-herb stomach tablets, 100", MINAMI, 201, 3),
    Product("Cooling fever pads, 16 pieces", MINAMI, 202, 2),
    Product("Nasal saline spray, 30 ml", CORAL, 301, 3),
    Product("Contact lens solution, 360 ml", LAURIER, 401, 2),
    Product("Glucose test strips, 50 pieces", ALPINE, 501, 2),
    Product("Probiotic drops, chilled, 8 ml", ALPINE, 502, 2, cold=True),
)

#: The operator of the bonded warehouse beside Beijing airport (Tianzhu zone), and its places.
OPERATOR = "9521900"
WAREHOUSE = gln(OPERATOR, 1)
DOCK = f"{WAREHOUSE}/254/DOCK-2"
STORAGE = f"{WAREHOUSE}/254/HALL-B"
OUTBOUND = f"{WAREHOUSE}/254/OUT-1"
RETURNS = f"{WAREHOUSE}/254/RETURNS"
WASTE = f"{WAREHOUSE}/254/WASTE"
#: The platform that takes the orders, and the city's delivery area.
PLATFORM = gln("9521901", 1)
CITY = gln("9521902", 1)
#: Couriers whose handhelds sign what they scan.
COURIERS = ("courier-07", "courier-12")
