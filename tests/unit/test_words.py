"""The banned words of R32, and the shape of free text."""

import unicodedata

import pytest

from deconflict.errors import BannedWordError, InvalidDocumentError
from deconflict.messages.words import MAX_FREE_TEXT, check_text, check_words, find_banned

BANNED_ENGLISH = [
    "coordinate", "Coordinates", "coordinated", "coordination", "coordinator", "uncoordinated",
    "co-ordinate", "co-ordination", "co ordinated", "cooperate", "co-operation",
    "clear", "CLEARED", "clearing", "clearance", "clearances",
    "approve", "approves", "approved", "approving", "approval", "disapproved", "pre-approved",
    "permission", "permissions", "permit", "permits", "permitted", "permitting", "permissible",
    "authorise", "authorised", "authorize", "authorization", "authorisation", "unauthorised",
    "green light", "go ahead", "the go-ahead", "okay to proceed", "OK to proceed",
    "you may proceed", "cleared to proceed", "you can proceed", "free to go",
    "permission granted", "you are allowed", "we have no objection", "weapons free", "go аhead",
    "target", "Targets", "targeted", "targeting", "enemy", "enemies", "the enemy's",
]  # fmt: skip
BANNED_RUSSIAN = [
    "координировать", "координация", "координацию", "координаты", "скоординировано",
    "согласовать", "согласовано", "согласован", "согласование", "согласуйте",
    "сотрудничество", "сотрудничать",
    "разрешить", "разрешаю", "разрешено", "разрешён", "РАЗРЕШЕНИЕ", "разрешения", "неразрешённый",
    "одобрить", "одобряю", "одобрено", "одобрение",
    "утверждено", "утверждён", "утвердить", "утвердил",
    "санкционировать", "санкционированный", "несанкционированный",
    "уполномочен", "дозволено", "чисто", "допущены", "даю добро", "зелёный свет",
    "даём добро", "добро на вылет", "есть добро", "можете следовать", "Можете приступать",
    "можно лететь", "не возражаем", "возражений нет", "позволяю",
    "цель", "цели", "целей", "целями", "целеуказание", "противник", "противника", "враг", "врагов",
]  # fmt: skip
BANNED_ARABIC = [
    "تنسيق", "التنسيق", "بالتنسيق", "منسقة", "ننسق", "تعاون", "بالتعاون",
    "موافقة", "والموافقة", "للموافقة", "موافقتكم", "نوافق", "سنوافق", "وافقنا", "موافق",
    "إذن", "بإذن", "الإذن", "إذنا", "مأذون", "سماح", "مسموح", "يسمح", "نسمح", "سمحنا",
    "تصريح", "بتصريح", "مصرح", "ترخيص", "رخصة", "مرخص", "تفويض", "مخول", "مصادقة", "معتمدة",
    "يجوز", "نمنح", "منحنا", "ضوء أخضر", "الضوء الأخضر", "لا مانع", "ولا مانع", "لا اعتراض",
    "ليس لدينا اعتراض", "يمكنكم المتابعة", "الطريق سالك", "الأجواء خالية", "المجال الجوي خال",
    "هدف", "الأهداف", "أهدافكم", "استهداف", "مستهدفة", "عدو", "العدو", "للعدو", "أعداء",
]  # fmt: skip
TRICKS = [
    ("сleared", "cleared"),  # Cyrillic с
    ("СLЕАRЕD", "cleared"),  # Cyrillic capitals
    ("ΑΡΡRΟVΕD", "approved"),  # Greek capitals
    ("pазpешено", "разрешено"),  # Latin p and a
    ("cle\u200bar", "clear"),  # zero-width space
    ("app\u00adroved", "approved"),  # soft hyphen
    ("cl\u2060eared", "cleared"),  # word joiner
    ("ｃｌｅａｒ", "clear"),  # full width
    ("𝐜𝐥𝐞𝐚𝐫", "clear"),  # mathematical bold
    ("clеár", "clear"),  # accent and Cyrillic е
    ("разреше\u0301ние", "разрешение"),  # stress mark
    ("c1eared", "cleared"),
    ("perm1t", "permit"),
    ("t a r g e t", "target"),
    ("цeль", "цель"),  # Latin e
    ("4pproved", "approved"),
    ("@pprove", "approve"),
    ("c l e a r e d", "cleared"),
    ("c.l.e.a.r", "clear"),
    ("cle-ar-ed", "cleared"),
    ("а п п r o v e d", None),  # Cyrillic п reads as n, so this is no English word
    ("р а з р е ш е н о", "разрешено"),
    ("مُوافَقة", "موافقه"),  # vowel marks
    ("موافقـــة", "موافقه"),  # stretched
    ("مسمو\u200dح", "مسموح"),  # zero-width joiner
    ("م و ا ف ق ة", "موافقه"),
    ("تر-خيص", "ترخيص"),
    ("یسمح", "يسمح"),  # Persian ye
    ("موافقۃ", "موافقه"),  # Urdu te
    ("ﻣﻮﺍﻓﻘﺔ", "موافقه"),  # presentation forms
    ("أذن", "اذن"),  # hamza above or below
]
FREE = [
    "в целях безопасности", "с целью проверки", "целый день", "в целом", "прицеп", "против ветра",
    "nuclear plant", "unclear weather", "clearly visible", "proved wrong", "a permeable barrier",
    "author of the report", "ordinates", "wind from the sea", "position 35.4, 35.9",
    "он утверждает, что видел", "раз решили лететь", "решение принято", "свет зелёной ракеты",
    "погода не позволяет", "колонна следует на север", "вы можете видеть", "добро и зло",
    "the convoy proceeds north", "go on ahead of us", "allow ten minutes", "immigrants",
    "чистое небо", "добро пожаловать", "добрый день", "",
    "بهدف السلامة", "الحد الأدنى المتفق عليه", "يتفق الطرفان", "عدم الجواب ليس قبولا", "تطابق",
    "الرسالة سارية", "تعليق الخط", "عدد الرسائل", "وعد", "الهدوء", "سمع بالصوت", "رخيص", "أذى",
    "الطقس واضح", "مانع للماء", "إحداثيات المكان", "عدنا", "صراحة", "وقت الإخطار", "عدوان",
]  # fmt: skip


