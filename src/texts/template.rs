//! One template: text with `{variables}`, taken apart and checked once, so that
//! filling it in cannot fail.
//!
//! This module refuses to know files, languages and what a value means.

use std::fmt;

/// Most characters of a template. With values of [`super::compose`]'s length it
/// stays under the 1600 that Twilio takes (error 21617).
pub const TEMPLATE_MAX: usize = 640;

/// The longest life of a code, in minutes: a day. Plural forms are asked for up
/// to here.
const MINUTES_MAX: u32 = 24 * 60;

/// What may stand in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// The code, as it is to be typed.
    Code,
    /// The service's name.
    Service,
    /// How long the code is good: the number with its word, "10 minutes",
    /// "24 hours".
    Minutes,
    /// What is paid.
    Amount,
    /// Who is paid.
    Payee,
    /// What the code is for, in the application's words.
    Purpose,
    /// The domain that the code is bound to.
    Domain,
    /// The hash by which an Android application knows its message.
    AppHash,
    /// The bare number of minutes, hours or seconds, in their forms only.
    N,
}

/// What may fill a variable of a template that is kept at Twilio.
pub(super) const WHATSAPP_VARIABLES: [Variable; 7] = [
    Variable::Code,
    Variable::Service,
    Variable::Minutes,
    Variable::Amount,
    Variable::Payee,
    Variable::Purpose,
    Variable::Domain,
];

impl Variable {
    const ALL: [Self; 9] = [
        Self::Code,
        Self::Service,
        Self::Minutes,
        Self::Amount,
        Self::Payee,
        Self::Purpose,
        Self::Domain,
        Self::AppHash,
        Self::N,
    ];

    /// Its name, without the braces.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Service => "service",
            Self::Minutes => "minutes",
            Self::Amount => "amount",
            Self::Payee => "payee",
            Self::Purpose => "purpose",
            Self::Domain => "domain",
            Self::AppHash => "app_hash",
            Self::N => "n",
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name())
    }
}

/// What a template is for, which decides what may and must stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A text message.
    Sms,
    /// A free message of WhatsApp.
    Whatsapp,
    /// A text message, or a free one of WhatsApp, for a payment.
    Payment,
    /// What a call says before the digits.
    Call,
    /// The sentence that the code is for nobody else.
    DoNotShare,
    /// One plural form of minutes.
    Minutes,
    /// One plural form of hours.
    Hours,
    /// One plural form of seconds.
    Seconds,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 8] = [
        Self::Sms,
        Self::Whatsapp,
        Self::Payment,
        Self::Call,
        Self::DoNotShare,
        Self::Minutes,
        Self::Hours,
        Self::Seconds,
    ];

    /// For a unit of time the numbers of it that are said, from one; `None` for
    /// a whole text.
    pub fn numbers(self) -> Option<std::ops::RangeInclusive<u32>> {
        match self {
            Self::Minutes => Some(1..=MINUTES_MAX),
            Self::Hours => Some(1..=MINUTES_MAX / 60),
            Self::Seconds => Some(1..=59),
            Self::Sms | Self::Whatsapp | Self::Payment | Self::Call | Self::DoNotShare => None,
        }
    }

    /// The table of a file that holds its texts.
    pub fn table(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Payment => "payment",
            Self::Call => "call",
            Self::DoNotShare => "do_not_share",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Seconds => "seconds",
        }
    }

    fn may_hold(self) -> &'static [Variable] {
        use Variable::{Amount, AppHash, Code, Domain, Minutes, N, Payee, Purpose, Service};
        match self {
            Self::Sms | Self::Whatsapp => &[Code, Service, Minutes, Purpose, Domain, AppHash],
            Self::Payment => &[Code, Service, Minutes, Amount, Payee, Purpose, Domain, AppHash],
            Self::Call => &[Service],
            Self::DoNotShare => &[Service, Domain],
            Self::Minutes | Self::Hours | Self::Seconds => &[N],
        }
    }

    fn must_hold(self) -> &'static [Variable] {
        match self {
            Self::Sms | Self::Whatsapp => &[Variable::Code],
            Self::Payment => &[Variable::Code, Variable::Amount, Variable::Payee],
            Self::Call | Self::DoNotShare | Self::Minutes | Self::Hours | Self::Seconds => &[],
        }
    }
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which brace of the text it is about, counted from zero; `None` for the
    /// whole text.
    pub brace: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub mend: String,
}

impl Fault {
    fn new(brace: impl Into<Option<usize>>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { brace: brace.into(), what: what.into(), mend: mend.into() }
    }
}

