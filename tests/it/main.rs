//! Black-box tests: everything here drives the built binary.
