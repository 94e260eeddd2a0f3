//! No text, page or call ever asks a person to tell a code to somebody: that is
//! what a fraud asks for, and whoever has read it here once will do it there.
//!
//! For each language the words that such a sentence would need, as beginnings of
//! words, and the words of the sentence that the code is for nobody else.

use super::super::*;
use crate::texts::{Catalog, Kind};
use crate::twilio::words as spoken;

/// A language; what one does with a code that is given away (say, tell, send on,
/// hand over, read out, as a request or a bare verb); who must not have it.
///
/// Words that these texts use otherwise are not here: a voice reads a code *to*
/// the person, and a code is sent *to* the telephone.
const STEMS: [(&str, &[&str], &[&str]); 42] = [
    (
        "en",
        &[
            "tell ",
            "tells ",
            "forward",
            "read out",
            "read it out",
            "give us",
            "give it",
            "say the code",
            "share",
        ],
        &["anyone"],
    ),
    (
        "de",
        &[
            "nennen",
            "teilen sie",
            "mitteilen",
            "durchgeben",
            "weiterleiten",
            "leiten sie",
            "sagen",
            "verraten",
        ],
        &["nie weiter"],
    ),
    (
        "fr",
        &["communiquez", "donnez", "transmettez", "dites", "transférez", "dicter", "dictez"],
        &["à personne"],
    ),
    ("es", &["comparta", "diga", "dígan", "comuni", "reenví", "dicte", "facilite"], &["con nadie"]),
    ("it", &["comunichi", "comunicare", "dica", "inoltr", "detti", "fornisca", "condivid"], &["a nessuno"]),
    (
        "pt-BR",
        &["compartilh", "diga", "informe o código", "encaminh", "repasse", "forneça"],
        &["com ninguém"],
    ),
    ("pt-PT", &["partilh", "diga", "comuni", "encaminh", "reencaminh", "forneça"], &["com ninguém"]),
    (
        "nl",
        &[
            "deel de",
            "deel hem",
            "deel uw",
            "vertel",
            "noem",
            "zeg ",
            "doorstur",
            "stuur de code",
            "geef de code",
        ],
        &["met niemand"],
    ),
    (
        "pl",
        &["podaj kod", "podawaj", "powiedz", "przekaż", "przekaz", "prześlij", "podyktuj", "udostępni"],
        &["nikomu"],
    ),
    (
        "sv",
        &["dela koden", "dela den", "dela din", "berätta", "säg ", "vidarebefordra", "lämna ut", "uppge"],
        &["med någon"],
    ),
    (
        "da",
        &["del koden", "del den", "del din", "fortæl", "sig koden", "videresend", "oplys", "udlever"],
        &["med nogen"],
    ),
    ("nb", &["del koden", "del den", "fortell", "si koden", "videresend", "oppgi", "utlever"], &["med noen"]),
    (
        "fi",
        &[
            "kerro",
            "kertokaa",
            "ilmoita",
            "ilmoittakaa",
            "välitä",
            "välittäkää",
            "antako",
            "sanokaa",
            "luovut",
        ],
        &["kenellekään"],
    ),
    (
        "ja",
        &["教えて", "伝えて", "転送", "お伝えください", "お知らせください", "読み上げてください"],
        &["誰にも"],
    ),
    ("ko", &["알려 주세요", "알려주세요", "말해", "말씀해", "전달해", "공유"], &["아무에게도"]),
    ("zh-CN", &["告诉", "告知", "转发", "提供给", "透露", "念给", "读给"], &["他人"]),
    ("zh-TW", &["告訴", "告知", "轉傳", "轉寄", "提供給", "透露", "唸給", "讀給"], &["他人"]),
    (
        "ru",
        &["сообщите", "сообщайте", "скажите", "назовите", "перешлите", "передайте", "продиктуйте"],
        &["никому"],
    ),
    ("tr", &["söyle", "paylaş", "bildirin", "iletin", "kodu verin", "vermeyin"], &["kimse"]),
    (
        "uk",
        &["повідомте", "повідомляйте", "скажіть", "назвіть", "перешліть", "передайте", "продиктуйте"],
        &["нікому"],
    ),
    ("ar", &["أخبر", "شارك", "تشارك", "أعط", "أرسلوا الرمز", "أملوا", "بلّغ"], &["أحد"]),
    ("hi", &["बताएँ", "बताइए", "बता दें", "साझा", "शेयर", "आगे भेज"], &["किसी को"]),
    (
        "af",
        &["vertel", "deel die", "deel dit", "deel u", "sê ", "stuur die kode", "gee die kode", "noem"],
        &["niemand"],
    ),
    (
        "bg",
        &["споделя", "споделе", "кажете", "съобщете", "съобщавайте", "препратете", "продиктувайте", "дайте"],
        &["никого"],
    ),
    ("ca", &["comparteix", "digui", "comuniqui", "reenviï", "dicti", "doni", "faciliti"], &["altri"]),
    (
        "cs",
        &["sděl", "řekněte", "povězte", "přepošlete", "předejte", "nadiktujte", "nahlaste", "prozra"],
        &["nikomu"],
    ),
    ("el", &["μοιραστείτε", "πείτε", "δώστε", "προωθήστε", "κοινοποιήστε", "υπαγορεύστε"], &["κανέναν"]),
    ("et", &["jaga", "öelge", "ütle", "teatage", "edasta", "andke", "avalda"], &["kellegagi"]),
    ("he", &["למסור", "מסרו", "לספר", "לומר", "להעביר", "לשתף", "העבירו", "הקריאו"], &["לאיש"]),
    (
        "hr",
        &["dijelite", "podijel", "recite", "kažite", "javite", "proslijedite", "izdiktirajte", "otkri"],
        &["ni s kim"],
    ),
    (
        "hu",
        &["adja meg a kódot", "mondja", "ossza", "közölje", "továbbítsa", "diktálja", "árulja"],
        &["senkinek"],
    ),
    (
        "id",
        &["berikan", "beri tahu", "beritahu", "katakan", "bagikan", "teruskan", "sebutkan"],
        &["siapa pun"],
    ),
    ("kn", &["ಹಂಚಿಕೊ", "ಹೇಳಿರಿ", "ತಿಳಿಸಿರಿ", "ರವಾನಿಸಿ", "ಫಾರ್ವರ್ಡ್"], &["ಯಾರೊಂದಿಗೂ"]),
    ("lt", &["atskle", "pasak", "praneš", "persiųs", "padiktuo", "perduok"], &["niekam"]),
    ("mr", &["सांगा", "सांगू", "शेअर", "पुढे पाठव", "कळवा"], &["कोणालाही"]),
    ("ms", &["kongsi", "beritahu", "katakan", "majukan", "sebutkan", "berikan"], &["sesiapa"]),
    (
        "ro",
        &["comunica", "spune", "divulg", "redirec", "dictați", "transmiteți", "furniza"],
        &["altor persoane"],
    ),
    (
        "sk",
        &[
            "povedzte",
            "oznámte",
            "prepošlite",
            "odovzdajte",
            "nadiktujte",
            "prezrad",
            "neprezrádzajte",
            "prezrádza",
        ],
        &["nikomu"],
    ),
    ("te", &["చెప్ప", "చెప్పండి", "పంచుకో", "ఫార్వర్డ్", "తెలియజేయండి"], &["ఎవరికీ"]),
    ("th", &["บอก", "แชร์", "ส่งต่อ", "เปิดเผย"], &["ผู้ใด"]),
    ("tl", &["sabihin", "ibahagi", "ipasa", "ibigay", "i-forward"], &["kaninuman"]),
    ("vi", &["chia sẻ", "cho biết", "nói cho", "chuyển tiếp", "tiết lộ", "báo mã"], &["bất kỳ ai"]),
];