/// A template that holds what it must and nothing that it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Variable),
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// Everything that is wrong with it, at least one [`Fault`].
    pub fn parse(source: &str, kind: Kind) -> Result<Self, Vec<Fault>> {
        let (pieces, mut faults) = scan(source, kind);
        faults.extend(missing(&pieces, kind));
        if source.chars().count() > TEMPLATE_MAX {
            let mend = format!("write {TEMPLATE_MAX} characters at most");
            faults.push(Fault::new(None, "is too long", mend));
        }
        if source.trim().is_empty() {
            faults = vec![Fault::new(None, "is empty", "write a text, or take the line out")];
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { source: source.to_owned(), pieces })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether a variable stands in it.
    pub fn holds(&self, variable: Variable) -> bool {
        self.pieces.contains(&Piece::Slot(variable))
    }

    /// The text with its values, in one pass: a value that looks like a variable
    /// stays as it is. Around a value that is empty only one blank remains.
    pub fn fill(&self, value: impl Fn(Variable) -> String) -> String {
        let mut out = String::with_capacity(self.source.len());
        let mut gap = false;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => {
                    let is_joined = gap && (out.is_empty() || out.ends_with(' '));
                    out.push_str(if is_joined { text.trim_start_matches(' ') } else { text });
                    gap = false;
                }
                Piece::Slot(variable) => {
                    let value = value(*variable);
                    gap = value.is_empty();
                    out.push_str(&value);
                }
            }
        }
        out
    }
}

/// Takes a text apart and notes what is wrong with its braces.
fn scan(source: &str, kind: Kind) -> (Vec<Piece>, Vec<Fault>) {
    let (mut pieces, mut faults) = (Vec::new(), Vec::new());
    let (mut text, mut rest, mut brace) = (String::new(), source, 0);
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            text.push_str(&tail[..1]);
            (rest, brace) = (&tail[2..], brace + 2);
            continue;
        }
        let Some(name) = tail.strip_prefix('{') else {
            faults.push(Fault::new(brace, "has a } without a {", "write }} for a brace"));
            (rest, brace) = (&tail[1..], brace + 1);
            continue;
        };
        let Some(end) = name.find(['{', '}']).filter(|end| name[*end..].starts_with('}')) else {
            faults.push(Fault::new(brace, "has a { without a }", "close it, or write {{ for a brace"));
            (rest, brace) = (name, brace + 1);
            continue;
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        match variable(&name[..end], kind) {
            Ok(variable) => pieces.push(Piece::Slot(variable)),
            Err((what, mend)) => faults.push(Fault::new(brace, what, mend)),
        }
        (rest, brace) = (&name[end + 1..], brace + 2);
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    (pieces, faults)
}

/// The variable of a name, if it may stand here; else what is wrong with it and
/// what would be right.
fn variable(name: &str, kind: Kind) -> Result<Variable, (String, String)> {
    let may = kind.may_hold();
    let list = may.iter().map(Variable::to_string).collect::<Vec<_>>().join(", ");
    match Variable::ALL.into_iter().find(|variable| variable.name() == name) {
        Some(variable) if may.contains(&variable) => Ok(variable),
        Some(variable) => Err((
            format!("has {variable}, which is not known here"),
            match (variable, kind) {
                (Variable::Amount | Variable::Payee, Kind::Sms | Kind::Whatsapp) => {
                    "write the text for payments under [payment]".to_owned()
                }
                (Variable::N, Kind::Sms | Kind::Whatsapp | Kind::Payment) => {
                    "write {minutes} here; {n} belongs under [minutes]".to_owned()
                }
                (Variable::Code, Kind::Call) => "take it out: the digits are read after this text".to_owned(),
                _ => format!("this text may have {list}"),
            },
        )),
        None => Err((
            format!("has {{{name}}}, which is no variable"),
            match near(name, may.iter().map(|variable| variable.name())) {
                Some(meant) => format!("did you mean {{{meant}}}?"),
                None => format!("this text may have {list}"),
            },
        )),
    }
}

/// What must stand in a text and does not, or stands there too often.
fn missing(pieces: &[Piece], kind: Kind) -> Vec<Fault> {
    let count = |variable| pieces.iter().filter(|piece| **piece == Piece::Slot(variable)).count();
    let mut faults = Vec::new();
    for variable in kind.must_hold() {
        if count(*variable) == 0 {
            let mend = match variable {
                Variable::Code => "put it where the code belongs",
                _ => "a payment's text says both what is paid, {amount}, and to whom, {payee}",
            };
            faults.push(Fault::new(None, format!("lacks {variable}"), mend));
        }
    }
    if count(Variable::Code) > 1 {
        let mend = "leave one: a telephone offers to fill in what it finds, and should find one";
        faults.push(Fault::new(None, "has {code} more than once", mend));
    }
    faults
}

