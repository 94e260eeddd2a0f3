//! Proof that a webhook is Twilio's: `X-Twilio-Signature` and `bodySHA256`.
