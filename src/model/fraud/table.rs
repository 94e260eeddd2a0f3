//! The signals as data: each with its name, whom it looks at, its windows and its
//! thresholds, with the reason for each. It refuses to know how any is found.

use super::spec::{SUSPICION, SignalSpec, conversion, count, few, odds, percent, ratio, sends, signal};

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
        "sim_swap",
        "number",
        "by a look-up, the number's SIM was changed lately",
        HOUR,
        &[count("hours", 72.0, "within so many hours")],
    ),
    signal(
        "pumping_risk",
        "number",
        "by a look-up, texts to the number are probably pumped",
        HOUR,
        &[percent(
            "score",
            75.0,
            "so high a score of a hundred at least; a number that the provider blocks has 100",
        )],
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
            count(
                "device",
                4.0,
                "so many where nobody was ever verified, neither client nor number, for fewer numbers than that, but several",
            ),
        ],
    ),
    signal(
        "block_burst",
        "block of a hundred or a thousand consecutive numbers",
        "many different numbers of one block within an hour that nobody verified",
        HALF_HOUR,
        &[
            few("numbers", 6.0, "so many of a thousand, and more where its country's blocks are crowded"),
            few("hundred", 3.0, "so many of a hundred"),
            ratio("fewer", 1.0, "so many fewer in a range where nobody verified before today"),
            ratio("approved", 0.34, "what a verified one counts: whoever owns the numbers can approve"),
        ],
    ),
    signal(
        "block_day",
        "block of a hundred or a thousand consecutive numbers",
        "many different numbers of one block within a day, of which hardly any was verified",
        DAY,
        &[
            few("numbers", 6.0, "so many unverified of a thousand"),
            few("hundred", 4.0, "so many unverified of a hundred"),
            odds(5_000.0),
        ],
    ),
    signal(
        "client_numbers",
        "address, device or session",
        "codes for many numbers from one client within three days, of which hardly any was verified",
        HOUR,
        &[
            few("numbers", 5.0, "so many unverified"),
            count("at_once", 30.0, "so many within ten minutes where nobody ever verified"),
            odds(5_000.0),
        ],
    ),
    signal(
        "subnet_numbers",
        "network of 24 bits of IPv4, 56 of IPv6",
        "codes for many numbers from one network within three days, of which hardly any was verified",
        HOUR,
        &[
            few("numbers", 5.0, "so many unverified"),
            count("at_once", 40.0, "so many within ten minutes where nobody ever verified"),
            odds(10_000.0),
        ],
    ),
    signal(
        "client_countries",
        "address, network, device or session",
        "numbers of several countries from one client within a day, of which none was verified; within three where hardly anybody verifies",
        HOUR,
        &[
            few("countries", 3.0, "more than so many; a country where one was verified does not count"),
            ratio("share", 0.2, "and more by this share of those who verified there of late"),
            odds(1_000.0),
        ],
    ),
    signal(
        "address_hour",
        "address",
        "more unverified codes to one address within an hour than those verified there allow",
        HOUR,
        &[
            few("least", 5.0, "this many at least"),
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
            few("least", 10.0, "this many at least"),
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
            ratio("days", 0.45, "so many of its days, in codes that were to be verified and were not"),
            count("least", 10.0, "this many at least"),
            odds(1_000.0),
            SUSPICION,
        ],
    ),
];

const HALF_HOUR: u32 = 1_800;
const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;
