//! Where what comes in goes: to the application that the number it came in at names,
//! else to the URLs of the number, or, where that has said nothing, to those that the
//! sandbox was told.

use super::address::Address;
use super::application::Application;
use super::number::Number;
use super::resource::Hook;
use super::target::Target;
use super::world::State;

/// Where something that comes in is told.
pub(super) struct Route {
    /// Who is asked.
    pub hook: Hook,
    /// Who is asked when that fails.
    pub fallback: Option<Hook>,
    /// Who is told of its end, if it has one.
    pub callback: Option<Hook>,
}

/// The route of a text, if it goes anywhere. WhatsApp's senders have no URL of their
/// number's.
pub(super) fn of_text(state: &State, to: &Address) -> Option<Route> {
    let number = &to.number;
    if let Some(one) = application(state, number, Number::texts_application).filter(|_| !to.whatsapp) {
        return Some(Route { hook: one.sms[0].hook(None)?, fallback: one.sms[1].hook(None), callback: None });
    }
    let own = state.numbers.find(number).map(|own| &own.sms);
    let own = own.or_else(|| state.numbers.code(number).map(|code| &code.sms)).filter(|_| !to.whatsapp);
    let usual = state.inbound.sms_url.as_deref();
    Some(Route { hook: first(own, usual)?, fallback: own.and_then(|own| own[1].hook(None)), callback: None })
}

/// The route of a call, if somebody takes it. Whoever takes calls to a number is told
/// of their end only where that was said too.
pub(super) fn of_call(state: &State, to: &str) -> Option<Route> {
    if let Some(one) = application(state, to, Number::calls_application) {
        return Some(Route {
            hook: one.voice[0].hook(None)?,
            fallback: one.voice[1].hook(None),
            callback: one.status.hook(None),
        });
    }
    let (own, inbound) = (state.numbers.find(to), &state.inbound);
    let hook = first(own.map(|own| &own.voice), inbound.voice_url.as_deref())?;
    let usual = inbound.voice_status_url.as_deref();
    let callback = match own {
        Some(own) if own.voice[0].is_said() => own.status.hook(None),
        Some(own) => own.status.hook(usual),
        None => Target::default().hook(usual),
    };
    Some(Route { hook, fallback: own.and_then(|own| own.voice[1].hook(None)), callback })
}

/// The application that a number names, while it exists.
fn application<'a>(
    state: &'a State,
    number: &str,
    named: impl Fn(&Number) -> Option<&str>,
) -> Option<&'a Application> {
    let own = state.numbers.find(number)?;
    state.applications.its(&own.account, named(own)?)
}

fn first(own: Option<&[Target; 2]>, usual: Option<&str>) -> Option<Hook> {
    own.map_or_else(|| Target::default().hook(usual), |own| own[0].hook(usual))
}