/// The one of `known` that `name` was probably meant to be.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.trim().to_ascii_lowercase();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_ascii_lowercase()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 2).min(2))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(source: &str, kind: Kind) -> String {
        let faults = Template::parse(source, kind).unwrap_err();
        faults
            .iter()
            .map(|fault| format!("{:?} {}; {}", fault.brace, fault.what, fault.mend))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_fault_says_which_brace_and_what_would_be_right() {
        let cases = [
            (
                Kind::Sms,
                "{code} {servce}",
                "Some(2) has {servce}, which is no variable; did you mean {service}?",
            ),
            (
                Kind::Sms,
                "{code} {Minutes}",
                "Some(2) has {Minutes}, which is no variable; did you mean {minutes}?",
            ),
            (
                Kind::Sms,
                "{code} {colour}",
                "Some(2) has {colour}, which is no variable; this text may have {code}, {service}, {minutes}, {purpose}, {domain}, {app_hash}",
            ),
            (Kind::Sms, "{{code}}", "None lacks {code}; put it where the code belongs"),
            (
                Kind::Sms,
                "{code} {code}",
                "None has {code} more than once; leave one: a telephone offers to fill in what it finds, and should find one",
            ),
            (Kind::Sms, "{code} {service", "Some(2) has a { without a }; close it, or write {{ for a brace"),
            (
                Kind::Sms,
                "{code} {ser{vice}",
                "Some(2) has a { without a }; close it, or write {{ for a brace\nSome(3) has {vice}, which is no variable; this text may have {code}, {service}, {minutes}, {purpose}, {domain}, {app_hash}",
            ),
            (Kind::Sms, "{code} }", "Some(2) has a } without a {; write }} for a brace"),
            (
                Kind::Sms,
                "{code} for {amount}",
                "Some(2) has {amount}, which is not known here; write the text for payments under [payment]",
            ),
            (
                Kind::Sms,
                "{code}, {n} minutes",
                "Some(2) has {n}, which is not known here; write {minutes} here; {n} belongs under [minutes]",
            ),
            (
                Kind::Payment,
                "{code} for {amount}",
                "None lacks {payee}; a payment's text says both what is paid, {amount}, and to whom, {payee}",
            ),
            (
                Kind::Call,
                "Your code is {code}",
                "Some(0) has {code}, which is not known here; take it out: the digits are read after this text",
            ),
            (
                Kind::Minutes,
                "{minutes}",
                "Some(0) has {minutes}, which is not known here; this text may have {n}",
            ),
            (Kind::DoNotShare, " ", "None is empty; write a text, or take the line out"),
        ];
        for (kind, source, expected) in cases {
            assert_eq!(fault(source, kind), expected, "{source}");
        }
        assert!(fault(&format!("{{code}}{}", "a".repeat(TEMPLATE_MAX)), Kind::Sms).contains("too long"));
    }

    #[test]
    fn braces_can_be_written_and_values_are_taken_as_they_are() {
        let template = Template::parse("{{{code}}} for {service}}}", Kind::Sms).unwrap();
        let filled = template.fill(|variable| match variable {
            Variable::Code => "0042".into(),
            _ => "{code}".into(),
        });
        assert_eq!(filled, "{0042} for {code}}");
    }

    #[test]
    fn what_is_empty_leaves_no_gap() {
        let fill = |source| {
            let template = Template::parse(source, Kind::Sms).unwrap();
            template.fill(|variable| if variable == Variable::Code { "1".into() } else { String::new() })
        };
        assert_eq!(fill("{purpose} Code {code} for {service} is here"), "Code 1 for is here");
        assert_eq!(fill("Code {code}{service}, yes"), "Code 1, yes");
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_has_faults_that_name_a_brace_of_it(source in "[a-z{} é]{0,30}|(\\{code\\}|\\{|\\}|x){0,8}") {
            match Template::parse(&source, Kind::Sms) {
                Ok(template) => {
                    let filled = template.fill(|variable| if variable == Variable::Code { "0".into() } else { String::new() });
                    prop_assert_eq!(filled.matches('0').count(), 1);
                }
                Err(faults) => {
                    let braces = source.matches(['{', '}']).count();
                    prop_assert!(!faults.is_empty());
                    prop_assert!(faults.iter().all(|fault| fault.brace.is_none_or(|at| at < braces)));
                }
            }
        }
    }
}
