"""Keyboards: which character another layout types where a US keyboard types ours.

Keys stay where they are when the trader writes in another script: `x` is the key under `s`, whatever it types.
"""

_US = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./"
_US_SHIFTED = '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?'

# The letters look like Latin ones: that is what they are here for.
_RUSSIAN = "ё1234567890-=йцукенгшщзхъ\\фывапролджэячсмитьбю."
_RUSSIAN_SHIFTED = 'Ё!"№;%:?*()_+ЙЦУКЕНГШЩЗХЪ/ФЫВАПРОЛДЖЭЯЧСМИТЬБЮ,'

# Kedmanee; by name what would sit on the character before it (vowels, tone marks) and what looks Latin.
_THAI = (
    "_ๅ/-ภถ\N{THAI CHARACTER SARA U}\N{THAI CHARACTER SARA UE}คตจขช"
    "ๆไ\N{THAI CHARACTER SARA AM}พะ\N{THAI CHARACTER MAI HAN-AKAT}\N{THAI CHARACTER SARA II}รนยบลฃ"
    "ฟหกดเ\N{THAI CHARACTER MAI THO}\N{THAI CHARACTER MAI EK}าสวง"
    "ผปแอ\N{THAI CHARACTER SARA I}\N{THAI CHARACTER SARA UEE}ทมใฝ"
)
_THAI_SHIFTED = (
    "%+๑๒๓๔\N{THAI CHARACTER SARA UU}฿๕๖๗๘๙"
    '\N{THAI DIGIT ZERO}"ฎฑธ\N{THAI CHARACTER NIKHAHIT}\N{THAI CHARACTER MAI TRI}ณฯญฐ,ฅ'
    "ฤฆฏโฌ\N{THAI CHARACTER MAITAIKHU}\N{THAI CHARACTER MAI CHATTAWA}ษศซ."
    "()ฉฮ\N{THAI CHARACTER PHINTHU}\N{THAI CHARACTER THANTHAKHAT}?ฒฬฦ"
)

LAYOUTS: dict[str, dict[str, str]] = {
    "Russian": dict(zip(_US + _US_SHIFTED, _RUSSIAN + _RUSSIAN_SHIFTED, strict=True)),
    "Thai": dict(zip(_US + _US_SHIFTED, _THAI + _THAI_SHIFTED, strict=True)),
}
"""By layout: the character typed with the same key and shift, by the US character."""


def elsewhere(key: str) -> tuple[str, ...]:
    """The same key, or keys after each other (`g t`), on each other layout where it types something else."""
    if not all(len(part) == 1 for part in key.split(" ")):
        return ()
    typed = (" ".join(layout.get(part, part) for part in key.split(" ")) for layout in LAYOUTS.values())
    return tuple(other for other in typed if other != key)


def on_us(text: str) -> str:
    """The same keys on a US keyboard, for text typed while another layout was on."""
    return "".join(_BACK.get(character, character) for character in text)


_BACK = {other: key for layout in LAYOUTS.values() for key, other in layout.items() if not other.isascii()}
