//! TwiML documents: the verbs we use, written as well-formed XML.
