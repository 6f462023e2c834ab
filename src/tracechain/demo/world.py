"""Who takes part in the demo's day: makers, products, places. All are invented.

GTINs, GLNs and SSCCs are made from company prefixes that begin with 952, the range that GS1 keeps for
demonstrations and examples, so that no code here can be that of a real product.
"""

from __future__ import annotations

from datetime import date

from attrs import Factory, field, frozen

from tracechain.event import parse_time
from tracechain.identifiers import check_digit

__all__ = [
    "AIRPORT",
    "AIR_CARGO",
    "AUTHORITY",
    "BEIJING",
    "CARRIER",
    "CITY",
    "CLINIC",
    "COURIERS",
    "DAY",
    "DOCK",
    "ENTERPRISE",
    "HOUR",
    "IMPORTER",
    "LOCKER",
    "MAKERS",
    "MINUTE",
    "NIGHT_RIDERS",
    "OTHER_MAKERS",
    "OUTBOUND",
    "PLATFORM",
    "PRODUCTS",
    "RECALLED",
    "RETURNS",
    "SECOND",
    "SHED",
    "SPECIAL",
    "STORAGE",
    "STORE",
    "TEAHOUSE",
    "TODAY",
    "WAREHOUSE",
    "WASTE",
    "WORKSHOP",
    "Maker",
    "Product",
    "gln",
    "gtin",
    "moment",
    "sscc",
]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

#: Minutes east of UTC at the warehouse.
BEIJING = 480
#: 2026-11-20T00:00:00+08:00, a Friday, in nanoseconds since 1970 UTC: the day that is told.
DAY = 1_795_104_000 * SECOND
TODAY = date(2026, 11, 20)
AUTHORITY = "Beijing Medical Products Administration"


def with_check_digit(body: str) -> str:
    """`body` and its GS1 check digit."""
    return body + check_digit(body)


def gtin(company: str, item: int) -> str:
    """A GTIN-14 (indicator digit 0) of a seven-digit company prefix."""
    return with_check_digit(f"0{company}{item:05}")


def gln(company: str, place: int) -> str:
    """The canonical id of a place: its GLN, of a seven-digit company prefix."""
    return f"414/{with_check_digit(f'{company}{place:05}')}"


def party(place: str) -> str:
    """The canonical id of the company that a GLN also stands for."""
    return f"417/{place[4:]}"


def moment(text: str) -> int:
    """Nanoseconds of a time in Beijing, written `2026-11-20 09:30`."""
    return parse_time(f"{text.replace(' ', 'T')}:00+08:00")


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

    #: The GLN of its plant, and the merchant that it is on the platform.
    plant: str = field(init=False, default=Factory(lambda self: gln(self.company, 1), takes_self=True))
    merchant: str = field(init=False, default=Factory(lambda self: party(self.plant), takes_self=True))


@frozen
class Product:
    """One product: `price` in yuan and fen, `lots` of it come on this day; `cold`: it travels at 2 to 8 degrees."""

    name: str
    maker: Maker
    item: int
    price: str
    lots: int = 0
    cold: bool = False
    #: The GTIN of the smallest saleable unit.
    gtin: str = field(init=False, default=Factory(lambda self: gtin(self.maker.company, self.item), takes_self=True))


NORDLICHT = Maker("Nordlicht Arzneimittel", "Hamburg", "9521101", 60)
MINAMI = Maker("Minami Seiyaku", "Osaka", "9521102", 540)
CORAL = Maker("Coral Bay Health", "Brisbane", "9521103", 600)
LAURIER = Maker("Laurier Optique", "Montreal", "9521104", -300)
ALPINE = Maker("Alpenquell Medical", "Basel", "9521105", 60)
MAKERS = (NORDLICHT, MINAMI, CORAL, LAURIER, ALPINE)

VERDANT = Maker("Verdant Cosmeceuticals", "Lyon", "9521106", 60)
#: Merchants of whom nothing comes on this day.
OTHER_MAKERS = (VERDANT,)

PRODUCTS = (
    Product("Artificial tears, 30 x 0.4 ml", NORDLICHT, 101, "129.00", 3),
    Product("Ibuprofen patch, 10 pieces", NORDLICHT, 102, "86.50", 3),
    Product("Seven-herb stomach tablets, 100", MINAMI, 201, "158.00", 3),
    Product("Cooling fever pads, 16 pieces", MINAMI, 202, "64.80", 2),
    Product("Nasal saline spray, 30 ml", CORAL, 301, "72.00", 3),
    Product("Contact lens solution, 360 ml", LAURIER, 401, "138.00", 2),
    Product("Glucose test strips, 50 pieces", ALPINE, 501, "219.00", 2),
    Product("Probiotic drops, chilled, 8 ml", ALPINE, 502, "246.00", 2, cold=True),
)

#: A lot of it is recalled at midday.
RECALLED = PRODUCTS[1]

#: In stock since before this day, each for its part in the story (`registry` says what the registers know of it).
GLUCOSE_MONITOR = Product("Glucose monitor, starter set", ALPINE, 503, "4780.00")
SLEEP_GUMMIES = Product("Melatonin gummies, 60 pieces", CORAL, 302, "168.00")
SLIMMING_PADS = Product("Slimming tea pads, 28 pieces", VERDANT, 601, "199.00")
EYE_WASH = Product("Herbal eye wash, 120 ml", LAURIER, 402, "95.00")
CALM_TABLETS = Product("Calm tablets, 20 pieces", MINAMI, 203, "110.00")
DENTURE_GEL = Product("Denture gel, 40 g", NORDLICHT, 103, "58.00")

#: The operator of the bonded warehouse beside Beijing airport (Tianzhu zone), and its places.
OPERATOR = "9521900"
WAREHOUSE = gln(OPERATOR, 1)
DOCK = f"{WAREHOUSE}/254/DOCK-2"
STORAGE = f"{WAREHOUSE}/254/HALL-B"
OUTBOUND = f"{WAREHOUSE}/254/OUT-1"
RETURNS = f"{WAREHOUSE}/254/RETURNS"
WORKSHOP = f"{WAREHOUSE}/254/WORKSHOP"
WASTE = f"{WAREHOUSE}/254/WASTE"
#: A shed of the operator outside the zone.
SHED = gln(OPERATOR, 2)
#: The platform that takes the orders (the pilot enterprise), and the city's delivery area.
PLATFORM = gln("9521901", 1)
ENTERPRISE = party(PLATFORM)
CITY = gln("9521902", 1)
#: A licensed store in the city, a shop in the special control area of the airport, a teahouse without any licence.
STORE = gln("9521903", 1)
SPECIAL = gln("9521903", 2)
TEAHOUSE = gln("9521904", 1)
#: A parcel locker that nobody registered, and a clinic that would like to buy.
LOCKER = gln("9521905", 1)
CLINIC = party(gln("9521906", 1))
#: The carrier that was assessed, and one that was not; couriers of the first, whose handhelds sign what they scan.
CARRIER = party(CITY)
NIGHT_RIDERS = party(gln("9521907", 1))
COURIERS = ("courier-07", "courier-12")
#: Hamburg airport, and who flies from there; a wholesaler's warehouse in Hong Kong.
AIRPORT = gln("9521908", 1)
AIR_CARGO = party(gln("9521908", 2))
IMPORTER = gln("9521909", 1)
