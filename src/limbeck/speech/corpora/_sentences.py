"""Sentences made by a small grammar: as many different ones as wanted, from a seed."""

from collections.abc import Iterator

import numpy as np

from limbeck.errors import InputError

# One line a kind of word. The words were chosen so that every phone of English occurs often,
# the rare ones (of "treasure", "joy", "cook", "through") on purpose.
_WORDS = """
name: Joyce|Theo|Ruth|George|Chloe|Zara|Hugh|Fiona|Walter|Yusuf|Bridget|Owen|Judith|Roy|Beth|Cheng
name: Anya|Victor|Louise|Sean|Margaret|Oscar|Joanne|Keith|Pearl|Matthew|Heidi|Boyd|Ursula|Asia
role: teacher|judge|cook|farmer|nurse|doctor|boy|girl|sailor|thief|baker|pilot|singer|painter
role: queen|mayor|author|plumber|butcher|jeweller|goldsmith|beekeeper|youth|lawyer|child|stranger
role: mother|father|brother|neighbour|engineer|visitor|guard|chef|musician|clown|weaver|shepherd
role: major
thing: book|chair|ship|coin|treasure|measure|garage|jar|wheel|thread|feather|bridge|watch|engine
thing: shovel|hook|cushion|bush|voyage|orchard|garden|toy|voice|cloud|towel|mouth|path
thing: leather coat|yellow jug|mirage|television|casual shoe|beige scarf|azure vase|usual tool
thing: vision|ring|song|pear|square|fire|flower|chalk|cheese|kettle|bottle|button|ladder|letter
thing: motor|tomato|computer|sweater|water pump|church|zoo|zebra|music box|huge cube|yacht|onion
thing: lawyer's bag|bowl|cloth|poem|oyster|point|beard|pier|tour|cure|poor old pony|sugar bag
thing: pudding|butcher's knife|full bucket|earth|bird|nurse's bag
quality: small|huge|young|yellow|noisy|loyal|rough|smooth|thin|thick|brown|loud|proud|curved|early
quality: broad|tall|awful|calm|dark|sharp|cheap|strange|giant|joyful|good|wooden|full|blue|true
quality: foolish|bare|rare|weary|dear|pure|secure|fair|fresh|lavish|leisurely|unusual|royal|moist
quality: quiet|wise|heavy|ready|ugly|lovely|lazy|busy|clever|bitter|better|pretty|dirty|thirsty
quality: worthy|breathing|other|whole
act: find-found|buy-bought|choose-chose|catch-caught|teach-taught|throw-threw|push-pushed
act: pull-pulled|measure-measured|change-changed|join-joined|enjoy-enjoyed|destroy-destroyed
act: watch-watched|cook-cooked|wash-washed|shake-shook|take-took|bring-brought|carry-carried
act: hear-heard|share-shared|bathe-bathed|smooth-smoothed|use-used|refuse-refused|judge-judged
act: bruise-bruised|tear-tore|count-counted|butter-buttered|draw-drew|sew-sewed|water-watered
act: feed-fed|lead-led|guard-guarded|admire-admired|describe-described|examine-examined
act: forget-forgot|remember-remembered|follow-followed|need-needed
place: under the bridge|near the church|behind the garage|in the orchard|on the path|by the river
place: at the zoo|above the clouds|through the thick bushes|beside the fire|inside the huge barn
place: on the other side|along the shore|over there|around the square|outside the theatre
place: in the south|among the ferns|at the corner|across the road|between two chairs
place: beyond the earth|in the chair|against the wall|underneath a yew|in the young mayor's yard
place: on the edge of town|near the pier
moment: yesterday|this morning|on Thursday|every year|at noon|in July|last month|after the show
moment: before the tour|at half past three|on usual days|during the voyage|in the evening|long ago
moment: once a month|on Friday night|at four o'clock|for an hour|in early March|all through August
manner: quietly|with joy|without a sound|slowly|with great pleasure|rather badly|for pure leisure
manner: in a loud voice|very carefully|with both thumbs|out of boredom|as usual|in a hurry|gently
manner: with a sharp tool|by mistake|for the third time|together|with good reason
manner: more or less well
number: two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|twenty|thirty
number: forty|fifty|a thousand|a few|several|too many|both|hardly any|enough|another four
end: laughed|shouted|slept|yawned|sang|vanished|agreed|coughed|waited|stood up|sat down|went away
end: looked on|thought about it|chewed gum|made a choice|lost their voice|fell over
end: burst out crying|changed the subject|zipped along|gave way|would not move|could hear nothing
end: saw a mirage
"""

