//! The command line. Everything is in the library; see [`scantill::app`].

fn main() {}
