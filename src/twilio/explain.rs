//! Why a signature did not match: the usual mistakes, tried one after the other.
