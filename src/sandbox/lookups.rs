//! What is told of a number beyond its plan: the line, the caller, the SIM, the
//! risk. The tester says it, for one number or for all; what nobody said is a quiet
//! mobile, or what the plan says the line is.

use super::line_types::Overrides;
use super::recent::Recent;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};
use serde_json::{Map, Value, json};

/// The longest wish, in bytes.
const LONGEST: usize = 8 * 1024;

/// The fields that can be asked for, as Lookups v2 names them.
pub(super) const FIELDS: [&str; 10] = [
    "caller_name",
    "sim_swap",
    "call_forwarding",
    "line_type_intelligence",
    "line_status",
    "identity_match",
    "reassigned_number",
    "sms_pumping_risk",
    "phone_number_quality_score",
    "pre_fill",
];

/// What the tester says.
pub(super) struct Lookups {
    all: Map<String, Value>,
    /// Of single numbers; what was said longest ago goes first.
    own: Recent<String, Map<String, Value>>,
    /// What accounts say of lines.
    pub line_types: Overrides,
}

impl Lookups {
    /// Nothing yet, of `limit` numbers at most.
    pub fn new(limit: usize) -> Self {
        Self { all: Map::new(), own: Recent::new(limit), line_types: Overrides::new(limit) }
    }

    /// The numbers of which something was said, longest ago first.
    #[cfg(test)]
    pub fn numbers(&self) -> impl Iterator<Item = &String> {
        self.own.keys()
    }

    /// Says something of one number, or of all (none), instead of what was said before.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn set(&mut self, number: Option<&str>, said: &Value) -> Result<(), &'static str> {
        let Value::Object(fields) = said else { return Err("it is an object") };
        if said.to_string().len() > LONGEST {
            return Err("it is longer than 8 KiB");
        }
        for (name, value) in fields {
            let known = match name.as_str() {
                "valid" => value.is_boolean(),
                name => FIELDS.contains(&name) && (value.is_object() || value.is_null()),
            };
            if !known {
                return Err("a field that no look-up has, or of another kind: see docs/telephones.md");
            }
        }
        let Some(number) = number else {
            self.all = fields.clone();
            return Ok(());
        };
        self.own.insert(number.to_owned(), fields.clone());
        Ok(())
    }

    /// Takes back what was said.
    pub fn forget(&mut self, number: Option<&str>) {
        match number {
            Some(number) => drop(self.own.forget(number)),
            None => self.all.clear(),
        }
    }

    /// What was said, as the controls show it.
    pub fn document(&self, number: Option<&str>) -> Value {
        match number {
            Some(number) => json!(self.own.get(number).cloned().unwrap_or_default()),
            None => {
                let said = |number: &String| Some((number.clone(), json!(self.own.get(number)?)));
                json!({ "all": self.all, "numbers": self.own.keys().filter_map(said).collect::<Value>() })
            }
        }
    }

    /// Whether the tester says that a number is valid, or is not.
    pub fn valid(&self, number: &str) -> Option<bool> {
        let own = self.own.get(number).and_then(|own| own.get("valid"));
        own.or_else(|| self.all.get("valid")).and_then(Value::as_bool)
    }

    /// A field of a number's: what is so of any, what was said of all, and what was
    /// said of it, each over the other.
    pub fn field(&self, name: &str, number: &str, asked: Asked<'_>) -> Value {
        let mut field = usual(name, number, asked);
        let own = self.own.get(number);
        for said in [self.all.get(name), own.and_then(|own| own.get(name))].into_iter().flatten() {
            match (&mut field, said) {
                (Value::Object(field), Value::Object(said)) => {
                    field.extend(said.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                (field, said) => *field = said.clone(),
            }
        }
        field
    }
}

/// What a look-up tells of the person that is meant: a parameter by its name.
pub(super) type Asked<'a> = &'a dyn Fn(&str) -> Option<String>;

fn usual(name: &str, number: &str, asked: Asked<'_>) -> Value {
    let line = line_type(number);
    let is_mobile = line == "mobile";
    let code = |text: &str| if is_mobile { json!(text) } else { Value::Null };
    match name {
        "caller_name" => {
            json!({ "caller_name": "SANDBOX CALLER", "caller_type": "CONSUMER", "error_code": null })
        }
        "sim_swap" => json!({
            "last_sim_swap": {
                "last_sim_swap_date": null,
                "swapped_period": "PT24H",
                "swapped_in_period": false,
            },
            "carrier_name": "Sandbox Mobile",
            "mobile_country_code": "001",
            "mobile_network_code": "01",
            "error_code": null,
        }),
        "call_forwarding" => json!({ "call_forwarding_enabled": false, "error_code": null }),
        "line_type_intelligence" => json!({
            "mobile_country_code": code("001"),
            "mobile_network_code": code("01"),
            "carrier_name": if is_mobile { "Sandbox Mobile" } else { "Sandbox Telephone" },
            "type": line,
            "error_code": null,
        }),
        "line_status" => json!({ "status": "active", "error_code": null }),
        "identity_match" => identity(asked),
        "reassigned_number" => json!({
            "last_verified_date": asked("LastVerifiedDate").unwrap_or_default(),
            "is_number_reassigned": "no",
            "error_code": null,
        }),
        "sms_pumping_risk" => json!({
            "carrier_risk_category": "low",
            "number_blocked": false,
            "number_blocked_date": null,
            "number_blocked_last_3_months": null,
            "sms_pumping_risk_score": 0,
            "error_code": null,
        }),
        _ => Value::Null,
    }
}

/// Whatever is asked of somebody's identity is so, unless the tester says otherwise.
fn identity(asked: Asked<'_>) -> Value {
    let parts = [
        ("first_name_match", "FirstName"),
        ("last_name_match", "LastName"),
        ("address_lines_match", "AddressLine1"),
        ("city_match", "City"),
        ("state_match", "State"),
        ("postal_code_match", "PostalCode"),
        ("address_country_match", "AddressCountryCode"),
        ("national_id_match", "NationalId"),
        ("date_of_birth_match", "DateOfBirth"),
    ];
    let mut matched = Map::new();
    for (name, parameter) in parts {
        let word = if asked(parameter).is_some() { "exact_match" } else { "no_data_available" };
        matched.insert(name.to_owned(), word.into());
    }
    matched.insert("summary_score".to_owned(), 100.into());
    matched.insert("error_code".to_owned(), Value::Null);
    matched.insert("error_message".to_owned(), Value::Null);
    Value::Object(matched)
}

/// What the plan says of a number's line, in Twilio's words. Where a plan does not
/// tell mobiles from landlines, as in North America, it is a mobile.
pub(super) fn line_type(number: &str) -> &'static str {
    let Ok(parsed) = PHONE_NUMBER_UTIL.parse(number, None) else { return "unknown" };
    match parsed.get_type() {
        PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile => "mobile",
        PhoneNumberType::FixedLine => "landline",
        PhoneNumberType::TollFree => "tollFree",
        PhoneNumberType::PremiumRate => "premium",
        PhoneNumberType::SharedCost => "sharedCost",
        PhoneNumberType::VoIP => "nonFixedVoip",
        PhoneNumberType::PersonalNumber => "personal",
        PhoneNumberType::Pager => "pager",
        PhoneNumberType::UAN => "uan",
        PhoneNumberType::VoiceMail => "voicemail",
        // Of an invented number the plan says nothing, and it is answered as a mobile.
        _ => "mobile",
    }
}
