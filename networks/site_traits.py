"""What a network tells of a site that its crashes depend on: legs, signal, and the class of its main street."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from networks.network import RoadNetwork
from networks.sites import VEHICLE_CLASS, Site

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROAD_CLASSES = ("local", "tertiary", "secondary", "primary", "trunk")
"""Classes of streets by their part in the network, the least first."""

_CLASS_OF_TYPE = {
    "tertiary": 1,
    "secondary": 2,
    "primary": 3,
    "trunk": 4,
    "motorway": 4,
}
"""OpenStreetMap's ``highway``, links as what they lead to; all others are local."""

FOUR_LEGS, FIVE_LEGS = 4, 5


@dataclass(frozen=True, slots=True, eq=False)
class SiteTraits:
    """What is known of sites, shape (sites,): legs, whether they have a signal, and the class of the main street.

    ``main_class`` is a position in :data:`ROAD_CLASSES`.
    """

    legs: IntArray
    signalised: npt.NDArray[np.bool_]
    main_class: IntArray

    def __len__(self) -> int:
        """Count of sites."""
        return len(self.legs)

    @property
    def group(self) -> npt.NDArray[np.intp]:
        """Sites of one kind, as averages are taken over: 0 to 3, by signal and by three legs or more."""
        return (2 * self.signalised + (self.legs >= FOUR_LEGS)).astype(np.intp)


def site_traits(network: RoadNetwork, sites: tuple[Site, ...]) -> SiteTraits:
    """Legs, signal and main street of each site."""
    classes = _edge_classes(network)
    return SiteTraits(
        legs=np.array([site.legs for site in sites], dtype=np.int64),
        signalised=np.array([bool(site.signals) for site in sites], dtype=bool),
        main_class=np.array([_main_class(network, site, classes) for site in sites], dtype=np.int64),
    )


def _edge_classes(network: RoadNetwork) -> IntArray:
    """Class of each edge; -1 where cars may not drive."""
    kinds = [kind.removeprefix("highway.").removesuffix("_link") for kind in network.edges.type_ids]
    classes = np.array([_CLASS_OF_TYPE.get(kind, 0) for kind in kinds], dtype=np.int64)
    return np.where(network.edges_for(VEHICLE_CLASS), classes, -1)


def _main_class(network: RoadNetwork, site: Site, classes: IntArray) -> int:
    edges = [edge for junction in site.junctions for edge in network.incoming_edges(junction).tolist()]
    edges += [edge for junction in site.junctions for edge in network.outgoing_edges(junction).tolist()]
    return max((int(classes[edge]) for edge in edges), default=0)


def trait_columns(traits: SiteTraits) -> dict[str, FloatArray]:
    """Traits as columns of a regression, by name, each 0 or 1: how a site differs from one that has none of them.

    That one has three legs, no signal and local streets only.
    """
    columns = {
        "four legs": traits.legs == FOUR_LEGS,
        "five legs or more": traits.legs >= FIVE_LEGS,
        "signal": traits.signalised,
    }
    columns |= {f"{name} street": traits.main_class == number for number, name in enumerate(ROAD_CLASSES) if number > 0}
    return {name: column.astype(np.float64) for name, column in columns.items()}
