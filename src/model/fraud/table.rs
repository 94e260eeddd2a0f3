//! The signals as data: each with its name, whom it looks at, its windows and its
//! thresholds, with the reason for each. It refuses to know how any is found.

use super::Action;

/// What a signal is: all of it that is not found out of traffic.
#[derive(Debug, PartialEq)]
pub struct SignalSpec {
    /// What it is called in `[fraud.signals]`, in decisions and in reports; it never
    /// changes.
    pub name: &'static str,
    /// Whom or what it looks at: `range`, `address`.
    pub subject: &'static str,
    /// What it means, in a sentence for operators.
    pub about: &'static str,
    /// How long what follows holds, in seconds, where nobody says otherwise.
    pub seconds: u32,
    /// Its thresholds.
    pub parameters: &'static [Parameter],
    /// What follows where nobody says otherwise: `record` for what is new.
    pub action: Action,
}

/// A threshold of a signal, or another number that it goes by.
#[derive(Debug, PartialEq)]
pub struct Parameter {
    /// What it is called beside the signal's action.
    pub name: &'static str,
    /// What it is where nobody says otherwise.
    pub default: f64,
    /// The least that it may be.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// What it does, in a sentence.
    pub about: &'static str,
}

/// Every signal there is, from the narrowest to the widest.
pub const SIGNALS: &[SignalSpec] = &[
    signal("provider_number", "number", "the provider took the number for fraud", HALF_HOUR, &[]),
    signal(
        "provider_range",
        "range",
        "the provider took several numbers of the range for fraud",
        HALF_HOUR,
        &[
            count("numbers", 5.0, "so many different numbers"),
            count("minutes", 10.0, "within so many minutes"),
        ],
    ),
    signal(
        "number_repeats",
        "number",
        "one number is sent codes again and again",
        HOUR,
        &[
            sends("hour", 5.0, "so many within an hour since it was last verified"),
            sends("day", 8.0, "so many within a day since it was last verified"),
            sends("all", 10.0, "so many within a day, verified or not"),
        ],
    ),
    signal(
        "client_repeats",
        "address, device or session",
        "one client asks for codes for the same few numbers again and again, and nobody verifies",
        HOUR,
        &[
            count("sends", 10.0, "so many sends since anybody verified; what is six hours old counts half"),
            ratio("each", 2.5, "so many sends for each number at least"),
        ],
    ),
    signal(
        "block_burst",
        "block of a hundred or a thousand consecutive numbers",
        "many different numbers of one block within an hour that nobody verified",
        HALF_HOUR,
        &[
            count("numbers", 7.0, "so many of a thousand, and more where its country's blocks are crowded"),
            count("hundred", 4.0, "so many of a hundred"),
            ratio("approved", 0.34, "what a verified one counts: whoever owns the numbers can approve"),
        ],
    ),
    signal(
        "block_day",
        "block of a hundred or a thousand consecutive numbers",
        "many different numbers of one block within a day, of which hardly any was verified",
        DAY,
        &[
            count("numbers", 6.0, "so many unverified of a thousand"),
            count("hundred", 4.0, "so many unverified of a hundred"),
            odds(5_000.0),
        ],
    ),
    signal(
        "client_numbers",
        "address, device or session",
        "codes for many numbers from one client within a day, of which hardly any was verified",
        HOUR,
        &[
            count("numbers", 5.0, "so many unverified"),
            count("at_once", 30.0, "so many within ten minutes where nobody ever verified"),
            odds(5_000.0),
        ],
    ),
    signal(
        "subnet_numbers",
        "network of 24 bits of IPv4, 56 of IPv6",
        "codes for many numbers from one network within a day, of which hardly any was verified",
        HOUR,
        &[
            count("numbers", 5.0, "so many unverified"),
            count("at_once", 40.0, "so many within ten minutes where nobody ever verified"),
            odds(10_000.0),
        ],
    ),
    signal(
        "client_countries",
        "address, network, device or session",
        "numbers of several countries from one client within a day, of which none was verified",
        HOUR,
        &[
            count("countries", 3.0, "more than so many; a country where one was verified does not count"),
            ratio("share", 0.2, "and more by this share of those who verified there of late"),
        ],
    ),
    signal(
        "address_hour",
        "address",
        "more unverified codes to one address within an hour than those verified there allow",
        HOUR,
        &[
            count("least", 5.0, "this many at least"),
            ratio("share", 0.2, "the share of a day's verified ones, by six"),
            odds(50.0),
        ],
    ),
    signal(
        "address_day",
        "address",
        "more unverified codes to one address within a day than those verified there allow",
        DAY,
        &[
            count("least", 10.0, "this many at least"),
            ratio("share", 0.3, "the share of a day's verified ones"),
            odds(50.0),
        ],
    ),
    signal(
        "range_burst",
        "range",
        "many different numbers of one range within twenty minutes, against what it usually has",
        HALF_HOUR,
        &[
            count("numbers", 25.0, "so many unverified at least"),
            count("times", 5.0, "so many times what it usually has at noon"),
            SUSPICION,
        ],
    ),
    conversion("range_conversion", "range", "of a range fewer verify than its own history has it"),
    conversion("country_conversion", "country", "of a country fewer verify than its own history has it"),
    conversion("service_conversion", "service", "of a service fewer verify than its own history has it"),
    conversion("sender_conversion", "sender", "of a sender fewer verify than its own history has it"),
    conversion("key_conversion", "API key", "of a key's requests fewer verify than its own history has it"),
    signal(
        "country_hour",
        "country",
        "more unverified codes to a country within an hour than its history allows",
        HOUR,
        &[
            count("least", 3.0, "this many at least"),
            ratio(
                "share",
                0.2,
                "the share of the hour's verified ones, and by six of the best day's of fourteen",
            ),
            odds(1_000.0),
            SUSPICION,
        ],
    ),
    signal(
        "country_day",
        "country",
        "more unverified codes to a country within a day than its history allows",
        HOUR,
        &[
            count("least", 20.0, "this many at least"),
            ratio("share", 0.3, "the share of the day's verified ones, and of the best day's of fourteen"),
            odds(1_000.0),
            SUSPICION,
        ],
    ),
    signal(
        "country_slow",
        "country",
        "what a country lost over a week comes near what it usually has in one",
        DAY,
        &[
            ratio("days", 0.4, "so many of its days, in codes that were to be verified and were not"),
            count("least", 10.0, "this many at least"),
            odds(1_000.0),
            SUSPICION,
        ],
    ),
];

