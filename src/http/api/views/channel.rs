//! Channels as a service offers them.

use crate::app::admission::{ChannelOffer, Offers};
use crate::http::api::words::ChannelWord;
use crate::http::pages::words::Words;
use schemars::JsonSchema;
use serde::Serialize;

/// What a service offers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Channels")]
pub struct ChannelsView {
    /// The service's id.
    pub service: String,
    /// The country, ISO 3166, that was named or is the number's; null for none. For a
    /// territory whose mobile numbers are read as its neighbour's, as Åland's are Finland's,
    /// it is that one's.
    pub country: Option<String>,
    /// Every channel there is: the service's in their order, then the others.
    pub channels: Vec<ChannelView>,
}

/// A channel as a service offers it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChannelOffer")]
pub struct ChannelView {
    /// The channel, as a start names it.
    pub channel: ChannelWord,
    /// Whether a start by it would be taken, as far as country and kind of number go.
    pub offered: bool,
    /// Why not; null where it is offered.
    pub reason: Option<ReasonView>,
    /// What it is called, for people: the service's `channel_labels`, else in the language.
    pub label: String,
    /// The name of its picture: the service's `channel_labels`, else `message`, `phone` or
    /// `whatsapp`.
    pub icon: String,
    /// Its place in this list, from 1 on.
    pub position: usize,
}

/// Why a channel is not offered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChannelReason")]
pub struct ReasonView {
    /// The code that a start by this channel would be refused with.
    pub code: &'static str,
    /// The same in words.
    pub detail: String,
}

impl ChannelsView {
    /// What is offered, with channels called by these words.
    pub fn new(offers: &Offers, words: &Words) -> Self {
        let labels = &offers.service.settings.channel_labels;
        let one = |(at, offer): (usize, &ChannelOffer)| ChannelView {
            channel: offer.channel.into(),
            offered: offer.refusal.is_none(),
            reason: offer.refusal.as_ref().map(|(code, why)| ReasonView { code, detail: why.to_string() }),
            label: words.label_of(labels, offer.channel).to_owned(),
            icon: labels.icon_of(offer.channel).to_owned(),
            position: at + 1,
        };
        Self {
            service: offers.service.id.to_string(),
            country: offers.country.clone(),
            channels: offers.channels.iter().enumerate().map(one).collect(),
        }
    }
}
