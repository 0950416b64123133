"""Street names as police and mapmakers write them, made comparable: ``AV DR NILO PECANHA``, ``Avenida Nilo Peçanha``.

What is left of a name is the set of words that tell it apart: no case, no accents, no kind of street, no titles.
"""

import re
import unicodedata
from functools import lru_cache

_GERMAN_ENDING = re.compile(r"(?<=\w{3})(strasse|str)$")


def without_accents(text: str) -> str:
    """Text in lower case, letters without their marks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


UNTELLING_WORDS = frozenset(
    without_accents(
        # Portuguese and Spanish: kinds, then titles
        "r rua av avenida ave al alameda trav travessa tv estr estrada est rod rodovia pc pca praça lgo largo bc beco "
        "ac acesso vd via viaduto passagem c calle carrera cra cl calz calzada "
        "dr dra doutor doutora prof profa professor professora eng engenheiro cel coronel gen general mal marechal "
        "cap capitão ten tenente maj major sgt sargento alm almirante brig brigadeiro pres presidente gov governador "
        "sen senador dep deputado ver vereador des desembargador com comendador pe padre dom d são santo santa sto sta "
        # English
        "st street avenue rd road blvd boulevard drive ln lane ct court pl place hwy highway pkwy parkway ter terrace "
        "sq square cres crescent "
        # German
        "str straße weg platz allee gasse ufer "
        # Russian and Kazakh
        "ул улица пр просп проспект пер переулок пл площадь ш шоссе бул бульвар проезд тракт көшесі көш даңғылы даң "
        # words that only link
        "s de da do das dos del la el los las e y of the der die das am an im und"
    ).split()
)
"""Words that tell no street apart, without accents."""

DIRECTIONS = {
    "n": "north", "w": "west", "ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest",
}  # fmt: skip
"""What North American records shorten and maps write out."""


@lru_cache(maxsize=100_000)
def telling_words(name: str) -> frozenset[str]:
    """Words that tell a street apart; all its words where none is left without kinds and titles."""
    words = [_GERMAN_ENDING.sub("", word) for word in re.findall(r"\w+", without_accents(name))]
    telling = frozenset(DIRECTIONS.get(word, word) for word in words if word not in UNTELLING_WORDS)
    return telling or frozenset(words)


def is_same_street(one: str, other: str) -> bool:
    """Whether two names can mean one street: the telling words of one are all among those of the other."""
    first, second = telling_words(one), telling_words(other)
    return bool(first) and bool(second) and (first <= second or second <= first)