const HALF_HOUR: u32 = 1_800;
const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

/// How sure it has to be that a request is of the attack under which something wide is.
const SUSPICION: Parameter = Parameter {
    name: "suspicion",
    default: 0.85,
    least: 0.05,
    most: 1.0,
    about: "how probable it has to be, by all that is narrower, that the request is of the attack",
};

const fn signal(
    name: &'static str,
    subject: &'static str,
    about: &'static str,
    seconds: u32,
    parameters: &'static [Parameter],
) -> SignalSpec {
    SignalSpec { name, subject, about, seconds, parameters, action: Action::Record }
}

const fn conversion(name: &'static str, subject: &'static str, about: &'static str) -> SignalSpec {
    const PARAMETERS: &[Parameter] = &[
        count("least", 8.0, "so many whose time to verify is over, at least"),
        ratio("share", 0.75, "below this share of what is usual; 0.4 where little is known"),
        odds(100_000.0),
        SUSPICION,
    ];
    signal(name, subject, about, HOUR, PARAMETERS)
}

const fn count(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 1.0, most: 1_000_000.0, about }
}

/// Sends of one number, of which only the last twelve are kept.
const fn sends(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 1.0, most: 12.0, about }
}

const fn ratio(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 0.0, most: 10.0, about }
}

const fn odds(default: f64) -> Parameter {
    let about = "so improbable by chance: one in so many";
    Parameter { name: "odds", default, least: 2.0, most: 1e12, about }
}
