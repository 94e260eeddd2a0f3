//! How many segments a text costs: GSM-7, UCS-2.
