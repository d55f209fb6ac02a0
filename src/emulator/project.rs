//! The Cloud project that everything here belongs to.

/// Its name.
pub(super) const ID: &str = "tenure-emulator";

/// Its number.
pub(super) const NUMBER: &str = "271828182845";