@pytest.mark.parametrize("text", BANNED_ENGLISH + BANNED_RUSSIAN + BANNED_ARABIC)
def test_every_inflection_on_the_lists_is_found(text: str) -> None:
    assert find_banned(f"we, {text}, now")


@pytest.mark.parametrize(("text", "reads_as"), TRICKS)
def test_spelling_tricks_do_not_pass(text: str, reads_as: str | None) -> None:
    found = find_banned(f"you are {text} to fly")
    assert [find.reads_as for find in found] == ([] if reads_as is None else [reads_as])


@pytest.mark.parametrize("text", FREE)
def test_other_words_are_free(text: str) -> None:
    assert find_banned(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Acknowledged is not permission",
        "Acknowledged is not permission.",
        "Подтверждение получения не является разрешением",
        "There is no target.",
        "clear of conflict",
        "clear air turbulence reported",
        "times are in Coordinated Universal Time",
        "всемирное координированное время",
        "الإقرار بالاستلام ليس إذنا",
        "الإقرار بالاستلام ليس إذنا.",
        "الأوقات بحسب التوقيت العالمي المنسق",
    ],
)
def test_wording_fixed_elsewhere_passes_as_it_stands(text: str) -> None:
    assert check_words(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Acknowledged is permission",
        "not permission",
        "Acknowledged is not permissiоn",  # Cyrillic о
        "clear of conflict, you are cleared",
        "clear of traffic",
        "الإقرار بالاستلام إذن",
        "ليس إذنا",
        "الإقرار بالاستلام ليس اذنا بل إذن",
    ],
)
def test_fixed_wording_opens_no_door_beside_it(text: str) -> None:
    with pytest.raises(BannedWordError):
        check_words(text)


def test_the_error_names_the_word_as_written_and_as_it_reads() -> None:
    with pytest.raises(BannedWordError) as caught:
        check_words("you are сleared", what="not_binding")
    assert "not_binding" in caught.value.problem
    assert '"сleared" (reads as "cleared")' in caught.value.given


def test_all_languages_are_checked_in_one_text() -> None:
    found = find_banned("approved, то есть одобрено، أي موافق عليه")
    assert [find.language for find in found] == ["en", "ru", "ar"]


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "tab\there",
        "bell\x07",
        "nul\x00",
        "override \u202eback",
        "isolate \u2066here",
        "soft\u00adhyphen",
        "zero\u200bwidth",
        "mark\ufeff",
        "line\u2028separator",
        "private \ue000",
        "unassigned \U000e0fff",
        "tag \U000e0041",
    ],
)
def test_control_and_hidden_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidDocumentError):
        check_text(text)


@pytest.mark.parametrize(
    "text", ["מזג אוויר \u200fטוב\u200e הרוח 5", "الرياح \u200fمن البحر\u200e 5", "می\u200cخواهم"]
)
def test_right_to_left_text_with_its_marks_is_accepted(text: str) -> None:
    assert check_text(text) == text


@pytest.mark.parametrize("text", ["", "   ", "\u00a0"])
def test_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocumentError):
        check_text(text)


def test_text_is_bounded() -> None:
    assert check_text("x" * MAX_FREE_TEXT)
    with pytest.raises(InvalidDocumentError, match="501 characters"):
        check_text("x" * (MAX_FREE_TEXT + 1))


@pytest.mark.parametrize(
    "text", ["שָׁל֖וֹם", "བརྒྱུད་", "الحُدودُ الشَّمالِيَّة", "Xin chào, trời đẹp", "นี้", "a" + "\u0301" * 8]
)
def test_marks_that_a_writing_needs_pass(text: str) -> None:
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, text)
        assert check_text(written) == written


@pytest.mark.parametrize("between", ["", "\u200d"])
def test_marks_that_would_be_drawn_over_other_lines_are_refused(between: str) -> None:
    with pytest.raises(InvalidDocumentError, match="more marks on one letter"):
        check_text("help" + f"\u0301{between}" * 9)