# What stands in braces is filled: a kind of word, or one of the parts below.
_PATTERNS = (
    "{who} {did} {what} {place}.",
    "{who} {did} {what} {manner}.",
    "{moment}, {who} {did} {what}.",
    "{who} and {name} {did} {what}, but {who} {end}.",
    "Did {who} {do} {what} {place}?",
    "Why should {who} {do} {what} {moment}?",
    "How many {quality} {things} could {who} {do}?",
    "There were {number} {quality} {things} {place}.",
    "{who} will {do} {number} {things} {moment}.",
    "Please {do} {what} {moment}, {name}.",
    "Whose {quality} {thing} is that {place}?",
    "When {who} {end}, {name} {did} {what}.",
    "If you {do} {what}, {who} might {do} {what}.",
    "{name} said that {who} {end} {moment}.",
    "Nobody {did} {what}, though {who} {end}.",
    "The {thing} of {who} was {quality} and {quality}.",
)
_PARTS = {
    "who": ("{name}", "the {role}", "a {quality} {role}", "my {role}", "the {quality} {role}"),
    "what": (
        "the {thing}",
        "a {quality} {thing}",
        "{number} {things}",
        "their {thing}",
        "the {role}'s {thing}",
        "each {quality} {thing}",
        "your {thing}",
    ),
}
_HISSES = ("s", "x", "ch", "sh", "z", "ge", "se", "ce")
_LIMIT = 200  # tries in a row that give nothing new


def _kinds() -> dict[str, tuple[str, ...]]:
    kinds: dict[str, tuple[str, ...]] = {}
    for line in _WORDS.strip().splitlines():
        kind, words = line.split(": ")
        kinds[kind] = (*kinds.get(kind, ()), *words.split("|"))
    pairs = [act.split("-") for act in kinds.pop("act")]
    things = tuple(_plural(thing) for thing in kinds["thing"])
    did, do = (tuple(pair[i] for pair in pairs) for i in (1, 0))
    return kinds | {"do": do, "did": did, "things": things}


def _plural(thing: str) -> str:
    irregular = {"knife": "knives", "leaf": "leaves"}
    stem, _, last = thing.rpartition(" ")
    if last in irregular:
        plural = irregular[last]
    elif last.endswith(_HISSES):
        plural = f"{last}s" if last.endswith("e") else f"{last}es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        plural = f"{last[:-1]}ies"
    else:
        plural = f"{last}s"
    return f"{stem} {plural}".strip()


_CHOICES = _kinds() | _PARTS


def sentences(generator: np.random.Generator) -> Iterator[str]:
    """Sentences of which no two are alike; of one generator always the same ones.

    Raises:
        InputError: the grammar has no more.
    """
    seen_already: set[str] = set()
    failures = 0
    while failures < _LIMIT:
        text = _sentence(generator)
        failures = failures + 1 if text in seen_already else 0
        if text not in seen_already:
            seen_already.add(text)
            yield text
    raise InputError(f"the grammar has no more than {len(seen_already)} different sentences")


def _sentence(generator: np.random.Generator) -> str:
    text = _pick(_PATTERNS, generator)
    while "{" in text:
        before, _, rest = text.partition("{")
        kind, _, after = rest.partition("}")
        text = before + _pick(_CHOICES[kind], generator) + after
    text = _articled(text)
    return text[0].upper() + text[1:]


def _pick(choices: tuple[str, ...], generator: np.random.Generator) -> str:
    return choices[int(generator.integers(len(choices)))]


def _articled(text: str) -> str:
    # "a early" would be said as it is written.
    words = text.split(" ")
    for at, word in enumerate(words[:-1]):
        sounds_open = words[at + 1][0] in "aeio" or words[at + 1].startswith(("ugly", "unus"))
        if word == "a" and sounds_open:
            words[at] = "an"
    return " ".join(words)
