//! What can be set of a service, as the API reads and describes it.

use super::content_sids::CONTENT_SIDS;
use super::fields::{Field, Shape};
use super::fraud_settings::FRAUD;
use super::limit_settings::LIMITS;
use super::message_settings::{MESSAGE_TEMPLATES, MESSAGE_TYPES};
use super::words::ChannelWord;
use crate::model::policy::Failover;
use crate::model::remedy::Remedy;
use crate::model::return_url;
use crate::model::service::{MOST_ICON, MOST_LABEL, MOST_NAME, MOST_REMEDIES, OnVoip, Pending};

const CHANNEL: Shape = Shape::Word(ChannelWord::all);

const SHORT: Shape = Shape::Text { least: 1, most: 64 };

const URL: Shape = Shape::Text { least: 1, most: 500 };

const COUNTRIES: Shape = Shape::List {
    of: &Shape::Chars { class: "A-Z", least: 2, most: 2 },
    least: 0,
    most: 300,
    distinct: true,
};

/// What can be set of a service, in the words of the configuration file.
pub const SETTINGS: [Field; 38] = [
    Field::new(
        "name",
        "The name in texts, calls and pages; no more than 4 digits in a row.",
        Shape::Text { least: 1, most: MOST_NAME },
    )
    .solid()
    .example("\"Shop\""),
    Field::new("code_length", "Characters of a code.", Shape::Number { least: 4, most: 10 }).solid(),
    Field::new(
        "code_alphabet",
        "What a code is made of: 8 to 36 different digits and capital letters.",
        Shape::Chars { class: "0-9A-Z", least: 8, most: 36 },
    )
    .solid()
    .example("\"0123456789\""),
    Field::new(
        "lifetime_seconds",
        "How long a verification lives.",
        Shape::Number { least: 60, most: 86_400 },
    )
    .solid(),
    Field::new("max_checks", "How many codes may be offered.", Shape::Number { least: 1, most: 20 }).solid(),
    Field::new("max_sends", "How many messages and calls may be sent.", Shape::Number { least: 1, most: 20 })
        .solid(),
    Field::new(
        "resend_cooldown_seconds",
        "How long to wait after the first send, the second, and so on; the last one repeats.",
        Shape::List { of: &Shape::Number { least: 0, most: 3600 }, least: 1, most: 20, distinct: false },
    )
    .solid(),
    Field::new(
        "new_code_on_resend",
        "Whether sending again makes a new code and kills the old one.",
        Shape::Flag,
    )
    .solid(),
    Field::new(
        "channels",
        "The channels, the preferred one first.",
        Shape::List { of: &CHANNEL, least: 1, most: 3, distinct: true },
    )
    .solid(),
    Field::new(
        "countries",
        "Which countries a channel reaches, as ISO 3166 codes. A channel that is not named reaches all.",
        Shape::Map {
            names: &CHANNEL,
            of: &Shape::Object(&[
                Field::new("allow", "These alone; empty for all.", COUNTRIES).solid(),
                Field::new("refuse", "Not these.", COUNTRIES).solid(),
                Field::new("watch", "These too, and the log says so each time.", COUNTRIES).solid(),
            ]),
            most: 3,
        },
    )
    .solid(),
    Field::new("template", "The set of message templates; null for the shipped one.", SHORT),
    Field::new("locale", "The language where nothing else names one.", Shape::Text { least: 2, most: 35 }),
    Field::new(
        "from",
        "The number, short code or name that texts come from; null for the account's.",
        Shape::Text { least: 1, most: 16 },
    ),
    Field::new("messaging_service_sid", "The messaging service that texts go through.", Shape::Id(&["MG"])),
    Field::new(
        "whatsapp_from",
        "The number that WhatsApp messages come from.",
        Shape::Chars { class: "+0-9", least: 6, most: 16 },
    )
    .example("\"+14155550123\""),
    Field::new(
        "whatsapp_content_sid",
        "The approved authentication template, or one for each language: the closest to the person's goes out, \
         else the English one, else the first.",
        Shape::Made(&CONTENT_SIDS),
    )
    .example("{\"de\": \"HX0123456789abcdef0123456789abcdef\"}"),
    Field::new(
        "whatsapp_variables",
        "Which of our variables fill which of the template's: `{\"1\": \"code\"}`.",
        Shape::Map { names: &SHORT, of: &SHORT, most: 20 },
    )
    .solid(),
    Field::new(
        "domain",
        "The web site whose pages may fill the code in.",
        Shape::Text { least: 1, most: 253 },
    )
    .example("\"example.com\""),
    Field::new("do_not_share", "Whether messages say that the code is not to be shared.", Shape::Flag)
        .solid(),
    Field::new(
        "gate",
        "What a call waits for before it says the code.",
        Shape::Word(|| vec!["any-key", "named-key", "none"]),
    )
    .solid(),
    Field::new("tts_name", "The name as it is said in calls.", SHORT),
    Field::new("custom_code", "Whether applications may bring their own codes.", Shape::Flag).solid(),
    Field::new(
        "psd2",
        "Whether a code is bound to an amount and a payee, which every verification then needs.",
        Shape::Flag,
    )
    .solid(),
    Field::new("skip_sms_to_landlines", "Whether landlines are offered calls only.", Shape::Flag).solid(),
    Field::new(
        "pages",
        "The hosted pages.",
        Shape::Object(&[
            Field::new(
                "return_urls",
                "Where people may be sent back to: exact https addresses, or ones that end in `/*`; `*.` before your own domain is any one label.",
                Shape::List { of: &URL, least: 0, most: return_url::MOST_ALLOWED, distinct: true },
            )
            .solid(),
            Field::new(
                "success_url",
                "Your own page for people whose number is proved, where a session names no `return_url`.",
                URL,
            ),
            Field::new(
                "colour",
                "The accent colour, like `#1a6f4e`.",
                Shape::Chars { class: "#0-9a-fA-F", least: 7, most: 7 },
            ),
            Field::new("logo", "The logo's address.", URL),
            Field::new("register", "Whether people may enter a number themselves.", Shape::Flag).solid(),
            Field::new("retry", "Whether they may begin anew after a failure.", Shape::Flag).solid(),
        ]),
    )
    .solid(),
    Field::new(
        "allow_links",
        "Whether names, purposes, amounts and payees that applications give may hold links and addresses.",
        Shape::Flag,
    )
    .solid(),
    Field::new(
        "psd2_block_seconds",
        "With `psd2`: for how long five wrong codes in a row, over all verifications of a number, block its payments.",
        Shape::Number { least: 60, most: 86_400 },
    )
    .solid(),
    Field::new(
        "pending",
        "What a second start for a number is while the first one waits for its code: `one` for the same verification, if key, session, purpose and payment are the same, `many` for one of its own.",
        Shape::Word(|| Pending::ALL.map(Pending::as_str).to_vec()),
    )
    .solid(),
    Field::new(
        "voip",
        "What becomes of a code for a number of internet telephony, by its country's plan: `allow`, `flag` for sent and marked, or `refuse`.",
        Shape::Word(|| OnVoip::ALL.map(OnVoip::as_str).to_vec()),
    )
    .solid(),
    Field::new(
        "failover",
        "When a code goes to the next of `channels` by itself: `off`, `on-failure` once a message or call is known not to have reached the person, or `on-silence` also where nothing is heard of a message for longer than usual.",
        Shape::Word(|| Failover::ALL.map(Failover::as_str).to_vec()),
    )
    .solid(),
    Field::new(
        "redact",
        "Whether texts and WhatsApp messages are emptied at Twilio once their code is dead, so that no code lies \
         there. It is repeated until it is done.",
        Shape::Flag,
    )
    .solid(),
    Field::new(
        "limits",
        "Limits that are others than the configuration's: lists like `[\"5/hour\", \"10/day\"]` by the names of \
         rules, an empty one for no limit. What is set takes the place of all that was.",
        Shape::Object(&LIMITS),
    )
    .solid(),
    Field::new(
        "fraud",
        "Signals of fraud that are others than the configuration's. What is set takes the place of all that was.",
        Shape::Made(&FRAUD),
    )
    .solid(),
    Field::new(
        "remedies",
        "What is done about codes of failures otherwise than usual, by the code: `{\"30003\": \"stop\"}`. A code \
         that says that a person wants to hear no more stays `opt-out`. What is set takes the place of all that was.",
        Shape::Map {
            names: &Shape::Chars { class: "0-9", least: 1, most: 5 },
            of: &Shape::Word(|| Remedy::ALL.map(Remedy::as_str).to_vec()),
            most: MOST_REMEDIES,
        },
    )
    .solid(),
    Field::new(
        "channel_labels",
        "What channels are called in `GET /v1/channels` and where the pages let people choose one, and your names \
         for their pictures. What is set takes the place of all that was; what is left out is as usual, in the \
         person's language.",
        Shape::Map {
            names: &CHANNEL,
            of: &Shape::Object(&[
                Field::new(
                    "label",
                    "The name, the same in every language.",
                    Shape::Text { least: 1, most: MOST_LABEL },
                )
                .example("\"SMS\""),
                Field::new(
                    "icon",
                    "Your name for the picture, such as a class. Not set: `message`, `phone` or `whatsapp`. The pages \
                     have their own pictures.",
                    Shape::Chars { class: "A-Za-z0-9 _-", least: 1, most: MOST_ICON },
                )
                .example("\"fa-solid fa-message\""),
            ]),
            most: 3,
        },
    )
    .solid(),
    Field::new(
        "free_text",
        "Whether `POST /v1/messages` takes any text, and not only these templates.",
        Shape::Flag,
    )
    .solid(),
    Field::new(
        "message_templates",
        "The templates of `POST /v1/messages`, by name. What is set takes the place of all that was.",
        MESSAGE_TEMPLATES,
    )
    .solid(),
    Field::new(
        "message_types",
        "The types of such messages that are others than usual, by name: `transactional` (10 an hour and 30 a \
         day for each number), `marketing` (2 a day) and `security` (5 an hour and 20 a day). What is set takes \
         the place of all that was.",
        MESSAGE_TYPES,
    )
    .solid(),
];
