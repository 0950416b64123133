"""Bring the catalogues up to what the reports say: ``python -m tests.refresh_catalogues``.

New texts come in with no translation, for a person to write; texts that are said no more go. Translations are kept.
"""

from babel.messages.pofile import normalize

from scenarios.language import CATALOGUES, LANGUAGES, read_catalogue
from tests.message_texts import texts

HEADER = """# Texts of Bagdar's reports in {name}: the English text is the key.
# Refreshed by `python -m tests.refresh_catalogues`, which keeps what is translated.
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
TRANSLATED = tuple(code for code in LANGUAGES if code != "en")


def catalogue_text(code: str, translations: dict[str, str]) -> str:
    """A catalogue with all texts in the order of their files, each with the files that say it."""
    entries = [
        f"#: {' '.join(places)}\nmsgid {normalize(text)}\nmsgstr {normalize(translations.get(text, ''))}\n"
        for text, places in texts().items()
    ]
    return "\n".join([HEADER.format(name=LANGUAGES[code], code=code), *entries])


if __name__ == "__main__":
    for code in TRANSLATED:
        path = CATALOGUES / f"{code}.po"
        known = read_catalogue(path) if path.exists() else {}
        path.write_text(catalogue_text(code, known), encoding="utf-8")