/// Every text of a data file.
fn texts(value: &toml::Value) -> Vec<&str> {
    match value {
        toml::Value::String(text) => vec![text],
        toml::Value::Table(table) => table.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn no_text_page_or_call_asks_to_tell_a_code_to_somebody() {
    let catalog = Catalog::shipped();
    let messages = catalog.set(None);
    let mut wrong = Vec::new();
    for (locale, stems, nobody) in STEMS {
        let page: toml::Value =
            toml::from_str(SOURCES.iter().find(|(name, _)| *name == locale).unwrap().1).unwrap();
        let call = spoken::find(locale).unwrap();
        let written = [Kind::Sms, Kind::Payment].map(|kind| {
            messages.translations(kind).iter().find(|text| text.locale == locale).unwrap().text.to_owned()
        });
        let keyword = [crate::model::opt_out::Keyword::Stop, crate::model::opt_out::Keyword::Start];
        let replies = keyword.map(|keyword| call.reply(keyword, "Shop"));
        let asks =
            texts(&page).into_iter().map(str::to_owned).chain(written).chain(replies).chain(call.prompts());
        for text in asks {
            let small = text.to_lowercase();
            // Five languages are written without blanks between words.
            let is_begun = |at: usize| {
                ["ja", "ko", "th", "zh-CN", "zh-TW"].contains(&locale)
                    || !small[..at].ends_with(char::is_alphabetic)
            };
            let found = stems.iter().find(|stem| small.match_indices(*stem).any(|(at, _)| is_begun(at)));
            wrong.extend(found.map(|stem| format!("{locale}: {text:?} has {stem:?}")));
        }
        let sentence = messages
            .translations(Kind::DoNotShare)
            .iter()
            .find(|text| text.locale == locale)
            .unwrap()
            .text
            .to_lowercase();
        let help = call.reply(crate::model::opt_out::Keyword::Help, "Shop").to_lowercase();
        for text in [sentence, help] {
            if !nobody.iter().any(|word| text.contains(word)) {
                wrong.push(format!("{locale}: {text:?} does not say that it is for nobody: {nobody:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(STEMS.len(), SOURCES.len(), "every language has its words");
}
