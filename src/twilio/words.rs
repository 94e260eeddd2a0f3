//! What is said on the telephone: voices, prompts and digits in each language.
