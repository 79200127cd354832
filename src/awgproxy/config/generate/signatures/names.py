"""Names as small sites have them: believable, in nobody's list, and seldom drawn twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_FIRST = (
    "alpine amber arctic autumn azure birch bright broad calm cedar clear coastal copper coral crystal daily deep "
    "dusty early eastern ember even fair far fern field fine first flint fresh frost gentle glass golden grand "
    "granite green happy harbor hazel hidden high holly honey indigo iron ivory jade kind lake light lime little "
    "lively lunar maple marble meadow mellow mild mint misty modern morning mossy new noble north nova oak ocean "
    "olive open orange pale pearl pine plain plum polar prime proud pure quick quiet rain rapid red river rose "
    "royal ruby sage sandy scarlet silent silver simple sky slate small smart smooth snow soft solar spring star "
    "steady still stone summer sunny swift tall teal tidal true urban velvet violet warm west white wide wild "
    "willow winter wise yellow young"
)
_SECOND = (
    "anchor apps atlas bakery bay beacon bench books bridge brook cafe camp canvas castle cliff cloud corner "
    "craft creek desk dock farm fields flow forest forge foundry gallery garden gate grove guide hill home house "
    "hub island kitchen lab labs ladder lane leaf library light line link loft map market media mill mountain "
    "nest net notes orchard page paper park path peak pixel planet point pond port post press quarry reef ridge "
    "river road room sail school shelf shop shore signal spark square station stone store stream street studio "
    "table tale tower track trade trail travel tree valley view village wave way window wood works workshop world "
    "yard"
)
_ENDINGS = ("com", "net", "org", "io", "co", "info", "app", "dev", "cloud", "online")
_HOSTS = ("www", "api", "cdn", "static", "img", "assets", "media", "edge", "app", "m", "files", "live", "data", "web")


def random_domain(random: Random) -> str:
    """Draw a domain of two words, such as ``quietharbor.net``."""
    joint = "-" if random.random() < 0.1 else ""
    return f"{random.choice(_FIRST.split())}{joint}{random.choice(_SECOND.split())}.{random.choice(_ENDINGS)}"


def random_host(random: Random) -> str:
    """Draw what stands before the domain, such as ``cdn``."""
    return random.choice(_HOSTS)
