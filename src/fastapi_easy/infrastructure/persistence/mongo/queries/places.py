"""Members of an enumeration → their places in its class, by which every store sorts them; no index serves that."""

import enum
from typing import Any

from fastapi_easy.domain.queries.ordering import places_of
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import NotOfKind
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document


def place_expression(kept: Any, enumeration: type[enum.Enum], codec: Codec) -> Document:
    """Build the expression of the place of *kept*; null of null, and behind all members of what is none of them.

    Args:
        kept: The expression of what is stored.

        enumeration: The class of the members.

        codec: Of the field that holds them.
    """
    members = [codec.encode(member) for member in places_of(enumeration)]
    place = {"$indexOfArray": [{"$literal": members}, "$$kept"]}
    of_others = {"$cond": [{"$eq": ["$$kept", None]}, None, len(members)]}
    chosen = {
        "$let": {"vars": {"place": place}, "in": {"$cond": [{"$gte": ["$$place", 0]}, "$$place", of_others]}}
    }
    return {"$let": {"vars": {"kept": {"$ifNull": [kept, None]}}, "in": chosen}}


def place_codec(enumeration: type[enum.Enum]) -> Codec:
    """Make the codec of members that are compared by their places."""
    places = places_of(enumeration)
    members = {place: member for member, place in places.items()}

    def decode(place: Any) -> enum.Enum:
        try:
            return members[place]
        except KeyError:
            # Behind all members stands what is none of them.
            raise NotOfKind from None

    def encode(member: Any) -> int:
        return places[enumeration(member)]

    return Codec(encode, decode, ("int", "long"), 0, encode)
